-- The daily pass of the calendar rules: which day was judged, and as known when. Restatements are found by their commit.
-- depends: 0330_money
CREATE TABLE daily_pass (
    daily_pass_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant text NOT NULL REFERENCES tenant,
    day date NOT NULL,                              -- UTC; the day that was judged
    known_at timestamptz NOT NULL,                  -- what was recorded and committed until then was known to it
    assets integer NOT NULL,                        -- judged
    conditions integer NOT NULL,                    -- true on that day
    written integer NOT NULL,                       -- revisions of findings; 0 where nothing had changed
    actor text NOT NULL DEFAULT 'keelwing'
);

COMMENT ON TABLE daily_pass IS 'When the calendar rules were judged for which day; append-only';

CREATE INDEX daily_pass_by_day ON daily_pass (tenant, day, daily_pass_id);

CREATE INDEX finding_open_by_rule ON finding (asset_id, rule) WHERE superseded_by IS NULL AND closed_at IS NULL AND NOT retracted;

CREATE INDEX alert_revision_by_time ON alert_revision (tenant, changed_at);

ALTER TABLE daily_pass ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY worker ON daily_pass TO keelwing_worker USING (true) WITH CHECK (true);

CREATE POLICY internal ON daily_pass FOR SELECT TO keelwing_api USING (tenant = scope_tenant() AND scope_internal());

GRANT SELECT, INSERT ON daily_pass TO keelwing_worker;

GRANT SELECT ON daily_pass TO keelwing_api;
