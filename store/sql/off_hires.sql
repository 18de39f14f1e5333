-- Time lost to the charterer: what people decided, and the stops that it may be proposed from.

-- name: decided
-- Decisions that meet [from, to), as believed now or known then, in order of begin.
SELECT off_hire_id, revision, off_hire.lease_id, off_hire.asset_id, lower(period) AS from_time, upper(period) AS to_time, status,
    reason, evidence, actor, lower(recorded) AS recorded_at
FROM off_hire
WHERE off_hire.lease_id = ANY (%(leases)s::uuid[])
    AND (%(off_hire)s::uuid IS NULL OR off_hire_id = %(off_hire)s)
    AND period && tstzrange(%(from)s, %(to)s)
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END
ORDER BY lower(period), off_hire_id
LIMIT %(limit)s;

-- name: stops
-- Runs of one state in [from, to), joined over silences of at most `silence`, as long as they may be time lost; in order.
WITH piece AS (
    SELECT asset_id, state, started_at, ended_at,
        state IS DISTINCT FROM lag(state) OVER in_order OR started_at - lag(ended_at) OVER in_order > %(silence)s::interval AS begins
    FROM activity
    WHERE asset_id = ANY (%(assets)s::uuid[]) AND state <> 'unknown' AND ended_at IS NOT NULL
        AND started_at < %(to)s AND ended_at > %(from)s
        AND CASE WHEN %(known)s::timestamptz IS NULL THEN superseded_by IS NULL ELSE
            EXISTS (SELECT FROM commits WHERE commits.commit_no = activity.commit_no AND committed_at <= %(known)s)
            AND NOT EXISTS (SELECT FROM commits WHERE commits.commit_no = superseded_by AND committed_at <= %(known)s) END
    WINDOW in_order AS (PARTITION BY asset_id ORDER BY started_at)
), numbered AS (
    SELECT asset_id, state, started_at, ended_at, count(*) FILTER (WHERE begins) OVER (PARTITION BY asset_id ORDER BY started_at) AS run
    FROM piece
)
SELECT asset_id, state, min(started_at) AS started_at, max(ended_at) AS ended_at
FROM numbered
WHERE state = ANY (%(states)s::text[])
GROUP BY asset_id, run, state
HAVING max(ended_at) - min(started_at) >= %(least)s::interval
ORDER BY asset_id, min(started_at)
LIMIT %(limit)s;

-- name: days_still
-- UTC days of [from, to) on which an asset was watched and in no state in which it moves, in order.
SELECT asset_id, day
FROM use_day
WHERE asset_id = ANY (%(assets)s::uuid[]) AND day >= %(from_day)s AND day < %(to_day)s AND observed_s > 0
    AND NOT state_s ?| %(moving)s::text[]
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN superseded_by IS NULL ELSE
        EXISTS (SELECT FROM commits WHERE commits.commit_no = use_day.commit_no AND committed_at <= %(known)s)
        AND NOT EXISTS (SELECT FROM commits WHERE commits.commit_no = superseded_by AND committed_at <= %(known)s) END
ORDER BY asset_id, day
LIMIT %(limit)s;

-- name: hold
-- One decision of a lease's off-hire at a time; ends with the transaction.
SELECT pg_advisory_xact_lock(hashtextextended('keelwing.off_hire ' || %(lease)s::text, 0));

-- name: close
UPDATE off_hire SET recorded = tstzrange(lower(recorded), greatest(lower(recorded), clock_timestamp()))
WHERE off_hire_id = %(off_hire)s AND upper_inf(recorded)
RETURNING revision;

-- name: insert
INSERT INTO off_hire (off_hire_id, revision, tenant, lease_id, asset_id, period, status, reason, evidence, actor, recorded)
VALUES (%(off_hire)s, %(revision)s, scope_tenant(), %(lease)s, %(asset)s, tstzrange(%(from)s::timestamptz, %(to)s::timestamptz),
    %(status)s, %(reason)s, %(evidence)s, %(actor)s, tstzrange(clock_timestamp(), NULL))
RETURNING off_hire_id, revision, lease_id, asset_id, lower(period) AS from_time, upper(period) AS to_time, status, reason,
    evidence, actor, lower(recorded) AS recorded_at;
