-- Who an asset is, over time: its names and flags, and streams that follow its identifiers when these change.
-- depends: 0310_areas
CREATE TABLE designation (
    designation_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant text NOT NULL,
    asset_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('name', 'flag')),
    value text NOT NULL CHECK (length(value) BETWEEN 1 AND 120),  -- a name as painted; a flag as ISO 3166-1 alpha-2
    valid tstzrange NOT NULL DEFAULT tstzrange(NULL, NULL) CHECK (NOT isempty(valid)),
    recorded tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
    source text NOT NULL DEFAULT 'registration',    -- who said so: registration, paper, accepted:FINDING
    FOREIGN KEY (asset_id, tenant) REFERENCES asset (asset_id, tenant),
    EXCLUDE USING gist (asset_id WITH =, kind WITH =, valid WITH &&) WHERE (upper_inf(recorded))
);

COMMENT ON TABLE designation IS 'Names and flags of an asset, dated twice: what it is called, but not addressed by';

ALTER TABLE designation ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY worker ON designation TO keelwing_worker USING (true) WITH CHECK (true);

CREATE POLICY internal ON designation TO keelwing_api, keelwing_view
    USING (tenant = scope_tenant() AND scope_internal()) WITH CHECK (tenant = scope_tenant() AND scope_internal());

CREATE POLICY lessee ON designation FOR SELECT TO keelwing_api, keelwing_view
    USING (tenant = scope_tenant() AND scope_party() IS NOT NULL AND EXISTS (
        SELECT FROM lease WHERE lease.asset_id = designation.asset_id AND lease.lessee_party_id = scope_party()
            AND upper_inf(lease.recorded) AND lease.valid && designation.valid));

GRANT SELECT, INSERT, UPDATE, DELETE ON designation TO keelwing_worker;

GRANT SELECT, INSERT, UPDATE (recorded) ON designation TO keelwing_api;

CREATE TRIGGER registry_changed AFTER INSERT OR UPDATE OR DELETE ON designation
    FOR EACH STATEMENT EXECUTE FUNCTION bump_registry_version();

-- Streams follow identifiers: within a period believe of each stream that touches the asset what the identifiers of its tenant say
-- now. Beliefs that say otherwise are closed, not erased; what they say of other times is kept. Every asset that gains or loses a
-- stretch is marked to be derived again from there, the asset itself in any case. Within a scope only that tenant's assets.
CREATE FUNCTION reattribute(about uuid, during tstzrange) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    owner text;
    changed bigint;
BEGIN
    SELECT tenant INTO owner FROM asset WHERE asset_id = about AND (scope_tenant() IS NULL OR tenant = scope_tenant());
    IF owner IS NULL THEN
        RETURN 0;
    END IF;
    WITH touched AS (
        SELECT stream_id FROM attribution
        WHERE asset_id = about AND tenant = owner AND upper_inf(recorded) AND valid && during
        UNION
        SELECT stream.stream_id FROM identifier JOIN stream USING (class, scheme, value)
        WHERE identifier.asset_id = about AND upper_inf(identifier.recorded) AND identifier.valid && during
    ), wanted AS (
        SELECT stream.stream_id, identifier.asset_id,
            CASE WHEN stream.tenant = '_' THEN identifier.valid * feed_grant.valid ELSE identifier.valid END * during AS valid
        FROM touched
        JOIN stream USING (stream_id)
        JOIN identifier USING (class, scheme, value)
        LEFT JOIN feed_grant ON stream.tenant = '_' AND stream.origin = 'feed:' || feed_grant.feed AND feed_grant.tenant = owner
        WHERE identifier.tenant = owner AND upper_inf(identifier.recorded)
            AND (stream.tenant = owner OR feed_grant.feed_grant_id IS NOT NULL)
    ), held AS (
        SELECT attribution_id, stream_id, asset_id, valid FROM attribution JOIN touched USING (stream_id)
        WHERE tenant = owner AND upper_inf(recorded) AND valid && during
    ), closed AS (
        UPDATE attribution SET recorded = tstzrange(lower(recorded), now())
        WHERE attribution_id IN (
            SELECT attribution_id FROM held WHERE NOT EXISTS (
                SELECT FROM wanted WHERE wanted.stream_id = held.stream_id AND wanted.asset_id = held.asset_id
                    AND wanted.valid = held.valid * during))
        RETURNING stream_id, asset_id, valid
    ), pieces AS (
        SELECT stream_id, asset_id, unnest(tstzmultirange(valid) - tstzmultirange(during)) AS valid FROM closed
        UNION ALL
        SELECT stream_id, asset_id, valid FROM wanted
        WHERE NOT isempty(valid) AND (SELECT count(*) FROM closed) >= 0 AND NOT EXISTS (
            SELECT FROM held WHERE wanted.stream_id = held.stream_id AND wanted.asset_id = held.asset_id
                AND wanted.valid = held.valid * during)
    ), added AS (
        INSERT INTO attribution (stream_id, asset_id, tenant, valid)
        SELECT stream_id, asset_id, owner, valid FROM pieces
        RETURNING stream_id, asset_id, valid
    ), moved AS (
        SELECT change.asset_id, greatest(lower(change.valid * during), min(reading_hour.first_time)) AS from_time
        FROM (SELECT * FROM closed UNION ALL SELECT * FROM added) AS change
        JOIN reading_hour USING (stream_id)
        WHERE change.valid * during @> reading_hour.last_time OR change.valid * during @> reading_hour.first_time
        GROUP BY change.asset_id, change.valid
        UNION ALL
        SELECT about, now()
    ), marked AS (
        INSERT INTO dirty (asset_id, shard, from_time, marked_at, commit_no)
        SELECT asset.asset_id, asset.shard, min(moved.from_time), clock_timestamp(),
            (SELECT coalesce(max(commit_no), 0) FROM commits)
        FROM moved JOIN asset USING (asset_id) GROUP BY asset.asset_id, asset.shard ORDER BY asset.asset_id
        ON CONFLICT (asset_id) DO UPDATE SET from_time = least(dirty.from_time, excluded.from_time),
            marked_at = excluded.marked_at
    )
    SELECT (SELECT count(*) FROM closed) + (SELECT count(*) FROM added) INTO changed;
    RETURN changed;
END
$$;

COMMENT ON FUNCTION reattribute(uuid, tstzrange) IS 'Let streams follow the identifiers of an asset in a period, and mark what is to be derived again';

CREATE POLICY gate ON asset TO keelwing_gate USING (true);

GRANT SELECT (asset_id, tenant, shard) ON asset TO keelwing_gate;

GRANT UPDATE (recorded) ON attribution TO keelwing_gate;

GRANT SELECT (stream_id, first_time, last_time) ON reading_hour TO keelwing_gate;

GRANT SELECT (commit_no) ON commits TO keelwing_gate;

GRANT SELECT, INSERT, UPDATE ON dirty TO keelwing_gate;

REVOKE EXECUTE ON FUNCTION reattribute(uuid, tstzrange) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION reattribute(uuid, tstzrange) TO keelwing_api, keelwing_worker;

GRANT CREATE ON SCHEMA public TO keelwing_gate;

ALTER FUNCTION reattribute(uuid, tstzrange) OWNER TO keelwing_gate;

REVOKE CREATE ON SCHEMA public FROM keelwing_gate;

CREATE INDEX installation_by_asset ON installation (asset_id);
