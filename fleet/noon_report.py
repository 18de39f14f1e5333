"""Noon reports: what a master writes once a day, checked, and summed over a period.

Noon is LOCAL: a day at sea has 23 or 25 hours when a zone is crossed, so every hour here is the difference of two UTC instants,
never 24 (domain.md 2.2). Tonnes are metric, distances nautical miles, speeds knots.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from fleet import fuel
from fleet.practice import Figure, Practice

FIGURES = (
    Figure(
        name="noon_report.length_h_max", value=26.0,
        source="chosen: a day at sea has 25 h at most when one zone is crossed; beyond 26 h a noon report skips a day",
    ),
    Figure(name="noon_report.speed_kn_max", value=50.0, source="domain.md 2.5 [D]: beyond this no ship goes"),
    Figure(
        name="noon_report.distance_tolerance_ratio", value=0.05,
        source="chosen: distance sailed against telemetry; charts, currents and drift make a few percent",
    ),
)  # fmt: skip
HOUSE = Practice(FIGURES)

NotNegative = Annotated[float, msgspec.Meta(ge=0)]
Draught = Annotated[float, msgspec.Meta(gt=0, le=30)]
Direction = Annotated[float, msgspec.Meta(ge=0, lt=360)]


class FuelLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One fuel in the report's period, in tonnes: burnt, by consumer; taken on; remaining on board at the end."""

    type: str
    me_t: NotNegative | None = None
    ae_t: NotNegative | None = None
    boiler_t: NotNegative | None = None
    other_t: NotNegative | None = None
    bunkered_t: NotNegative | None = None
    rob_t: NotNegative | None = None

    @property
    def consumed_t(self) -> float | None:
        """All that was burnt; None where no consumer was reported (zero is a figure, absent is not)."""
        said = [each for each in (self.me_t, self.ae_t, self.boiler_t, self.other_t) if each is not None]
        return sum(said) if said else None


class NoonReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One report in domain.md 2.2's canonical fields, for [utc_from, utc_to). What the master left out is None."""

    report_type: Literal["noon", "departure", "arrival", "in_port"]
    utc_from: datetime
    utc_to: datetime
    imo: Annotated[str, msgspec.Meta(pattern="^[0-9]{7}$")] | None = None
    voyage_no: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    local_offset: Annotated[str, msgspec.Meta(pattern="^[+-][0-9]{2}:[0-9]{2}$")] | None = None
    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None = None
    lon: Annotated[float, msgspec.Meta(ge=-180, le=180)] | None = None
    distance_og_nm: NotNegative | None = None
    distance_tw_nm: NotNegative | None = None
    hours_underway: NotNegative | None = None
    speed_og_kn: NotNegative | None = None
    rpm_avg: NotNegative | None = None
    slip_pct: Annotated[float, msgspec.Meta(ge=-100, le=100)] | None = None
    me_power_kw: NotNegative | None = None
    draught_fwd_m: Draught | None = None
    draught_aft_m: Draught | None = None
    displacement_t: NotNegative | None = None
    cargo_t: NotNegative | None = None
    ballast_t: NotNegative | None = None
    wind_bft: Annotated[int, msgspec.Meta(ge=0, le=12)] | None = None
    wind_dir: Direction | None = None
    sea_state: Annotated[int, msgspec.Meta(ge=0, le=9)] | None = None
    swell_m: NotNegative | None = None
    swell_dir: Direction | None = None
    sea_temp_c: float | None = None
    air_temp_c: float | None = None
    fuel: Annotated[list[FuelLine], msgspec.Meta(max_length=20)] = []
    fresh_water_rob_t: NotNegative | None = None
    next_port: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    eta_utc: datetime | None = None
    distance_to_go_nm: NotNegative | None = None
    sts: bool = False
    ice: bool = False
    emergency: bool = False
    remarks: Annotated[str, msgspec.Meta(max_length=4000)] | None = None

    @property
    def hours(self) -> float:
        """Hours between its two UTC instants."""
        return elapsed_h(self.utc_from, self.utc_to)


class ReportFault(NamedTuple):
    """One thing wrong with a report: where (JSON pointer into it) and what."""

    pointer: str
    detail: str


class FuelSum(msgspec.Struct, frozen=True, kw_only=True):
    """One fuel over a period, in tonnes. `consumed_t` is null with a reason where a report in the period did not say."""

    type: str
    consumed_t: float | None
    bunkered_t: float
    reason: str | None = None


class BalanceFinding(msgspec.Struct, frozen=True, kw_only=True):
    """Two reports whose tanks do not add up: at the later's end `gap_t` is missing (positive) or appeared."""

    type: str
    utc_to: datetime
    gap_t: float
    tolerance_t: float
    rob_before_t: float
    bunkered_t: float
    consumed_t: float
    rob_after_t: float


class ReportedPeriod(msgspec.Struct, frozen=True, kw_only=True):
    """What the reports of a period add up to. `coverage` is reported time over the period's; `overlap_h` was told twice."""

    reports: int
    reported_h: float
    coverage: float
    gap_h: float
    overlap_h: float
    distance_og_nm: float | None
    hours_underway: float | None
    fuel: list[FuelSum]
    co2_t: float | None
    reason: dict[str, str]


def elapsed_h(utc_from: datetime, utc_to: datetime) -> float:
    """Hours between two aware instants: never 24 because it is a day (golden SH8)."""
    return (utc_to - utc_from) / timedelta(hours=1)


def noon_to_noon_h(offset_before_h: float, offset_after_h: float) -> float:
    """Hours from one local noon to the next: 24 and what the clock was put back (westward 25, eastward 23; golden SH8)."""
    return 24.0 + offset_before_h - offset_after_h


def speed_kn(distance_nm: float, hours: float) -> float | None:
    """Mean speed in knots; None without time (golden SH8: 331 nm in 25 h are 13.24 kn)."""
    return distance_nm / hours if hours > 0 else None


def engine_distance_nm(pitch_m: float, rpm: float, hours: float) -> float:
    """What the propeller would have screwed in a solid: pitch × revolutions, in nautical miles (golden SH8)."""
    return pitch_m * rpm * 60 * hours / 1852.0


def slip_pct(distance_nm: float, by_engine_nm: float) -> float | None:
    """Apparent slip: `100 (1 − distance / engine distance)` in percent; None where the engine stood (golden SH8)."""
    return 100 * (1 - distance_nm / by_engine_nm) if by_engine_nm > 0 else None


def read(document: Mapping[str, Any], practice: Practice = HOUSE) -> NoonReport | list[ReportFault]:
    """A report out of a JSON object, or all that is wrong with it that can be seen at once.

    Form first (`msgspec` names the first field that is no such thing), then what contradicts itself: an end before its
    beginning, a noon report longer than 26 h, a lone latitude, more hours under way than there were, a speed no ship has, a
    fuel nobody knows or named twice, an instant without an offset.
    """
    try:
        report = msgspec.convert(document, NoonReport)
    except msgspec.ValidationError as error:
        text, _, place = str(error).partition(" - at `$")
        return [ReportFault(_pointer(place.rstrip("`")), text)]
    faults = [*_time_faults(report, practice)]
    if faults:
        return faults
    faults += _fuel_faults(report)
    faults += _place_faults(report, practice)
    return faults or report


def _pointer(place: str) -> str:
    """JSON pointer of msgspec's path (`.fuel[2].me_t` → `/fuel/2/me_t`)."""
    return place.replace("[", ".").replace("]", "").replace(".", "/")


def _time_faults(report: NoonReport, practice: Practice) -> Iterable[ReportFault]:
    naive = [
        name for name in ("utc_from", "utc_to", "eta_utc") if (at := getattr(report, name)) is not None and at.tzinfo is None
    ]
    if naive:
        return [ReportFault(f"/{name}", "has no offset: end it with Z") for name in naive]
    if report.utc_to <= report.utc_from:
        return [ReportFault("/utc_to", "must be after utc_from")]
    longest_h = practice.number("noon_report.length_h_max", report.utc_to.astimezone(UTC).date())
    if report.report_type == "noon" and report.hours > longest_h:
        return [ReportFault("/utc_to", f"a noon report spans {longest_h:g} h at most, this one {report.hours:g} h")]
    return []


def _place_faults(report: NoonReport, practice: Practice) -> Iterable[ReportFault]:
    if (report.lat is None) != (report.lon is None):
        yield ReportFault("/lat" if report.lat is None else "/lon", "lat and lon are given together")
    if report.hours_underway is not None and report.hours_underway > report.hours + 1e-6:
        yield ReportFault("/hours_underway", f"more than the {report.hours:g} h of the report")
    fastest_kn = practice.number("noon_report.speed_kn_max", report.utc_to.astimezone(UTC).date())
    for name in ("distance_og_nm", "distance_tw_nm"):
        distance = getattr(report, name)
        if distance is not None and distance / report.hours > fastest_kn:
            yield ReportFault(f"/{name}", f"is {distance / report.hours:.1f} kn over {report.hours:g} h: no ship does")


def _fuel_faults(report: NoonReport) -> Iterable[ReportFault]:
    seen = set()
    for n, line in enumerate(report.fuel):
        if line.type not in fuel.FUELS:
            yield ReportFault(f"/fuel/{n}/type", f"must be one of {', '.join(fuel.FUELS)}")
        elif line.type in seen:
            yield ReportFault(f"/fuel/{n}/type", "is named twice")
        seen.add(line.type)


def balance_findings(reports: Sequence[NoonReport], practice: Practice = fuel.HOUSE) -> list[BalanceFinding]:
    """Fuels whose tanks do not add up from one report to the next: `rob_prev + bunkered − consumed − rob_now` (domain.md 2.2).

    Only reports that follow each other without a gap are held together, and only where both say what remains on board and the
    later what was burnt. Bunkers that are not mentioned were not taken.

    Args:
        reports: of one ship, in any order.
        practice: figures `fuel.balance_tolerance_…`.
    """
    ordered = sorted(reports, key=lambda each: (each.utc_from, each.utc_to))
    found = []
    for earlier, later in pairwise(ordered):
        if earlier.utc_to != later.utc_from:
            continue
        before = {line.type: line.rob_t for line in earlier.fuel}
        for line in later.fuel:
            rob_before_t = before.get(line.type)
            if rob_before_t is None or line.rob_t is None or line.consumed_t is None:
                continue
            bunkered_t = line.bunkered_t or 0.0
            result = fuel.balance(
                rob_before_t, bunkered_t, line.consumed_t, line.rob_t, later.utc_to.astimezone(UTC).date(), practice
            )  # fmt: skip
            if not result.balanced:
                found.append(
                    BalanceFinding(
                        type=line.type, utc_to=later.utc_to, gap_t=result.gap_t, tolerance_t=result.tolerance_t,
                        rob_before_t=rob_before_t, bunkered_t=bunkered_t, consumed_t=line.consumed_t, rob_after_t=line.rob_t,
                    )
                )  # fmt: skip
    return found


def summed(
    reports: Iterable[NoonReport], utc_from: datetime, utc_to: datetime, practice: Practice = fuel.HOUSE
) -> ReportedPeriod:
    """What reports add up to over [utc_from, utc_to).

    A report that crosses the edge of the period counts with its share of time there: the master gives one figure for the whole of
    it. Nothing is counted twice: of two reports of the same hours the later in the list wins, as a correction follows what it
    corrects, and the earlier keeps the rest of its hours. A sum to which one report gave nothing is null, because nothing said
    is not zero; `reason` names it `not_reported`, or `no_reports`.
    """
    pieces, overlap_h = _pieces(reports, utc_from, utc_to)
    period_h = elapsed_h(utc_from, utc_to)
    reported_h = sum(hours for _, hours in pieces)
    fuels = _fuel_sums(pieces)
    reason: dict[str, str] = {}
    distance_nm = _total(pieces, "distance_og_nm", reason)
    hours_underway = _total(pieces, "hours_underway", reason)
    co2_t: float | None = None
    if not pieces or not fuels or any(line.consumed_t is None for line in fuels):
        reason["co2_t"] = "not_reported" if pieces else "no_reports"
    else:
        burnt = {line.type: line.consumed_t for line in fuels if line.consumed_t is not None}
        co2_t = sum(fuel.co2_t_by_fuel(burnt, utc_from.astimezone(UTC).date(), practice=practice).values())
    return ReportedPeriod(
        reports=len({id(report) for report, _ in pieces}), reported_h=reported_h, coverage=min(1.0, reported_h / period_h),
        gap_h=max(0.0, period_h - reported_h), overlap_h=overlap_h, distance_og_nm=distance_nm, hours_underway=hours_underway,
        fuel=fuels, co2_t=co2_t, reason=reason,
    )  # fmt: skip


def _pieces(
    reports: Iterable[NoonReport], utc_from: datetime, utc_to: datetime
) -> tuple[list[tuple[NoonReport, float]], float]:  # fmt: skip
    """(report, hours of it that count), each hour of the period once at most, later reports first; and hours told twice."""
    free = [(utc_from, utc_to)]
    pieces = []
    asked_h = 0.0
    for report in reversed(list(reports)):
        start, end = max(report.utc_from, utc_from), min(report.utc_to, utc_to)
        if start >= end:
            continue
        asked_h += elapsed_h(start, end)
        taken = sum(elapsed_h(max(start, a), min(end, b)) for a, b in free if a < end and start < b)
        free = [cut for a, b in free for cut in ((a, min(b, start)), (max(a, end), b)) if cut[0] < cut[1]]
        if taken > 0:
            pieces.append((report, taken))
    return sorted(pieces, key=lambda piece: piece[0].utc_from), asked_h - sum(hours for _, hours in pieces)


def _total(pieces: Sequence[tuple[NoonReport, float]], name: str, reason: dict[str, str]) -> float | None:
    said = [(getattr(report, name), hours / report.hours) for report, hours in pieces]
    if not said or any(value is None for value, _ in said):
        reason[name] = "not_reported" if said else "no_reports"
        return None
    return float(sum(value * share for value, share in said))


def _fuel_sums(pieces: Sequence[tuple[NoonReport, float]]) -> list[FuelSum]:
    found = []
    for name in sorted({line.type for report, _ in pieces for line in report.fuel}):
        lines = [(line, hours / report.hours) for report, hours in pieces for line in report.fuel if line.type == name]
        burnt = [(line.consumed_t, share) for line, share in lines]
        told = all(value is not None for value, _ in burnt) and all(report.fuel for report, _ in pieces)
        found.append(
            FuelSum(
                type=name, consumed_t=sum((value or 0.0) * share for value, share in burnt) if told else None,
                bunkered_t=sum((line.bunkered_t or 0.0) * share for line, share in lines),
                reason=None if told else "not_reported",
            )
        )  # fmt: skip
    return found


def distance_differs(reported_nm: float, observed_nm: float, on: date, practice: Practice = HOUSE) -> bool:
    """Whether a reported distance is out of tolerance against the observed one: more than 5 % and a mile (chosen)."""
    return abs(reported_nm - observed_nm) > distance_tolerance_nm(observed_nm, on, practice)


def distance_tolerance_nm(observed_nm: float, on: date, practice: Practice = HOUSE) -> float:
    """How far a reported distance may be off: 5 % of the observed one, at least a mile (chosen)."""
    return max(1.0, practice.number("noon_report.distance_tolerance_ratio", on) * observed_nm)


def is_complete(report: NoonReport) -> bool:
    """Whether a report says all that a CII is made of: what was burnt of every fuel it names (one at least), and the distance."""
    return report.distance_og_nm is not None and bool(report.fuel) and all(line.consumed_t is not None for line in report.fuel)


def gaps(reports: Iterable[NoonReport], utc_from: datetime, utc_to: datetime) -> list[tuple[datetime, datetime]]:
    """The stretches of [utc_from, utc_to) that no report speaks of, in order, half-open."""
    found = []
    at = utc_from
    for report in sorted(reports, key=lambda each: each.utc_from):
        if report.utc_from > at:
            found.append((at, min(report.utc_from, utc_to)))
        at = max(at, report.utc_to)
        if at >= utc_to:
            return found
    return [*found, (at, utc_to)] if at < utc_to else found
