-- Stretches of static reports that say the same of who an asset is.

-- name: last
-- The newest stretch of each stream.
SELECT DISTINCT ON (stream_id) stream_id, first_time, second_time, last_time, source, identity
FROM identity_run WHERE stream_id = ANY (%(stream_ids)s::bigint[])
ORDER BY stream_id, first_time DESC;

-- name: extend
-- New stretches, and old ones that go on.
INSERT INTO identity_run (stream_id, first_time, second_time, last_time, source, identity, commit_no)
SELECT * FROM unnest(%(stream_id)s::bigint[], %(first)s::timestamptz[], %(second)s::timestamptz[], %(last)s::timestamptz[],
    %(source)s::text[], %(identity)s::jsonb[], %(commit_no)s::bigint[])
ON CONFLICT (stream_id, first_time) DO UPDATE SET second_time = excluded.second_time, last_time = excluded.last_time,
    commit_no = excluded.commit_no;

-- name: of_assets
-- What was said of each asset by the streams that speak of it, as far as they do; of each the newest stretches.
SELECT asset_id, class, scheme, value, first_time, second_time, last_time, source, identity
FROM (
    SELECT attribution.asset_id::text, stream.class, stream.scheme, stream.value,
        greatest(run.first_time, lower(attribution.valid)) AS first_time,
        CASE WHEN attribution.valid @> run.second_time THEN run.second_time END AS second_time,
        CASE WHEN attribution.valid @> run.last_time THEN run.last_time
            ELSE upper(attribution.valid) - interval '1 microsecond' END AS last_time,
        run.source, run.identity, stream.origin,
        row_number() OVER (PARTITION BY attribution.asset_id ORDER BY run.first_time DESC, stream.stream_id) AS place
    FROM attribution JOIN stream USING (stream_id) JOIN identity_run AS run USING (stream_id)
    WHERE attribution.asset_id = ANY (%(asset_ids)s::uuid[]) AND upper_inf(attribution.recorded)
        AND attribution.valid && tstzrange(run.first_time, run.last_time, '[]')) AS said
WHERE place <= %(runs_max)s
ORDER BY asset_id, first_time, scheme, value, origin;
