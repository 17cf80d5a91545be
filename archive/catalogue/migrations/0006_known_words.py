from django.db import migrations, models

ACCESS = ("inherit", "public", "staff", "private")
AI_POLICY = ("inherit", "allowed", "restore-only", "none")


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0005_policy_events")]

    operations = [
        # A word that nobody knew forbade nothing, whatever it was meant to: the strictest takes its place.
        migrations.RunSQL(
            [
                (
                    "UPDATE catalogue_collection SET access = 'private' WHERE NOT access = ANY(%s)",
                    [list(ACCESS)],
                ),
                (
                    "UPDATE catalogue_collection SET ai_policy = 'none', effective_ai_policy = 'none' "
                    "WHERE NOT ai_policy = ANY(%s)",
                    [list(AI_POLICY)],
                ),
            ],
            migrations.RunSQL.noop,
        ),
        migrations.AddConstraint(
            model_name="collection",
            constraint=models.CheckConstraint(
                condition=models.Q(access__in=ACCESS), name="access_in_a_known_word"
            ),
        ),
        migrations.AddConstraint(
            model_name="collection",
            constraint=models.CheckConstraint(
                condition=models.Q(ai_policy__in=AI_POLICY), name="ai_policy_in_a_known_word"
            ),
        ),
    ]
