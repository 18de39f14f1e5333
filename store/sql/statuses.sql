-- name: offline_feeds
-- Feeds of a tenant and of the operator whose last status at an instant was offline.
SELECT origin
FROM (
    SELECT DISTINCT ON (tenant, origin) origin, online
    FROM status_report
    WHERE tenant IN (%(tenant)s, '_') AND starts_with(origin, 'feed:') AND received_at <= %(at)s
    ORDER BY tenant, origin, received_at DESC, status_report_id DESC
) AS latest
WHERE NOT online;
