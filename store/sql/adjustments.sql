-- name: believed
-- Thresholds of single assets as believed now, in the order in which they were made.
SELECT asset_id::text, rule, name, value, lower(valid) AS from_time, upper(valid) AS to_time
FROM adjustment WHERE upper_inf(recorded)
ORDER BY asset_id, rule, name, adjustment_id;

-- name: held
-- What an asset's tenant has set for all its assets, and the threshold that dismissals gave it; either may be NULL.
SELECT (
    SELECT setting.value FROM setting
    WHERE rule = %(rule)s AND name = %(name)s AND upper_inf(recorded) AND valid @> %(at)s::timestamptz
        AND jsonb_typeof(setting.value) = 'number' AND setting.tenant = asset.tenant
    LIMIT 1) AS setting, last.base, last.value
FROM asset
LEFT JOIN LATERAL (
    SELECT base, value FROM adjustment
    WHERE adjustment.asset_id = asset.asset_id AND rule = %(rule)s AND name = %(name)s AND upper_inf(recorded)
    ORDER BY adjustment_id DESC LIMIT 1
) AS last ON true
WHERE asset.asset_id = %(asset)s::uuid;

-- name: add
-- A threshold of an asset, on record from now on.
INSERT INTO adjustment (tenant, asset_id, rule, name, base, value, at_bound, alert_id, finding_id, reason, actor, valid)
VALUES (%(tenant)s, %(asset)s, %(rule)s, %(name)s, %(base)s, %(value)s, %(at_bound)s, %(alert)s, %(finding)s, %(reason)s, %(actor)s,
    tstzrange(%(from)s::timestamptz, NULL))
RETURNING adjustment_id;

-- name: page
-- Thresholds that dismissals made, the newest first.
SELECT adjustment_id, asset_id, rule, name, base, value, at_bound, alert_id, finding_id, reason, actor, lower(valid) AS valid_from,
    lower(recorded) AS recorded_at, upper(recorded) AS withdrawn_at, withdrawn_by, withdrawn_reason
FROM adjustment
WHERE (%(adjustment)s::bigint IS NULL OR adjustment_id = %(adjustment)s)
    AND (%(asset)s::uuid IS NULL OR asset_id = %(asset)s)
    AND (%(alert)s::uuid IS NULL OR alert_id = %(alert)s)
    AND (%(rule)s::text IS NULL OR rule = %(rule)s)
    AND (%(withdrawn)s OR upper_inf(recorded))
    AND (%(after)s::bigint IS NULL OR adjustment_id < %(after)s)
ORDER BY adjustment_id DESC
LIMIT %(limit)s;

-- name: withdraw
-- Believe from now on neither this one nor those that were made on top of it.
UPDATE adjustment SET recorded = tstzrange(lower(adjustment.recorded), now()), withdrawn_by = %(actor)s, withdrawn_reason = %(reason)s
FROM adjustment AS first
WHERE first.adjustment_id = %(adjustment)s AND adjustment.asset_id = first.asset_id AND adjustment.rule = first.rule
    AND adjustment.name = first.name AND adjustment.adjustment_id >= first.adjustment_id AND upper_inf(adjustment.recorded)
RETURNING adjustment.asset_id, lower(adjustment.valid) AS valid_from;

-- name: derive_again
-- Mark an asset to be derived again within the horizon.
SELECT derive_again(%(asset)s::uuid, %(from)s::timestamptz, %(horizon)s::interval) AS from_time;
