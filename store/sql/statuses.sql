-- name: offline_feeds
-- A tenant's own feeds and the operator's feeds granted to it whose last status at an instant was offline.
SELECT tenant, origin
FROM (
    SELECT DISTINCT ON (tenant, origin) tenant, origin, online
    FROM status_report
    WHERE starts_with(origin, 'feed:') AND received_at <= %(at)s AND (
        tenant = %(tenant)s
        OR tenant = '_' AND EXISTS (
            SELECT FROM feed_grant WHERE feed_grant.tenant = %(tenant)s AND origin = 'feed:' || feed_grant.feed AND valid @> %(at)s
        )
    )
    ORDER BY tenant, origin, received_at DESC, status_report_id DESC
) AS latest
WHERE NOT online;
