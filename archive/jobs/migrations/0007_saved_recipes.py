"""Recipes under names. A name stands for one recipe for good, and the row is its history: a trigger holds both."""

import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import archive.ids

GUARD = """
CREATE FUNCTION palimpsest_guard_saved_recipe() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a saved recipe''s row is its history: DELETE refused'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.removed IS NOT NULL
       OR (NEW.id, NEW.name, NEW.note, NEW.recipe_id, NEW.reference_id, NEW.look, NEW.saved, NEW.saved_by_id)
          IS DISTINCT FROM
          (OLD.id, OLD.name, OLD.note, OLD.recipe_id, OLD.reference_id, OLD.look, OLD.saved, OLD.saved_by_id) THEN
        RAISE EXCEPTION 'a name stands for one recipe for good: save another under another name'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER jobs_savedrecipe_guard BEFORE UPDATE OR DELETE ON jobs_savedrecipe
    FOR EACH ROW EXECUTE FUNCTION palimpsest_guard_saved_recipe();
"""
GONE = """
DROP TRIGGER jobs_savedrecipe_guard ON jobs_savedrecipe;
DROP FUNCTION palimpsest_guard_saved_recipe();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("catalogue", "0005_policy_events"),
        ("jobs", "0006_standing_orders"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SavedRecipe",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=archive.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=80)),
                ("note", models.CharField(blank=True, max_length=300)),
                ("look", models.CharField(blank=True, max_length=16)),
                ("saved", models.DateTimeField(auto_now_add=True)),
                ("removed", models.DateTimeField(null=True)),
                (
                    "recipe",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="saved",
                        to="catalogue.recipe",
                    ),
                ),
                (
                    "reference",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalogue.version",
                    ),
                ),
                (
                    "removed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "saved_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": [django.db.models.functions.text.Lower("name")],
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("name"),
                        condition=models.Q(("removed", None)),
                        name="one_saved_recipe_of_a_name",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("removed", None), ("removed_by", None)),
                            models.Q(("removed__isnull", False), ("removed_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="who_took_a_recipe_off_is_known",
                    ),
                ],
            },
        ),
        migrations.RunSQL(GUARD, GONE),
    ]
