-- name: lock
-- One decision at a time about a tenant's warnings of models.
SELECT pg_advisory_xact_lock(hashtext('keelwing budget'), hashtext(%(tenant)s));

-- name: last
-- A tenant's newest week.
SELECT tenant, week, assets, rate, allowance, carried, told, held_back, tests, rejections
FROM alert_budget WHERE tenant = %(tenant)s ORDER BY week DESC LIMIT 1;

-- name: fleet
-- How many assets of some classes a tenant has, and the rate it set for itself or the operator for all.
SELECT (SELECT count(*) FROM asset WHERE tenant = %(tenant)s AND class = ANY (%(classes)s::text[])) AS assets, (
    SELECT value FROM setting
    WHERE setting.tenant IN (%(tenant)s, '_') AND rule = 'alert_budget' AND name = 'warnings_per_asset_month'
        AND upper_inf(recorded) AND valid @> %(at)s::timestamptz AND jsonb_typeof(value) = 'number'
    ORDER BY setting.tenant = '_' LIMIT 1) AS rate;

-- name: write
-- A week as it stands.
INSERT INTO alert_budget (tenant, week, assets, rate, allowance, carried, told, held_back, tests, rejections)
VALUES (%(tenant)s, %(week)s, %(assets)s, %(rate)s, %(allowance)s, %(carried)s, %(told)s, %(held_back)s, %(tests)s,
    %(rejections)s::integer[])
ON CONFLICT (tenant, week) DO UPDATE SET told = excluded.told, held_back = excluded.held_back, tests = excluded.tests,
    rejections = excluded.rejections;

-- name: exposures
-- Of each asset whether a head lease is in force at an instant, and the agreed value of its hull insured then.
SELECT wanted.asset_id::text AS asset_id, lease.lease_id IS NOT NULL AS on_lease, (
    SELECT max(agreed_value_amount)::float8 FROM insurance
    WHERE insurance.lease_id = lease.lease_id AND kind = 'hull' AND upper_inf(insurance.recorded)
        AND cover @> %(at)s::timestamptz) AS agreed_value
FROM unnest(%(asset_ids)s::uuid[]) AS wanted (asset_id)
LEFT JOIN lease ON lease.asset_id = wanted.asset_id AND head AND upper_inf(lease.recorded) AND lease.valid @> %(at)s::timestamptz;

-- name: measured
-- Of each tenant: its assets, the rate that is set now, and what became of warnings of models since an instant of wall time.
SELECT tenant.tenant, coalesce(assets.count, 0) AS assets, (
    SELECT value FROM setting
    WHERE setting.tenant IN (tenant.tenant, '_') AND rule = 'alert_budget' AND name = 'warnings_per_asset_month'
        AND upper_inf(recorded) AND valid @> now() AND jsonb_typeof(value) = 'number'
    ORDER BY setting.tenant = '_' LIMIT 1) AS rate,
    coalesce(decided.told, 0) AS told, coalesce(decided.held_back, 0) AS held_back
FROM tenant
LEFT JOIN (SELECT tenant, count(*) AS count FROM asset WHERE class = ANY (%(classes)s::text[]) GROUP BY tenant) AS assets USING (tenant)
LEFT JOIN (
    SELECT tenant, count(*) FILTER (WHERE verdict = 'told') AS told,
        count(*) FILTER (WHERE verdict IN ('not_significant', 'over_budget')) AS held_back
    FROM notice WHERE decided_at >= %(from)s::timestamptz AND why ? 'p_value' GROUP BY tenant
) AS decided USING (tenant)
WHERE tenant.tenant <> '_' AND (%(tenant)s::text IS NULL OR tenant.tenant = %(tenant)s)
ORDER BY tenant.tenant;
