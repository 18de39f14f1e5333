-- What must be so at redelivery, and whether it is; a change closes what was believed and adds a revision.

-- name: conditions
SELECT return_condition_id, revision, lease_id, requirement, status, evidence, due_on, actor, lower(recorded) AS recorded_at
FROM return_condition
WHERE lease_id = %(lease)s
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END
    AND (%(condition)s::text IS NULL OR return_condition_id = %(condition)s)
    AND (%(statuses)s::text[] IS NULL OR status = ANY (%(statuses)s))
    AND (%(after)s::text IS NULL OR return_condition_id > %(after)s)
ORDER BY return_condition_id
LIMIT %(limit)s;

-- name: close
UPDATE return_condition SET recorded = tstzrange(lower(recorded), greatest(lower(recorded), clock_timestamp()))
WHERE lease_id = %(lease)s AND return_condition_id = %(condition)s AND upper_inf(recorded);

-- name: insert
INSERT INTO return_condition (return_condition_id, revision, tenant, lease_id, requirement, status, evidence, due_on, actor, recorded)
VALUES (%(condition)s, %(revision)s, scope_tenant(), %(lease)s, %(requirement)s, %(status)s, %(evidence)s, %(due_on)s, %(actor)s,
    tstzrange(clock_timestamp(), NULL));
