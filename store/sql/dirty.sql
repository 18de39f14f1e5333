-- name: mark
-- An asset must be derived again from an instant on; several marks keep the earliest instant and the latest marking.
INSERT INTO dirty AS held (asset_id, shard, from_time, marked_at, commit_no)
SELECT asset_id, shard, from_time, clock_timestamp(), commit_no
FROM unnest(%(asset_id)s::uuid[], %(shard)s::smallint[], %(from)s::timestamptz[], %(commit_no)s::bigint[])
    AS marked (asset_id, shard, from_time, commit_no)
ORDER BY asset_id
ON CONFLICT (asset_id) DO UPDATE SET from_time = least(held.from_time, excluded.from_time),
    marked_at = excluded.marked_at, commit_no = excluded.commit_no;

-- name: due
-- Assets whose last mark is old enough, the oldest first.
SELECT asset_id::text, from_time, marked_at FROM dirty
WHERE shard = ANY (%(shards)s::smallint[]) AND marked_at <= clock_timestamp() - %(quiet_us)s * interval '1 microsecond'
ORDER BY marked_at, asset_id LIMIT %(limit)s;

-- name: next_due
-- When the next asset will have been quiet long enough.
SELECT min(marked_at) + %(quiet_us)s * interval '1 microsecond' AS time FROM dirty WHERE shard = ANY (%(shards)s::smallint[]);

-- name: clear
-- Derived again, unless it was marked once more meanwhile.
DELETE FROM dirty WHERE asset_id = %(asset_id)s AND marked_at = %(marked_at)s;
