"""Leases: the paper, what happened to it, and the tenure that came of it; all dated twice.

Events are the truth. After each one the history of the asset is gone through (`fleet.stage`), and what differs from what is
stored (the contract's term, tenure, who stands as lessee, the stage) is closed and written anew, so that a correction of an event
corrects all of it. One change at a time of an asset: `lock` is taken first. Nothing is updated but the end of `recorded`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import uuid4

import msgspec

from fleet.dated import Span, differences
from fleet.instants import to_datetime, to_rfc3339
from fleet.lease import NoticeDays, Terms, UnreadableTerms, insurances_required, stored_terms
from fleet.lease_phase import PHASE_AFTER, RANKS, Cover, LeaseEvent, LeaseState, Paper, Refusal, Tenure
from fleet.practice import Practice
from fleet.practice_book import HOUSE
from fleet.stage import AssetEvent, History, Life, enter, live, stage_of
from store import dossiers, milestones, restated, staging
from store.moments import moment
from store.pool import Connection
from store.queries import load

SQL = load("leases")
Row = dict[str, Any]
LEASES_MAX = 1000  # chosen: one page of the largest size


class NewLease(msgspec.Struct, frozen=True, kw_only=True):
    """A contract to draft. Parties by id; `parties` are (party_id, role) beside the lessee; the term is half-open."""

    tenant: str
    asset_id: str
    form: str
    lessee_party_id: str
    from_us: int
    to_us: int | None
    terms: Terms
    parent_lease_id: str | None = None
    reference: str | None = None
    parties: tuple[tuple[str, str], ...] = ()
    actor: str = "keelwing"


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """What a contract says from now on."""

    reference: str | None
    from_us: int
    to_us: int | None
    terms: Terms


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """An event to enter: of a lease, when, with what evidence; in place of another one (`corrects`), by whom."""

    lease_id: str
    kind: str
    at_us: int
    evidence: dict[str, Any] = {}
    corrects: str | None = None
    actor: str = "keelwing"


class Entered(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an event: its id (None: none was added), those that followed, where all leases stand, months restated."""

    event_id: str | None
    following: tuple[LeaseEvent, ...]
    life: Life
    restated: int


class LeaseFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which leases: of an asset, with a party in any role, in phases, whose term ends before an instant."""

    lease_id: str | None = None
    asset_id: str | None = None
    party_id: str | None = None
    phases: tuple[str, ...] | None = None
    ends_before_us: int | None = None
    at_us: int | None = None
    known_us: int | None = None


class ShownLease(NamedTuple):
    """A lease with its row, its state and its tenures: what a reader is shown."""

    row: Row
    state: LeaseState
    tenures: list[Row]


async def at(conn: Connection, asset_id: str, at_us: int) -> str | None:
    """Id of the head lease in force for an asset at an instant, as believed now; None when there was none."""
    cursor = await conn.execute(SQL["at"], {"asset_id": asset_id, "at": to_datetime(at_us)})
    row = await cursor.fetchone()
    return None if row is None else str(row["lease_id"])


async def asset_of(conn: Connection, lease_id: str) -> tuple[str, str] | None:
    """(tenant, asset_id) of a lease with a contract; None where there is none in the scope."""
    row = await (await conn.execute(SQL["asset_of"], {"lease_id": lease_id})).fetchone()
    return None if row is None else (row["tenant"], row["asset_id"])


async def histories(
    conn: Connection, asset_ids: Sequence[str], known_us: int | None = None, practice: Practice = HOUSE
) -> dict[str, History]:
    """Everything told of assets and their leases, as believed now or at `known`; five set queries for the lot.

    `practice` says what a silent paper requires; only an event that is being entered is held to it, what stands stands.
    """
    assets = [str(each) for each in asset_ids]
    binds = {"assets": assets, "known": moment(known_us)}
    papers = await _rows(conn, "papers", binds)
    cover: dict[str, list[Cover]] = {}
    for row in await _rows(conn, "cover", binds):
        cover.setdefault(row["lease_id"], []).append(Cover(row["kind"], Span(row["cover_from"], row["cover_to"])))
    events = await _rows(conn, "events", binds)
    told = await milestones.told(conn, assets, known_us)
    return {
        asset_id: History(
            papers={
                row["lease_id"]: paper_of(row, cover.get(row["lease_id"], ()), practice)
                for row in papers if row["asset_id"] == asset_id
            },
            lease_events=tuple(lease_event_of(row) for row in events if row["asset_id"] == asset_id),
            asset_events=told[asset_id].events, maintenance=told[asset_id].maintenance, built=told[asset_id].built,
        )
        for asset_id in assets
    }  # fmt: skip


async def draft(conn: Connection, wanted: NewLease) -> str:
    """A contract in draft. Returns its id."""
    lease_id = str(uuid4())
    parties = [(wanted.lessee_party_id, "lessee"), *wanted.parties]
    binds = {
        "lease_id": lease_id, "tenant": wanted.tenant, "asset_id": wanted.asset_id, "reference": wanted.reference,
        "form": wanted.form, "parent_lease_id": wanted.parent_lease_id, "from": moment(wanted.from_us),
        "to": moment(wanted.to_us), "terms": staging.json(wanted.terms), "actor": wanted.actor,
        "lessee_party_id": wanted.lessee_party_id, "party_ids": [party for party, _ in parties],
        "roles": [role for _, role in parties],
    }  # fmt: skip
    await conn.execute(SQL["draft"], binds)
    return lease_id


async def revise(conn: Connection, lease_id: str, change: Revision, actor: str, at_us: int) -> Entered | Refusal:
    """Another revision of a contract: reference, promised term and terms; refused where its events could then not have been.

    `at_us` is wall time.
    """
    tenant, asset_id = await _locked(conn, lease_id)
    row = next(each for each in await _papers(conn, asset_id) if each["lease_id"] == lease_id)
    history = (await histories(conn, [asset_id]))[asset_id]
    paper = paper_of({**row, "promise_from": change.from_us, "promise_to": change.to_us, "terms": change.terms}, ())
    again = msgspec.structs.replace(history, papers={**history.papers, lease_id: paper})
    life = live(again)
    if isinstance(life, Refusal):
        return life
    await _write_revision(
        conn,
        {**row, "reference": change.reference, "terms": change.terms, "promise_from": change.from_us, "promise_to": change.to_us},
        life.leases[lease_id],
        actor,
    )
    return Entered(event_id=None, following=(), life=life, restated=await settle(conn, tenant, asset_id, life, actor, at_us))


async def record(conn: Connection, told: Told, at_us: int) -> Entered | Refusal:
    """Enter an event of a lease, alone or in place of one it corrects, with all that follows from it.

    Args:
        conn: a transaction that may write leases.
        told: the event.
        at_us: wall time, for what receivers are told.

    Returns:
        What came of it; or, nothing written, why it cannot have happened.

    Raises:
        KeyError: no such lease, or no such event to correct.
    """
    tenant, asset_id = await _locked(conn, told.lease_id)
    practice = await dossiers.practice_of(conn, tenant, HOUSE)
    history = (await histories(conn, [asset_id], practice=practice))[asset_id]
    gone = corrected(history, told.corrects)
    event = LeaseEvent(event_id=str(uuid4()), lease_id=told.lease_id, kind=told.kind, at_us=told.at_us, evidence=told.evidence)
    found = enter(without(history, gone), event)
    if isinstance(found, Refusal):
        return found
    after, following = found
    life = live(after)
    assert isinstance(life, Life)  # noqa: S101 - `enter` went through it
    await _close_events(conn, gone)
    await add_events(conn, tenant, asset_id, [*following, event], told.actor, {event.event_id: told.corrects})
    count = await settle(conn, tenant, asset_id, life, told.actor, at_us)
    return Entered(event_id=event.event_id, following=tuple(following), life=life, restated=count)


async def record_milestone(conn: Connection, tenant: str, wanted: milestones.NewMilestone, at_us: int) -> Entered | Refusal:
    """Enter an event of an asset. A reported one moves its axes and may end leases; a promise or an observation is kept beside.

    Args:
        conn: a transaction that may write leases and milestones.
        tenant: the asset's.
        wanted: the event; `corrects` names the one whose place it takes.
        at_us: wall time.

    Returns:
        What came of it; or, nothing written, why it cannot have happened.

    Raises:
        KeyError: there is no such event to correct.
    """
    await lock(conn, wanted.asset_id)
    history = (await histories(conn, [wanted.asset_id]))[wanted.asset_id]
    gone: frozenset[str] = frozenset()
    if wanted.corrects is not None:
        replaced = await milestones.event(conn, wanted.asset_id, wanted.corrects)
        if replaced is None:
            raise KeyError(wanted.corrects)
        gone = corrected(history, wanted.corrects) if replaced["basis"] == "reported" else frozenset({wanted.corrects})
    before, event_id = without(history, gone), str(uuid4())
    event = AssetEvent(event_id=event_id, kind=wanted.kind, at_us=wanted.at_us, evidence=wanted.evidence)
    found: tuple[History, list[LeaseEvent]] | Refusal = (before, [])
    if wanted.basis == "reported":
        found = enter(before, event)
    if isinstance(found, Refusal):
        return found
    after, following = found
    life = live(after)
    if isinstance(life, Refusal):
        return life
    await _close_events(conn, gone)
    await milestones.add_event(conn, tenant, event_id, wanted)
    await add_events(conn, tenant, wanted.asset_id, following, wanted.actor, {})
    count = await settle(conn, tenant, wanted.asset_id, life, wanted.actor, at_us)
    return Entered(event_id=event_id, following=tuple(following), life=life, restated=count)


async def withdraw(conn: Connection, tenant: str, asset_id: str, event_id: str, actor: str, at_us: int) -> Entered | Refusal:
    """Believe no longer that an event of an asset or of one of its leases happened, with what followed from it.

    Refused where later events could then not have happened. Raises KeyError for an event that is not there.
    """
    await lock(conn, asset_id)
    history = (await histories(conn, [asset_id]))[asset_id]
    milestone = await milestones.event(conn, asset_id, event_id)
    beside = milestone is not None and milestone["basis"] != "reported"
    gone = frozenset({event_id}) if beside else corrected(history, event_id)
    life = live(without(history, gone))
    if isinstance(life, Refusal):
        return life
    await _close_events(conn, gone)
    return Entered(event_id=None, following=(), life=life, restated=await settle(conn, tenant, asset_id, life, actor, at_us))


def corrected(history: History, event_id: str | None) -> frozenset[str]:
    """The event that is corrected and those that followed from it; none without one. Raises KeyError where it is not there."""
    if event_id is None:
        return frozenset()
    told: tuple[LeaseEvent | AssetEvent, ...] = (*history.lease_events, *history.asset_events)
    if event_id not in {event.event_id for event in told}:
        raise KeyError(event_id)
    return frozenset({event_id, *(event.event_id for event in told if event.evidence.get("follows_from") == event_id)})


def without(history: History, gone: frozenset[str]) -> History:
    """The history without some events."""
    return msgspec.structs.replace(
        history,
        lease_events=tuple(event for event in history.lease_events if event.event_id not in gone),
        asset_events=tuple(event for event in history.asset_events if event.event_id not in gone),
    )


async def add_events(
    conn: Connection, tenant: str, asset_id: str, events: Sequence[LeaseEvent], actor: str, corrects: dict[str, str | None]
) -> None:
    """Write events of an asset's leases in their order; those that follow from another get an id of their own."""
    if not events:
        return
    binds = {
        "tenant": tenant, "asset_id": asset_id, "actor": actor,
        "event_ids": [str(uuid4()) if "/" in event.event_id else event.event_id for event in events],
        "lease_ids": [event.lease_id for event in events], "kinds": [event.kind for event in events],
        "ats": [to_datetime(event.at_us) for event in events], "evidences": [staging.json(event.evidence) for event in events],
        "corrects": [corrects.get(event.event_id) for event in events],
    }  # fmt: skip
    await conn.execute(SQL["add_events"], binds)


async def close_events(conn: Connection, event_ids: Iterable[str]) -> None:
    """Believe events of leases no longer."""
    await conn.execute(SQL["close_events"], {"event_ids": list(event_ids)})


async def lock(conn: Connection, asset_id: str) -> None:
    """Wait until nobody else changes the leases and milestones of an asset; to the end of the transaction."""
    await conn.execute(SQL["lock"], {"asset_id": asset_id})


async def settle(conn: Connection, tenant: str, asset_id: str, life: Life, actor: str, at_us: int) -> int:
    """Bring what is stored of an asset's leases to what its events came to; tell of closed months that this touches.

    Returns how many closed months were restated. The constraint that a sublease lies in its parent is judged here, not at the
    end of the transaction.
    """
    for row in await _papers(conn, asset_id):
        state = life.leases[row["lease_id"]]
        stands = (row["term_from"], row["term_to"], row["signed_on"], row["void"])
        if row["told"] and stands != _paper_of_state(row, state) and isinstance(stored_terms(row["terms"]), Terms):
            await _write_revision(conn, row, state, actor)  # what cannot be read may extend the term: it waits until it is mended
    changes = await _settle_tenures(conn, tenant, asset_id, life)
    await conn.execute(SQL["judge_subleases"])
    await conn.execute(SQL["defer_subleases"])
    for lease_id, state in life.leases.items():
        await _settle_lessees(conn, tenant, lease_id, state, actor)
    await milestones.refresh_stage(conn, asset_id, (await histories(conn, [asset_id]))[asset_id], at_us)
    found = [one for change in changes for one in await _restatements(conn, change, tenant, asset_id, actor)]
    await restated.tell(conn, found, at_us)
    return len(found)


async def refresh_stage(conn: Connection, asset_id: str) -> str | None:
    """Derive an asset's stage from what was told of it, as of now, and keep it with the asset. Returns it."""
    row = await (await conn.execute(SQL["now"])).fetchone()
    assert row is not None  # noqa: S101 - it always answers
    return await milestones.refresh_stage(conn, asset_id, (await histories(conn, [asset_id]))[asset_id], row["at"])


async def stages(conn: Connection, asset_ids: Sequence[str], at_us: int, known_us: int | None) -> dict[str, str | None]:
    """The stage of each asset at an instant, as known at `known`; nothing in a lessee's scope, which sees no events."""
    row = await (await conn.execute(SQL["insider"])).fetchone()
    if not asset_ids or row is None or not row["internal"]:
        return {}
    found: dict[str, str | None] = {}
    for asset_id, history in (await histories(conn, asset_ids, known_us)).items():
        life = live(history, until_us=at_us)
        found[asset_id] = stage_of(life, history) if isinstance(life, Life) else None
    return found


async def find(conn: Connection, which: LeaseFilter, after: str | None, limit: int) -> list[Row]:
    """`lease_id` and `asset_id` of leases in order of their id."""
    leading = list(PHASE_AFTER.items())
    binds = {
        "lease_id": which.lease_id, "asset": which.asset_id, "party": which.party_id,
        "wanted": None if which.phases is None else list(which.phases), "ends_before": moment(which.ends_before_us),
        "at": moment(which.at_us), "known": moment(which.known_us), "after": after, "limit": limit,
        "kinds": [kind for kind, _ in leading], "phases": [phase for _, phase in leading],
        "ranks": [RANKS[kind] for kind, _ in leading],
    }  # fmt: skip
    return await _rows(conn, "find", binds)


async def shown(
    conn: Connection, found: Sequence[Row], at_us: int, known_us: int | None
) -> list[ShownLease]:  # fmt: skip
    """Leases that were found, each with its contract's row, its state at an instant and its tenures; as known at `known`."""
    asset_ids = sorted({row["asset_id"] for row in found})
    binds = {"assets": asset_ids, "known": moment(known_us)}
    papers = {row["lease_id"]: row for row in await _rows(conn, "papers", binds)}
    tenures: dict[str, list[Row]] = {}
    for row in await _rows(conn, "tenures", binds):
        tenures.setdefault(row["lease_id"], []).append(row)
    lives = {}
    for asset_id, history in (await histories(conn, asset_ids, known_us)).items():
        life = live(history, until_us=at_us)
        lives[asset_id] = life.leases if isinstance(life, Life) else {}
    return [
        ShownLease(
            papers[row["lease_id"]],
            lives[row["asset_id"]].get(row["lease_id"]) or LeaseState(term=_promise(papers[row["lease_id"]])),
            tenures.get(row["lease_id"], []),
        )
        for row in found
    ]


async def own_tenures(conn: Connection, which: LeaseFilter, after: str | None, limit: int) -> list[Row]:
    """What a lessee's scope holds of leases: its own tenure, in order of lease id."""
    binds = {
        "lease_id": which.lease_id, "asset": which.asset_id, "ends_before": moment(which.ends_before_us), "after": after,
        "limit": limit,
    }  # fmt: skip
    return await _rows(conn, "own_tenures", binds)


async def events(
    conn: Connection, lease_id: str, at_us: int | None, known_us: int | None, *, superseded: bool, after: tuple[int, str] | None,
    limit: int,
) -> list[Row]:  # fmt: skip
    """Events of a lease, earliest first; with `superseded` those too that were corrected or withdrawn."""
    binds = {
        "lease_id": lease_id, "at": moment(at_us), "known": moment(known_us), "superseded": superseded,
        "after_time": None if after is None else moment(after[0]), "after_id": None if after is None else after[1],
        "limit": limit,
    }  # fmt: skip
    return await _rows(conn, "event_list", binds)


async def parties(
    conn: Connection, lease_id: str, at_us: int | None, known_us: int | None, after: int | None, limit: int
) -> list[Row]:
    """Who stands behind a lease in which role; all there ever were, or those at an instant."""
    binds = {"lease_id": lease_id, "at": moment(at_us), "known": moment(known_us), "after": after, "limit": limit}
    return await _rows(conn, "parties", binds)


async def add_party(
    conn: Connection, tenant: str, lease_id: str, party_id: str, role: str, from_us: int | None, to_us: int | None,
    *, source: str, actor: str,
) -> None:  # fmt: skip
    """A party in a role of a lease, in a period (None: open). Lessees come by signature and novation alone."""
    binds = {
        "tenant": tenant, "lease_id": lease_id, "party_id": party_id, "role": role, "from": moment(from_us),
        "to": moment(to_us), "source": source, "actor": actor,
    }  # fmt: skip
    await conn.execute(SQL["add_party"], binds)


def paper_of(row: Row, cover: Iterable[Cover], practice: Practice = HOUSE) -> Paper:
    """A contract's row as its events are judged against; where it is silent, `practice` of the day it was to begin holds."""
    kept = stored_terms(row["terms"])
    terms = kept if isinstance(kept, Terms) else Terms()
    begin = to_datetime(row["promise_from"]).date()
    return Paper(
        lease_id=row["lease_id"], lessee=row["lessee_party_id"] or "", term=_promise(row), head=row["head"],
        parent_lease_id=row["parent_lease_id"], options=terms.extension_options, purchasable=terms.purchase_option is not None,
        notice_days=terms.redelivery.notice_days if terms.redelivery else NoticeDays(),
        required=insurances_required(terms, begin, practice), cover=tuple(cover), signed=row["signed_by_paper"],
        unreadable=kept.words if isinstance(kept, UnreadableTerms) else None,
    )  # fmt: skip


def lease_event_of(row: Row) -> LeaseEvent:
    """A row of an event as its history takes it."""
    return LeaseEvent(
        event_id=row["lease_event_id"], lease_id=row["lease_id"], kind=row["kind"], at_us=row["at"], evidence=row["evidence"]
    )


class _Change(NamedTuple):
    lease_id: str
    before: list[Row]
    after: list[Row]
    touched: list[Span]


async def _settle_tenures(conn: Connection, tenant: str, asset_id: str, life: Life) -> list[_Change]:
    """Close the tenures that are no more and write those that are, closing first: no two may stand at one instant."""
    stored = await _rows(conn, "tenures", {"assets": [asset_id], "known": None})
    papers = {row["lease_id"]: row for row in await _papers(conn, asset_id)}
    gone: list[Row] = []
    wanted: list[tuple[str, Tenure]] = []
    for lease_id, state in life.leases.items():
        if not papers[lease_id]["told"]:  # its tenure came with its paper, and no event speaks of it yet
            continue
        held = [row for row in stored if row["lease_id"] == lease_id]
        keys = {(row["lessee_party_id"], row["valid_from"], row["valid_to"]) for row in held}
        came = {(each.lessee, each.valid.from_us, each.valid.to_us) for each in state.tenures}
        gone += [row for row in held if (row["lessee_party_id"], row["valid_from"], row["valid_to"]) not in came]
        wanted += [(lease_id, each) for each in state.tenures if (each.lessee, each.valid.from_us, each.valid.to_us) not in keys]
    if gone:
        binds = {"lease_ids": [row["lease_id"] for row in gone], "revisions": [row["revision"] for row in gone]}
        await conn.execute(SQL["close_tenures"], binds)
    for lease_id, each in wanted:
        paper = papers[lease_id]
        tenure = {
            "lease_id": lease_id, "tenant": tenant, "asset_id": asset_id, "party_id": each.lessee, "form": paper["form"],
            "head": paper["head"], "from": moment(each.valid.from_us), "to": moment(each.valid.to_us),
        }  # fmt: skip
        await conn.execute(SQL["add_tenure"], tenure)
    return await _changes(
        conn, asset_id, stored, sorted({row["lease_id"] for row in gone} | {lease_id for lease_id, _ in wanted})
    )


async def _changes(conn: Connection, asset_id: str, stored: list[Row], lease_ids: Sequence[str]) -> list[_Change]:
    if not lease_ids:
        return []
    now = await _rows(conn, "tenures", {"assets": [asset_id], "known": None})
    found = []
    for lease_id in lease_ids:
        before = [row for row in stored if row["lease_id"] == lease_id]
        after = [row for row in now if row["lease_id"] == lease_id]
        touched = [
            span
            for lessee in sorted({row["lessee_party_id"] for row in (*before, *after)})
            for span in differences(_spans(before, lessee), _spans(after, lessee))
        ]
        found.append(_Change(lease_id, before, after, touched))
    return found


def _spans(rows: Iterable[Row], lessee: str) -> list[Span]:
    return [Span(row["valid_from"], row["valid_to"]) for row in rows if row["lessee_party_id"] == lessee]


async def _restatements(
    conn: Connection, change: _Change, tenant: str, asset_id: str, actor: str
) -> list[restated.Restatement]:  # fmt: skip
    months: dict[int, restated.ClosedMonth] = {}
    for span in change.touched:
        for month in await restated.closed_months(conn, change.lease_id, span.from_us, span.to_us):
            months.setdefault(month.from_us, month)
    return [
        restated.Restatement(
            tenant=tenant, lease_id=change.lease_id, asset_id=asset_id, cause="lease_corrected", month=month,
            before=_version(change.before, month), after=_version(change.after, month),
            revision=max((row["revision"] for row in (*change.after, *change.before)), default=1), actor=actor,
        )
        for _, month in sorted(months.items())
    ]  # fmt: skip


def _version(rows: Sequence[Row], month: restated.ClosedMonth) -> restated.Version:
    """The tenures that hold part of a month; where none does, the row that says so."""
    period = Span(month.from_us, month.to_us)
    inside = [row for row in rows if Span(row["valid_from"], row["valid_to"]).overlaps(period)]
    last = (inside or list(rows))[-1:]
    figures = {
        "tenures": [
            {"row": _row_name(row), "lessee": row["lessee_party_id"], "valid_from": _text(row["valid_from"]),
             "valid_to": _text(row["valid_to"])}
            for row in inside
        ]
    }  # fmt: skip
    return restated.Version(
        row=_row_name(last[0]) if last else None, recorded_us=last[0]["recorded_at"] if last else None,
        figures=figures if inside else None,
    )  # fmt: skip


def _row_name(row: Row) -> str:
    return f"lease/{row['lease_id']}/{row['revision']}"


async def _settle_lessees(conn: Connection, tenant: str, lease_id: str, state: LeaseState, actor: str) -> None:
    """Who stands as lessee follows the tenures: the first from the beginning of time, each next one from its novation."""
    if not state.tenures:
        return
    edges = [None, *(each.valid.from_us for each in state.tenures[1:]), None]
    wanted = [(each.lessee, edges[n], edges[n + 1]) for n, each in enumerate(state.tenures)]
    held = await _rows(conn, "lessees", {"lease_id": lease_id})
    keys = [(row["party_id"], row["valid_from"], row["valid_to"]) for row in held]
    if keys == wanted:
        return
    await conn.execute(SQL["close_parties"], {"ids": [row["lease_party_id"] for row in held]})
    for party_id, from_us, to_us in wanted:
        await add_party(conn, tenant, lease_id, party_id, "lessee", from_us, to_us, source="contract", actor=actor)


def _paper_of_state(row: Row, state: LeaseState) -> tuple[Any, ...]:
    signed = row["signed_on"] if row["signed_by_paper"] else None
    if state.signed_us is not None:
        signed = to_datetime(state.signed_us).date()
    void = state.ended_us is not None and not state.tenures
    return state.term.from_us, state.term.to_us, signed, void


async def _write_revision(conn: Connection, row: Row, state: LeaseState, actor: str) -> None:
    from_us, to_us, signed_on, void = _paper_of_state(row, state)
    binds = {
        "lease_id": row["lease_id"], "reference": row["reference"], "signed_on": signed_on, "term_from": moment(from_us),
        "term_to": moment(to_us), "promise_from": moment(row["promise_from"]), "promise_to": moment(row["promise_to"]),
        "void": void, "terms": staging.json(row["terms"]), "actor": actor,
    }  # fmt: skip
    await conn.execute(SQL["revise"], binds)


async def _locked(conn: Connection, lease_id: str) -> tuple[str, str]:
    found = await asset_of(conn, lease_id)
    if found is None:
        raise KeyError(lease_id)
    await lock(conn, found[1])
    return found


async def _close_events(conn: Connection, gone: frozenset[str]) -> None:
    if gone:
        await close_events(conn, gone)
        await milestones.close_events(conn, gone)


async def _papers(conn: Connection, asset_id: str) -> list[Row]:
    return await _rows(conn, "papers", {"assets": [asset_id], "known": None})


def _promise(row: Row) -> Span:
    return Span(row["promise_from"], row["promise_to"])


def _text(time_us: int | None) -> str | None:
    return None if time_us is None else to_rfc3339(time_us)


async def _rows(conn: Connection, query: str, binds: dict[str, Any]) -> list[Row]:
    return await (await conn.execute(SQL[query], binds)).fetchall()
