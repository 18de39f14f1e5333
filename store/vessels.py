"""What a ship's carbon, fuel and hull are judged from: particulars, masters' reports and charters. It writes nothing.

Rows come as dictionaries named as the columns are, instants in microseconds UTC. `known_us` asks what was known then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import msgspec

from fleet import carbon, cii, noon_report
from fleet.carbon import CarbonShip
from fleet.instants import DAY_US, from_datetime, to_datetime
from fleet.noon_report import NoonReport
from fleet.practice import Practice
from fleet.use import Activity, UseDay, used
from store import uses
from store.moments import moment
from store.pool import Connection
from store.queries import load

SQL = load("vessels")
REPORTS_MAX = 100_000  # chosen: five years of noon reports of fifty ships
CHARTERS_MAX = 10_000
Row = dict[str, Any]


async def vessels(
    conn: Connection, asset_ids: Sequence[str] | None, known_us: int | None, *, after: str | None = None, limit: int = 1
) -> list[Row]:  # fmt: skip
    """Ships in order of id: `asset_id`, `name`, `type`, `particulars`; the ones named, or all of the scope."""
    binds = {
        "assets": None if asset_ids is None else list(asset_ids), "known": moment(known_us), "after": after, "limit": limit
    }  # fmt: skip
    return await _rows(conn, "vessels", binds)


async def reports(
    conn: Connection, asset_ids: Sequence[str], from_us: int, to_us: int, known_us: int | None
) -> dict[str, list[NoonReport]]:  # fmt: skip
    """Masters' reports that meet [from, to), by asset id, a correction after what it corrects.

    What is stored and cannot be read as a report (written by another version) is left out: it speaks for no time.
    """
    binds = {
        "assets": list(asset_ids), "from": moment(from_us), "to": moment(to_us), "known": moment(known_us),
        "limit": REPORTS_MAX,
    }  # fmt: skip
    return _read(await _rows(conn, "reports", binds))


async def reports_in(
    conn: Connection, stretches: Sequence[tuple[str, int, int]], known_us: int | None
) -> dict[str, list[NoonReport]]:  # fmt: skip
    """As `reports`, for stretches of time of each ship: (asset id, from, to)."""
    binds = {
        "assets": [asset_id for asset_id, _, _ in stretches], "from": [to_datetime(at) for _, at, _ in stretches],
        "to": [to_datetime(at) for _, _, at in stretches], "known": moment(known_us), "limit": REPORTS_MAX,
    }  # fmt: skip
    return _read(await _rows(conn, "reports_in", binds)) if stretches else {}


def _read(rows: Iterable[Row]) -> dict[str, list[NoonReport]]:
    found: dict[str, list[NoonReport]] = {}
    for row in rows:
        said = noon_report.read(document_of(row))
        if isinstance(said, NoonReport):
            found.setdefault(str(row["asset_id"]), []).append(said)
    return found


def document_of(row: Row) -> dict[str, Any]:
    """A stored report as the JSON object it was given as: its figures with the kind and the UTC span of its row."""
    return {
        **row["figures"], "report_type": row["kind"], "utc_from": to_datetime(row["from_time"]),
        "utc_to": to_datetime(row["to_time"]),
    }  # fmt: skip


async def charters(
    conn: Connection, from_us: int, to_us: int, known_us: int | None, *, asset_ids: Sequence[str] | None = None,
    lease_id: str | None = None, lessee: str | None = None, heads: bool = False,
) -> list[Row]:  # fmt: skip
    """Tenures that meet [from, to), in order of asset and begin, with their paper's `terms` (as JSON) and the lessee's name."""
    binds = {
        "assets": None if asset_ids is None else list(asset_ids), "lease": lease_id, "lessee": lessee, "heads": heads,
        "from": moment(from_us), "to": moment(to_us), "known": moment(known_us), "limit": CHARTERS_MAX,
    }  # fmt: skip
    return await _rows(conn, "charters", binds)


class CarbonFacts(msgspec.Struct, frozen=True):
    """What the carbon of one ship is computed from: see `fleet.carbon.window`."""

    ship: CarbonShip
    reports: list[NoonReport]
    using: carbon.Using


async def carbon_facts(
    conn: Connection, ships: Sequence[Row], from_us: int, to_us: int, known_us: int | None, cuts_us: Mapping[str, Iterable[int]]
) -> dict[str, CarbonFacts]:  # fmt: skip
    """Facts of ships (rows of `vessels`) over [from, to), by asset id: three set queries for the lot.

    `cuts_us` holds, by asset id, the instants inside at which windows will begin or end; where reports leave gaps is found here.
    """
    ids = [str(row["asset_id"]) for row in ships]
    told = await reports(conn, ids, from_us, to_us, known_us)
    start, end = to_datetime(from_us), to_datetime(to_us)
    cuts: set[tuple[str, date]] = set()
    for asset_id in ids:
        complete = [report for report in told.get(asset_id, ()) if noon_report.is_complete(report)]
        edges = [from_datetime(at) for gap in noon_report.gaps(complete, start, end) for at in gap]
        cuts |= {(asset_id, to_datetime(at).date()) for at in (*edges, *cuts_us.get(asset_id, ())) if at % DAY_US}
    using = await _uses(conn, ids, from_us, to_us, known_us, sorted(cuts))
    return {
        str(row["asset_id"]): CarbonFacts(
            carbon.ship_of(row["type"], row["particulars"]), told.get(str(row["asset_id"]), []), using[str(row["asset_id"])]
        )
        for row in ships
    }


async def outlooks(
    conn: Connection, ships: Sequence[Row], at_us: int, known_us: int | None, practice: Practice = carbon.HOUSE
) -> dict[str, carbon.Outlook | str]:  # fmt: skip
    """Where the calendar year of an instant ends for ships (rows of `vessels`), or why that cannot be said, by asset id.

    Computed beside the event loop: a ship with a year of reports takes 10 ms.
    """
    begin_us = from_datetime(datetime(to_datetime(at_us - 1).year, 1, 1, tzinfo=UTC))
    lately = [at_us - n * carbon.PART_US for n in range(cii.PROJECTION_PARTS + 1)]
    cuts = {str(row["asset_id"]): lately for row in ships}
    facts = await carbon_facts(conn, ships, min(begin_us, lately[-1]), at_us, known_us, cuts)

    def computed() -> dict[str, carbon.Outlook | str]:
        return {
            asset_id: carbon.outlook(each.ship, each.reports, each.using, at_us, practice) for asset_id, each in facts.items()
        }

    return await asyncio.to_thread(computed)


async def out_of_dock(conn: Connection, asset_ids: Sequence[str], at_us: int, known_us: int | None) -> dict[str, int]:
    """When ships were last out of dock before an instant, as maintenance says, by asset id; who is missing has no such record."""
    rows = await _rows(conn, "dockings", {"assets": list(asset_ids), "at": to_datetime(at_us), "known": moment(known_us)})
    return {str(row["asset_id"]): row["out_at"] for row in rows}


async def _uses(
    conn: Connection, asset_ids: Sequence[str], from_us: int, to_us: int, known_us: int | None, cuts: Sequence[tuple[str, date]]
) -> dict[str, carbon.Using]:  # fmt: skip
    """The use of assets in any part of [from, to) whose ends are among the cuts."""
    binds = {
        "assets": list(asset_ids), "from_day": to_datetime(from_us).date(), "to_day": to_datetime(to_us + DAY_US - 1).date(),
        "known": moment(known_us), "cut_assets": [asset for asset, _ in cuts], "cut_days": [day for _, day in cuts],
    }  # fmt: skip
    days: dict[str, list[UseDay]] = {}
    for row in await _rows(conn, "use_days", binds):
        days.setdefault(str(row["asset_id"]), []).append(uses.day_of(row))
    edges: dict[str, list[Activity]] = {}
    for row in await _rows(conn, "use_edges", binds) if cuts else ():
        edges.setdefault(str(row["asset_id"]), []).append(uses.activity_of(row))

    def of(asset_id: str) -> carbon.Using:
        whole, cut = days.get(asset_id, []), edges.get(asset_id, [])
        return lambda begin_us, end_us: used(whole, cut, begin_us, end_us)

    return {asset_id: of(asset_id) for asset_id in asset_ids}


async def _rows(conn: Connection, query: str, binds: dict[str, Any]) -> list[Row]:
    # Never a prepared statement: "NULL means no filter" is folded away only when the planner sees the values.
    return await (await conn.execute(SQL[query], binds, prepare=False)).fetchall()
