-- The wall between tenants, and between a lessor and its lessees (design 5.8).
--   keelwing_worker  row security lets it through everywhere
--   keelwing_api     one tenant a transaction (`keelwing.tenant`), all of it when `keelwing.party` is '*', else one lessee's share
--   keelwing_view    owner of the views over reading tables: holds SELECT there, and is itself under row security
--   keelwing_gate    owner of the SECURITY DEFINER functions, with just the rights those need
-- Nothing set: no rows. Row security is forced, so the tables' owner is under it as well.
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO keelwing_worker;

GRANT USAGE ON SEQUENCE epoch_number TO keelwing_worker;

-- Tables whose rows are the tenant's own affair: an internal scope sees and writes them, a lessee never.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['setting', 'rejection', 'ingest_count', 'ingest_nulled', 'finding', 'alert', 'alert_revision',
            'alert_comment', 'outbox', 'webhook', 'webhook_delivery', 'webhook_attempt', 'live_event', 'scene_context',
            'listening', 'api_key', 'idempotency_key', 'traffic', 'status_report'] LOOP
        EXECUTE 'ALTER TABLE ' || quote_ident(name) || ' ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY';
        EXECUTE 'CREATE POLICY worker ON ' || quote_ident(name) || ' TO keelwing_worker USING (true) WITH CHECK (true)';
        EXECUTE 'CREATE POLICY internal ON ' || quote_ident(name) || ' TO keelwing_api, keelwing_view'
            || ' USING (tenant = scope_tenant() AND scope_internal()) WITH CHECK (tenant = scope_tenant() AND scope_internal())';
    END LOOP;
    FOREACH name IN ARRAY ARRAY['tenant', 'party', 'asset', 'identifier', 'lease', 'feed', 'feed_grant', 'attribution'] LOOP
        EXECUTE 'ALTER TABLE ' || quote_ident(name) || ' ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY';
        EXECUTE 'CREATE POLICY worker ON ' || quote_ident(name) || ' TO keelwing_worker USING (true) WITH CHECK (true)';
        EXECUTE 'CREATE POLICY internal ON ' || quote_ident(name) || ' TO keelwing_api, keelwing_view'
            || ' USING (tenant = scope_tenant() AND scope_internal()) WITH CHECK (tenant = scope_tenant() AND scope_internal())';
    END LOOP;
END
$$;

-- The other share of a lessee: itself, its leases, the assets under them, and their identifiers while leased.
CREATE POLICY lessee ON tenant FOR SELECT TO keelwing_api, keelwing_view
    USING (tenant = scope_tenant() AND scope_party() IS NOT NULL);

CREATE POLICY lessee ON party FOR SELECT TO keelwing_api, keelwing_view
    USING (tenant = scope_tenant() AND party_id = scope_party());

CREATE POLICY lessee ON lease FOR SELECT TO keelwing_api, keelwing_view
    USING (tenant = scope_tenant() AND lessee_party_id = scope_party() AND upper_inf(recorded));

CREATE POLICY lessee ON asset FOR SELECT TO keelwing_api, keelwing_view
    USING (tenant = scope_tenant() AND scope_party() IS NOT NULL AND EXISTS (
        SELECT FROM lease WHERE lease.asset_id = asset.asset_id AND lease.lessee_party_id = scope_party()
            AND upper_inf(lease.recorded)));

CREATE POLICY lessee ON identifier FOR SELECT TO keelwing_api, keelwing_view
    USING (tenant = scope_tenant() AND scope_party() IS NOT NULL AND EXISTS (
        SELECT FROM lease WHERE lease.asset_id = identifier.asset_id AND lease.lessee_party_id = scope_party()
            AND upper_inf(lease.recorded) AND lease.valid && identifier.valid));

CREATE POLICY lessee ON attribution FOR SELECT TO keelwing_api, keelwing_view
    USING (tenant = scope_tenant() AND scope_party() IS NOT NULL AND EXISTS (
        SELECT FROM lease WHERE lease.asset_id = attribution.asset_id AND lease.lessee_party_id = scope_party()
            AND upper_inf(lease.recorded) AND lease.valid && attribution.valid));

-- A tenant sees the operator's feeds that were granted to it, and whether they speak.
CREATE POLICY granted ON feed FOR SELECT TO keelwing_api, keelwing_view
    USING (tenant = '_' AND scope_internal() AND EXISTS (
        SELECT FROM feed_grant WHERE feed_grant.feed = feed.feed AND feed_grant.tenant = scope_tenant()));

CREATE POLICY granted ON status_report FOR SELECT TO keelwing_api, keelwing_view
    USING (tenant = '_' AND scope_internal() AND EXISTS (
        SELECT FROM feed_grant WHERE 'feed:' || feed_grant.feed = status_report.origin AND feed_grant.tenant = scope_tenant()
            AND feed_grant.valid @> status_report.received_at));

CREATE POLICY granted ON listening FOR SELECT TO keelwing_api, keelwing_view
    USING (tenant = '_' AND scope_internal() AND EXISTS (
        SELECT FROM feed_grant WHERE 'feed:' || feed_grant.feed = listening.origin AND feed_grant.tenant = scope_tenant()
            AND feed_grant.valid && listening.during));

CREATE POLICY granted ON ingest_count FOR SELECT TO keelwing_api, keelwing_view
    USING (tenant = '_' AND scope_internal() AND EXISTS (
        SELECT FROM feed_grant WHERE 'feed:' || feed_grant.feed = ingest_count.origin AND feed_grant.tenant = scope_tenant()
            AND feed_grant.valid @> ingest_count.hour));

-- Which migrations were applied is nobody's secret; readiness asks it. The table is yoyo's.
DO $$
BEGIN
    IF to_regclass('_yoyo_migration') IS NOT NULL THEN
        GRANT SELECT ON _yoyo_migration TO keelwing_api;
    END IF;
END
$$;

-- What the API may do, table by table. Not here: streams, readings, rollups, checkpoints, shards, secrets, key hashes.
GRANT SELECT ON tenant, party, lease, asset, identifier, feed, feed_grant, attribution, setting, status_report, rejection,
    ingest_count, ingest_nulled, finding, alert, alert_revision, alert_comment, outbox, webhook_delivery, webhook_attempt,
    live_event, scene_context, listening, idempotency_key, channel, commits, registry_version TO keelwing_api;

GRANT SELECT (webhook_id, tenant, url, description, types, severity_min, secret_previous_until, sequence, created_at,
    disabled_at, disabled_reason) ON webhook TO keelwing_api;

GRANT SELECT (key_id, tenant, role, party_id, created_at, revoked_at, last_used_at) ON api_key TO keelwing_api;

GRANT INSERT ON asset, identifier, party, alert_revision, alert_comment, outbox, live_event, webhook, idempotency_key, feed
    TO keelwing_api;

GRANT UPDATE (name, type, stage, particulars) ON asset TO keelwing_api;

GRANT UPDATE (valid, recorded) ON identifier TO keelwing_api;

GRANT UPDATE (lease_id, severity, status, opened_at, updated_at, closed_at, revision, evidence, finding_ids, commit_no) ON alert
    TO keelwing_api;

GRANT UPDATE (replayed_at) ON rejection TO keelwing_api;

GRANT UPDATE (url, description, types, severity_min, secret, secret_previous, secret_previous_until, disabled_at,
    disabled_reason), DELETE ON webhook TO keelwing_api;

GRANT UPDATE (state, attempts, next_attempt_at, claimed_until) ON webhook_delivery TO keelwing_api;

GRANT UPDATE (response), DELETE ON idempotency_key TO keelwing_api;

GRANT UPDATE (clock) ON feed TO keelwing_api;

-- The views' owner.
GRANT SELECT ON lease, asset, attribution, feed_grant, stream, stream_latest, reading_vessel, reading_aircraft,
    reading_trainset, reading_hour, reading_day, static_report TO keelwing_view;

-- May this transaction see an asset's facts at `at`? The tenant's people always; a lessee inside one of its leases.
CREATE FUNCTION in_scope(about uuid, at timestamptz) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT scope_internal() OR EXISTS (
        SELECT FROM lease WHERE lease.asset_id = about AND lease.lessee_party_id = scope_party()
            AND lease.tenant = scope_tenant() AND upper_inf(lease.recorded) AND lease.valid @> at)
$$;

-- A bucket that crosses the edge of a lease is not shown by the rollup views below: it is computed from readings instead.
CREATE VIEW asset_stream WITH (security_barrier) AS
SELECT attribution.tenant, attribution.asset_id, stream.stream_id, stream.origin, stream.scheme, stream.value, attribution.valid
FROM attribution JOIN stream USING (stream_id)
WHERE upper_inf(attribution.recorded);

COMMENT ON VIEW asset_stream IS 'Which streams speak of an asset, and when';

CREATE VIEW asset_latest WITH (security_barrier) AS
SELECT attribution.tenant, attribution.asset_id, stream.stream_id, stream.origin, stream.scheme, stream.value,
    latest.time, latest.source, latest.received_at,
    shown.position, CASE WHEN shown.position THEN latest.position_time END AS position_time,
    CASE WHEN shown.position THEN latest.lat_deg END AS lat_deg, CASE WHEN shown.position THEN latest.lon_deg END AS lon_deg,
    CASE WHEN shown.position THEN latest.alt_baro_ft END AS alt_baro_ft,
    CASE WHEN shown.speed THEN latest.speed_time END AS speed_time,
    CASE WHEN shown.speed THEN latest.speed_kn END AS speed_kn, CASE WHEN shown.speed THEN latest.course_deg END AS course_deg,
    CASE WHEN shown.status THEN latest.status_time END AS status_time,
    CASE WHEN shown.status THEN latest.nav_status END AS nav_status, CASE WHEN shown.status THEN latest.on_ground END AS on_ground,
    CASE WHEN shown.draught THEN latest.draught_time END AS draught_time,
    CASE WHEN shown.draught THEN latest.draught_m END AS draught_m,
    CASE WHEN shown.channels THEN latest.channels_time END AS channels_time,
    CASE WHEN shown.channels THEN latest.channels END AS channels
FROM attribution JOIN stream USING (stream_id) JOIN stream_latest AS latest USING (stream_id)
CROSS JOIN LATERAL (
    SELECT attribution.valid @> latest.position_time AND (internal OR in_scope(attribution.asset_id, latest.position_time)) AS position,
        attribution.valid @> latest.speed_time AND (internal OR in_scope(attribution.asset_id, latest.speed_time)) AS speed,
        attribution.valid @> latest.status_time AND (internal OR in_scope(attribution.asset_id, latest.status_time)) AS status,
        attribution.valid @> latest.draught_time AND (internal OR in_scope(attribution.asset_id, latest.draught_time)) AS draught,
        attribution.valid @> latest.channels_time AND internal AS channels
    FROM (SELECT (SELECT scope_internal()) AS internal) AS scope
) AS shown
WHERE upper_inf(attribution.recorded) AND attribution.valid @> latest.time
    AND ((SELECT scope_internal()) OR in_scope(attribution.asset_id, latest.time));

COMMENT ON VIEW asset_latest IS 'Last word of each stream of an asset, as far as the scope reaches; one row per stream';

-- One view per reading table, with the same columns. Sensors are the lessor's and the operator's: not for a lessee.
DO $$
DECLARE
    class text;
    fields text;
BEGIN
    FOREACH class IN ARRAY ARRAY['vessel', 'aircraft', 'trainset'] LOOP
        SELECT string_agg('reading.' || quote_ident(column_name), ', ' ORDER BY ordinal_position) INTO STRICT fields
        FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name = 'reading_' || class AND column_name <> 'channels';
        EXECUTE 'CREATE VIEW asset_reading_' || class || ' WITH (security_barrier) AS
            SELECT attribution.tenant, attribution.asset_id, stream.origin, stream.scheme, stream.value, ' || fields || ',
                CASE WHEN (SELECT scope_internal()) THEN reading.channels END AS channels
            FROM attribution JOIN stream USING (stream_id) JOIN reading_' || class || ' AS reading USING (stream_id)
            WHERE upper_inf(attribution.recorded) AND attribution.valid @> reading.time
                AND ((SELECT scope_internal()) OR EXISTS (
            SELECT FROM lease WHERE lease.asset_id = attribution.asset_id AND lease.lessee_party_id = scope_party()
                AND upper_inf(lease.recorded) AND lease.valid @> reading.time))';
        EXECUTE 'COMMENT ON VIEW asset_reading_' || class || ' IS ''Readings of an asset as far as the scope reaches''';
    END LOOP;
END
$$;

CREATE VIEW asset_reading_hour WITH (security_barrier) AS
SELECT attribution.tenant, attribution.asset_id, rollup.*
FROM attribution JOIN reading_hour AS rollup USING (stream_id)
WHERE upper_inf(attribution.recorded) AND attribution.valid @> tstzrange(rollup.hour, rollup.hour + interval '1 hour')
    AND ((SELECT scope_internal()) OR EXISTS (
            SELECT FROM lease WHERE lease.asset_id = attribution.asset_id AND lease.lessee_party_id = scope_party()
                AND upper_inf(lease.recorded) AND lease.valid @> tstzrange(rollup.hour, rollup.hour + interval '1 hour')));

COMMENT ON VIEW asset_reading_hour IS 'Hourly rollups that lie wholly inside attribution and scope';

CREATE VIEW asset_reading_day WITH (security_barrier) AS
SELECT attribution.tenant, attribution.asset_id, rollup.*
FROM attribution JOIN reading_day AS rollup USING (stream_id)
WHERE upper_inf(attribution.recorded) AND attribution.valid @> tstzrange(rollup.day, rollup.day + interval '1 day')
    AND ((SELECT scope_internal()) OR EXISTS (
            SELECT FROM lease WHERE lease.asset_id = attribution.asset_id AND lease.lessee_party_id = scope_party()
                AND upper_inf(lease.recorded) AND lease.valid @> tstzrange(rollup.day, rollup.day + interval '1 day')));

COMMENT ON VIEW asset_reading_day IS 'Daily rollups that lie wholly inside attribution and scope';

CREATE VIEW asset_static_report WITH (security_barrier) AS
SELECT attribution.tenant, attribution.asset_id, stream.origin, stream.scheme, stream.value, report.time, report.source,
    report.particulars, report.received_at, report.commit_no
FROM attribution JOIN stream USING (stream_id) JOIN static_report AS report USING (stream_id)
WHERE upper_inf(attribution.recorded) AND attribution.valid @> report.time
    AND ((SELECT scope_internal()) OR EXISTS (
            SELECT FROM lease WHERE lease.asset_id = attribution.asset_id AND lease.lessee_party_id = scope_party()
                AND upper_inf(lease.recorded) AND lease.valid @> report.time));

COMMENT ON VIEW asset_static_report IS 'Identity reports of an asset as far as the scope reaches';

GRANT SELECT ON asset_stream, asset_latest, asset_reading_vessel, asset_reading_aircraft, asset_reading_trainset,
    asset_reading_hour, asset_reading_day, asset_static_report TO keelwing_api;

-- Who is this key? The only thing the API may ask before it has a scope. Notes the use, at most once a minute.
CREATE FUNCTION authenticate(hash bytea)
RETURNS TABLE (key_id uuid, tenant text, role text, party_id uuid)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE api_key SET last_used_at = date_trunc('minute', now())
    WHERE api_key.key_hash = hash AND api_key.revoked_at IS NULL
        AND (api_key.last_used_at IS NULL OR api_key.last_used_at < now() - interval '1 minute');
    RETURN QUERY SELECT api_key.key_id, api_key.tenant, api_key.role, api_key.party_id
        FROM api_key WHERE api_key.key_hash = hash AND api_key.revoked_at IS NULL;
END
$$;

-- A commit number for a person's change: the next one of the shard, under its owner's epoch, serialised by the shard's row.
CREATE FUNCTION next_commit(wanted smallint) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    taken shard_owner;
BEGIN
    UPDATE shard_owner SET n = n + 1 WHERE shard = wanted RETURNING * INTO STRICT taken;
    INSERT INTO commits (commit_no, shard, epoch, n) VALUES (taken.n * 64 + wanted, wanted, taken.epoch, taken.n);
    RETURN taken.n * 64 + wanted;
END
$$;

-- A late registration finds the streams that already speak of it, and a new stream the assets it speaks of: readings stay.
-- A device's stream belongs to its tenant; a feed's to its tenant, the operator's to every tenant while granted. Give the
-- streams, or the asset; the other is NULL. Within a scope only that tenant's assets are touched.
CREATE FUNCTION attribute_known(streams bigint[], about uuid) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH matched AS (
        SELECT stream.stream_id, stream.tenant AS speaker, stream.origin, identifier.asset_id, identifier.tenant, identifier.valid
        FROM unnest(streams) AS wanted (stream_id) JOIN stream USING (stream_id)
        JOIN identifier ON identifier.scheme = stream.scheme AND identifier.value = stream.value
            AND identifier.class = stream.class AND upper_inf(identifier.recorded)
        UNION
        SELECT stream.stream_id, stream.tenant, stream.origin, identifier.asset_id, identifier.tenant, identifier.valid
        FROM identifier
        JOIN stream ON stream.scheme = identifier.scheme AND stream.value = identifier.value AND stream.class = identifier.class
        WHERE identifier.asset_id = about AND upper_inf(identifier.recorded)
    ), wanted AS (
        SELECT stream_id, asset_id, matched.tenant,
            CASE WHEN speaker = '_' THEN matched.valid * feed_grant.valid ELSE matched.valid END AS valid
        FROM matched
        LEFT JOIN feed_grant ON speaker = '_' AND origin = 'feed:' || feed_grant.feed AND feed_grant.tenant = matched.tenant
        WHERE (scope_tenant() IS NULL OR matched.tenant = scope_tenant())
            AND (speaker = matched.tenant OR feed_grant.feed_grant_id IS NOT NULL)
    ), added AS (
        INSERT INTO attribution (stream_id, asset_id, tenant, valid)
        SELECT stream_id, asset_id, tenant, valid FROM wanted
        WHERE NOT isempty(valid) AND NOT EXISTS (
            SELECT FROM attribution AS held WHERE held.stream_id = wanted.stream_id AND held.tenant = wanted.tenant
                AND upper_inf(held.recorded) AND held.valid && wanted.valid)
        ORDER BY stream_id, tenant, lower(valid)
        RETURNING 1
    )
    SELECT count(*) FROM added
$$;

-- The gate's rights: exactly what its functions touch.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['api_key', 'webhook', 'webhook_delivery', 'identifier', 'feed_grant', 'attribution'] LOOP
        EXECUTE 'CREATE POLICY gate ON ' || quote_ident(name) || ' TO keelwing_gate USING (true) WITH CHECK (true)';
    END LOOP;
END
$$;

GRANT SELECT (key_id, tenant, role, party_id, key_hash, revoked_at, last_used_at), UPDATE (last_used_at) ON api_key
    TO keelwing_gate;

GRANT SELECT (webhook_id, tenant, types, severity_min, sequence, disabled_at), UPDATE (sequence) ON webhook TO keelwing_gate;

GRANT INSERT ON webhook_delivery TO keelwing_gate;

GRANT SELECT, UPDATE ON shard_owner, registry_version TO keelwing_gate;

GRANT INSERT ON commits TO keelwing_gate;

GRANT SELECT ON stream, identifier, feed_grant TO keelwing_gate;

GRANT SELECT, INSERT ON attribution TO keelwing_gate;

REVOKE EXECUTE ON FUNCTION authenticate(bytea), next_commit(smallint), attribute_known(bigint[], uuid),
    prune_rejections(interval, bigint), prune_traffic(bigint) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION authenticate(bytea), next_commit(smallint), attribute_known(bigint[], uuid)
    TO keelwing_api, keelwing_worker;

GRANT EXECUTE ON FUNCTION prune_rejections(interval, bigint), prune_traffic(bigint) TO keelwing_worker;

-- Hand views and functions to their owners; the right to create is lent for that moment only.
GRANT CREATE ON SCHEMA public TO keelwing_view, keelwing_gate;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['asset_stream', 'asset_latest', 'asset_reading_vessel', 'asset_reading_aircraft',
            'asset_reading_trainset', 'asset_reading_hour', 'asset_reading_day', 'asset_static_report'] LOOP
        EXECUTE 'ALTER VIEW ' || quote_ident(name) || ' OWNER TO keelwing_view';
    END LOOP;
    FOREACH name IN ARRAY ARRAY['authenticate(bytea)', 'next_commit(smallint)', 'attribute_known(bigint[], uuid)', 'fan_out()',
            'bump_registry_version()'] LOOP
        EXECUTE 'ALTER FUNCTION ' || name || ' OWNER TO keelwing_gate';
    END LOOP;
END
$$;

REVOKE CREATE ON SCHEMA public FROM keelwing_view, keelwing_gate;
