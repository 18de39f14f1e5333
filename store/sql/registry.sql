-- name: version
-- Grows with every change of what `load` gives.
SELECT version FROM registry_version;

-- name: tenants
-- Every tenant, the operator included.
SELECT tenant FROM tenant ORDER BY tenant;

-- name: assets
-- Every asset, with those of its particulars that are numbers and asked for.
SELECT asset_id::text, tenant, class, name, type, shard, (
    SELECT jsonb_object_agg(key, value) FROM jsonb_each(particulars)
    WHERE key = ANY (%(particulars)s::text[]) AND jsonb_typeof(value) = 'number') AS particulars
FROM asset;

-- name: areas
-- Areas of some kinds as believed now.
SELECT area_row_id, tenant, area_id, name, kind, geometry, radius_m, lower(valid) AS from_time, upper(valid) AS to_time, severity,
    issuer, version, area_set, applies_to
FROM area WHERE kind = ANY (%(kinds)s::text[]) AND upper_inf(recorded)
ORDER BY area_row_id;

-- name: identifiers
-- Identifiers as believed now; of one that was taken from the air when that was first believed.
SELECT asset_id::text, tenant, class, scheme, value, lower(valid) AS from_time, upper(valid) AS to_time, source,
    CASE WHEN source LIKE 'accepted:%%' THEN (
        SELECT min(lower(earlier.recorded)) FROM identifier AS earlier WHERE earlier.asset_id = identifier.asset_id
            AND earlier.scheme = identifier.scheme AND earlier.value = identifier.value AND earlier.source = identifier.source)
    END AS accepted_time
FROM identifier WHERE upper_inf(recorded);

-- name: designations
-- Names and flags as believed now; of one that was taken from the air when that was first believed.
SELECT designation.asset_id::text, designation.tenant, class, kind AS scheme, value, lower(valid) AS from_time,
    upper(valid) AS to_time, source,
    CASE WHEN source LIKE 'accepted:%%' THEN (
        SELECT min(lower(earlier.recorded)) FROM designation AS earlier WHERE earlier.asset_id = designation.asset_id
            AND earlier.kind = designation.kind AND earlier.value = designation.value AND earlier.source = designation.source)
    END AS accepted_time
FROM designation JOIN asset USING (asset_id) WHERE upper_inf(recorded);

-- name: feeds
-- Every feed and its clock.
SELECT tenant, feed, clock FROM feed;

-- name: grants
-- Which tenant may use which feed of the operator, and when.
SELECT feed, tenant, lower(valid) AS from_time, upper(valid) AS to_time FROM feed_grant;

-- name: leases
-- Leases as believed now, with the word of their papers for when an aircraft counts as stored.
SELECT lease.lease_id::text, lease.tenant, lease.asset_id::text, lease.lessee_party_id::text, lease.form, lower(valid) AS from_time,
    upper(valid) AS to_time, paper.terms ->> 'storage_preset' AS storage_preset
FROM lease LEFT JOIN lease_contract AS paper ON paper.lease_id = lease.lease_id AND upper_inf(paper.recorded)
WHERE upper_inf(lease.recorded)
ORDER BY lease.head, lower(valid), lease.lease_id;

-- name: papers
-- Of leases that have a paper whether it is the lessor's own, and the end it promises.
SELECT lease_id::text, head, upper(term) AS to_time
FROM lease_contract WHERE upper_inf(recorded) AND NOT void;

-- name: clauses
-- Covenants and territory rules of leases as believed now, each as a document.
SELECT lease_id::text, 'covenant' AS kind, lower(valid) AS from_time, upper(valid) AS to_time, jsonb_build_object('id', covenant_id,
    'clause', clause, 'predicate', predicate, 'severity', severity, 'is_active', is_active) AS said
FROM covenant WHERE upper_inf(recorded)
UNION ALL
SELECT lease_id::text, 'territory_rule', lower(valid), upper(valid), jsonb_build_object('id', territory_rule_id, 'kind', kind,
    'event_scope', event_scope, 'area_set', area_set, 'area_set_version', area_set_version, 'prior_notice_h', prior_notice_h,
    'carve_outs', to_jsonb(carve_outs), 'severity', severity, 'is_active', is_active)
FROM territory_rule WHERE upper_inf(recorded);

-- name: settings
-- Settings as believed now.
SELECT tenant, rule, name, value, lower(valid) AS from_time, upper(valid) AS to_time FROM setting WHERE upper_inf(recorded);

-- name: attributions
-- Which assets streams speak of, as believed now.
SELECT stream_id, asset_id::text, tenant, lower(valid) AS from_time, upper(valid) AS to_time
FROM attribution WHERE stream_id = ANY (%(stream_ids)s) AND upper_inf(recorded)
ORDER BY stream_id, tenant, lower(valid) NULLS FIRST;

-- name: find_streams
-- Numbers of the streams that are there.
SELECT stream_id, tenant, origin, class, scheme, value
FROM unnest(%(tenant)s::text[], %(origin)s::text[], %(class)s::text[], %(scheme)s::text[], %(value)s::text[])
    AS wanted (tenant, origin, class, scheme, value)
JOIN stream USING (tenant, origin, class, scheme, value);

-- name: add_streams
-- Make streams; those that somebody else made meanwhile are not returned.
INSERT INTO stream (tenant, origin, class, scheme, value)
SELECT DISTINCT tenant, origin, class, scheme, value
FROM unnest(%(tenant)s::text[], %(origin)s::text[], %(class)s::text[], %(scheme)s::text[], %(value)s::text[])
    AS wanted (tenant, origin, class, scheme, value)
ORDER BY tenant, origin, class, scheme, value
ON CONFLICT DO NOTHING
RETURNING stream_id, tenant, origin, class, scheme, value;

-- name: attribute_known
-- Tie streams to the assets that bear their identifiers: these streams, or those that speak of this asset.
SELECT attribute_known(%(stream_ids)s::bigint[], %(asset_id)s::uuid);

-- name: attribute
-- From now on believe that a stream spoke of an asset in a period; what was believed of that period is closed, not erased.
WITH period AS (
    SELECT tstzrange(%(from)s::timestamptz, %(to)s::timestamptz) AS valid
), owner AS (
    SELECT tenant FROM asset WHERE asset_id = %(asset_id)s::uuid
), closed AS (
    UPDATE attribution SET recorded = tstzrange(lower(recorded), now())
    FROM period, owner
    WHERE attribution.stream_id = %(stream_id)s AND attribution.tenant = owner.tenant AND upper_inf(attribution.recorded)
        AND attribution.valid && period.valid
    RETURNING attribution.asset_id, attribution.valid AS valid
), pieces AS (
    SELECT closed.asset_id, unnest(tstzmultirange(closed.valid) - tstzmultirange(period.valid)) AS valid FROM closed, period
    UNION ALL
    SELECT %(asset_id)s::uuid, period.valid FROM period WHERE (SELECT count(*) FROM closed) >= 0
), touched AS (
    UPDATE registry_version SET version = version + 1
)
INSERT INTO attribution (stream_id, asset_id, tenant, valid)
SELECT %(stream_id)s, pieces.asset_id, owner.tenant, pieces.valid FROM pieces, owner;

-- name: create_tenant
-- A tenant; nothing when it is there.
INSERT INTO tenant (tenant, name) VALUES (%(tenant)s, %(name)s) ON CONFLICT (tenant) DO NOTHING;

-- name: create_party
-- A party; the one of that name when it is there.
INSERT INTO party (tenant, name) VALUES (%(tenant)s, %(name)s)
ON CONFLICT (tenant, name) DO UPDATE SET name = excluded.name
RETURNING party_id::text;

-- name: lock_tenant
-- One registration at a time per tenant.
SELECT pg_advisory_xact_lock(hashtext('keelwing asset'), hashtext(%(tenant)s));

-- name: bearers
-- Assets of a tenant that bear any of these identifiers at any time.
SELECT DISTINCT asset_id::text, scheme, value
FROM unnest(%(scheme)s::text[], %(value)s::text[]) AS wanted (scheme, value) JOIN identifier USING (scheme, value)
WHERE identifier.tenant = %(tenant)s AND identifier.class = %(class)s AND upper_inf(identifier.recorded);

-- name: add_asset
-- An asset under the number given.
INSERT INTO asset (asset_id, tenant, class, name, type, particulars, shard)
VALUES (%(asset_id)s, %(tenant)s, %(class)s, %(name)s, %(type)s, %(particulars)s, %(shard)s);

-- name: add_identifiers
-- What an asset is called, in a period (NULL: open).
INSERT INTO identifier (asset_id, tenant, class, scheme, value, valid, source)
SELECT %(asset_id)s, %(tenant)s, %(class)s, scheme, value, tstzrange(from_time, to_time), %(source)s
FROM unnest(%(scheme)s::text[], %(value)s::text[], %(from)s::timestamptz[], %(to)s::timestamptz[])
    AS wanted (scheme, value, from_time, to_time);

-- name: set_feed
-- A feed with its clock; the clock is changed when the feed is there with another.
INSERT INTO feed (tenant, feed, clock) VALUES (%(tenant)s, %(feed)s, %(clock)s)
ON CONFLICT (tenant, feed) DO UPDATE SET clock = excluded.clock WHERE feed.clock <> excluded.clock;

-- name: grant_feed
-- Let a tenant use a feed of the operator; nothing when a grant overlaps.
INSERT INTO feed_grant (feed, tenant, valid)
VALUES (%(feed)s, %(tenant)s, tstzrange(%(from)s::timestamptz, %(to)s::timestamptz))
ON CONFLICT DO NOTHING;

-- name: attribute_feed
-- Tie the streams of one of the operator's feeds to the assets that bear their identifiers.
SELECT attribute_known(array_agg(stream_id), NULL) FROM stream WHERE tenant = '_' AND origin = 'feed:' || %(feed)s;

-- name: create_lease
-- A lease as far as it is known: who has the asset when. With a beginning, its paper and events too; a lease by its own clock.
WITH tenure AS (
    INSERT INTO lease (tenant, asset_id, lessee_party_id, form, valid)
    VALUES (%(tenant)s, %(asset_id)s, %(party_id)s, %(form)s, tstzrange(%(from)s::timestamptz, %(to)s::timestamptz))
    RETURNING *
), paper AS (
    INSERT INTO lease_contract (lease_id, tenant, asset_id, form, signed_on, term, promise, lessee_party_id)
    SELECT lease_id, tenant, asset_id, form, (lower(valid) AT TIME ZONE 'UTC')::date, valid, valid, lessee_party_id
    FROM tenure WHERE NOT lower_inf(valid)
), signer AS (
    INSERT INTO lease_party (tenant, lease_id, party_id, role)
    SELECT tenant, lease_id, lessee_party_id, 'lessee' FROM tenure WHERE NOT lower_inf(valid)
), told AS (
    INSERT INTO lease_event (tenant, lease_id, asset_id, kind, at, evidence, recorded)
    SELECT tenant, lease_id, asset_id, kind, at, '{"source": "registration"}', recorded
    FROM tenure CROSS JOIN LATERAL (VALUES ('lease_signed', lower(valid)), ('lease_delivery', lower(valid)),
        ('redelivery', upper(valid))) AS step (kind, at)
    WHERE NOT lower_inf(valid) AND at IS NOT NULL
)
SELECT lease_id::text FROM tenure;

-- name: change_setting
-- From an instant on a setting has another value; what was believed is closed, not erased.
WITH period AS (
    SELECT tstzrange(%(from)s::timestamptz, NULL) AS valid
), closed AS (
    UPDATE setting SET recorded = tstzrange(lower(recorded), now())
    FROM period
    WHERE tenant = %(tenant)s AND rule = %(rule)s AND name = %(name)s AND upper_inf(recorded) AND setting.valid && period.valid
    RETURNING setting.value, setting.valid AS valid
), pieces AS (
    SELECT closed.value, unnest(tstzmultirange(closed.valid) - tstzmultirange(period.valid)) AS valid FROM closed, period
    UNION ALL
    SELECT %(value)s::jsonb, period.valid FROM period WHERE (SELECT count(*) FROM closed) >= 0
)
INSERT INTO setting (tenant, rule, name, value, valid)
SELECT %(tenant)s, %(rule)s, %(name)s, pieces.value, pieces.valid FROM pieces;
