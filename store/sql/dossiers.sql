-- What is known of assets on a day: the facts that calendar rules and the agenda rest on. `known` NULL is as believed now.

-- name: assets
-- A tenant's assets in order of id, each by the identifier one would address it with at `at`.
SELECT asset.asset_id::text, asset.class, asset.name, asset.type, asset.particulars, asset.shard, called.name AS addressed
FROM asset
LEFT JOIN LATERAL (
    SELECT scheme || ':' || value AS name FROM identifier
    WHERE identifier.asset_id = asset.asset_id AND valid @> %(at)s::timestamptz
        AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END
    ORDER BY array_position(ARRAY['imo', 'icao24', 'evn', 'registration', 'mmsi', 'msn', 'callsign', 'local'], scheme), value
    LIMIT 1) AS called ON true
WHERE asset.tenant = %(tenant)s AND (%(assets)s::uuid[] IS NULL OR asset.asset_id = ANY (%(assets)s::uuid[]))
    AND (%(after)s::uuid IS NULL OR asset.asset_id > %(after)s::uuid)
ORDER BY asset.asset_id
LIMIT %(limit)s;

-- name: works
SELECT asset_id::text, maintenance_event_id::text, kind, lower(planned) AS planned_from, upper(planned) AS planned_to,
    lower(actual) AS done_from, upper(actual) AS done_to, coalesce((evidence ->> 'in_water')::boolean, false) AS in_water
FROM maintenance_event
WHERE tenant = %(tenant)s AND asset_id = ANY (%(assets)s::uuid[])
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END
ORDER BY asset_id, coalesce(lower(actual), lower(planned)), maintenance_event_id;

-- name: leases
-- The leases of assets: the paper and the tenure that came of it, each lease once, with who has (or had last) the asset.
WITH tenure AS (
    SELECT lease_id, asset_id, min(lower(valid)) AS held_from, bool_or(upper_inf(valid)) AS open, max(upper(valid)) AS held_to,
        bool_or(head) AS head, min(form) AS form,
        (array_agg(lessee_party_id ORDER BY valid @> %(at)s::timestamptz DESC, lower(valid) DESC))[1] AS lessee_party_id
    FROM lease
    WHERE tenant = %(tenant)s AND asset_id = ANY (%(assets)s::uuid[]) AND lower(valid) <= %(at)s::timestamptz
        AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END
    GROUP BY lease_id, asset_id
), paper AS (
    SELECT lease_id, asset_id, reference, form, head, signed_on, term, terms
    FROM lease_contract
    WHERE tenant = %(tenant)s AND asset_id = ANY (%(assets)s::uuid[]) AND NOT void
        AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END
)
SELECT coalesce(paper.lease_id, tenure.lease_id)::text AS lease_id, coalesce(paper.asset_id, tenure.asset_id)::text AS asset_id,
    paper.reference, coalesce(paper.form, tenure.form) AS form, coalesce(paper.head, tenure.head) AS head,
    paper.lease_id IS NOT NULL AS has_paper, paper.signed_on, lower(paper.term) AS term_from, upper(paper.term) AS term_to,
    paper.terms, tenure.held_from, CASE WHEN NOT tenure.open THEN tenure.held_to END AS held_to, tenure.lessee_party_id::text,
    party.name AS lessee
FROM paper FULL JOIN tenure ON tenure.lease_id = paper.lease_id
LEFT JOIN party ON party.party_id = tenure.lessee_party_id
WHERE tenure.lease_id IS NULL OR tenure.open OR tenure.held_to > %(at)s::timestamptz - interval '400 days'
ORDER BY asset_id, coalesce(tenure.held_from, lower(paper.term)), lease_id;

-- name: covers
SELECT lease_id::text, kind, insurer, lower(cover) AS from_time, upper(cover) AS to_time
FROM insurance
WHERE tenant = %(tenant)s AND lease_id = ANY (%(leases)s::uuid[])
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END
ORDER BY lease_id, kind, lower(cover);

-- name: checks
-- Conditions of return that are not met.
SELECT lease_id::text, return_condition_id, requirement, status, due_on
FROM return_condition
WHERE tenant = %(tenant)s AND lease_id = ANY (%(leases)s::uuid[]) AND status IN ('open', 'failed')
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END
ORDER BY lease_id, return_condition_id;

-- name: use_clauses
-- Covenants on use that are switched on, each as a document.
SELECT lease_id::text, lower(valid) AS from_time, upper(valid) AS to_time,
    jsonb_build_object('id', covenant_id, 'clause', clause, 'predicate', predicate, 'severity', severity) AS said
FROM covenant
WHERE tenant = %(tenant)s AND lease_id = ANY (%(leases)s::uuid[]) AND is_active AND predicate ->> 'kind' IN ('min_use', 'max_use')
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END
ORDER BY lease_id, covenant_id;

-- name: events
-- What became of options and notices.
SELECT lease_id::text, kind, at, evidence
FROM lease_event
WHERE tenant = %(tenant)s AND lease_id = ANY (%(leases)s::uuid[]) AND at <= %(at)s::timestamptz
    AND kind IN ('extension_exercised', 'purchase_option_exercised', 'redelivery_notice')
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END
ORDER BY lease_id, at;

-- name: reports
-- Months that were reported for the leased assets themselves; a month is the one that the middle of the period lies in.
SELECT report.lease_id::text, figures,
    to_char((lower(period) + (upper(period) - lower(period)) / 2) AT TIME ZONE 'UTC', 'YYYY-MM') AS month
FROM utilization_report AS report
WHERE report.tenant = %(tenant)s AND report.lease_id = ANY (%(leases)s::uuid[]) AND report.asset_id = ANY (%(assets)s::uuid[])
    AND report.kind = 'monthly' AND upper(period) > %(at)s::timestamptz - interval '26 months'
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END
ORDER BY report.lease_id, month;

-- name: months
-- Use inside the tenure of leases by UTC month, whole days of it alone.
SELECT lease.lease_id::text, to_char(use_day.day, 'YYYY-MM') AS month, count(*) AS days, sum(flight_s) AS flight_s,
    sum(cycles)::bigint AS cycles, sum(distance_m) AS distance_m, sum(observed_s) AS observed_s,
    sum((state_s ->> 'at_sea')::double precision) AS at_sea_s, sum((figures ->> 'car_km')::double precision) AS car_km,
    sum((figures ->> 'door_cycles')::double precision) AS door_cycles
FROM lease
JOIN use_day ON use_day.asset_id = lease.asset_id AND use_day.tenant = lease.tenant
    AND lease.valid @> tstzrange(use_day.day::timestamp AT TIME ZONE 'UTC', (use_day.day + 1)::timestamp AT TIME ZONE 'UTC')
WHERE lease.tenant = %(tenant)s AND lease.lease_id = ANY (%(leases)s::uuid[])
    AND use_day.day >= %(from_day)s AND use_day.day < %(to_day)s
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(lease.recorded) AND superseded_by IS NULL ELSE
        lease.recorded @> %(known)s::timestamptz
        AND EXISTS (SELECT FROM commits WHERE commits.commit_no = use_day.commit_no AND committed_at <= %(known)s)
        AND NOT EXISTS (SELECT FROM commits WHERE commits.commit_no = superseded_by AND committed_at <= %(known)s) END
GROUP BY lease.lease_id, month
ORDER BY lease.lease_id, month;

-- name: reserves
-- Accounts that save for these assets, with what they hold and what the last accrued months added.
SELECT account.asset_id::text, account.lease_id::text, account.bucket, account.currency,
    coalesce(sum(amount) FILTER (WHERE kind IN ('accrual', 'adjustment')), 0) AS accrued,
    coalesce(sum(amount) FILTER (WHERE kind = 'payment'), 0) AS paid_in,
    coalesce(sum(amount) FILTER (WHERE kind = 'payout'), 0) AS paid_out,
    coalesce(sum(amount) FILTER (WHERE kind = 'retained_at_end'), 0) AS retained,
    sum(amount) FILTER (WHERE kind IN ('accrual', 'adjustment') AND month >= %(lately)s) AS accrued_lately,
    count(DISTINCT month) FILTER (WHERE kind = 'accrual' AND month >= %(lately)s) AS months_lately
FROM reserve_account AS account
LEFT JOIN reserve_entry AS entry ON entry.reserve_account_id = account.reserve_account_id AND entry.at <= %(at)s::timestamptz
    AND (%(known)s::timestamptz IS NULL OR entry.entered_at <= %(known)s::timestamptz)
WHERE account.tenant = %(tenant)s AND account.asset_id = ANY (%(assets)s::uuid[])
    AND (%(known)s::timestamptz IS NULL OR account.opened_at <= %(known)s::timestamptz)
GROUP BY account.asset_id, account.lease_id, account.bucket, account.currency
ORDER BY account.asset_id, account.lease_id, account.bucket;

-- name: terms_of
-- Ends of the terms of leases that need not be those of the assets asked for.
SELECT lease_id::text, upper(term) AS term_to
FROM lease_contract
WHERE tenant = %(tenant)s AND lease_id = ANY (%(leases)s::uuid[])
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END;

-- name: areas
-- Areas by id or by set, in force at `at`, the tenant's and everybody's.
SELECT area_id, area_set, name, geometry, radius_m
FROM area
WHERE tenant IN (%(tenant)s, '_') AND (area_id = ANY (%(ids)s::text[]) OR area_set = ANY (%(sets)s::text[]))
    AND valid @> %(at)s::timestamptz
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END
ORDER BY area_id
LIMIT 1000;

-- name: figures
-- Figures of practice that a tenant laid over the house's.
SELECT name, value, lower(valid) AS from_time, upper(valid) AS to_time
FROM setting
WHERE tenant IN (%(tenant)s, '_') AND rule = 'practice'
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END
ORDER BY tenant = %(tenant)s, name, lower(valid) NULLS FIRST;
