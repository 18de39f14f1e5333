"""The fleet behind `bench.api`: a year of readings made inside the database, and everything a commit writes beside them.

Ships shuttle between two ports, aircraft fly, land and wait; every value is a closed form of the reading's number, so two
loads are equal. Rows lie in the table in order of time over all assets, as a worker would have written them: one asset's
month is scattered over the table. Rollups and last words are computed by SQL here; `tests/bench/test_api_fleet.py` shows
them equal to what the store writes for the same readings. The hours' spreads are closed by the store's own function.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec
import psycopg

from fleet.instants import DAY_US, to_datetime
from store import keys, registry
from store.pool import open_pool

END_US = 1_793_491_200_000_000  # 2026-11-01T00:00:00Z: the readings' own clock, so that two loads are equal
TENANT = "bench"
BATCH_STEPS = 1000  # readings of each asset in one transaction
FINDING_RULES = ("position_jump", "gap", "speed_anomaly", "channel_anomaly", "drifting")
Say = Callable[[str], None]


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How large the fleet is: `readings` for each asset, evenly over `days`; a quarter of the assets are aircraft."""

    assets: int = 60
    readings: int = 333_000
    days: int = 365
    findings: int = 6_000
    alerts: int = 4_000

    @property
    def step_us(self) -> int:
        """Microseconds between two readings of an asset."""
        return self.days * DAY_US // self.readings

    @property
    def start_us(self) -> int:
        """Event time of the first reading."""
        return END_US - self.readings * self.step_us


class Fleet(msgspec.Struct, frozen=True, kw_only=True):
    """What was loaded: asset ids by class, the leased ones, and two keys."""

    size: Size
    vessels: list[str]
    aircraft: list[str]
    leased: list[str]
    lease_us: tuple[int, int]
    viewer_key: str
    lessee_key: str


# A ship: 15 % of a round in either port, the rest under way. Every third is heard by its device and a feed in turns.
_VESSEL_READINGS = """
INSERT INTO reading_vessel (stream_id, time, source, seq, seq_given, received_at, lat_deg, lon_deg, sog_kn, cog_deg, heading_deg,
    rot_deg_min, nav_status, draught_m, channels, commit_no)
SELECT CASE WHEN by_feed THEN feed_stream_id ELSE stream_id END, at, CASE WHEN by_feed THEN 'ais_terrestrial' ELSE 'device' END,
    k, true, at + interval '2 s', CASE WHEN k %% 50 <> 7 THEN round(100000 * (lat_a + (lat_b - lat_a) * way)) / 100000 END,
    CASE WHEN k %% 50 <> 7 THEN round(100000 * (lon_a + (lon_b - lon_a) * way)) / 100000 END,
    CASE WHEN moored THEN 0 ELSE round(10 * (speed_kn + noise)) / 10 END,
    CASE WHEN NOT moored THEN round(10 * (heading_deg + noise)) / 10 END, round(heading_deg),
    CASE WHEN moored THEN 0 ELSE round(3 * noise) END,
    CASE WHEN moored THEN 5 ELSE 0 END, CASE WHEN phase < 0.5 THEN 12.1 ELSE 8.4 END,
    CASE WHEN NOT moored AND NOT by_feed THEN jsonb_build_object('me_exhaust_temp_c', round(3400 + 40 * noise) / 10,
        'shaft_power_kw', round(8200 + 90 * noise), 'fuel_rate_t_h', round(140 + 10 * noise) / 100) END,
    %(n)s * 64 + shard
FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS k
CROSS JOIN bench_asset
CROSS JOIN LATERAL (SELECT (k * %(step_us)s)::float8 / 1000000 / round_s + number * 0.137::float8 AS turn) AS zero
CROSS JOIN LATERAL (SELECT %(start)s::timestamptz + (k * %(step_us)s + number * 1300000) * interval '1 microsecond' AS at,
    sin(k * 0.37::float8 + number) + 0.5 * sin(k * 1.7::float8) AS noise,
    turn - floor(turn) AS phase,
    feed_stream_id IS NOT NULL AND k %% 2 = 1 AS by_feed) AS one
CROSS JOIN LATERAL (SELECT (CASE WHEN phase < 0.5 THEN phase ELSE phase - 0.5 END) < 0.075 AS moored,
    CASE WHEN phase < 0.5 THEN course_deg ELSE 360 - course_deg END AS heading_deg,
    CASE WHEN phase < 0.5 THEN greatest(0, (phase - 0.075) / 0.425)
    ELSE 1 - greatest(0, (phase - 0.575) / 0.425) END AS way) AS two
WHERE class = 'vessel'
ORDER BY k, number
"""
# An aircraft: rounds of four hours, two and a half of them in the air.
_AIRCRAFT_READINGS = """
INSERT INTO reading_aircraft (stream_id, time, source, seq, seq_given, received_at, lat_deg, lon_deg, on_ground, gs_kn,
    track_deg, alt_baro_ft, alt_geom_ft, vertical_rate_fpm, squawk, nic, nac_p, sil, callsign, channels, commit_no)
SELECT stream_id, at, 'adsb', k, true, at + interval '2 s', round(100000 * (lat_a + (lat_b - lat_a) * way)) / 100000,
    round(100000 * (lon_a + (lon_b - lon_a) * way)) / 100000, waiting,
    CASE WHEN waiting THEN 0 ELSE round(450 * least(1, 0.4 + height) + 3 * noise) END, round(course_deg + noise),
    CASE WHEN waiting THEN 0 ELSE round(1480 * height) * 25 END,
    CASE WHEN waiting THEN 150 ELSE round(1480 * height) * 25 + 150 END,
    CASE WHEN waiting THEN 0 ELSE round(20 * noise) * 64 END, lpad((1000 + number)::text, 4, '0'), 8, 10, 3,
    'BNC' || lpad(number::text, 3, '0'),
    CASE WHEN NOT waiting THEN jsonb_build_object('n1_pct', round(840 + 10 * noise) / 10, 'egt_c', round(640 + 5 * noise),
        'oil_pressure_psi', round(620 + 10 * noise) / 10) END,
    %(n)s * 64 + shard
FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS k
CROSS JOIN bench_asset
CROSS JOIN LATERAL (SELECT (k * %(step_us)s)::float8 / 1000000 / round_s + number * 0.137::float8 AS turn) AS zero
CROSS JOIN LATERAL (SELECT %(start)s::timestamptz + (k * %(step_us)s + number * 1300000) * interval '1 microsecond' AS at,
    sin(k * 0.37::float8 + number) + 0.5 * sin(k * 1.7::float8) AS noise,
    turn - floor(turn) AS phase) AS one
CROSS JOIN LATERAL (SELECT half > 0.3125 AS waiting, least(1, half / 0.3125) AS part
    FROM (SELECT CASE WHEN phase < 0.5 THEN phase ELSE phase - 0.5 END AS half) AS of_round) AS two
CROSS JOIN LATERAL (SELECT CASE WHEN phase < 0.5 THEN part ELSE 1 - part END AS way,
    least(1, 5 * part, 5 * greatest(0, 1 - part)) AS height) AS three
WHERE class = 'aircraft'
ORDER BY k, number
"""
HOURS = """
INSERT INTO reading_{unit} (stream_id, {unit}, count, position_count, first_time, last_time, speed_count, speed_min_kn,
    speed_max_kn, speed_sum_ukn)
SELECT stream_id, date_trunc('{unit}', time, 'UTC') AS since, count(*), count(lat_deg), min(time), max(time), count({speed}),
    min({speed}), max({speed}), coalesce(sum(round({speed} * 1000000)::bigint), 0)::bigint
FROM {table} GROUP BY stream_id, since ORDER BY since, stream_id
"""
# Each group of columns is of the last reading that has it, as the store's `raise_latest` keeps them.
LATEST = """
INSERT INTO stream_latest (stream_id, time, source, seq, received_at, position_time, lat_deg, lon_deg, alt_baro_ft, speed_time,
    speed_kn, course_deg, status_time, nav_status, on_ground, draught_time, draught_m, channels_time, channels_source,
    channels_seq, channels)
SELECT a.stream_id, a.time, a.source, a.seq, a.received_at, p.time, p.lat_deg, p.lon_deg, {altitude}, s.time, s.{speed},
    s.{course}, s.time, {status}, {draught}, c.time, c.source, c.seq, c.channels
FROM stream
CROSS JOIN LATERAL (SELECT * FROM {table} WHERE stream_id = stream.stream_id ORDER BY time DESC LIMIT 1) AS a
LEFT JOIN LATERAL (SELECT * FROM {table} WHERE stream_id = stream.stream_id AND lat_deg IS NOT NULL
    ORDER BY time DESC LIMIT 1) AS p ON true
LEFT JOIN LATERAL (SELECT * FROM {table} WHERE stream_id = stream.stream_id ORDER BY time DESC LIMIT 1) AS s ON true
LEFT JOIN LATERAL (SELECT * FROM {table} WHERE stream_id = stream.stream_id AND channels IS NOT NULL
    ORDER BY time DESC LIMIT 1) AS c ON true
"""
_FINDINGS = """
INSERT INTO finding (finding_id, revision, tenant, asset_id, asset, rule, rule_version, severity, subject, opened_at, closed_at,
    detected_at, score, evidence, commit_no)
SELECT 'fnd_' || lpad(n::text, 8, '0'), 1, %(tenant)s, asset_id, name, (%(rules)s::text[])[1 + n %% 5], 1,
    (ARRAY['info', 'warning', 'info', 'critical'])[1 + n %% 4], NULL, at, CASE WHEN n %% 20 > 0 THEN at + interval '90 min' END,
    at + interval '5 min', NULL, jsonb_build_object('implied_speed_kn', 60 + n %% 40, 'limit_kn', 60.0, 'elapsed_s', n %% 900),
    64 + shard
FROM generate_series(1, %(findings)s) AS n
JOIN bench_asset ON number = 1 + (n * 7) %% %(assets)s
CROSS JOIN LATERAL (SELECT %(start)s::timestamptz + n * (%(span)s::interval / %(findings)s) AS at) AS one
"""
_ALERTS = """
INSERT INTO alert (alert_id, tenant, asset_id, asset, rule, subject, severity, status, opened_at, updated_at, closed_at, revision,
    evidence, finding_ids, commit_no)
SELECT md5('alert' || finding_id)::uuid, tenant, asset_id, asset, rule, finding_id, severity,
    CASE WHEN closed_at IS NULL THEN 'open' WHEN row_number() OVER w %% 40 = 0 THEN 'acknowledged' ELSE 'resolved' END, opened_at,
    detected_at, closed_at, 1, evidence, ARRAY[finding_id], commit_no
FROM finding WHERE tenant = %(tenant)s WINDOW w AS (ORDER BY finding_id) ORDER BY finding_id LIMIT %(alerts)s
"""
LATEST_PARTS = {
    "vessel": {"altitude": "NULL", "speed": "sog_kn", "course": "cog_deg", "status": "s.nav_status, NULL::boolean",
               "draught": "s.time, s.draught_m"},
    "aircraft": {"altitude": "p.alt_baro_ft", "speed": "gs_kn", "course": "track_deg", "status": "NULL::integer, s.on_ground",
                 "draught": "NULL::timestamptz, NULL::float8"},
}  # fmt: skip


async def _register(url: str, size: Size) -> Fleet:
    """Tenant, assets with identifiers, streams, a lessee with dated leases, and two keys."""
    vessels: list[str] = []
    aircraft: list[str] = []
    lease_us = (END_US - size.days * DAY_US * 3 // 4 + 17 * 60_000_000, END_US - size.days * DAY_US // 4 + 43 * 60_000_000)
    pool = await open_pool(url, "keelwing_worker", 2)
    try:
        async with pool.connection() as conn:
            await registry.create_tenant(conn, TENANT, "Bench")
            await registry.set_feed(conn, TENANT, "coast", "recording")
            for number in range(1, size.assets + 1):
                ship = number % 4 != 0
                sort, kind = ("vessel", "bulk carrier") if ship else ("aircraft", "A320")
                names = [("mmsi", f"244{number:06}"), ("local", f"ship-{number}")] if ship else [("icao24", f"48{number:04x}")]
                made = await registry.register_asset(conn, TENANT, sort, f"Bench {number}", kind, names, {})
                (vessels if ship else aircraft).append(made)
            leased = [*vessels[:6], *aircraft[:2]]
            party = await registry.create_party(conn, TENANT, "Northern Bulk")
            for asset in leased:
                await registry.create_lease(conn, TENANT, asset, party, "time", *lease_us)
            viewer, lessee = await keys.create(conn, TENANT, "viewer"), await keys.create(conn, TENANT, "lessee", party)
            wanted = [(TENANT, "device", "vessel", "mmsi", f"244{n:06}") for n in range(1, size.assets + 1) if n % 4]
            wanted += [(TENANT, "feed:coast", "vessel", "mmsi", f"244{n:06}") for n in range(3, size.assets + 1, 3) if n % 4]
            wanted += [(TENANT, "device", "aircraft", "icao24", f"48{n:04x}") for n in range(4, size.assets + 1, 4)]
            await registry.resolve_streams(conn, wanted)
    finally:
        await pool.close()
    return Fleet(
        size=size, vessels=vessels, aircraft=aircraft, leased=leased, lease_us=lease_us, viewer_key=viewer, lessee_key=lessee
    )  # fmt: skip


def _describe(conn: psycopg.Connection[Any]) -> None:
    """A temporary table with each asset's number, streams, ports, course and speed."""
    conn.execute("""
        CREATE TEMPORARY TABLE bench_asset AS
        SELECT asset.asset_id, asset.class, asset.shard, regexp_replace(asset.name, '\\D', '', 'g')::int AS number,
            min(own.scheme || ':' || own.value) AS name,
            min(own.stream_id) FILTER (WHERE origin = 'device') AS stream_id,
            min(own.stream_id) FILTER (WHERE origin <> 'device') AS feed_stream_id
        FROM asset JOIN attribution USING (asset_id) JOIN stream AS own USING (stream_id) GROUP BY asset.asset_id""")
    conn.execute("""
        CREATE TEMPORARY TABLE bench_route AS
        SELECT *, degrees(atan2((lon_b - lon_a) * cos(radians(lat_a)), lat_b - lat_a)) AS course_raw
        FROM (SELECT number AS of, 30 + (number * 7) % 25 + 0.123::float8 AS lat_a,
                -60 + (number * 11) % 70 + 0.456::float8 AS lon_a,
                35 + (number * 5) % 22 + 0.321::float8 AS lat_b, -55 + (number * 17) % 80 + 0.654::float8 AS lon_b,
                CASE class WHEN 'vessel' THEN 86400 * (9 + number % 8) ELSE 28800 END AS round_s, 11 + number % 5 AS speed_kn
            FROM bench_asset) AS port""")
    conn.execute("""
        ALTER TABLE bench_asset ADD lat_a float8, ADD lon_a float8, ADD lat_b float8, ADD lon_b float8, ADD round_s float8,
            ADD speed_kn float8, ADD course_deg float8""")
    conn.execute("""
        UPDATE bench_asset SET lat_a = r.lat_a, lon_a = r.lon_a, lat_b = r.lat_b, lon_b = r.lon_b, round_s = r.round_s,
            speed_kn = r.speed_kn, course_deg = 20 + abs(r.course_raw)
        FROM bench_route AS r WHERE r.of = number""")


def _load_readings(conn: psycopg.Connection[Any], size: Size, say: Say) -> None:
    began_s = time.monotonic()
    for n, first in enumerate(range(0, size.readings, BATCH_STEPS), 1):
        last = min(first + BATCH_STEPS, size.readings) - 1
        binds = {"n": n, "first": first, "last": last, "start": to_datetime(size.start_us), "step_us": size.step_us}
        at = to_datetime(size.start_us + (last + 1) * size.step_us)
        conn.execute(
            "INSERT INTO commits (commit_no, shard, epoch, n, committed_at)"
            " SELECT DISTINCT %(n)s * 64 + shard, shard, 0, %(n)s, %(at)s::timestamptz FROM bench_asset",
            {"n": n, "at": at},
        )
        for statement in (_VESSEL_READINGS, _AIRCRAFT_READINGS):
            conn.execute(statement, binds)
        conn.commit()
        if n % 20 == 0:
            say(f"{(last + 1) * size.assets:,} readings in {time.monotonic() - began_s:.0f} s")
    conn.execute("UPDATE shard_owner SET n = %s", (-(-size.readings // BATCH_STEPS),))


def load(url: str, size: Size, say: Say) -> Fleet:
    """Fill a migrated, empty database; returns what was loaded. `url` is the owner's.

    Raises:
        psycopg.Error: the database is away, or it is not empty.
    """
    fleet = asyncio.run(_register(url, size))
    with psycopg.connect(url) as conn:
        conn.execute("SET synchronous_commit TO off")
        conn.execute("SET work_mem TO '256MB'")
        conn.execute("SET TIME ZONE 'UTC'")
        _describe(conn)
        _load_readings(conn, size, say)
        say("rollups and last words")
        for asset_class, parts in LATEST_PARTS.items():
            table = f"reading_{asset_class}"
            for unit in ("hour", "day"):
                conn.execute(HOURS.format(unit=unit, table=table, speed=parts["speed"]))
            conn.execute(LATEST.format(table=table, **parts))
            conn.commit()
        conn.execute("INSERT INTO hour_pending (stream_id, hour) SELECT stream_id, hour FROM reading_hour")
        conn.execute(
            "INSERT INTO channel (name, unit) VALUES ('me_exhaust_temp_c', '°C'), ('shaft_power_kw', 'kW'),"
            " ('fuel_rate_t_h', 't/h'), ('n1_pct', '%'), ('egt_c', '°C'), ('oil_pressure_psi', 'psi')"
        )
        span = to_datetime(END_US) - to_datetime(size.start_us)
        binds = {"tenant": TENANT, "rules": list(FINDING_RULES), "findings": size.findings, "alerts": size.alerts,
                 "assets": size.assets, "start": to_datetime(size.start_us), "span": span}  # fmt: skip
        conn.execute(_FINDINGS, binds)
        conn.execute(_ALERTS, binds)
        conn.commit()
    with psycopg.connect(url, autocommit=True) as conn:
        say("vacuum and analyze")
        conn.execute("VACUUM (ANALYZE)")
    return fleet
