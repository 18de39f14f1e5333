-- What the API asks. Every block runs inside a scope (store.pool.scope): row security and the views keep other tenants out,
-- so no block names a tenant. A NULL parameter means "no such filter"; the statements are planned with their values.

-- name: assets
-- Assets by id, filtered; `at` is the instant identifiers, leases and positions are meant at.
SELECT asset_id, class, name, type, particulars, created_at,
    CASE WHEN scope_internal() OR in_scope(asset_id, now()) THEN stage END AS stage
FROM asset
WHERE (%(after)s::uuid IS NULL OR asset_id > %(after)s::uuid)
    AND (%(class)s::text IS NULL OR class = %(class)s)
    AND (%(classes)s::text[] IS NULL OR class = ANY (%(classes)s))
    AND (%(known)s::timestamptz IS NULL OR created_at <= %(known)s)
    AND (%(among)s::uuid[] IS NULL OR asset_id = ANY (%(among)s::uuid[]))
    AND (%(scheme)s::text IS NULL OR asset_id = ANY (ARRAY(
        SELECT identifier.asset_id FROM identifier WHERE scheme = %(scheme)s AND value = %(value)s
            AND valid @> coalesce(%(at)s::timestamptz, now())
            AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END)))
    AND (%(lessee)s::text IS NULL OR asset_id IN (
        SELECT lease.asset_id FROM lease JOIN party ON party.party_id = lease.lessee_party_id
        WHERE (party.party_id::text = %(lessee)s OR lower(party.name) = lower(%(lessee)s))
            AND valid @> coalesce(%(at)s::timestamptz, now())
            AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END))
    AND (%(q)s::text IS NULL OR name ILIKE %(q)s OR type ILIKE %(q)s OR asset_id IN (
        SELECT identifier.asset_id FROM identifier WHERE value ILIKE %(q)s AND upper_inf(recorded)))
    AND (%(west)s::float8 IS NULL OR EXISTS (
        SELECT FROM (
            SELECT lat_deg, lon_deg FROM asset_latest WHERE asset_latest.asset_id = asset.asset_id AND lat_deg IS NOT NULL
            ORDER BY position_time DESC LIMIT 1) AS fix
        WHERE lat_deg BETWEEN %(south)s AND %(north)s AND CASE WHEN %(west)s::float8 <= %(east)s::float8
            THEN lon_deg BETWEEN %(west)s AND %(east)s ELSE lon_deg >= %(west)s OR lon_deg <= %(east)s END))
ORDER BY asset_id
LIMIT %(limit)s;

-- name: asset
SELECT asset_id, class, name, type, particulars, created_at, shard,
    CASE WHEN scope_internal() OR in_scope(asset_id, now()) THEN stage END AS stage
FROM asset
WHERE asset_id = %(asset)s AND (%(known)s::timestamptz IS NULL OR created_at <= %(known)s);

-- name: identifiers
-- What assets are addressed by, and their names and flags.
SELECT asset_id, scheme, value, lower(valid) AS valid_from, upper(valid) AS valid_to, lower(recorded) AS recorded_at, source
FROM (
    SELECT asset_id, scheme, value, valid, recorded, source FROM identifier WHERE asset_id = ANY (%(assets)s)
    UNION ALL
    SELECT asset_id, kind, value, valid, recorded, source FROM designation WHERE asset_id = ANY (%(assets)s)) AS said
WHERE (%(at)s::timestamptz IS NULL OR valid @> %(at)s::timestamptz)
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END
ORDER BY asset_id, scheme, lower(valid) NULLS FIRST, value;

-- name: leases
-- Head leases of assets, earliest first; with `at` only the one in force then, which a component holds through what it sits on.
WITH holder AS (
    SELECT asset_id, asset_id AS held_id FROM unnest(%(assets)s::uuid[]) AS wanted (asset_id)
    UNION ALL
    SELECT asset_id, parent_asset_id FROM installation
    WHERE %(at)s::timestamptz IS NOT NULL AND asset_id = ANY (%(assets)s) AND valid @> %(at)s::timestamptz
        AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END
)
SELECT lease_id, holder.asset_id, lessee_party_id, party.name AS lessee_name, form, lower(valid) AS valid_from,
    upper(valid) AS valid_to, lower(recorded) AS recorded_at
FROM holder JOIN lease ON lease.asset_id = holder.held_id JOIN party ON party.party_id = lease.lessee_party_id
WHERE head
    AND (%(at)s::timestamptz IS NULL OR valid @> %(at)s::timestamptz)
    AND CASE WHEN %(known)s::timestamptz IS NULL THEN upper_inf(recorded) ELSE recorded @> %(known)s::timestamptz END
ORDER BY holder.asset_id, lower(valid) NULLS FIRST, lease_id;

-- name: latest
SELECT asset_id, time, received_at, position_time, lat_deg, lon_deg, alt_baro_ft, speed_time, speed_kn, course_deg,
    status_time, nav_status, on_ground, draught_time, draught_m, channels_time, channels
FROM asset_latest
WHERE asset_id = ANY (%(assets)s);

-- name: in_box
SELECT asset_id FROM assets_in_box(%(west)s, %(south)s, %(east)s, %(north)s, %(wanted)s);

-- name: moved_since
-- What was heard since an instant (wall time of reception), for the live stream.
SELECT asset_id, last_time, last_received_at FROM assets_heard(%(since)s);

-- name: assets_of
SELECT asset_id, class, name, type, particulars, created_at,
    CASE WHEN scope_internal() OR in_scope(asset_id, now()) THEN stage END AS stage
FROM asset WHERE asset_id = ANY (%(assets)s);

-- name: findings
SELECT finding_id, revision, asset_id, asset, rule, rule_version, severity, subject, opened_at, closed_at, detected_at, score,
    evidence, retracted
FROM finding
WHERE CASE WHEN %(known)s::timestamptz IS NULL THEN superseded_by IS NULL ELSE
        EXISTS (SELECT FROM commits WHERE commits.commit_no = finding.commit_no AND committed_at <= %(known)s)
        AND NOT EXISTS (SELECT FROM commits WHERE commits.commit_no = superseded_by AND committed_at <= %(known)s) END
    AND (%(retracted)s OR NOT retracted)
    AND (%(finding)s::text IS NULL OR finding_id = %(finding)s)
    AND (%(asset)s::uuid IS NULL OR asset_id = %(asset)s)
    AND (%(rule)s::text IS NULL OR rule = %(rule)s)
    AND (%(severities)s::text[] IS NULL OR severity = ANY (%(severities)s))
    AND (%(from)s::timestamptz IS NULL OR detected_at >= %(from)s)
    AND (%(to)s::timestamptz IS NULL OR detected_at < %(to)s)
    AND (%(at)s::timestamptz IS NULL OR (opened_at <= %(at)s AND (closed_at IS NULL OR closed_at >= %(at)s)))
    AND (%(after_time)s::timestamptz IS NULL OR CASE WHEN %(descending)s
        THEN (detected_at, asset, rule, coalesce(subject, ''), finding_id)
            < (%(after_time)s::timestamptz, %(after_asset)s, %(after_rule)s, %(after_subject)s, %(after_id)s)
        ELSE (detected_at, asset, rule, coalesce(subject, ''), finding_id)
            > (%(after_time)s::timestamptz, %(after_asset)s, %(after_rule)s, %(after_subject)s, %(after_id)s) END)
ORDER BY
    CASE WHEN %(descending)s THEN detected_at END DESC, CASE WHEN %(descending)s THEN asset END DESC,
    CASE WHEN %(descending)s THEN rule END DESC, CASE WHEN %(descending)s THEN coalesce(subject, '') END DESC,
    CASE WHEN %(descending)s THEN finding_id END DESC,
    detected_at, asset, rule, coalesce(subject, ''), finding_id
LIMIT %(limit)s;

-- name: alerts
SELECT alert_id, tenant, asset_id, asset, lease_id, rule, subject, severity, status, opened_at, updated_at, closed_at, revision,
    evidence, finding_ids, incident_id
FROM alert
WHERE (%(alert)s::uuid IS NULL OR alert_id = %(alert)s)
    AND (%(incident)s::uuid IS NULL OR incident_id = %(incident)s)
    AND (%(statuses)s::text[] IS NULL OR status = ANY (%(statuses)s))
    AND (%(severities)s::text[] IS NULL OR severity = ANY (%(severities)s))
    AND (%(asset)s::uuid IS NULL OR asset_id = %(asset)s)
    AND (%(rule)s::text IS NULL OR rule = %(rule)s)
    AND (%(from)s::timestamptz IS NULL OR opened_at >= %(from)s)
    AND (%(to)s::timestamptz IS NULL OR opened_at < %(to)s)
    AND (%(after_time)s::timestamptz IS NULL OR (opened_at, alert_id) < (%(after_time)s::timestamptz, %(after_id)s::uuid))
ORDER BY opened_at DESC, alert_id DESC
LIMIT %(limit)s;

-- name: alert_revisions
SELECT revision, change, actor, reason, reason_kind, before ->> 'status' AS status_before, after ->> 'status' AS status_after,
    after ->> 'severity' AS severity_after, changed_at
FROM alert_revision
WHERE alert_id = %(alert)s AND (%(after)s::int IS NULL OR revision > %(after)s)
ORDER BY revision
LIMIT %(limit)s;

-- name: alert_comments
SELECT alert_comment_id, alert_id, author, comment, written_at
FROM alert_comment
WHERE alert_id = %(alert)s AND (%(after)s::bigint IS NULL OR alert_comment_id > %(after)s)
ORDER BY alert_comment_id
LIMIT %(limit)s;

-- name: webhooks
SELECT webhook_id, url, description, types, severity_min, secret_previous_until, created_at, disabled_at, disabled_reason,
    (SELECT count(*) FROM webhook_delivery AS d WHERE d.webhook_id = webhook.webhook_id AND state = 'pending') AS pending_count,
    (SELECT count(*) FROM webhook_delivery AS d WHERE d.webhook_id = webhook.webhook_id
        AND state IN ('failed', 'exhausted')) AS failed_count
FROM webhook
WHERE (%(webhook)s::uuid IS NULL OR webhook_id = %(webhook)s) AND (%(after)s::uuid IS NULL OR webhook_id > %(after)s)
ORDER BY webhook_id
LIMIT %(limit)s;

-- name: webhook_attempts
SELECT webhook_attempt_id, event_id, attempt, trigger, started_at, duration_ms, status_code, error, response_excerpt,
    (SELECT state FROM webhook_delivery AS d WHERE d.webhook_id = a.webhook_id AND d.event_id = a.event_id) AS delivery_state,
    (SELECT type FROM outbox WHERE outbox.event_id = a.event_id) AS event_type
FROM webhook_attempt AS a
WHERE webhook_id = %(webhook)s AND (%(after)s::bigint IS NULL OR webhook_attempt_id < %(after)s)
    AND (%(event)s::text IS NULL OR event_id = %(event)s)
ORDER BY webhook_attempt_id DESC
LIMIT %(limit)s;

-- name: feeds
SELECT feed.tenant, feed.feed, feed.clock, feed.created_at, said.online, said.received_at AS said_at,
    heard.received_at AS last_received_at, heard.time AS clock_time, heard.assets, counted.*, nulled.nulled
FROM feed
LEFT JOIN LATERAL (
    SELECT online, received_at FROM status_report
    WHERE status_report.tenant = feed.tenant AND origin = 'feed:' || feed.feed ORDER BY received_at DESC LIMIT 1) AS said ON true
LEFT JOIN (
    SELECT origin, max(received_at) AS received_at, max(time) AS time, count(DISTINCT asset_id) AS assets
    FROM asset_latest GROUP BY origin) AS heard ON heard.origin = 'feed:' || feed.feed
LEFT JOIN LATERAL (
    SELECT max(hour) AS last_hour, coalesce(sum(received), 0)::bigint AS received, coalesce(sum(stored), 0)::bigint AS stored,
        coalesce(sum(late), 0)::bigint AS late, coalesce(sum(duplicate), 0)::bigint AS duplicate,
        coalesce(sum(rejected), 0)::bigint AS rejected, coalesce(sum(traffic), 0)::bigint AS traffic,
        coalesce(sum(static_received), 0)::bigint AS static_received,
        coalesce(sum(static_duplicate), 0)::bigint AS static_duplicate,
        coalesce(sum(unknown_fields), 0)::bigint AS unknown_fields
    FROM ingest_count WHERE ingest_count.tenant = feed.tenant AND ingest_count.origin = 'feed:' || feed.feed) AS counted ON true
LEFT JOIN LATERAL (
    SELECT coalesce(jsonb_agg(jsonb_build_object('field', field, 'reason', reason, 'count', count) ORDER BY field, reason), '[]')
        AS nulled
    FROM (SELECT field, reason, sum(count)::bigint AS count FROM ingest_nulled
        WHERE ingest_nulled.tenant = feed.tenant AND ingest_nulled.origin = 'feed:' || feed.feed GROUP BY field, reason) AS one
    ) AS nulled ON true
WHERE (%(after_tenant)s::text IS NULL OR (feed.tenant, feed.feed) > (%(after_tenant)s, %(after_feed)s))
ORDER BY feed.tenant, feed.feed
LIMIT %(limit)s;

-- name: coverage
-- Who speaks of an asset, what the hours hold of it, and what became of everything a device of it sent. A feed's counters are
-- not split by asset, so its columns are NULL.
WITH said AS (
    SELECT stream_id, origin = 'device' AS device, CASE origin WHEN 'device' THEN scheme || ':' || value ELSE origin END AS origin
    FROM asset_stream WHERE asset_id = %(asset)s),
own AS (
    SELECT origin, device FROM said
    UNION
    SELECT scheme || ':' || value, true FROM identifier WHERE asset_id = %(asset)s AND upper_inf(recorded))
SELECT own.origin, own.device, rolled.readings, rolled.positions, counted.*, nulled.nulled
FROM own
CROSS JOIN LATERAL (
    SELECT coalesce(sum(count), 0)::bigint AS readings, coalesce(sum(position_count), 0)::bigint AS positions
    FROM asset_reading_hour
    WHERE asset_id = %(asset)s AND stream_id IN (SELECT stream_id FROM said WHERE said.origin = own.origin)) AS rolled
LEFT JOIN LATERAL (
    SELECT sum(received)::bigint AS received, sum(stored)::bigint AS stored, sum(late)::bigint AS late,
        sum(duplicate)::bigint AS duplicate, sum(rejected)::bigint AS rejected
    FROM ingest_count WHERE tenant = scope_tenant() AND ingest_count.origin = own.origin) AS counted ON own.device
LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object('field', field, 'reason', reason, 'count', count) ORDER BY field, reason) AS nulled
    FROM (SELECT field, reason, sum(count)::bigint AS count FROM ingest_nulled
        WHERE tenant = scope_tenant() AND ingest_nulled.origin = own.origin GROUP BY field, reason) AS one) AS nulled ON own.device
WHERE own.origin IN (SELECT origin FROM said) OR counted.received IS NOT NULL
    OR EXISTS (SELECT FROM status_report WHERE tenant = scope_tenant() AND status_report.origin = own.origin)
ORDER BY own.origin;

-- name: device_statuses
-- What each device of an asset last said of itself up to `until`, and since when it has said so without a break.
WITH own AS (
    SELECT scheme || ':' || value AS origin FROM asset_stream WHERE asset_id = %(asset)s AND origin = 'device'
    UNION
    SELECT scheme || ':' || value FROM identifier WHERE asset_id = %(asset)s AND upper_inf(recorded)),
said AS (
    SELECT status_report.origin, online, received_at, status_report_id
    FROM status_report JOIN own USING (origin)
    WHERE tenant = scope_tenant() AND (%(until)s::timestamptz IS NULL OR received_at <= %(until)s)),
last AS (SELECT DISTINCT ON (origin) * FROM said ORDER BY origin, received_at DESC, status_report_id DESC)
SELECT last.origin, last.online, last.received_at, (
        SELECT min(received_at) FROM said
        WHERE said.origin = last.origin AND said.online = last.online AND (turn.received_at IS NULL
            OR (said.received_at, said.status_report_id) > (turn.received_at, turn.status_report_id))) AS since
FROM last
LEFT JOIN LATERAL (
    SELECT received_at, status_report_id FROM said WHERE said.origin = last.origin AND said.online <> last.online
    ORDER BY received_at DESC, status_report_id DESC LIMIT 1) AS turn ON true
ORDER BY last.received_at DESC, last.origin;

-- name: reported
-- The newest identity or voyage report of an asset at or before `at`, as known then.
SELECT time, source, scheme, value, particulars
FROM asset_static_report AS report
WHERE asset_id = %(asset)s AND (%(at)s::timestamptz IS NULL OR time <= %(at)s)
    AND (%(known)s::timestamptz IS NULL OR EXISTS (
        SELECT FROM commits WHERE commits.commit_no = report.commit_no AND committed_at <= %(known)s))
ORDER BY time DESC, received_at DESC, scheme, value, source, particulars::text
LIMIT 1;

-- name: rejections
SELECT rejection_id, topic, element, reason, detail, payload, received_at, replayed_at
FROM rejection
WHERE (%(after)s::bigint IS NULL OR rejection_id < %(after)s)
    AND (%(reason)s::text IS NULL OR reason = %(reason)s)
    AND (%(from)s::timestamptz IS NULL OR received_at >= %(from)s)
    AND (%(to)s::timestamptz IS NULL OR received_at < %(to)s)
ORDER BY rejection_id DESC
LIMIT %(limit)s;

-- name: rejection_counts
SELECT reason, count(*) AS count, min(received_at) AS first_received_at, max(received_at) AS last_received_at,
    count(replayed_at) AS replayed_count
FROM rejection
WHERE (%(from)s::timestamptz IS NULL OR received_at >= %(from)s) AND (%(to)s::timestamptz IS NULL OR received_at < %(to)s)
GROUP BY reason
ORDER BY reason;

-- name: live_events
SELECT event_id, kind, body FROM live_event WHERE event_id > %(after)s ORDER BY event_id LIMIT %(limit)s;

-- name: last_live_event
SELECT coalesce(max(event_id), 0) AS event_id FROM live_event;

-- name: applied_migrations
SELECT migration_id FROM _yoyo_migration ORDER BY migration_id;

-- name: as_of
-- The last readings of an asset's streams at or before `at`: of all, and of those that hold each part of a state.
SELECT r.asset_id, r.time, r.received_at,
    CASE WHEN r.lat_deg IS NOT NULL THEN r.time END AS position_time, r.lat_deg, r.lon_deg, {altitude} AS alt_baro_ft,
    CASE WHEN {speed} IS NOT NULL THEN r.time END AS speed_time, {speed} AS speed_kn, {course} AS course_deg,
    CASE WHEN {nav_status} IS NOT NULL OR {on_ground} IS NOT NULL THEN r.time END AS status_time,
    {nav_status} AS nav_status, {on_ground} AS on_ground,
    CASE WHEN {draught} IS NOT NULL THEN r.time END AS draught_time, {draught} AS draught_m,
    CASE WHEN r.channels IS NOT NULL THEN r.time END AS channels_time, r.channels
FROM ({parts}) AS r;

-- name: as_of_part
SELECT * FROM {function}(%(assets)s::uuid[], %(at)s::timestamptz - %(lookback)s::interval, %(at)s, %(known)s, {part})

-- name: heard
-- First and last event time of an asset, and how many streams speak of it.
SELECT first_time, last_time, (SELECT count(*) FROM asset_stream WHERE asset_id = %(asset)s) AS streams
FROM {function}(%(asset)s);

-- name: track
-- Fixes in order of time; above `points_max` every n-th, always with the first and the last. For periods that hold few fixes.
SELECT time, lon_deg, lat_deg, total
FROM (
    SELECT time, lon_deg, lat_deg, row_number() OVER (ORDER BY time, source, seq, stream_id) AS n, count(*) OVER () AS total
    FROM {view} AS r
    WHERE asset_id = %(asset)s AND time >= %(from)s AND time < %(to)s AND lat_deg IS NOT NULL
        AND (%(known)s::timestamptz IS NULL OR EXISTS (
            SELECT FROM commits WHERE commits.commit_no = r.commit_no AND committed_at <= %(known)s))) AS fix
WHERE n = total OR (n - 1) %% greatest(1, (total - 1 + %(points_max)s - 2) / (%(points_max)s - 1)) = 0
ORDER BY n;

-- name: fix_counts
-- How many fixes lie where in a period: whole days by their rollup, then whole hours of what no day covers, then the readings of
-- what no hour covers (the edges of the period, of an attribution, of a lease). One row a day, hour or edge, earliest first.
WITH seen AS MATERIALIZED (
    SELECT stream_id, span * tstzrange(%(from)s::timestamptz, %(to)s::timestamptz) AS span FROM asset_stream_span
    WHERE asset_id = %(asset)s AND span && tstzrange(%(from)s::timestamptz, %(to)s::timestamptz)
), day AS MATERIALIZED (
    SELECT stream_id, day AS since, day + interval '1 day' AS until, position_count AS count, first_time, last_time
    FROM asset_reading_day
    WHERE asset_id = %(asset)s AND day >= %(from)s AND day <= %(to)s::timestamptz - interval '1 day'
), day_gap AS MATERIALIZED (
    SELECT seen.stream_id, lower(gap) AS since, upper(gap) AS until
    FROM seen CROSS JOIN LATERAL unnest(tstzmultirange(seen.span) - coalesce((
        SELECT range_agg(tstzrange(day.since, day.until)) FROM day WHERE day.stream_id = seen.stream_id), '{{}}')) AS gap
), hour AS MATERIALIZED (
    SELECT day_gap.stream_id, held.hour AS since, held.hour + interval '1 hour' AS until, held.position_count AS count,
        held.first_time, held.last_time
    FROM day_gap CROSS JOIN LATERAL (
        SELECT hour, position_count, first_time, last_time FROM asset_reading_hour
        WHERE asset_id = %(asset)s AND asset_reading_hour.stream_id = day_gap.stream_id AND hour >= day_gap.since
            AND hour <= day_gap.until - interval '1 hour'
        OFFSET 0) AS held
), hour_gap AS MATERIALIZED (
    SELECT day_gap.stream_id, lower(gap) AS since, upper(gap) AS until
    FROM day_gap CROSS JOIN LATERAL unnest(tstzmultirange(tstzrange(day_gap.since, day_gap.until)) - coalesce((
        SELECT range_agg(tstzrange(hour.since, hour.until)) FROM hour WHERE hour.stream_id = day_gap.stream_id), '{{}}')) AS gap
), edge AS (
    SELECT hour_gap.since, counted.* FROM hour_gap CROSS JOIN LATERAL (
        SELECT count(*) AS count, min(time) AS first_time, max(time) AS last_time FROM {view} AS r
        WHERE r.asset_id = %(asset)s AND r.stream_id = hour_gap.stream_id AND r.time >= hour_gap.since AND r.time < hour_gap.until
            AND r.lat_deg IS NOT NULL) AS counted
)
SELECT since, sum(count)::bigint AS count, min(first_time) AS first_time, max(last_time) AS last_time
FROM (
    SELECT since, count, first_time, last_time FROM day
    UNION ALL SELECT since, count, first_time, last_time FROM hour
    UNION ALL SELECT since, count, first_time, last_time FROM edge) AS part
WHERE count > 0
GROUP BY since
ORDER BY since;

-- name: fixes_from
-- The first fix of the period at or after each of some instants, and the last fix.
SELECT DISTINCT ON (time, source, seq, stream_id) time, lon_deg, lat_deg
FROM {function}(%(asset)s, %(from)s, %(to)s, ARRAY(
    SELECT timestamptz '1970-01-01T00:00:00Z' + at_us * interval '1 microsecond' FROM unnest(%(instants_us)s::bigint[]) AS at_us))
ORDER BY time, source, seq, stream_id;

-- name: telemetry
SELECT time, source, seq, stream_id, {columns}
FROM {view} AS r
WHERE asset_id = %(asset)s AND time >= %(from)s AND time < %(to)s
    AND (%(known)s::timestamptz IS NULL OR EXISTS (
        SELECT FROM commits WHERE commits.commit_no = r.commit_no AND committed_at <= %(known)s))
    AND (%(after_time)s::timestamptz IS NULL OR (time, source, seq, stream_id)
        > (%(after_time)s::timestamptz, %(after_source)s, %(after_seq)s, %(after_stream)s))
ORDER BY time, source, seq, stream_id
LIMIT %(limit)s;

-- name: telemetry_buckets
-- From readings alone: for buckets that are not made of whole hours, and for what was known at an instant.
SELECT date_bin(%(bucket)s::interval, time, '1970-01-01T00:00:00Z') AS time, count(*) AS count, {columns}
FROM {view} AS r
WHERE asset_id = %(asset)s AND time >= %(from)s AND time < %(to)s
    AND (%(known)s::timestamptz IS NULL OR EXISTS (
        SELECT FROM commits WHERE commits.commit_no = r.commit_no AND committed_at <= %(known)s))
    AND (%(after_time)s::timestamptz IS NULL OR time >= %(after_time)s::timestamptz + %(bucket)s::interval)
GROUP BY 1
ORDER BY 1
LIMIT %(limit)s;

-- name: hour_buckets
-- Closed hours by their spreads, everything else (edges, hours that are open or were overtaken by a reading) from readings.
WITH seen AS MATERIALIZED (
    SELECT stream_id, span * tstzrange(%(from)s::timestamptz, %(to)s::timestamptz) AS span FROM asset_stream_span
    WHERE asset_id = %(asset)s AND span && tstzrange(%(from)s::timestamptz, %(to)s::timestamptz)
), closed AS MATERIALIZED (
    SELECT stream_id, hour, count, fields, channels FROM asset_reading_hour_spread
    WHERE asset_id = %(asset)s AND hour >= %(from)s AND hour <= %(to)s::timestamptz - interval '1 hour'
), gap AS MATERIALIZED (
    SELECT seen.stream_id, lower(gap) AS since, upper(gap) AS until
    FROM seen CROSS JOIN LATERAL unnest(tstzmultirange(seen.span) - coalesce((
        SELECT range_agg(tstzrange(hour, hour + interval '1 hour')) FROM closed WHERE closed.stream_id = seen.stream_id), '{{}}'))
        AS gap
), part AS (
    SELECT hour AS at, count, {closed_parts} FROM closed
    UNION ALL
    SELECT r.time, 1, {open_parts} FROM gap CROSS JOIN LATERAL (
        SELECT * FROM {view} AS held
        WHERE held.asset_id = %(asset)s AND held.stream_id = gap.stream_id AND held.time >= gap.since AND held.time < gap.until
        OFFSET 0) AS r
)
SELECT date_bin(%(bucket)s::interval, at, '1970-01-01T00:00:00Z') AS time, sum(count)::bigint AS count, {columns}
FROM part
GROUP BY 1
ORDER BY 1
LIMIT %(limit)s;
