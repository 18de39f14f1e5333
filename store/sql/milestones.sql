-- name: told
-- Reported milestones of assets as believed, in the order they were recorded.
SELECT asset_event_id::text, asset_id::text, kind, at, evidence
FROM asset_event
WHERE asset_id = ANY (%(assets)s::uuid[]) AND basis = 'reported'
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END
ORDER BY lower(recorded), asset_event_id;

-- name: in_shop
-- When assets were in a shop, a yard or a dock, as believed.
SELECT asset_id::text, lower(actual) AS from_time, upper(actual) AS to_time
FROM maintenance_event
WHERE asset_id = ANY (%(assets)s::uuid[]) AND actual IS NOT NULL
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END;

-- name: open_statuses
-- Which statuses of assets were open at an instant, by reported events and by stays in shops, as believed.
SELECT asset_id::text, status FROM (
    SELECT DISTINCT ON (asset_id, named.status) asset_id, named.status, kind = named.status || '_started' AS open
    FROM asset_event JOIN unnest(%(statuses)s::text[]) AS named (status)
        ON kind IN (named.status || '_started', named.status || '_ended')
    WHERE asset_id = ANY (%(assets)s::uuid[]) AND basis = 'reported' AND at <= %(at)s::timestamptz
        AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END
    ORDER BY asset_id, named.status, at DESC, lower(recorded) DESC) AS last
WHERE open
UNION
SELECT asset_id::text, 'maintenance' FROM maintenance_event
WHERE asset_id = ANY (%(assets)s::uuid[]) AND actual @> %(at)s::timestamptz
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END;

-- name: built
-- Of these assets, those whose day of build is known.
SELECT asset_id::text FROM asset WHERE asset_id = ANY (%(assets)s::uuid[]) AND particulars ? 'built_on';

-- name: set_stage
UPDATE asset SET stage = %(stage)s::text WHERE asset_id = %(asset_id)s::uuid AND stage IS DISTINCT FROM %(stage)s::text;

-- name: add_event
INSERT INTO asset_event (asset_event_id, tenant, asset_id, kind, basis, at, evidence, actor, corrects,
    recorded)
VALUES (%(event_id)s::uuid, %(tenant)s, %(asset_id)s::uuid, %(kind)s, %(basis)s, %(at)s::timestamptz, %(evidence)s, %(actor)s,
    %(corrects)s::uuid, tstzrange(now(), NULL));

-- name: close_events
-- These are no longer believed.
UPDATE asset_event SET recorded = tstzrange(lower(recorded), greatest(lower(recorded), now()))
WHERE asset_event_id = ANY (%(event_ids)s::uuid[]) AND upper_inf(recorded);

-- name: event
-- One event of an asset as believed now.
SELECT asset_event_id::text, asset_id::text, kind, basis, at FROM asset_event
WHERE asset_event_id = %(event_id)s::uuid AND asset_id = %(asset_id)s::uuid AND upper_inf(recorded);

-- name: event_list
-- Events of an asset, earliest first; those that were corrected too when asked for.
SELECT asset_event_id::text, asset_id::text, kind, basis, at, evidence, actor, corrects::text, lower(recorded) AS recorded_at,
    upper(recorded) AS superseded_at
FROM asset_event
WHERE asset_id = %(asset_id)s::uuid AND (%(at)s::timestamptz IS NULL OR at <= %(at)s::timestamptz)
    AND (%(basis)s::text IS NULL OR basis = %(basis)s)
    AND (%(superseded)s OR CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded)
        ELSE recorded @> %(known)s::timestamptz END)
    AND (%(after_time)s::timestamptz IS NULL OR (at, asset_event_id) > (%(after_time)s::timestamptz, %(after_id)s::uuid))
ORDER BY at, asset_event_id
LIMIT %(limit)s;

-- name: add_maintenance
INSERT INTO maintenance_event (tenant, asset_id, kind, planned, actual, place, use_at, cost_amount, currency, evidence, actor)
VALUES (%(tenant)s, %(asset_id)s::uuid, %(kind)s,
    CASE WHEN %(planned_from)s::timestamptz IS NOT NULL
        THEN tstzrange(%(planned_from)s::timestamptz, %(planned_to)s::timestamptz) END,
    CASE WHEN %(actual_from)s::timestamptz IS NOT NULL
        THEN tstzrange(%(actual_from)s::timestamptz, %(actual_to)s::timestamptz) END,
    %(place)s, %(use_at)s, %(cost_amount)s::numeric, %(currency)s, %(evidence)s, %(actor)s)
RETURNING maintenance_event_id::text;

-- name: close_maintenance
UPDATE maintenance_event SET recorded = tstzrange(lower(recorded), now())
WHERE maintenance_event_id = %(maintenance_event_id)s::uuid AND asset_id = %(asset_id)s::uuid AND upper_inf(recorded)
RETURNING maintenance_event_id;

-- name: maintenance
-- Maintenance of an asset as believed, planned and done, by when it began or shall; with `at` what was under way then.
SELECT maintenance_event_id::text, asset_id::text, kind, lower(planned) AS planned_from, upper(planned) AS planned_to,
    lower(actual) AS actual_from, upper(actual) AS actual_to, place, use_at, cost_amount, currency, evidence, actor,
    lower(recorded) AS recorded_at
FROM maintenance_event
WHERE asset_id = %(asset_id)s::uuid
    AND (%(maintenance_event_id)s::uuid IS NULL OR maintenance_event_id = %(maintenance_event_id)s::uuid)
    AND (%(at)s::timestamptz IS NULL OR actual @> %(at)s::timestamptz)
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END
    AND (%(after_time)s::timestamptz IS NULL
        OR (coalesce(lower(actual), lower(planned)), maintenance_event_id) > (%(after_time)s::timestamptz, %(after_id)s::uuid))
ORDER BY coalesce(lower(actual), lower(planned)), maintenance_event_id
LIMIT %(limit)s;
