-- name: claim
-- Take the due deliveries of enabled endpoints, earliest first, at most so many of one endpoint at a time: a slow endpoint
-- holds its own places, not everybody's. What another notifier is taking this moment is passed over.
WITH busy AS (
    SELECT webhook_id, count(*) AS deliveries FROM webhook_delivery
    WHERE claimed_until > now() AND state = 'pending' GROUP BY webhook_id
), taken AS (
    SELECT turn.webhook_id, turn.event_id
    FROM webhook LEFT JOIN busy USING (webhook_id)
    CROSS JOIN LATERAL (
        SELECT delivery.webhook_id, delivery.event_id, delivery.next_attempt_at
        FROM webhook_delivery AS delivery
        WHERE delivery.webhook_id = webhook.webhook_id AND delivery.state = 'pending' AND delivery.next_attempt_at <= now()
            AND (delivery.claimed_until IS NULL OR delivery.claimed_until <= now())
        ORDER BY delivery.next_attempt_at, delivery.sequence
        LIMIT greatest(0, %(per_endpoint_max)s::bigint - coalesce(busy.deliveries, 0)) FOR UPDATE SKIP LOCKED
    ) AS turn
    WHERE webhook.disabled_at IS NULL
    ORDER BY turn.next_attempt_at LIMIT %(limit)s::bigint
)
UPDATE webhook_delivery AS delivery SET claimed_until = now() + %(lease_s)s * interval '1 second'
FROM taken JOIN webhook USING (webhook_id) JOIN outbox USING (event_id)
WHERE delivery.webhook_id = taken.webhook_id AND delivery.event_id = taken.event_id
RETURNING delivery.event_id, delivery.webhook_id::text, delivery.tenant, delivery.sequence, delivery.attempts, webhook.url,
    webhook.secret, CASE WHEN webhook.secret_previous_until > now() THEN webhook.secret_previous END AS secret_previous,
    outbox.body, outbox.time;

-- name: due_in
-- Seconds until the next delivery that waits becomes due or its claim lapses; NULL when none waits. Now is the transaction's,
-- as in `claim`, so that nothing falls between the two; what is due and was not taken waits for a place, not for a time.
SELECT extract(epoch FROM least(
    (
        SELECT delivery.next_attempt_at FROM webhook_delivery AS delivery JOIN webhook USING (webhook_id)
        WHERE delivery.state = 'pending' AND delivery.next_attempt_at > now() AND webhook.disabled_at IS NULL
        ORDER BY delivery.next_attempt_at LIMIT 1
    ),
    (SELECT min(claimed_until) FROM webhook_delivery WHERE claimed_until > now() AND state = 'pending')
) - now())::double precision AS due_in_s;

-- name: release
-- Give claims back unused.
UPDATE webhook_delivery AS delivery SET claimed_until = NULL
FROM unnest(%(webhook_ids)s::uuid[], %(event_ids)s::text[]) AS given (webhook_id, event_id)
WHERE delivery.webhook_id = given.webhook_id AND delivery.event_id = given.event_id AND delivery.state = 'pending';

-- name: lock
-- The delivery of an attempt that was made and whether its endpoint is enabled; no row when the endpoint was deleted meanwhile.
SELECT webhook.disabled_at IS NULL AS enabled
FROM webhook_delivery AS delivery JOIN webhook USING (webhook_id)
WHERE delivery.webhook_id = %(webhook_id)s::uuid AND delivery.event_id = %(event_id)s
FOR UPDATE OF delivery;

-- name: failing_since
-- When the first attempt began that failed after the endpoint's last success and after it was last disabled; NULL when there
-- is none. The history of disabling is asked only when the rest is older than the grace.
WITH good AS (
    SELECT webhook_attempt_id FROM webhook_attempt
    WHERE webhook_id = %(webhook_id)s::uuid AND status_code BETWEEN 200 AND 299
    ORDER BY webhook_attempt_id DESC LIMIT 1
), failed AS (
    SELECT started_at FROM webhook_attempt
    WHERE webhook_id = %(webhook_id)s::uuid AND webhook_attempt_id > coalesce((SELECT webhook_attempt_id FROM good), 0)
), first AS (
    SELECT min(started_at) AS started_at FROM failed
)
SELECT CASE WHEN started_at > %(grace_began_at)s THEN started_at ELSE (
    SELECT min(failed.started_at) FROM failed WHERE failed.started_at > coalesce((
        SELECT max(outbox.time) FROM outbox
        WHERE outbox.tenant = %(tenant)s AND outbox.type = %(disabled_type)s AND outbox.subject = %(subject)s
    ), '-infinity')
) END AS failing_since FROM first;
