-- name: hold_journeys
-- The current revisions of journeys, by what names them or by their ids, locked until this transaction ends.
SELECT journey_id, revision, tenant, asset_id::text, asset, kind, started_at, ended_at, from_place, to_place, quality, confidence,
    coverage, method, figures, distance_m, observed_s, cycles, sources, retracted
FROM journey
WHERE superseded_by IS NULL AND (journey_id = ANY (%(journey_id)s::text[]) OR (asset_id, kind, started_at) IN (
    SELECT * FROM unnest(%(asset_id)s::uuid[], %(kind)s::text[], %(started_at)s::timestamptz[])))
ORDER BY journey_id FOR UPDATE;

-- name: supersede_journeys
-- Say which commit wrote the next revision.
UPDATE journey SET superseded_by = next.commit_no
FROM unnest(%(journey_id)s::text[], %(revision)s::integer[], %(commit_no)s::bigint[]) AS next (journey_id, revision, commit_no)
WHERE journey.journey_id = next.journey_id AND journey.revision = next.revision;

-- name: insert_journeys
INSERT INTO journey (journey_id, revision, tenant, asset_id, asset, kind, started_at, ended_at, from_place, to_place, quality,
    confidence, coverage, method, figures, distance_m, observed_s, cycles, sources, retracted, commit_no)
SELECT * FROM unnest(%(journey_id)s::text[], %(revision)s::integer[], %(tenant)s::text[], %(asset_id)s::uuid[], %(asset)s::text[],
    %(kind)s::text[], %(started_at)s::timestamptz[], %(ended_at)s::timestamptz[], %(from_place)s::text[], %(to_place)s::text[],
    %(quality)s::text[], %(confidence)s::smallint[], %(coverage)s::float8[], %(method)s::text[], %(figures)s::jsonb[],
    %(distance_m)s::float8[], %(observed_s)s::float8[], %(cycles)s::integer[], %(sources)s::jsonb[], %(retracted)s::boolean[],
    %(commit_no)s::bigint[]);

-- name: hold_activities
-- The current activities that begin at these instants, locked until this transaction ends.
SELECT activity_id, asset_id::text, tenant, state, started_at, ended_at, distance_m, observed_s, loading, place, method, figures, sources
FROM activity
WHERE superseded_by IS NULL AND (asset_id, started_at) IN (
    SELECT * FROM unnest(%(asset_id)s::uuid[], %(started_at)s::timestamptz[]))
ORDER BY activity_id FOR UPDATE;

-- name: supersede_activities
UPDATE activity SET superseded_by = next.commit_no
FROM unnest(%(activity_id)s::bigint[], %(commit_no)s::bigint[]) AS next (activity_id, commit_no)
WHERE activity.activity_id = next.activity_id;

-- name: insert_activities
INSERT INTO activity (tenant, asset_id, state, started_at, ended_at, distance_m, observed_s, loading, place, method, figures, sources,
    commit_no)
SELECT * FROM unnest(%(tenant)s::text[], %(asset_id)s::uuid[], %(state)s::text[], %(started_at)s::timestamptz[],
    %(ended_at)s::timestamptz[], %(distance_m)s::float8[], %(observed_s)s::float8[], %(loading)s::text[], %(place)s::text[],
    %(method)s::text[], %(figures)s::jsonb[], %(sources)s::jsonb[], %(commit_no)s::bigint[]);

-- name: hold_days
-- The current sums of these days, locked until this transaction ends.
SELECT asset_id::text, tenant, day, state_s, state_m, observed_s, sources, figures, method, commit_no
FROM use_day
WHERE superseded_by IS NULL AND (asset_id, day) IN (SELECT * FROM unnest(%(asset_id)s::uuid[], %(day)s::date[]))
ORDER BY asset_id, day FOR UPDATE;

-- name: supersede_days
UPDATE use_day SET superseded_by = next.commit_no
FROM unnest(%(asset_id)s::uuid[], %(day)s::date[], %(commit_no)s::bigint[]) AS next (asset_id, day, commit_no)
WHERE use_day.asset_id = next.asset_id AND use_day.day = next.day AND use_day.superseded_by IS NULL;

-- name: insert_days
INSERT INTO use_day (tenant, asset_id, day, state_s, state_m, distance_m, laden_m, ballast_m, flight_s, cycles, observed_s, sources,
    figures, method, commit_no)
SELECT * FROM unnest(%(tenant)s::text[], %(asset_id)s::uuid[], %(day)s::date[], %(state_s)s::jsonb[], %(state_m)s::jsonb[],
    %(distance_m)s::float8[], %(laden_m)s::float8[], %(ballast_m)s::float8[], %(flight_s)s::float8[], %(cycles)s::integer[],
    %(observed_s)s::float8[], %(sources)s::jsonb[], %(figures)s::jsonb[], %(method)s::text[], %(commit_no)s::bigint[]);

-- name: current_journeys
-- What stands of an asset's journeys that began at or after an instant.
SELECT journey_id, revision, tenant, asset_id::text, asset, kind, started_at, ended_at, from_place, to_place, quality, confidence,
    coverage, method, figures, distance_m, observed_s, cycles, sources, retracted
FROM journey
WHERE asset_id = %(asset_id)s AND superseded_by IS NULL AND NOT retracted AND started_at >= %(from)s
ORDER BY started_at, kind;

-- name: current_activities
-- What stands of an asset's activities that began at or after an instant.
SELECT activity_id, asset_id::text, tenant, state, started_at, ended_at, distance_m, observed_s, loading, place, method, figures, sources
FROM activity
WHERE asset_id = %(asset_id)s AND superseded_by IS NULL AND started_at >= %(from)s
ORDER BY started_at;

-- name: current_days
-- What stands of an asset's days from a day on.
SELECT asset_id::text, tenant, day, state_s, state_m, observed_s, sources, figures, method, commit_no
FROM use_day
WHERE asset_id = %(asset_id)s AND superseded_by IS NULL AND day >= %(from_day)s
ORDER BY day;

-- name: write_tails
-- The activities under way; of two of one asset in a transaction the caller keeps the last.
INSERT INTO use_tail (asset_id, tenant, started_at, ended_at, state, distance_m, observed_s, loading, place, method, figures, sources,
    commit_no)
SELECT * FROM unnest(%(asset_id)s::uuid[], %(tenant)s::text[], %(started_at)s::timestamptz[], %(ended_at)s::timestamptz[],
    %(state)s::text[], %(distance_m)s::float8[], %(observed_s)s::float8[], %(loading)s::text[], %(place)s::text[], %(method)s::text[],
    %(figures)s::jsonb[], %(sources)s::jsonb[], %(commit_no)s::bigint[]) AS written (asset_id)
ORDER BY asset_id
ON CONFLICT (asset_id) DO UPDATE SET started_at = excluded.started_at, ended_at = excluded.ended_at, state = excluded.state,
    distance_m = excluded.distance_m, observed_s = excluded.observed_s, loading = excluded.loading, place = excluded.place,
    method = excluded.method, figures = excluded.figures, sources = excluded.sources, commit_no = excluded.commit_no;

-- name: write_checkpoints
INSERT INTO use_checkpoint (asset_id, at, version, state, commit_no)
SELECT * FROM unnest(%(asset_id)s::uuid[], %(at)s::timestamptz[], %(version)s::integer[], %(state)s::bytea[], %(commit_no)s::bigint[])
    AS written (asset_id, at)
ORDER BY asset_id, at
ON CONFLICT (asset_id, at) DO UPDATE SET version = excluded.version, state = excluded.state, commit_no = excluded.commit_no;

-- name: checkpoint_before
-- The newest memory of an asset's machine at or before an instant.
SELECT at, version, state FROM use_checkpoint WHERE asset_id = %(asset_id)s AND at <= %(at)s ORDER BY at DESC LIMIT 1;

-- name: checkpoints_after
-- An asset's memories after an instant, in order.
SELECT at, version, state FROM use_checkpoint WHERE asset_id = %(asset_id)s AND at > %(at)s ORDER BY at;

-- name: drop_checkpoints
-- Forget an asset's memories after an instant, up to another.
DELETE FROM use_checkpoint WHERE asset_id = %(asset_id)s AND at > %(from)s AND at <= %(to)s;

-- name: mark
-- Each asset keeps the earliest instant of all its marks.
INSERT INTO use_dirty (asset_id, shard, from_time, marked_at, commit_no)
SELECT asset_id, shard, from_time, clock_timestamp(), commit_no
FROM unnest(%(asset_id)s::uuid[], %(shard)s::smallint[], %(from)s::timestamptz[], %(commit_no)s::bigint[])
    AS marked (asset_id, shard, from_time, commit_no)
ORDER BY asset_id
ON CONFLICT (asset_id) DO UPDATE SET from_time = least(use_dirty.from_time, excluded.from_time), marked_at = excluded.marked_at,
    commit_no = excluded.commit_no;

-- name: due
-- Assets of these shards not marked again for a while, the longest waiting first.
SELECT asset_id::text, from_time, marked_at FROM use_dirty
WHERE shard = ANY (%(shards)s::smallint[]) AND marked_at <= clock_timestamp() - %(quiet_us)s * interval '1 microsecond'
ORDER BY marked_at, asset_id LIMIT %(limit)s;

-- name: clear
-- Take a mark away, unless the asset was marked again since.
DELETE FROM use_dirty WHERE asset_id = %(asset_id)s AND marked_at = %(marked_at)s;

-- name: journeys
-- An asset's journeys that share an instant with a stretch, in the revision known then, with the head lease in force at their end.
SELECT journey.journey_id, journey.revision, kind, asset, started_at, ended_at, from_place, to_place, quality, confidence, coverage,
    method, figures, distance_m, cycles, sources, lease.lease_id, committed.committed_at AS recorded_at
FROM journey
LEFT JOIN LATERAL (
    SELECT lease_id FROM lease WHERE lease.asset_id = journey.asset_id AND head
        AND valid @> coalesce(journey.ended_at, journey.started_at)
        AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END
    LIMIT 1) AS lease ON true
LEFT JOIN commits AS committed ON committed.commit_no = journey.commit_no
WHERE journey.asset_id = %(asset)s AND NOT retracted
    AND (%(kind)s::text IS NULL OR kind = %(kind)s)
    AND (%(from)s::timestamptz IS NULL OR ended_at IS NULL OR ended_at >= %(from)s)
    AND (%(to)s::timestamptz IS NULL OR started_at < %(to)s)
    AND (%(at)s::timestamptz IS NULL OR (started_at <= %(at)s AND (ended_at IS NULL OR ended_at > %(at)s)))
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN superseded_by IS NULL ELSE
        EXISTS (SELECT FROM commits WHERE commits.commit_no = journey.commit_no AND committed_at <= %(known)s)
        AND NOT EXISTS (SELECT FROM commits WHERE commits.commit_no = superseded_by AND committed_at <= %(known)s) END
    AND (%(after_at)s::timestamptz IS NULL OR (started_at, journey.journey_id) > (%(after_at)s, %(after_id)s))
ORDER BY started_at, journey.journey_id LIMIT %(limit)s;

-- name: first_use
-- When anything is first known of an asset's use.
SELECT least((SELECT min(started_at) FROM activity WHERE asset_id = %(asset)s AND superseded_by IS NULL),
    (SELECT min(day)::timestamp AT TIME ZONE 'UTC' FROM use_day WHERE asset_id = %(asset)s AND superseded_by IS NULL)) AS time;
