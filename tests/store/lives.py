"""A life around the small world's assets, as rows: paper, events, money, clauses, components, areas and use.

Written beside `tests.api.fix_world` where every read query shall have something to answer. The ship's lease is the world's own;
the aircraft has one since 1 November, to the same lessee, so that a lessee sees whole days. Here and there a row is no longer
believed, or superseded, so that what was known then differs from what is believed now.
"""

ENGINE = "00000000-0000-0000-0000-0000000000e1"
TRAINSET = "00000000-0000-0000-0000-0000000000e2"
SPARE = "00000000-0000-0000-0000-0000000000e4"
CAR = "00000000-0000-0000-0000-0000000000e3"
PARENT_PARTY = "00000000-0000-0000-0000-0000000000d1"
PLANE_LEASE = "00000000-0000-0000-0000-0000000000c1"
REPORT = "00000000-0000-0000-0000-0000000000b1"
OFF_HIRE = "00000000-0000-0000-0000-0000000000b2"
INSURANCE = "00000000-0000-0000-0000-0000000000b3"
ACCOUNT = "00000000-0000-0000-0000-0000000000b4"
ASSET_EVENT = "00000000-0000-0000-0000-0000000000b5"
INCIDENT = "00000000-0000-0000-0000-0000000000a1"
WORK = "00000000-0000-0000-0000-0000000000b6"

LIFE = f"""
CREATE TEMPORARY VIEW ship AS SELECT * FROM asset WHERE tenant = 'alpha' AND class = 'vessel';
CREATE TEMPORARY VIEW plane AS SELECT * FROM asset WHERE tenant = 'alpha' AND class = 'aircraft';
CREATE TEMPORARY VIEW charter AS SELECT lease.* FROM lease JOIN ship USING (asset_id);
CREATE TEMPORARY VIEW heard AS SELECT min(commit_no) AS first, max(commit_no) AS last FROM commits;
UPDATE asset SET particulars = particulars || '{{"built_on": "2012-05-01"}}' WHERE tenant = 'alpha';
INSERT INTO asset (asset_id, tenant, class, name, type, particulars, shard) VALUES
    ('{ENGINE}', 'alpha', 'engine', 'V12345', 'V2527-A5', '{{}}', 1), ('{TRAINSET}', 'alpha', 'trainset', 'VT 1', 'DMU',
    '{{}}', 2),
    ('{CAR}', 'alpha', 'car', 'Car 1', 'motor car', '{{}}', 3), ('{SPARE}', 'alpha', 'engine', 'V54321', 'V2527-A5', '{{}}', 4);
INSERT INTO identifier (asset_id, tenant, class, scheme, value) VALUES ('{SPARE}', 'alpha', 'engine', 'msn', 'V54321');
INSERT INTO identifier (asset_id, tenant, class, scheme, value, valid, recorded, source)
    SELECT asset_id, tenant, class, 'callsign', 'PABC', '[2020-01-01, 2026-06-01)'::tstzrange, '[2026-01-01,)'::tstzrange,
    'accepted:fnd_0001' FROM ship;
INSERT INTO designation (asset_id, tenant, kind, value, valid, recorded, source)
    SELECT asset_id, tenant, 'name', 'GREY HERON', '[2012-05-01, 2020-01-01)'::tstzrange, '[2026-01-01,)'::tstzrange,
    'accepted:fnd_0001' FROM ship
    UNION ALL SELECT asset_id, tenant, 'flag', 'NL', '(,)'::tstzrange, '[2026-01-01, 2026-02-01)'::tstzrange, 'paper' FROM ship;
INSERT INTO identity_run SELECT stream_id, '2026-11-20 11:00Z', '2026-11-20 11:10Z', '2026-11-20 12:00Z', 'device',
    '{{"name": "BLUE HERON"}}', heard.first FROM stream, heard;
INSERT INTO installation (asset_id, tenant, parent_asset_id, position, valid, recorded)
    SELECT '{ENGINE}'::uuid, 'alpha', asset_id, '1', '[2026-01-01,)'::tstzrange, '[2026-01-01,)'::tstzrange FROM plane
    UNION ALL SELECT '{ENGINE}', 'alpha', asset_id, '2', '[2026-01-01,)'::tstzrange,
    '[2026-01-01, 2026-01-02)'::tstzrange FROM plane
    UNION ALL SELECT '{CAR}', 'alpha', '{TRAINSET}', '3', '[2026-01-01,)'::tstzrange, '[2026-01-01,)'::tstzrange;
INSERT INTO party (party_id, tenant, name, country, lei) VALUES
    ('{PARENT_PARTY}', 'alpha', 'Northern Group', 'NL', '529900T8BM49AURSDO55');
INSERT INTO party_group (tenant, party_id, parent_party_id, valid, recorded)
    SELECT 'alpha', party_id, '{PARENT_PARTY}', '[2020-01-01,)'::tstzrange, recorded::tstzrange
    FROM party, (VALUES ('[2026-01-01, 2026-02-01)'::tstzrange), ('[2026-02-01,)'::tstzrange)) AS believed (recorded)
    WHERE name = 'Northern Bulk';
UPDATE lease_contract SET reference = 'NB-1',
    terms = '{{"billing_time_zone": "Europe/Amsterdam", "rent": {{"amount": "9500.00"}}}}';
INSERT INTO lease_contract (lease_id, tenant, asset_id, reference, form, signed_on, term, promise, lessee_party_id, terms,
    recorded)
    SELECT '{PLANE_LEASE}', 'alpha', asset_id, 'NB-2', 'dry', '2026-10-01', '[2026-11-01, 2027-11-01)'::tstzrange,
    '[2026-11-01, 2027-11-01)'::tstzrange,
    lessee_party_id, '{{}}', '[2026-10-01,)'::tstzrange FROM plane, (SELECT lessee_party_id FROM charter) AS by;
INSERT INTO lease (lease_id, revision, tenant, asset_id, lessee_party_id, form, valid, recorded)
    SELECT '{PLANE_LEASE}'::uuid, 1, 'alpha', plane.asset_id, lessee_party_id, 'dry', '[2026-11-02,)'::tstzrange,
    '[2026-11-01, 2026-11-03)'::tstzrange FROM plane, charter
    UNION ALL SELECT '{PLANE_LEASE}', 2, 'alpha', plane.asset_id, lessee_party_id, 'dry', '[2026-11-01,)'::tstzrange,
    '[2026-11-03,)'::tstzrange
    FROM plane, charter;
INSERT INTO lease_party (tenant, lease_id, party_id, role, recorded)
    SELECT 'alpha', '{PLANE_LEASE}', lessee_party_id, 'lessee', '[2026-10-01,)'::tstzrange FROM charter
    UNION ALL SELECT 'alpha', lease_id, '{PARENT_PARTY}', 'guarantor', '[2026-10-01,)'::tstzrange FROM charter;
INSERT INTO lease_event (tenant, lease_id, asset_id, kind, at, evidence, recorded)
    SELECT tenant, lease_id, asset_id, 'redelivery_notice', '2026-11-20 11:30Z'::timestamptz, '{{"days": 30}}'::jsonb,
    '[2026-11-20,)'::tstzrange FROM charter
    UNION ALL SELECT tenant, lease_id, asset_id, 'extension_exercised', '2026-11-20 11:00Z', '{{}}',
    '[2026-11-20, 2026-11-21)'::tstzrange
    FROM charter
    UNION ALL SELECT 'alpha', '{PLANE_LEASE}', asset_id, 'lease_delivery', '2026-11-01', '{{}}',
    '[2026-11-01,)'::tstzrange FROM plane;
INSERT INTO asset_event (asset_event_id, tenant, asset_id, kind, basis, at, recorded)
    SELECT '{ASSET_EVENT}'::uuid, tenant, asset_id, 'lay_up_started', 'reported', '2026-11-20 11:40Z'::timestamptz,
    '[2026-11-20,)'::tstzrange FROM ship
    UNION ALL SELECT gen_random_uuid(), tenant, asset_id, 'delivered_new', 'contract', '2012-05-01',
    '[2026-01-01,)'::tstzrange FROM ship;
INSERT INTO maintenance_event (maintenance_event_id, tenant, asset_id, kind, planned, actual, place, cost_amount, currency,
    recorded)
    SELECT '{WORK}'::uuid, tenant, asset_id, 'drydock', '[2026-11-20 10:00Z, 2026-11-20 13:00Z)'::tstzrange,
    '[2026-11-20 11:30Z, 2026-11-20 12:30Z)'::tstzrange, 'NLRTM', 125000.50, 'EUR', '[2026-01-01,)'::tstzrange FROM ship
    UNION ALL SELECT gen_random_uuid(), tenant, asset_id, 'drydock', NULL, '[2022-01-01, 2022-02-01)'::tstzrange, NULL, NULL,
    NULL,
    '[2026-01-01,)'::tstzrange FROM ship;
INSERT INTO insurance (insurance_id, tenant, lease_id, kind, insurer, agreed_value_amount, currency, cover, recorded)
    SELECT '{INSURANCE}', tenant, lease_id, 'hull', 'Lloyd''s', 21000000, 'USD', '[2026-01-01, 2027-01-01)'::tstzrange,
    '[2026-01-01,)'::tstzrange FROM charter;
INSERT INTO territory_rule (territory_rule_id, tenant, lease_id, kind, event_scope, area_set, recorded)
    SELECT 'war', tenant, lease_id, 'prohibited', 'any_presence', 'JWC', '[2026-01-01,)'::tstzrange FROM charter;
INSERT INTO covenant (covenant_id, tenant, lease_id, clause, predicate, severity, recorded)
    SELECT id, tenant, lease_id, '12(b)', predicate::jsonb, 'warning', '[2026-01-01,)'::tstzrange
    FROM charter CROSS JOIN (VALUES ('cii', '{{"kind": "cii_at_least"}}'),
        ('miles', '{{"kind": "max_use", "unit": "nm", "per": "month", "amount": "5000"}}')) AS given (id, predicate);
INSERT INTO area (tenant, area_id, area_set, name, kind, issuer, version, severity, geometry, radius_m, west_deg, south_deg,
    east_deg,
    north_deg, valid, recorded) VALUES
    ('_', 'NLRTM', NULL, 'Rotterdam', 'port', 'keelwing', '1', 'info', '{{"type": "Point", "coordinates": [4, 52]}}', 9000,
    3.8, 51.9,
    4.2, 52.1, '(,)', '[2026-01-01,)'),
    ('alpha', 'red-sea', 'JWC', 'Red Sea', 'prohibited', 'JWC', '32', 'critical', '{{"type": "Polygon", "coordinates": []}}',
    NULL, 1, 51,
    9, 59, '[2026-01-01,)', '[2026-01-01,)');
INSERT INTO utilization_report (utilization_report_id, revision, tenant, lease_id, asset_id, kind, period, figures, signed_by,
    received_at, recorded)
    SELECT said.id::uuid, said.revision, tenant, lease_id, asset_id, said.kind,
    '[2026-11-20 11:00Z, 2026-11-20 13:00Z)'::tstzrange,
    said.figures::jsonb, 'Master', '2026-11-21', said.recorded::tstzrange
    FROM charter, (VALUES ('{REPORT}', 1, 'noon', '{{"distance_nm": 23}}', '[2026-11-21, 2026-11-22)'::tstzrange),
    ('{REPORT}', 2, 'noon', '{{"distance_nm": 24}}', '[2026-11-22,)'::tstzrange),
    ('00000000-0000-0000-0000-0000000000b7', 1, 'monthly', '{{"at_sea_h": 100}}', '[2026-11-21,)'::tstzrange))
    AS said (id, revision, kind, figures, recorded);
INSERT INTO reserve_account (reserve_account_id, tenant, lease_id, asset_id, bucket, currency, opened_at)
    SELECT '{ACCOUNT}', tenant, lease_id, asset_id, 'drydock', 'USD', '2026-01-01' FROM charter;
INSERT INTO reserve_rate (tenant, reserve_account_id, terms, valid, recorded) VALUES
    ('alpha', '{ACCOUNT}', '{{"rate": "100.00"}}', '[2026-01-01,)', '[2026-01-01, 2026-01-02)'),
    ('alpha', '{ACCOUNT}', '{{"rate": "105.00"}}', '[2026-01-01,)', '[2026-01-02,)');
INSERT INTO reserve_entry (tenant, reserve_account_id, kind, month, amount, workings, at, entered_at) VALUES
    ('alpha', '{ACCOUNT}', 'accrual', '2026-11-01', 62315.03, '{{"basis": "reported"}}', '2026-11-20 11:30Z', '2026-11-25'),
    ('alpha', '{ACCOUNT}', 'payment', NULL, 62315.03, '{{}}', '2026-11-20 11:40Z', '2026-11-26');
INSERT INTO closed_month (tenant, lease_id, month, revision, period, basis, figures, closed_at)
    SELECT tenant, lease_id, '2026-11-01', 1, valid, 'reported', '{{"amount": "62315.03"}}', '2020-01-01' FROM charter;
INSERT INTO return_condition (return_condition_id, tenant, lease_id, requirement, status, due_on, recorded)
    SELECT 'hull', tenant, lease_id, 'hull cleaned', 'open', '2026-12-01', '[2026-01-01,)'::tstzrange FROM charter;
INSERT INTO off_hire (off_hire_id, tenant, lease_id, asset_id, period, status, reason, recorded)
    SELECT '{OFF_HIRE}', tenant, lease_id, asset_id, '[2026-11-20 11:30Z, 2026-11-20 12:30Z)'::tstzrange, 'confirmed',
    'breakdown',
    '[2026-11-21,)'::tstzrange FROM charter;
INSERT INTO life_limit (tenant, asset_id, item, kind, driver, limit_value, used_value, counted_at, cost_amount, currency,
    recorded)
    SELECT tenant, asset_id, 'airframe_6y', 'interval', 'month', 72, 10.5, '2026-01-01', 1000000, 'USD',
    '[2026-01-01,)'::tstzrange
    FROM plane;
INSERT INTO daily_pass (tenant, day, known_at, assets, conditions, written) VALUES ('alpha', '2026-11-20', '2026-11-21', 2,
    1, 1);
INSERT INTO setting (tenant, rule, name, value, valid) VALUES ('alpha', 'practice', 'reserve_days_a_month', '30', '(,)');
INSERT INTO finding (finding_id, revision, tenant, asset_id, asset, rule, rule_version, severity, subject, opened_at,
    detected_at,
    evidence, commit_no)
    SELECT finding_id, 1, 'alpha', asset_id, 'imo:9074729', rule, 1, 'warning', NULL, '2026-11-20 11:00Z',
    '2026-11-20 11:05Z', '{{}}',
    heard.last FROM ship, heard, (VALUES ('fnd_gap', 'gap'), ('fnd_cover', 'insurance_expiring')) AS raised (finding_id, rule);
INSERT INTO finding (finding_id, revision, tenant, asset, rule, rule_version, severity, opened_at, detected_at, evidence,
    commit_no)
    SELECT 'fnd_region', 1, 'alpha', 'region:54.2N019.7E', 'gnss_interference', 1, 'info', '2026-11-20 11:00Z',
    '2026-11-20 11:20Z', '{{"lat_deg": 54.3, "lon_deg": 19.9, "radius_nm": 60.0}}', heard.last FROM heard;
INSERT INTO incident (incident_id, revision, tenant, asset_id, asset, severity, rules, opened_at, closed_at, finding_ids,
    commit_no, superseded_by)
    SELECT '{INCIDENT}'::uuid, 1, 'alpha', asset_id, 'imo:9074729', 'warning', ARRAY['gap'], '2026-11-20 11:00Z'::timestamptz,
    NULL::timestamptz, ARRAY['fnd_gap'], heard.first, heard.last FROM ship, heard
    UNION ALL SELECT '{INCIDENT}', 2, 'alpha', asset_id, 'imo:9074729', 'critical', ARRAY['gap', 'position_jump'],
    '2026-11-20 11:00Z', '2026-11-20 12:30Z', ARRAY['fnd_gap', 'fnd_0001'], heard.last, NULL FROM ship, heard;
UPDATE alert SET incident_id = '{INCIDENT}' WHERE tenant = 'alpha';
INSERT INTO notice (tenant, alert_id, revision, asset_id, asset, finding_id, incident_id, rule, severity, kind, verdict, hold_id,
    why, decided_at, commit_no)
    SELECT 'alpha', alert_id, said.revision, ship.asset_id, 'imo:9074729', 'fnd_gap', '{INCIDENT}', said.rule, 'warning',
    said.kind, said.verdict, said.hold_id, '{{"p_value": 1e-9}}', '2026-11-20 12:40Z', heard.last
    FROM alert, ship, heard, (VALUES (1, 'gap', 'opened', 'held', 'fnd_region'), (2, 'gap', 'updated', 'told', NULL),
    (3, 'channel_anomaly', 'opened', 'over_budget', NULL)) AS said (revision, rule, kind, verdict, hold_id)
    WHERE alert.tenant = 'alpha';
INSERT INTO adjustment (tenant, asset_id, rule, name, base, value, alert_id, finding_id, actor, valid, recorded)
    SELECT 'alpha', ship.asset_id, 'position_jump', '1', 60, said.value, alert_id, 'fnd_gap', 'key:1',
    '[2026-11-20 11:00Z,)'::tstzrange, said.recorded FROM ship, alert, (VALUES (90, '[2026-11-20, 2026-11-21)'::tstzrange),
    (120, '[2026-11-21,)'::tstzrange)) AS said (value, recorded) WHERE alert.tenant = 'alpha';
INSERT INTO alert_budget (tenant, week, assets, rate, allowance, carried, told, held_back, tests, rejections) VALUES
    ('alpha', '2026-11-09', 2, 0.05, 1, 0, 0, 0, 0, '{{}}'), ('alpha', '2026-11-16', 2, 0.05, 1, 1, 1, 1, 2, '{{1,2}}');
INSERT INTO setting (tenant, rule, name, value, valid) VALUES ('alpha', 'alert_budget', 'warnings_per_asset_month', '0.1', '(,)');
INSERT INTO journey (journey_id, revision, tenant, asset_id, asset, kind, started_at, ended_at, from_place, to_place, quality,
    confidence, coverage, method, figures, distance_m, observed_s, cycles, sources, commit_no, superseded_by)
    SELECT 'jrn_flight', 1, 'alpha', asset_id, 'icao24:4840d6', 'flight', '2026-11-20 11:20Z'::timestamptz,
    '2026-11-20 12:05Z'::timestamptz, 'EHAM', 'EGLL', 'midpoint', NULL::smallint, 0.9, 'readings', '{{"cycles": 1}}'::jsonb,
    370000.5,
    2400.0, 1, '{{"device": 2400}}'::jsonb, heard.first, heard.last FROM plane, heard
    UNION ALL SELECT 'jrn_flight', 2, 'alpha', asset_id, 'icao24:4840d6', 'flight', '2026-11-20 11:20Z', '2026-11-20 12:06Z',
    'EHAM',
    'EGLL', 'midpoint', NULL, 0.95, 'readings', '{{"cycles": 1}}', 371000.5, 2700, 1, '{{"device": 2700}}', heard.last, NULL
    FROM plane, heard
    UNION ALL SELECT 'jrn_call', 1, 'alpha', asset_id, 'imo:9074729', 'port_call', '2026-11-20 10:30Z', '2026-11-20 13:30Z',
    'NLRTM',
    'NLRTM', 'observed', 3, 0.9, 'readings', '{{}}', 1852, 9000, 0, '{{"device": 9000}}', heard.first, NULL FROM ship, heard;
INSERT INTO activity (tenant, asset_id, state, started_at, ended_at, distance_m, observed_s, loading, place, method, figures,
    sources,
    commit_no, superseded_by)
    SELECT 'alpha', asset_id, said.state, said.begin::timestamptz, said.until::timestamptz, said.distance_m, said.observed_s,
    said.loading, said.place, 'readings', '{{"car_km": 2.5}}', '{{"device": 900}}', heard.first,
    CASE WHEN said.superseded THEN heard.last END
    FROM asset, heard, (VALUES ('at_sea', '2026-11-20 00:00Z', '2026-11-20 11:15Z', 200000.5, 30000.0, 'laden', NULL, false),
    ('moored', '2026-11-20 11:15Z', '2026-11-20 12:00Z', 0, 1800, 'laden', 'NLRTM', true),
    ('moored', '2026-11-20 11:15Z', '2026-11-20 12:45Z', 0, 3600, 'laden', 'NLRTM', false),
    ('at_sea', '2026-11-20 12:45Z', '2026-11-21 00:00Z', 150000, 35000, 'ballast', NULL, false))
    AS said (state, begin, until, distance_m, observed_s, loading, place, superseded)
    WHERE tenant = 'alpha' AND class IN ('vessel', 'aircraft', 'trainset');
INSERT INTO use_day (tenant, asset_id, day, state_s, state_m, distance_m, laden_m, ballast_m, flight_s, cycles, observed_s,
    sources,
    figures, method, commit_no, superseded_by)
    SELECT 'alpha', asset_id, said.day::date, said.state_s::jsonb, '{{"at_sea": 1000.5}}', 350000.5, 200000.5, 150000, 3000, 1,
    said.observed_s, '{{"device": 1800}}', '{{"car_km": 12.5, "door_cycles": 7}}', 'readings',
    CASE WHEN said.superseded THEN heard.first ELSE heard.last END, CASE WHEN said.superseded THEN heard.last END
    FROM asset, heard, (VALUES ('2026-11-18', '{{"moored": 86400}}', 80000, false), ('2026-11-19', '{{"moored": 86400}}', 0,
    true),
    ('2026-11-19', '{{"at_sea": 80000.5, "moored": 6399.5}}', 80000, false),
    ('2026-11-20', '{{"at_sea": 81000, "moored": 5400}}', 70000, false)) AS said (day, state_s, observed_s, superseded)
    WHERE tenant = 'alpha' AND class IN ('vessel', 'aircraft', 'trainset');
INSERT INTO use_tail (asset_id, tenant, started_at, ended_at, state, distance_m, observed_s, loading, place, method, figures,
    sources,
    commit_no)
    SELECT asset_id, 'alpha', '2026-11-20 12:50Z', '2026-11-20 13:10Z', 'at_sea', 100, 1200, NULL, NULL, 'readings', '{{}}',
    '{{"device": 1200}}', heard.last FROM asset, heard WHERE tenant = 'alpha' AND class IN ('vessel', 'aircraft');
INSERT INTO use_checkpoint SELECT asset_id, at::timestamptz, 1, '\\x01', heard.last
    FROM ship, heard, (VALUES ('2026-11-20 11:00Z'), ('2026-11-20 18:00Z')) AS kept (at);
DELETE FROM reading_hour_spread WHERE hour = '2026-11-20 11:00Z';
INSERT INTO use_dirty SELECT asset_id, shard, '2026-11-20 11:00Z', '2026-11-20 18:00Z', heard.last FROM ship, heard;
"""
