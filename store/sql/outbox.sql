-- name: insert
-- Events in the order given; an event id that is there already is the same event. Triggers order them and fan them out.
INSERT INTO outbox (event_id, tenant, type, subject, severity, time, body, commit_no)
SELECT event_id, tenant, type, subject, severity, time, body, commit_no
FROM unnest(%(event_id)s::text[], %(tenant)s::text[], %(type)s::text[], %(subject)s::text[], %(severity)s::text[],
    %(time)s::timestamptz[], %(body)s::jsonb[], %(commit_no)s::bigint[])
    WITH ORDINALITY AS event (event_id, tenant, type, subject, severity, time, body, commit_no, place)
ORDER BY place
ON CONFLICT (event_id) DO NOTHING;
