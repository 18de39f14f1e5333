-- name: add
-- What a batch of readings adds, in one statement: its increments to hours and days, and its last words.
-- Hours that are new, or over already, are marked: their spread is to be made (again).
-- Of the last words the greater of held and brought is kept, group by group; at equal times the greater values win, so order
-- does not matter.
WITH brought AS MATERIALIZED (
    SELECT * FROM unnest(%(stream_id)s::bigint[], %(hour)s::timestamptz[], %(count)s::integer[], %(position_count)s::integer[],
        %(first_time)s::timestamptz[], %(last_time)s::timestamptz[], %(speed_count)s::integer[], %(speed_min_kn)s::float8[],
        %(speed_max_kn)s::float8[], %(speed_sum_ukn)s::bigint[])
        AS brought (stream_id, hour, count, position_count, first_time, last_time, speed_count, speed_min_kn, speed_max_kn,
            speed_sum_ukn)
), added AS (
    INSERT INTO reading_hour AS held (stream_id, hour, count, position_count, first_time, last_time, speed_count, speed_min_kn,
        speed_max_kn, speed_sum_ukn)
    SELECT stream_id, hour, count, position_count, first_time, last_time, speed_count, speed_min_kn, speed_max_kn, speed_sum_ukn
    FROM brought ORDER BY stream_id, hour
    ON CONFLICT (stream_id, hour) DO UPDATE SET
        count = held.count + excluded.count,
        position_count = held.position_count + excluded.position_count,
        first_time = least(held.first_time, excluded.first_time),
        last_time = greatest(held.last_time, excluded.last_time),
        speed_count = held.speed_count + excluded.speed_count,
        speed_min_kn = least(held.speed_min_kn, excluded.speed_min_kn),
        speed_max_kn = greatest(held.speed_max_kn, excluded.speed_max_kn),
        speed_sum_ukn = held.speed_sum_ukn + excluded.speed_sum_ukn
    RETURNING stream_id, hour, count
), added_to_days AS (
    INSERT INTO reading_day AS held (stream_id, day, count, position_count, first_time, last_time, speed_count, speed_min_kn,
        speed_max_kn, speed_sum_ukn)
    SELECT stream_id, date_trunc('day', hour, 'UTC') AS day, sum(count), sum(position_count), min(first_time), max(last_time),
        sum(speed_count), min(speed_min_kn), max(speed_max_kn), sum(speed_sum_ukn)::bigint
    FROM brought GROUP BY stream_id, day ORDER BY stream_id, day
    ON CONFLICT (stream_id, day) DO UPDATE SET
        count = held.count + excluded.count,
        position_count = held.position_count + excluded.position_count,
        first_time = least(held.first_time, excluded.first_time),
        last_time = greatest(held.last_time, excluded.last_time),
        speed_count = held.speed_count + excluded.speed_count,
        speed_min_kn = least(held.speed_min_kn, excluded.speed_min_kn),
        speed_max_kn = greatest(held.speed_max_kn, excluded.speed_max_kn),
        speed_sum_ukn = held.speed_sum_ukn + excluded.speed_sum_ukn
), raised AS (
    INSERT INTO stream_latest AS held
    SELECT * FROM unnest(%(latest_stream_id)s::bigint[], %(time)s::timestamptz[], %(source)s::text[], %(seq)s::bigint[],
        %(received_at)s::timestamptz[], %(position_time)s::timestamptz[], %(lat_deg)s::float8[], %(lon_deg)s::float8[],
        %(alt_baro_ft)s::float8[], %(speed_time)s::timestamptz[], %(speed_kn)s::float8[], %(course_deg)s::float8[],
        %(status_time)s::timestamptz[], %(nav_status)s::integer[], %(on_ground)s::boolean[], %(draught_time)s::timestamptz[],
        %(draught_m)s::float8[], %(channels_time)s::timestamptz[], %(channels_source)s::text[], %(channels_seq)s::bigint[],
        %(channels)s::jsonb[]) AS said (stream_id)
    ORDER BY stream_id
    ON CONFLICT (stream_id) DO UPDATE SET
        received_at = greatest(held.received_at, excluded.received_at),
        time = CASE WHEN (excluded.time, excluded.source COLLATE "C", excluded.seq) > (held.time, held.source COLLATE "C", held.seq)
            THEN excluded.time ELSE held.time END,
        source = CASE WHEN (excluded.time, excluded.source COLLATE "C", excluded.seq) > (held.time, held.source COLLATE "C", held.seq)
            THEN excluded.source ELSE held.source END,
        seq = CASE WHEN (excluded.time, excluded.source COLLATE "C", excluded.seq) > (held.time, held.source COLLATE "C", held.seq)
            THEN excluded.seq ELSE held.seq END,
        position_time = CASE WHEN replaces(excluded.position_time, excluded.lat_deg, excluded.lon_deg, excluded.alt_baro_ft,
            held.position_time, held.lat_deg, held.lon_deg, held.alt_baro_ft)
            THEN excluded.position_time ELSE held.position_time END,
        lat_deg = CASE WHEN replaces(excluded.position_time, excluded.lat_deg, excluded.lon_deg, excluded.alt_baro_ft,
            held.position_time, held.lat_deg, held.lon_deg, held.alt_baro_ft)
            THEN excluded.lat_deg ELSE held.lat_deg END,
        lon_deg = CASE WHEN replaces(excluded.position_time, excluded.lat_deg, excluded.lon_deg, excluded.alt_baro_ft,
            held.position_time, held.lat_deg, held.lon_deg, held.alt_baro_ft)
            THEN excluded.lon_deg ELSE held.lon_deg END,
        alt_baro_ft = CASE WHEN replaces(excluded.position_time, excluded.lat_deg, excluded.lon_deg, excluded.alt_baro_ft,
            held.position_time, held.lat_deg, held.lon_deg, held.alt_baro_ft)
            THEN excluded.alt_baro_ft ELSE held.alt_baro_ft END,
        speed_time = CASE WHEN replaces(excluded.speed_time, excluded.speed_kn, excluded.course_deg, NULL,
            held.speed_time, held.speed_kn, held.course_deg, NULL)
            THEN excluded.speed_time ELSE held.speed_time END,
        speed_kn = CASE WHEN replaces(excluded.speed_time, excluded.speed_kn, excluded.course_deg, NULL,
            held.speed_time, held.speed_kn, held.course_deg, NULL)
            THEN excluded.speed_kn ELSE held.speed_kn END,
        course_deg = CASE WHEN replaces(excluded.speed_time, excluded.speed_kn, excluded.course_deg, NULL,
            held.speed_time, held.speed_kn, held.course_deg, NULL)
            THEN excluded.course_deg ELSE held.course_deg END,
        status_time = CASE WHEN replaces(excluded.status_time, excluded.nav_status, excluded.on_ground::integer, NULL,
            held.status_time, held.nav_status, held.on_ground::integer, NULL)
            THEN excluded.status_time ELSE held.status_time END,
        nav_status = CASE WHEN replaces(excluded.status_time, excluded.nav_status, excluded.on_ground::integer, NULL,
            held.status_time, held.nav_status, held.on_ground::integer, NULL)
            THEN excluded.nav_status ELSE held.nav_status END,
        on_ground = CASE WHEN replaces(excluded.status_time, excluded.nav_status, excluded.on_ground::integer, NULL,
            held.status_time, held.nav_status, held.on_ground::integer, NULL)
            THEN excluded.on_ground ELSE held.on_ground END,
        draught_time = CASE WHEN replaces(excluded.draught_time, excluded.draught_m, NULL, NULL,
            held.draught_time, held.draught_m, NULL, NULL)
            THEN excluded.draught_time ELSE held.draught_time END,
        draught_m = CASE WHEN replaces(excluded.draught_time, excluded.draught_m, NULL, NULL,
            held.draught_time, held.draught_m, NULL, NULL)
            THEN excluded.draught_m ELSE held.draught_m END,
        channels_time = CASE WHEN held.channels_time IS NULL OR (excluded.channels_time, excluded.channels_source COLLATE "C", excluded.channels_seq)
            > (held.channels_time, held.channels_source COLLATE "C", held.channels_seq)
            THEN excluded.channels_time ELSE held.channels_time END,
        channels_source = CASE WHEN held.channels_time IS NULL OR (excluded.channels_time, excluded.channels_source COLLATE "C", excluded.channels_seq)
            > (held.channels_time, held.channels_source COLLATE "C", held.channels_seq)
            THEN excluded.channels_source ELSE held.channels_source END,
        channels_seq = CASE WHEN held.channels_time IS NULL OR (excluded.channels_time, excluded.channels_source COLLATE "C", excluded.channels_seq)
            > (held.channels_time, held.channels_source COLLATE "C", held.channels_seq)
            THEN excluded.channels_seq ELSE held.channels_seq END,
        channels = CASE WHEN held.channels_time IS NULL OR (excluded.channels_time, excluded.channels_source COLLATE "C", excluded.channels_seq)
            > (held.channels_time, held.channels_source COLLATE "C", held.channels_seq)
            THEN excluded.channels ELSE held.channels END
)
INSERT INTO hour_pending AS held (stream_id, hour)
SELECT stream_id, hour FROM added JOIN brought USING (stream_id, hour)
WHERE hour < now() - %(marked_after_s)s * interval '1 second' OR added.count = brought.count
ORDER BY stream_id, hour
ON CONFLICT (stream_id, hour) DO UPDATE SET marked_at = held.marked_at;  -- holds the mark until this is committed

-- name: high_water
-- Greatest event time stored per stream.
SELECT stream_id, time FROM stream_latest WHERE stream_id = ANY (%(stream_ids)s);

-- name: feed_clock
-- Greatest event time stored of one origin: where a recording's clock stands.
SELECT max(latest.time) AS time
FROM stream JOIN stream_latest AS latest USING (stream_id)
WHERE stream.tenant = %(tenant)s AND stream.origin = %(origin)s;
