"""The life of one asset, read whole: tenures, papers, milestones, maintenance, names, silences, alerts, and use inside spans.

One function a question and one set query each, inside a scope (`store.pool.scope`); how much there is of anything is bounded.
Rows come as in `store.reads`. `at_us` is the instant that the life is told up to, `known_us` what was known of it then (None:
now).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from psycopg import sql

from fleet.flight import Attribution
from fleet.instants import DAY_US, to_datetime
from store.pool import Connection
from store.queries import load

SQL = load("lifecycle")
Row = dict[str, Any]

# Chosen: above what forty years of one asset bring together; the newest gaps and alerts stand for the rest.
LEASES_MAX, EVENTS_MAX, NAMES_MAX, GAPS_MAX, ALERTS_MAX = 400, 2000, 400, 200, 200
FLIGHT_US_MAX = 2 * DAY_US  # a flight that crosses the beginning of a span began no longer before it; chosen, twice the longest


class Told(NamedTuple):
    """Which life, told up to when, as known when."""

    asset_id: str
    at_us: int
    known_us: int | None = None


class UseSpan(NamedTuple):
    """A half-open stretch whose use is asked for, and how flights over its edges count: `landing`, `takeoff` or `split`.

    `attribution` is that of its end; `begins` that of its begin, where it is another.
    """

    from_us: int
    to_us: int
    attribution: Attribution
    begins: Attribution | None = None


class Sought(NamedTuple):
    """A `departure` or `arrival` to look for near an instant."""

    movement: str
    near_us: int


async def tenures(conn: Connection, told: Told) -> list[Row]:
    """Who had the asset when: head leases and subleases that began by then, earliest first."""
    return await _rows(conn, "tenures", told, limit=LEASES_MAX)


async def contracts(conn: Connection, told: Told) -> list[Row]:
    """What the asset's papers promise, signed or not; a lessee sees none."""
    return await _rows(conn, "contracts", told, limit=LEASES_MAX)


async def events(conn: Connection, told: Told) -> list[Row]:
    """Milestones of the asset and its leases with their basis, earliest first; what a contract promises may lie ahead."""
    return await _rows(conn, "events", told, limit=EVENTS_MAX)


async def maintenance(conn: Connection, told: Told) -> list[Row]:
    """Checks, shop visits, dry-dockings and surveys, planned and done, earliest first."""
    return await _rows(conn, "maintenance", told, limit=EVENTS_MAX)


async def identifiers(conn: Connection, told: Told) -> list[Row]:
    """Names, flags and numbers that the asset bore by then."""
    return await _rows(conn, "identifiers", told, limit=NAMES_MAX)


async def gaps(conn: Connection, told: Told) -> list[Row]:
    """Silences, the latest first, in the revision known then."""
    return await _rows(conn, "gaps", told, limit=GAPS_MAX)


async def alerts(conn: Connection, told: Told) -> list[Row]:
    """Alerts, the latest opened first, as they stood when known."""
    return await _rows(conn, "alerts", told, limit=ALERTS_MAX)


async def movements_near(conn: Connection, told: Told, sought: Sequence[Sought], within_d: float) -> list[Row]:
    """The journey's end nearest to each instant: rows of `n` (1 is the first sought), `at`, `place`, `method`, `recorded_at`.

    Nothing is given for an instant without a movement within `within_d` days of it.
    """
    if not sought:
        return []
    return await _rows(
        conn, "movements_near", told, instants=[to_datetime(each.near_us) for each in sought],
        movements=[each.movement for each in sought], within=timedelta(days=within_d),
    )  # fmt: skip


async def use_of(conn: Connection, told: Told, spans: Sequence[UseSpan]) -> list[Row]:
    """Use inside each span, in their order.

    Each row holds `period_s`, `observed_s`, `distance_m`, `laden_m`, `ballast_m`, `state_s` (seconds by operating state),
    `sources` (observed seconds), `figures` (what else the class counts), and of flights `flight_s` and `cycles`; a sum over
    nothing is None.
    """
    if not spans:
        return []
    days = [_whole_days(span) for span in spans]
    edges = [
        (n, from_us, to_us)
        for n, (span, (first_us, last_us)) in enumerate(zip(spans, days, strict=True), 1)
        for from_us, to_us in ((span.from_us, first_us), (last_us, span.to_us))
        if from_us < to_us
    ]
    return await _rows(
        conn, "use_of", told, begins=[each.begins or each.attribution for each in spans],
        ends=[each.attribution for each in spans],
        day_from=[to_datetime(first_us).date() for first_us, _ in days],
        day_to=[to_datetime(last_us).date() for _, last_us in days],
        edge_n=[n for n, _, _ in edges], edge_from=[to_datetime(from_us) for _, from_us, _ in edges],
        edge_to=[to_datetime(to_us) for _, _, to_us in edges],
        edge_since=[to_datetime(from_us - DAY_US) for _, from_us, _ in edges],
        since=[to_datetime(each.from_us - FLIGHT_US_MAX) for each in spans],
        **{"from": [to_datetime(each.from_us) for each in spans], "to": [to_datetime(each.to_us) for each in spans]},
    )  # fmt: skip


def _whole_days(span: UseSpan) -> tuple[int, int]:
    """Where the whole UTC days of a span begin and end; of a span without one both are its end, so that it is all edge."""
    first_us, last_us = -(-span.from_us // DAY_US) * DAY_US, span.to_us // DAY_US * DAY_US
    return (first_us, last_us) if first_us < last_us else (span.to_us, span.to_us)


def believed(known_us: int | None) -> dict[str, sql.Composable]:
    """What the braces of the queries stand for: which rows are the current ones, or were."""
    if known_us is None:
        tables = dict.fromkeys(("use_day", "activity", "journey", "finding"), sql.SQL("superseded_by IS NULL"))
        return {
            "believed": sql.SQL("upper_inf(recorded)"), "believed_lease": sql.SQL("upper_inf(lease.recorded)"),
            "known_change": sql.SQL("true"), "now": sql.SQL("true"), **{f"known_{name}": each for name, each in tables.items()},
        }  # fmt: skip
    since = sql.SQL(
        "EXISTS (SELECT FROM commits WHERE commits.commit_no = {table}.commit_no AND committed_at <= %(known)s)"
        " AND NOT EXISTS (SELECT FROM commits WHERE commits.commit_no = superseded_by AND committed_at <= %(known)s)"
    )
    return {
        "believed": sql.SQL("recorded @> %(known)s::timestamptz"),
        "believed_lease": sql.SQL("lease.recorded @> %(known)s::timestamptz"), "known_change": sql.SQL("changed_at <= %(known)s"),
        "now": sql.SQL("false"),  # the activity under way is replaced as it goes: what it was then is not kept
        **{f"known_{name}": since.format(table=sql.Identifier(name)) for name in ("use_day", "activity", "journey", "finding")},
    }  # fmt: skip


async def _rows(conn: Connection, query: str, told: Told, **more: Any) -> list[Row]:
    binds = {"asset": told.asset_id, "at": to_datetime(told.at_us), **more}
    if told.known_us is not None:
        binds["known"] = to_datetime(told.known_us)
    text = sql.SQL(SQL[query]).format(**believed(told.known_us))
    async with conn.cursor(binary=True) as cursor:
        await cursor.execute(text, binds, prepare=False)
        return await cursor.fetchall()
