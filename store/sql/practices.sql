-- name: figures
-- A tenant's own figures of practice; the operator's come first, so that a tenant's lie over them.
SELECT name, value, lower(valid) AS from_time, upper(valid) AS to_time
FROM setting
WHERE rule = 'practice'
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END
ORDER BY (tenant = '_') DESC, name, lower(valid) NULLS FIRST
LIMIT %(limit)s;
