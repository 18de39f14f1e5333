-- Reserve accounts, their prices, their ledger and the months that were closed. The ledger is append-only.

-- name: accounts
-- Accounts of leases with the price in force, and the sums of their entries up to an instant; in order of lease, asset, bucket.
SELECT account.reserve_account_id, account.lease_id, account.asset_id, asset.class, asset.name AS asset_name, account.bucket,
    account.currency, account.opened_at, rate.terms, rate.valid_from, rate.valid_to, sums.accrued, sums.paid_in, sums.paid_out,
    sums.retained, sums.claimed, sums.entries
FROM reserve_account AS account
JOIN asset ON asset.asset_id = account.asset_id
LEFT JOIN LATERAL (
    SELECT terms, lower(valid) AS valid_from, upper(valid) AS valid_to
    FROM reserve_rate
    WHERE reserve_rate.reserve_account_id = account.reserve_account_id
        AND (%(priced_on)s::date IS NULL OR valid @> %(priced_on)s::date)
        AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END
    ORDER BY lower(valid) DESC LIMIT 1
) AS rate ON true
LEFT JOIN LATERAL (
    SELECT coalesce(sum(amount) FILTER (WHERE kind IN ('accrual', 'adjustment')), 0) AS accrued,
        coalesce(sum(amount) FILTER (WHERE kind = 'payment'), 0) AS paid_in,
        coalesce(sum(amount) FILTER (WHERE kind = 'payout'), 0) AS paid_out,
        coalesce(sum(amount) FILTER (WHERE kind = 'retained_at_end'), 0) AS retained,
        coalesce(sum(amount) FILTER (WHERE kind = 'claim'), 0) AS claimed, count(*) AS entries
    FROM reserve_entry
    WHERE reserve_entry.reserve_account_id = account.reserve_account_id
        AND (%(at)s::timestamptz IS NULL OR reserve_entry.at <= %(at)s)
        AND (%(known)s::timestamptz IS NULL OR entered_at <= %(known)s)
) AS sums ON true
WHERE (%(leases)s::uuid[] IS NULL OR account.lease_id = ANY (%(leases)s))
    AND (%(account)s::uuid IS NULL OR account.reserve_account_id = %(account)s)
    AND (%(known)s::timestamptz IS NULL OR account.opened_at <= %(known)s)
    AND (%(after_lease)s::uuid IS NULL OR (account.lease_id, account.asset_id, account.bucket)
        > (%(after_lease)s::uuid, %(after_asset)s::uuid, %(after_bucket)s::text))
ORDER BY account.lease_id, account.asset_id, account.bucket
LIMIT %(limit)s;

-- name: open_account
INSERT INTO reserve_account (tenant, lease_id, asset_id, bucket, currency, opened_at)
VALUES (scope_tenant(), %(lease)s, %(asset)s, %(bucket)s, %(currency)s, clock_timestamp())
RETURNING reserve_account_id;

-- name: set_rate
-- In [from, to) the bucket is priced so; what was believed of that time is closed, not erased, and stands outside it.
WITH moment AS MATERIALIZED (
    SELECT clock_timestamp() AS at, daterange(%(from)s::date, %(to)s::date) AS valid
), closed AS (
    UPDATE reserve_rate SET recorded = tstzrange(lower(recorded), greatest(lower(recorded), moment.at))
    FROM moment
    WHERE reserve_account_id = %(account)s AND upper_inf(recorded) AND reserve_rate.valid && moment.valid
    RETURNING reserve_rate.terms, reserve_rate.valid AS valid
), pieces AS (
    SELECT closed.terms, unnest(datemultirange(closed.valid) - datemultirange(moment.valid)) AS valid FROM closed, moment
    UNION ALL
    SELECT %(terms)s::jsonb, moment.valid FROM moment WHERE (SELECT count(*) FROM closed) >= 0
)
INSERT INTO reserve_rate (tenant, reserve_account_id, terms, valid, actor, recorded)
SELECT scope_tenant(), %(account)s, pieces.terms, pieces.valid, %(actor)s, tstzrange(moment.at, NULL) FROM pieces, moment;

-- name: rates
-- Prices of an account over time, as believed now or known then.
SELECT terms, lower(valid) AS valid_from, upper(valid) AS valid_to, actor, lower(recorded) AS recorded_at
FROM reserve_rate
WHERE reserve_account_id = %(account)s AND (%(on)s::date IS NULL OR valid @> %(on)s::date)
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END
    AND (%(after)s::date IS NULL OR lower(valid) > %(after)s)
ORDER BY lower(valid)
LIMIT %(limit)s;

-- name: add_entry
INSERT INTO reserve_entry (tenant, reserve_account_id, kind, month, amount, workings, reverses, claim_id, actor, at)
VALUES (scope_tenant(), %(account)s, %(kind)s, %(month)s, %(amount)s, %(workings)s, %(reverses)s, %(claim)s, %(actor)s, %(at)s)
RETURNING reserve_entry_id, entered_at;

-- name: entries
-- Ledger lines with the names that an accounting system books by; in the order they were entered.
SELECT entry.reserve_entry_id, entry.reserve_account_id, account.lease_id, contract.reference AS lease_reference,
    party.name AS lessee_name, account.asset_id, asset.class, asset.name AS asset_name, account.bucket, entry.kind, entry.month,
    entry.amount, account.currency, entry.workings, entry.reverses, entry.claim_id, entry.actor, entry.at, entry.entered_at
FROM reserve_entry AS entry
JOIN reserve_account AS account USING (reserve_account_id)
JOIN asset ON asset.asset_id = account.asset_id
LEFT JOIN lease_contract AS contract ON contract.lease_id = account.lease_id AND upper_inf(contract.recorded)
LEFT JOIN LATERAL (
    SELECT lessee_party_id FROM lease
    WHERE lease.lease_id = account.lease_id AND upper_inf(lease.recorded) AND lower(lease.valid) <= entry.at
    ORDER BY lower(lease.valid) DESC LIMIT 1
) AS tenure ON true
LEFT JOIN party ON party.party_id = tenure.lessee_party_id
WHERE (%(leases)s::uuid[] IS NULL OR account.lease_id = ANY (%(leases)s))
    AND (%(account)s::uuid IS NULL OR entry.reserve_account_id = %(account)s)
    AND (%(kinds)s::text[] IS NULL OR entry.kind = ANY (%(kinds)s))
    AND (%(month)s::date IS NULL OR entry.month = %(month)s)
    AND (%(at)s::timestamptz IS NULL OR entry.at <= %(at)s)
    AND (%(known)s::timestamptz IS NULL OR entry.entered_at <= %(known)s)
    AND (%(after)s::bigint IS NULL OR entry.reserve_entry_id > %(after)s)
ORDER BY entry.reserve_entry_id
LIMIT %(limit)s;

-- name: accrued
-- What each account of a lease was charged for a month by runs so far: its accrual and their adjustments (a person's have no basis).
SELECT account.reserve_account_id, sum(entry.amount) AS amount,
    min(entry.reserve_entry_id) FILTER (WHERE entry.kind = 'accrual') AS accrual_id
FROM reserve_entry AS entry
JOIN reserve_account AS account USING (reserve_account_id)
WHERE account.lease_id = %(lease)s AND entry.month = %(month)s AND entry.kind IN ('accrual', 'adjustment')
    AND entry.workings ->> 'basis' IS NOT NULL
GROUP BY account.reserve_account_id;

-- name: closed
-- Months of a lease that were closed, each as it was last closed.
SELECT DISTINCT ON (lease_id, month) lease_id, month, revision, lower(period) AS from_time, upper(period) AS to_time, basis, figures,
    actor, closed_at
FROM closed_month
WHERE lease_id = %(lease)s AND (%(month)s::date IS NULL OR month = %(month)s)
    AND (%(from)s::timestamptz IS NULL OR period && tstzrange(%(from)s, %(to)s))
ORDER BY lease_id, month, revision DESC;

-- name: close_month
INSERT INTO closed_month (tenant, lease_id, month, revision, period, basis, figures, actor)
VALUES (scope_tenant(), %(lease)s, %(month)s, %(revision)s, tstzrange(%(from)s::timestamptz, %(to)s::timestamptz), %(basis)s,
    %(figures)s, %(actor)s);
