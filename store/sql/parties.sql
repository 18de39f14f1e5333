-- name: list
-- Parties by id, filtered by a part of their name.
SELECT party_id::text, tenant, name, country, lei, particulars, created_at
FROM party
WHERE (%(party_id)s::uuid IS NULL OR party_id = %(party_id)s::uuid)
    AND (%(q)s::text IS NULL OR name ILIKE %(q)s OR lei ILIKE %(q)s)
    AND (%(known)s::timestamptz IS NULL OR created_at <= %(known)s::timestamptz)
    AND (%(after)s::uuid IS NULL OR party_id > %(after)s::uuid)
ORDER BY party_id
LIMIT %(limit)s;

-- name: create
INSERT INTO party (tenant, name, country, lei, particulars)
VALUES (%(tenant)s, %(name)s, %(country)s, %(lei)s, %(particulars)s)
RETURNING party_id::text;

-- name: change
-- Country, LEI and particulars; what is not given stays, a null one is removed (RFC 7396).
UPDATE party SET country = CASE WHEN %(country_given)s THEN %(country)s::text ELSE country END,
    lei = CASE WHEN %(lei_given)s THEN %(lei)s::text ELSE lei END,
    particulars = jsonb_strip_nulls(particulars || %(particulars)s::jsonb)
WHERE party_id = %(party_id)s::uuid;

-- name: control
-- From now on believe that a company controls another in a period; what was believed of that period is closed, not erased.
WITH period AS (
    SELECT tstzrange(%(from)s::timestamptz, %(to)s::timestamptz) AS valid
), closed AS (
    UPDATE party_group SET recorded = tstzrange(lower(recorded), now())
    FROM period
    WHERE party_id = %(party_id)s::uuid AND upper_inf(recorded) AND party_group.valid && period.valid
    RETURNING parent_party_id, party_group.valid AS valid, source
), pieces AS (
    SELECT parent_party_id, unnest(tstzmultirange(closed.valid) - tstzmultirange(period.valid)) AS valid, source
    FROM closed, period
    UNION ALL
    SELECT %(parent_party_id)s::uuid, period.valid, %(source)s FROM period
    WHERE (SELECT count(*) FROM closed) >= 0 AND %(parent_party_id)s::uuid IS NOT NULL
)
INSERT INTO party_group (tenant, party_id, parent_party_id, valid, source, actor)
SELECT %(tenant)s, %(party_id)s::uuid, parent_party_id, valid, source, %(actor)s FROM pieces;

-- name: parents
-- Which company controls a party, as believed; with `at` the one then.
SELECT party_group_id, party_group.party_id::text, parent_party_id::text, party.name AS parent_name, lower(valid) AS valid_from,
    upper(valid) AS valid_to, lower(recorded) AS recorded_at, source, actor
FROM party_group JOIN party ON party.party_id = parent_party_id
WHERE party_group.party_id = %(party_id)s::uuid AND (%(at)s::timestamptz IS NULL OR valid @> %(at)s::timestamptz)
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END
    AND (%(after)s::bigint IS NULL OR party_group_id > %(after)s)
ORDER BY party_group_id
LIMIT %(limit)s;

-- name: group_of
-- A party's corporate group at an instant, as believed: everybody under the company at its top, that one first.
WITH RECURSIVE control AS (
    SELECT party_id, parent_party_id FROM party_group
    WHERE valid @> %(at)s::timestamptz
        AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END
), above AS (
    SELECT %(party_id)s::uuid AS party_id
    UNION
    SELECT control.parent_party_id FROM above JOIN control USING (party_id)
), below AS (
    SELECT party_id FROM above WHERE NOT EXISTS (SELECT FROM control WHERE control.party_id = above.party_id)
    UNION
    SELECT control.party_id FROM below JOIN control ON control.parent_party_id = below.party_id
)
SELECT party.party_id::text, tenant, name, country, lei, particulars, created_at, control.parent_party_id::text
FROM party LEFT JOIN control USING (party_id)
WHERE party_id IN (SELECT party_id FROM below UNION SELECT party_id FROM above)
ORDER BY control.parent_party_id IS NOT NULL, name, party_id
LIMIT %(limit)s;

-- name: leases_of
-- Leases in which some parties take or answer for the asset at an instant, as believed.
SELECT DISTINCT contract.lease_id::text, contract.asset_id::text
FROM lease_contract AS contract JOIN lease_party USING (lease_id)
WHERE lease_party.party_id = ANY (%(party_ids)s::uuid[]) AND role IN ('lessee', 'sub_lessee', 'operator', 'guarantor')
    AND lease_party.valid @> %(at)s::timestamptz
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(contract.recorded) AND upper_inf(lease_party.recorded)
        ELSE contract.recorded @> %(known)s::timestamptz AND lease_party.recorded @> %(known)s::timestamptz END
ORDER BY 1
LIMIT %(limit)s;

-- name: reserves_of
-- Entries of the reserve accounts of some leases, as far as they took effect by `at` and were entered by `known`.
SELECT account.reserve_account_id::text, account.lease_id::text, account.asset_id::text, asset.name AS asset_name, bucket, currency,
    entry.kind, sum(entry.amount) AS amount
FROM reserve_account AS account JOIN asset USING (asset_id)
LEFT JOIN reserve_entry AS entry ON entry.reserve_account_id = account.reserve_account_id AND entry.at <= %(at)s::timestamptz
    AND (%(known)s::timestamptz IS NULL OR entry.entered_at <= %(known)s::timestamptz)
WHERE account.lease_id = ANY (%(lease_ids)s::uuid[])
GROUP BY account.reserve_account_id, asset.name, entry.kind
ORDER BY account.lease_id, bucket, account.reserve_account_id;
