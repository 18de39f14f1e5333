-- name: add_statics
-- Identity and voyage reports; the same one again is the same row.
INSERT INTO static_report (stream_id, time, source, particulars, received_at, commit_no)
SELECT * FROM unnest(%(stream_id)s::bigint[], %(time)s::timestamptz[], %(source)s::text[], %(particulars)s::jsonb[],
    %(received_at)s::timestamptz[], %(commit_no)s::bigint[])
ON CONFLICT DO NOTHING;

-- name: add_statuses
-- Who said online or offline.
INSERT INTO status_report (tenant, origin, online, received_at, commit_no)
SELECT * FROM unnest(%(tenant)s::text[], %(origin)s::text[], %(online)s::boolean[], %(received_at)s::timestamptz[],
    %(commit_no)s::bigint[]);

-- name: add_rejections
-- Bad input, kept as a value.
INSERT INTO rejection (tenant, topic, element, reason, detail, payload, received_at, commit_no)
SELECT * FROM unnest(%(tenant)s::text[], %(topic)s::text[], %(element)s::integer[], %(reason)s::text[], %(detail)s::text[],
    %(payload)s::bytea[], %(received_at)s::timestamptz[], %(commit_no)s::bigint[]);

-- name: raise_traffic
-- Keep the later fix; at one instant the greater values, so that order does not matter.
INSERT INTO traffic AS held
SELECT * FROM unnest(%(tenant)s::text[], %(origin)s::text[], %(class)s::text[], %(scheme)s::text[], %(value)s::text[],
    %(time)s::timestamptz[], %(lat_deg)s::float8[], %(lon_deg)s::float8[], %(speed_kn)s::float8[], %(kind)s::text[])
    AS said (tenant, origin, class, scheme, value)
ORDER BY tenant, origin, class, scheme, value
ON CONFLICT (tenant, origin, class, scheme, value) DO UPDATE SET
    time = excluded.time, lat_deg = excluded.lat_deg, lon_deg = excluded.lon_deg, speed_kn = excluded.speed_kn,
    kind = coalesce(excluded.kind, held.kind)
WHERE (excluded.time, excluded.lat_deg, excluded.lon_deg, coalesce(excluded.speed_kn, '-infinity'))
    > (held.time, held.lat_deg, held.lon_deg, coalesce(held.speed_kn, '-infinity'));

-- name: add_channels
-- Sensor names not seen before, as long as there are not too many.
INSERT INTO channel (name, unit)
SELECT seen.name, seen.unit FROM unnest(%(name)s::text[], %(unit)s::text[]) AS seen (name, unit)
WHERE NOT EXISTS (SELECT FROM channel WHERE channel.name = seen.name) AND (SELECT count(*) FROM channel) < %(channels_max)s
ORDER BY seen.name
ON CONFLICT DO NOTHING;

-- name: tell_commit
-- Wake whoever waits for news.
SELECT pg_notify('keelwing_commit', '');
