"""The stages of an asset's life in order, each with what began it. Pure: dated facts in, periods out.

At every instant the stage is what `fleet.stage.stage_shown` makes of the facts that hold then; the last period is the stage now.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

import msgspec

from fleet.stage import ASSET_RANKS, OWNED_STAGES, PASSAGES, Ownership, Stage, stage_shown


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
        at_us: the instant the history is told up to; a stage that lasts until then is open.

    Returns:
        Periods end to end, but for gaps in which nothing says what the asset is; empty where nothing is known.
    """
    events = sorted((each for each in happened if each.at_us <= at_us and each.kind in PASSAGES), key=_in_order)
    edges = [
        _Edge(
            at_us=each.at_us, because=each.kind, basis=each.basis, source=each.source, recorded_us=each.recorded_us,
            begins=OWNED_STAGES[PASSAGES[each.kind].target],
        )
        for each in events
    ]  # fmt: skip
    for each in held:
        if each.from_us is None or each.from_us <= at_us:
            edges.append(_edge(each, each.from_us, each.began, each.stage))
        if each.to_us is not None and each.to_us <= at_us:
            edges.append(_edge(each, each.to_us, each.ended))
    edges.sort(key=lambda edge: (edge.at_us is not None, edge.at_us or 0))
    found: list[StagePeriod] = []
    for instant_us, together in groupby(edges, key=lambda edge: edge.at_us):
        stage = _stage_at(events, held, instant_us)
        if found and found[-1].to_us is None:
            if found[-1].stage == stage:
                continue
            found[-1] = msgspec.structs.replace(found[-1], to_us=instant_us)
        if stage is not None:
            found.append(_period(stage, list(together)))
    return found


def _in_order(event: Happened) -> tuple[int, int, int]:
    return event.at_us, ASSET_RANKS[event.kind], event.recorded_us or 0


def _edge(held: Held, at_us: int | None, because: str, begins: str | None = None) -> _Edge:
    return _Edge(
        at_us=at_us, because=because, basis="reported", source=held.source, recorded_us=held.recorded_us, begins=begins
    )  # fmt: skip


def _period(stage: str, edges: Sequence[_Edge]) -> StagePeriod:
    """What holds after all facts of one instant, named by the one that begins it."""
    edge = next((edge for edge in reversed(edges) if edge.begins == stage), edges[0])
    return StagePeriod(
        stage=stage, from_us=edge.at_us, to_us=None, because=edge.because, basis=edge.basis, source=edge.source,
        recorded_us=edge.recorded_us,
    )  # fmt: skip


def _stage_at(events: Sequence[Happened], held: Sequence[Held], at_us: int | None) -> Stage | None:
    """The stage at an instant (None: before all time)."""
    phase: Ownership | None = None
    for each in events:
        if at_us is not None and each.at_us <= at_us:
            phase = PASSAGES[each.kind].target
    leased = any(each.stage == "on_lease" and _begun(each, at_us) for each in held)
    return stage_shown(phase, {each.stage for each in held if _holds(each, at_us)}, leased=leased)


def _begun(each: Held, at_us: int | None) -> bool:
    return each.from_us is None or (at_us is not None and each.from_us <= at_us)


def _holds(each: Held, at_us: int | None) -> bool:
    return _begun(each, at_us) and (each.to_us is None or at_us is None or at_us < each.to_us)
