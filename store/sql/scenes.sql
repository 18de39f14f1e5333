-- name: write
-- What the scene told steps; the same bucket derived again is replaced.
INSERT INTO scene_context (tenant, asset_id, at, neighbours_heard, neighbours_known, feed_down, commit_no, neighbours_still,
    neighbours_behind, neighbours_lost)
SELECT * FROM unnest(%(tenant)s::text[], %(asset_id)s::uuid[], %(at)s::timestamptz[], %(neighbours_heard)s::integer[],
    %(neighbours_known)s::integer[], %(feed_down)s::boolean[], %(commit_no)s::bigint[], %(neighbours_still)s::integer[],
    %(neighbours_behind)s::integer[], %(neighbours_lost)s::integer[])
ON CONFLICT (asset_id, at) DO UPDATE SET neighbours_heard = excluded.neighbours_heard,
    neighbours_known = excluded.neighbours_known, feed_down = excluded.feed_down, commit_no = excluded.commit_no,
    neighbours_still = excluded.neighbours_still, neighbours_behind = excluded.neighbours_behind,
    neighbours_lost = excluded.neighbours_lost;

-- name: at
-- What an asset's step was told in a stretch of event time, oldest first.
SELECT tenant, asset_id::text, at, neighbours_heard, neighbours_known, feed_down, commit_no,
    neighbours_still, neighbours_behind, neighbours_lost
FROM scene_context WHERE asset_id = %(asset_id)s AND at >= %(from)s AND at < %(to)s ORDER BY at;

-- name: of_tenant
-- What a tenant's assets were told from an instant on, newest first.
SELECT tenant, asset_id::text, at, neighbours_heard, neighbours_known, feed_down, commit_no,
    neighbours_still, neighbours_behind, neighbours_lost
FROM scene_context WHERE tenant = %(tenant)s AND at >= %(from)s ORDER BY at DESC, asset_id LIMIT %(limit)s;

-- name: newest
-- The newest bucket told of, by tenant.
SELECT tenant, max(at) AS at FROM scene_context GROUP BY tenant;
