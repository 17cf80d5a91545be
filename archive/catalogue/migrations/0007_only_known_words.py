from django.db import migrations, models

ACCESS = ("inherit", "public", "staff", "private")
AI_POLICY = ("inherit", "allowed", "restore-only", "none")


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0006_known_words")]

    operations = [
        migrations.AddConstraint(
            model_name="collection",
            constraint=models.CheckConstraint(
                condition=models.Q(access__in=ACCESS, effective_access__in=ACCESS[1:]),
                name="access_in_a_known_word",
            ),
        ),
        migrations.AddConstraint(
            model_name="collection",
            constraint=models.CheckConstraint(
                condition=models.Q(ai_policy__in=AI_POLICY, effective_ai_policy__in=AI_POLICY[1:]),
                name="ai_policy_in_a_known_word",
            ),
        ),
    ]
