-- name: is_untouched
-- Whether nothing was ever committed.
SELECT NOT EXISTS (SELECT FROM commits) AS untouched;

-- name: number
-- Commits of the past, and the shards' counters behind them.
WITH numbered AS (
    SELECT n, at FROM unnest(%(months)s::timestamptz[]) WITH ORDINALITY AS month (at, n)
), made AS (
    INSERT INTO commits (commit_no, shard, epoch, n, committed_at)
    SELECT numbered.n * 64 + shard, shard, 0, numbered.n, at FROM numbered CROSS JOIN shard_owner ORDER BY numbered.n, shard
    RETURNING n
)
UPDATE shard_owner SET n = (SELECT max(n) FROM made);

-- name: end_identifier
-- Another value of a scheme until an instant, from which on the present value is borne.
WITH present AS (
    UPDATE identifier SET valid = tstzrange(%(until)s, NULL)
    WHERE asset_id = %(asset_id)s AND scheme = %(scheme)s AND upper_inf(recorded)
    RETURNING tenant, class
)
INSERT INTO identifier (asset_id, tenant, class, scheme, value, valid, source)
SELECT %(asset_id)s, tenant, class, %(scheme)s, %(value)s, tstzrange(NULL, %(until)s), 'demo' FROM present;

-- name: hours_vessel
-- Hourly rollups of ships.
INSERT INTO reading_hour (stream_id, hour, count, position_count, first_time, last_time, speed_count, speed_min_kn, speed_max_kn,
    speed_sum_ukn)
SELECT stream_id, date_trunc('hour', time, 'UTC') AS since, count(*), count(lat_deg), min(time), max(time), count(sog_kn),
    min(sog_kn), max(sog_kn), coalesce(sum(round(sog_kn * 1000000)::bigint), 0)::bigint
FROM reading_vessel GROUP BY stream_id, since ORDER BY since, stream_id;

-- name: days_vessel
-- Daily rollups of ships.
INSERT INTO reading_day (stream_id, day, count, position_count, first_time, last_time, speed_count, speed_min_kn, speed_max_kn,
    speed_sum_ukn)
SELECT stream_id, date_trunc('day', time, 'UTC') AS since, count(*), count(lat_deg), min(time), max(time), count(sog_kn),
    min(sog_kn), max(sog_kn), coalesce(sum(round(sog_kn * 1000000)::bigint), 0)::bigint
FROM reading_vessel GROUP BY stream_id, since ORDER BY since, stream_id;

-- name: hours_aircraft
-- Hourly rollups of aircraft.
INSERT INTO reading_hour (stream_id, hour, count, position_count, first_time, last_time, speed_count, speed_min_kn, speed_max_kn,
    speed_sum_ukn)
SELECT stream_id, date_trunc('hour', time, 'UTC') AS since, count(*), count(lat_deg), min(time), max(time), count(gs_kn),
    min(gs_kn), max(gs_kn), coalesce(sum(round(gs_kn * 1000000)::bigint), 0)::bigint
FROM reading_aircraft GROUP BY stream_id, since ORDER BY since, stream_id;

-- name: days_aircraft
-- Daily rollups of aircraft.
INSERT INTO reading_day (stream_id, day, count, position_count, first_time, last_time, speed_count, speed_min_kn, speed_max_kn,
    speed_sum_ukn)
SELECT stream_id, date_trunc('day', time, 'UTC') AS since, count(*), count(lat_deg), min(time), max(time), count(gs_kn),
    min(gs_kn), max(gs_kn), coalesce(sum(round(gs_kn * 1000000)::bigint), 0)::bigint
FROM reading_aircraft GROUP BY stream_id, since ORDER BY since, stream_id;

-- name: latest_vessel
-- The last word of each ship's stream; every reading of a past has every field.
INSERT INTO stream_latest (stream_id, time, source, seq, received_at, position_time, lat_deg, lon_deg, speed_time, speed_kn,
    course_deg, status_time, nav_status, draught_time, draught_m)
SELECT stream_id, time, source, seq, received_at, time, lat_deg, lon_deg, time, sog_kn, cog_deg, time, nav_status, time, draught_m
FROM stream CROSS JOIN LATERAL (
    SELECT time, source, seq, received_at, lat_deg, lon_deg, sog_kn, cog_deg, nav_status, draught_m FROM reading_vessel AS reading
    WHERE reading.stream_id = stream.stream_id ORDER BY time DESC LIMIT 1) AS last;

-- name: latest_aircraft
-- The last word of each aircraft's stream.
INSERT INTO stream_latest (stream_id, time, source, seq, received_at, position_time, lat_deg, lon_deg, alt_baro_ft, speed_time,
    speed_kn, course_deg, status_time, on_ground)
SELECT stream_id, time, source, seq, received_at, time, lat_deg, lon_deg, alt_baro_ft, time, gs_kn, track_deg, time, on_ground
FROM stream CROSS JOIN LATERAL (
    SELECT time, source, seq, received_at, lat_deg, lon_deg, alt_baro_ft, gs_kn, track_deg, on_ground FROM reading_aircraft AS reading
    WHERE reading.stream_id = stream.stream_id ORDER BY time DESC LIMIT 1) AS last;

-- name: describe
-- Particulars of an asset beside those it has.
UPDATE asset SET particulars = particulars || %(particulars)s WHERE asset_id = %(asset_id)s;

-- name: last_reading
-- The last word of a tenant's device by name.
SELECT latest.time, latest.source, latest.seq FROM stream_latest AS latest JOIN stream USING (stream_id)
WHERE stream.tenant = %(tenant)s AND stream.origin = 'device' AND stream.scheme || ':' || stream.value = %(name)s;

-- name: seat_party
-- The country of a party's seat.
UPDATE party SET country = %(country)s WHERE party_id = %(party_id)s;
