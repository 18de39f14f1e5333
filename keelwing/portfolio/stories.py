"""What happened to which demo asset: age, origin, lay-ups, leases; the stories by name, the rest by the seed. Pure.

Days are counted back from the demo's first start, so that "redelivery in 60 days" is true whenever the demo is first started.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from keelwing.portfolio.lives import DAY_S, Pause
from simulators.element import SimulatedAsset
from simulators.motion import hash64, uniform

Origin = Literal["newbuild", "purchased", "sale_leaseback"]
YEAR_D = 365.25
YEARS = 10.0
"""How far back the portfolio goes."""


class Tenancy(NamedTuple):
    """One lease: its lessee, form, days ago it was delivered and ended (None: it runs), days ahead that the paper promises."""

    lessee: str
    form: str
    delivered_d: float
    ended_d: float | None
    promised_end_d: float
    novated_to: str | None = None
    novated_d: float | None = None
    in_default: bool = False


class Story(NamedTuple):
    """One asset's life in days before the first start; `ordered_d` and `keel_d` are of newbuilds."""

    origin: Origin
    acquired_d: float
    built_d: float
    tenancies: tuple[Tenancy, ...]
    pauses: tuple[Pause, ...]
    reflagged_d: float | None = None


SHIP_LESSEES = (
    "Meridian Bulk Carriers", "Meridian Tankers", "Halcyon Lines", "Kestrel Shipping", "Nordlys Bulk", "Pelagia Navigation",
    "Sable Island Marine", "Trident Gas Transport",
)  # fmt: skip
AIRLINES = (
    "Air Cantabria", "Baltic Wings", "Celtic Airways", "Danube Air", "Levant Express", "Meridian Air", "Polaris Intercontinental",
    "Tramontana",
)  # fmt: skip
GROUPS = {
    "Meridian Bulk Carriers": "Meridian Group", "Meridian Tankers": "Meridian Group", "Meridian Air": "Meridian Group",
    "Kestrel Shipping": "Kestrel Holding", "Celtic Airways": "Shannon Aviation Group", "Baltic Wings": "Shannon Aviation Group",
}  # fmt: skip
"""Who controls whom."""
COUNTRIES = {
    "Meridian Bulk Carriers": "GR", "Meridian Tankers": "GR", "Halcyon Lines": "DK", "Kestrel Shipping": "GB",
    "Nordlys Bulk": "NO",
    "Pelagia Navigation": "CY", "Sable Island Marine": "CA", "Trident Gas Transport": "JP", "Air Cantabria": "ES",
    "Baltic Wings": "LV", "Celtic Airways": "IE", "Danube Air": "AT", "Levant Express": "TR", "Meridian Air": "GR",
    "Polaris Intercontinental": "US", "Tramontana": "IT", "Meridian Group": "GR", "Kestrel Holding": "GB",
    "Shannon Aviation Group": "IE", "Demo Lease Partners": "IE",
}  # fmt: skip

NEWBUILD, SALE_LEASEBACK, REFLAGGED, NOVATED, IDLE = (
    "OPAL TRADER", "PEARL TRADER", "FLINT TRADER", "QUARTZ TRADER", "SLATE TRADER",
)  # fmt: skip
ENGINE_FROM, ENGINE_TO, ENGINE_ESN = "SWALLOW", "SPARROWHAWK", "123456"
UNDER_REPORTED, REPORT_MISSING = "MARTIN", "MERLIN"
RATED = "GARNET TRADER"
REDELIVERED_SOON = ("HOBBY", "JASPER TRADER")
SILENT, THIN = "LAZULITE TRADER", ("ONYX TRADER",)
OFF_HIRED, SUBLEASED = "BASALT TRADER", "KESTREL"
IN_DEFAULT = "CEDAR STRAIT"
"""Whose stories the documents tell; see `docs/portfolio.md`."""
TOLD_D = 45.0
"""A year or a month of which a story tells began so long ago. Chosen, DECISIONS 196: reports of a month are due ten days after
it, reserves are booked and paid on them, and a ship has sailed in a year before it is rated."""


def days_ago(start: datetime, month: int, day: int, at_least_d: float = TOLD_D) -> float:
    """Days from the last such day of a year to `start`, no fewer than `at_least_d`."""
    that = start.replace(month=month, day=day, hour=6, minute=0, second=0, microsecond=0)
    while (start - that).total_seconds() < at_least_d * DAY_S:
        that = that.replace(year=that.year - 1)
    return (start - that).total_seconds() / DAY_S


def story_of(asset: SimulatedAsset, seed: int, start: datetime) -> Story:
    """The story of one asset, told at `start`."""
    key = hash64(seed, "story", asset.plan)
    ship = asset.asset_class == "vessel"
    age_d = YEAR_D * ((3.0 + 9.0 * uniform(key, "age")) if ship else (2.0 + 5.5 * uniform(key, "age")))
    origin: Origin = "newbuild" if uniform(key, "origin") < 0.6 else "purchased"
    if asset.plan == NEWBUILD:
        origin, age_d = "newbuild", days_ago(start, 5, 1)
    if asset.plan == SALE_LEASEBACK:
        origin, age_d = "sale_leaseback", 4.1 * YEAR_D
    if asset.plan in {IDLE, REFLAGGED, NOVATED, RATED, SILENT}:
        origin, age_d = "newbuild", 6.5 * YEAR_D + 400 * uniform(key, "older")
    acquired_d = min(age_d, (YEARS - 0.05) * YEAR_D)
    if acquired_d < age_d:
        origin = "purchased"
    built_d = age_d if origin == "newbuild" else age_d + YEAR_D * (1 + 5 * uniform(key, "before"))
    return Story(
        origin, acquired_d, built_d, _tenancies(asset, key, acquired_d, origin), _pauses(asset, key, acquired_d, start),
        reflagged_d=2.2 * YEAR_D if asset.plan == REFLAGGED else None,
    )  # fmt: skip


def _lessee(asset: SimulatedAsset, key: int, number: int) -> str:
    names = SHIP_LESSEES if asset.asset_class == "vessel" else AIRLINES
    if asset.plan == IN_DEFAULT:
        return names[0]
    return names[hash64(key, "lessee", number) % len(names)]


def _form(asset: SimulatedAsset, key: int, number: int, origin: Origin) -> str:
    if asset.asset_class == "aircraft":
        return "operating"
    if origin == "sale_leaseback":
        return "sale_leaseback"
    if asset.plan in {OFF_HIRED, RATED}:
        return "time_charter"
    return ("bareboat", "bareboat", "time_charter", "finance")[hash64(key, "form", number) % 4]


def _tenancies(asset: SimulatedAsset, key: int, acquired_d: float, origin: Origin) -> tuple[Tenancy, ...]:
    """Leases end to end with some weeks between, the last one running."""
    found: list[Tenancy] = []
    begin_d, number = acquired_d - (0.0 if origin == "sale_leaseback" else 0.2), 0
    while True:
        length_d = YEAR_D * (2.6 + 3.2 * uniform(key, "length", number))
        end_d = begin_d - length_d
        lessee, form = _lessee(asset, key, number), _form(asset, key, number, origin)
        runs = end_d < 200.0 or asset.plan in {SALE_LEASEBACK, NEWBUILD}
        if runs:
            promised_d = 60.0 if asset.plan in REDELIVERED_SOON else max(-end_d, 240.0 + 900.0 * uniform(key, "rest"))
            novated = asset.plan == NOVATED
            to = "Pelagia Navigation" if lessee != "Pelagia Navigation" else "Halcyon Lines"
            found.append(
                Tenancy(
                    lessee, form, begin_d, None, promised_d, to if novated else None, 1.5 * YEAR_D if novated else None,
                    asset.plan == IN_DEFAULT,
                )
            )  # fmt: skip
            return tuple(found)
        late_d = 8.0 * uniform(key, "late", number)
        found.append(Tenancy(lessee, form, begin_d, end_d - late_d, -end_d))
        begin_d = end_d - late_d - 12.0 - 30.0 * uniform(key, "between", number)
        number += 1


def _pauses(asset: SimulatedAsset, key: int, acquired_d: float, start: datetime) -> tuple[Pause, ...]:
    """Dry-dockings about every thirty months, heavy checks of aircraft, and the lay-ups that the stories tell of."""
    ship = asset.asset_class == "vessel"
    every_d, length_d = (YEAR_D * 2.5, 14.0) if ship else (YEAR_D * 3.0, 21.0)
    begin_d = acquired_d - every_d * (0.7 + 0.3 * uniform(key, "dock"))
    found = []
    while begin_d > 150.0:
        found.append(Pause("drydock" if ship else "heavy_check", -begin_d * DAY_S, -(begin_d - length_d) * DAY_S))
        begin_d -= every_d * (0.9 + 0.1 * uniform(key, "next", int(begin_d)))
    if asset.plan == IDLE:
        winter_d = days_ago(start, 11, 20, 500.0)
        found = [one for one in found if abs(one.from_s / DAY_S + winter_d) > 150]
        found.append(Pause("layup", -winter_d * DAY_S, -(winter_d - 105) * DAY_S))
    if asset.plan == OFF_HIRED:
        found = [one for one in found if one.from_s < -200 * DAY_S]
        found.append(Pause("repair", -lost_d(start) * DAY_S, -(lost_d(start) - 6) * DAY_S))
    return tuple(found)


def rated_year(start: datetime) -> int:
    """The last of the three calendar years of which the rated ship's story tells."""
    return (start - timedelta(days=TOLD_D)).year


def lost_d(start: datetime) -> float:
    """Days ago that the ship of the off-hire story lay still: in the middle of the last whole quarter."""
    month = (start.month - 1) // 3 * 3 + 1
    quarter = start.replace(month=month, day=1, hour=0, minute=0, second=0, microsecond=0)
    return (start - quarter).total_seconds() / DAY_S + 45.0
