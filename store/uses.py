"""How assets were used: journeys, activities and days as append-only revisions; the activity under way; machines' memories.

A fact is named by its asset and its begin (a journey also by its kind); one that says something else than the current row is a
new row, one that stands no longer is superseded (a journey: by a retracted revision), and nothing is edited. Seconds and metres
in the tables, microseconds in `fleet.use`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import msgspec

from fleet.instants import SECOND_US, from_datetime, to_datetime
from fleet.use import Activity, Journey, UseDay
from store import arrays, staging
from store.checkpoints import EARLIEST_US, LATEST_US
from store.dirty import Dirty, marks
from store.pool import Connection
from store.queries import load
from store.rows import DirtyRow, UseCheckpointRow, UseRow, UseTailRow
from store.staging import INSTANT

SQL = load("uses")
OWNER_COLUMNS = {"tenant": "text", "asset_id": "uuid", "commit_no": "int8"}
ACTIVITY_COLUMNS = {
    "state": "text",
    "started_at": INSTANT,
    "ended_at": INSTANT,
    "distance_m": "float8",
    "observed_s": "float8",
    "loading": "text",
    "place": "text",
    "method": "text",
    "figures": "jsonb",
    "sources": "jsonb",
}
Key = tuple[str, str, int]
"""(asset_id, kind, begin in microseconds); the kind of activities and days is empty."""


class UseCheckpoint(msgspec.Struct, frozen=True):
    """A machine's memory before the readings at and after `at_us`."""

    at_us: int
    version: int
    state: bytes


class StoredJourney(msgspec.Struct, frozen=True):
    """A journey as it stands, with its id and revision; `row.fact` is the journey."""

    row: UseRow
    revision: int


async def write(conn: Connection, rows: Sequence[UseRow], commit_nos: Mapping[int, int]) -> int:
    """Write what differs from the current rows; of several rows of one fact the last one counts.

    Args:
        conn: inside the transaction that `commits.begin` numbered.
        rows: facts and retractions.
        commit_nos: the commit number of each row's shard.

    Returns:
        How many rows were written or superseded.
    """
    if not rows:
        return 0
    last: dict[type, dict[Key, UseRow]] = {Journey: {}, Activity: {}, UseDay: {}}
    for row in rows:
        last[type(row.fact)][key_of(row)] = row
    changed = await _write_journeys(conn, list(last[Journey].values()), commit_nos)
    changed += await _write_activities(conn, list(last[Activity].values()), commit_nos)
    return changed + await _write_days(conn, list(last[UseDay].values()), commit_nos)


def key_of(row: UseRow) -> Key:
    """What names a row's fact among those of its type."""
    fact = row.fact
    if isinstance(fact, Journey):
        return (row.asset_id, fact.kind, fact.started_us)
    return (row.asset_id, "", fact.from_us if isinstance(fact, Activity) else fact.day_us)


def id_of(row: UseRow, attempt: int = 0) -> str:
    """Deterministic id of a new journey: 32 hex digits of BLAKE2b over what names it; the same in every run."""
    asset_id, kind, started_us = key_of(row)
    text = f"{asset_id}\x1f{kind}\x1f{started_us}" + (f"\x1f{attempt}" if attempt else "")
    return blake2b(text.encode(), digest_size=16).hexdigest()


def revised(rows: Sequence[UseRow], held: Sequence[StoredJourney]) -> list[tuple[UseRow, int, StoredJourney | None]]:
    """The journeys to write, each with its id filled in, its revision and the current one that it supersedes.

    A row without an id goes on under that of the journey that stands with its begin, else under its own; where that id belongs to
    one whose begin has moved, another is made. A row that says nothing new is left out, as is the retraction of what never stood.

    Args:
        rows: one a journey.
        held: current revisions of all that these rows may name: by begin, and by `id_of` of attempts 0 and 1.
    """
    by_id = {journey_id: one for one in held if (journey_id := one.row.journey_id)}
    by_key = {key_of(one.row): journey_id for journey_id, one in by_id.items() if not one.row.retracted}
    # Who keeps an id comes first: a journey's begin may move to where another's was.
    found: list[tuple[UseRow, int, StoredJourney | None]] = []
    taken = {row.journey_id for row in rows if row.journey_id}
    for row in rows:
        journey_id = row.journey_id or by_key.get(key_of(row))
        if journey_id is None or (row.journey_id is None and journey_id in taken):
            own = id_of(row)
            standing = by_id.get(own)
            is_free = own not in taken and (standing is None or standing.row.retracted or key_of(standing.row) == key_of(row))
            journey_id = own if is_free else id_of(row, 1)
        before = by_id.get(journey_id)
        named = msgspec.structs.replace(row, journey_id=journey_id)
        if (row.retracted and (before is None or before.row.retracted)) or (before is not None and same(named, before.row)):
            continue
        found.append((named, 1 if before is None else before.revision + 1, before))
    return found


def same(one: UseRow, other: UseRow) -> bool:
    """Whether two rows say the same of a fact (the shard follows the asset, and whose reading named it may change)."""
    return _comparable(one) == _comparable(other)


def _comparable(row: UseRow) -> tuple[Any, ...]:
    return (row.retracted, row.journey_id, msgspec.json.encode(row.fact, order="deterministic"))


async def _write_journeys(conn: Connection, rows: Sequence[UseRow], commit_nos: Mapping[int, int]) -> int:
    if not rows:
        return 0
    keys = [key_of(row) for row in rows]
    ids = {row.journey_id for row in rows if row.journey_id} | {id_of(row, attempt) for row in rows for attempt in (0, 1)}
    binds = {
        "journey_id": sorted(ids),
        "asset_id": [asset_id for asset_id, _, _ in keys],
        "kind": [kind for _, kind, _ in keys],
        "started_at": [to_datetime(started_us) for _, _, started_us in keys],
    }
    held = [stored_journey_of(row) for row in await (await conn.execute(SQL["hold_journeys"], binds)).fetchall()]
    written = revised(rows, held)
    superseded = [(row, before) for row, _, before in written if before is not None]
    if superseded:
        await conn.execute(
            SQL["supersede_journeys"],
            {
                "journey_id": [before.row.journey_id for _, before in superseded],
                "revision": [before.revision for _, before in superseded],
                "commit_no": [commit_nos[row.shard] for row, _ in superseded],
            },
        )
    if written:
        await conn.execute(SQL["insert_journeys"], _journey_binds(written, commit_nos))
    return len(written)


def _journey_binds(
    written: Sequence[tuple[UseRow, int, StoredJourney | None]], commit_nos: Mapping[int, int]
) -> dict[str, list[Any]]:
    rows = [row for row, _, _ in written]
    facts = [fact for row in rows if isinstance(fact := row.fact, Journey)]
    return {
        "journey_id": [row.journey_id for row in rows],
        "revision": [revision for _, revision, _ in written],
        "tenant": [row.tenant for row in rows],
        "asset_id": [row.asset_id for row in rows],
        "asset": [row.asset for row in rows],
        "kind": [fact.kind for fact in facts],
        "started_at": [to_datetime(fact.started_us) for fact in facts],
        "ended_at": [None if fact.ended_us is None else to_datetime(fact.ended_us) for fact in facts],
        "from_place": [fact.from_place for fact in facts],
        "to_place": [fact.to_place for fact in facts],
        "quality": [fact.quality for fact in facts],
        "confidence": [fact.confidence for fact in facts],
        "coverage": [fact.coverage for fact in facts],
        "method": [fact.method for fact in facts],
        "figures": [staging.json(fact.figures) for fact in facts],
        "distance_m": [fact.distance_m for fact in facts],
        "observed_s": [fact.observed_us / SECOND_US for fact in facts],
        "cycles": [fact.cycles for fact in facts],
        "sources": [_seconds(fact.sources) for fact in facts],
        "retracted": [row.retracted for row in rows],
        "commit_no": [commit_nos[row.shard] for row in rows],
    }


async def _write_activities(conn: Connection, rows: Sequence[UseRow], commit_nos: Mapping[int, int]) -> int:
    if not rows:
        return 0
    keys = [key_of(row) for row in rows]
    binds = {
        "asset_id": [asset_id for asset_id, _, _ in keys],
        "started_at": [to_datetime(from_us) for _, _, from_us in keys],
    }
    cursor = await conn.execute(SQL["hold_activities"], binds)
    held = {key_of(row): (row, activity_id) for row, activity_id in map(_stored_activity_of, await cursor.fetchall())}
    gone, new = _changes(rows, {key: row for key, (row, _) in held.items()})
    if gone:
        await conn.execute(
            SQL["supersede_activities"],
            {"activity_id": [held[key_of(row)][1] for row in gone], "commit_no": [commit_nos[row.shard] for row in gone]},
        )
    if new:
        facts = [fact for row in new if isinstance(fact := row.fact, Activity)]
        await conn.execute(SQL["insert_activities"], _owner_binds(new, commit_nos) | _activity_binds(facts))
    return len({key_of(row) for row in (*gone, *new)})


def _changes(rows: Sequence[UseRow], held: Mapping[Key, UseRow]) -> tuple[list[UseRow], list[UseRow]]:
    """Of activities or days: those whose current row is to be superseded, and those to be inserted."""
    gone: list[UseRow] = []
    new: list[UseRow] = []
    for row in rows:
        before = held.get(key_of(row))
        if before is not None and not row.retracted and same(row, before):
            continue
        if before is not None:
            gone.append(row)
        if not row.retracted:
            new.append(row)
    return gone, new


def _owner_binds(rows: Sequence[UseRow | UseTailRow], commit_nos: Mapping[int, int]) -> dict[str, arrays.Array]:
    return arrays.columns(OWNER_COLUMNS, [(row.tenant, row.asset_id, commit_nos[row.shard]) for row in rows])


def _activity_binds(facts: Iterable[Activity]) -> dict[str, arrays.Array]:
    said = [
        (
            fact.state,
            fact.from_us,
            fact.to_us,
            fact.distance_m,
            fact.observed_us / SECOND_US,
            fact.loading,
            fact.place,
            fact.method,
            fact.figures,
            {name: span_us / SECOND_US for name, span_us in fact.sources.items()},
        )
        for fact in facts
    ]
    return arrays.columns(ACTIVITY_COLUMNS, said)


async def _write_days(conn: Connection, rows: Sequence[UseRow], commit_nos: Mapping[int, int]) -> int:
    if not rows:
        return 0
    keys = [key_of(row) for row in rows]
    binds = {"asset_id": [asset_id for asset_id, _, _ in keys], "day": [to_datetime(day_us).date() for _, _, day_us in keys]}
    cursor = await conn.execute(SQL["hold_days"], binds)
    held = {key_of(row): row for row in map(_stored_day_of, await cursor.fetchall())}
    gone, new = _changes(rows, held)
    if gone:
        await conn.execute(
            SQL["supersede_days"],
            {
                "asset_id": [row.asset_id for row in gone],
                "day": [to_datetime(key_of(row)[2]).date() for row in gone],
                "commit_no": [commit_nos[row.shard] for row in gone],
            },
        )
    if new:
        await conn.execute(SQL["insert_days"], _day_binds(new, commit_nos))
    return len({key_of(row) for row in (*gone, *new)})


def _day_binds(rows: Sequence[UseRow], commit_nos: Mapping[int, int]) -> dict[str, list[Any]]:
    facts = [fact for row in rows if isinstance(fact := row.fact, UseDay)]
    return {
        "tenant": [row.tenant for row in rows],
        "asset_id": [row.asset_id for row in rows],
        "day": [to_datetime(fact.day_us).date() for fact in facts],
        "state_s": [_seconds(fact.states_us) for fact in facts],
        "state_m": [staging.json(fact.distances_m) for fact in facts],
        "distance_m": [sum(fact.distances_m.values()) for fact in facts],
        "laden_m": [fact.figures.get("laden_m", 0.0) for fact in facts],
        "ballast_m": [fact.figures.get("ballast_m", 0.0) for fact in facts],
        "flight_s": [fact.states_us.get("airborne", 0) / SECOND_US for fact in facts],
        "cycles": [round(fact.figures.get("cycles", 0.0)) for fact in facts],
        "observed_s": [fact.observed_us / SECOND_US for fact in facts],
        "sources": [_seconds(fact.sources) for fact in facts],
        "figures": [staging.json(fact.figures) for fact in facts],
        "method": [fact.method for fact in facts],
        "commit_no": [commit_nos[row.shard] for row in rows],
    }


# -- what stands ------------------------------------------------------------------------------------------------------


async def current(conn: Connection, asset_id: str, journeys_us: int, activities_us: int, days_us: int) -> list[UseRow]:
    """What stands of an asset's use: journeys, activities and days that begin at or after an instant each, in order of begin."""
    found: list[UseRow] = []
    cursor = await conn.execute(SQL["current_journeys"], {"asset_id": asset_id, "from": _moment(journeys_us)})
    found += [stored_journey_of(row).row for row in await cursor.fetchall()]
    cursor = await conn.execute(SQL["current_activities"], {"asset_id": asset_id, "from": _moment(activities_us)})
    found += [_stored_activity_of(row)[0] for row in await cursor.fetchall()]
    cursor = await conn.execute(SQL["current_days"], {"asset_id": asset_id, "from_day": _moment(days_us).date()})
    return found + [_stored_day_of(row) for row in await cursor.fetchall()]


class JourneyFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which journeys of an asset: those that share an instant with [from, to), those under way at `at_us`, as known then."""

    asset_id: str
    kind: str | None = None
    from_us: int | None = None
    to_us: int | None = None
    at_us: int | None = None
    known_us: int | None = None


async def journeys(conn: Connection, which: JourneyFilter, after: tuple[int, str] | None, limit: int) -> list[dict[str, Any]]:
    """Journeys in order of (begin, id), inside a scope; with `lease_id`, and `recorded_at` when the revision was committed."""
    binds = {
        "asset": which.asset_id,
        "kind": which.kind,
        "from": _moment_or_none(which.from_us),
        "to": _moment_or_none(which.to_us),
        "at": _moment_or_none(which.at_us),
        "known": _moment_or_none(which.known_us),
        "after_at": None if after is None else _moment(after[0]),
        "after_id": None if after is None else after[1],
        "limit": limit,
    }
    return await (await conn.execute(SQL["journeys"], binds)).fetchall()


async def first_use_us(conn: Connection, asset_id: str) -> int | None:
    """When anything is first known of an asset's use, inside a scope; None: nothing is."""
    row = await (await conn.execute(SQL["first_use"], {"asset": asset_id})).fetchone()
    return None if row is None else row["time"]


def stored_journey_of(row: dict[str, Any]) -> StoredJourney:
    """A row of `journey` as it is written."""
    fact = journey_of(row)
    named = UseRow(
        tenant=row["tenant"],
        asset_id=row["asset_id"],
        shard=0,
        asset=row["asset"],
        fact=fact,
        retracted=row["retracted"],
        journey_id=row["journey_id"],
    )
    return StoredJourney(named, row["revision"])


def journey_of(row: Mapping[str, Any]) -> Journey:
    """The fact in a row of `journey`."""
    return Journey(
        kind=row["kind"],
        started_us=row["started_at"],
        ended_us=row["ended_at"],
        from_place=row["from_place"],
        to_place=row["to_place"],
        quality=row["quality"] or "",
        confidence=row["confidence"],
        method=row["method"],
        coverage=row["coverage"],
        distance_m=row["distance_m"],
        observed_us=round(row["observed_s"] * SECOND_US),
        cycles=row["cycles"],
        sources=_microseconds(row["sources"]),
        figures=row["figures"],
    )


def activity_of(row: Mapping[str, Any]) -> Activity:
    """The fact in a row of `activity` or `use_tail`; one that lasts (`ended_at` NULL) is empty so far."""
    return Activity(
        from_us=row["started_at"],
        to_us=row["started_at"] if row["ended_at"] is None else row["ended_at"],
        state=row["state"],
        method=row["method"],
        place=row["place"],
        loading=row["loading"],
        distance_m=row["distance_m"],
        observed_us=round(row["observed_s"] * SECOND_US),
        sources=_microseconds(row["sources"]),
        figures={key: float(value) for key, value in row["figures"].items()},
    )


def day_of(row: Mapping[str, Any]) -> UseDay:
    """The fact in a row of `use_day`."""
    return UseDay(
        day_us=from_datetime(datetime(row["day"].year, row["day"].month, row["day"].day, tzinfo=UTC)),
        method=row["method"],
        states_us=_microseconds(row["state_s"]),
        distances_m={state: float(metres) for state, metres in row["state_m"].items()},
        observed_us=round(row["observed_s"] * SECOND_US),
        sources=_microseconds(row["sources"]),
        figures={key: float(value) for key, value in row["figures"].items()},
    )


def _stored_activity_of(row: dict[str, Any]) -> tuple[UseRow, int]:
    named = UseRow(tenant=row["tenant"], asset_id=row["asset_id"], shard=0, asset="", fact=activity_of(row))
    return named, row["activity_id"]


def _stored_day_of(row: dict[str, Any]) -> UseRow:
    return UseRow(tenant=row["tenant"], asset_id=row["asset_id"], shard=0, asset="", fact=day_of(row))


def _seconds(spans_us: Mapping[str, int]) -> Any:
    return staging.json({name: span_us / SECOND_US for name, span_us in spans_us.items()})


def _microseconds(spans_s: Mapping[str, float]) -> dict[str, int]:
    return {name: round(span_s * SECOND_US) for name, span_s in spans_s.items()}


def _moment_or_none(time_us: int | None) -> datetime | None:
    return None if time_us is None else _moment(time_us)


def _moment(time_us: int) -> datetime:
    return to_datetime(min(max(time_us, EARLIEST_US), LATEST_US))


# -- the activity under way, memories, marks --------------------------------------------------------------------------


async def write_tails(conn: Connection, rows: Sequence[UseTailRow], commit_nos: Mapping[int, int]) -> None:
    """Replace the activities under way; of several of one asset the last one stays."""
    last = list({row.asset_id: row for row in rows}.values())
    if not last:
        return
    await conn.execute(SQL["write_tails"], _owner_binds(last, commit_nos) | _activity_binds(row.activity for row in last))


async def write_checkpoints(conn: Connection, rows: Sequence[UseCheckpointRow], commit_nos: Mapping[int, int]) -> None:
    """Keep machines' memories; one of the same instant is replaced."""
    last = list({(row.asset_id, row.at_us): row for row in rows}.values())
    if not last:
        return
    binds: dict[str, Any] = {
        "asset_id": [row.asset_id for row in last],
        "at": [to_datetime(row.at_us) for row in last],
        "version": [row.version for row in last],
        "state": [row.state for row in last],
        "commit_no": [commit_nos[row.shard] for row in last],
    }
    await conn.execute(SQL["write_checkpoints"], binds)


async def checkpoint_before(conn: Connection, asset_id: str, at_us: int) -> UseCheckpoint | None:
    """The newest memory that took in nothing at or after an instant; None: begin with the asset's first reading."""
    cursor = await conn.execute(SQL["checkpoint_before"], {"asset_id": asset_id, "at": _moment(at_us)})
    row = await cursor.fetchone()
    return None if row is None else UseCheckpoint(row["at"], row["version"], row["state"])


async def checkpoints_after(conn: Connection, asset_id: str, at_us: int) -> list[UseCheckpoint]:
    """An asset's memories after an instant, in order: a derivation that comes to one of them has caught up with what stands."""
    cursor = await conn.execute(SQL["checkpoints_after"], {"asset_id": asset_id, "at": _moment(at_us)})
    return [UseCheckpoint(row["at"], row["version"], row["state"]) for row in await cursor.fetchall()]


async def drop_checkpoints(conn: Connection, asset_id: str, from_us: int, to_us: int) -> None:
    """Forget an asset's memories after an instant, up to another: a late reading makes them wrong."""
    await conn.execute(SQL["drop_checkpoints"], {"asset_id": asset_id, "from": _moment(from_us), "to": _moment(to_us)})


async def mark(conn: Connection, rows: Sequence[DirtyRow], commit_nos: Mapping[int, int]) -> None:
    """Mark assets whose use alone is to be derived again; each keeps the earliest instant of all its marks."""
    if rows:
        await conn.execute(SQL["mark"], marks(rows, commit_nos))


async def due(conn: Connection, shards: Iterable[int], quiet_us: int, limit: int) -> list[Dirty]:
    """Assets of these shards whose use is to be derived again, not marked for `quiet_us` (wall time); the longest first."""
    binds = {"shards": sorted(shards), "quiet_us": quiet_us, "limit": limit}
    cursor = await conn.execute(SQL["due"], binds)
    return [Dirty(row["asset_id"], row["from_time"], row["marked_at"]) for row in await cursor.fetchall()]


async def clear(conn: Connection, dirty: Dirty) -> bool:
    """Take the mark away; False: the asset was marked again meanwhile, and it stays."""
    binds = {"asset_id": dirty.asset_id, "marked_at": to_datetime(dirty.marked_us)}
    return (await conn.execute(SQL["clear"], binds)).rowcount == 1
