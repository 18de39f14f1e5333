-- Who was where: the hours of many assets beside an area, and the fixes that decide. Every block runs inside a scope.

-- name: hours
-- What the rollups hold of assets in a period, an hour of a stream a row; the box of its positions where its spread is made.
SELECT said.asset_id, said.first_time, said.last_time,
    (spread.fields -> 'lat_deg' ->> 1)::float8 AS south_deg, (spread.fields -> 'lat_deg' ->> 2)::float8 AS north_deg,
    (spread.fields -> 'lon_deg' ->> 1)::float8 AS west_deg, (spread.fields -> 'lon_deg' ->> 2)::float8 AS east_deg
FROM asset_reading_hour AS said
LEFT JOIN asset_reading_hour_spread AS spread
    ON spread.asset_id = said.asset_id AND spread.stream_id = said.stream_id AND spread.hour = said.hour
WHERE said.asset_id = ANY (%(assets)s) AND said.position_count > 0
    AND said.hour >= date_trunc('hour', %(from)s::timestamptz, 'UTC') AND said.hour < %(to)s::timestamptz;

-- name: fixes
-- An asset's fixes in some stretches, in order.
SELECT fix.time, fix.lat_deg, fix.lon_deg
FROM unnest(%(from)s::timestamptz[], %(to)s::timestamptz[]) AS stretch (from_time, to_time)
CROSS JOIN LATERAL (
    SELECT r.time, r.lat_deg, r.lon_deg FROM {view} AS r
    WHERE r.asset_id = %(asset)s AND r.time >= stretch.from_time AND r.time <= stretch.to_time AND r.lat_deg IS NOT NULL) AS fix
ORDER BY fix.time
LIMIT %(limit)s;

-- name: ends
-- An asset's last fix at or before, and first fix at or after, the ends of some silences.
SELECT silence.n, last.time AS before_time, last.lat_deg AS before_lat_deg, last.lon_deg AS before_lon_deg,
    next.time AS after_time, next.lat_deg AS after_lat_deg, next.lon_deg AS after_lon_deg
FROM unnest(%(from)s::timestamptz[], %(to)s::timestamptz[]) WITH ORDINALITY AS silence (from_time, to_time, n)
LEFT JOIN LATERAL (
    SELECT r.time, r.lat_deg, r.lon_deg FROM {view} AS r
    WHERE r.asset_id = %(asset)s AND r.lat_deg IS NOT NULL AND r.time <= silence.from_time
        AND r.time > silence.from_time - %(lookback)s::interval
    ORDER BY r.time DESC LIMIT 1) AS last ON true
LEFT JOIN LATERAL (
    SELECT r.time, r.lat_deg, r.lon_deg FROM {view} AS r
    WHERE r.asset_id = %(asset)s AND r.lat_deg IS NOT NULL AND r.time >= silence.to_time
        AND r.time < silence.to_time + %(lookback)s::interval
    ORDER BY r.time LIMIT 1) AS next ON true
ORDER BY silence.n;
