-- Who keeps a copy of the areas in memory hears of a change.
-- depends: 0356_identity_run
CREATE TRIGGER registry_changed AFTER INSERT OR UPDATE OR DELETE ON area
    FOR EACH STATEMENT EXECUTE FUNCTION bump_registry_version();
