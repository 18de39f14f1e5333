-- name: scenes
-- Scenes that were judged before or have something to judge, and whether they are marked.
SELECT tenant, clock, bool_or(marked) AS marked FROM (
    SELECT tenant, clock, true AS marked FROM scene_mark UNION SELECT tenant, clock, false FROM scene_cut
) AS known
GROUP BY tenant, clock ORDER BY tenant, clock;

-- name: hold
-- One pass of a scene at a time, until this transaction ends; false: another is at it.
SELECT pg_try_advisory_xact_lock(hashtextextended('keelwing.scene.' || %(tenant)s::text || '/' || %(clock)s::text, 0)) AS held;

-- name: write
-- What was noted; said again otherwise, it is replaced. Gives what changed.
INSERT INTO sighting AS held (tenant, clock, time, key, asset_id, noted, commit_no)
SELECT * FROM unnest(%(tenant)s::text[], %(clock)s::text[], %(time)s::timestamptz[], %(key)s::text[], %(asset_id)s::uuid[],
    %(noted)s::bytea[], %(commit_no)s::bigint[])
ON CONFLICT (tenant, clock, time, key) DO UPDATE SET noted = excluded.noted, commit_no = excluded.commit_no
WHERE held.noted <> excluded.noted
RETURNING tenant, clock, time, commit_no;

-- name: mark
-- A scene is to be judged from an instant on.
INSERT INTO scene_mark (tenant, clock, from_time, commit_no)
SELECT * FROM unnest(%(tenant)s::text[], %(clock)s::text[], %(from)s::timestamptz[], %(commit_no)s::bigint[]);

-- name: mark_tenant
-- The scenes of a tenant are to be judged again from the first sighting after an instant, on record under the newest commit.
INSERT INTO scene_mark (tenant, clock, from_time, commit_no)
SELECT tenant, clock, min(time), (SELECT coalesce(max(commit_no), 0) FROM commits)
FROM sighting WHERE tenant = %(tenant)s AND time >= coalesce(%(from)s::timestamptz, '-infinity') GROUP BY tenant, clock;

-- name: of_asset
-- What was noted of an asset after an instant.
SELECT tenant, clock, time, key, noted FROM sighting WHERE asset_id = %(asset_id)s AND time > %(after)s ORDER BY time;

-- name: drop
-- What does not hold any more.
DELETE FROM sighting USING unnest(%(tenant)s::text[], %(clock)s::text[], %(time)s::timestamptz[], %(key)s::text[])
    AS gone (tenant, clock, time, key)
WHERE sighting.tenant = gone.tenant AND sighting.clock = gone.clock AND sighting.time = gone.time AND sighting.key = gone.key;

-- name: between
-- What was noted in a stretch of event time.
SELECT time, noted FROM sighting
WHERE tenant = %(tenant)s AND clock = %(clock)s AND time >= %(from)s AND time < %(to)s ORDER BY time, key;

-- name: next
-- The first instant at or after another at which anything was noted.
SELECT min(time) AS time FROM sighting WHERE tenant = %(tenant)s AND clock = %(clock)s AND time >= %(from)s;

-- name: take_marks
-- From when on a scene is to be judged; its marks go.
WITH taken AS (DELETE FROM scene_mark WHERE tenant = %(tenant)s AND clock = %(clock)s RETURNING from_time)
SELECT min(from_time) AS from_time FROM taken;

-- name: newest_cut
-- How far a scene is.
SELECT at, state FROM scene_cut WHERE tenant = %(tenant)s AND clock = %(clock)s ORDER BY at DESC LIMIT 1;

-- name: cut_before
-- The newest state of a scene that took in nothing at or after an instant.
SELECT at, state FROM scene_cut WHERE tenant = %(tenant)s AND clock = %(clock)s AND at <= %(at)s ORDER BY at DESC LIMIT 1;

-- name: oldest_cut
-- The oldest state of a scene that is kept.
SELECT at, state FROM scene_cut WHERE tenant = %(tenant)s AND clock = %(clock)s ORDER BY at LIMIT 1;

-- name: drop_cuts
-- States after an instant: they are made again.
DELETE FROM scene_cut WHERE tenant = %(tenant)s AND clock = %(clock)s AND at > %(at)s;

-- name: write_cut
-- The state of a scene. What is neither of a whole hour nor the newest goes, and what is behind the horizon.
INSERT INTO scene_cut (tenant, clock, at, state) VALUES (%(tenant)s, %(clock)s, %(at)s, %(state)s)
ON CONFLICT (tenant, clock, at) DO UPDATE SET state = excluded.state;

-- name: thin
-- States that are neither the newest nor of a whole hour within the horizon.
DELETE FROM scene_cut WHERE tenant = %(tenant)s AND clock = %(clock)s AND at < %(at)s
    AND (date_trunc('hour', at) <> at OR at < %(oldest)s);

-- name: forget
-- What was noted before the horizon.
DELETE FROM sighting WHERE tenant = %(tenant)s AND clock = %(clock)s AND time < %(oldest)s;
