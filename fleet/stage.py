"""An asset's life from its events: the ownership axis, the leases (`fleet.lease_phase`), open statuses, and the stage shown.

Maintenance and storage happen during a lease, so there is no one status: three axes, and a stage derived from them by the first
match (domain.md 5.2). Only events are stored; everything here is a function of them. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal

import msgspec

from fleet.dated import Span
from fleet.lease_phase import (
    BOUND,
    ENDED,
    HELD,
    RANKS,
    LeaseEvent,
    LeaseState,
    Paper,
    Refusal,
    Standing,
    step,
)

Ownership = Literal[
    "ordered", "under_construction", "completed", "owned", "order_cancelled", "sold", "scrapped", "total_loss"
]  # fmt: skip
Stage = Literal[
    "order_cancelled", "scrapped", "sold", "total_loss", "in_maintenance", "stored", "on_lease", "delivered", "off_lease",
    "built", "under_construction", "ordered",
]  # fmt: skip


class AssetEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to an asset at an instant (microseconds UTC), with what proves it."""

    event_id: str
    kind: str
    at_us: int
    evidence: dict[str, Any] = {}


class Passage(msgspec.Struct, frozen=True):
    """Where on the ownership axis an event may start from, where it leads, and the document it takes.

    An axis that was never begun (None) may begin anywhere: what came before was not recorded.
    """

    sources: tuple[Ownership, ...]
    target: Ownership
    document: str | None = None


PASSAGES: dict[str, Passage] = {
    "order_placed": Passage((), "ordered"),
    "order_cancelled": Passage(("ordered", "under_construction", "completed"), "order_cancelled"),
    "keel_laid": Passage(("ordered",), "under_construction"),
    "assembly_started": Passage(("ordered",), "under_construction"),
    "completed": Passage(("under_construction",), "completed", "built_on"),
    "manufacturer_delivery": Passage(("completed",), "owned", "title_document"),
    "purchased": Passage((), "owned", "title_document"),
    "sold": Passage(("owned",), "sold"),
    "scrapped": Passage(("owned",), "scrapped"),
    "total_loss": Passage(("owned",), "total_loss"),
}
"""The ownership axis (domain.md 5.2). `purchased` is from somebody else's fleet, as in a sale and leaseback."""

STATUSES = {
    "maintenance": "in_maintenance", "storage": "stored", "layup": "laid_up", "aog": "aog", "detention": "detained",
}  # fmt: skip
"""Statuses that begin and end by events (`maintenance_started`, `maintenance_ended`), and what the asset then is."""

STATUS_STAGES: dict[str, Stage] = {"maintenance": "in_maintenance", "storage": "stored", "layup": "stored"}
"""Statuses that are shown as a stage while they are open; the others of `STATUSES` are not."""

OWNED_STAGES: dict[Ownership | None, Stage] = {
    "owned": "delivered", "completed": "built", "under_construction": "under_construction", "ordered": "ordered",
    "order_cancelled": "order_cancelled", "sold": "sold", "scrapped": "scrapped", "total_loss": "total_loss",
}  # fmt: skip
"""What an ownership phase is shown as where no lease and no status says otherwise."""

REMARKS = ("launched", "sea_trial", "first_flight", "departed_yard", "survey_passed", "offer_received")
"""Milestones that are kept and shown but move no axis."""

BASES = ("contract", "reported", "observed")
"""What an asset's milestone rests on. Only reported ones move the axes: a promise is none, and an observation asks a person."""

EVENT_KINDS = (
    *PASSAGES, *REMARKS, *(f"{status}_{edge}" for status in STATUSES for edge in ("started", "ended")),
)  # fmt: skip

ASSET_RANKS: dict[str, int] = {
    "order_placed": 0, "keel_laid": 1, "assembly_started": 1, "completed": 3, "order_cancelled": 4, "manufacturer_delivery": 5,
    "purchased": 5, "sold": 60, "scrapped": 60, "total_loss": 81,
}  # fmt: skip
"""Order of an asset's events of one instant, among `fleet.lease_phase.RANKS`; statuses come between sales and new leases."""

_STATUS_RANK = 65


class History(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was told of an asset: its leases' papers, the events in the order they were recorded, shop visits.

    `asset_events` are the reported ones; `maintenance` when it was in a shop, a yard or a dock; `built` whether a year of
    build is known.
    """

    papers: Mapping[str, Paper] = {}
    lease_events: tuple[LeaseEvent, ...] = ()
    asset_events: tuple[AssetEvent, ...] = ()
    maintenance: tuple[Span, ...] = ()
    built: bool = False


class Life(msgspec.Struct, kw_only=True):
    """What an asset's events came to: where it stands on each axis."""

    ownership: Ownership | None = None
    leases: dict[str, LeaseState] = {}
    statuses: frozenset[str] = frozenset()

    def head(self, history: History) -> LeaseState | None:
        """The head lease under which somebody has the asset, None where nobody does."""
        held = [state for lease_id, state in self.leases.items() if state.held and history.papers[lease_id].head]
        return held[0] if held else None


def live(history: History, *, until_us: int | None = None, entered: frozenset[str] = frozenset()) -> Life | Refusal:
    """Go through the events in order of time, as far as `until` (inclusive; None: all of them).

    Events of one instant go in the order of `RANKS`: title first, then ends of leases, sales, new leases (a sale and leaseback is
    bought, signed and delivered in one instant). Documents are asked of the events in `entered` alone.

    Returns:
        Where everything stands, or the first event that cannot have happened as told.
    """
    life = Life(
        leases={
            lease_id: LeaseState(phase="signed" if paper.signed else "draft", term=paper.term)
            for lease_id, paper in history.papers.items()
        }
    )
    for event in _in_order(history):
        if until_us is not None and event.at_us > until_us:
            break
        refusal = _step(history, life, event, event.event_id in entered)
        if refusal is not None:
            return refusal
    if until_us is not None and any(span.holds(until_us) for span in history.maintenance):
        life.statuses |= {"maintenance"}
    return life


def enter(history: History, event: LeaseEvent | AssetEvent) -> tuple[History, list[LeaseEvent]] | Refusal:
    """The history with one more event and what follows from it, or why it cannot be.

    A total loss ends every lease, a sale hands the leases over (`novation_agreement` in its evidence) or fulfils a purchase
    option; the end of a lease by default ends those out of it.

    Returns:
        The new history, and the events that follow from the given one, ids beginning with its own.
    """
    before = live(history, until_us=event.at_us)
    if isinstance(before, Refusal):
        return before
    following = _following(history, before, event)
    if isinstance(event, AssetEvent):
        after = msgspec.structs.replace(
            history, asset_events=(*history.asset_events, event), lease_events=(*history.lease_events, *following)
        )  # fmt: skip
    else:
        after = msgspec.structs.replace(history, lease_events=(*history.lease_events, *following, event))
    found = live(after, entered=frozenset({event.event_id}))
    return found if isinstance(found, Refusal) else (after, following)


def stage_of(life: Life, history: History) -> Stage | None:
    """The stage to show; None where nothing was ever told of the asset's life."""
    under_way = {STATUS_STAGES[status] for status in life.statuses if status in STATUS_STAGES}
    if life.head(history) is not None:
        under_way.add("on_lease")
    leased = any(state.delivered_us is not None for lease_id, state in life.leases.items() if history.papers[lease_id].head)
    return stage_shown(life.ownership, under_way, leased=leased)


def stage_shown(ownership: Ownership | None, under_way: Collection[str], *, leased: bool) -> Stage | None:
    """The stage that three axes come to, first match (domain.md 5.2); None where none of them says anything.

    Args:
        ownership: where the asset stands on the ownership axis.
        under_way: which of `in_maintenance`, `stored`, `on_lease` are the case.
        leased: whether a head lease ever began.
    """
    if ownership in ENDED:
        return OWNED_STAGES[ownership]
    stages: tuple[Stage, ...] = ("in_maintenance", "stored", "on_lease")
    for stage in stages:
        if stage in under_way:
            return stage
    return "off_lease" if leased else OWNED_STAGES.get(ownership)


def operating_status(statuses: Collection[str], heard: str | None) -> str | None:
    """The operating status: what events say of it (open ones of `STATUSES`), else what readings say (domain.md 5.2)."""
    for status in ("detention", "maintenance", "aog", "layup", "storage"):
        if status in statuses:
            return STATUSES[status]
    return heard


def _in_order(history: History) -> list[LeaseEvent | AssetEvent]:
    """Events by time, then rank; in one instant a sublease ends before and begins after the lease that it is out of."""

    def key(event: LeaseEvent | AssetEvent) -> tuple[int, int, bool]:
        rank = (RANKS if isinstance(event, LeaseEvent) else ASSET_RANKS).get(event.kind, _STATUS_RANK)
        paper = history.papers.get(event.lease_id) if isinstance(event, LeaseEvent) else None
        begins = RANKS["lease_signed"] <= rank <= RANKS["lease_delivery"]
        return event.at_us, rank, paper is not None and paper.head != begins

    told: list[LeaseEvent | AssetEvent] = [*history.lease_events, *history.asset_events]
    return sorted(told, key=key)


def _step(history: History, life: Life, event: LeaseEvent | AssetEvent, entered: bool) -> Refusal | None:
    if life.ownership in ENDED:
        return _refused(event, life.ownership, "ownership_ended", f"the asset is {life.ownership}; only corrections are possible")
    if isinstance(event, LeaseEvent):
        paper = history.papers.get(event.lease_id)
        if paper is None:
            return _refused(event, None, "lease", "there is no such lease of the asset")
        found = step(
            Standing(
                event=event, paper=paper, state=life.leases[event.lease_id], papers=history.papers, states=life.leases,
                ownership=life.ownership, entered=entered,
            )
        )  # fmt: skip
        if isinstance(found, Refusal):
            return found
        life.leases[event.lease_id] = found
        return None
    if event.kind in PASSAGES:
        return _pass(history, life, event, entered)
    return _status(life, event)


def _pass(history: History, life: Life, event: AssetEvent, entered: bool) -> Refusal | None:
    passage = PASSAGES[event.kind]
    if life.ownership is not None and life.ownership not in passage.sources:
        wanted = " or ".join(passage.sources) or "not ours yet"
        return _refused(event, life.ownership, "phase", f"{event.kind} needs an asset that is {wanted}, not {life.ownership}")
    if entered and passage.document is not None:
        given = event.evidence.get(passage.document)
        known = passage.document == "built_on" and history.built
        if not known and not (isinstance(given, str) and given.strip()):
            return _refused(event, life.ownership, passage.document, f"evidence needs {passage.document}")
    if passage.target in {"sold", "scrapped", "total_loss"}:
        for lease_id, state in life.leases.items():
            if state.phase in BOUND:
                return _refused(event, life.ownership, "lease_active", f"lease {lease_id} is {state.phase}")
    life.ownership = passage.target
    return None


def _status(life: Life, event: AssetEvent) -> Refusal | None:
    status, _, edge = event.kind.rpartition("_")
    if event.kind in REMARKS:
        return None
    if status not in STATUSES or edge not in {"started", "ended"}:
        return _refused(event, None, "kind", f"{event.kind} is no event of an asset")
    if edge == "started" and status in life.statuses:
        return _refused(event, life.ownership, "status_open", f"{status} has started already")
    if edge == "ended" and status not in life.statuses:
        return _refused(event, life.ownership, "status_not_open", f"{status} had not started")
    life.statuses = life.statuses | {status} if edge == "started" else life.statuses - {status}
    return None


def _refused(event: LeaseEvent | AssetEvent, phase: str | None, guard: str, reason: str) -> Refusal:
    return Refusal(
        event_id=event.event_id, kind=event.kind, at_us=event.at_us, phase=phase, guard=guard, reason=reason,
        lease_id=event.lease_id if isinstance(event, LeaseEvent) else None,
    )  # fmt: skip


def _following(history: History, before: Life, event: LeaseEvent | AssetEvent) -> list[LeaseEvent]:
    """What an event brings about in leases: subleases first, for they stand on what ends."""
    if isinstance(event, LeaseEvent):
        if event.kind != "termination_default":
            return []
        ending = [
            lease_id for lease_id, state in before.leases.items()
            if history.papers[lease_id].parent_lease_id == event.lease_id and state.phase in HELD
        ]  # fmt: skip
        return [_follow(event, lease_id, "termination_default") for lease_id in ending]
    if event.kind not in {"sold", "total_loss"}:
        return []
    bound = sorted(
        (lease_id for lease_id, state in before.leases.items() if state.phase in BOUND),
        key=lambda lease_id: history.papers[lease_id].head,
    )  # fmt: skip
    if event.kind == "total_loss":
        return [_follow(event, lease_id, "total_loss") for lease_id in bound]
    found = []
    for lease_id in bound:
        if before.leases[lease_id].purchase_noticed:
            found.append(_follow(event, lease_id, "purchase"))
        elif event.evidence.get("novation_agreement"):
            found.append(_follow(event, lease_id, "transfer"))
    return found


def _follow(event: LeaseEvent | AssetEvent, lease_id: str, kind: str) -> LeaseEvent:
    evidence = {"follows_from": event.event_id}
    return LeaseEvent(event_id=f"{event.event_id}/{lease_id}", lease_id=lease_id, kind=kind, at_us=event.at_us, evidence=evidence)
