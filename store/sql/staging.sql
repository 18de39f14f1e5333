-- name: rollup
-- Increments of one stream in one hour, on their way into reading_hour and reading_day.
CREATE TEMPORARY TABLE staged_rollup (
    stream_id bigint, hour timestamptz, count bigint, position_count bigint, first_time timestamptz, last_time timestamptz,
    speed_count bigint, speed_min_kn double precision, speed_max_kn double precision, speed_sum_ukn bigint
) ON COMMIT DELETE ROWS;

-- name: latest
-- The last word of each stream in a batch, on its way into stream_latest.
CREATE TEMPORARY TABLE staged_latest (
    stream_id bigint, time timestamptz, source text, seq bigint, received_at timestamptz,
    position_time timestamptz, lat_deg double precision, lon_deg double precision, alt_baro_ft double precision,
    speed_time timestamptz, speed_kn double precision, course_deg double precision,
    status_time timestamptz, nav_status integer, on_ground boolean,
    draught_time timestamptz, draught_m double precision,
    channels_time timestamptz, channels_source text, channels_seq bigint, channels jsonb
) ON COMMIT DELETE ROWS;

-- name: ingest_count
-- Counter increments of a batch.
CREATE TEMPORARY TABLE staged_count (
    tenant text, origin text, hour timestamptz, received bigint, stored bigint, late bigint, duplicate bigint, rejected bigint,
    traffic bigint, static_received bigint, static_duplicate bigint, unknown_fields bigint
) ON COMMIT DELETE ROWS;

-- name: traffic
-- Last fixes of a batch's traffic.
CREATE TEMPORARY TABLE staged_traffic (
    tenant text, origin text, class text, scheme text, value text, time timestamptz,
    lat_deg double precision, lon_deg double precision, speed_kn double precision, kind text
) ON COMMIT DELETE ROWS;
