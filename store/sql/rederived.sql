-- name: touched
-- Months of a tenant, as each was last closed, whose asset's use was derived again since: with the newest commit that did.
SELECT closed.lease_id::text, closed.month, closed.revision, closed.closed_at, closed.figures, tenure.asset_id::text,
    lower(closed.period) AS from_time, upper(closed.period) AS to_time, max(derived.commit_no) AS commit_no
FROM (
    SELECT DISTINCT ON (lease_id, month) lease_id, month, revision, period, closed_at, figures
    FROM closed_month
    WHERE tenant = %(tenant)s AND month >= %(from_month)s
    ORDER BY lease_id, month, revision DESC
) AS closed
JOIN LATERAL (
    SELECT asset_id FROM lease WHERE lease.lease_id = closed.lease_id AND upper_inf(recorded) LIMIT 1
) AS tenure ON true
JOIN LATERAL (
    SELECT superseded_by AS commit_no FROM use_day
    WHERE use_day.asset_id = tenure.asset_id AND superseded_by IS NOT NULL
        AND day >= (lower(closed.period) AT TIME ZONE 'UTC')::date AND day <= (upper(closed.period) AT TIME ZONE 'UTC')::date
    UNION ALL
    SELECT commit_no FROM journey
    WHERE journey.asset_id = tenure.asset_id AND started_at < upper(closed.period) AND ended_at >= lower(closed.period)
) AS derived ON true
JOIN commits ON commits.commit_no = derived.commit_no AND commits.committed_at > closed.closed_at
GROUP BY closed.lease_id, closed.month, closed.revision, closed.closed_at, closed.figures, closed.period, tenure.asset_id
ORDER BY closed.lease_id, closed.month
LIMIT %(limit)s;
