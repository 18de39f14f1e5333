-- name: read
-- Totals of the counters, alerts that are open, and the mean time from reception to commit over the last minute.
SELECT
    coalesce((SELECT sum(stored) FROM ingest_count), 0)::bigint AS stored,
    coalesce((SELECT sum(rejected) FROM ingest_count), 0)::bigint AS rejected,
    (SELECT count(*) FROM alert WHERE status IN ('open', 'acknowledged')) AS alerts_open,
    (SELECT count(*) FROM alert WHERE status IN ('open', 'acknowledged') AND severity = 'critical') AS alerts_critical,
    (
        SELECT avg(extract(epoch FROM commits.committed_at - latest.received_at) * 1000)::double precision
        FROM stream_latest AS latest
        CROSS JOIN LATERAL (
            SELECT min(committed_at) AS committed_at
            FROM commits
            WHERE committed_at >= latest.received_at AND committed_at < latest.received_at + interval '1 minute'
        ) AS commits
        WHERE latest.received_at > now() - interval '1 minute'
    ) AS lag_ms;

-- name: backlog
-- Assets that wait to be derived again, and what the database takes on its disk.
SELECT (SELECT count(*) FROM dirty) AS dirty, pg_database_size(current_database()) AS database_bytes;

-- name: feeds_heard
-- When each live feed was last heard: its newest readings, or the hour in which it was last counted.
WITH counted AS (
    SELECT tenant, origin, max(hour) AS heard_at FROM ingest_count
    WHERE starts_with(origin, 'feed:') AND received + static_received > 0 GROUP BY tenant, origin
), newest AS (
    SELECT stream.tenant, stream.origin, max(latest.received_at) AS heard_at
    FROM stream JOIN stream_latest AS latest USING (stream_id)
    WHERE starts_with(stream.origin, 'feed:') GROUP BY stream.tenant, stream.origin
)
SELECT feed.tenant, feed.feed, greatest(counted.heard_at, newest.heard_at) AS heard_at
FROM feed
LEFT JOIN counted ON counted.tenant = feed.tenant AND counted.origin = 'feed:' || feed.feed
LEFT JOIN newest ON newest.tenant = feed.tenant AND newest.origin = 'feed:' || feed.feed
WHERE feed.clock = 'live' AND greatest(counted.heard_at, newest.heard_at) IS NOT NULL;

-- name: outbox
-- Deliveries that wait for an enabled endpoint, the age of the oldest event among them, how long the one that is due longest
-- is overdue (not while a notifier has it in hand), and how many endpoints are which.
SELECT count(*) AS pending,
    coalesce(extract(epoch FROM clock_timestamp() - min(outbox.time)), 0)::double precision AS age_s,
    greatest(extract(epoch FROM clock_timestamp() - min(next_attempt_at)
        FILTER (WHERE claimed_until IS NULL OR claimed_until <= now())), 0)::double precision AS overdue_s,
    (SELECT count(*) FROM webhook WHERE disabled_at IS NULL) AS enabled,
    (SELECT count(*) FROM webhook WHERE disabled_at IS NOT NULL) AS disabled
FROM webhook_delivery AS delivery JOIN webhook USING (webhook_id) JOIN outbox USING (event_id)
WHERE delivery.state = 'pending' AND webhook.disabled_at IS NULL;
