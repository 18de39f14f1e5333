-- A lease's paper says when its aircraft counts as stored: copies of the registry must hear of a change.
CREATE OR REPLACE TRIGGER registry_changed AFTER INSERT OR UPDATE OR DELETE ON lease_contract
    FOR EACH STATEMENT EXECUTE FUNCTION bump_registry_version();
