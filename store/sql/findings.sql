-- name: hold
-- The current revisions of findings, locked until this transaction ends.
SELECT finding_id, revision, tenant, asset_id::text, asset, rule, rule_version, severity, subject, opened_at, closed_at,
    detected_at, score, evidence, retracted, commit_no
FROM finding WHERE finding_id = ANY (%(finding_ids)s) AND superseded_by IS NULL
ORDER BY finding_id FOR UPDATE;

-- name: supersede
-- Say which commit wrote the next revision.
UPDATE finding SET superseded_by = next.commit_no
FROM unnest(%(finding_id)s::text[], %(revision)s::integer[], %(commit_no)s::bigint[]) AS next (finding_id, revision, commit_no)
WHERE finding.finding_id = next.finding_id AND finding.revision = next.revision;

-- name: current
-- An asset's findings that are or were open after an instant, or were detected after it, in their current revision.
SELECT finding_id, revision, tenant, asset_id::text, asset, rule, rule_version, severity, subject, opened_at, closed_at,
    detected_at, score, evidence, retracted, commit_no
FROM finding
WHERE asset_id = %(asset_id)s AND superseded_by IS NULL AND NOT retracted
    AND (closed_at IS NULL OR closed_at >= %(from)s OR detected_at >= %(from)s)
ORDER BY detected_at, asset, rule, subject NULLS FIRST, finding_id;

-- name: insert
-- Revisions, those within one batch already superseded. (COPY refuses tables with row security.)
INSERT INTO finding (finding_id, revision, tenant, asset_id, asset, rule, rule_version, severity, subject, opened_at, closed_at,
    detected_at, score, evidence, retracted, commit_no, superseded_by)
SELECT * FROM unnest(%(finding_id)s::text[], %(revision)s::integer[], %(tenant)s::text[], %(asset_id)s::uuid[], %(asset)s::text[],
    %(rule)s::text[], %(rule_version)s::integer[], %(severity)s::text[], %(subject)s::text[], %(opened_at)s::timestamptz[],
    %(closed_at)s::timestamptz[], %(detected_at)s::timestamptz[], %(score)s::float8[], %(evidence)s::jsonb[],
    %(retracted)s::boolean[], %(commit_no)s::bigint[], %(superseded_by)s::bigint[]);
