-- What the use machines count beside what 0320 holds: distance, observed time, cycles and the mix of sources of each fact; the
-- activity that is not closed yet; and what late readings beyond the horizon are derived again from.
-- depends: 0330_money
ALTER TABLE journey
    ADD COLUMN distance_m double precision NOT NULL DEFAULT 0,
    ADD COLUMN observed_s double precision NOT NULL DEFAULT 0,
    ADD COLUMN cycles integer NOT NULL DEFAULT 0,
    ADD COLUMN sources jsonb NOT NULL DEFAULT '{}';

COMMENT ON COLUMN journey.cycles IS 'flight cycles; 0 while it lasts';

COMMENT ON COLUMN journey.sources IS 'observed seconds by source of the readings';

CREATE UNIQUE INDEX journey_once ON journey (asset_id, kind, started_at) WHERE superseded_by IS NULL AND NOT retracted;

CREATE INDEX journey_by_asset_ended ON journey (asset_id, ended_at) WHERE superseded_by IS NULL;

ALTER TABLE activity ADD COLUMN sources jsonb NOT NULL DEFAULT '{}';

COMMENT ON COLUMN activity.sources IS 'observed seconds by source of the readings';

ALTER TABLE use_day
    ADD COLUMN state_m jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN method text NOT NULL DEFAULT '';

COMMENT ON COLUMN use_day.state_m IS 'metres in each operating state';

COMMENT ON COLUMN use_day.sources IS 'observed seconds by source of the readings';

-- The activity under way is no fact yet: it is cut at the next change or midnight. What is asked for until now reads it here.
CREATE TABLE use_tail (
    asset_id uuid PRIMARY KEY,
    tenant text NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,                  -- of the last reading taken in, or somewhat before it
    state text NOT NULL,
    distance_m double precision NOT NULL,
    observed_s double precision NOT NULL,
    loading text,
    place text,
    method text NOT NULL,
    figures jsonb NOT NULL,
    sources jsonb NOT NULL,
    commit_no bigint NOT NULL
);

COMMENT ON TABLE use_tail IS 'The activity of each asset that is not closed yet, as of a minute ago; replaced, never kept';

CREATE TABLE use_checkpoint (
    asset_id uuid NOT NULL,
    at timestamptz NOT NULL,                        -- the machine had taken in everything before it and nothing from it on
    version integer NOT NULL,                       -- of the machine
    state bytea NOT NULL,                           -- plain numbers in MessagePack
    commit_no bigint NOT NULL,
    PRIMARY KEY (asset_id, at)
);

COMMENT ON TABLE use_checkpoint IS 'A use machine''s memory at the start of a week, kept for as long as readings are';

CREATE TABLE use_dirty (
    asset_id uuid PRIMARY KEY,
    shard smallint NOT NULL,
    from_time timestamptz NOT NULL,                 -- event time of the earliest reading that came beyond the horizon
    marked_at timestamptz NOT NULL,                 -- wall time of the last mark
    commit_no bigint NOT NULL
);

COMMENT ON TABLE use_dirty IS 'Assets whose use alone must be derived again, because readings came later than rules are judged again';

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['use_tail', 'use_checkpoint', 'use_dirty'] LOOP
        EXECUTE 'ALTER TABLE ' || quote_ident(name) || ' ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY';
        EXECUTE 'CREATE POLICY worker ON ' || quote_ident(name) || ' TO keelwing_worker USING (true) WITH CHECK (true)';
        EXECUTE 'GRANT SELECT, INSERT, UPDATE, DELETE ON ' || quote_ident(name) || ' TO keelwing_worker';
    END LOOP;
END
$$;

CREATE POLICY internal ON use_tail FOR SELECT TO keelwing_api, keelwing_view
    USING (tenant = scope_tenant() AND scope_internal());

-- A lessee sees what lies wholly inside its tenure, as of activity.
CREATE POLICY lessee ON use_tail FOR SELECT TO keelwing_api, keelwing_view
    USING (tenant = scope_tenant() AND scope_party() IS NOT NULL AND EXISTS (
        SELECT FROM lease WHERE lease.asset_id = use_tail.asset_id AND lease.lessee_party_id = scope_party()
            AND upper_inf(lease.recorded) AND lease.valid @> tstzrange(use_tail.started_at, use_tail.ended_at, '[]')));

GRANT SELECT ON use_tail TO keelwing_api;
