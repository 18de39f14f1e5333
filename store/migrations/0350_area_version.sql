-- Copies in memory hold the areas that say where a ship calls: a change of them is a change of the registry.
-- depends: 0345_use_facts
CREATE TRIGGER registry_changed AFTER INSERT OR UPDATE OR DELETE ON area
    FOR EACH STATEMENT EXECUTE FUNCTION bump_registry_version();
