-- What the air said of who an asset is, gathered: each stretch of a stream's static reports that say the same.
-- depends: 0355_identity
CREATE TABLE identity_run (
    stream_id bigint NOT NULL,
    first_time timestamptz NOT NULL,                -- event time of its first report
    second_time timestamptz,                        -- of its second; NULL while there is one alone
    last_time timestamptz NOT NULL,                 -- of its last so far
    source text NOT NULL,                           -- of the first: ais_terrestrial, adsb …
    identity jsonb NOT NULL,                        -- name, call_sign, flag, imo, mmsi, registration, icao24, as far as said
    commit_no bigint NOT NULL,                      -- of the last change
    PRIMARY KEY (stream_id, first_time)
);

COMMENT ON TABLE identity_run IS 'Stretches of static reports of a stream that say the same of who the asset is';

GRANT SELECT, INSERT, UPDATE, DELETE ON identity_run TO keelwing_worker;

-- What was reported before this table was there.
INSERT INTO identity_run (stream_id, first_time, second_time, last_time, source, identity, commit_no)
WITH said AS (
    SELECT stream_id, time, source, commit_no, coalesce((
            SELECT jsonb_object_agg(key, value) FROM jsonb_each(particulars)
            WHERE key IN ('name', 'call_sign', 'flag', 'imo', 'mmsi', 'registration', 'icao24')), '{}') AS identity
    FROM static_report
), told AS (
    SELECT said.*, lag(identity) OVER stream IS DISTINCT FROM identity AS begins FROM said
    WINDOW stream AS (PARTITION BY stream_id ORDER BY time, source, identity)
), numbered AS (
    SELECT told.*, count(*) FILTER (WHERE begins) OVER (PARTITION BY stream_id ORDER BY time, source, identity) AS run FROM told
)
SELECT stream_id, min(time), (array_agg(time ORDER BY time))[2], max(time), (array_agg(source ORDER BY time))[1],
    (array_agg(identity))[1], max(commit_no)
FROM numbered GROUP BY stream_id, run
ON CONFLICT DO NOTHING;
