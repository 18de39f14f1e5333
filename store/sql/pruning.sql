-- name: rejections
-- Old rejections, then the oldest beyond the size.
SELECT prune_rejections(%(days)s * interval '1 day', %(bytes_max)s::bigint) AS count;

-- name: traffic
-- The oldest traffic beyond the number.
SELECT prune_traffic(%(rows_max)s::bigint) AS count;

-- name: live_events
-- Events no page will ask for any more.
WITH gone AS (DELETE FROM live_event WHERE written_at < now() - %(hours)s * interval '1 hour' RETURNING 1)
SELECT count(*) AS count FROM gone;

-- name: idempotency_keys
-- Answers nobody will ask for again.
WITH gone AS (DELETE FROM idempotency_key WHERE created_at < now() - %(hours)s * interval '1 hour' RETURNING 1)
SELECT count(*) AS count FROM gone;

-- name: checkpoints
-- States behind the horizon, but for the newest of each asset and the newest before the horizon.
WITH gone AS (
    DELETE FROM checkpoint AS old USING (
        SELECT asset_id, max(time) AS time FROM checkpoint GROUP BY asset_id
    ) AS newest
    WHERE old.asset_id = newest.asset_id AND old.time < newest.time - %(horizon_h)s * interval '1 hour' AND EXISTS (
        SELECT FROM checkpoint AS later WHERE later.asset_id = old.asset_id AND later.time > old.time
            AND later.time < newest.time - %(horizon_h)s * interval '1 hour')
    RETURNING 1
)
SELECT count(*) AS count FROM gone;

-- name: prior_contributions
-- Hours too old for any prior.
WITH gone AS (
    DELETE FROM prior_contribution AS old USING (SELECT asset_id, max(hour) AS hour FROM prior_contribution GROUP BY asset_id) AS newest
    WHERE old.asset_id = newest.asset_id AND old.hour < newest.hour - %(days)s * interval '1 day' RETURNING 1
)
SELECT count(*) AS count FROM gone;
