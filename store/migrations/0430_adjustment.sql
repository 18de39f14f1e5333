-- Why an alert was dismissed, in a word of a closed set, and what that did to the thresholds of the asset.
-- depends: 0425_calm
ALTER TABLE alert_revision ADD COLUMN reason_kind text
    CHECK (reason_kind IN ('false_alarm', 'expected', 'dealt_with', 'not_relevant', 'other'));

COMMENT ON COLUMN alert_revision.reason_kind IS 'of a dismissal: why, in a word; NULL where none was given';

CREATE TABLE adjustment (
    adjustment_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant text NOT NULL REFERENCES tenant,
    asset_id uuid NOT NULL,
    rule text NOT NULL,
    name text NOT NULL,                             -- the rule's setting
    base double precision NOT NULL,                 -- what it would be without
    value double precision NOT NULL,                -- what it is for this asset
    at_bound boolean NOT NULL DEFAULT false,        -- no further dismissal widens it
    alert_id uuid NOT NULL REFERENCES alert,        -- whose dismissal did it
    finding_id text NOT NULL,
    reason text,
    actor text NOT NULL,
    valid tstzrange NOT NULL CHECK (NOT isempty(valid)),            -- event time: from the dismissed finding on
    recorded tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),     -- closed when it is withdrawn
    withdrawn_by text,
    withdrawn_reason text,
    FOREIGN KEY (asset_id, tenant) REFERENCES asset (asset_id, tenant)
);

COMMENT ON TABLE adjustment IS 'Thresholds of single assets that dismissals have widened; never edited, withdrawn at most';

CREATE INDEX adjustment_by_asset ON adjustment (asset_id, rule, name, adjustment_id);

CREATE INDEX adjustment_by_tenant ON adjustment (tenant, adjustment_id DESC);

CREATE TRIGGER registry_changed AFTER INSERT OR UPDATE OR DELETE ON adjustment
    FOR EACH STATEMENT EXECUTE FUNCTION bump_registry_version();

GRANT SELECT, INSERT, UPDATE, DELETE ON adjustment TO keelwing_worker;

ALTER TABLE adjustment ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY worker ON adjustment TO keelwing_worker USING (true) WITH CHECK (true);

CREATE POLICY internal ON adjustment TO keelwing_api
    USING (tenant = scope_tenant() AND scope_internal()) WITH CHECK (tenant = scope_tenant() AND scope_internal());

GRANT SELECT, INSERT, UPDATE (recorded, withdrawn_by, withdrawn_reason) ON adjustment TO keelwing_api;

-- An asset is to be derived again from an instant on, but no further back than the horizon before its newest reading: rules are not
-- judged again beyond it. Within a scope only that tenant's assets.
CREATE FUNCTION derive_again(about uuid, since timestamptz, horizon interval) RETURNS timestamptz
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO dirty (asset_id, shard, from_time, marked_at, commit_no)
    SELECT asset.asset_id, asset.shard, greatest(since, heard.last - horizon), clock_timestamp(),
        (SELECT coalesce(max(commit_no), 0) FROM commits)
    FROM asset, (
        SELECT max(latest.time) AS last FROM attribution JOIN stream_latest AS latest USING (stream_id)
        WHERE attribution.asset_id = about AND upper_inf(attribution.recorded) AND attribution.valid @> latest.time
    ) AS heard
    WHERE asset.asset_id = about AND (scope_tenant() IS NULL OR asset.tenant = scope_tenant())
    ON CONFLICT (asset_id) DO UPDATE SET from_time = least(dirty.from_time, excluded.from_time), marked_at = excluded.marked_at
    RETURNING from_time
$$;

COMMENT ON FUNCTION derive_again(uuid, timestamptz, interval) IS 'Mark an asset to be derived again, within the horizon';

GRANT SELECT (stream_id, time) ON stream_latest TO keelwing_gate;

REVOKE EXECUTE ON FUNCTION derive_again(uuid, timestamptz, interval) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION derive_again(uuid, timestamptz, interval) TO keelwing_api, keelwing_worker;

GRANT CREATE ON SCHEMA public TO keelwing_gate;

ALTER FUNCTION derive_again(uuid, timestamptz, interval) OWNER TO keelwing_gate;

REVOKE CREATE ON SCHEMA public FROM keelwing_gate;
