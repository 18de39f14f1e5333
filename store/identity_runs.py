"""What the air said of who assets are, gathered: stretches of a stream's static reports that say the same.

A sum of the log like the rollups: a stream's reports come in order of time, so a stretch is extended or a new one begun, and what
was said over years is a handful of rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from fleet.instants import to_datetime
from fleet.reading import StaticReport
from store import staging
from store.pool import Connection
from store.queries import load
from store.rows import IdentityRunRow, StaticRow

SQL = load("identity_runs")
IDENTITY_FIELDS = ("name", "call_sign", "flag", "imo", "mmsi", "registration", "icao24")
RUNS_MAX = 700  # of one asset; chosen: beyond that somebody plays with a transmitter


def identity_of(particulars: Mapping[str, Any]) -> dict[str, Any]:
    """Of a static report what says who the asset is."""
    return {name: particulars[name] for name in IDENTITY_FIELDS if name in particulars}


def extended(last: Mapping[int, IdentityRunRow], reports: Iterable[StaticRow]) -> list[IdentityRunRow]:
    """The stretches that new reports extend or begin, each in its form after all of them.

    Args:
        last: the newest stretch of each stream that has one.
        reports: new ones; each stream's are newer than its stretch.
    """
    current = dict(last)
    changed: dict[tuple[int, int], IdentityRunRow] = {}
    for report in sorted(reports, key=lambda row: (row.stream_id, row.time_us)):
        held, identity = current.get(report.stream_id), identity_of(report.particulars)
        is_new = held is None or held.identity != identity
        first_us = report.time_us if held is None or is_new else held.first_us
        second_us = None if held is None or is_new else (held.second_us or report.time_us)
        run = IdentityRunRow(
            stream_id=report.stream_id,
            shard=report.shard,
            first_us=first_us,
            second_us=second_us,
            last_us=report.time_us,
            source=report.source if held is None or is_new else held.source,
            identity=identity,
        )
        current[report.stream_id] = changed[report.stream_id, first_us] = run
    return list(changed.values())


async def last(conn: Connection, stream_ids: Collection[int]) -> dict[int, IdentityRunRow]:
    """The newest stretch of each stream; a stream without one is left out."""
    cursor = await conn.execute(SQL["last"], {"stream_ids": list(stream_ids)})
    return {
        row["stream_id"]: IdentityRunRow(
            stream_id=row["stream_id"],
            shard=0,
            first_us=row["first_time"],
            second_us=row["second_time"],
            last_us=row["last_time"],
            source=row["source"],
            identity=row["identity"],
        )
        for row in await cursor.fetchall()
    }


async def extend(conn: Connection, rows: Sequence[IdentityRunRow], commit_nos: Mapping[int, int]) -> None:
    """Write stretches in their new form."""
    if not rows:
        return
    binds = {
        "stream_id": [row.stream_id for row in rows],
        "first": [to_datetime(row.first_us) for row in rows],
        "second": [None if row.second_us is None else to_datetime(row.second_us) for row in rows],
        "last": [to_datetime(row.last_us) for row in rows],
        "source": [row.source for row in rows],
        "identity": [staging.json(row.identity) for row in rows],
        "commit_no": [commit_nos[row.shard] for row in rows],
    }
    await conn.execute(SQL["extend"], binds)


async def reports_of(conn: Connection, asset_ids: Collection[str]) -> dict[str, list[StaticReport]]:
    """What was said of each asset, in order of time: of each stretch the first, the second and the last report.

    At most `RUNS_MAX` stretches of an asset, the newest; an asset of which nothing was said is left out.
    """
    cursor = await conn.execute(SQL["of_assets"], {"asset_ids": list(asset_ids), "runs_max": RUNS_MAX})
    found: dict[str, list[StaticReport]] = {}
    for row in await cursor.fetchall():
        times = (row["first_time"], row["second_time"], row["last_time"])
        found.setdefault(row["asset_id"], []).extend(
            reports_in(row["class"], row["scheme"], row["value"], row["source"], row["identity"], times)
        )
    return {asset_id: sorted(reports, key=lambda one: one.time_us) for asset_id, reports in found.items()}


def reports_in(
    asset_class: str, scheme: str, value: str, source: str, identity: dict[str, Any], times: Iterable[int | None]
) -> list[StaticReport]:
    """The reports that a stretch stands for, one for each of its instants."""
    return [
        StaticReport(
            asset_class=asset_class, scheme=scheme, value=value, time_us=time_us, source=source, particulars=identity
        )
        for time_us in sorted({time_us for time_us in times if time_us is not None})
    ]  # fmt: skip
