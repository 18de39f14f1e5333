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
SELECT asset_id::text, least(from_time, begun_time) AS from_time, marked_at FROM dirty
WHERE shard = ANY (%(shards)s::smallint[]) AND (
    marked_at <= clock_timestamp() - %(quiet_us)s * interval '1 microsecond'
    OR first_marked_at <= clock_timestamp() - %(wait_max_us)s * interval '1 microsecond'
)
ORDER BY marked_at, asset_id LIMIT %(limit)s;

-- name: next_due
-- When the next asset will have been quiet long enough.
SELECT min(marked_at) + %(quiet_us)s * interval '1 microsecond' AS time FROM dirty WHERE shard = ANY (%(shards)s::smallint[]);

-- name: begin
-- Being derived from its mark on: what marks it from now on is kept in from_time alone. Not if it was marked once more already.
UPDATE dirty SET begun_time = least(from_time, begun_time), from_time = 'infinity'
WHERE asset_id = %(asset_id)s AND marked_at = %(marked_at)s;

-- name: clear
-- Derived again, unless it was marked once more meanwhile.
DELETE FROM dirty WHERE asset_id = %(asset_id)s AND marked_at = %(marked_at)s;

-- name: narrow
-- Derived again from begun_time on, and marked meanwhile: that mark stays, and its wait counts from now.
UPDATE dirty SET begun_time = NULL, first_marked_at = marked_at WHERE asset_id = %(asset_id)s AND from_time < 'infinity';

-- name: count_tenant
-- How many assets with readings a mark of a tenant would cover.
SELECT count(DISTINCT asset.asset_id) AS count
FROM asset
JOIN attribution USING (asset_id)
JOIN stream_latest USING (stream_id)
WHERE asset.tenant = %(tenant)s AND asset.asset_id = coalesce(%(asset_id)s::uuid, asset.asset_id)
    AND upper_inf(attribution.recorded) AND stream_latest.time >= coalesce(%(from)s::timestamptz, '-infinity');

-- name: mark_tenant
-- Mark a tenant's assets with readings, on record under the newest commit.
WITH wanted AS (
    SELECT asset.asset_id, asset.shard, coalesce(%(from)s::timestamptz, min(reading_hour.first_time)) AS from_time
    FROM asset
    JOIN attribution USING (asset_id)
    JOIN reading_hour USING (stream_id)
    WHERE asset.tenant = %(tenant)s AND asset.asset_id = coalesce(%(asset_id)s::uuid, asset.asset_id)
        AND upper_inf(attribution.recorded) AND reading_hour.last_time >= coalesce(%(from)s::timestamptz, '-infinity')
    GROUP BY asset.asset_id, asset.shard
), marked AS (
    INSERT INTO dirty (asset_id, shard, from_time, marked_at, commit_no)
    SELECT asset_id, shard, from_time, clock_timestamp(), (SELECT coalesce(max(commit_no), 0) FROM commits) FROM wanted
    ON CONFLICT (asset_id) DO UPDATE SET from_time = least(dirty.from_time, excluded.from_time),
        marked_at = excluded.marked_at
    RETURNING 1
)
SELECT count(*) AS count FROM marked;
