-- name: hold
-- One pass of a tenant at a time: held until this transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended('keelwing.daily_pass.' || %(tenant)s::text, 0));

-- name: tenants
-- Lessors that have assets.
SELECT tenant FROM tenant WHERE tenant <> '_' AND EXISTS (SELECT FROM asset WHERE asset.tenant = tenant.tenant) ORDER BY tenant;

-- name: first
-- The first pass of a day: what it knew is what the day was judged by.
SELECT known_at, assets, conditions, written FROM daily_pass
WHERE tenant = %(tenant)s AND day = %(day)s ORDER BY daily_pass_id LIMIT 1;

-- name: newest
-- The newest day that was judged.
SELECT max(day) AS day FROM daily_pass WHERE tenant = %(tenant)s;

-- name: insert
INSERT INTO daily_pass (tenant, day, known_at, assets, conditions, written, actor)
VALUES (%(tenant)s, %(day)s, %(known_at)s, %(assets)s, %(conditions)s, %(written)s, %(actor)s);

-- name: standing
-- Open episodes of rules about assets, in their current revision; of breaches of covenants those on use, others are not a calendar's.
SELECT finding_id, asset_id::text, asset, rule, subject, severity, opened_at, evidence
FROM finding
WHERE asset_id = ANY (%(assets)s::uuid[]) AND rule = ANY (%(rules)s::text[]) AND NOT retracted AND closed_at IS NULL
    AND superseded_by IS NULL AND (rule <> 'covenant_breach' OR evidence ->> 'what' = 'use')
ORDER BY asset_id, rule, subject, opened_at;
