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
