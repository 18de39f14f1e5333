-- One row an asset over a period of whole UTC days, inside a scope.

-- name: use
-- Sums of use of assets over the days of [from, to); assets without a day are left out.
WITH held AS MATERIALIZED (
    SELECT asset_id, state_s, sources, figures, distance_m, laden_m, ballast_m, flight_s, cycles, observed_s FROM use_day
    WHERE asset_id = ANY (%(assets)s::uuid[]) AND day >= %(from_day)s AND day < %(to_day)s
        AND CASE WHEN %(known)s::timestamptz IS NULL THEN superseded_by IS NULL ELSE
            EXISTS (SELECT FROM commits WHERE commits.commit_no = use_day.commit_no AND committed_at <= %(known)s)
            AND NOT EXISTS (SELECT FROM commits WHERE commits.commit_no = superseded_by AND committed_at <= %(known)s) END
), total AS (
    SELECT asset_id, count(*) AS days, sum(distance_m) AS distance_m, sum(laden_m) AS laden_m, sum(ballast_m) AS ballast_m,
        sum(flight_s) AS flight_s, sum(cycles)::bigint AS cycles, sum(observed_s) AS observed_s
    FROM held GROUP BY asset_id
)
SELECT total.*, state.sums AS state_s, source.sums AS sources, counted.sums AS figures
FROM total
LEFT JOIN LATERAL (
    SELECT jsonb_object_agg(name, seconds) AS sums FROM (
        SELECT name, sum(value::double precision) AS seconds
        FROM held CROSS JOIN LATERAL jsonb_each_text(held.state_s) AS each (name, value)
        WHERE held.asset_id = total.asset_id GROUP BY name) AS one) AS state ON true
LEFT JOIN LATERAL (
    SELECT jsonb_object_agg(name, seconds) AS sums FROM (
        SELECT name, sum(value::double precision) AS seconds
        FROM held CROSS JOIN LATERAL jsonb_each_text(held.sources) AS each (name, value)
        WHERE held.asset_id = total.asset_id GROUP BY name) AS one) AS source ON true
LEFT JOIN LATERAL (
    SELECT jsonb_object_agg(name, amount) AS sums FROM (
        SELECT name, sum(value::text::double precision) AS amount
        FROM held CROSS JOIN LATERAL jsonb_each(held.figures) AS each (name, value)
        WHERE held.asset_id = total.asset_id AND jsonb_typeof(value) = 'number' GROUP BY name) AS one) AS counted ON true;

-- name: alerts
-- Alerts of assets that wait for somebody, by severity.
SELECT asset_id, count(*) FILTER (WHERE severity = 'critical') AS critical, count(*) FILTER (WHERE severity = 'warning') AS warning
FROM alert
WHERE asset_id = ANY (%(assets)s::uuid[]) AND status IN ('open', 'acknowledged')
GROUP BY asset_id;
