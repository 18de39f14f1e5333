-- What the API needs beyond the wall: requests it leaves for the worker, a secret it may replace but not read, and the list
-- of migrations, by which it knows whether it is ready.
CREATE TABLE rejection_replay (
    rejection_replay_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant text NOT NULL REFERENCES tenant,
    reason text,                                    -- filters; NULL does not filter
    rejection_ids bigint[],
    from_time timestamptz,                          -- of reception, half-open
    to_time timestamptz,
    requested_by text NOT NULL,                     -- the key that asked
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    done_at timestamptz,
    replayed_count bigint
);

COMMENT ON TABLE rejection_replay IS 'Requests to give rejected messages to the broker again; the worker takes them up';

CREATE INDEX rejection_replay_pending ON rejection_replay (rejection_replay_id) WHERE done_at IS NULL;

ALTER TABLE rejection_replay ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY worker ON rejection_replay TO keelwing_worker USING (true) WITH CHECK (true);

CREATE POLICY internal ON rejection_replay TO keelwing_api
    USING (tenant = scope_tenant() AND scope_internal()) WITH CHECK (tenant = scope_tenant() AND scope_internal());

GRANT SELECT, INSERT, UPDATE, DELETE ON rejection_replay TO keelwing_worker;

GRANT SELECT, INSERT ON rejection_replay TO keelwing_api;

CREATE FUNCTION tell_replay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('keelwing_replay', '');
    RETURN NULL;
END
$$;

CREATE TRIGGER tell_replay AFTER INSERT ON rejection_replay FOR EACH STATEMENT EXECUTE FUNCTION tell_replay();

-- The API may not read a webhook's secret, so it cannot move it aside either: this does. True when there was such an endpoint.
CREATE FUNCTION rotate_webhook_secret(about uuid, fresh text, keep interval) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE webhook SET secret_previous = secret, secret_previous_until = now() + keep, secret = fresh
    WHERE webhook_id = about AND tenant = scope_tenant() AND scope_internal();
    RETURN FOUND;
END
$$;

GRANT SELECT (secret), UPDATE (secret, secret_previous, secret_previous_until) ON webhook TO keelwing_gate;

GRANT CREATE ON SCHEMA public TO keelwing_gate;

ALTER FUNCTION rotate_webhook_secret(uuid, text, interval) OWNER TO keelwing_gate;

REVOKE CREATE ON SCHEMA public FROM keelwing_gate;

REVOKE EXECUTE ON FUNCTION rotate_webhook_secret(uuid, text, interval) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION rotate_webhook_secret(uuid, text, interval) TO keelwing_api;

GRANT SELECT ON _yoyo_migration TO keelwing_api;
