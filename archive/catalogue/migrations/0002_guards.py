"""The rules that hold even for those who go around the services: what is written once is never rewritten."""

from django.db import migrations

# Tables whose rows are never updated and never deleted.
IMMUTABLE = [
    "catalogue_version",
    "catalogue_recipe",
    "catalogue_sidecar",
    "catalogue_modelrelease",
    "catalogue_event",
    "catalogue_eventobject",
    "catalogue_eventagent",
    "catalogue_itemrevision",
]

FUNCTIONS = """
CREATE FUNCTION palimpsest_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE FUNCTION palimpsest_guard_stored_file() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a stored file''s row stays for good: DELETE refused'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF (NEW.sha256, NEW.size, NEW.media_type, NEW.created)
       IS DISTINCT FROM (OLD.sha256, OLD.size, OLD.media_type, OLD.created) THEN
        RAISE EXCEPTION 'a stored file is its digest: only its last check and its condition may change'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION palimpsest_guard_lineage() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.derived_from_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM catalogue_version s WHERE s.id = NEW.derived_from_id AND s.scan_id = NEW.scan_id
    ) THEN
        RAISE EXCEPTION 'a derivative belongs to the scan it was made from'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
"""

TRIGGERS = (
    "".join(
        f"""
CREATE TRIGGER {table}_is_immutable BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION palimpsest_refuse_change();
"""
        for table in IMMUTABLE
    )
    + """
CREATE TRIGGER catalogue_storedfile_guard BEFORE UPDATE OR DELETE ON catalogue_storedfile
    FOR EACH ROW EXECUTE FUNCTION palimpsest_guard_stored_file();
CREATE CONSTRAINT TRIGGER catalogue_version_lineage AFTER INSERT ON catalogue_version
    FOR EACH ROW EXECUTE FUNCTION palimpsest_guard_lineage();
"""
)

REVERSE = (
    "".join(f"DROP TRIGGER {table}_is_immutable ON {table};\n" for table in IMMUTABLE)
    + """
DROP TRIGGER catalogue_storedfile_guard ON catalogue_storedfile;
DROP TRIGGER catalogue_version_lineage ON catalogue_version;
DROP FUNCTION palimpsest_refuse_change();
DROP FUNCTION palimpsest_guard_stored_file();
DROP FUNCTION palimpsest_guard_lineage();
"""
)


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0001_initial")]
    operations = [migrations.RunSQL(FUNCTIONS + TRIGGERS, REVERSE)]
