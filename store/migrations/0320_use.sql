-- How assets were used: journeys, what they were doing, and the sums of each day. Written with the readings' commit; late readings
-- write new revisions. A row is current until the commit in `superseded_by`.
-- depends: 0310_areas
CREATE TABLE journey (
    journey_id text NOT NULL,                       -- deterministic: the same journey derived again keeps it
    revision integer NOT NULL CHECK (revision > 0),
    tenant text NOT NULL,
    asset_id uuid NOT NULL,
    asset text NOT NULL,                            -- scheme:value as the readings named it
    kind text NOT NULL CHECK (kind IN ('flight', 'port_call', 'voyage', 'run')),
    started_at timestamptz NOT NULL,                -- OFF, arrival or departure
    ended_at timestamptz,                           -- NULL while it lasts
    from_place text,                                -- ICAO or port id
    to_place text,
    quality text,                                   -- midpoint, extrapolated, inferred_gap, ambiguous …
    confidence smallint,                            -- of a port call, 1 to 4
    coverage double precision,                      -- observed time by time, 0 to 1
    method text NOT NULL,
    figures jsonb NOT NULL DEFAULT '{}',            -- distance_m, block_s, draughts, cargo … unit last
    retracted boolean NOT NULL DEFAULT false,
    commit_no bigint NOT NULL,                      -- known since
    superseded_by bigint,                           -- known until
    PRIMARY KEY (journey_id, revision)
);

COMMENT ON TABLE journey IS 'Flights, port calls and voyages, every revision; the current one is not superseded';

CREATE UNIQUE INDEX journey_current ON journey (journey_id) WHERE superseded_by IS NULL;

CREATE INDEX journey_by_asset ON journey (asset_id, started_at) WHERE superseded_by IS NULL;

CREATE TABLE activity (
    activity_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant text NOT NULL,
    asset_id uuid NOT NULL,
    state text NOT NULL,                            -- operating state of the class; `unknown` is one
    started_at timestamptz NOT NULL,
    ended_at timestamptz,                           -- NULL for the one that lasts
    distance_m double precision NOT NULL DEFAULT 0,
    observed_s double precision NOT NULL DEFAULT 0,  -- of its time, how much was observed
    loading text,                                   -- laden, partial, ballast (ships)
    place text,                                     -- port or airport it was at
    method text NOT NULL,
    figures jsonb NOT NULL DEFAULT '{}',
    commit_no bigint NOT NULL,
    superseded_by bigint
);

COMMENT ON TABLE activity IS 'What an asset was doing, without holes: the current rows of an asset cover the calendar';

CREATE UNIQUE INDEX activity_current ON activity (asset_id, started_at) WHERE superseded_by IS NULL;

CREATE TABLE use_day (
    tenant text NOT NULL,
    asset_id uuid NOT NULL,
    day date NOT NULL,                              -- UTC
    state_s jsonb NOT NULL,                         -- seconds in each operating state; they add up to the day
    distance_m double precision NOT NULL DEFAULT 0,
    laden_m double precision NOT NULL DEFAULT 0,
    ballast_m double precision NOT NULL DEFAULT 0,
    flight_s double precision NOT NULL DEFAULT 0,   -- airborne within the day
    cycles integer NOT NULL DEFAULT 0,              -- landings within the day
    observed_s double precision NOT NULL DEFAULT 0,
    sources jsonb NOT NULL DEFAULT '{}',            -- readings by source
    figures jsonb NOT NULL DEFAULT '{}',
    commit_no bigint NOT NULL,
    superseded_by bigint,
    PRIMARY KEY (asset_id, day, commit_no)
);

COMMENT ON TABLE use_day IS 'Sums of an asset''s use by UTC day, every revision';

CREATE UNIQUE INDEX use_day_current ON use_day (asset_id, day) WHERE superseded_by IS NULL;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['journey', 'activity', 'use_day'] LOOP
        EXECUTE 'ALTER TABLE ' || quote_ident(name) || ' ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY';
        EXECUTE 'CREATE POLICY worker ON ' || quote_ident(name) || ' TO keelwing_worker USING (true) WITH CHECK (true)';
        EXECUTE 'CREATE POLICY internal ON ' || quote_ident(name) || ' TO keelwing_api, keelwing_view'
            || ' USING (tenant = scope_tenant() AND scope_internal()) WITH CHECK (tenant = scope_tenant() AND scope_internal())';
        EXECUTE 'GRANT SELECT, INSERT, UPDATE, DELETE ON ' || quote_ident(name) || ' TO keelwing_worker';
        EXECUTE 'GRANT SELECT ON ' || quote_ident(name) || ' TO keelwing_api';
    END LOOP;
END
$$;

-- A lessee sees use that lies wholly inside its tenure.
CREATE POLICY lessee ON journey FOR SELECT TO keelwing_api, keelwing_view
    USING (tenant = scope_tenant() AND scope_party() IS NOT NULL AND EXISTS (
        SELECT FROM lease WHERE lease.asset_id = journey.asset_id AND lease.lessee_party_id = scope_party()
            AND upper_inf(lease.recorded) AND lease.valid @> tstzrange(journey.started_at, coalesce(journey.ended_at, journey.started_at), '[]')));

CREATE POLICY lessee ON activity FOR SELECT TO keelwing_api, keelwing_view
    USING (tenant = scope_tenant() AND scope_party() IS NOT NULL AND EXISTS (
        SELECT FROM lease WHERE lease.asset_id = activity.asset_id AND lease.lessee_party_id = scope_party()
            AND upper_inf(lease.recorded) AND lease.valid @> tstzrange(activity.started_at, coalesce(activity.ended_at, activity.started_at), '[]')));

CREATE POLICY lessee ON use_day FOR SELECT TO keelwing_api, keelwing_view
    USING (tenant = scope_tenant() AND scope_party() IS NOT NULL AND EXISTS (
        SELECT FROM lease WHERE lease.asset_id = use_day.asset_id AND lease.lessee_party_id = scope_party()
            AND upper_inf(lease.recorded)
            AND lease.valid @> tstzrange(use_day.day::timestamp AT TIME ZONE 'UTC', (use_day.day + 1)::timestamp AT TIME ZONE 'UTC')));
