-- Ports, anchorages and other areas, dated twice.

-- name: import
-- Areas as of now: what they replace in their period is closed, not erased; the same again changes nothing.
WITH given AS (
    SELECT wanted.*, tstzrange(valid_from, valid_to) AS valid, ARRAY(SELECT jsonb_array_elements_text(classes)) AS applies_to
    FROM unnest(%(area_id)s::text[], %(area_set)s::text[], %(name)s::text[], %(kind)s::text[], %(classes)s::jsonb[],
        %(issuer)s::text[], %(version)s::text[], %(severity)s::text[], %(geometry)s::jsonb[], %(radius_m)s::float8[],
        %(west)s::float8[], %(south)s::float8[], %(east)s::float8[], %(north)s::float8[], %(from)s::timestamptz[],
        %(to)s::timestamptz[])
        AS wanted (area_id, area_set, name, kind, classes, issuer, version, severity, geometry, radius_m, west_deg, south_deg,
            east_deg, north_deg, valid_from, valid_to)
), fresh AS (
    SELECT given.* FROM given WHERE NOT EXISTS (
        SELECT FROM area WHERE area.tenant = %(tenant)s AND area.area_id = given.area_id AND upper_inf(area.recorded)
            AND area.valid = given.valid AND area.name = given.name AND area.kind = given.kind
            AND area.applies_to = given.applies_to AND area.issuer = given.issuer AND area.version = given.version
            AND area.severity = given.severity AND area.geometry = given.geometry
            AND area.radius_m IS NOT DISTINCT FROM given.radius_m AND area.area_set IS NOT DISTINCT FROM given.area_set)
), closed AS (
    UPDATE area SET recorded = tstzrange(lower(area.recorded), now())
    FROM fresh
    WHERE area.tenant = %(tenant)s AND area.area_id = fresh.area_id AND upper_inf(area.recorded) AND area.valid && fresh.valid
    RETURNING area.*, fresh.valid AS period
), kept AS (
    INSERT INTO area (tenant, area_id, area_set, name, kind, applies_to, issuer, version, severity, geometry, radius_m, west_deg,
        south_deg, east_deg, north_deg, source, valid)
    SELECT tenant, area_id, area_set, name, kind, applies_to, issuer, version, severity, geometry, radius_m, west_deg, south_deg,
        east_deg, north_deg, source, unnest(tstzmultirange(valid) - tstzmultirange(period))
    FROM closed
    UNION ALL
    SELECT %(tenant)s, area_id, area_set, name, kind, applies_to, issuer, version, severity, geometry, radius_m, west_deg, south_deg,
        east_deg, north_deg, %(source)s, valid
    FROM fresh WHERE (SELECT count(*) FROM closed) >= 0
    RETURNING 1
)
SELECT (SELECT count(*) FROM given) AS given, (SELECT count(*) FROM fresh) AS fresh,
    (SELECT count(DISTINCT area_id) FROM closed) AS replaced, (SELECT count(*) FROM kept) AS kept;

-- name: end
-- From an instant on an area is not in force.
WITH closed AS (
    UPDATE area SET recorded = tstzrange(lower(recorded), now())
    WHERE tenant = %(tenant)s AND area_id = %(area_id)s AND upper_inf(recorded) AND valid && tstzrange(%(at)s::timestamptz, NULL)
    RETURNING *
), kept AS (
    INSERT INTO area (tenant, area_id, area_set, name, kind, applies_to, issuer, version, severity, geometry, radius_m, west_deg,
        south_deg, east_deg, north_deg, source, valid)
    SELECT tenant, area_id, area_set, name, kind, applies_to, issuer, version, severity, geometry, radius_m, west_deg, south_deg,
        east_deg, north_deg, source, valid * tstzrange(NULL, %(at)s::timestamptz)
    FROM closed WHERE NOT isempty(valid * tstzrange(NULL, %(at)s::timestamptz))
)
SELECT count(*) AS count FROM closed;

-- name: areas
-- Areas of the tenant and of everybody by id, filtered; with `at` those in force then.
SELECT area_row_id, tenant, area_id, area_set, name, kind, applies_to, issuer, version, severity, geometry, radius_m, west_deg, south_deg,
    east_deg, north_deg, source, lower(valid) AS valid_from, upper(valid) AS valid_to, lower(recorded) AS recorded_at
FROM area
WHERE (%(area_id)s::text IS NULL OR area_id = %(area_id)s)
    AND (%(kinds)s::text[] IS NULL OR kind = ANY (%(kinds)s))
    AND (%(area_set)s::text IS NULL OR area_set = %(area_set)s)
    AND (%(q)s::text IS NULL OR name ILIKE %(q)s OR area_id ILIKE %(q)s)
    AND (%(west)s::float8 IS NULL OR (south_deg <= %(north)s AND north_deg >= %(south)s AND (
        (west_deg <= east_deg AND %(west)s::float8 <= %(east)s::float8 AND west_deg <= %(east)s AND east_deg >= %(west)s)
        OR ((west_deg > east_deg) <> (%(west)s::float8 > %(east)s::float8) AND (west_deg <= %(east)s OR east_deg >= %(west)s))
        OR (west_deg > east_deg AND %(west)s::float8 > %(east)s::float8))))
    AND (%(at)s::timestamptz IS NULL OR valid @> %(at)s::timestamptz)
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END
    AND (%(after_id)s::text IS NULL OR (area_id, area_row_id) > (%(after_id)s, %(after_row)s))
ORDER BY area_id, area_row_id
LIMIT %(limit)s;
