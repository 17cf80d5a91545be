"""The index of words takes new ones in together. Altered in place: making it anew would lock a large archive."""

import django.contrib.postgres.indexes
from django.db import migrations

TOGETHER = "ALTER INDEX item_document SET (fastupdate = on, gin_pending_list_limit = 256)"
ONE_BY_ONE = "ALTER INDEX item_document RESET (gin_pending_list_limit); ALTER INDEX item_document SET (fastupdate = off)"


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0007_only_known_words")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(TOGETHER, ONE_BY_ONE)],
            state_operations=[
                migrations.RemoveIndex(model_name="itemindex", name="item_document"),
                migrations.AddIndex(
                    model_name="itemindex",
                    index=django.contrib.postgres.indexes.GinIndex(
                        fastupdate=True, fields=["document"], gin_pending_list_limit=256, name="item_document"
                    ),
                ),
            ],
        )
    ]
