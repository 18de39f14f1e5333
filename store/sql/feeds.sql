-- name: words
-- Every live feed that was ever heard: its last reading, by event time and by reception (of traffic only the event time is kept),
-- how many it carried in the hour up to that, what it said last of itself, and to whom it speaks at an instant.
WITH word AS (
    SELECT stream.tenant, origin, class, scheme, value, time, received_at FROM stream JOIN stream_latest USING (stream_id)
    WHERE starts_with(origin, 'feed:')
    UNION ALL
    SELECT tenant, origin, class, scheme, value, time, time FROM traffic WHERE starts_with(origin, 'feed:')
), dated AS (
    SELECT *, max(time) OVER (PARTITION BY tenant, origin) AS last_time FROM word
), heard AS (
    SELECT tenant, origin, max(time) AS time, max(received_at) AS received_at,
        count(DISTINCT (class, scheme, value)) FILTER (WHERE time > last_time - interval '1 hour') AS assets
    FROM dated GROUP BY tenant, origin
)
SELECT feed.tenant, feed.feed, heard.time, heard.received_at, heard.assets,
    CASE WHEN said.online THEN NULL ELSE said.received_at END AS offline_at,
    CASE feed.tenant WHEN '_' THEN ARRAY(
        SELECT DISTINCT feed_grant.tenant FROM feed_grant WHERE feed_grant.feed = feed.feed AND valid @> %(at)s::timestamptz)
    ELSE ARRAY[feed.tenant] END AS audience
FROM feed
JOIN heard ON heard.tenant = feed.tenant AND heard.origin = 'feed:' || feed.feed
LEFT JOIN LATERAL (
    SELECT online, received_at FROM status_report
    WHERE status_report.tenant = feed.tenant AND status_report.origin = 'feed:' || feed.feed AND received_at <= %(at)s
    ORDER BY received_at DESC, status_report_id DESC LIMIT 1) AS said ON true
WHERE feed.clock = 'live'
ORDER BY feed.tenant, feed.feed;

-- name: silent
-- The open findings of silent feeds.
SELECT tenant, asset, opened_at, detected_at, evidence
FROM finding
WHERE rule = 'feed_silent' AND superseded_by IS NULL AND NOT retracted AND closed_at IS NULL;

-- name: back
-- The first readings of a feed, by event time, that reached us after an instant, each stream's newest alone; NULL: none did.
SELECT min(time) FILTER (WHERE time > %(opened)s) AS time, min(received_at) AS received_at
FROM (
    SELECT time, received_at FROM stream JOIN stream_latest USING (stream_id)
    WHERE stream.tenant = %(tenant)s AND origin = %(origin)s AND received_at > %(received)s
    UNION ALL
    SELECT time, time FROM traffic WHERE tenant = %(tenant)s AND origin = %(origin)s AND time > %(received)s
) AS since;

-- name: gaps_held
-- Open gaps of a tenant's assets, heard last over a feed, that say that the feed is down.
SELECT count(*) AS gaps
FROM finding
WHERE tenant = %(tenant)s AND rule = 'gap' AND superseded_by IS NULL AND NOT retracted AND closed_at IS NULL
    AND detected_at >= %(since)s AND evidence ->> 'verdict' = 'feed_down'
    AND EXISTS (
        SELECT FROM attribution JOIN stream USING (stream_id)
        WHERE attribution.asset_id = finding.asset_id AND upper_inf(attribution.recorded) AND stream.origin = %(origin)s);

-- name: quiet
-- The setting of a tenant, else of all, in force at an instant.
SELECT (value #>> '{}')::float8 AS quiet_min
FROM setting
WHERE tenant IN (%(tenant)s, '_') AND rule = 'feed_silent' AND name = 'quiet_min' AND valid @> %(at)s::timestamptz
    AND upper_inf(recorded) AND jsonb_typeof(value) = 'number'
ORDER BY tenant = '_' LIMIT 1;
