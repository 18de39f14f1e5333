"""What a reading costs on disk: as rows, and in the columnstore under several settings, on simulated ships and aircraft.

Runs on TimescaleDB's WebAssembly build, for the Apache edition has no columnstore. Bytes are the same there, seconds are not: so
bytes are the figures, and milliseconds stand beside them to be compared with each other. Knows simulators, the tables' columns
and what `store.timescale` chose.
"""

from __future__ import annotations

import hashlib
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, LiteralString, NamedTuple

import msgspec
import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from bench.command import run
from bench.report import Report, say
from keelwing.simulation import write_recording
from simulators.scenario import Cadence, load_scenario
from store import timescale
from store.migrate import migrate
from tests.timescale_wasm.serving import WasmAbsentError, WasmTimescale

START = datetime(2026, 1, 1, tzinfo=UTC)
ROWS_A_STATEMENT = 5000
READS = 5
CLASSES: tuple[LiteralString, ...] = ("vessel", "aircraft")


class Setting(NamedTuple):
    """Of a columnstore: what a segment is, the order in it, and the days of a chunk."""

    segment_by: LiteralString
    order_by: LiteralString
    chunk_days: int = timescale.CHUNK_DAYS

    def __str__(self) -> str:
        return f"by {self.segment_by or 'nothing'}, order {self.order_by}, {self.chunk_days} d"


CHOSEN = Setting(timescale.SEGMENT_BY, timescale.ORDER_BY)
OTHERS = (
    Setting("stream_id", "time, source, seq"),
    Setting("stream_id", "time DESC"),
    Setting("stream_id, source", "time DESC, seq"),
    Setting("", "stream_id, time DESC"),
    Setting("", "time DESC"),
)


class Fleet(NamedTuple):
    """Assets of a cadence: `apart` pretended ones take turns with the readings of each simulated one."""

    name: str
    cadence_s: float
    hours: float
    channels: bool
    counted: bool = False  # whether devices count (`seq`); else a hash stands in
    apart: int = 1
    classes: tuple[LiteralString, ...] = CLASSES
    settings: tuple[Setting, ...] = (CHOSEN, *OTHERS)


FLEETS = (
    Fleet("feed, every 10 s", 10, 48, channels=False),
    Fleet("device with sensors, every 10 s", 10, 48, channels=True, settings=(CHOSEN, OTHERS[1], OTHERS[3])),
    Fleet("device with a counter, every 10 s", 10, 48, channels=False, counted=True, settings=(CHOSEN,), classes=("vessel",)),
    Fleet(
        "feed, every 10 min", 60, 336, channels=False, apart=10, classes=("vessel",),
        settings=(CHOSEN, CHOSEN._replace(chunk_days=7), OTHERS[3], OTHERS[3]._replace(chunk_days=7)),
    ),
)  # fmt: skip


def measure_all(report: Report, *, quick: bool = False) -> None:
    """Measure every fleet under its settings; where the build is not installed, say so and measure nothing."""
    try:
        server = WasmTimescale().start()
    except WasmAbsentError as absent:
        say(str(absent))
        report.quick = True  # nothing was measured: the figures that are there stay
        return
    with closing(server):
        migrate(server.url)
        with psycopg.connect(server.url, autocommit=True) as connection:
            for fleet in FLEETS:
                loaded = _load(connection, fleet, hours=fleet.hours / 24 if quick else fleet.hours)
                for asset_class in fleet.classes:
                    _measure_class(report, connection, fleet, asset_class, loaded[asset_class])


def _measure_class(
    report: Report, connection: psycopg.Connection[Any], fleet: Fleet, asset_class: LiteralString, rows: int
) -> None:
    as_rows: dict[int, tuple[str, float]] = {}
    for setting in fleet.settings:
        with _trial(connection, asset_class, setting) as trial:
            if setting.chunk_days not in as_rows:
                plain = _bytes(connection) / rows
                heap = _bytes(connection, "pg_table_size") / rows
                as_rows[setting.chunk_days] = (f"rows, {setting.chunk_days} d", plain)
                name = f"{asset_class}, {fleet.name}: rows, {setting.chunk_days} d"
                report.add(name, plain, "B/reading", readings=rows, index_bytes_a_reading=plain - heap)
            before_ms = _read_ms(connection)
            _compress(connection, trial, setting)
            report.add(
                f"{asset_class}, {fleet.name}: {setting}", _bytes(connection) / rows, "B/reading",
                reference=as_rows[setting.chunk_days], chosen=setting == CHOSEN,
                day_of_one_asset_ms=_read_ms(connection), day_of_one_asset_as_rows_ms=before_ms,
            )  # fmt: skip


def _load(connection: psycopg.Connection[Any], fleet: Fleet, hours: float) -> dict[str, int]:
    """Simulate and store as rows, in `source_CLASS`; how many of each class."""
    for asset_class in CLASSES:
        table = sql.Identifier(f"source_{asset_class}")
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(table))
        connection.execute(sql.SQL("CREATE TABLE {} (LIKE {})").format(table, sql.Identifier(f"reading_{asset_class}")))
    counts = dict.fromkeys(CLASSES, 0)
    batches: dict[str, list[dict[str, Any]]] = {asset_class: [] for asset_class in CLASSES}
    for row in _readings(fleet, hours):
        asset_class = row.pop("class")
        batches[asset_class].append(row)
        counts[asset_class] += 1
        if len(batches[asset_class]) >= ROWS_A_STATEMENT:
            _write(connection, asset_class, batches[asset_class])
            batches[asset_class] = []
    for asset_class, rest in batches.items():
        _write(connection, asset_class, rest)
    say(f"{fleet.name}: " + ", ".join(f"{count:,} readings of {name}" for name, count in counts.items()))
    return counts


def _readings(fleet: Fleet, hours: float) -> Iterator[dict[str, Any]]:
    scenario = load_scenario("clean")
    cadence = Cadence(vessel_s=fleet.cadence_s, aircraft_s=fleet.cadence_s)
    scenario = msgspec.structs.replace(scenario, cadence=cadence)
    streams: dict[tuple[str, str], int] = {}
    said: dict[tuple[str, str], int] = {}
    with tempfile.TemporaryDirectory(prefix="keelwing-bench-") as directory:
        path = Path(directory) / "recording.ndjson"
        write_recording(scenario, seed=7, start=START, hours=hours, path=path, labels=None)
        with path.open("rb") as lines:
            for line in lines:
                element = msgspec.json.decode(line)
                if element["stream"] != "telemetry":
                    continue
                key = (element["class"], element["value"])
                number = said[key] = said.get(key, -1) + 1
                stream = streams.setdefault(key, len(streams))
                digest = int.from_bytes(hashlib.blake2b(line, digest_size=8).digest()) >> 1
                yield element | {
                    "stream_id": stream * fleet.apart + number % fleet.apart,
                    "source": "device",
                    "seq": number if fleet.counted else digest,
                    "seq_given": fleet.counted,
                    "received_at": element["time"][:-2] + f"{digest % 1000:03d}Z",
                    "channels": element.get("channels") if fleet.channels else None,
                    "commit_no": 64 * (number // 100) + stream % 64,
                }


def _write(connection: psycopg.Connection[Any], asset_class: str, rows: list[dict[str, Any]]) -> None:
    statement = "INSERT INTO {table} SELECT * FROM jsonb_populate_recordset(NULL::{table}, %s)"
    connection.execute(sql.SQL(statement).format(table=sql.Identifier(f"source_{asset_class}")), (Jsonb(rows),))


@contextmanager
def _trial(connection: psycopg.Connection[Any], asset_class: LiteralString, setting: Setting) -> Iterator[sql.Identifier]:
    """A hypertable like the class's, filled in the order of commits; gone afterwards."""
    trial = sql.Identifier("trial")
    like = sql.Identifier(f"reading_{asset_class}")
    connection.execute(sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING INDEXES INCLUDING DEFAULTS)").format(trial, like))
    connection.execute(
        "SELECT create_hypertable('trial', by_range('time', %s * interval '1 day'), create_default_indexes => false)",
        (setting.chunk_days,),
    )
    source = sql.Identifier(f"source_{asset_class}")
    connection.execute(sql.SQL("INSERT INTO {} SELECT * FROM {} ORDER BY commit_no / 64, time").format(trial, source))
    try:
        yield trial
    finally:
        connection.execute(sql.SQL("DROP TABLE {}").format(trial))


def _compress(connection: psycopg.Connection[Any], trial: sql.Identifier, setting: Setting) -> None:
    alter = "ALTER TABLE {} SET (timescaledb.enable_columnstore, timescaledb.segmentby = {}, timescaledb.orderby = {})"
    connection.execute(sql.SQL(alter).format(trial, sql.Literal(setting.segment_by), sql.Literal(setting.order_by)))
    connection.execute("SELECT compress_chunk(chunk) FROM show_chunks('trial') AS chunk")


def _bytes(connection: psycopg.Connection[Any], size: LiteralString = "pg_total_relation_size") -> int:
    """Of all chunks, those of the columnstore among them, with TOAST, and with indexes unless `size` leaves them out."""
    row = connection.execute(
        "SELECT sum(" + size + "(format('%I.%I', chunk.schema_name, chunk.table_name)::regclass))::bigint"
        " FROM _timescaledb_catalog.hypertable JOIN _timescaledb_catalog.chunk"
        " ON chunk.hypertable_id IN (hypertable.id, hypertable.compressed_hypertable_id)"
        " WHERE hypertable.table_name = 'trial' AND NOT chunk.dropped"
    ).fetchone()
    assert row is not None
    return int(row[0])


def _read_ms(connection: psycopg.Connection[Any]) -> float:
    """Milliseconds to read a day of one asset, the median of some."""
    taken = []
    for _ in range(READS):
        began_s = time.perf_counter()
        connection.execute(
            "SELECT time, lat_deg, lon_deg FROM trial WHERE stream_id = (SELECT min(stream_id) FROM trial)"
            " AND time >= '2026-01-01Z' AND time < '2026-01-02Z' ORDER BY time"
        ).fetchall()
        taken.append((time.perf_counter() - began_s) * 1000)
    return round(statistics.median(taken), 1)


if __name__ == "__main__":
    run("columnstore", __doc__, measure_all)
