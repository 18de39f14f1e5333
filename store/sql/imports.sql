-- Rows of a file, by their natural keys. Every block runs inside a scope.

-- name: tenant
SELECT tenant FROM tenant WHERE tenant = %(tenant)s;

-- name: party
-- A party by its name, with what is known of it and who controls it now.
SELECT party.party_id, party.country, party.lei, parent.name AS parent, lower(party_group.valid) AS parent_from
FROM party
LEFT JOIN party_group ON party_group.party_id = party.party_id AND upper_inf(party_group.recorded) AND upper_inf(party_group.valid)
LEFT JOIN party AS parent ON parent.party_id = party_group.parent_party_id
WHERE party.tenant = %(tenant)s AND party.name = %(name)s;

-- name: add_party
INSERT INTO party (tenant, name, country, lei) VALUES (%(tenant)s, %(name)s, %(country)s, %(lei)s) RETURNING party_id;

-- name: change_party
-- What the file says; where it says nothing, what is known stays.
UPDATE party SET country = coalesce(%(country)s, country), lei = coalesce(%(lei)s, lei) WHERE party_id = %(party)s;

-- name: close_parent
-- What was believed of who controls a party from an instant on is closed, not erased.
WITH closed AS (
    UPDATE party_group SET recorded = tstzrange(lower(recorded), now())
    WHERE party_id = %(party)s AND upper_inf(recorded) AND valid && tstzrange(%(from)s::timestamptz, NULL)
    RETURNING tenant, party_id, parent_party_id, valid)
INSERT INTO party_group (tenant, party_id, parent_party_id, valid, source)
SELECT tenant, party_id, parent_party_id, valid - tstzrange(%(from)s::timestamptz, NULL), 'import' FROM closed
WHERE NOT isempty(valid - tstzrange(%(from)s::timestamptz, NULL));

-- name: add_parent
INSERT INTO party_group (tenant, party_id, parent_party_id, valid, source)
VALUES (%(tenant)s, %(party)s, %(parent)s, tstzrange(%(from)s::timestamptz, NULL), 'import');

-- name: bearers
-- Assets of the tenant that bear any of these identifiers now or at any time, with what is known of them.
SELECT DISTINCT asset.asset_id, asset.name, asset.type, asset.particulars,
    (SELECT array_agg(held.scheme || ':' || held.value) FROM identifier AS held
        WHERE held.asset_id = asset.asset_id AND upper_inf(held.recorded)) AS identifiers
FROM unnest(%(scheme)s::text[], %(value)s::text[]) AS wanted (scheme, value)
JOIN identifier USING (scheme, value) JOIN asset USING (asset_id)
WHERE identifier.tenant = %(tenant)s AND identifier.class = %(class)s AND upper_inf(identifier.recorded);

-- name: lease
-- The lease of a reference, with its asset and what its paper promises.
SELECT lease_id::text, asset_id::text, form, signed_on, lower(coalesce(promise, term)) AS promise_from,
    upper(coalesce(promise, term)) AS promise_to, terms
FROM lease_contract
WHERE tenant = %(tenant)s AND reference = %(reference)s AND upper_inf(recorded) AND NOT void
ORDER BY lease_id
LIMIT 2;

-- name: asset_bearing
-- Assets of the tenant that bear an identifier, whenever.
SELECT DISTINCT asset_id::text FROM identifier
WHERE tenant = %(tenant)s AND scheme = %(scheme)s AND value = %(value)s AND upper_inf(recorded)
LIMIT 2;

-- name: lease_events
-- What happened to a lease, of the kinds that an import enters.
SELECT kind, at FROM lease_event
WHERE lease_id = %(lease)s AND kind = ANY (%(kinds)s) AND upper_inf(recorded);

-- name: now
SELECT now() AS at;

-- name: report
-- The report of a lease and asset for a period, as believed.
SELECT figures, signed_by, lower(period) AS from_time, upper(period) AS to_time FROM utilization_report
WHERE lease_id = %(lease)s AND asset_id = %(asset)s AND kind = 'monthly' AND upper_inf(recorded)
    AND period && tstzrange(%(from)s::timestamptz, %(to)s::timestamptz)
LIMIT 1;

-- name: add_report
INSERT INTO utilization_report (tenant, lease_id, asset_id, kind, period, figures, signed_by, received_at, actor)
VALUES (%(tenant)s, %(lease)s, %(asset)s, 'monthly', tstzrange(%(from)s::timestamptz, %(to)s::timestamptz), %(figures)s,
    %(signed_by)s, %(received)s::timestamptz, %(actor)s);
