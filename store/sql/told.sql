-- name: incidents
-- Incidents as they stand or as known then, the latest begun first, with what became of telling them and what is open.
SELECT incident.incident_id, revision, asset_id, asset, severity, rules, opened_at, closed_at, finding_ids, retracted, merged_into,
    duties.alerts, duties.alerts_open, spoken.told_at_severity, spoken.silent
FROM incident
LEFT JOIN LATERAL (
    SELECT count(*) AS alerts, count(*) FILTER (WHERE status IN ('open', 'acknowledged')) AS alerts_open
    FROM alert WHERE alert.incident_id = incident.incident_id
) AS duties ON true
LEFT JOIN LATERAL (
    SELECT CASE WHEN bool_or(severity = 'critical' AND verdict IN ('told', 'released') AND kind <> 'retracted') THEN 'critical'
            WHEN bool_or(verdict IN ('told', 'released') AND kind <> 'retracted') THEN 'warning' END AS told_at_severity,
        count(*) FILTER (WHERE verdict NOT IN ('told', 'released')) AS silent
    FROM notice WHERE notice.finding_id = ANY (incident.finding_ids)
) AS spoken ON true
WHERE CASE WHEN %(known)s::timestamptz IS NULL THEN superseded_by IS NULL ELSE
        EXISTS (SELECT FROM commits WHERE commits.commit_no = incident.commit_no AND committed_at <= %(known)s)
        AND NOT EXISTS (SELECT FROM commits WHERE commits.commit_no = superseded_by AND committed_at <= %(known)s) END
    AND (%(retracted)s OR NOT retracted)
    AND (%(incident)s::uuid IS NULL OR incident.incident_id = %(incident)s)
    AND (%(asset)s::uuid IS NULL OR asset_id = %(asset)s)
    AND (%(severities)s::text[] IS NULL OR severity = ANY (%(severities)s))
    AND (%(from)s::timestamptz IS NULL OR opened_at >= %(from)s)
    AND (%(to)s::timestamptz IS NULL OR opened_at < %(to)s)
    AND (%(after_time)s::timestamptz IS NULL
        OR (opened_at, incident.incident_id) < (%(after_time)s::timestamptz, %(after_id)s::uuid))
ORDER BY opened_at DESC, incident.incident_id DESC
LIMIT %(limit)s;

-- name: findings
-- Findings by their ids, as they stand or as known then, in order of time.
SELECT finding_id, revision, asset_id, asset, rule, rule_version, severity, subject, opened_at, closed_at, detected_at, score,
    evidence, retracted
FROM finding
WHERE finding_id = ANY (%(finding_ids)s::text[])
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN superseded_by IS NULL ELSE
        EXISTS (SELECT FROM commits WHERE commits.commit_no = finding.commit_no AND committed_at <= %(known)s)
        AND NOT EXISTS (SELECT FROM commits WHERE commits.commit_no = superseded_by AND committed_at <= %(known)s) END
ORDER BY opened_at, finding_id;

-- name: notices
-- Decisions about telling, the newest first.
SELECT notice_id, alert_id, revision, asset_id, asset, finding_id, incident_id, rule, severity, kind, verdict, event_id, hold_id, why,
    decided_at, verdict IN ('held', 'over_budget') AND superseded_by IS NULL AS waits
FROM notice
WHERE (%(verdicts)s::text[] IS NULL OR verdict = ANY (%(verdicts)s))
    AND (NOT %(waiting)s OR (verdict IN ('held', 'over_budget') AND superseded_by IS NULL))
    AND (%(alert)s::uuid IS NULL OR alert_id = %(alert)s)
    AND (%(asset)s::uuid IS NULL OR asset_id = %(asset)s)
    AND (%(finding_ids)s::text[] IS NULL OR finding_id = ANY (%(finding_ids)s))
    AND (%(from)s::timestamptz IS NULL OR decided_at >= %(from)s)
    AND (%(to)s::timestamptz IS NULL OR decided_at < %(to)s)
    AND (%(after)s::bigint IS NULL OR notice_id < %(after)s)
ORDER BY notice_id DESC
LIMIT %(limit)s;

-- name: weeks
-- Weeks of the models' budget, the newest first.
SELECT week, assets, rate, allowance, carried, told, held_back, tests, cardinality(rejections) AS passed
FROM alert_budget
WHERE (%(after_time)s::timestamptz IS NULL OR week < %(after_time)s)
ORDER BY week DESC
LIMIT %(limit)s;
