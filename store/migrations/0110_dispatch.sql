-- What a notifier looks up at every turn, whatever the backlog: the next deliveries of one endpoint, and what is under way.
CREATE INDEX webhook_delivery_turn ON webhook_delivery (webhook_id, next_attempt_at, sequence) WHERE state = 'pending';

CREATE INDEX webhook_delivery_claimed ON webhook_delivery (claimed_until) WHERE claimed_until IS NOT NULL;
