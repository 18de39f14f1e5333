-- name: at
-- The head lease of an asset at an instant.
SELECT lease_id::text AS lease_id
FROM lease
WHERE asset_id = %(asset_id)s::uuid AND head AND upper_inf(recorded) AND valid @> %(at)s::timestamptz;

-- name: lock
-- One change at a time of what an asset's leases and milestones come to.
SELECT pg_advisory_xact_lock(hashtext('keelwing lease'), hashtext(%(asset_id)s::text));

-- name: now
-- The instant of this transaction.
SELECT now() AS at;

-- name: insider
-- Whether the scope is that of the tenant's own people.
SELECT scope_internal() AS internal;

-- name: judge_subleases
-- Judge now, not at the end, whether subleases lie in their parents.
SET CONSTRAINTS sublease_within_parent IMMEDIATE;

-- name: defer_subleases
-- From here on judge it at the end again.
SET CONSTRAINTS sublease_within_parent DEFERRED;

-- name: papers
-- Contracts of assets as believed, with who signed as lessee; `signed_by_paper` where the day is known and nobody told the event.
SELECT contract.lease_id::text, revision, tenant, asset_id::text, reference, form, head, parent_lease_id::text, signed_on,
    lower(term) AS term_from, upper(term) AS term_to, lower(coalesce(promise, term)) AS promise_from,
    upper(coalesce(promise, term)) AS promise_to, void, terms, actor, lower(recorded) AS recorded_at,
    coalesce(contract.lessee_party_id, signer.party_id, holder.lessee_party_id)::text AS lessee_party_id,
    signed_on IS NOT NULL AND NOT EXISTS (SELECT FROM lease_event AS event
        WHERE event.lease_id = contract.lease_id AND event.kind = 'lease_signed') AS signed_by_paper,
    EXISTS (SELECT FROM lease_event AS event WHERE event.lease_id = contract.lease_id) AS told,
    (SELECT name FROM party WHERE party_id = coalesce(contract.lessee_party_id, signer.party_id, holder.lessee_party_id))
        AS lessee_name
FROM lease_contract AS contract
LEFT JOIN LATERAL (
    SELECT party_id FROM lease_party WHERE lease_party.lease_id = contract.lease_id AND role = 'lessee'
        AND upper_inf(lease_party.recorded)
    ORDER BY lower(lease_party.valid) NULLS FIRST LIMIT 1) AS signer ON true
LEFT JOIN LATERAL (
    SELECT lessee_party_id FROM lease WHERE lease.lease_id = contract.lease_id AND upper_inf(lease.recorded)
    ORDER BY lower(lease.valid) NULLS FIRST LIMIT 1) AS holder ON true
WHERE asset_id = ANY (%(assets)s::uuid[])
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END
ORDER BY lower(term), contract.lease_id;

-- name: cover
-- Insurance of the leases of assets as believed.
SELECT insurance.lease_id::text, kind, lower(cover) AS cover_from, upper(cover) AS cover_to
FROM insurance
WHERE lease_id IN (SELECT lease_id FROM lease_contract WHERE asset_id = ANY (%(assets)s::uuid[]))
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END;

-- name: events
-- Events of the leases of assets as believed, in the order they were recorded.
SELECT lease_event_id::text, lease_id::text, asset_id::text, kind, at, evidence, actor, corrects::text,
    lower(recorded) AS recorded_at
FROM lease_event
WHERE asset_id = ANY (%(assets)s::uuid[])
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END
ORDER BY lower(recorded), lease_event_id;

-- name: tenures
-- Tenure of the leases of assets as believed.
SELECT lease.lease_id::text, revision, lease.tenant, lease.asset_id::text, lessee_party_id::text, party.name AS lessee_name, form,
    head, lower(valid) AS valid_from, upper(valid) AS valid_to, lower(recorded) AS recorded_at
FROM lease LEFT JOIN party ON party.party_id = lease.lessee_party_id
WHERE lease.asset_id = ANY (%(assets)s::uuid[])
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END
ORDER BY lease.lease_id, lower(valid) NULLS FIRST;

-- name: draft
-- A contract in draft, with the parties named in it.
WITH contract AS (
    INSERT INTO lease_contract (lease_id, tenant, asset_id, reference, form, head, parent_lease_id, term, promise, terms, actor,
        lessee_party_id)
    VALUES (%(lease_id)s::uuid, %(tenant)s, %(asset_id)s::uuid, %(reference)s, %(form)s, %(parent_lease_id)s::uuid IS NULL,
        %(parent_lease_id)s::uuid, tstzrange(%(from)s::timestamptz, %(to)s::timestamptz),
        tstzrange(%(from)s::timestamptz, %(to)s::timestamptz), %(terms)s::jsonb, %(actor)s, %(lessee_party_id)s::uuid)
    RETURNING lease_id
)
INSERT INTO lease_party (tenant, lease_id, party_id, role, actor)
SELECT %(tenant)s, contract.lease_id, named.party_id, named.role, %(actor)s
FROM contract, unnest(%(party_ids)s::uuid[], %(roles)s::text[]) AS named (party_id, role);

-- name: revise
-- Another revision of a contract: what is given replaces, what was believed is closed.
WITH closed AS (
    UPDATE lease_contract SET recorded = tstzrange(lower(recorded), now())
    WHERE lease_id = %(lease_id)s::uuid AND upper_inf(recorded)
    RETURNING *
)
INSERT INTO lease_contract (lease_id, revision, tenant, asset_id, reference, form, head, parent_lease_id, signed_on, term, promise,
    void, terms, actor, lessee_party_id)
SELECT lease_id, (SELECT max(earlier.revision) + 1 FROM lease_contract AS earlier WHERE earlier.lease_id = closed.lease_id),
    tenant, asset_id, %(reference)s, form, head, parent_lease_id, %(signed_on)s::date,
    tstzrange(%(term_from)s::timestamptz, %(term_to)s::timestamptz),
    tstzrange(%(promise_from)s::timestamptz, %(promise_to)s::timestamptz), %(void)s, %(terms)s::jsonb, %(actor)s, lessee_party_id
FROM closed
RETURNING revision;

-- name: add_events
-- What happened, recorded at the instant at which what came of it is: `known_at` sees all of a change or nothing.
INSERT INTO lease_event (lease_event_id, tenant, lease_id, asset_id, kind, at, evidence, actor, corrects, recorded)
SELECT event_id, %(tenant)s, lease_id, %(asset_id)s::uuid, kind, at, evidence, %(actor)s, corrects, tstzrange(now(), NULL)
FROM unnest(%(event_ids)s::uuid[], %(lease_ids)s::uuid[], %(kinds)s::text[], %(ats)s::timestamptz[], %(evidences)s::jsonb[],
    %(corrects)s::uuid[]) WITH ORDINALITY AS told (event_id, lease_id, kind, at, evidence, corrects, place)
ORDER BY place;

-- name: close_events
-- These are no longer believed.
UPDATE lease_event SET recorded = tstzrange(lower(recorded), greatest(lower(recorded), now()))
WHERE lease_event_id = ANY (%(event_ids)s::uuid[]) AND upper_inf(recorded);

-- name: close_tenures
UPDATE lease SET recorded = tstzrange(lower(recorded), now())
FROM unnest(%(lease_ids)s::uuid[], %(revisions)s::int[]) AS gone (lease_id, revision)
WHERE lease.lease_id = gone.lease_id AND lease.revision = gone.revision;

-- name: add_tenure
INSERT INTO lease (lease_id, revision, tenant, asset_id, lessee_party_id, form, head, valid)
SELECT %(lease_id)s::uuid,
    (SELECT coalesce(max(revision), 0) + 1 FROM lease AS earlier WHERE earlier.lease_id = %(lease_id)s::uuid),
    %(tenant)s, %(asset_id)s::uuid, %(party_id)s::uuid, %(form)s, %(head)s,
    tstzrange(%(from)s::timestamptz, %(to)s::timestamptz)
RETURNING revision, lower(recorded) AS recorded_at;

-- name: lessees
-- Who stands as lessee of a lease, as believed now.
SELECT lease_party_id, party_id::text, lower(valid) AS valid_from, upper(valid) AS valid_to
FROM lease_party WHERE lease_id = %(lease_id)s::uuid AND role = 'lessee' AND upper_inf(recorded)
ORDER BY lower(valid) NULLS FIRST;

-- name: close_parties
UPDATE lease_party SET recorded = tstzrange(lower(recorded), now()) WHERE lease_party_id = ANY (%(ids)s::bigint[]);

-- name: add_party
-- A party in a role, in a period; what was believed of the same party, role and period is closed, not erased.
WITH period AS (
    SELECT tstzrange(%(from)s::timestamptz, %(to)s::timestamptz) AS valid
), closed AS (
    UPDATE lease_party SET recorded = tstzrange(lower(recorded), now())
    FROM period
    WHERE lease_id = %(lease_id)s::uuid AND party_id = %(party_id)s::uuid AND role = %(role)s AND upper_inf(recorded)
        AND lease_party.valid && period.valid
    RETURNING lease_party.valid AS valid, lease_party.source
), pieces AS (
    SELECT unnest(tstzmultirange(closed.valid) - tstzmultirange(period.valid)) AS valid, closed.source FROM closed, period
    UNION ALL
    SELECT period.valid, %(source)s FROM period WHERE (SELECT count(*) FROM closed) >= 0
)
INSERT INTO lease_party (tenant, lease_id, party_id, role, valid, source, actor)
SELECT %(tenant)s, %(lease_id)s::uuid, %(party_id)s::uuid, %(role)s, valid, source, %(actor)s FROM pieces;

-- name: parties
-- Who stands behind a lease in which role, as believed; with `at` only those then.
SELECT lease_party.lease_party_id, lease_party.party_id::text, party.name, party.country, role, lower(valid) AS valid_from,
    upper(valid) AS valid_to, lower(recorded) AS recorded_at, source, actor
FROM lease_party JOIN party USING (party_id)
WHERE lease_id = %(lease_id)s::uuid AND (%(at)s::timestamptz IS NULL OR valid @> %(at)s::timestamptz)
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END
    AND (%(after)s::bigint IS NULL OR lease_party_id > %(after)s)
ORDER BY lease_party_id
LIMIT %(limit)s;

-- name: find
-- Leases by id, filtered: the contract's asset, any of its parties, the phase its last event led to, where the term ends.
SELECT contract.lease_id::text, contract.asset_id::text
FROM lease_contract AS contract
LEFT JOIN LATERAL (
    SELECT leads.phase FROM lease_event AS event JOIN unnest(%(kinds)s::text[], %(phases)s::text[], %(ranks)s::int[])
        AS leads (kind, phase, rank) USING (kind)
    WHERE event.lease_id = contract.lease_id AND event.at <= coalesce(%(at)s::timestamptz, now())
        AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(event.recorded)
            ELSE event.recorded @> %(known)s::timestamptz END
    ORDER BY event.at DESC, leads.rank DESC LIMIT 1) AS last ON true
WHERE CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(contract.recorded)
        ELSE contract.recorded @> %(known)s::timestamptz END
    AND (%(lease_id)s::uuid IS NULL OR contract.lease_id = %(lease_id)s::uuid)
    AND (%(asset)s::uuid IS NULL OR contract.asset_id = %(asset)s::uuid)
    AND (%(wanted)s::text[] IS NULL OR coalesce(last.phase, CASE WHEN contract.signed_on IS NULL THEN 'draft'
        ELSE 'signed' END) = ANY (%(wanted)s::text[]))
    AND (%(ends_before)s::timestamptz IS NULL OR upper(contract.term) < %(ends_before)s::timestamptz)
    AND (%(party)s::uuid IS NULL OR contract.lessee_party_id = %(party)s::uuid OR EXISTS (
        SELECT FROM lease_party WHERE lease_party.lease_id = contract.lease_id AND lease_party.party_id = %(party)s::uuid
            AND (%(at)s::timestamptz IS NULL OR lease_party.valid @> %(at)s::timestamptz)
            AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(lease_party.recorded)
                ELSE lease_party.recorded @> %(known)s::timestamptz END))
    AND (%(after)s::uuid IS NULL OR contract.lease_id > %(after)s::uuid)
ORDER BY contract.lease_id
LIMIT %(limit)s;

-- name: own_tenures
-- What a lessee sees of leases: its own tenure, by lease.
SELECT lease_id::text, asset_id::text, lessee_party_id::text, party.name AS lessee_name, form, head, lower(valid) AS valid_from,
    upper(valid) AS valid_to, lower(recorded) AS recorded_at
FROM lease JOIN party ON party.party_id = lease.lessee_party_id
WHERE upper_inf(recorded) AND lessee_party_id = scope_party()
    AND (%(lease_id)s::uuid IS NULL OR lease_id = %(lease_id)s::uuid) AND (%(asset)s::uuid IS NULL OR asset_id = %(asset)s::uuid)
    AND (%(ends_before)s::timestamptz IS NULL OR upper(valid) < %(ends_before)s::timestamptz)
    AND (%(after)s::uuid IS NULL OR lease_id > %(after)s::uuid)
ORDER BY lease_id, lower(valid)
LIMIT %(limit)s;

-- name: asset_of
-- The asset of a lease, whatever is believed of it; the tenant's.
SELECT tenant, asset_id::text FROM lease_contract WHERE lease_id = %(lease_id)s::uuid LIMIT 1;

-- name: event_list
-- Events of one lease, earliest first; those that were corrected too when asked for.
SELECT lease_event_id::text, lease_id::text, asset_id::text, kind, at, evidence, actor, corrects::text,
    lower(recorded) AS recorded_at, upper(recorded) AS superseded_at
FROM lease_event
WHERE lease_id = %(lease_id)s::uuid AND (%(at)s::timestamptz IS NULL OR at <= %(at)s::timestamptz)
    AND (%(superseded)s OR CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded)
        ELSE recorded @> %(known)s::timestamptz END)
    AND (%(after_time)s::timestamptz IS NULL OR (at, lease_event_id) > (%(after_time)s::timestamptz, %(after_id)s::uuid))
ORDER BY at, lease_event_id
LIMIT %(limit)s;
