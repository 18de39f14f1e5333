-- name: fixes_at
-- Traffic last heard in a window, on a tenant's feeds and on those of the operator granted to it.
SELECT tenant, origin, class, scheme, value, time, lat_deg, lon_deg, speed_kn, kind
FROM traffic
WHERE time > %(since)s AND time <= %(at)s
    AND (
        tenant = %(tenant)s
        OR tenant = '_' AND EXISTS (
            SELECT FROM feed_grant
            WHERE feed_grant.tenant = %(tenant)s AND traffic.origin = 'feed:' || feed_grant.feed AND feed_grant.valid @> traffic.time
        )
    );

-- name: is_known
-- Whether there is traffic on a tenant's feeds or on the operator's granted to it.
SELECT EXISTS (
    SELECT FROM traffic WHERE tenant = %(tenant)s
    UNION ALL
    SELECT FROM traffic JOIN feed_grant ON feed_grant.tenant = %(tenant)s AND traffic.origin = 'feed:' || feed_grant.feed
    WHERE traffic.tenant = '_'
) AS known;
