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
