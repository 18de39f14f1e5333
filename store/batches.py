"""Everything one commit writes, in few statements and in one order of locks. It knows rows; what they mean is not its matter."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any

import msgspec

from fleet.instants import to_datetime
from store import arrays, checkpoints, counts, dirty, findings, identity_runs, priors, readings, rollups, staging, uses
from store.findings import FindingRevision
from store.pool import Connection
from store.queries import load
from store.rows import ReadingRow, RejectionRow, StaticRow, StatusRow, StepBatch, TrafficRow

SQL = load("batches")
CHANNELS_MAX = 10_000  # sensor names registered; chosen: far above any fleet's, far below what a fuzzing device could invent
TRAFFIC_COLUMNS = {
    "tenant": "text",
    "origin": "text",
    "class": "text",
    "scheme": "text",
    "value": "text",
    "time": staging.INSTANT,
    "lat_deg": "float8",
    "lon_deg": "float8",
    "speed_kn": "float8",
    "kind": "text",
}
UNITS = {
    "t_h": "t/h",
    "kg_h": "kg/h",
    "l_h": "L/h",
    "mm_s": "mm/s",
    "deg_min": "°/min",
    "m3_h": "m³/h",
    "c": "°C",
    "k": "K",
    "pct": "%",
    "kw": "kW",
    "mw": "MW",
    "kn": "kn",
    "kmh": "km/h",
    "rpm": "1/min",
    "hz": "Hz",
    "bar": "bar",
    "psi": "psi",
    "kpa": "kPa",
    "hpa": "hPa",
    "v": "V",
    "a": "A",
    "m": "m",
    "mm": "mm",
    "ft": "ft",
    "km": "km",
    "nm": "nm",
    "deg": "°",
    "g": "g",
    "kg": "kg",
    "t": "t",
    "h": "h",
    "s": "s",
    "l": "L",
    "fpm": "ft/min",
    "knm": "kN·m",
}
"""Ends of sensor names and the units they stand for."""


class Written(msgspec.Struct, frozen=True):
    """What really changed: readings that were not there before, and revisions of findings."""

    readings: list[ReadingRow]
    findings: list[FindingRevision]


async def at_once(work: Coroutine[Any, Any, None]) -> None:
    """Do it and wait until it is done."""
    await work


async def write(
    conn: Connection,
    batch: StepBatch,
    commit_nos: Mapping[int, int],
    *,
    begin: Callable[[Coroutine[Any, Any, None]], Awaitable[None]] = at_once,
) -> Written:
    """Write a batch inside the transaction that `commits.begin` numbered; listeners hear of it when it commits.

    Args:
        conn: of the worker's role.
        batch: everything but alerts and events.
        commit_nos: the commit number of each shard that the batch's rows name.
        begin: what to do with the adding up of readings, whose answer nobody waits for. It may go on while the database is at
            it, and must see to its end before the commit.
    """
    await conn.execute(SQL["tell_commit"])
    inserted = await readings.append(conn, batch.readings, commit_nos)
    await _add_channels(conn, inserted)
    await _add_statics(conn, batch.statics, commit_nos)
    await identity_runs.extend(conn, batch.identity_runs, commit_nos)
    await _add_statuses(conn, batch.statuses, commit_nos)
    await _add_rejections(conn, batch.rejections, commit_nos)
    if inserted:
        await begin(rollups.add(conn, inserted))
    await _raise_traffic(conn, batch.traffic)
    await counts.add(conn, batch.counts)
    revisions = await findings.write(conn, batch.findings, commit_nos)
    await dirty.mark(conn, batch.dirty, commit_nos)
    await checkpoints.write(conn, batch.checkpoints, commit_nos)
    await priors.write(conn, batch.contributions, commit_nos)
    await uses.write(conn, batch.uses, commit_nos)
    await uses.write_tails(conn, batch.use_tails, commit_nos)
    await uses.write_checkpoints(conn, batch.use_checkpoints, commit_nos)
    await uses.mark(conn, batch.use_dirty, commit_nos)
    return Written(inserted, revisions)


def unit_of(channel: str) -> str | None:
    """The unit that the end of a sensor's name says (`fuel_rate_t_h` → `t/h`), None when it says none."""
    words = channel.split("_")
    for length in (2, 1):
        unit = UNITS.get("_".join(words[-length:]))
        if unit is not None and len(words) > length:
            return unit
    return None


async def _add_channels(conn: Connection, rows: Sequence[ReadingRow]) -> None:
    names = sorted({name for row in rows for name in row.reading.channels})
    if names:
        binds = {"name": names, "unit": [unit_of(name) for name in names], "channels_max": CHANNELS_MAX}
        await conn.execute(SQL["add_channels"], binds)


async def _add_statics(conn: Connection, rows: Sequence[StaticRow], commit_nos: Mapping[int, int]) -> None:
    if not rows:
        return
    binds = {
        "stream_id": [row.stream_id for row in rows],
        "time": [to_datetime(row.time_us) for row in rows],
        "source": [row.source for row in rows],
        "particulars": [staging.json(row.particulars) for row in rows],
        "received_at": [to_datetime(row.received_us) for row in rows],
        "commit_no": [commit_nos[row.shard] for row in rows],
    }
    await conn.execute(SQL["add_statics"], binds)


async def _add_statuses(conn: Connection, rows: Sequence[StatusRow], commit_nos: Mapping[int, int]) -> None:
    if not rows:
        return
    binds = {
        "tenant": [row.tenant for row in rows],
        "origin": [row.origin for row in rows],
        "online": [row.online for row in rows],
        "received_at": [to_datetime(row.received_us) for row in rows],
        "commit_no": [commit_nos[row.shard] for row in rows],
    }
    await conn.execute(SQL["add_statuses"], binds)


async def _add_rejections(conn: Connection, rows: Sequence[RejectionRow], commit_nos: Mapping[int, int]) -> None:
    if not rows:
        return
    binds = {
        "tenant": [_printable(row.tenant) for row in rows],
        "topic": [_printable(row.topic) for row in rows],
        "element": [row.element for row in rows],
        "reason": [row.reason for row in rows],
        "detail": [_printable(row.detail) for row in rows],
        "payload": [row.payload for row in rows],
        "received_at": [to_datetime(row.received_us) for row in rows],
        "commit_no": [commit_nos[row.shard] for row in rows],
    }
    await conn.execute(SQL["add_rejections"], binds)


async def _raise_traffic(conn: Connection, rows: Sequence[TrafficRow]) -> None:
    last: dict[tuple[str, ...], TrafficRow] = {}
    for row in rows:
        key = (row.tenant, row.origin, row.asset_class, row.scheme, row.value)
        held = last.get(key)
        if held is None or _traffic_order(row) > _traffic_order(held):
            last[key] = row
    if not last:
        return
    said = [(*key, row.time_us, row.lat_deg, row.lon_deg, row.speed_kn, row.kind) for key, row in last.items()]
    await conn.execute(SQL["raise_traffic"], arrays.columns(TRAFFIC_COLUMNS, said))


def _traffic_order(row: TrafficRow) -> tuple[float, ...]:
    return (row.time_us, row.lat_deg, row.lon_deg, float("-inf") if row.speed_kn is None else row.speed_kn)


def _printable(text: str) -> str:
    """Text of bad input as the table can hold it: without NUL and lone surrogates (the payload keeps the bytes)."""
    return text.replace("\0", "�").encode("utf-8", "replace").decode()
