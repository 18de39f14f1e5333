-- One month of one asset, for the pack that is printed of it. Every block runs inside a scope; braces as in lifecycle.sql.

-- name: reserves
-- The ledger of every lease of the asset up to the end of the month, oldest first; `inside` are the month's own entries.
SELECT reserve_account.lease_id, bucket, currency, held.name AS component, reserve_entry.kind, amount, at, month,
    at >= %(from)s::timestamptz AS inside
FROM reserve_entry JOIN reserve_account USING (reserve_account_id)
JOIN asset AS held ON held.asset_id = reserve_account.asset_id
WHERE reserve_account.lease_id = ANY (%(leases)s::uuid[]) AND at < %(to)s::timestamptz AND {entered}
ORDER BY at, reserve_entry_id
LIMIT %(limit)s;

-- name: days
-- Use of each whole UTC day that lies in the month.
SELECT day, state_s, distance_m, cycles, observed_s FROM use_day
WHERE asset_id = %(asset)s AND day >= %(day_from)s AND day < %(day_to)s AND {known_use_day}
ORDER BY day;

-- name: journeys
-- Flights, port calls and voyages that meet the month, earliest first.
SELECT kind, started_at, ended_at, from_place, to_place, quality, confidence, coverage, figures FROM journey
WHERE asset_id = %(asset)s AND started_at < %(to)s::timestamptz AND started_at >= %(since)s::timestamptz
    AND (ended_at IS NULL OR ended_at >= %(from)s::timestamptz) AND NOT retracted AND {known_journey}
ORDER BY started_at, kind
LIMIT %(limit)s;
