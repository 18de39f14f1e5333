-- name: open_for
-- The active alerts of these keys and every alert that holds one of these findings, locked in one order.
SELECT alert_id::text, tenant, asset_id::text, asset, lease_id::text, rule, subject, severity, status, opened_at, updated_at,
    closed_at, revision, evidence, finding_ids, incident_id::text
FROM alert
WHERE alert_id IN (
    SELECT active.alert_id
    FROM unnest(%(tenant)s::text[], %(about)s::text[], %(rule)s::text[], %(subject)s::text[])
        AS wanted (tenant, about, rule, subject)
    JOIN alert AS active ON active.tenant = wanted.tenant AND active.about = wanted.about AND active.rule = wanted.rule
        AND active.subject IS NOT DISTINCT FROM wanted.subject AND active.status IN ('open', 'acknowledged')
    UNION
    SELECT holder.alert_id FROM alert AS holder WHERE holder.finding_ids && %(finding_ids)s::text[]
)
ORDER BY alert_id FOR UPDATE;

-- name: get
-- One alert.
SELECT alert_id::text, tenant, asset_id::text, asset, lease_id::text, rule, subject, severity, status, opened_at, updated_at,
    closed_at, revision, evidence, finding_ids, incident_id::text
FROM alert WHERE alert_id = %(alert_id)s;

-- name: get_locked
-- One alert, nobody else's until this transaction ends.
SELECT alert_id::text, tenant, asset_id::text, asset, lease_id::text, rule, subject, severity, status, opened_at, updated_at,
    closed_at, revision, evidence, finding_ids, incident_id::text
FROM alert WHERE alert_id = %(alert_id)s FOR UPDATE;

-- name: by_id
-- Some alerts, nobody else's until this transaction ends.
SELECT alert_id::text, tenant, asset_id::text, asset, lease_id::text, rule, subject, severity, status, opened_at, updated_at,
    closed_at, revision, evidence, finding_ids, incident_id::text
FROM alert WHERE alert_id = ANY (%(alert_ids)s::uuid[])
ORDER BY alert_id FOR UPDATE;

-- name: open
-- A new alert; a second active one of its key violates alert_one_open.
INSERT INTO alert (alert_id, tenant, asset_id, asset, lease_id, rule, subject, severity, status, opened_at, updated_at, closed_at,
    revision, evidence, finding_ids, incident_id, commit_no)
VALUES (%(alert_id)s, %(tenant)s, %(asset_id)s, %(asset)s, %(lease_id)s, %(rule)s, %(subject)s, %(severity)s, %(status)s,
    %(opened_at)s, %(updated_at)s, %(closed_at)s, %(revision)s, %(evidence)s, %(finding_ids)s, %(incident_id)s, %(commit_no)s);

-- name: change
-- The alert after a change, if it still is what the change was made from.
UPDATE alert SET lease_id = %(lease_id)s, severity = %(severity)s, status = %(status)s, opened_at = %(opened_at)s,
    updated_at = %(updated_at)s, closed_at = %(closed_at)s, revision = %(revision)s, evidence = %(evidence)s,
    finding_ids = %(finding_ids)s, incident_id = %(incident_id)s, commit_no = %(commit_no)s
WHERE alert_id = %(alert_id)s AND revision = %(revision_before)s;

-- name: remember
-- What changed, for the history.
INSERT INTO alert_revision (alert_id, revision, tenant, change, actor, reason, reason_kind, before, after, commit_no)
VALUES (%(alert_id)s, %(revision)s, %(tenant)s, %(change)s, %(actor)s, %(reason)s, %(reason_kind)s, %(before)s, %(after)s,
    %(commit_no)s);
