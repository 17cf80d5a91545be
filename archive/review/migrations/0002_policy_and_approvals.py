"""Decisions say which they were; reviews who has approved; collections what they ask of those who judge."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

VERBS = {
    ("draft", "approved"): "approve",
    ("draft", "rejected"): "reject",
    ("approved", "published"): "publish",
    ("published", "approved"): "unpublish",
    ("approved", "draft"): "reopen",
    ("rejected", "draft"): "reopen",
}


def name_decisions(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    """What was decided follows from what it changed; whoever approved last has approved what stands so."""
    Decision = apps.get_model("review", "Decision")
    Review = apps.get_model("review", "Review")
    for (before, after), verb in VERBS.items():
        Decision.objects.filter(before=before, after=after).update(verb=verb)
    Decision.objects.filter(after="withdrawn").update(verb="withdraw")
    for review in Review.objects.filter(state__in=["approved", "published"]):
        newest = Decision.objects.filter(review=review, verb="approve").order_by("-pk").first()
        review.approved_by = [newest.by_id] if newest else []
        review.save(update_fields=["approved_by"])


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0001_initial"), ("review", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="decision",
            name="verb",
            field=models.CharField(max_length=16, default=""),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="review",
            name="approved_by",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.UUIDField(), default=list, editable=False, size=None
            ),
        ),
        migrations.CreateModel(
            name="ReviewPolicy",
            fields=[
                (
                    "collection",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="review_policy",
                        serialize=False,
                        to="catalogue.collection",
                    ),
                ),
                (
                    "approvals",
                    models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="approvals needed"),
                ),
                (
                    "own_orders",
                    models.CharField(
                        choices=[
                            ("inherit", "as the collection above"),
                            ("allowed", "may be approved by who ordered them"),
                            ("forbidden", "must be approved by somebody else"),
                        ],
                        default="inherit",
                        max_length=16,
                        verbose_name="one's own orders",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("approvals", None), ("approvals__in", [1, 2]), _connector="OR"),
                        name="one_or_two_approvals",
                    )
                ],
            },
        ),
        migrations.RunPython(name_decisions, migrations.RunPython.noop),
    ]
