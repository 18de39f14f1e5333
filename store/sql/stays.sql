-- Where an asset stayed: calls at ports as the journeys have them, and stretches of a still state put together from activities.
-- Runs inside a scope (store.pool.scope); `known` is what was known then (NULL: now).

-- name: stays
-- Stays that touch [from, to), by their begin. A stretch goes on over midnights and through the activity under way; it lasts
-- (`ended_at` NULL) while nothing after it is known of the asset.
WITH piece AS (
    SELECT state, place, started_at, ended_at, distance_m, observed_s, method, sources
    FROM activity
    WHERE asset_id = %(asset)s AND started_at < %(to)s AND (%(at)s::timestamptz IS NULL OR started_at <= %(at)s)
        AND CASE WHEN %(known)s::timestamptz IS NULL THEN superseded_by IS NULL ELSE
            EXISTS (SELECT FROM commits WHERE commits.commit_no = activity.commit_no AND committed_at <= %(known)s)
            AND NOT EXISTS (SELECT FROM commits WHERE commits.commit_no = superseded_by AND committed_at <= %(known)s) END
    UNION ALL
    SELECT state, place, started_at, ended_at, distance_m, observed_s, method, sources
    FROM use_tail
    WHERE asset_id = %(asset)s AND started_at < %(to)s AND %(known)s::timestamptz IS NULL
        AND (%(at)s::timestamptz IS NULL OR started_at <= %(at)s)
), marked AS (
    SELECT *, (lag(ended_at) OVER turn IS DISTINCT FROM started_at OR lag(state) OVER turn IS DISTINCT FROM state
        OR lag(place) OVER turn IS DISTINCT FROM place)::int AS fresh, lead(started_at) OVER turn IS NULL AS last
    FROM piece WINDOW turn AS (ORDER BY started_at)
), numbered AS (
    SELECT *, sum(fresh) OVER (ORDER BY started_at) AS n FROM marked
), mix AS (
    SELECT n, jsonb_object_agg(key, seconds) AS sources FROM (
        SELECT n, key, sum(value::float8) AS seconds FROM numbered CROSS JOIN LATERAL jsonb_each_text(sources)
        WHERE state = ANY (%(kinds)s::text[]) GROUP BY n, key) AS summed
    GROUP BY n
), stretch AS (
    SELECT state AS kind, place, min(started_at) AS started_at, max(ended_at) AS seen_until, bool_or(last) AS lasts,
        sum(distance_m) AS distance_m, sum(observed_s) AS observed_s, max(method) AS method, given.sources, NULL::smallint AS confidence,
        NULL::text AS quality
    FROM numbered LEFT JOIN LATERAL (SELECT mix.sources AS mixed FROM mix WHERE mix.n = numbered.n) AS said ON true
    CROSS JOIN LATERAL (SELECT coalesce(mixed, '{}'::jsonb) AS sources) AS given
    WHERE state = ANY (%(kinds)s::text[])
    GROUP BY n, state, place, given.sources
), stay AS (
    SELECT kind, place, started_at, CASE WHEN lasts THEN NULL ELSE seen_until END AS ended_at, seen_until, distance_m, observed_s,
        method, sources, confidence, quality
    FROM stretch
    UNION ALL
    SELECT kind, to_place, started_at, ended_at, coalesce(ended_at, seen.until, started_at), distance_m, observed_s, method, sources,
        confidence, quality
    FROM journey
    CROSS JOIN LATERAL (SELECT max(piece.ended_at) AS until FROM piece) AS seen
    WHERE asset_id = %(asset)s AND kind = 'port_call' AND kind = ANY (%(kinds)s::text[]) AND NOT retracted
        AND confidence >= %(confidence)s AND started_at < %(to)s AND (%(at)s::timestamptz IS NULL OR started_at <= %(at)s)
        AND CASE WHEN %(known)s::timestamptz IS NULL THEN superseded_by IS NULL ELSE
            EXISTS (SELECT FROM commits WHERE commits.commit_no = journey.commit_no AND committed_at <= %(known)s)
            AND NOT EXISTS (SELECT FROM commits WHERE commits.commit_no = superseded_by AND committed_at <= %(known)s) END
)
SELECT kind, place, started_at, ended_at, seen_until, distance_m, observed_s,
    extract(epoch FROM seen_until - started_at)::float8 AS length_s, method, sources, confidence, quality
FROM stay
WHERE (ended_at IS NULL OR ended_at > %(from)s)
    AND (%(at)s::timestamptz IS NULL OR ended_at IS NULL OR ended_at > %(at)s)
    AND extract(epoch FROM seen_until - started_at) >= %(length_s)s
    AND (%(after_at)s::timestamptz IS NULL OR (started_at, kind) > (%(after_at)s, %(after_kind)s))
ORDER BY started_at, kind
LIMIT %(limit)s;
