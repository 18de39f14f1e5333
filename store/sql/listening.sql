-- name: extend
-- One interval in place of those it touches or nearly touches.
WITH touched AS (
    DELETE FROM listening
    WHERE tenant = %(tenant)s AND origin = %(origin)s AND during && tstzrange(
        %(from)s::timestamptz - %(gap_max_us)s * interval '1 microsecond',
        %(to)s::timestamptz + %(gap_max_us)s * interval '1 microsecond', '[]')
    RETURNING during
)
INSERT INTO listening (tenant, origin, during)
SELECT %(tenant)s, %(origin)s,
    tstzrange(least(min(lower(during)), %(from)s::timestamptz), greatest(max(upper(during)), %(to)s::timestamptz))
FROM touched;

-- name: during
-- When an origin was listened to within a stretch of time.
SELECT lower(during) AS from_time, upper(during) AS to_time FROM listening
WHERE tenant = %(tenant)s AND origin = %(origin)s AND during && tstzrange(%(from)s::timestamptz, %(to)s::timestamptz)
ORDER BY during;
