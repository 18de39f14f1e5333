-- Who an asset is and what it consists of: identifiers, names, flags, installations. Inside a scope, or as the worker.

-- name: bear_identifier
-- From now on believe that an asset bore an identifier in a period; of schemes borne one at a time (`alone`) others end for it.
WITH period AS (
    SELECT tstzrange(%(from)s::timestamptz, %(to)s::timestamptz) AS valid
), owner AS (
    SELECT asset_id, tenant, class FROM asset WHERE asset_id = %(asset)s::uuid
), closed AS (
    UPDATE identifier SET recorded = tstzrange(lower(recorded), now())
    FROM period
    WHERE identifier.asset_id = %(asset)s::uuid AND scheme = %(scheme)s AND upper_inf(recorded)
        AND identifier.valid && period.valid AND (%(alone)s OR value = %(value)s)
    RETURNING value, identifier.valid AS valid, source
), pieces AS (
    SELECT value, unnest(tstzmultirange(closed.valid) - tstzmultirange(period.valid)) AS valid, source FROM closed, period
    UNION ALL
    SELECT %(value)s, period.valid, %(source)s FROM period WHERE (SELECT count(*) FROM closed) >= 0
)
INSERT INTO identifier (asset_id, tenant, class, scheme, value, valid, source)
SELECT owner.asset_id, owner.tenant, owner.class, %(scheme)s, pieces.value, pieces.valid, pieces.source FROM pieces, owner;

-- name: bear_designation
-- The same of a name or a flag: one at a time, always.
WITH period AS (
    SELECT tstzrange(%(from)s::timestamptz, %(to)s::timestamptz) AS valid
), owner AS (
    SELECT asset_id, tenant FROM asset WHERE asset_id = %(asset)s::uuid
), closed AS (
    UPDATE designation SET recorded = tstzrange(lower(recorded), now())
    FROM period
    WHERE designation.asset_id = %(asset)s::uuid AND kind = %(scheme)s AND upper_inf(recorded) AND designation.valid && period.valid
    RETURNING value, designation.valid AS valid, source
), pieces AS (
    SELECT value, unnest(tstzmultirange(closed.valid) - tstzmultirange(period.valid)) AS valid, source FROM closed, period
    UNION ALL
    SELECT %(value)s, period.valid, %(source)s FROM period WHERE (SELECT count(*) FROM closed) >= 0
)
INSERT INTO designation (asset_id, tenant, kind, value, valid, source)
SELECT owner.asset_id, owner.tenant, %(scheme)s, pieces.value, pieces.valid, pieces.source FROM pieces, owner;

-- name: first_name
-- The name an asset was registered under becomes its name of all time, before another is put beside it.
INSERT INTO designation (asset_id, tenant, kind, value, source)
SELECT asset_id, tenant, 'name', left(name, 120), 'registration' FROM asset
WHERE asset_id = %(asset)s::uuid AND NOT EXISTS (
    SELECT FROM designation WHERE designation.asset_id = asset.asset_id AND kind = 'name' AND upper_inf(recorded));

-- name: show_name
-- The name of today is the one that lists show.
UPDATE asset SET name = designation.value FROM designation
WHERE asset.asset_id = %(asset)s::uuid AND designation.asset_id = asset.asset_id AND kind = 'name' AND upper_inf(recorded)
    AND valid @> now() AND asset.name <> designation.value;

-- name: end_identifier
-- From an instant on an identifier is not borne: what was believed of the time after it is closed.
WITH closed AS (
    UPDATE identifier SET recorded = tstzrange(lower(recorded), now())
    WHERE asset_id = %(asset)s::uuid AND scheme = %(scheme)s AND value = %(value)s AND upper_inf(recorded)
        AND valid && tstzrange(%(at)s::timestamptz, NULL)
    RETURNING tenant, class, valid, source
), kept AS (
    INSERT INTO identifier (asset_id, tenant, class, scheme, value, valid, source)
    SELECT %(asset)s::uuid, tenant, class, %(scheme)s, %(value)s, valid * tstzrange(NULL, %(at)s::timestamptz), source
    FROM closed WHERE NOT isempty(valid * tstzrange(NULL, %(at)s::timestamptz))
)
SELECT count(*) AS count, max(upper(valid)) AS to_time, bool_or(upper_inf(valid)) AS is_open FROM closed;

-- name: end_designation
-- The same of a name or a flag.
WITH closed AS (
    UPDATE designation SET recorded = tstzrange(lower(recorded), now())
    WHERE asset_id = %(asset)s::uuid AND kind = %(scheme)s AND value = %(value)s AND upper_inf(recorded)
        AND valid && tstzrange(%(at)s::timestamptz, NULL)
    RETURNING tenant, valid, source
), kept AS (
    INSERT INTO designation (asset_id, tenant, kind, value, valid, source)
    SELECT %(asset)s::uuid, tenant, %(scheme)s, %(value)s, valid * tstzrange(NULL, %(at)s::timestamptz), source
    FROM closed WHERE NOT isempty(valid * tstzrange(NULL, %(at)s::timestamptz))
)
SELECT count(*) AS count, max(upper(valid)) AS to_time, bool_or(upper_inf(valid)) AS is_open FROM closed;

-- name: bearer
-- Which other asset of the tenant and class bears an identifier somewhere in a period.
SELECT other.asset_id FROM identifier AS other
JOIN asset ON asset.asset_id = %(asset)s::uuid AND asset.tenant = other.tenant AND asset.class = other.class
WHERE other.scheme = %(scheme)s AND other.value = %(value)s AND other.asset_id <> asset.asset_id AND upper_inf(other.recorded)
    AND other.valid && tstzrange(%(from)s::timestamptz, %(to)s::timestamptz)
ORDER BY other.asset_id LIMIT 1;

-- name: reattribute
-- Let streams follow, and mark what is to be derived again.
SELECT reattribute(%(asset)s::uuid, tstzrange(%(from)s::timestamptz, %(to)s::timestamptz)) AS changed;

-- name: install
-- From now on believe that a component sat on a parent in a period; where else it was in it is closed.
WITH period AS (
    SELECT tstzrange(%(from)s::timestamptz, %(to)s::timestamptz) AS valid
), owner AS (
    SELECT asset_id, tenant FROM asset WHERE asset_id = %(asset)s::uuid
), closed AS (
    UPDATE installation SET recorded = tstzrange(lower(recorded), now())
    FROM period
    WHERE installation.asset_id = %(asset)s::uuid AND upper_inf(recorded) AND installation.valid && period.valid
    RETURNING parent_asset_id, position, installation.valid AS valid, source
), pieces AS (
    SELECT parent_asset_id, position, unnest(tstzmultirange(closed.valid) - tstzmultirange(period.valid)) AS valid, source
    FROM closed, period
    UNION ALL
    SELECT %(parent)s::uuid, %(position)s, period.valid, %(source)s FROM period WHERE (SELECT count(*) FROM closed) >= 0
)
INSERT INTO installation (asset_id, tenant, parent_asset_id, position, valid, source)
SELECT owner.asset_id, owner.tenant, pieces.parent_asset_id, pieces.position, pieces.valid, pieces.source FROM pieces, owner;

-- name: remove
-- From an instant on a component sits nowhere; how many beliefs that closed.
WITH closed AS (
    UPDATE installation SET recorded = tstzrange(lower(recorded), now())
    WHERE asset_id = %(asset)s::uuid AND upper_inf(recorded) AND valid && tstzrange(%(at)s::timestamptz, NULL)
    RETURNING tenant, parent_asset_id, position, valid, source
), kept AS (
    INSERT INTO installation (asset_id, tenant, parent_asset_id, position, valid, source)
    SELECT %(asset)s::uuid, tenant, parent_asset_id, position, valid * tstzrange(NULL, %(at)s::timestamptz), source
    FROM closed WHERE NOT isempty(valid * tstzrange(NULL, %(at)s::timestamptz))
)
SELECT count(*) AS count FROM closed;

-- name: occupant
-- Which other component sits in a position of a parent somewhere in a period.
SELECT asset_id FROM installation
WHERE parent_asset_id = %(parent)s::uuid AND position = %(position)s AND asset_id <> %(asset)s::uuid AND upper_inf(recorded)
    AND valid && tstzrange(%(from)s::timestamptz, %(to)s::timestamptz)
ORDER BY asset_id LIMIT 1;

-- name: installations
-- Where an asset sat, and what sat on it, the latest first; with `at` what holds then.
SELECT installation_id, component.asset_id, component.class, component.name, component.type, parent.asset_id AS parent_asset_id,
    parent.name AS parent_name, position, lower(valid) AS valid_from, upper(valid) AS valid_to, lower(recorded) AS recorded_at, source
FROM installation
JOIN asset AS component USING (asset_id)
JOIN asset AS parent ON parent.asset_id = installation.parent_asset_id
WHERE (installation.asset_id = %(asset)s::uuid OR installation.parent_asset_id = %(asset)s::uuid)
    AND (%(at)s::timestamptz IS NULL OR valid @> %(at)s::timestamptz)
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END
    AND (%(after)s::bigint IS NULL OR installation_id < %(after)s)
ORDER BY installation_id DESC
LIMIT %(limit)s;
