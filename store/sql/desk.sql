-- What people change through the API. Every block runs inside a scope; row security keeps other tenants out.

-- name: change_asset
-- New name, type or particulars; a NULL name stays, `type_given` tells a type to erase from one left alone.
UPDATE asset SET name = coalesce(%(name)s::text, name),
    type = CASE WHEN %(type_given)s THEN %(type)s::text ELSE type END,
    particulars = jsonb_strip_nulls(particulars || %(particulars)s::jsonb)
WHERE asset_id = %(asset)s;

-- name: add_comment
INSERT INTO alert_comment (alert_id, tenant, author, comment)
SELECT alert_id, tenant, %(author)s, %(comment)s FROM alert WHERE alert_id = %(alert)s
RETURNING alert_comment_id, written_at;

-- name: create_webhook
INSERT INTO webhook (tenant, url, description, types, severity_min, secret)
VALUES (scope_tenant(), %(url)s, %(description)s, %(types)s, %(severity_min)s, %(secret)s)
RETURNING webhook_id;

-- name: change_webhook
UPDATE webhook SET url = coalesce(%(url)s::text, url), description = coalesce(%(description)s::text, description),
    types = coalesce(%(types)s::text[], types),
    severity_min = CASE WHEN %(severity_given)s THEN %(severity_min)s::text ELSE severity_min END,
    disabled_at = CASE %(enabled)s::boolean WHEN true THEN NULL WHEN false THEN coalesce(disabled_at, now()) ELSE disabled_at END,
    disabled_reason = CASE %(enabled)s::boolean WHEN true THEN NULL WHEN false THEN coalesce(disabled_reason, 'by_request')
        ELSE disabled_reason END
WHERE webhook_id = %(webhook)s;

-- name: delete_webhook
DELETE FROM webhook WHERE webhook_id = %(webhook)s RETURNING webhook_id;

-- name: rotate_secret
-- The old secret goes on signing beside the new one until `keep` has passed (Standard Webhooks: zero-downtime rotation).
SELECT rotate_webhook_secret(%(webhook)s::uuid, %(secret)s, %(keep)s::interval);

-- name: replay_deliveries
-- Put deliveries in line again from their first attempt: one event, or those that ended badly since an instant.
WITH again AS (
    UPDATE webhook_delivery AS d SET state = 'pending', attempts = 0, next_attempt_at = now(), claimed_until = NULL
    FROM outbox
    WHERE d.webhook_id = %(webhook)s AND outbox.event_id = d.event_id AND d.state <> 'pending'
        AND (%(event)s::text IS NULL OR d.event_id = %(event)s)
        AND (%(event)s::text IS NOT NULL OR d.state IN ('failed', 'exhausted'))
        AND (%(from)s::timestamptz IS NULL OR outbox.time >= %(from)s) AND (%(to)s::timestamptz IS NULL OR outbox.time < %(to)s)
    RETURNING 1
)
SELECT count(*) AS count, CASE WHEN count(*) > 0 THEN pg_notify('keelwing_outbox', '') END AS told FROM again;

-- name: request_rejection_replay
INSERT INTO rejection_replay (tenant, reason, rejection_ids, from_time, to_time, requested_by)
VALUES (scope_tenant(), %(reason)s, %(rejections)s, %(from)s, %(to)s, %(by)s)
RETURNING rejection_replay_id;

-- name: count_replayable
SELECT count(*) AS count
FROM rejection
WHERE (%(reason)s::text IS NULL OR reason = %(reason)s)
    AND (%(rejections)s::bigint[] IS NULL OR rejection_id = ANY (%(rejections)s))
    AND (%(from)s::timestamptz IS NULL OR received_at >= %(from)s) AND (%(to)s::timestamptz IS NULL OR received_at < %(to)s);

-- name: pending_replays
SELECT rejection_replay_id, tenant, reason, rejection_ids, from_time, to_time
FROM rejection_replay WHERE done_at IS NULL ORDER BY rejection_replay_id LIMIT %(limit)s FOR UPDATE SKIP LOCKED;

-- name: replayable
SELECT rejection_id, topic, payload
FROM rejection
WHERE tenant = %(tenant)s AND rejection_id > %(after)s
    AND (%(reason)s::text IS NULL OR reason = %(reason)s)
    AND (%(rejections)s::bigint[] IS NULL OR rejection_id = ANY (%(rejections)s))
    AND (%(from)s::timestamptz IS NULL OR received_at >= %(from)s) AND (%(to)s::timestamptz IS NULL OR received_at < %(to)s)
ORDER BY rejection_id LIMIT %(limit)s;

-- name: finish_replay
UPDATE rejection_replay SET done_at = clock_timestamp(), replayed_count = %(count)s WHERE rejection_replay_id = %(request)s;

-- name: mark_replayed
UPDATE rejection SET replayed_at = clock_timestamp() WHERE rejection_id = ANY (%(rejections)s);

-- name: idempotency_begin
-- One row a key: a second request with the same key waits here until the first is committed or gone.
INSERT INTO idempotency_key (tenant, key, request_hash) VALUES (scope_tenant(), %(key)s, %(hash)s)
ON CONFLICT DO NOTHING
RETURNING key;

-- name: idempotency_answer
SELECT request_hash, response FROM idempotency_key WHERE tenant = scope_tenant() AND key = %(key)s;

-- name: idempotency_end
UPDATE idempotency_key SET response = %(response)s WHERE tenant = scope_tenant() AND key = %(key)s;

-- name: newest_rejection
-- The newest rejection's number.
SELECT coalesce(max(rejection_id), 0) AS rejection_id FROM rejection;
