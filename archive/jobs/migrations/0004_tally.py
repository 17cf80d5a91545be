"""Exact counts without counting: every statement that moves items between states leaves what it moved in the tally."""

from django.db import migrations

FUNCTION = """
CREATE FUNCTION palimpsest_tally() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO jobs_tally (job_id, state, delta) SELECT job_id, state, count(*) FROM after_rows GROUP BY 1, 2;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO jobs_tally (job_id, state, delta) SELECT job_id, state, -count(*) FROM before_rows GROUP BY 1, 2;
    ELSE
        INSERT INTO jobs_tally (job_id, state, delta)
        SELECT job_id, state, sum(n) FROM (
            SELECT job_id, state, 1 AS n FROM after_rows UNION ALL SELECT job_id, state, -1 FROM before_rows
        ) moved GROUP BY 1, 2 HAVING sum(n) <> 0;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER tally_insert AFTER INSERT ON jobs_jobitem
    REFERENCING NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION palimpsest_tally();
CREATE TRIGGER tally_update AFTER UPDATE ON jobs_jobitem
    REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION palimpsest_tally();
CREATE TRIGGER tally_delete AFTER DELETE ON jobs_jobitem
    REFERENCING OLD TABLE AS before_rows FOR EACH STATEMENT EXECUTE FUNCTION palimpsest_tally();
INSERT INTO jobs_tally (job_id, state, delta) SELECT job_id, state, count(*) FROM jobs_jobitem GROUP BY 1, 2;
UPDATE jobs_jobitem SET ended = changed WHERE state IN ('done', 'failed', 'cancelled');
"""
GONE = """
DROP TRIGGER tally_insert ON jobs_jobitem;
DROP TRIGGER tally_update ON jobs_jobitem;
DROP TRIGGER tally_delete ON jobs_jobitem;
DROP FUNCTION palimpsest_tally();
"""


class Migration(migrations.Migration):
    dependencies = [("jobs", "0003_running_by_itself")]
    operations = [migrations.RunSQL(FUNCTION, GONE)]
