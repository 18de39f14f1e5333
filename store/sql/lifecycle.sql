-- The life of one asset, each block one set query inside a scope (store.pool.scope). `at` is the instant the life is told up to,
-- `known` what was known of it then. What is put in braces says by that which rows were believed: without `known` it is the current
-- ones, found by their indexes.

-- name: tenures
-- Who had the asset when, head leases and subleases, as far as they began by `at`.
SELECT lease.lease_id, lease.form, lease.head, lessee_party_id, party.name AS lessee_name, lower(valid) AS valid_from,
    upper(valid) AS valid_to, lower(lease.recorded) AS recorded_at
FROM lease JOIN party ON party.party_id = lease.lessee_party_id
WHERE lease.asset_id = %(asset)s AND (lower(valid) IS NULL OR lower(valid) <= %(at)s)
    AND {believed_lease}
ORDER BY lower(valid) NULLS FIRST, lease.head DESC, lease.lease_id
LIMIT %(limit)s;

-- name: contracts
-- What the papers of the asset promise.
SELECT lease_id, reference, form, head, parent_lease_id, signed_on, lower(term) AS term_from, upper(term) AS term_to, void, terms,
    actor, lower(recorded) AS recorded_at
FROM lease_contract
WHERE asset_id = %(asset)s
    AND {believed}
ORDER BY lower(term), lease_id
LIMIT %(limit)s;

-- name: events
-- Milestones of the asset and of its leases; what a lease's event reports is `reported`.
SELECT * FROM (
    SELECT asset_event_id AS event_id, NULL::uuid AS lease_id, kind, basis, at, actor, evidence, recorded
    FROM asset_event WHERE asset_id = %(asset)s
    UNION ALL
    SELECT lease_event_id, lease_id, kind, 'reported', at, actor, evidence, recorded
    FROM lease_event WHERE asset_id = %(asset)s) AS event
CROSS JOIN LATERAL (SELECT lower(event.recorded) AS recorded_at) AS since
WHERE (basis = 'contract' OR at <= %(at)s)
    AND {believed}
ORDER BY at, recorded_at, event_id
LIMIT %(limit)s;

-- name: maintenance
-- Checks, shop visits, dry-dockings and surveys, planned and done.
SELECT maintenance_event_id, kind, lower(planned) AS planned_from, upper(planned) AS planned_to, lower(actual) AS actual_from,
    upper(actual) AS actual_to, place, use_at, cost_amount, currency, actor, lower(recorded) AS recorded_at
FROM maintenance_event
WHERE asset_id = %(asset)s
    AND {believed}
ORDER BY coalesce(lower(actual), lower(planned)), maintenance_event_id
LIMIT %(limit)s;

-- name: identifiers
-- Names, flags and numbers that the asset bore by `at`.
SELECT asset_id, scheme, value, lower(valid) AS valid_from, upper(valid) AS valid_to, lower(recorded) AS recorded_at, source
FROM identifier
WHERE asset_id = %(asset)s AND (lower(valid) IS NULL OR lower(valid) <= %(at)s)
    AND {believed}
ORDER BY scheme, lower(valid) NULLS FIRST, value
LIMIT %(limit)s;

-- name: gaps
-- Silences, the latest first, in the revision known then.
SELECT finding_id, revision, severity, opened_at, closed_at, detected_at, evidence, committed.committed_at AS recorded_at
FROM finding LEFT JOIN commits AS committed USING (commit_no)
WHERE asset_id = %(asset)s AND rule = 'gap' AND NOT retracted AND detected_at <= %(at)s
    AND {known_finding}
ORDER BY detected_at DESC, finding_id DESC
LIMIT %(limit)s;

-- name: alerts
-- Alerts, the latest first, as they stood when `known`.
SELECT alert.alert_id, rule, subject, changed.severity, changed.status, opened_at, closed_at, lease_id, changed.revision,
    changed.changed_at AS recorded_at
FROM alert
CROSS JOIN LATERAL (
    SELECT revision, changed_at, after ->> 'status' AS status, after ->> 'severity' AS severity FROM alert_revision
    WHERE alert_revision.alert_id = alert.alert_id AND {known_change}
    ORDER BY revision DESC LIMIT 1) AS changed (revision, changed_at, status, severity)
WHERE asset_id = %(asset)s AND opened_at <= %(at)s
ORDER BY opened_at DESC, alert.alert_id DESC
LIMIT %(limit)s;

-- name: movements_near
-- Nearest departure and arrival to each instant, no further than `within`: of journeys, and of port calls turned round.
SELECT n, movement, near.*, committed.recorded_at FROM unnest(%(instants)s::timestamptz[], %(movements)s::text[]) WITH ORDINALITY
    AS wanted (instant, movement, n)
CROSS JOIN LATERAL (
    SELECT moved.* FROM (
        SELECT CASE WHEN (kind = 'port_call') = (movement = 'arrival') THEN started_at ELSE ended_at END AS at,
            CASE WHEN kind = 'port_call' OR movement = 'departure' THEN from_place ELSE to_place END AS place,
            method, kind, journey_id, commit_no
        FROM journey
        WHERE asset_id = %(asset)s AND NOT retracted
            AND started_at BETWEEN instant - %(within)s::interval AND instant + %(within)s::interval
            AND {known_journey}
    ) AS moved
    WHERE moved.at BETWEEN instant - %(within)s::interval AND instant + %(within)s::interval AND moved.at <= %(at)s
    ORDER BY abs(extract(epoch FROM moved.at - instant)), moved.at
    LIMIT 1) AS near
LEFT JOIN LATERAL (SELECT committed_at AS recorded_at FROM commits WHERE commits.commit_no = near.commit_no) AS committed ON true;

-- name: use_of
-- Use inside half-open spans: whole UTC days from use_day, the edges cut out of activity in proportion to time, flights from journey
-- by each span's attribution (domain.md 1.1: landing, takeoff, split). Spans that part a life add up to it exactly. Bounds come as
-- plain values: arithmetic on them would keep row security from using the indexes.
WITH day AS MATERIALIZED (
    SELECT n, state_s, sources, figures, distance_m, laden_m, ballast_m, observed_s
    FROM unnest(%(day_from)s::date[], %(day_to)s::date[]) WITH ORDINALITY AS span (day_from, day_to, n)
    JOIN use_day ON use_day.asset_id = %(asset)s AND use_day.day >= day_from AND use_day.day < day_to
    WHERE {known_use_day}
), edge AS MATERIALIZED (
    SELECT n, state, loading, distance_m, activity.observed_s, activity.sources,
        activity.figures,        extract(epoch FROM least(until, edge_to) - greatest(started_at, edge_from))::float8 AS seconds,
        extract(epoch FROM until - started_at)::float8 AS length_s
    FROM unnest(%(edge_n)s::bigint[], %(edge_from)s::timestamptz[], %(edge_to)s::timestamptz[], %(edge_since)s::timestamptz[])
        AS span (n, edge_from, edge_to, edge_since)
    CROSS JOIN LATERAL (  -- each edge goes into the index for itself; no day holds so many changes of state
        SELECT * FROM activity
        WHERE asset_id = %(asset)s AND started_at < edge_to AND started_at >= edge_since AND {known_activity}
        ORDER BY started_at LIMIT 5000) AS activity
    CROSS JOIN LATERAL (SELECT coalesce(ended_at, %(at)s) AS until) AS closed
    WHERE until > edge_from
    UNION ALL
    SELECT n, state, loading, distance_m, use_tail.observed_s, use_tail.sources,
        use_tail.figures,        extract(epoch FROM least(ended_at, edge_to) - greatest(started_at, edge_from))::float8,
        extract(epoch FROM ended_at - started_at)::float8
    FROM unnest(%(edge_n)s::bigint[], %(edge_from)s::timestamptz[], %(edge_to)s::timestamptz[], %(edge_since)s::timestamptz[])
        AS span (n, edge_from, edge_to, edge_since)
    JOIN use_tail ON asset_id = %(asset)s AND started_at < edge_to AND ended_at > edge_from
    WHERE {now}
), part AS (
    SELECT n, distance_m, laden_m, ballast_m, observed_s FROM day
    UNION ALL
    SELECT n, distance_m * share, CASE WHEN loading = 'laden' THEN distance_m * share ELSE 0 END,
        CASE WHEN loading = 'ballast' THEN distance_m * share ELSE 0 END, observed_s * share
    FROM edge CROSS JOIN LATERAL (SELECT CASE WHEN length_s > 0 THEN seconds / length_s ELSE 0 END AS share) AS cut
), state AS (
    SELECT n, jsonb_object_agg(state, seconds) AS state_s FROM (
        SELECT n, state, sum(seconds) AS seconds FROM (
            SELECT n, key AS state, value::float8 AS seconds FROM day CROSS JOIN LATERAL jsonb_each_text(day.state_s)
            UNION ALL SELECT n, state, seconds FROM edge) AS pieces GROUP BY n, state) AS summed GROUP BY n
), source AS (
    SELECT n, jsonb_object_agg(key, amount) AS sources FROM (
        SELECT n, key, sum(amount) AS amount FROM (
            SELECT n, key, value::float8 AS amount FROM day CROSS JOIN LATERAL jsonb_each_text(day.sources)
            UNION ALL
            SELECT n, key, value::float8 * CASE WHEN length_s > 0 THEN seconds / length_s ELSE 0 END
            FROM edge CROSS JOIN LATERAL jsonb_each_text(edge.sources)) AS pieces
        GROUP BY n, key
    ) AS summed GROUP BY n
), figure AS (
    SELECT n, jsonb_object_agg(key, amount) AS figures FROM (
        SELECT n, key, sum(amount) AS amount FROM (
            SELECT n, key, value::float8 AS amount FROM day CROSS JOIN LATERAL jsonb_each(day.figures)
            WHERE jsonb_typeof(value) = 'number'
            UNION ALL
            SELECT n, key, value::float8 * CASE WHEN length_s > 0 THEN seconds / length_s ELSE 0 END
            FROM edge CROSS JOIN LATERAL jsonb_each(edge.figures) WHERE jsonb_typeof(value) = 'number') AS pieces
        GROUP BY n, key
    ) AS summed GROUP BY n
), flight AS MATERIALIZED (
    SELECT n, from_time, to_time, begins, ends, started_at, ended_at, coalesce((figures ->> 'cycles')::int, 1) AS cycles
    FROM unnest(%(from)s::timestamptz[], %(to)s::timestamptz[], %(since)s::timestamptz[], %(begins)s::text[], %(ends)s::text[])
        WITH ORDINALITY AS span (from_time, to_time, since, begins, ends, n)
    JOIN journey ON asset_id = %(asset)s AND kind = 'flight' AND started_at < to_time AND started_at >= since
        AND ended_at >= from_time
    WHERE NOT retracted AND {known_journey}
), flown AS (
    -- what counts behind the begin without what counts behind the end, as `fleet.flight.flown` has it
    SELECT n, sum(behind.flight_s * sign) AS flight_s, sum(behind.cycles * sign)::bigint AS cycles
    FROM flight
    CROSS JOIN LATERAL (VALUES (1, from_time, begins), (-1, to_time, ends)) AS edge (sign, at, attribution)
    CROSS JOIN LATERAL (
        SELECT CASE WHEN attribution = 'takeoff' THEN started_at ELSE ended_at END >= at AS counted) AS told
    CROSS JOIN LATERAL (
        SELECT CASE WHEN counted THEN extract(epoch FROM ended_at
                - CASE WHEN attribution = 'split' THEN greatest(started_at, at) ELSE started_at END)::float8 ELSE 0 END AS flight_s,
            CASE WHEN counted THEN flight.cycles ELSE 0 END AS cycles) AS behind
    GROUP BY n
)
SELECT span.n, extract(epoch FROM to_time - from_time)::float8 AS period_s, distance_m, laden_m, ballast_m, observed_s, state.state_s,
    source.sources, figure.figures, flown.flight_s, flown.cycles
FROM unnest(%(from)s::timestamptz[], %(to)s::timestamptz[]) WITH ORDINALITY AS span (from_time, to_time, n)
LEFT JOIN (
    SELECT n, sum(distance_m) AS distance_m, sum(laden_m) AS laden_m, sum(ballast_m) AS ballast_m, sum(observed_s) AS observed_s
    FROM part GROUP BY n) AS summed USING (n)
LEFT JOIN state USING (n) LEFT JOIN source USING (n) LEFT JOIN figure USING (n) LEFT JOIN flown USING (n)
ORDER BY span.n;
