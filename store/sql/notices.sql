-- name: about
-- Everything decided about some alerts, and about those of which one of some findings was told or not, in order.
SELECT notice_id, tenant, alert_id::text, revision, asset_id::text, asset, finding_id, incident_id::text, rule, severity, kind,
    verdict, event_id, hold_id, why, decided_at
FROM notice
WHERE alert_id IN (
    SELECT alert_id FROM notice WHERE finding_id = ANY (%(finding_ids)s::text[])
    UNION
    SELECT unnest(%(alert_ids)s::uuid[])
)
ORDER BY notice_id;

-- name: held_by
-- What some findings held and hold, in order.
SELECT notice_id, tenant, alert_id::text, revision, asset_id::text, asset, finding_id, incident_id::text, rule, severity, kind,
    verdict, event_id, hold_id, why, decided_at, superseded_by IS NULL AS is_waiting
FROM notice
WHERE hold_id = ANY (%(hold_ids)s::text[]) AND verdict = 'held'
ORDER BY notice_id;

-- name: over_budget
-- What waits for a tenant's next week, in order.
SELECT notice_id, tenant, alert_id::text, revision, asset_id::text, asset, finding_id, incident_id::text, rule, severity, kind,
    verdict, event_id, hold_id, why, decided_at
FROM notice
WHERE tenant = %(tenant)s AND superseded_by IS NULL AND verdict = 'over_budget'
ORDER BY notice_id;

-- name: supersede
-- Those of some alerts that waited wait no more.
UPDATE notice SET superseded_by = next.commit_no
FROM unnest(%(alert_id)s::uuid[], %(commit_no)s::bigint[]) AS next (alert_id, commit_no)
WHERE notice.alert_id = next.alert_id AND notice.superseded_by IS NULL AND notice.verdict IN ('held', 'over_budget');

-- name: insert
-- Decisions in their order; one that is there already is the same decision.
INSERT INTO notice (tenant, alert_id, revision, asset_id, asset, finding_id, incident_id, rule, severity, kind, verdict, event_id,
    hold_id, why, decided_at, commit_no)
SELECT tenant, alert_id, revision, asset_id, asset, finding_id, incident_id, rule, severity, kind, verdict, event_id, hold_id, why,
    decided_at, commit_no
FROM unnest(%(tenant)s::text[], %(alert_id)s::uuid[], %(revision)s::integer[], %(asset_id)s::uuid[], %(asset)s::text[],
    %(finding_id)s::text[], %(incident_id)s::uuid[], %(rule)s::text[], %(severity)s::text[], %(kind)s::text[],
    %(verdict)s::text[], %(event_id)s::text[], %(hold_id)s::text[], %(why)s::jsonb[], %(decided_at)s::timestamptz[],
    %(commit_no)s::bigint[])
    WITH ORDINALITY AS row (tenant, alert_id, revision, asset_id, asset, finding_id, incident_id, rule, severity, kind, verdict,
        event_id, hold_id, why, decided_at, commit_no, place)
ORDER BY place
ON CONFLICT (alert_id, revision, verdict) DO NOTHING;

-- name: causes
-- Open findings of some rules of some tenants; they stay as they are until this transaction ends.
SELECT finding_id, revision, tenant, asset_id::text, asset, rule, rule_version, severity, subject, opened_at, closed_at,
    detected_at, score, evidence, retracted, commit_no
FROM finding
WHERE tenant = ANY (%(tenants)s::text[]) AND rule = ANY (%(rules)s::text[]) AND superseded_by IS NULL AND closed_at IS NULL
    AND NOT retracted
ORDER BY finding_id FOR SHARE;

-- name: origins
-- Who spoke last (by event time) of each asset: `device` or `feed:NAME`.
SELECT DISTINCT ON (attribution.asset_id) attribution.asset_id::text AS asset_id, stream.origin
FROM attribution
JOIN stream USING (stream_id)
JOIN stream_latest USING (stream_id)
WHERE attribution.asset_id = ANY (%(asset_ids)s::uuid[]) AND upper_inf(attribution.recorded)
ORDER BY attribution.asset_id, stream_latest.time DESC, stream.stream_id;
