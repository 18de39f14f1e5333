-- What lessees and masters report; a correction closes what was believed and adds a revision.

-- name: hold
-- One change of a lease's reports and ledger at a time; ends with the transaction.
SELECT pg_advisory_xact_lock(hashtextextended('keelwing.lease ' || %(lease)s::text, 0));

-- name: reports
-- Reports of leases, in order of their period; every revision with `superseded`, else as believed now or known then.
SELECT utilization_report_id, revision, lease_id, report.asset_id, asset.class, asset.name AS asset_name, kind,
    lower(period) AS from_time, upper(period) AS to_time, figures, signed_by, received_at, actor,
    lower(recorded) AS recorded_at, upper(recorded) AS superseded_at
FROM utilization_report AS report
JOIN asset ON asset.asset_id = report.asset_id
WHERE (%(leases)s::uuid[] IS NULL OR lease_id = ANY (%(leases)s))
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN %(superseded)s OR upper_inf(recorded)
        WHEN %(superseded)s THEN lower(recorded) <= %(known)s ELSE recorded @> %(known)s::timestamptz END
    AND (%(reports)s::uuid[] IS NULL OR utilization_report_id = ANY (%(reports)s))
    AND (%(assets)s::uuid[] IS NULL OR report.asset_id = ANY (%(assets)s))
    AND (%(kinds)s::text[] IS NULL OR kind = ANY (%(kinds)s))
    AND (%(from)s::timestamptz IS NULL OR period && tstzrange(%(from)s, %(to)s))
    AND (%(at)s::timestamptz IS NULL OR period @> %(at)s::timestamptz)
    AND (%(after_time)s::timestamptz IS NULL
        OR (lower(period), utilization_report_id, revision) > (%(after_time)s::timestamptz, %(after_id)s::uuid, %(after_revision)s))
ORDER BY lower(period), utilization_report_id, revision
LIMIT %(limit)s;

-- name: standing
-- The report that a new one of an asset and kind meets.
SELECT utilization_report_id, revision, lower(period) AS from_time, upper(period) AS to_time, figures, signed_by,
    lower(recorded) AS recorded_at
FROM utilization_report
WHERE lease_id = %(lease)s AND asset_id = %(asset)s AND kind = %(kind)s AND upper_inf(recorded)
    AND period && tstzrange(%(from)s, %(to)s)
ORDER BY lower(period)
LIMIT 2;

-- name: close
UPDATE utilization_report SET recorded = tstzrange(lower(recorded), greatest(lower(recorded), clock_timestamp()))
WHERE utilization_report_id = %(report)s AND revision = %(revision)s AND upper_inf(recorded);

-- name: insert
INSERT INTO utilization_report (utilization_report_id, revision, tenant, lease_id, asset_id, kind, period, figures, signed_by,
    received_at, actor, recorded)
VALUES (coalesce(%(report)s::uuid, gen_random_uuid()), %(revision)s, scope_tenant(), %(lease)s, %(asset)s, %(kind)s,
    tstzrange(%(from)s::timestamptz, %(to)s::timestamptz), %(figures)s, %(signed_by)s, %(received)s, %(actor)s,
    tstzrange(clock_timestamp(), NULL))
RETURNING utilization_report_id, revision;
