"""The API with twenty million stored readings behind it: how long each question takes over HTTP, beside the same from raw rows.

    python -m bench.api [--quick] [--requests N] [--cache DIR]

The cluster is made once and kept in the cache directory. `keelwing serve` runs on it as a process of its own; one client asks
over one kept connection, assets and periods at random by a seed. Cold is the first five requests of a kind after database and
API were started (the operating system's own cache stays as it is); the percentiles are of the warm ones after them. References
of the same run: `healthz` over the same connection (what HTTP alone costs), and the same answer computed from raw rows by plain
SQL as the tables' owner.
"""

from __future__ import annotations

import asyncio
import http.client
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import psycopg

from bench.api_fleet import TENANT, Fleet, Size, load
from bench.command import run
from bench.kept import CACHE, filled, kept_cluster
from bench.report import Report, Target, say
from fleet.instants import DAY_US, to_datetime, to_rfc3339
from keelwing.embedded.postgres import EmbeddedPostgres
from store import spreads
from store.migrate import migrate
from store.pool import open_pool

QUICK = Size(assets=12, readings=1500, days=40, findings=300, alerts=200)
REQUESTS = 300  # warm ones of each kind
P95 = Target(of="value", bound=50.0, at_most=True)
COLD = 5  # requests of each kind that count as cold
REFERENCES = 7  # times each raw answer is computed; the slowest takes seconds
SEED = 7
FIELDS = {"vessel": "sog_kn,draught_m,me_exhaust_temp_c", "aircraft": "gs_kn,alt_baro_ft,egt_c"}
SHARED_FIELDS = {"vessel": "sog_kn,cog_deg", "aircraft": "gs_kn,alt_baro_ft"}
Draw = tuple[str, dict[str, Any]]


class Question(msgspec.Struct, frozen=True):
    """One kind of request: its name, whose key, its path for a draw, the raw statement that gives the same, its target."""

    name: str
    key: str
    path: Callable[[Draw], str]
    raw: str
    target: Target | None = None


class Draws:
    """Assets and periods at random, the same for every run."""

    def __init__(self, fleet: Fleet, assets: list[str], days: int) -> None:
        self._fleet, self._assets, self._days = fleet, assets, min(days, fleet.size.days)
        self._vessels = set(fleet.vessels)
        self._random = random.Random(SEED)

    def __next__(self) -> Draw:
        """(class, {asset, from and to in microseconds}); the period lies anywhere in the year, not on whole hours."""
        size = self._fleet.size
        asset = self._random.choice(self._assets)
        free_us = max(1, size.readings * size.step_us - self._days * DAY_US)
        from_us = size.start_us + self._random.randrange(free_us) // 1_000_000 * 1_000_000
        kind = "vessel" if asset in self._vessels else "aircraft"
        return kind, {"asset": asset, "from": from_us, "to": from_us + self._days * DAY_US, "tenant": TENANT}


_STREAMS = "r.stream_id IN (SELECT stream_id FROM attribution WHERE asset_id = %(asset)s)"
_PERIOD = "r.time >= %(from)s AND r.time < %(to)s"
RAW = {
    "state": "SELECT last.* FROM attribution CROSS JOIN LATERAL (SELECT * FROM {table} AS r"
    " WHERE r.stream_id = attribution.stream_id ORDER BY r.time DESC LIMIT 1) AS last WHERE asset_id = %(asset)s",
    "track": f"SELECT * FROM (SELECT time, lon_deg, lat_deg, row_number() OVER (ORDER BY time) AS n, count(*) OVER () AS total"
    f" FROM {{table}} AS r WHERE {_STREAMS} AND {_PERIOD} AND lat_deg IS NOT NULL) AS fix"
    " WHERE n %% greatest(1, total / 500) = 0",
    "telemetry": f"SELECT date_bin('1 hour', time, '1970-01-01T00:00:00Z') AS at, {{spread}} FROM {{table}} AS r"
    f" WHERE {_STREAMS} AND {_PERIOD} GROUP BY at ORDER BY at",
    "alerts": "SELECT * FROM alert WHERE tenant = %(tenant)s ORDER BY opened_at DESC, alert_id DESC LIMIT 100",
    "findings": "SELECT * FROM finding WHERE tenant = %(tenant)s AND superseded_by IS NULL ORDER BY detected_at LIMIT 100",
    "assets": "SELECT * FROM asset WHERE tenant = %(tenant)s ORDER BY asset_id LIMIT 100",
}


def questions() -> list[tuple[Question, int]]:
    """Every kind of request, with the days its period has."""

    def of_asset(what: str, **query: str) -> Callable[[Draw], str]:
        def path(draw: Draw) -> str:
            bounds = {} if what == "state" else {name: to_rfc3339(draw[1][name]) for name in ("from", "to")}
            given = {
                name: each.format(**FIELDS, shared=SHARED_FIELDS[draw[0]], own=FIELDS[draw[0]]) for name, each in query.items()
            }
            return f"/v1/assets/{draw[1]['asset']}/{what}?{urlencode({**bounds, **given})}"

        return path

    month = {"bucket": "PT1H", "limit": "1000"}
    shared = of_asset("telemetry", fields="{shared}", **month)
    return [
        (Question("state", "viewer", of_asset("state"), "state", P95), 1),
        (Question("track, a year, 500 points", "viewer", of_asset("track", max_points="500"), "track", P95), 365),
        (Question("track, a month, 500 points", "viewer", of_asset("track", max_points="500"), "track"), 30),
        (Question("telemetry, a month by hour", "viewer", of_asset("telemetry", fields="{own}", **month), "telemetry", P95), 30),
        (Question("alerts, first page", "viewer", lambda _: "/v1/alerts", "alerts", P95), 1),
        (Question("alerts, open ones", "viewer", lambda _: "/v1/alerts?status=open,acknowledged", "alerts", P95), 1),
        (Question("alerts, of one asset", "viewer", lambda draw: f"/v1/alerts?asset_id={draw[1]['asset']}", "alerts", P95), 1),
        (Question("findings, a month of warnings", "viewer", _findings, "findings"), 30),
        (Question("assets, first page", "viewer", lambda _: "/v1/assets", "assets"), 1),
        (Question("assets in a box", "viewer", lambda _: "/v1/assets?bbox=-30,35,0,50", "assets"), 1),
        (Question("states of all", "viewer", lambda _: "/v1/states", "assets"), 1),
        (Question("lessee: state", "lessee", of_asset("state"), "state"), 1),
        (Question("lessee: track, a year, 500 points", "lessee", of_asset("track", max_points="500"), "track"), 365),
        (Question("lessee: telemetry, a month by hour", "lessee", shared, "telemetry"), 30),
        (Question("lessee: assets", "lessee", lambda _: "/v1/assets", "assets"), 1),
    ]  # fmt: skip


def _findings(draw: Draw) -> str:
    bounds = {name: to_rfc3339(draw[1][name]) for name in ("from", "to")}
    return "/v1/findings?" + urlencode({**bounds, "severity": "warning,critical"})


def close_all(url: str) -> int:
    """Close every hour that is over, as the worker does between its batches; returns how many."""

    async def run() -> int:
        pool = await open_pool(url, "keelwing_worker", 2)
        closed = 0
        try:
            while True:
                async with pool.connection() as conn:
                    done = await spreads.close_hours(conn, quiet_s=0.0)
                if not done:
                    return closed
                closed += done
                if closed % 50_000 < done:
                    say(f"{closed:,} hours closed")
        finally:
            await pool.close()

    return asyncio.run(run())


def prepare(postgres: EmbeddedPostgres, directory: Path, size: Size) -> Fleet:
    """The fleet in the cluster: what an earlier run loaded, or a new load; migrated and with every hour closed."""

    def loaded() -> Fleet:
        began_s = time.monotonic()
        fleet = load(postgres.url, size, say)
        say(f"{size.assets * size.readings:,} readings loaded in {time.monotonic() - began_s:.0f} s")
        return fleet

    migrate(postgres.url)
    fleet = filled(directory / "fleet.json", Fleet, loaded)
    began_s = time.monotonic()
    if closed := close_all(postgres.url):
        with psycopg.connect(postgres.url, autocommit=True) as conn:
            conn.execute("VACUUM (ANALYZE) reading_hour_spread, hour_pending")
        say(f"{closed:,} hours closed in {time.monotonic() - began_s:.0f} s")
    return fleet


@contextmanager
def serving(url: str) -> Iterator[tuple[int, int]]:
    """`keelwing serve` on a free port: (port, process id)."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="keelwing-bench-") as data_directory:
        environment = {**os.environ, "KEELWING_DATABASE_URL": url, "KEELWING_HTTP_PORT": str(port),
                       "KEELWING_DATA_DIR": data_directory, "KEELWING_LOG_LEVEL": "warning"}  # fmt: skip
        process = subprocess.Popen([sys.executable, "-c", "from keelwing.cli import main; main()", "serve"], env=environment)
        try:
            _await_ready(port, process)
            yield port, process.pid
        finally:
            process.terminate()
            process.wait(15)


def _await_ready(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline_s = time.monotonic() + 60
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        finally:
            connection.close()
        if process.poll() is not None or time.monotonic() > deadline_s:
            raise SystemExit("keelwing serve did not become ready")
        time.sleep(0.05)


class Client:
    """One kept connection with a key; `ask` gives milliseconds and bytes."""

    def __init__(self, port: int, key: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"Authorization": f"Bearer {key}"}

    def close(self) -> None:
        """Hang up; the next request connects again. The server lets go of a line that was silent for 20 s."""
        self._connection.close()

    def ask(self, path: str) -> tuple[float, int]:
        """One request; anything but 200 ends the bench."""
        began_s = time.perf_counter()
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        body = answer.read()
        took_ms = (time.perf_counter() - began_s) * 1000
        if answer.status != 200:
            raise SystemExit(f"{answer.status} for {path}: {body[:300]!r}")
        return took_ms, len(body)


def cpu_s(pid: int, postmaster: int) -> float:
    """CPU seconds of the API's process and of the database's, user and system."""
    total = 0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            words = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(entry.name) in {pid, postmaster} or int(words[1]) == postmaster:
            total += int(words[11]) + int(words[12])
    return total / os.sysconf("SC_CLK_TCK")


def raw_ms(conn: psycopg.Connection[Any], question: Question, draws: Draws, times: int) -> float:
    """Median milliseconds of the plain statement, asked over a connection of the owner's."""
    taken = []
    for _ in range(times):
        kind, bounds = next(draws)
        speed, channel = ("sog_kn", "me_exhaust_temp_c") if kind == "vessel" else ("gs_kn", "egt_c")
        third = "draught_m" if kind == "vessel" else "alt_baro_ft"
        values = (speed, third, f"(channels ->> '{channel}')::float8")
        spread = ", ".join(f"count({each}), min({each}), avg({each}), max({each})" for each in values)
        statement = RAW[question.raw].format(table=f"reading_{kind}", spread=spread)
        binds = {**bounds, "from": to_datetime(bounds["from"]), "to": to_datetime(bounds["to"])}
        began_s = time.perf_counter()
        conn.execute(statement, binds, prepare=False).fetchall()
        taken.append((time.perf_counter() - began_s) * 1000)
    return statistics.median(taken)


def measure(report: Report, fleet: Fleet, url: str, postmaster: int, requests: int) -> None:
    """Ask everything, cold and warm, and put a figure for each kind into the report."""
    quantile = statistics.quantiles
    with serving(url) as (port, pid), psycopg.connect(url) as conn:
        clients = {"viewer": Client(port, fleet.viewer_key), "lessee": Client(port, fleet.lessee_key)}
        conn.execute("SET jit TO off")
        health = [clients["viewer"].ask("/healthz")[0] for _ in range(requests)]
        cuts = quantile(health, n=100)
        report.add("healthz, p95", cuts[94], "ms", p50_ms=round(cuts[49], 2))
        for question, days in questions():
            assets = fleet.leased if question.key == "lessee" else [*fleet.vessels, *fleet.aircraft]
            draws = Draws(fleet, assets, days)
            client = clients[question.key]
            client.close()  # it was silent while the last reference was measured
            cold = [client.ask(question.path(next(draws)))[0] for _ in range(COLD)]
            before_s = cpu_s(pid, postmaster)
            warm = [client.ask(question.path(next(draws))) for _ in range(requests)]
            cpu_ms = (cpu_s(pid, postmaster) - before_s) * 1000 / requests
            at = quantile([took_ms for took_ms, _ in warm], n=100)
            raw = raw_ms(conn, question, Draws(fleet, assets, days), min(REFERENCES, requests))
            report.add(
                f"{question.name}, p95", at[94], "ms", reference=("raw rows", raw), target=question.target,
                p50_ms=round(at[49], 2), p99_ms=round(at[98], 2), cold_max_ms=round(max(cold), 2), cpu_ms=round(cpu_ms, 2),
                requests=requests, body_bytes=round(statistics.mean(size for _, size in warm)),
                times_healthz=round(at[94] / cuts[94], 1),
            )  # fmt: skip
        for client in clients.values():
            client.close()


def measure_all(report: Report, *, quick: bool, cache: Path = CACHE, requests: int = REQUESTS) -> None:
    """Load what is not there, start the database anew, ask everything."""
    size = QUICK if quick else Size()
    with kept_cluster("full", lambda server, at: prepare(server, at, size), quick=quick, cache=cache) as (postgres, fleet):
        measure(report, fleet, postgres.url, postgres.pid or 0, 20 if quick else requests)


if __name__ == "__main__":
    run("api", "How long the API takes.", measure_all, requests=REQUESTS, cache=CACHE)
