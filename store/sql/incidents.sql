-- name: around
-- Current incidents of assets in a time each, those that hold one of some findings, and those of some ids.
SELECT DISTINCT ON (incident_id) incident_id::text, revision, tenant, asset_id::text, asset, severity, rules, opened_at, closed_at,
    finding_ids, retracted, merged_into::text, commit_no
FROM (
    SELECT incident.*
    FROM unnest(%(asset_id)s::uuid[], %(from)s::timestamptz[], %(to)s::timestamptz[]) AS span (asset_id, from_time, to_time)
    JOIN incident ON incident.asset_id = span.asset_id AND superseded_by IS NULL AND NOT retracted
        AND (closed_at IS NULL OR closed_at >= span.from_time) AND opened_at <= span.to_time
    UNION ALL
    SELECT incident.* FROM incident WHERE superseded_by IS NULL AND NOT retracted AND finding_ids && %(finding_ids)s::text[]
    UNION ALL
    SELECT incident.* FROM incident WHERE superseded_by IS NULL AND incident_id = ANY (%(incident_ids)s::uuid[])
) AS found
ORDER BY incident_id;

-- name: members
-- Current findings that may share an incident: of assets in a time each, and some by their ids.
SELECT finding_id, tenant, asset_id::text, asset, rule, severity, opened_at, closed_at
FROM (
    SELECT finding.*
    FROM unnest(%(asset_id)s::uuid[], %(from)s::timestamptz[], %(to)s::timestamptz[]) AS span (asset_id, from_time, to_time)
    JOIN finding ON finding.asset_id = span.asset_id AND superseded_by IS NULL AND NOT retracted
        AND rule = ANY (%(rules)s::text[])
        AND (closed_at IS NULL OR closed_at >= span.from_time) AND opened_at <= span.to_time
    UNION
    SELECT finding.* FROM finding WHERE finding_id = ANY (%(finding_ids)s::text[]) AND superseded_by IS NULL AND NOT retracted
) AS found
ORDER BY opened_at, finding_id;

-- name: supersede
-- Say which commit wrote the next revision.
UPDATE incident SET superseded_by = next.commit_no
FROM unnest(%(incident_id)s::uuid[], %(commit_no)s::bigint[]) AS next (incident_id, commit_no)
WHERE incident.incident_id = next.incident_id AND incident.superseded_by IS NULL;

-- name: insert
-- Revisions; lists travel as JSON, for arrays of arrays must be of one length.
INSERT INTO incident (incident_id, revision, tenant, asset_id, asset, severity, rules, opened_at, closed_at, finding_ids,
    retracted, merged_into, commit_no)
SELECT incident_id, revision, tenant, asset_id, asset, severity, ARRAY(SELECT jsonb_array_elements_text(rules)), opened_at,
    closed_at, ARRAY(SELECT jsonb_array_elements_text(finding_ids)), retracted, merged_into, commit_no
FROM unnest(%(incident_id)s::uuid[], %(revision)s::integer[], %(tenant)s::text[], %(asset_id)s::uuid[], %(asset)s::text[],
    %(severity)s::text[], %(rules)s::jsonb[], %(opened_at)s::timestamptz[], %(closed_at)s::timestamptz[],
    %(finding_ids)s::jsonb[], %(retracted)s::boolean[], %(merged_into)s::uuid[], %(commit_no)s::bigint[])
    AS row (incident_id, revision, tenant, asset_id, asset, severity, rules, opened_at, closed_at, finding_ids, retracted,
        merged_into, commit_no);

-- name: assign
-- Alerts whose latest finding went into another incident.
UPDATE alert SET incident_id = moved.incident_id
FROM unnest(%(finding_id)s::text[], %(incident_id)s::uuid[]) AS moved (finding_id, incident_id)
WHERE alert.finding_ids && %(finding_id)s::text[] AND alert.finding_ids[cardinality(alert.finding_ids)] = moved.finding_id
    AND alert.incident_id IS DISTINCT FROM moved.incident_id;
