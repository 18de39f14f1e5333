-- What a trainset's kilometres are counted from: the sums of whole days, the activities of days that an edge cuts, and who was in it.
-- Runs inside a scope; the braces are filled by `store.lifecycle.believed`.

-- name: days
-- The sums of whole days in [from, to), those at an edge left out.
SELECT day, state_s, state_m, figures, observed_s, sources, method
FROM use_day
WHERE asset_id = %(asset)s AND day >= %(day_from)s AND day < %(day_to)s AND NOT day = ANY (%(edges)s::date[]) AND {known_use_day}
ORDER BY day;

-- name: activities
-- The activities that touch [from, to) in days at an edge and in those that have no sums, and the one under way.
SELECT state, place, loading, started_at, ended_at, distance_m, observed_s, method, figures, sources
FROM activity
CROSS JOIN LATERAL (SELECT (started_at AT TIME ZONE 'UTC')::date AS day) AS of_day
WHERE asset_id = %(asset)s AND started_at < %(to)s AND ended_at > %(from)s AND {known_activity}
    AND (of_day.day = ANY (%(edges)s::date[]) OR NOT EXISTS (
        SELECT FROM use_day WHERE use_day.asset_id = %(asset)s AND use_day.day = of_day.day AND {known_use_day}))
UNION ALL
SELECT state, place, loading, started_at, ended_at, distance_m, observed_s, method, figures, sources
FROM use_tail
WHERE asset_id = %(asset)s AND started_at < %(to)s AND ended_at > %(from)s AND {now}
ORDER BY started_at;

-- name: cars
-- Cars that were in a trainset within [from, to).
SELECT asset_id, asset.name, position, lower(valid) AS valid_from, upper(valid) AS valid_to
FROM installation JOIN asset USING (asset_id)
WHERE parent_asset_id = %(asset)s AND asset.class = 'car' AND valid && tstzrange(%(from)s, %(to)s) AND {believed}
ORDER BY position, lower(valid) NULLS FIRST
LIMIT %(limit)s;
