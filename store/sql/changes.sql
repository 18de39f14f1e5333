-- What became known, was restated, was retracted or decided, out of the recorded ranges and the histories; inside a scope.

-- name: since
-- Changes of [since, until) in order of (at, kind, key, revision). Of a fact that is dated twice, a row recorded while another of
-- the same thing is closed restates it; one that is closed alone is retracted. What merely goes on is no change: an episode that
-- ends, a flight that lands. Findings of severity info are left out.
WITH dated AS MATERIALIZED (
    SELECT 'lease_contract' AS kind, lease_id::text AS thing, lease_id::text AS key, revision AS revision, asset_id AS asset_id,
        lease_id AS lease_id, actor AS actor, recorded,
        jsonb_build_object('reference', reference, 'form', form, 'signed_on', signed_on, 'term_from', lower(term), 'term_to',
            upper(term), 'void', void) AS told
    FROM lease_contract
    UNION ALL
    SELECT 'tenure', lease_id::text, lease_id::text, revision, asset_id, lease_id, 'keelwing', recorded,
        jsonb_build_object('form', form, 'lessee_party_id', lessee_party_id, 'valid_from', lower(valid), 'valid_to', upper(valid))
    FROM lease
    UNION ALL
    SELECT 'lease_party', (lease_id, role)::text, lease_party_id::text, 1, NULL::uuid, lease_id, actor, recorded,
        jsonb_build_object('role', role, 'party_id', party_id, 'valid_from', lower(valid), 'valid_to', upper(valid))
    FROM lease_party
    UNION ALL
    SELECT 'party_group', party_id::text, party_group_id::text, 1, NULL::uuid, NULL::uuid, actor, recorded,
        jsonb_build_object('party_id', party_id, 'parent_party_id', parent_party_id)
    FROM party_group
    UNION ALL
    SELECT 'insurance', insurance_id::text, insurance_id::text, revision, NULL::uuid, lease_id, actor, recorded,
        jsonb_build_object('cover', kind, 'insurer', insurer, 'cover_from', lower(cover), 'cover_to', upper(cover))
    FROM insurance
    UNION ALL
    SELECT 'territory_rule', (lease_id, territory_rule_id)::text, territory_rule_id, revision, NULL::uuid, lease_id, actor,
        recorded,
        jsonb_build_object('rule', kind, 'event_scope', event_scope, 'area_set', area_set)
    FROM territory_rule
    UNION ALL
    SELECT 'covenant', (lease_id, covenant_id)::text, covenant_id, revision, NULL::uuid, lease_id, actor, recorded,
        jsonb_build_object('clause', clause, 'severity', severity)
    FROM covenant
    UNION ALL
    SELECT 'return_condition', (lease_id, return_condition_id)::text, return_condition_id, revision, NULL::uuid, lease_id,
        actor, recorded,
        jsonb_build_object('requirement', requirement, 'status', status, 'due_on', due_on)
    FROM return_condition
    UNION ALL
    SELECT 'utilization_report', utilization_report_id::text, utilization_report_id::text, revision, asset_id, lease_id, actor,
        recorded,
        jsonb_build_object('report', kind, 'period_from', lower(period), 'period_to', upper(period), 'figures', figures)
    FROM utilization_report
    UNION ALL
    SELECT 'off_hire', off_hire_id::text, off_hire_id::text, revision, asset_id, lease_id, actor, recorded,
        jsonb_build_object('status', status, 'cause', reason, 'period_from', lower(period), 'period_to', upper(period))
    FROM off_hire
    UNION ALL
    SELECT 'identifier', (asset_id, scheme)::text, identifier_id::text, 1, asset_id, NULL::uuid, source, recorded,
        jsonb_build_object('scheme', scheme, 'value', value, 'valid_from', lower(valid), 'valid_to', upper(valid))
    FROM identifier
    UNION ALL
    SELECT 'designation', (asset_id, kind)::text, designation_id::text, 1, asset_id, NULL::uuid, source, recorded,
        jsonb_build_object('designation', kind, 'value', value, 'valid_from', lower(valid), 'valid_to', upper(valid))
    FROM designation
    UNION ALL
    SELECT 'installation', asset_id::text, installation_id::text, 1, asset_id, NULL::uuid, source, recorded,
        jsonb_build_object('parent_asset_id', parent_asset_id, 'position', position, 'valid_from', lower(valid), 'valid_to',
            upper(valid))
    FROM installation
    UNION ALL
    SELECT 'life_limit', (asset_id, item, serial_no, driver)::text, life_limit_id::text, 1, asset_id, NULL::uuid, 'keelwing',
        recorded,
        jsonb_build_object('item', item, 'serial_no', serial_no, 'driver', driver, 'limit', limit_value::text, 'used',
            used_value::text)
    FROM life_limit
    UNION ALL
    SELECT 'maintenance', (asset_id, kind)::text, maintenance_event_id::text, 1, asset_id, NULL::uuid, actor, recorded,
        jsonb_build_object('work', kind, 'planned_from', lower(planned), 'planned_to', upper(planned), 'done_from',
            lower(actual), 'done_to', upper(actual))
    FROM maintenance_event
    UNION ALL
    SELECT 'lease_event', coalesce(corrects, lease_event_id)::text, lease_event_id::text, 1, asset_id, lease_id, actor, recorded,
        jsonb_build_object('event', kind, 'happened_at', at, 'corrects', corrects)
    FROM lease_event
    UNION ALL
    SELECT 'asset_event', coalesce(corrects, asset_event_id)::text, asset_event_id::text, 1, asset_id, NULL::uuid, actor,
        recorded,
        jsonb_build_object('event', kind, 'basis', basis, 'happened_at', at, 'corrects', corrects)
    FROM asset_event
    UNION ALL
    SELECT 'area', area_id, area_row_id::text, 1, NULL::uuid, NULL::uuid, source, recorded,
        jsonb_build_object('area_id', area_id, 'name', name, 'area', kind, 'issuer', issuer, 'version', version)
    FROM area WHERE tenant = scope_tenant()
    UNION ALL
    SELECT 'reserve_rate', reserve_account_id::text, reserve_rate_id::text, 1, account.asset_id, account.lease_id, actor, recorded,
        jsonb_build_object('bucket', bucket, 'currency', currency, 'valid_from', lower(valid), 'valid_to', upper(valid))
    FROM reserve_rate JOIN reserve_account AS account USING (reserve_account_id)
), moved AS MATERIALIZED (
    SELECT * FROM dated
    WHERE lower(recorded) >= %(since)s::timestamptz - interval '1 second'
        OR upper(recorded) >= %(since)s::timestamptz - interval '1 second'
), closed AS MATERIALIZED (
    SELECT kind, thing, key, revision, upper(recorded) AS at FROM moved WHERE NOT upper_inf(recorded)
), paired AS MATERIALIZED (
    -- Joined, not asked row by row: a year of a fleet is tens of thousands of reports.
    SELECT DISTINCT moved.kind, moved.key, moved.revision
    FROM moved JOIN closed USING (kind, thing)
    WHERE (closed.key, closed.revision) <> (moved.key, moved.revision)
        AND closed.at BETWEEN lower(moved.recorded) - interval '1 second' AND lower(moved.recorded) + interval '1 second'
), followed AS MATERIALIZED (
    SELECT DISTINCT closed.kind, closed.key, closed.revision
    FROM closed JOIN moved USING (kind, thing)
    WHERE (closed.key, closed.revision) <> (moved.key, moved.revision)
        AND lower(moved.recorded) BETWEEN closed.at - interval '1 second' AND closed.at + interval '1 second'
), change AS (
    SELECT lower(recorded) AS at, kind, CASE WHEN paired.key IS NULL THEN 'became_known' ELSE 'restated' END AS change, key,
        revision, asset_id, lease_id, actor, told
    FROM moved LEFT JOIN paired USING (kind, key, revision)
    UNION ALL
    SELECT upper(recorded), kind, 'retracted', key, revision, asset_id, lease_id, actor, told
    FROM moved LEFT JOIN followed USING (kind, key, revision)
    WHERE NOT upper_inf(recorded) AND followed.key IS NULL
    UNION ALL
    SELECT created_at, 'asset', 'became_known', asset_id::text, 1, asset_id, NULL, 'keelwing',
        jsonb_build_object('name', name, 'type', type)
    FROM asset
    UNION ALL
    SELECT created_at, 'party', 'became_known', party_id::text, 1, NULL, NULL, 'keelwing', jsonb_build_object('name', name)
    FROM party
    UNION ALL
    SELECT entered_at, 'reserve_entry', CASE entry.kind WHEN 'adjustment' THEN 'restated' ELSE 'became_known' END,
        reserve_entry_id::text, 1, account.asset_id, account.lease_id, actor,
        jsonb_build_object('entry', entry.kind, 'bucket', bucket, 'month', month, 'amount', amount::text, 'currency', currency)
    FROM reserve_entry AS entry JOIN reserve_account AS account USING (reserve_account_id)
    WHERE entered_at >= %(since)s
    UNION ALL
    SELECT closed_at, 'closed_month', CASE closed_month.revision WHEN 1 THEN 'became_known' ELSE 'restated' END,
        lease_id::text || ' ' || month, closed_month.revision, NULL, lease_id, actor,
        jsonb_build_object('month', month, 'basis', basis)
    FROM closed_month
    WHERE closed_at >= %(since)s
    UNION ALL
    SELECT time, 'use', 'restated', event_id, 1, (body -> 'data' ->> 'asset_id')::uuid, (body -> 'data' ->> 'lease_id')::uuid,
        coalesce(body -> 'data' ->> 'actor', 'keelwing'), body -> 'data'
    FROM outbox
    WHERE type = 'keelwing.utilization.restated.v1' AND time >= %(since)s
    UNION ALL
    SELECT changed_at, 'alert', CASE step.change WHEN 'opened' THEN 'became_known' WHEN 'retracted' THEN 'retracted'
            ELSE 'changed' END, step.alert_id::text, step.revision, alert.asset_id, alert.lease_id, actor,
        jsonb_build_object('rule', alert.rule, 'subject', alert.subject, 'step', step.change, 'severity', after ->> 'severity',
            'status', after ->> 'status', 'comment', step.reason)
    FROM alert_revision AS step JOIN alert USING (alert_id)
    WHERE changed_at >= %(since)s
    UNION ALL
    SELECT committed_at, 'finding', CASE WHEN finding.retracted THEN 'retracted' WHEN finding.revision = 1 THEN 'became_known'
            ELSE 'restated' END, finding.finding_id, finding.revision, finding.asset_id, NULL, 'keelwing',
        jsonb_build_object('rule', finding.rule, 'subject', finding.subject, 'severity', finding.severity,
            'opened_at', finding.opened_at, 'closed_at', finding.closed_at)
    FROM finding JOIN commits USING (commit_no)
    LEFT JOIN finding AS before ON before.finding_id = finding.finding_id AND before.revision = finding.revision - 1
    WHERE committed_at >= %(since)s AND finding.severity <> 'info' AND (before.finding_id IS NULL OR finding.retracted
        OR before.closed_at IS NOT NULL OR before.severity <> finding.severity OR before.opened_at <> finding.opened_at)
    UNION ALL
    SELECT committed_at, 'journey', CASE WHEN journey.retracted THEN 'retracted' ELSE 'restated' END, journey.journey_id,
        journey.revision, journey.asset_id, NULL, 'keelwing',
        jsonb_build_object('journey', journey.kind, 'started_at', journey.started_at, 'ended_at', journey.ended_at,
            'from_place', journey.from_place, 'to_place', journey.to_place, 'started_at_before', before.started_at,
            'ended_at_before', before.ended_at)
    FROM journey JOIN commits USING (commit_no)
    JOIN journey AS before ON before.journey_id = journey.journey_id AND before.revision = journey.revision - 1
    WHERE journey.revision > 1 AND committed_at >= %(since)s AND (journey.retracted OR before.ended_at IS NOT NULL)
)
SELECT change.at, change.kind, change.change, change.key, change.revision, coalesce(change.asset_id, paper.asset_id) AS asset_id,
    asset.name AS asset_name, change.lease_id, change.actor, change.told
FROM change
LEFT JOIN LATERAL (
    SELECT lease_contract.asset_id FROM lease_contract WHERE lease_contract.lease_id = change.lease_id LIMIT 1) AS paper ON true
LEFT JOIN asset ON asset.asset_id = coalesce(change.asset_id, paper.asset_id)
WHERE change.at >= %(since)s::timestamptz AND (%(until)s::timestamptz IS NULL OR change.at < %(until)s::timestamptz)
    AND (%(kinds)s::text[] IS NULL OR change.kind = ANY (%(kinds)s::text[]))
    AND (%(changes)s::text[] IS NULL OR change.change = ANY (%(changes)s::text[]))
    AND (%(asset)s::uuid IS NULL OR coalesce(change.asset_id, paper.asset_id) = %(asset)s::uuid)
    AND (%(after_time)s::timestamptz IS NULL OR (change.at, change.kind, change.key, change.revision)
        > (%(after_time)s::timestamptz, %(after_kind)s::text, %(after_key)s::text, %(after_revision)s::integer))
ORDER BY change.at, change.kind, change.key, change.revision
LIMIT %(limit)s;
