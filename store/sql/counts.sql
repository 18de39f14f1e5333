-- name: add
-- Add a batch's increments.
INSERT INTO ingest_count AS held (tenant, origin, hour, received, stored, late, duplicate, rejected, traffic, static_received,
    static_duplicate, unknown_fields)
SELECT * FROM unnest(%(tenant)s::text[], %(origin)s::text[], %(hour)s::timestamptz[], %(received)s::integer[],
    %(stored)s::integer[], %(late)s::integer[], %(duplicate)s::integer[], %(rejected)s::integer[], %(traffic)s::integer[],
    %(static_received)s::integer[], %(static_duplicate)s::integer[], %(unknown_fields)s::integer[])
    AS brought (tenant, origin, hour)
ORDER BY origin, tenant, hour  -- for the order of locks any one does; this one is told by its first column
ON CONFLICT (tenant, origin, hour) DO UPDATE SET
    received = held.received + excluded.received,
    stored = held.stored + excluded.stored,
    late = held.late + excluded.late,
    duplicate = held.duplicate + excluded.duplicate,
    rejected = held.rejected + excluded.rejected,
    traffic = held.traffic + excluded.traffic,
    static_received = held.static_received + excluded.static_received,
    static_duplicate = held.static_duplicate + excluded.static_duplicate,
    unknown_fields = held.unknown_fields + excluded.unknown_fields;

-- name: add_nulled
-- Add the fields that were made null, by reason.
INSERT INTO ingest_nulled AS held (tenant, origin, hour, field, reason, count)
SELECT tenant, origin, hour, field, reason, count
FROM unnest(%(tenant)s::text[], %(origin)s::text[], %(hour)s::timestamptz[], %(field)s::text[], %(reason)s::text[],
    %(count)s::bigint[]) AS nulled (tenant, origin, hour, field, reason, count)
ORDER BY tenant, origin, hour, field, reason
ON CONFLICT (tenant, origin, hour, field, reason) DO UPDATE SET count = held.count + excluded.count;

-- name: counted
-- What the counters say of each origin.
SELECT tenant, origin, sum(received)::bigint AS received, sum(stored)::bigint AS stored, sum(duplicate)::bigint AS duplicate,
    sum(rejected)::bigint AS rejected, sum(traffic)::bigint AS traffic, sum(late)::bigint AS late
FROM ingest_count GROUP BY tenant, origin;

-- name: rolled_up
-- What the hourly rollups say of each origin; a device counts under its own scheme:value.
SELECT stream.tenant, CASE stream.origin WHEN 'device' THEN stream.scheme || ':' || stream.value ELSE stream.origin END AS origin,
    sum(reading_hour.count)::bigint AS count
FROM reading_hour JOIN stream USING (stream_id) GROUP BY 1, 2;
