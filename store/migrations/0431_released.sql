-- The summary of a hold stands for the openings of alerts that it names: an endpoint that wants those is told it too.
-- depends: 0430_adjustment
CREATE OR REPLACE FUNCTION fan_out() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    WITH numbered AS (
        UPDATE webhook SET sequence = sequence + 1
        WHERE tenant = NEW.tenant AND disabled_at IS NULL
            AND (types = '{}' OR NEW.type = ANY (types)
                OR (NEW.type = 'keelwing.hold.released.v1' AND 'keelwing.alert.opened.v1' = ANY (types)))
            AND (severity_min IS NULL OR NEW.severity IS NULL OR severity_rank(NEW.severity) >= severity_rank(severity_min))
        RETURNING webhook_id, sequence
    )
    INSERT INTO webhook_delivery (webhook_id, event_id, tenant, sequence)
    SELECT webhook_id, NEW.event_id, NEW.tenant, sequence FROM numbered;
    PERFORM pg_notify('keelwing_outbox', '');
    RETURN NULL;
END
$$;
