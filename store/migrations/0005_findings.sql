-- What detection concluded, what people did about it, and who is told. Findings and alert revisions are append-only.
CREATE TABLE finding (
    finding_id text NOT NULL,                       -- deterministic: the same episode derived again keeps it
    revision integer NOT NULL CHECK (revision > 0),
    tenant text NOT NULL,
    asset_id uuid,                                  -- NULL for rules about a feed or a region
    asset text NOT NULL,                            -- scheme:value as the reading named it, feed:NAME or region:ID
    rule text NOT NULL,
    rule_version integer NOT NULL,
    severity text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    subject text,                                   -- channel, area id, other asset or clause
    opened_at timestamptz NOT NULL,
    closed_at timestamptz,                          -- NULL while open; = opened_at for a point event
    detected_at timestamptz NOT NULL,               -- event time of the reading or tick that decided
    score double precision,                         -- NULL for plain rules
    evidence jsonb NOT NULL,
    retracted boolean NOT NULL DEFAULT false,
    commit_no bigint NOT NULL,                      -- known since
    superseded_by bigint,                           -- known until: the commit that wrote the next revision
    PRIMARY KEY (finding_id, revision)
);

COMMENT ON TABLE finding IS 'Every revision of every finding; the current one is not superseded';

CREATE UNIQUE INDEX finding_current ON finding (finding_id) WHERE superseded_by IS NULL;

CREATE INDEX finding_by_asset ON finding (asset_id, detected_at DESC) WHERE superseded_by IS NULL;

CREATE INDEX finding_by_tenant ON finding (tenant, detected_at, asset, rule) WHERE superseded_by IS NULL;

CREATE TABLE alert (
    alert_id uuid PRIMARY KEY,
    tenant text NOT NULL REFERENCES tenant,
    asset_id uuid,                                  -- NULL for rules about a feed or a region
    asset text NOT NULL,                            -- scheme:value, feed:NAME or region:ID
    about text NOT NULL GENERATED ALWAYS AS (coalesce(asset_id::text, asset)) STORED,
    lease_id uuid,                                  -- the lease in force at opened_at
    rule text NOT NULL,
    subject text,
    severity text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    status text NOT NULL CHECK (status IN ('open', 'acknowledged', 'resolved', 'dismissed', 'retracted')),
    opened_at timestamptz NOT NULL,                 -- event time
    updated_at timestamptz NOT NULL,                -- wall time of the last change
    closed_at timestamptz,                          -- event time when the facts closed it, wall time when a person did
    revision integer NOT NULL CHECK (revision > 0),
    evidence jsonb NOT NULL,
    finding_ids text[] NOT NULL,                    -- the latest last, bounded by the lifecycle
    commit_no bigint NOT NULL                       -- of the last change
);

COMMENT ON TABLE alert IS 'What a person is asked to look at, as it stands now';

CREATE UNIQUE INDEX alert_one_open ON alert (tenant, about, rule, subject) NULLS NOT DISTINCT
    WHERE status IN ('open', 'acknowledged');

CREATE INDEX alert_by_tenant ON alert (tenant, updated_at DESC, alert_id);

CREATE INDEX alert_by_asset ON alert (asset_id, opened_at DESC);

CREATE INDEX alert_by_finding ON alert USING gin (finding_ids);

CREATE TABLE alert_revision (
    alert_id uuid NOT NULL REFERENCES alert,
    revision integer NOT NULL,
    tenant text NOT NULL,
    change text NOT NULL
        CHECK (change IN ('opened', 'updated', 'acknowledged', 'resolved', 'dismissed', 'retracted')),
    actor text NOT NULL,                            -- `keelwing`, or the key that acted
    reason text,
    before jsonb,                                   -- its status and severity before; NULL for the first
    after jsonb NOT NULL,                           -- the whole alert after the change
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    commit_no bigint NOT NULL,
    PRIMARY KEY (alert_id, revision)
);

COMMENT ON TABLE alert_revision IS 'Append-only history of an alert: what changed, who did it, why';

CREATE TABLE alert_comment (
    alert_comment_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id uuid NOT NULL REFERENCES alert,
    tenant text NOT NULL,
    author text NOT NULL,
    comment text NOT NULL CHECK (length(comment) BETWEEN 1 AND 10000),
    written_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

COMMENT ON TABLE alert_comment IS 'What people said about an alert';

CREATE INDEX alert_comment_by_alert ON alert_comment (alert_id);

CREATE TABLE outbox (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,  -- in commit order (see in_commit_order)
    event_id text NOT NULL UNIQUE CHECK (event_id ~ '^[A-Za-z0-9_-]{8,64}$'),  -- the webhook-id: no dots, they sign
    tenant text NOT NULL REFERENCES tenant,
    type text NOT NULL,                             -- CloudEvents type: keelwing.alert.opened.v1
    subject text,                                   -- CloudEvents subject: the alert or feed
    severity text,                                  -- for the endpoints' filter; NULL when the event has none
    time timestamptz NOT NULL,
    body jsonb NOT NULL,                            -- the CloudEvents object, but for the endpoint's `sequence`
    commit_no bigint
);

COMMENT ON TABLE outbox IS 'Events to deliver, written in the transaction that made them true';

CREATE INDEX outbox_by_tenant ON outbox (tenant, position);

CREATE TABLE webhook (
    webhook_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant text NOT NULL REFERENCES tenant,
    url text NOT NULL CHECK (length(url) <= 2048),
    description text NOT NULL DEFAULT '',
    types text[] NOT NULL DEFAULT '{}',             -- CloudEvents types wanted; empty: all
    severity_min text CHECK (severity_min IN ('info', 'warning', 'critical')),
    secret text NOT NULL,                           -- whsec_…; not readable by the API
    secret_previous text,                           -- still signed with until secret_previous_until
    secret_previous_until timestamptz,
    sequence bigint NOT NULL DEFAULT 0,             -- last one given to a delivery
    created_at timestamptz NOT NULL DEFAULT now(),
    disabled_at timestamptz,
    disabled_reason text
);

COMMENT ON TABLE webhook IS 'Endpoints and their secrets';

CREATE INDEX webhook_by_tenant ON webhook (tenant);

CREATE TABLE webhook_delivery (
    webhook_id uuid NOT NULL REFERENCES webhook ON DELETE CASCADE,
    event_id text NOT NULL REFERENCES outbox (event_id) ON DELETE CASCADE,
    tenant text NOT NULL,
    sequence bigint NOT NULL,                       -- per endpoint, in outbox order
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sent', 'failed', 'exhausted')),
    attempts integer NOT NULL DEFAULT 0,            -- made so far
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    claimed_until timestamptz,                      -- a notifier has it until then; past: anyone may take it
    PRIMARY KEY (webhook_id, event_id)
);

COMMENT ON TABLE webhook_delivery IS 'Where an event stands with an endpoint: pending is retried, failed was refused for good, exhausted ran out of retries';

CREATE INDEX webhook_delivery_due ON webhook_delivery (next_attempt_at) WHERE state = 'pending';

CREATE TABLE webhook_attempt (
    webhook_attempt_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    webhook_id uuid NOT NULL,
    event_id text NOT NULL,
    tenant text NOT NULL,
    attempt integer NOT NULL,
    trigger text NOT NULL CHECK (trigger IN ('schedule', 'replay', 'test')),
    started_at timestamptz NOT NULL,
    duration_ms integer NOT NULL,
    status_code integer,                            -- NULL when no answer came
    error text,                                     -- why no answer came: a code word
    response_excerpt text CHECK (length(response_excerpt) <= 1024),
    FOREIGN KEY (webhook_id, event_id) REFERENCES webhook_delivery ON DELETE CASCADE
);

COMMENT ON TABLE webhook_attempt IS 'Every request made to an endpoint and what it answered';

CREATE INDEX webhook_attempt_by_webhook ON webhook_attempt (webhook_id, webhook_attempt_id DESC);

CREATE TABLE live_event (
    event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,  -- in commit order; the stream's Last-Event-ID
    tenant text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('finding', 'alert')),
    asset_id uuid,
    body jsonb NOT NULL,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

COMMENT ON TABLE live_event IS 'Findings and alerts for open pages; pruned by age';

CREATE INDEX live_event_by_tenant ON live_event (tenant, event_id);

CREATE INDEX live_event_by_time ON live_event USING brin (written_at);

-- Numbers given in one transaction become visible before later numbers exist: writers of events queue on one lock until
-- they commit. Few rows pass here, so the queue is short; a reader can then say "everything after 17" and miss nothing.
CREATE FUNCTION in_commit_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('keelwing'), hashtext(TG_TABLE_NAME));
    RETURN NULL;
END
$$;

CREATE TRIGGER in_commit_order BEFORE INSERT ON outbox FOR EACH STATEMENT EXECUTE FUNCTION in_commit_order();

CREATE TRIGGER in_commit_order BEFORE INSERT ON live_event FOR EACH STATEMENT EXECUTE FUNCTION in_commit_order();

-- One delivery per endpoint that wants the event, numbered per endpoint, in the transaction that wrote the event.
CREATE FUNCTION fan_out() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    WITH numbered AS (
        UPDATE webhook SET sequence = sequence + 1
        WHERE tenant = NEW.tenant AND disabled_at IS NULL
            AND (types = '{}' OR NEW.type = ANY (types))
            AND (severity_min IS NULL OR NEW.severity IS NULL OR severity_rank(NEW.severity) >= severity_rank(severity_min))
        RETURNING webhook_id, sequence
    )
    INSERT INTO webhook_delivery (webhook_id, event_id, tenant, sequence)
    SELECT webhook_id, NEW.event_id, NEW.tenant, sequence FROM numbered;
    PERFORM pg_notify('keelwing_outbox', '');
    RETURN NULL;
END
$$;

CREATE TRIGGER fan_out AFTER INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION fan_out();

CREATE FUNCTION tell_live() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('keelwing_live', '');
    RETURN NULL;
END
$$;

CREATE TRIGGER tell_live AFTER INSERT ON live_event FOR EACH STATEMENT EXECUTE FUNCTION tell_live();
