-- What a ship's carbon, fuel and hull are judged from: particulars, masters' reports, charters, use.

-- name: vessels
-- Ships in order of id; of the ones named, or all.
SELECT asset_id, name, type, particulars
FROM asset
WHERE class = 'vessel' AND (%(assets)s::uuid[] IS NULL OR asset_id = ANY (%(assets)s))
    AND (%(known)s::timestamptz IS NULL OR created_at <= %(known)s)
    AND (%(after)s::uuid IS NULL OR asset_id > %(after)s)
ORDER BY asset_id
LIMIT %(limit)s;

-- name: reports
-- Masters' reports that meet [from, to), whatever the lease; a correction comes after what it corrects.
SELECT report.asset_id, utilization_report_id, revision, lease_id, kind, lower(period) AS from_time, upper(period) AS to_time, figures
FROM utilization_report AS report
WHERE report.asset_id = ANY (%(assets)s::uuid[]) AND kind IN ('noon', 'departure', 'arrival', 'in_port')
    AND period && tstzrange(%(from)s, %(to)s)
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END
ORDER BY report.asset_id, lower(recorded), lower(period)
LIMIT %(limit)s;

-- name: reports_in
-- Masters' reports as believed now or known then that meet stretches of time, each named with its ship.
SELECT DISTINCT report.asset_id, utilization_report_id, revision, lease_id, kind, lower(period) AS from_time, upper(period) AS to_time,
    figures, lower(recorded) AS recorded_at
FROM unnest(%(assets)s::uuid[], %(from)s::timestamptz[], %(to)s::timestamptz[]) AS stretch (asset_id, from_time, to_time)
JOIN utilization_report AS report ON report.asset_id = stretch.asset_id
WHERE kind IN ('noon', 'departure', 'arrival', 'in_port') AND period && tstzrange(stretch.from_time, stretch.to_time)
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END
ORDER BY report.asset_id, recorded_at, from_time
LIMIT %(limit)s;

-- name: charters
-- Tenures that meet [from, to) with what their paper agrees, earliest first; of leases or of assets.
SELECT lease.lease_id, lease.asset_id, lease.lessee_party_id, party.name AS lessee_name, lease.form, contract.reference,
    lower(lease.valid) AS valid_from, upper(lease.valid) AS valid_to, coalesce(contract.terms, '{}'::jsonb) AS terms
FROM lease
JOIN party ON party.party_id = lease.lessee_party_id
LEFT JOIN lease_contract AS contract ON contract.lease_id = lease.lease_id AND NOT contract.void
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(contract.recorded) ELSE contract.recorded @> %(known)s::timestamptz END
WHERE (%(assets)s::uuid[] IS NULL OR lease.asset_id = ANY (%(assets)s))
    AND (%(lease)s::uuid IS NULL OR lease.lease_id = %(lease)s)
    AND (%(lessee)s::text IS NULL OR lease.lessee_party_id::text = %(lessee)s OR lower(party.name) = lower(%(lessee)s))
    AND (%(heads)s::boolean IS NOT TRUE OR lease.head)
    AND lease.valid && tstzrange(%(from)s, %(to)s)
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(lease.recorded) ELSE lease.recorded @> %(known)s::timestamptz END
ORDER BY lease.asset_id, lower(lease.valid) NULLS FIRST, lease.lease_id
LIMIT %(limit)s;

-- name: use_days
-- Sums of whole UTC days of ships.
SELECT asset_id, day, method, state_s, state_m, observed_s, sources, figures
FROM use_day
WHERE asset_id = ANY (%(assets)s::uuid[]) AND day >= %(from_day)s AND day < %(to_day)s
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN superseded_by IS NULL ELSE
        EXISTS (SELECT FROM commits WHERE commits.commit_no = use_day.commit_no AND committed_at <= %(known)s)
        AND NOT EXISTS (SELECT FROM commits WHERE commits.commit_no = superseded_by AND committed_at <= %(known)s) END
ORDER BY asset_id, day;

-- name: use_edges
-- What ships did on the days that are cut, each day named with its ship; and are doing, where it is asked as of now.
SELECT asset_id, state, started_at, ended_at, method, place, loading, distance_m, observed_s, sources, figures
FROM unnest(%(cut_assets)s::uuid[], %(cut_days)s::date[]) AS cut (asset_id, day)
JOIN activity USING (asset_id)
WHERE ended_at IS NOT NULL AND started_at >= cut.day::timestamp AT TIME ZONE 'UTC'
    AND started_at < (cut.day + 1)::timestamp AT TIME ZONE 'UTC'
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN superseded_by IS NULL ELSE
        EXISTS (SELECT FROM commits WHERE commits.commit_no = activity.commit_no AND committed_at <= %(known)s)
        AND NOT EXISTS (SELECT FROM commits WHERE commits.commit_no = superseded_by AND committed_at <= %(known)s) END
UNION ALL
SELECT asset_id, state, started_at, ended_at, method, place, loading, distance_m, observed_s, sources, figures
FROM use_tail
WHERE asset_id = ANY (%(cut_assets)s::uuid[]) AND %(known)s::timestamptz IS NULL
ORDER BY asset_id, started_at;

-- name: dockings
-- When ships were last out of dock before an instant.
SELECT asset_id, max(upper(actual)) AS out_at
FROM maintenance_event
WHERE asset_id = ANY (%(assets)s::uuid[]) AND kind = 'drydock' AND upper(actual) <= %(at)s
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END
GROUP BY asset_id;
