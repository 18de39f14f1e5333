-- Intervals and lives of assets, components and parts, and how much of each was used when last counted.

-- name: limits
-- Limits of assets, in order of asset, item, part and driver.
SELECT life_limit_id, life.asset_id, asset.class, asset.name AS asset_name, item, serial_no, kind, driver, limit_value, used_value,
    counted_at, cost_amount, currency, lower(recorded) AS recorded_at
FROM life_limit AS life
JOIN asset ON asset.asset_id = life.asset_id
WHERE life.asset_id = ANY (%(assets)s::uuid[])
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END
    AND (%(after)s::bigint IS NULL OR life_limit_id > %(after)s)
ORDER BY life_limit_id
LIMIT %(limit)s;

-- name: close
UPDATE life_limit SET recorded = tstzrange(lower(recorded), greatest(lower(recorded), clock_timestamp()))
WHERE asset_id = %(asset)s AND item = %(item)s AND serial_no IS NOT DISTINCT FROM %(serial_no)s AND driver = %(driver)s
    AND upper_inf(recorded);

-- name: insert
INSERT INTO life_limit (tenant, asset_id, item, serial_no, kind, driver, limit_value, used_value, counted_at, cost_amount, currency,
    recorded)
VALUES (scope_tenant(), %(asset)s, %(item)s, %(serial_no)s, %(kind)s, %(driver)s, %(limit_value)s, %(used_value)s, %(counted_at)s,
    %(cost_amount)s, %(currency)s, tstzrange(clock_timestamp(), NULL))
RETURNING life_limit_id;
