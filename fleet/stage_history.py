"""The stages of an asset's life in order, each with what began it. Pure: dated facts in, periods out.

At every instant the display stage is the first that holds of domain.md 5.2's list: an end (scrapped, sold, total_loss) ·
in_maintenance · stored · on_lease · delivered (owned, no lease begun yet) · off_lease · built · under_construction · ordered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from fleet.stage import PASSAGES

ENDED = ("scrapped", "sold", "total_loss", "order_cancelled")
SHOWN: dict[str, str] = {"owned": "delivered", "completed": "built"}
"""The stage that an ownership phase is shown as where no lease and no status says otherwise; others by their own name."""


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """An ownership event that happened: not a promise. `basis`, `source` and `recorded_us` go with it into the period."""

    kind: str
    at_us: int
    basis: str
    source: str
    recorded_us: int | None = None


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch that an asset was leased, stored or in maintenance, half-open; None is open. `began`, `ended` name its edges."""

    stage: str
    from_us: int | None
    to_us: int | None
    began: str
    ended: str
    source: str
    recorded_us: int | None = None


class StagePeriod(msgspec.Struct, frozen=True, kw_only=True):
    """A stage in [from_us, to_us), None open, and the event that began it."""

    stage: str
    from_us: int | None
    to_us: int | None
    because: str
    basis: str
    source: str
    recorded_us: int | None


class _Edge(msgspec.Struct, frozen=True, kw_only=True):
    at_us: int | None
    because: str
    basis: str
    source: str
    recorded_us: int | None
    begins: str | None = None


def stage_history(happened: Iterable[Happened], held: Sequence[Held], at_us: int) -> list[StagePeriod]:
    """Every stage up to an instant, earliest first; periods of the same stage that touch are one.

    Args:
        happened: ownership events, any order; those after `at_us` are left out.
        held: tenures of head leases (`on_lease`), storage and lay-up (`stored`), maintenance (`in_maintenance`).
        at_us: the instant the history is told up to; the last period is open.

    Returns:
        Periods end to end from the first fact on; empty where nothing is known.
    """
    events = sorted((each for each in happened if each.at_us <= at_us), key=lambda each: (each.at_us, each.recorded_us or 0))
    edges = [
        _Edge(at_us=each.at_us, because=each.kind, basis=each.basis, source=each.source, recorded_us=each.recorded_us)
        for each in events
    ]
    for each in held:
        if each.from_us is None or each.from_us <= at_us:
            edges.append(_edge(each, each.from_us, each.began, each.stage))
        if each.to_us is not None and each.to_us <= at_us:
            edges.append(_edge(each, each.to_us, each.ended))
    edges.sort(key=lambda edge: (edge.at_us is not None, edge.at_us or 0))
    found: list[StagePeriod] = []
    for edge in edges:
        stage = _stage_at(events, held, edge.at_us)
        if stage is None:
            continue
        same_instant = bool(found) and found[-1].from_us == edge.at_us
        if found and found[-1].stage == stage and not (same_instant and edge.begins == stage):
            continue
        if same_instant:  # two facts of one instant: what holds after both counts, named by the one that begins it
            found.pop()
            if found and found[-1].stage == stage:
                found[-1] = msgspec.structs.replace(found[-1], to_us=None)
                continue
        if found:
            found[-1] = msgspec.structs.replace(found[-1], to_us=edge.at_us)
        found.append(_period(stage, edge))
    return found


def _edge(held: Held, at_us: int | None, because: str, begins: str | None = None) -> _Edge:
    return _Edge(
        at_us=at_us, because=because, basis="reported", source=held.source, recorded_us=held.recorded_us, begins=begins
    )  # fmt: skip


def _period(stage: str, edge: _Edge) -> StagePeriod:
    return StagePeriod(
        stage=stage, from_us=edge.at_us, to_us=None, because=edge.because, basis=edge.basis, source=edge.source,
        recorded_us=edge.recorded_us,
    )  # fmt: skip


def _stage_at(events: Sequence[Happened], held: Sequence[Held], at_us: int | None) -> str | None:
    """The display stage at an instant (None: before all time), by the first that holds."""
    phase = None
    for each in events:
        if at_us is not None and each.at_us <= at_us:
            phase = PASSAGES[each.kind].target if each.kind in PASSAGES else phase
    if phase in ENDED:
        return phase
    for stage in ("in_maintenance", "stored", "on_lease"):
        if any(each.stage == stage and _holds(each, at_us) for each in held):
            return stage
    begun = any(each.stage == "on_lease" and _begun(each, at_us) for each in held)
    if begun:
        return "off_lease"
    if phase is None and any(each.stage == "in_maintenance" and _begun(each, at_us) for each in held):
        return "off_lease"
    return SHOWN.get(phase or "", phase)


def _begun(each: Held, at_us: int | None) -> bool:
    return each.from_us is None or (at_us is not None and each.from_us <= at_us)


def _holds(each: Held, at_us: int | None) -> bool:
    return _begun(each, at_us) and (each.to_us is None or at_us is None or at_us < each.to_us)
