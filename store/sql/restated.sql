-- name: closed_months
-- Months of a lease that somebody reported or invoiced and that a stretch of time touches, earliest first; in its billing zone.
WITH zone AS (
    SELECT coalesce((SELECT terms ->> 'billing_time_zone' FROM lease_contract
        WHERE lease_id = %(lease_id)s::uuid AND upper_inf(recorded)), 'UTC') AS name
), closed AS (
    SELECT period, 'reported' AS closed_by FROM utilization_report
    WHERE lease_id = %(lease_id)s::uuid AND kind = 'monthly' AND upper_inf(recorded)
    UNION ALL
    SELECT tstzrange(entry.month::timestamp AT TIME ZONE zone.name,
        (entry.month + interval '1 month')::timestamp AT TIME ZONE zone.name), 'invoiced'
    FROM reserve_account AS account JOIN reserve_entry AS entry USING (reserve_account_id) CROSS JOIN zone
    WHERE account.lease_id = %(lease_id)s::uuid AND entry.month IS NOT NULL
)
SELECT lower(period) AS from_time, upper(period) AS to_time, array_agg(DISTINCT closed_by ORDER BY closed_by) AS closed_by
FROM closed
WHERE period && tstzrange(%(from)s::timestamptz, %(to)s::timestamptz)
GROUP BY period
ORDER BY lower(period), upper(period)
LIMIT %(limit)s;
