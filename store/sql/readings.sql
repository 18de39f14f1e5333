-- name: add_hours
-- Add a batch's increments to the hours.
INSERT INTO reading_hour AS held (stream_id, hour, count, position_count, first_time, last_time, speed_count, speed_min_kn,
    speed_max_kn, speed_sum_ukn)
SELECT stream_id, hour, count, position_count, first_time, last_time, speed_count, speed_min_kn, speed_max_kn, speed_sum_ukn
FROM staged_rollup ORDER BY stream_id, hour
ON CONFLICT (stream_id, hour) DO UPDATE SET
    count = held.count + excluded.count,
    position_count = held.position_count + excluded.position_count,
    first_time = least(held.first_time, excluded.first_time),
    last_time = greatest(held.last_time, excluded.last_time),
    speed_count = held.speed_count + excluded.speed_count,
    speed_min_kn = least(held.speed_min_kn, excluded.speed_min_kn),
    speed_max_kn = greatest(held.speed_max_kn, excluded.speed_max_kn),
    speed_sum_ukn = held.speed_sum_ukn + excluded.speed_sum_ukn;

-- name: add_days
-- Add the same increments to the days.
INSERT INTO reading_day AS held (stream_id, day, count, position_count, first_time, last_time, speed_count, speed_min_kn,
    speed_max_kn, speed_sum_ukn)
SELECT stream_id, date_trunc('day', hour, 'UTC') AS day, sum(count)::bigint, sum(position_count)::bigint, min(first_time),
    max(last_time), sum(speed_count)::bigint, min(speed_min_kn), max(speed_max_kn), sum(speed_sum_ukn)::bigint
FROM staged_rollup GROUP BY stream_id, day ORDER BY stream_id, day
ON CONFLICT (stream_id, day) DO UPDATE SET
    count = held.count + excluded.count,
    position_count = held.position_count + excluded.position_count,
    first_time = least(held.first_time, excluded.first_time),
    last_time = greatest(held.last_time, excluded.last_time),
    speed_count = held.speed_count + excluded.speed_count,
    speed_min_kn = least(held.speed_min_kn, excluded.speed_min_kn),
    speed_max_kn = greatest(held.speed_max_kn, excluded.speed_max_kn),
    speed_sum_ukn = held.speed_sum_ukn + excluded.speed_sum_ukn;

-- name: raise_latest
-- Keep the greater of held and staged, group by group; at equal times the greater values win, so order does not matter.
INSERT INTO stream_latest AS held
SELECT * FROM staged_latest ORDER BY stream_id
ON CONFLICT (stream_id) DO UPDATE SET
    (time, source, seq) = (SELECT * FROM (VALUES (held.time, held.source, held.seq),
        (excluded.time, excluded.source, excluded.seq)) AS word (time, source, seq)
        ORDER BY time DESC, source COLLATE "C" DESC, seq DESC LIMIT 1),
    received_at = greatest(held.received_at, excluded.received_at),
    (position_time, lat_deg, lon_deg, alt_baro_ft) = (SELECT * FROM (VALUES
        (held.position_time, held.lat_deg, held.lon_deg, held.alt_baro_ft),
        (excluded.position_time, excluded.lat_deg, excluded.lon_deg, excluded.alt_baro_ft)) AS word (time, lat, lon, alt)
        ORDER BY time DESC NULLS LAST, lat DESC, lon DESC, alt DESC NULLS LAST LIMIT 1),
    (speed_time, speed_kn, course_deg) = (SELECT * FROM (VALUES (held.speed_time, held.speed_kn, held.course_deg),
        (excluded.speed_time, excluded.speed_kn, excluded.course_deg)) AS word (time, speed, course)
        ORDER BY time DESC NULLS LAST, speed DESC, course DESC NULLS LAST LIMIT 1),
    (status_time, nav_status, on_ground) = (SELECT * FROM (VALUES (held.status_time, held.nav_status, held.on_ground),
        (excluded.status_time, excluded.nav_status, excluded.on_ground)) AS word (time, nav_status, on_ground)
        ORDER BY time DESC NULLS LAST, nav_status DESC NULLS LAST, on_ground DESC NULLS LAST LIMIT 1),
    (draught_time, draught_m) = (SELECT * FROM (VALUES (held.draught_time, held.draught_m),
        (excluded.draught_time, excluded.draught_m)) AS word (time, draught)
        ORDER BY time DESC NULLS LAST, draught DESC LIMIT 1),
    (channels_time, channels_source, channels_seq, channels) = (SELECT * FROM (VALUES
        (held.channels_time, held.channels_source, held.channels_seq, held.channels),
        (excluded.channels_time, excluded.channels_source, excluded.channels_seq, excluded.channels))
        AS word (time, source, seq, channels)
        ORDER BY time DESC NULLS LAST, source COLLATE "C" DESC, seq DESC LIMIT 1);

-- name: high_water
-- Greatest event time stored per stream.
SELECT stream_id, time FROM stream_latest WHERE stream_id = ANY (%(stream_ids)s);

-- name: feed_clock
-- Greatest event time stored of one origin: where a recording's clock stands.
SELECT max(latest.time) AS time
FROM stream JOIN stream_latest AS latest USING (stream_id)
WHERE stream.tenant = %(tenant)s AND stream.origin = %(origin)s;
