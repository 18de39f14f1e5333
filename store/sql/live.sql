-- name: insert
-- Findings and alerts for open pages, in the order given.
INSERT INTO live_event (tenant, kind, asset_id, body)
SELECT tenant, kind, asset_id, body
FROM unnest(%(tenant)s::text[], %(kind)s::text[], %(asset_id)s::uuid[], %(body)s::jsonb[])
    WITH ORDINALITY AS event (tenant, kind, asset_id, body, place)
ORDER BY place;
