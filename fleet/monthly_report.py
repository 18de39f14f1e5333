"""The monthly utilization report of a lessee: what it may say of one serial number, checked (domain.md 1.3).

Flight hours are wheels-off to wheels-on; block hours have a field of their own and count for nothing. Hours and cycles of an
engine, an APU or a gear belong to its serial number: one report an asset, be it airframe, engine, APU, gear, trainset or car.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, NamedTuple

import msgspec

Hours = Annotated[float, msgspec.Meta(ge=0, le=10_000_000)]
Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]
Days = Annotated[float, msgspec.Meta(ge=0, le=366)]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
TEXT_MAX = 4000
SLACK_H = 0.05  # chosen: logs are kept in minutes or in twentieths of an hour
PERIOD_HOURS = ("flight_h", "block_h", "apu_h")


class MonthlyReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One serial number's month. What the lessee left out is None, which is not zero.

    Attributes:
        flight_h: hours OFF to ON in the month; `block_h` OUT to IN.
        cycles: flight cycles, by touch-and-go as the lease counts them; `landings` of a gear.
        apu_h: hours of an APU; `apu_cycles` its starts.
        train_km: distance of a trainset; `car_km` of its cars together; `door_cycles` of all leaves.
        tsn_h: hours since new at the month's end; `csn` cycles since new.
        since_restoration_h: since the last performance restoration; `since_restoration_cycles` the same in cycles.
        installed_on: registration or number of the asset it sits on; `position` there; `off_wing_at` where it lies instead.
    """

    flight_h: Hours | None = None
    block_h: Hours | None = None
    cycles: Count | None = None
    landings: Count | None = None
    apu_h: Hours | None = None
    apu_cycles: Count | None = None
    train_km: Hours | None = None
    car_km: Hours | None = None
    door_cycles: Count | None = None
    chargeable_failures: Count | None = None
    tsn_h: Hours | None = None
    csn: Count | None = None
    since_restoration_h: Hours | None = None
    since_restoration_cycles: Count | None = None
    days_in_service: Days | None = None
    days_aog: Days | None = None
    days_parked: Days | None = None
    installed_on: Word | None = None
    position: Word | None = None
    off_wing_at: Word | None = None
    thrust_rating: Word | None = None
    removals: Annotated[list[Word], msgspec.Meta(max_length=50)] = []
    last_check: Word | None = None
    last_check_on: date | None = None
    next_check: Word | None = None
    next_check_on: date | None = None
    incidents: Annotated[list[Word], msgspec.Meta(max_length=50)] = []
    remarks: Annotated[str, msgspec.Meta(max_length=TEXT_MAX)] | None = None


class FigureFault(NamedTuple):
    """One thing wrong with a report: where (JSON pointer into it) and what."""

    pointer: str
    detail: str


def read(document: Mapping[str, Any], period_h: float) -> MonthlyReport | list[FigureFault]:
    """A report out of a JSON object, or what is wrong with it: form, then what cannot be.

    No figure at all, more hours than the period had, more days than it had, cycles without hours or hours without cycles.
    """
    try:
        report = msgspec.convert(document, MonthlyReport)
    except msgspec.ValidationError as error:
        text, _, place = str(error).partition(" - at `$")
        return [FigureFault(place.rstrip("`").replace("[", ".").replace("]", "").replace(".", "/"), text)]
    faults = [
        FigureFault(f"/{name}", f"more than the {period_h:g} h of the period")
        for name in PERIOD_HOURS
        if (hours := getattr(report, name)) is not None and hours > period_h + SLACK_H
    ]
    days = [each for each in (report.days_in_service, report.days_aog, report.days_parked) if each is not None]
    if sum(days) > period_h / 24 + SLACK_H:
        faults.append(FigureFault("/days_in_service", "days in service, AOG and parked are more than the period had"))
    if report.flight_h and report.cycles == 0:
        faults.append(FigureFault("/cycles", "hours were flown: there was a cycle"))
    if report.cycles and report.flight_h == 0:
        faults.append(FigureFault("/flight_h", "cycles were flown: there were hours"))
    if msgspec.structs.asdict(report) == msgspec.structs.asdict(MonthlyReport()):
        faults.append(FigureFault("", "says nothing"))
    return faults or report
