-- Who was where: the hours of many assets beside an area, and the fixes that decide. Every block runs inside a scope.

-- name: silences
-- Stretches of a gap or longer between two hours with positions in which no stream of an asset was heard, and its first and last.
WITH heard AS (
    SELECT asset_id, first_time, last_time, max(last_time) OVER (
            PARTITION BY asset_id ORDER BY first_time, last_time ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS until_time
    FROM asset_reading_hour
    WHERE asset_id = ANY (%(assets)s) AND position_count > 0 AND hour >= %(from)s::timestamptz - interval '1 hour'
        AND hour < %(to)s::timestamptz
)
SELECT asset_id, until_time AS from_time, first_time AS to_time FROM heard WHERE first_time - until_time >= %(gap)s::interval
UNION ALL
SELECT asset_id, NULL, min(first_time) FROM heard GROUP BY asset_id
UNION ALL
SELECT asset_id, max(last_time), NULL FROM heard GROUP BY asset_id
ORDER BY asset_id, from_time NULLS FIRST;

-- name: boxes
-- Hours whose box of positions touches another box (degrees; west > east over 180).
SELECT asset_id, hour, (fields -> 'lat_deg' ->> 1)::float8 AS south_deg, (fields -> 'lat_deg' ->> 2)::float8 AS north_deg,
    (fields -> 'lon_deg' ->> 1)::float8 AS west_deg, (fields -> 'lon_deg' ->> 2)::float8 AS east_deg
FROM asset_reading_hour_spread
WHERE asset_id = ANY (%(assets)s) AND hour >= date_trunc('hour', %(from)s::timestamptz, 'UTC') AND hour < %(to)s::timestamptz
    AND (fields -> 'lat_deg' ->> 1)::float8 <= %(north)s AND (fields -> 'lat_deg' ->> 2)::float8 >= %(south)s
    AND CASE WHEN %(west)s::float8 <= %(east)s::float8
        THEN (fields -> 'lon_deg' ->> 1)::float8 <= %(east)s AND (fields -> 'lon_deg' ->> 2)::float8 >= %(west)s
        ELSE (fields -> 'lon_deg' ->> 1)::float8 <= %(east)s OR (fields -> 'lon_deg' ->> 2)::float8 >= %(west)s END;

-- name: unclosed
-- Hours with positions of which no box is made.
SELECT DISTINCT asset_id, hour
FROM (
    SELECT asset_id, stream_id, hour FROM asset_reading_hour
    WHERE asset_id = ANY (%(assets)s) AND position_count > 0 AND hour >= date_trunc('hour', %(from)s::timestamptz, 'UTC')
        AND hour < %(to)s::timestamptz
    EXCEPT
    SELECT asset_id, stream_id, hour FROM asset_reading_hour_spread
    WHERE asset_id = ANY (%(assets)s) AND hour >= date_trunc('hour', %(from)s::timestamptz, 'UTC') AND hour < %(to)s::timestamptz
) AS missing;

-- name: fixes
-- Assets' fixes in some stretches, in order: those within a box (degrees; west > east over 180), and the ones beside them. Each
-- stretch is read through the key by itself (OFFSET 0): joined as a whole it would be the whole log for each of them.
SELECT asset_id, time, lat_deg, lon_deg
FROM (
    SELECT said.*, lag(within) OVER asset AS within_before, lead(within) OVER asset AS within_after
    FROM (
        SELECT stretch.asset_id, fix.*, fix.lat_deg BETWEEN %(south)s AND %(north)s AND CASE
            WHEN %(west)s::float8 <= %(east)s::float8 THEN fix.lon_deg BETWEEN %(west)s AND %(east)s
            ELSE fix.lon_deg >= %(west)s OR fix.lon_deg <= %(east)s END AS within
        FROM unnest(%(assets)s::uuid[], %(from)s::timestamptz[], %(to)s::timestamptz[]) AS stretch (asset_id, from_time, to_time)
        CROSS JOIN LATERAL (
            SELECT r.time, r.lat_deg, r.lon_deg FROM {view} AS r
            WHERE r.asset_id = stretch.asset_id AND r.time >= stretch.from_time AND r.time < stretch.to_time
                AND r.lat_deg IS NOT NULL
            OFFSET 0) AS fix) AS said
    WINDOW asset AS (PARTITION BY asset_id ORDER BY time)) AS told
WHERE within OR within_before OR within_after
ORDER BY asset_id, time
LIMIT %(limit)s;

-- name: ends
-- Of some silences the last fix of the hour before and the first of the hour after; NULL where that end is open.
SELECT silence.n, last.time AS before_time, last.lat_deg AS before_lat_deg, last.lon_deg AS before_lon_deg,
    next.time AS after_time, next.lat_deg AS after_lat_deg, next.lon_deg AS after_lon_deg
FROM unnest(%(assets)s::uuid[], %(from)s::timestamptz[], %(to)s::timestamptz[]) WITH ORDINALITY
    AS silence (asset_id, from_time, to_time, n)
LEFT JOIN LATERAL (
    SELECT r.time, r.lat_deg, r.lon_deg FROM {view} AS r
    WHERE r.asset_id = silence.asset_id AND r.lat_deg IS NOT NULL AND r.time <= silence.from_time
        AND r.time >= silence.from_time - interval '1 hour'
    ORDER BY r.time DESC LIMIT 1) AS last ON true
LEFT JOIN LATERAL (
    SELECT r.time, r.lat_deg, r.lon_deg FROM {view} AS r
    WHERE r.asset_id = silence.asset_id AND r.lat_deg IS NOT NULL AND r.time >= silence.to_time
        AND r.time <= silence.to_time + interval '1 hour'
    ORDER BY r.time LIMIT 1) AS next ON true
ORDER BY silence.n;
