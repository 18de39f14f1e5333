"""What a use machine is told beside a reading: the places around, and its limits by the book of practice."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from fleet.instants import to_datetime
from fleet.practice import Figure, Practice
from fleet.practice_book import HOUSE
from fleet.use import Places, UseContext
from fleet.use_machines import MACHINES

PRACTICE = "practice"  # the rule under which a tenant keeps its own figures, each under the figure's name


@lru_cache(maxsize=1000)  # chosen: as many tenants with figures of their own, and sets of them over the years
def practice_of(own: tuple[tuple[str, float], ...]) -> Practice:
    """The house's figures with a tenant's own laid over them."""
    return HOUSE.overlaid(Figure(name=name, value=value, source="the tenant's setting") for name, value in own)


def use_context(
    asset_class: str,
    asset_type: str | None,
    time_us: int,
    settings: dict[str, dict[str, float]],
    places: Places,
    particulars: Mapping[str, float] | None = None,
) -> UseContext | None:
    """The context of a class on the day of an instant; None for a class without a machine.

    Args:
        asset_class: of the asset.
        asset_type: the registry's word, None when not known.
        time_us: event time.
        settings: the tenant's thresholds by rule, in force then; its figures stand under `practice`.
        places: the world as the tenant knows it.
        particulars: numbers of the asset, as far as its machine asks for them.
    """
    machine = MACHINES.get(asset_class)
    if machine is None:
        return None
    own = settings.get(PRACTICE)
    practice = practice_of(tuple(sorted(own.items()))) if own else HOUSE
    return UseContext(
        limits=machine.limits(practice, to_datetime(time_us).date(), asset_type),
        places=places,
        asset_type=asset_type,
        particulars=particulars or {},
    )
