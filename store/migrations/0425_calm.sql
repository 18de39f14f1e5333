-- What is told of alerts and what is not: incidents, the decision about each change, and each tenant's week of models' warnings.
-- depends: 0370_daily_pass
CREATE TABLE incident (
    incident_id uuid NOT NULL,                      -- deterministic: of the earliest finding of warning or critical in it
    revision integer NOT NULL CHECK (revision > 0),
    tenant text NOT NULL,
    asset_id uuid,                                  -- NULL for rules about a feed or a region
    asset text NOT NULL,                            -- scheme:value, feed:NAME or region:ID
    severity text NOT NULL CHECK (severity IN ('warning', 'critical')),
    rules text[] NOT NULL,                          -- of its findings, sorted
    opened_at timestamptz NOT NULL,                 -- event time; of its earliest finding, those of info too
    closed_at timestamptz,                          -- NULL while one of its findings is open
    finding_ids text[] NOT NULL,                    -- in order of time
    retracted boolean NOT NULL DEFAULT false,       -- nothing serious is left of it, or it went into another
    merged_into uuid,                               -- that other
    commit_no bigint NOT NULL,                      -- known since
    superseded_by bigint,                           -- known until: the commit that wrote the next revision
    PRIMARY KEY (incident_id, revision)
);

COMMENT ON TABLE incident IS 'Findings of one asset that explain each other, every revision; told once';

CREATE UNIQUE INDEX incident_current ON incident (incident_id) WHERE superseded_by IS NULL;

CREATE INDEX incident_by_tenant ON incident (tenant, opened_at DESC, incident_id) WHERE superseded_by IS NULL;

CREATE INDEX incident_by_asset ON incident (asset_id, opened_at) WHERE superseded_by IS NULL;

CREATE INDEX incident_by_finding ON incident USING gin (finding_ids) WHERE superseded_by IS NULL;

ALTER TABLE alert ADD COLUMN incident_id uuid;

COMMENT ON COLUMN alert.incident_id IS 'the incident of its latest finding, as it stands now; NULL for alerts older than incidents';

CREATE INDEX alert_by_incident ON alert (incident_id);

GRANT UPDATE (incident_id) ON alert TO keelwing_api;

CREATE TABLE notice (
    notice_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant text NOT NULL,
    alert_id uuid NOT NULL,
    revision integer NOT NULL,                      -- of the alert
    asset_id uuid,
    asset text NOT NULL,
    finding_id text NOT NULL,                       -- that made the change
    incident_id uuid,                               -- of that finding, when it was decided
    rule text NOT NULL,
    severity text NOT NULL,
    kind text NOT NULL,                             -- what the change was: opened, updated, resolved, …
    verdict text NOT NULL CHECK (verdict IN ('told', 'same_incident', 'held', 'not_significant', 'over_budget', 'never_told',
        'released', 'let_go')),
    event_id text,                                  -- the event that left; NULL where none did
    hold_id text,                                   -- the finding that explains it, of a held one
    why jsonb NOT NULL DEFAULT '{}',                -- the reason and its numbers: p_value, p_week, level, test, left
    decided_at timestamptz NOT NULL,                -- wall time
    commit_no bigint NOT NULL,
    superseded_by bigint,                           -- of one that waited (held, over_budget): the commit that decided anew
    UNIQUE (alert_id, revision, verdict)
);

COMMENT ON TABLE notice IS 'What was decided about telling of each change of an alert, and why';

CREATE INDEX notice_by_alert ON notice (alert_id, notice_id);

CREATE INDEX notice_by_finding ON notice (finding_id);

CREATE INDEX notice_by_hold ON notice (hold_id) WHERE hold_id IS NOT NULL;

CREATE INDEX notice_by_tenant ON notice (tenant, decided_at DESC, notice_id DESC);

CREATE INDEX notice_waiting ON notice (tenant, verdict) WHERE superseded_by IS NULL AND verdict IN ('held', 'over_budget');

CREATE TABLE alert_budget (
    tenant text NOT NULL REFERENCES tenant,
    week timestamptz NOT NULL,                      -- wall time: the Monday 00:00 UTC it begins
    assets integer NOT NULL,                        -- counted at its first decision
    rate double precision NOT NULL,                 -- warnings per asset and month
    allowance double precision NOT NULL,            -- warnings of models that may be told in the week
    carried double precision NOT NULL DEFAULT 0,    -- what was left of the week before
    told integer NOT NULL DEFAULT 0,
    held_back integer NOT NULL DEFAULT 0,           -- decided not to be told when they came
    tests integer NOT NULL DEFAULT 0,               -- of the online procedure
    rejections integer[] NOT NULL DEFAULT '{}',     -- numbers of the tests that passed
    PRIMARY KEY (tenant, week)
);

COMMENT ON TABLE alert_budget IS 'Warnings of models by tenant and week: what may be told, was told and was held back';

GRANT SELECT, INSERT, UPDATE, DELETE ON incident, notice, alert_budget TO keelwing_worker;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['incident', 'notice', 'alert_budget'] LOOP
        EXECUTE 'ALTER TABLE ' || quote_ident(name) || ' ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY';
        EXECUTE 'CREATE POLICY worker ON ' || quote_ident(name) || ' TO keelwing_worker USING (true) WITH CHECK (true)';
        EXECUTE 'CREATE POLICY internal ON ' || quote_ident(name) || ' TO keelwing_api'
            || ' USING (tenant = scope_tenant() AND scope_internal()) WITH CHECK (tenant = scope_tenant() AND scope_internal())';
    END LOOP;
END
$$;

GRANT SELECT ON incident, notice, alert_budget TO keelwing_api;

GRANT INSERT ON notice TO keelwing_api;

GRANT UPDATE (superseded_by) ON notice TO keelwing_api;
