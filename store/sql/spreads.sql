-- name: take
-- The oldest marks of hours that are over, made a while ago, taken away first: who marks one of them again waits for this
-- transaction, and whoever marked one and is not committed keeps it. As many as hold `readings_max` readings, one at least.
WITH due AS (
    SELECT stream_id, hour FROM hour_pending
    WHERE hour < now() - %(open_s)s * interval '1 second' AND marked_at <= now() - %(quiet_s)s * interval '1 second'
    ORDER BY hour, stream_id LIMIT %(hours_max)s FOR UPDATE SKIP LOCKED
), counted AS (
    SELECT due.stream_id, due.hour, stream.class, sum(coalesce(held.count, 0)) OVER oldest_first AS so_far,
        row_number() OVER oldest_first AS n
    FROM due JOIN stream USING (stream_id)
    LEFT JOIN reading_hour AS held ON held.stream_id = due.stream_id AND held.hour = due.hour
    WINDOW oldest_first AS (ORDER BY due.hour, due.stream_id)
)
DELETE FROM hour_pending AS mark USING counted
WHERE mark.stream_id = counted.stream_id AND mark.hour = counted.hour AND (so_far <= %(readings_max)s OR n = 1)
RETURNING mark.stream_id, mark.hour, counted.class;

-- name: close
-- Make the spreads of hours of one class from their readings, hour by hour through the key.
INSERT INTO reading_hour_spread AS held (stream_id, hour, count, fields, channels)
SELECT wanted.stream_id, wanted.hour, spanned.count, spanned.fields, coalesce(sensed.channels, '{{}}')
FROM unnest(%(stream_ids)s::bigint[], %(hours)s::timestamptz[]) AS wanted (stream_id, hour)
CROSS JOIN LATERAL (
    SELECT count(*) AS count, jsonb_strip_nulls(jsonb_build_object({fields})) AS fields
    FROM {table} AS r
    WHERE r.stream_id = wanted.stream_id AND r.time >= wanted.hour AND r.time < wanted.hour + interval '1 hour') AS spanned
CROSS JOIN LATERAL (
    SELECT jsonb_object_agg(name, jsonb_build_array(count, low, high, total)) AS channels
    FROM (
        SELECT sensor.name, count(*) AS count, min(sensor.value::float8) AS low, max(sensor.value::float8) AS high,
            sum(sensor.value::float8) AS total
        FROM {table} AS r CROSS JOIN LATERAL jsonb_each_text(r.channels) AS sensor (name, value)
        WHERE r.stream_id = wanted.stream_id AND r.time >= wanted.hour AND r.time < wanted.hour + interval '1 hour'
            AND r.channels IS NOT NULL
        GROUP BY sensor.name) AS one) AS sensed
WHERE spanned.count > 0
ORDER BY wanted.hour, wanted.stream_id
ON CONFLICT (stream_id, hour) DO UPDATE SET count = excluded.count, fields = excluded.fields, channels = excluded.channels;
