"""The lease's own axis: from draft to its end, by events and their guards. Pure: what stands comes in, what follows goes out.

A lease ends by an event, not by its date: beyond the term it is in holdover. Tenure (who has the asset when) is what the events
make of it, so a correction of an event corrects the tenure (domain.md 5.2 and 5.3). What is not allowed is a `Refusal`, a value.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Literal

import msgspec

from fleet.dated import Span
from fleet.instants import DAY_US, from_datetime, to_datetime, to_rfc3339
from fleet.lease import ExtensionOption, NoticeDays

Phase = Literal[
    "draft", "signed", "active", "redelivery_notice", "holdover", "redelivered", "terminated_default",
    "cancelled_before_delivery", "total_loss_terminated", "purchased", "transferred",
]  # fmt: skip

HELD: tuple[Phase, ...] = ("active", "redelivery_notice", "holdover")
"""Phases in which the lessee has the asset."""

BOUND: tuple[Phase, ...] = ("signed", *HELD)
"""Phases in which both sides are bound."""

PERIOD = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?")


class LeaseEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to a lease at an instant (microseconds UTC), with what proves it."""

    event_id: str
    lease_id: str
    kind: str
    at_us: int
    evidence: dict[str, Any] = {}


class Cover(msgspec.Struct, frozen=True):
    """Insurance of a kind in a period."""

    kind: str
    valid: Span


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """What the events of a lease are judged against: the contract as it is on paper.

    `term` is what was promised, before options; `required` the kinds of cover asked for at delivery; `lessee` who signed. With
    `signed` its day of signature is known and no event tells it. `unreadable` says why the terms cannot be read (None: they can):
    then no event is entered, and those that were are believed without asking the terms.
    """

    lease_id: str
    lessee: str
    term: Span
    head: bool = True
    parent_lease_id: str | None = None
    options: tuple[ExtensionOption, ...] = ()
    purchasable: bool = False
    notice_days: NoticeDays = NoticeDays()
    required: tuple[str, ...] = ("hull",)
    cover: tuple[Cover, ...] = ()
    signed: bool = False
    unreadable: str | None = None


class Tenure(msgspec.Struct, frozen=True):
    """Who had the asset, and when; an open end while it lasts."""

    lessee: str
    valid: Span


class LeaseState(msgspec.Struct, frozen=True, kw_only=True):
    """A lease after its events. `term` is the promise with options, cut where the lease ended before it."""

    phase: Phase = "draft"
    term: Span
    tenures: tuple[Tenure, ...] = ()
    signed_us: int | None = None
    delivered_us: int | None = None
    ended_us: int | None = None
    exercised: tuple[int, ...] = ()
    purchase_noticed: bool = False
    repossessed: bool = False

    @property
    def held(self) -> bool:
        """Whether the lessee has the asset."""
        return self.phase in HELD


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why an event cannot have happened as told: the guard that stands against it, and a sentence.

    `phase` is that of the axis it was tried on; `event_id` names the event that became impossible, which after a correction may
    be a later one than the corrected.
    """

    event_id: str
    kind: str
    at_us: int
    lease_id: str | None
    phase: str | None
    guard: str
    reason: str


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What a step is judged on: the event, its lease's paper and state, the other leases, the ownership, and whether it is new.

    Documents are asked for when an event is entered, not again whenever the history is read.
    """

    event: LeaseEvent
    paper: Paper
    state: LeaseState
    papers: Mapping[str, Paper]
    states: Mapping[str, LeaseState]
    ownership: str | None
    entered: bool


Guard = Callable[[Standing], str | None]


class Transition(msgspec.Struct, frozen=True):
    """Where an event may start from, where it leads (None: stays), and its guards by name."""

    sources: tuple[Phase, ...]
    target: Phase | None
    guards: tuple[str, ...] = ()


TRANSITIONS: dict[str, Transition] = {
    "lease_signed": Transition(("draft",), "signed", ("not_lost", "no_overlap", "inside_parent")),
    "cancellation": Transition(("draft", "signed"), "cancelled_before_delivery"),
    "lease_delivery": Transition(
        ("signed",), "active", ("owned", "asset_free", "parent_holds", "acceptance_certificate", "insurance_in_force")
    ),
    "default_notice": Transition(HELD, None),
    "extension_exercised": Transition(("signed", *HELD), None, ("option_open", "option_deadline", "extension_free")),
    "purchase_option_exercised": Transition(HELD, None, ("purchase_option",)),
    "novation": Transition(HELD, None, ("other_lessee", "after_delivery", "novation_agreement")),
    "redelivery_notice": Transition(("active",), "redelivery_notice"),
    "holdover": Transition(("active", "redelivery_notice"), "holdover", ("term_over",)),
    "redelivery": Transition(HELD, "redelivered", ("after_delivery", "subleases_ended", "redelivery_certificate")),
    "termination_default": Transition(HELD, "terminated_default", ("after_delivery", "subleases_ended")),
    "repossession": Transition(("terminated_default",), None),
    "total_loss": Transition(BOUND, "total_loss_terminated", ("after_delivery", "subleases_ended")),
    "purchase": Transition(HELD, "purchased", ("after_delivery", "subleases_ended")),
    "transfer": Transition(BOUND, "transferred", ("after_delivery", "subleases_ended")),
}
"""The transition table of domain.md 5.2, with its side exits. `purchase` and `transfer` end our lease with our title: to the
lessee by option, to a buyer by novation of the lessor; they and `total_loss` follow from what happens to the asset."""

GUARDS_OF_TERMS = ("insurance_in_force", "option_open", "option_deadline", "extension_free", "purchase_option")
"""Guards that ask the terms of the lease."""

FOLLOWS = ("purchase", "transfer", "total_loss")
"""Events that nobody enters by hand: they follow from an event of the asset."""

RANKS = {
    "default_notice": 40, "redelivery_notice": 40, "purchase_option_exercised": 41, "novation": 42, "holdover": 43,
    "redelivery": 50, "termination_default": 50, "repossession": 51, "purchase": 52, "transfer": 52, "lease_signed": 70,
    "cancellation": 71, "extension_exercised": 71, "lease_delivery": 72, "total_loss": 80,
}  # fmt: skip
"""Order of events of one instant: a lease ends before the next begins; title changes hands in between (`fleet.stage`)."""

PHASE_AFTER: dict[str, Phase] = {kind: step.target for kind, step in TRANSITIONS.items() if step.target is not None}
"""The phase that an event leads to; events that are absent leave it as it was."""


def warnings(paper: Paper, event: LeaseEvent) -> list[str]:
    """What is odd about an event but does not stop it: `notice_late`, a notice with fewer days left than the paper asks for.

    domain.md 5.2: the notice days are checked as a warning, they do not block.
    """
    days = (*paper.notice_days.approximate, *paper.notice_days.definite)
    if event.kind != "redelivery_notice" or paper.term.to_us is None or not days:
        return []
    return ["notice_late"] if event.at_us > paper.term.to_us - max(days) * DAY_US else []


def step(standing: Standing) -> LeaseState | Refusal:
    """The lease after an event, or why not: the wrong phase (`guard` is `phase`), or the first guard that stands against it."""
    event, state = standing.event, standing.state
    found = TRANSITIONS.get(event.kind)
    if found is None:
        return _refused(standing, "kind", f"{event.kind} is no event of a lease")
    if state.phase not in found.sources:
        return _refused(standing, "phase", f"{event.kind} needs a lease that is {' or '.join(found.sources)}, not {state.phase}")
    if standing.entered and standing.paper.unreadable is not None:
        return _refused(standing, "terms_readable", f"the terms of the lease cannot be read: {standing.paper.unreadable}")
    for guard in found.guards:
        if standing.paper.unreadable is not None and guard in GUARDS_OF_TERMS:
            continue
        reason = GUARDS[guard](standing)
        if reason is not None:
            return _refused(standing, guard, reason)
    return _after(standing, found)


def extended(end_us: int, period: str) -> int:
    """An end moved by a period of years, months, days (`P1Y6M`); the day is clamped to the month's last (golden SH14's rule)."""
    found = PERIOD.fullmatch(period)
    assert found is not None  # noqa: S101 - `fleet.lease.Period` lets nothing else in
    years, months, days = (int(part or 0) for part in found.groups())
    moment = to_datetime(end_us)
    month = moment.month - 1 + years * 12 + months
    year, month = moment.year + month // 12, month % 12 + 1
    day = min(moment.day, monthrange(year, month)[1])
    return from_datetime(moment.replace(year=year, month=month, day=day) + timedelta(days=days))


def _refused(standing: Standing, guard: str, reason: str) -> Refusal:
    event = standing.event
    return Refusal(
        event_id=event.event_id, kind=event.kind, at_us=event.at_us, lease_id=event.lease_id, phase=standing.state.phase,
        guard=guard, reason=reason,
    )  # fmt: skip


def _after(standing: Standing, found: Transition) -> LeaseState:
    event, state = standing.event, standing.state
    changed: dict[str, Any] = {} if found.target is None else {"phase": found.target}
    if event.kind == "lease_signed":
        changed["signed_us"] = event.at_us
    elif event.kind == "lease_delivery":
        begin = state.term.from_us
        earliest = event.at_us if begin is None else min(begin, event.at_us)
        changed |= {
            "delivered_us": event.at_us, "term": Span(earliest, state.term.to_us),
            "tenures": (Tenure(standing.paper.lessee, Span(event.at_us, None)),),
        }  # fmt: skip
    elif event.kind == "novation":
        last = state.tenures[-1]
        follows = Tenure(str(event.evidence["lessee_party_id"]), Span(event.at_us, None))
        changed["tenures"] = (*state.tenures[:-1], Tenure(last.lessee, Span(last.valid.from_us, event.at_us)), follows)
    elif event.kind == "extension_exercised" and standing.paper.unreadable is None:
        number = option_of(standing)
        assert number is not None and state.term.to_us is not None  # noqa: S101, PT018 - its guards have looked
        until_us = extended(state.term.to_us, standing.paper.options[number].period)
        changed |= {"exercised": (*state.exercised, number), "term": Span(state.term.from_us, until_us)}
    elif event.kind == "purchase_option_exercised":
        changed["purchase_noticed"] = True
    elif event.kind == "repossession":
        changed["repossessed"] = True
    elif found.target is not None and found.target not in BOUND:
        changed |= _ended(state, event.at_us)
    return msgspec.structs.replace(state, **changed)


def _ended(state: LeaseState, at_us: int) -> dict[str, Any]:
    begin, end = state.term.from_us, state.term.to_us
    cut = at_us if end is None else min(end, at_us)
    changed: dict[str, Any] = {"ended_us": at_us}
    if begin is None or begin < cut:
        changed["term"] = Span(begin, cut)
    if state.tenures:
        last = state.tenures[-1]
        changed["tenures"] = (*state.tenures[:-1], Tenure(last.lessee, Span(last.valid.from_us, at_us)))
    return changed


def option_of(standing: Standing) -> int | None:
    """Which extension option an event exercises: the one it names (`option`, from 0), else the first that is open."""
    named = standing.event.evidence.get("option")
    open_ones = [
        number for number, option in enumerate(standing.paper.options)
        if number not in standing.state.exercised and not option.exercised
    ]  # fmt: skip
    if named is None:
        return open_ones[0] if open_ones else None
    return named if named in open_ones and not isinstance(named, bool) else None


def _others(standing: Standing) -> list[tuple[str, Paper, LeaseState]]:
    own = standing.event.lease_id
    return [
        (lease_id, standing.papers[lease_id], state) for lease_id, state in standing.states.items() if lease_id != own
    ]  # fmt: skip


def _clash(standing: Standing, wanted: Span) -> str | None:
    """The signed head lease that promises an instant of a span already; a cancelled one promises nothing."""
    if not standing.paper.head:
        return None
    for lease_id, paper, state in _others(standing):
        promises = state.phase in BOUND or state.tenures
        if paper.head and promises and state.term.overlaps(wanted):
            return f"lease {lease_id} is {state.phase} and promises part of that time"
    return None


def _not_lost(standing: Standing) -> str | None:
    return None if standing.ownership not in ENDED else f"the asset is {standing.ownership}"


ENDED = ("sold", "scrapped", "total_loss", "order_cancelled")
"""Ownership phases after which nothing can happen to an asset of ours (`fleet.stage`)."""


def _inside_parent(standing: Standing) -> str | None:
    parent_id = standing.paper.parent_lease_id
    if parent_id is None:
        return None
    parent = standing.states.get(parent_id)
    if parent is None or parent.phase not in BOUND:
        return f"the lease it is out of ({parent_id}) is {'not there' if parent is None else parent.phase}"
    return None if standing.state.term.within(parent.term) else "its term reaches beyond that of the lease it is out of"


def _owned(standing: Standing) -> str | None:
    if standing.ownership in {None, "owned"}:  # None: when it came to us was never recorded, and nothing speaks against it
        return None
    return f"the asset is {standing.ownership}, not owned, at {to_rfc3339(standing.event.at_us)}"


def _asset_free(standing: Standing) -> str | None:
    if not standing.paper.head:
        return None
    for lease_id, paper, state in _others(standing):
        if paper.head and any(tenure.valid.overlaps(Span(standing.event.at_us, None)) for tenure in state.tenures):
            return f"the asset is under lease {lease_id}"
    return None


def _parent_holds(standing: Standing) -> str | None:
    parent_id = standing.paper.parent_lease_id
    if parent_id is None:
        return None
    parent = standing.states.get(parent_id)
    return None if parent is not None and parent.held else f"the lease it is out of ({parent_id}) is not active"


def _document(name: str) -> Guard:
    def asked(standing: Standing) -> str | None:
        given = standing.event.evidence.get(name)
        return None if not standing.entered or (isinstance(given, str) and given.strip()) else f"evidence needs {name}"

    return asked


def _insurance_in_force(standing: Standing) -> str | None:
    if not standing.entered or _document("insurance_certificate")(standing) is None:
        return None
    held = {cover.kind for cover in standing.paper.cover if cover.valid.holds(standing.event.at_us)}
    missing = [kind for kind in standing.paper.required if kind not in held]
    return f"no cover in force of kind {', '.join(missing)}" if missing else None


def _option_open(standing: Standing) -> str | None:
    if option_of(standing) is None:
        return "the lease has no such extension option, or it was exercised"
    return None if standing.state.term.to_us is not None else "the term has no end to extend"


def _option_deadline(standing: Standing) -> str | None:
    if not standing.entered or _document("lessor_consent")(standing) is None:
        return None
    number = option_of(standing)
    assert number is not None  # noqa: S101 - option_open stands before
    notice_by = standing.paper.options[number].notice_by
    late = to_datetime(standing.event.at_us).date() > notice_by
    return f"notice was due by {notice_by.isoformat()}; later it takes evidence lessor_consent" if late else None


def _extension_free(standing: Standing) -> str | None:
    number = option_of(standing)
    end_us = standing.state.term.to_us
    assert number is not None and end_us is not None  # noqa: S101, PT018 - option_open stands before
    return _clash(standing, Span(end_us, extended(end_us, standing.paper.options[number].period)))


def _purchase_option(standing: Standing) -> str | None:
    return None if standing.paper.purchasable else "the lease has no purchase option"


def _other_lessee(standing: Standing) -> str | None:
    given = standing.event.evidence.get("lessee_party_id")
    if not isinstance(given, str):
        return "evidence needs lessee_party_id, who takes the lease over"
    return "that is the lessee already" if given == standing.state.tenures[-1].lessee else None


def _after_delivery(standing: Standing) -> str | None:
    if not standing.state.tenures:
        return None
    began_us = standing.state.tenures[-1].valid.from_us
    late = began_us is None or standing.event.at_us > began_us
    return None if late else f"the tenure it ends began at {to_rfc3339(began_us)}"  # type: ignore[arg-type]


def _term_over(standing: Standing) -> str | None:
    end_us = standing.state.term.to_us
    if end_us is None or standing.event.at_us < end_us:
        return "the term is not over" + ("" if end_us is None else f" before {to_rfc3339(end_us)}")
    return None


def _subleases_ended(standing: Standing) -> str | None:
    for lease_id, paper, state in _others(standing):
        if paper.parent_lease_id == standing.event.lease_id and state.held:
            return f"sublease {lease_id} is {state.phase}"
    return None


GUARDS: dict[str, Guard] = {
    "not_lost": _not_lost,
    "no_overlap": lambda standing: _clash(standing, standing.state.term),
    "inside_parent": _inside_parent,
    "owned": _owned,
    "asset_free": _asset_free,
    "parent_holds": _parent_holds,
    "acceptance_certificate": _document("acceptance_certificate"),
    "insurance_in_force": _insurance_in_force,
    "option_open": _option_open,
    "option_deadline": _option_deadline,
    "extension_free": _extension_free,
    "purchase_option": _purchase_option,
    "other_lessee": _other_lessee,
    "novation_agreement": _document("novation_agreement"),
    "after_delivery": _after_delivery,
    "term_over": _term_over,
    "redelivery_certificate": _document("redelivery_certificate"),
    "subleases_ended": _subleases_ended,
}
"""What must hold, by name; each answers None or the sentence that goes into the refusal (domain.md 5.2, column Guard)."""
