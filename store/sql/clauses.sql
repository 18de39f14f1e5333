-- name: put_territory_rule
-- A territory rule, or another revision of the one of that id; what was believed is closed.
WITH closed AS (
    UPDATE territory_rule SET recorded = tstzrange(lower(recorded), now())
    WHERE lease_id = %(lease_id)s::uuid AND territory_rule_id = %(id)s AND upper_inf(recorded)
    RETURNING 1
)
INSERT INTO territory_rule (territory_rule_id, revision, tenant, lease_id, kind, event_scope, area_set, area_set_version,
    prior_notice_h, carve_outs, severity, is_active, valid, actor)
SELECT %(id)s, 1 + coalesce((SELECT max(revision) FROM territory_rule
        WHERE lease_id = %(lease_id)s::uuid AND territory_rule_id = %(id)s), 0), %(tenant)s, %(lease_id)s::uuid, %(kind)s,
    %(event_scope)s, %(area_set)s, %(area_set_version)s, %(prior_notice_h)s, %(carve_outs)s::text[], %(severity)s, %(is_active)s,
    tstzrange(%(from)s::timestamptz, %(to)s::timestamptz), %(actor)s
WHERE (SELECT count(*) FROM closed) >= 0
RETURNING revision;

-- name: territory_rules
SELECT territory_rule_id, revision, lease_id::text, kind, event_scope, area_set, area_set_version, prior_notice_h, carve_outs,
    severity, is_active, lower(valid) AS valid_from, upper(valid) AS valid_to, lower(recorded) AS recorded_at, actor
FROM territory_rule
WHERE lease_id = %(lease_id)s::uuid AND (%(id)s::text IS NULL OR territory_rule_id = %(id)s)
    AND (%(at)s::timestamptz IS NULL OR valid @> %(at)s::timestamptz)
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END
    AND (%(after)s::text IS NULL OR territory_rule_id > %(after)s)
ORDER BY territory_rule_id
LIMIT %(limit)s;

-- name: put_covenant
-- A covenant, or another revision of the one of that id; what was believed is closed.
WITH closed AS (
    UPDATE covenant SET recorded = tstzrange(lower(recorded), now())
    WHERE lease_id = %(lease_id)s::uuid AND covenant_id = %(id)s AND upper_inf(recorded)
    RETURNING 1
)
INSERT INTO covenant (covenant_id, revision, tenant, lease_id, clause, predicate, severity, is_active, valid, actor)
SELECT %(id)s, 1 + coalesce((SELECT max(revision) FROM covenant
        WHERE lease_id = %(lease_id)s::uuid AND covenant_id = %(id)s), 0), %(tenant)s, %(lease_id)s::uuid, %(clause)s,
    %(predicate)s::jsonb, %(severity)s, %(is_active)s, tstzrange(%(from)s::timestamptz, %(to)s::timestamptz), %(actor)s
WHERE (SELECT count(*) FROM closed) >= 0
RETURNING revision;

-- name: covenants
SELECT covenant_id, revision, lease_id::text, clause, predicate, severity, is_active, lower(valid) AS valid_from, upper(valid) AS valid_to,
    lower(recorded) AS recorded_at, actor
FROM covenant
WHERE lease_id = %(lease_id)s::uuid AND (%(id)s::text IS NULL OR covenant_id = %(id)s)
    AND (%(at)s::timestamptz IS NULL OR valid @> %(at)s::timestamptz)
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END
    AND (%(after)s::text IS NULL OR covenant_id > %(after)s)
ORDER BY covenant_id
LIMIT %(limit)s;

-- name: put_insurance
-- Cover of a lease; with an id another revision of it: what was believed is closed. No row for an id that is not there.
WITH closed AS (
    UPDATE insurance SET recorded = tstzrange(lower(recorded), now())
    WHERE lease_id = %(lease_id)s::uuid AND insurance_id = %(id)s::uuid AND upper_inf(recorded)
    RETURNING insurance_id, revision
)
INSERT INTO insurance (insurance_id, revision, tenant, lease_id, kind, insurer, agreed_value_amount, currency, cover, area_set,
    cancellation_notice_days, loss_payee, certificates, actor)
SELECT coalesce(%(id)s::uuid, gen_random_uuid()), 1 + coalesce((SELECT max(revision) FROM closed), 0), %(tenant)s,
    %(lease_id)s::uuid, %(kind)s, %(insurer)s, %(agreed_value_amount)s::numeric, %(currency)s,
    tstzrange(%(from)s::timestamptz, %(to)s::timestamptz), %(area_set)s, %(cancellation_notice_days)s::int, %(loss_payee)s,
    %(certificates)s::jsonb, %(actor)s
WHERE %(id)s::uuid IS NULL OR EXISTS (SELECT FROM closed)
RETURNING insurance_id::text, revision;

-- name: insurances
SELECT insurance_id::text, revision, lease_id::text, kind, insurer, agreed_value_amount, currency, lower(cover) AS cover_from,
    upper(cover) AS cover_to, area_set, cancellation_notice_days, loss_payee, certificates, lower(recorded) AS recorded_at, actor
FROM insurance
WHERE lease_id = ANY (%(lease_ids)s::uuid[]) AND (%(id)s::uuid IS NULL OR insurance_id = %(id)s::uuid)
    AND (%(at)s::timestamptz IS NULL OR cover @> %(at)s::timestamptz)
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END
    AND (%(after)s::uuid IS NULL OR insurance_id > %(after)s::uuid)
ORDER BY insurance_id
LIMIT %(limit)s;
