-- name: claim
-- Take due deliveries of enabled endpoints for a while; whoever dies with them gives them back by the clock.
WITH due AS (
    SELECT delivery.webhook_id, delivery.event_id
    FROM webhook_delivery AS delivery JOIN webhook USING (webhook_id)
    WHERE delivery.state = 'pending' AND delivery.next_attempt_at <= now() AND webhook.disabled_at IS NULL
        AND (delivery.claimed_until IS NULL OR delivery.claimed_until <= now())
    ORDER BY delivery.next_attempt_at, delivery.sequence
    LIMIT %(limit)s FOR UPDATE OF delivery SKIP LOCKED
)
UPDATE webhook_delivery AS delivery SET claimed_until = now() + %(lease_s)s * interval '1 second'
FROM due JOIN webhook USING (webhook_id) JOIN outbox USING (event_id)
WHERE delivery.webhook_id = due.webhook_id AND delivery.event_id = due.event_id
RETURNING delivery.event_id, delivery.webhook_id::text, delivery.tenant, delivery.sequence, delivery.attempts, webhook.url,
    webhook.secret, CASE WHEN webhook.secret_previous_until > now() THEN webhook.secret_previous END AS secret_previous,
    outbox.body, outbox.time;

-- name: next_due
-- When the next delivery falls due or its claim runs out; NULL when none is pending.
SELECT min(greatest(next_attempt_at, claimed_until)) AS time
FROM webhook_delivery JOIN webhook USING (webhook_id)
WHERE state = 'pending' AND disabled_at IS NULL;

-- name: remember
-- A request that was made.
INSERT INTO webhook_attempt (webhook_id, event_id, tenant, attempt, trigger, started_at, duration_ms, status_code, error,
    response_excerpt)
VALUES (%(webhook_id)s, %(event_id)s, %(tenant)s, %(attempt)s, %(trigger)s, %(started_at)s, %(duration_ms)s, %(status_code)s,
    %(error)s, %(response_excerpt)s);

-- name: settle
-- Where the delivery stands after it; a success that somebody else recorded stays one.
UPDATE webhook_delivery SET state = %(state)s, attempts = greatest(attempts, %(attempt)s),
    next_attempt_at = coalesce(%(next_attempt_at)s::timestamptz, next_attempt_at), claimed_until = NULL
WHERE webhook_id = %(webhook_id)s AND event_id = %(event_id)s AND state <> 'sent';

-- name: disable
-- Switch an endpoint off; its deliveries stay pending until somebody enables it.
UPDATE webhook SET disabled_at = now(), disabled_reason = %(reason)s
WHERE webhook_id = %(webhook_id)s AND disabled_at IS NULL;
