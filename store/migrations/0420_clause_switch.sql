-- A clause may be written down, and tried, before it is switched on. Copies in memory hold clauses: a change of one is a change
-- of the registry.
-- depends: 0413_lease_on_file
ALTER TABLE covenant ADD COLUMN is_active boolean NOT NULL DEFAULT true;  -- judged, not only on record

ALTER TABLE territory_rule ADD COLUMN is_active boolean NOT NULL DEFAULT true;  -- judged, not only on record

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['covenant', 'territory_rule'] LOOP
        EXECUTE 'CREATE TRIGGER registry_changed AFTER INSERT OR UPDATE OR DELETE ON ' || quote_ident(name)
            || ' FOR EACH STATEMENT EXECUTE FUNCTION bump_registry_version()';
    END LOOP;
END
$$;
