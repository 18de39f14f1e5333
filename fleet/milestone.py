"""Milestones of an asset's life, as promised, as reported and as observed, side by side. Pure.

A contract promises an instant, a certificate reports one, and what was heard shows one; they are three facts and none of them
replaces another. Here they are paired, so that "contract says delivered 3 May; departed the yard 1 May" is one line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Literal

import msgspec

from fleet.instants import DAY_US, to_datetime
from fleet.practice import Figure

Basis = Literal["contract", "reported", "observed"]
BASES: tuple[Basis, ...] = ("contract", "reported", "observed")
"""Promised by a paper, told by a person or a certificate, seen in readings."""

OBSERVED_WITHIN_D = "milestone.observed_within_d"
FIGURES: tuple[Figure, ...] = (
    Figure(
        name=OBSERVED_WITHIN_D, value=30,
        source="chosen, see DECISIONS 142: a departure or arrival further from a handover than this is another one",
    ),
)  # fmt: skip

# The movement that a handover shows in: who takes an asset over leaves with it, who gives it back arrives (DECISIONS 142).
SHOWN_BY: dict[str, Literal["departure", "arrival"]] = {
    "manufacturer_delivery": "departure", "lease_delivery": "departure", "redelivery": "arrival",
}  # fmt: skip

SHOWS: dict[str, tuple[str, str, str]] = {"departed_yard": ("manufacturer_delivery", "departure", "the yard")}
"""Observed events that are one side of another milestone: which one, by which movement, and the place where none is named."""

WORDS: dict[str, str] = {
    "order_placed": "ordered", "order_cancelled": "order cancelled", "keel_laid": "keel laid",
    "assembly_started": "assembly started",
    "completed": "completed", "manufacturer_delivery": "delivered by the maker", "lease_signed": "lease signed",
    "lease_delivery": "delivered", "redelivery_notice": "redelivery notice", "redelivery": "redelivered",
    "novation": "novated", "total_loss": "total loss", "first_flight": "first flight", "sea_trial": "sea trial",
    "purchased": "bought",
}  # fmt: skip


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One instant that somebody gives for a milestone.

    `kind` is the event's (`lease_delivery`, `keel_laid`), `lease_id` the lease it belongs to, None for the asset's own; `source`
    who says so (a key, `contract`, a journey's method); `movement` (`departure`, `arrival`) and `place` are of what was observed;
    `recorded_us` is when Keelwing came to know it.
    """

    kind: str
    basis: Basis
    at_us: int
    lease_id: str | None = None
    source: str
    recorded_us: int | None = None
    movement: str | None = None
    place: str | None = None


class Milestone(msgspec.Struct, frozen=True, kw_only=True):
    """One milestone with what each basis says of it; at least one of the three is there."""

    kind: str
    lease_id: str | None
    contract: Said | None
    reported: Said | None
    observed: Said | None

    @property
    def at_us(self) -> int:
        """When it was: as reported (a certificate decides), else as promised, else as observed."""
        return next(each.at_us for each in (self.reported, self.contract, self.observed) if each is not None)

    @property
    def days_late(self) -> float | None:
        """Days from what was promised to what was reported; negative is early, None where one of the two is missing."""
        if self.contract is None or self.reported is None:
            return None
        return (self.reported.at_us - self.contract.at_us) / DAY_US

    @property
    def words(self) -> str:
        """One line for people: `contract says delivered 3 May 2026; reported 2 May 2026; departed CNSHA 1 May 2026`."""
        word = WORDS.get(self.kind, self.kind.replace("_", " "))
        parts: list[str] = []
        if self.contract is not None:
            parts.append(f"contract says {word} {day_words(self.contract.at_us)}")
        if self.reported is not None:
            parts.append(f"{'reported' if parts else word} {day_words(self.reported.at_us)}")
        if self.observed is not None:
            moved = {"departure": "departed", "arrival": "arrived at"}.get(self.observed.movement or "", f"{word}, as observed,")
            place = self.observed.place or ("" if self.observed.movement is None else "an unnamed place")
            parts.append(" ".join(filter(None, (moved, place, day_words(self.observed.at_us)))))
        return "; ".join(parts)


def day_words(time_us: int) -> str:
    """A UTC day for people: `3 May 2026`."""
    moment = to_datetime(time_us)
    return f"{moment.day} {moment:%b %Y}"


def milestones(said: Iterable[Said]) -> list[Milestone]:
    """What was said, paired by kind and lease, the n-th of one basis with the n-th of the others; earliest first.

    Args:
        said: any number, in any order.

    Returns:
        Every one of them in exactly one milestone.
    """
    groups: dict[tuple[str, str], dict[Basis, list[Said]]] = {}
    for each in said:
        group = groups.setdefault((each.kind, each.lease_id or ""), {basis: [] for basis in BASES})
        group[each.basis].append(each)
    found: list[Milestone] = []
    for (kind, lease_id), group in groups.items():
        ranked = [sorted(group[basis], key=lambda each: (each.at_us, each.source)) for basis in BASES]
        for contract, reported, observed in zip_longest(*ranked):
            found.append(Milestone(kind=kind, lease_id=lease_id or None, contract=contract, reported=reported, observed=observed))
    return sorted(found, key=lambda each: (each.at_us, each.kind, each.lease_id or ""))


def handovers(found: Sequence[Milestone]) -> list[tuple[Milestone, Literal["departure", "arrival"], int]]:
    """Milestones that a movement shows and nobody observed: each with the movement to look for and the instant to look near."""
    return [
        (each, SHOWN_BY[each.kind], each.at_us) for each in found if each.kind in SHOWN_BY and each.observed is None
    ]  # fmt: skip
