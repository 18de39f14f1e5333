-- name: write
-- States after stepping up to an instant; one of the same instant is replaced.
INSERT INTO checkpoint (asset_id, time, shard, wake_at, state, commit_no)
SELECT asset_id, time, shard, wake_at, state, commit_no
FROM unnest(%(asset_id)s::uuid[], %(time)s::timestamptz[], %(shard)s::smallint[], %(wake_at)s::timestamptz[], %(state)s::bytea[],
    %(commit_no)s::bigint[]) AS written (asset_id, time, shard, wake_at, state, commit_no)
ORDER BY asset_id, time
ON CONFLICT (asset_id, time) DO UPDATE SET wake_at = excluded.wake_at, state = excluded.state, commit_no = excluded.commit_no;

-- name: thin
-- Of each 6 h of an asset only the last checkpoint stays.
DELETE FROM checkpoint AS earlier USING checkpoint AS later
WHERE earlier.asset_id = ANY (%(asset_ids)s::uuid[]) AND later.asset_id = earlier.asset_id AND later.time > earlier.time
    AND date_bin('6 hours', later.time, timestamptz '2000-01-01 00:00Z')
        = date_bin('6 hours', earlier.time, timestamptz '2000-01-01 00:00Z');

-- name: settle
-- Only the newest checkpoint of an asset is to be woken.
UPDATE checkpoint AS earlier SET wake_at = NULL
WHERE earlier.asset_id = ANY (%(asset_ids)s::uuid[]) AND earlier.wake_at IS NOT NULL AND EXISTS (
    SELECT FROM checkpoint AS later WHERE later.asset_id = earlier.asset_id AND later.time > earlier.time);

-- name: latest_before
-- The state of an asset before an instant.
SELECT asset_id::text, time, wake_at, state FROM checkpoint
WHERE asset_id = %(asset_id)s AND time < %(at)s ORDER BY time DESC LIMIT 1;

-- name: newest
-- The state of each asset as it stands.
SELECT asset.asset_id::text, newest.time, newest.wake_at, newest.state
FROM unnest(%(asset_ids)s::uuid[]) AS asset (asset_id)
CROSS JOIN LATERAL (
    SELECT time, wake_at, state FROM checkpoint WHERE checkpoint.asset_id = asset.asset_id ORDER BY time DESC LIMIT 1
) AS newest;

-- name: due
-- Assets of these shards that asked to be woken by an instant, the most overdue first.
SELECT asset_id::text, wake_at FROM checkpoint
WHERE shard = ANY (%(shards)s::smallint[]) AND wake_at <= %(until)s
ORDER BY wake_at, asset_id LIMIT %(limit)s;

-- name: drop_from
-- Forget the states of an asset at and after an instant, for a late reading makes them wrong.
DELETE FROM checkpoint WHERE asset_id = %(asset_id)s AND time >= %(from)s;

-- name: since
-- An asset's states at and after an instant, in order.
SELECT asset_id::text, time, wake_at, state FROM checkpoint WHERE asset_id = %(asset_id)s AND time >= %(from)s ORDER BY time;
