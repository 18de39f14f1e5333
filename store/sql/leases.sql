-- name: at
-- The head lease of an asset at an instant.
SELECT lease_id::text AS lease_id
FROM lease
WHERE asset_id = %(asset_id)s::uuid AND head AND upper_inf(recorded) AND valid @> %(at)s::timestamptz;
