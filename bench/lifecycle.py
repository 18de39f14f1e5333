"""A ship's life of ten years and five million readings: how long `GET …/lifecycle` takes, beside its figures from raw readings.

    python -m bench.lifecycle [--quick] [--requests N] [--cache DIR]

She shuttles on the equator between two berths, a reading every 64 s, and every value is a closed form of the reading's number, as
are the activities and days of use beside them: two roads from one truth. The raw road reads every reading inside a tenure and
sums what lies between it and the next; the API answers from days and cut edges. Their distances and hours in each state must
agree to a millionth, or the bench fails.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import psycopg

from bench.api import Client, serving
from bench.api_fleet import HOURS, LATEST, LATEST_PARTS
from bench.command import run
from bench.kept import CACHE, filled, kept_cluster
from bench.report import Report, Target, say
from fleet.instants import DAY_US, SECOND_US, to_datetime, to_rfc3339
from keelwing.embedded.postgres import EmbeddedPostgres
from store import keys, registry
from store.migrate import migrate
from store.pool import open_pool

REQUESTS = 200  # warm ones of each kind
END_US = 1_793_491_200_000_000  # 2026-11-01T00:00:00Z: the readings' own clock, so that two loads are equal
TENANT = "bench"
STEP_S = 64
PER_DAY = 86_400 // STEP_S
P95 = Target(of="value", bound=150.0, at_most=True)
SEED = 11
TENURES = 8
METRES_A_DEGREE = 6_378_137.0 * 3.141592653589793 / 180  # on the equator of WGS 84
SPEED_MPS = 12 * 1852 / 3600
AGREE = 1e-6  # domain.md 0: ratios and intensities 1e-6 relative


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How long the life is; a reading every 64 s makes 1,350 a day."""

    days: int = 3704

    @property
    def start_us(self) -> int:
        """Event time of the first reading."""
        return END_US - self.days * DAY_US

    @property
    def readings(self) -> int:
        """Readings in all."""
        return self.days * PER_DAY + 1  # both ends: what lies between two readings is what counts


class Life(msgspec.Struct, frozen=True, kw_only=True):
    """What was loaded: the ship, her tenures as (from, to) in microseconds, two keys."""

    size: Size
    asset: str
    tenures: list[tuple[int, int | None]]
    viewer_key: str
    lessee_key: str


# A round of twelve days from 06:24 on: two moored, four eastward, two moored, four back.
_READINGS = """
INSERT INTO reading_vessel (stream_id, time, source, seq, seq_given, received_at, lat_deg, lon_deg, sog_kn, cog_deg, nav_status,
    draught_m, commit_no)
SELECT %(stream)s, at, 'device', k, true, at + interval '2 s', 0, lon_deg, CASE WHEN moored THEN 0 ELSE 12 END,
    CASE WHEN NOT moored THEN CASE WHEN u < 518400 THEN 90 ELSE 270 END END, CASE WHEN moored THEN 5 ELSE 0 END, 9.5, %(commit)s
FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS k
CROSS JOIN LATERAL (SELECT %(start)s::timestamptz + k * interval '64 s' AS at, (k * 64 + 23040) %% 1036800 AS u) AS one
CROSS JOIN LATERAL (SELECT u < 172800 OR u BETWEEN 518400 AND 691199 AS moored,
    (%(degrees_s)s * least(greatest(u - 172800, 0), 345600) - %(degrees_s)s * greatest(u - 691200, 0)) AS lon_deg) AS two
"""
_ACTIVITIES = """
INSERT INTO activity (tenant, asset_id, state, started_at, ended_at, distance_m, observed_s, loading, method, commit_no)
SELECT %(tenant)s, %(asset)s, state, piece.begins, piece.ends, CASE state WHEN 'under_way' THEN seconds * %(speed)s ELSE 0 END,
    seconds * 0.97, CASE WHEN leg < 2 THEN 'laden' ELSE 'ballast' END, 'bench v1', %(commit)s
FROM generate_series(0, %(rounds)s) AS turn
CROSS JOIN (VALUES (0, 0, 172800, 'moored'), (1, 172800, 518400, 'under_way'), (2, 518400, 691200, 'moored'),
    (3, 691200, 1036800, 'under_way')) AS part (leg, from_s, to_s, state)
CROSS JOIN LATERAL (SELECT %(start)s::timestamptz + (turn * 1036800 - 23040 + from_s) * interval '1 s' AS begins,
    %(start)s::timestamptz + (turn * 1036800 - 23040 + to_s) * interval '1 s' AS ends) AS whole
CROSS JOIN LATERAL generate_series(date_trunc('day', whole.begins, 'UTC'), whole.ends, interval '1 day') AS day
CROSS JOIN LATERAL (SELECT greatest(whole.begins, day, %(start)s::timestamptz) AS begins,
    least(whole.ends, day + interval '1 day', %(end)s::timestamptz) AS ends) AS piece
CROSS JOIN LATERAL (SELECT extract(epoch FROM piece.ends - piece.begins)::float8 AS seconds) AS length
WHERE piece.begins < piece.ends
"""
_DAYS = """
INSERT INTO use_day (tenant, asset_id, day, state_s, state_m, distance_m, laden_m, ballast_m, observed_s, sources, commit_no)
SELECT %(tenant)s, %(asset)s, day, jsonb_object_agg(state, seconds), jsonb_object_agg(state, distance_m),
    sum(distance_m), coalesce(sum(laden_m), 0),
    coalesce(sum(ballast_m), 0), sum(observed_s),    jsonb_build_object('device', sum(observed_s)), %(commit)s
FROM (SELECT (started_at AT TIME ZONE 'UTC')::date AS day, state,
        sum(extract(epoch FROM ended_at - started_at)::float8) AS seconds,
        sum(distance_m) AS distance_m, sum(distance_m) FILTER (WHERE loading = 'laden') AS laden_m,
        sum(distance_m) FILTER (WHERE loading = 'ballast') AS ballast_m, sum(observed_s) AS observed_s
    FROM activity WHERE asset_id = %(asset)s GROUP BY day, state) AS summed
GROUP BY day
"""
_JOURNEYS = """
INSERT INTO journey (journey_id, revision, tenant, asset_id, asset, kind, started_at, ended_at, from_place, to_place, quality,
    coverage, method, commit_no)
SELECT 'voyage-' || turn || '-' || leg, 1, %(tenant)s, %(asset)s, 'imo:9074729', kind, begins, ends, 'AAAAA', 'BBBBB',
    'confirmed', 0.97,    'bench v1', %(commit)s
FROM generate_series(0, %(rounds)s) AS turn
CROSS JOIN (VALUES (0, 0, 172800, 'port_call'), (1, 172800, 518400, 'voyage'), (2, 518400, 691200, 'port_call'),
    (3, 691200, 1036800, 'voyage')) AS part (leg, from_s, to_s, kind)
CROSS JOIN LATERAL (SELECT %(start)s::timestamptz + (turn * 1036800 - 23040 + from_s) * interval '1 s' AS begins,
    %(start)s::timestamptz + (turn * 1036800 - 23040 + to_s) * interval '1 s' AS ends) AS whole
WHERE ends <= %(end)s
"""
_STORY = (
    """INSERT INTO finding (finding_id, revision, tenant, asset_id, asset, rule, rule_version, severity, opened_at, closed_at,
        detected_at, evidence, commit_no)
    SELECT 'fnd_' || n, 1, %(tenant)s, %(asset)s, 'imo:9074729', CASE WHEN n %% 4 = 0 THEN 'gap' ELSE 'position_jump' END, 1,
        'info', at, at + interval '9 h', at + interval '6 h', '{"verdict": "no_coverage"}', %(commit)s
    FROM generate_series(1, 1200) AS n CROSS JOIN LATERAL (SELECT %(start)s::timestamptz + n * interval '3 days' AS at) AS one
    WHERE at < %(end)s""",
    """INSERT INTO alert (alert_id, tenant, asset_id, asset, rule, subject, severity, status, opened_at, updated_at,
        closed_at, revision, evidence, finding_ids, commit_no)
    SELECT md5(finding_id)::uuid, tenant, asset_id, asset, rule, finding_id, 'warning', 'resolved', opened_at, detected_at,
        closed_at, 1, evidence, ARRAY[finding_id], commit_no FROM finding WHERE asset_id = %(asset)s""",
    """INSERT INTO alert_revision (alert_id, revision, tenant, change, actor, after, commit_no)
    SELECT alert_id, 1, tenant, 'opened', 'keelwing', jsonb_build_object('status', status, 'severity', severity), commit_no
    FROM alert""",
    """INSERT INTO maintenance_event (tenant, asset_id, kind, actual, place)
    SELECT %(tenant)s, %(asset)s, CASE WHEN n %% 5 = 0 THEN 'drydock' ELSE 'survey' END,
        tstzrange(at, at + interval '3 days'), 'SGSIN'
    FROM generate_series(1, 20) AS n CROSS JOIN LATERAL (SELECT %(start)s::timestamptz + n * interval '170 days' AS at) AS one
    WHERE at < %(end)s""",
    """INSERT INTO asset_event (tenant, asset_id, kind, basis, at)
    SELECT %(tenant)s, %(asset)s, kind, basis, %(start)s::timestamptz - days * interval '1 day'
    FROM (VALUES ('order_placed', 'reported', 800), ('keel_laid', 'reported', 300), ('completed', 'reported', 20),
        ('manufacturer_delivery', 'contract', 5), ('manufacturer_delivery', 'reported', 2)) AS told (kind, basis, days)""",
)


def raw_use(conn: psycopg.Connection[Any], life: Life) -> list[dict[str, float]]:
    """Distance (m) and seconds by nav status inside each tenure, from the readings themselves."""
    rows = conn.execute(
        """
        SELECT n, sum(abs(next_lon_deg - lon_deg)) * %(metres)s, sum(64) FILTER (WHERE nav_status = 5),
            sum(64) FILTER (WHERE nav_status = 0)
        FROM unnest(%(from)s::timestamptz[], %(to)s::timestamptz[]) WITH ORDINALITY AS tenure (from_time, to_time, n)
        CROSS JOIN LATERAL (
            SELECT lon_deg, nav_status, lead(lon_deg) OVER (ORDER BY time) AS next_lon_deg, time FROM reading_vessel
            WHERE stream_id IN (SELECT stream_id FROM attribution WHERE asset_id = %(asset)s)
                AND time >= from_time AND time <= to_time) AS reading
        WHERE time < to_time GROUP BY n ORDER BY n""",
        {
            "metres": METRES_A_DEGREE, "asset": life.asset, "from": [to_datetime(one) for one, _ in life.tenures],
            "to": [to_datetime(END_US if other is None else other) for _, other in life.tenures],
        },
    ).fetchall()  # fmt: skip
    return [{"distance_m": row[1] or 0.0, "moored": float(row[2] or 0), "under_way": float(row[3] or 0)} for row in rows]


async def _register(url: str, size: Size) -> Life:
    """The ship, her tenures with papers and events, and two keys. Tenures begin and end on whole steps, not on whole days."""
    pool = await open_pool(url, "keelwing_worker", 2)
    try:
        async with pool.connection() as conn:
            await registry.create_tenant(conn, TENANT, "Bench")
            asset = await registry.register_asset(conn, TENANT, "vessel", "Bench Heron", "bulk carrier", [("imo", "9074729")], {})
            await registry.resolve_streams(conn, [(TENANT, "device", "vessel", "imo", "9074729")])
            parties = [await registry.create_party(conn, TENANT, f"Lessee {n}") for n in range(4)]
            length = size.days // TENURES
            tenures: list[tuple[int, int | None]] = []
            for n in range(TENURES):
                start = size.start_us + (n * length * PER_DAY + 100 + 37 * n) * STEP_S * SECOND_US
                end = size.start_us + ((n + 1) * length * PER_DAY - 200) * STEP_S * SECOND_US if n < TENURES - 1 else None
                lease = await registry.create_lease(conn, TENANT, asset, parties[n % 4], "bareboat", start, end)
                term = (start + 2 * DAY_US, (end or END_US) + 200 * DAY_US if end is None else end)
                await conn.execute(
                    "UPDATE lease_contract SET term = tstzrange(%(from)s, %(to)s), promise = tstzrange(%(from)s, %(to)s)"
                    " WHERE lease_id = %(lease)s",
                    {"lease": lease, "from": to_datetime(term[0]), "to": to_datetime(term[1])},
                )
                tenures.append((start, end))
            viewer = await keys.create(conn, TENANT, "viewer")
            lessee = await keys.create(conn, TENANT, "lessee", parties[(TENURES - 1) % 4])
    finally:
        await pool.close()
    return Life(size=size, asset=asset, tenures=tenures, viewer_key=viewer, lessee_key=lessee)


def load(url: str, size: Size) -> Life:
    """Fill a migrated, empty database."""
    life = asyncio.run(_register(url, size))
    with psycopg.connect(url) as conn:
        conn.execute("SET synchronous_commit TO off")
        conn.execute("SET TIME ZONE 'UTC'")
        found = conn.execute("SELECT stream_id, shard FROM attribution JOIN asset USING (asset_id)").fetchone()
        assert found is not None
        stream, shard = found
        commit = 64 + shard
        conn.execute("INSERT INTO commits (commit_no, shard, epoch, n) VALUES (%s, %s, 0, 1)", (commit, shard))
        binds: dict[str, Any] = {
            "tenant": TENANT, "asset": life.asset, "stream": stream, "commit": commit, "start": to_datetime(size.start_us),
            "end": to_datetime(END_US), "speed": SPEED_MPS, "degrees_s": SPEED_MPS / METRES_A_DEGREE,
            "rounds": size.days // 12 + 1,
        }  # fmt: skip
        for first in range(0, size.readings, 500_000):
            conn.execute(_READINGS, {**binds, "first": first, "last": min(first + 500_000, size.readings) - 1})
            conn.commit()
            say(f"{min(first + 500_000, size.readings):,} readings")
        for statement in (_ACTIVITIES, _DAYS, _JOURNEYS, *_STORY):
            conn.execute(statement, binds)
        parts = LATEST_PARTS["vessel"]
        for unit in ("hour", "day"):
            conn.execute(HOURS.format(unit=unit, table="reading_vessel", speed=parts["speed"]))
        conn.execute(LATEST.format(table="reading_vessel", **parts))
        conn.execute("UPDATE shard_owner SET n = 1")
        conn.commit()
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("VACUUM (ANALYZE)")
    return life


def agree(report: Report, life: Life, url: str, port: int) -> None:
    """Hold the API's figures of every tenure beside those of the raw readings; ends the bench where they differ."""
    at = to_rfc3339(END_US)
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/assets/{life.asset}/lifecycle?valid_at={quote(at)}",
        headers={"Authorization": f"Bearer {life.viewer_key}"},
    )
    with urllib.request.urlopen(request) as answer:
        told = msgspec.json.decode(answer.read())
    with psycopg.connect(url) as conn:
        began_s = time.perf_counter()
        raw = raw_use(conn, life)
        raw_ms = (time.perf_counter() - began_s) * 1000
    worst = 0.0
    for period, truth in zip(told["lease_periods"], raw, strict=True):
        use = period["use"]
        pairs = [(use["distance_nm"] * 1852, truth["distance_m"])]
        pairs += [(use["state_h"].get(name, 0.0) * 3600, truth[name]) for name in ("moored", "under_way")]
        worst = max(worst, *(abs(one - other) / max(other, 1.0) for one, other in pairs))
    report.add("largest difference to raw readings", worst, "of the figure", target=Target(of="value", bound=AGREE, at_most=True),
               tenures=len(raw), readings=life.size.readings, raw_ms=round(raw_ms))  # fmt: skip
    if worst > AGREE:
        raise SystemExit(f"figures from days and from readings differ by {worst:g}")


def measure(report: Report, life: Life, url: str, requests: int) -> None:
    """Ask for the life now, at instants drawn by a seed, as a lessee, and as files."""
    with serving(url) as (port, _):
        agree(report, life, url, port)
        raw_ms = report.figures[-1].beside["raw_ms"]
        draw = random.Random(SEED)
        path = f"/v1/assets/{life.asset}/lifecycle"
        span_us = life.size.days * DAY_US

        def then() -> str:
            return f"{path}?valid_at={quote(to_rfc3339(life.size.start_us + draw.randrange(span_us)))}"

        def now() -> str:
            return path

        for name, key, ask in (
            ("lifecycle, now", life.viewer_key, now),
            ("lifecycle, at an instant of ten years", life.viewer_key, then),
            ("lifecycle, a lessee's", life.lessee_key, now),
        ):  # fmt: skip
            client = Client(port, key)
            cold = [client.ask(ask())[0] for _ in range(3)]
            warm = [client.ask(ask()) for _ in range(requests)]
            cuts = statistics.quantiles([took for took, _ in warm], n=100)
            client.close()
            report.add(
                f"{name}, p95", cuts[94], "ms", reference=("raw readings", raw_ms), target=P95, p50_ms=round(cuts[49], 2),
                p99_ms=round(cuts[98], 2), cold_max_ms=round(max(cold), 2), requests=requests,
                body_bytes=round(statistics.mean(size for _, size in warm)),
            )  # fmt: skip


def prepare(postgres: EmbeddedPostgres, directory: Path, size: Size) -> Life:
    """The life in the cluster: what an earlier run loaded, or a new load; migrated."""
    migrate(postgres.url)
    return filled(directory / "life.json", Life, lambda: load(postgres.url, size))


def measure_all(report: Report, *, quick: bool, cache: Path = CACHE, requests: int = REQUESTS) -> None:
    """Load what is not there, start the database anew, ask."""
    size = Size(days=48) if quick else Size()
    with kept_cluster("lifecycle", lambda server, at: prepare(server, at, size), quick=quick, cache=cache) as (postgres, life):
        measure(report, life, postgres.url, 10 if quick else requests)


if __name__ == "__main__":
    run("lifecycle", "How long a life takes to tell.", measure_all, requests=REQUESTS, cache=CACHE)
