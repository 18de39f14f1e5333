"""The rules of flights: take-off and landing (detector AC-DET-1), gaps, hours and cycles, months, parking. Pure.

Words (domain.md 1.1): OUT off blocks, OFF lift-off, ON touch-down, IN on blocks. `flight_h` is ON - OFF, what reserves and
limits are paid by; `block_h` is IN - OUT. `agl_ft` is height above the field, never pressure altitude (golden AC20).

`fleet.flight_machine` applies them to readings one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, tzinfo
from functools import lru_cache
from math import radians, tan
from typing import Literal, NamedTuple

import msgspec

from fleet.instants import DAY_US, MINUTE_US, SECOND_US, from_datetime, to_datetime
from fleet.practice import Figure, Practice

Verdict = Literal["air", "ground"] | None
Quality = Literal["midpoint", "extrapolated", "inferred_gap", "ambiguous"]
QUALITIES: tuple[Quality, ...] = ("midpoint", "extrapolated", "inferred_gap", "ambiguous")
"""From the best to the weakest."""

_1_2 = "domain.md 1.2, AC-DET-1 [D]"
FIGURES: tuple[Figure, ...] = (
    Figure(name="flight.air_gs_kn", value=100, source=_1_2),
    Figure(name="flight.turboprop_air_gs_kn", value=70, source=_1_2),
    Figure(
        name="flight.turboprop_types",
        value=[
            "AT4",
            "AT7",
            "ATR",
            "DH8",
            "DHC",
            "Q400",
            "DASH",
            "SF34",
            "SB20",
            "F50",
            "JS4",
            "E120",
            "D328",
            "C208",
            "B190",
            "PC12",
        ],
        source="ICAO Doc 8643: designators of engine type T, as their first letters; the makers' words for the same types",
    ),
    Figure(name="flight.air_agl_ft", value=300, source=_1_2),
    Figure(name="flight.ground_gs_kn", value=50, source=_1_2),
    Figure(name="flight.contradiction_gs_kn", value=180, source=_1_2),
    Figure(name="flight.contradiction_agl_ft", value=1000, source=_1_2),
    Figure(name="flight.unflagged_agl_ft", value=1000, source=_1_2),
    Figure(name="flight.confirm_samples", value=3, source=_1_2),
    Figure(name="flight.confirm_s", value=10, source=_1_2),
    Figure(name="flight.midpoint_s", value=30, source=_1_2),
    Figure(name="flight.extrapolate_max_s", value=180, source=_1_2),
    Figure(name="flight.climb_fpm", value=2000, source="chosen: an airliner's initial climb, where the rate is not reported"),
    Figure(
        name="flight.sink_fpm", value=700, source="chosen: a 3° glide at 135 kn is 715 ft/min, where the rate is not reported"
    ),
    Figure(name="flight.rising_fpm", value=300, source="chosen: above the noise of a reported rate, below any climb or approach"),
    Figure(
        name="flight.pressure_slack_ft",
        value=1000,
        source="chosen: a sea-level pressure of 977 hPa; within it a pressure altitude says nothing about the ground",
    ),
    Figure(name="flight.final_ft", value=1500, source="chosen: below this and sinking an aircraft is on final approach"),
    Figure(name="flight.gap_s", value=600, source="domain.md 1.2: OpenSky flight table, and `traffic`'s split"),
    Figure(name="flight.gap_split_ratio", value=0.25, source="domain.md 1.2: tau is a quarter of the median speed"),
    Figure(name="flight.gap_same_ratio", value=0.70, source="domain.md 1.2: upper end of the ambiguous band [D]"),
    Figure(name="flight.median_mps", value=220, source="chosen: 430 kn, until an aircraft's own speeds are known"),
    Figure(name="flight.departure_within_m", value=15_000, source="domain.md 1.2: OpenSky flight table"),
    Figure(name="flight.departure_height_m", value=2_000, source="domain.md 1.2: OpenSky flight table"),
    Figure(name="flight.arrival_within_m", value=30_000, source="domain.md 1.2: OpenSky flight table"),
    Figure(name="flight.arrival_height_m", value=2_500, source="domain.md 1.2: OpenSky flight table"),
    Figure(
        name="flight.arrival_glide_deg",
        value=3.5,
        source="chosen, see DECISIONS 120: glide paths are 3°; who is higher above a field than that lands at another one",
    ),
    Figure(name="flight.leg_kn_max", value=700, source="domain.md 2.5: aircraft [D]"),
    Figure(name="flight.ground_gap_h", value=24, source="chosen, see DECISIONS 119: transponders are off on the stand"),
    Figure(name="flight.same_field_m", value=5_000, source="chosen: the longest fields measure some 5 km across"),
    Figure(name="flight.touch_s", value=180, source="chosen: a roll and a lift-off without leaving the runway"),
    Figure(name="flight.parked_preset", value="cirium", source="design 4.6: the default"),
    Figure(
        name="flight.parked_presets",
        value={
            "cirium": {"parked": 7, "stored": 14},
            "lessor": {"idle": 7, "parked": 30, "stored": 90},
        },
        source="design 4.6 (presets cirium and lessor, days), domain.md 1.6 [D]",
    ),
)


class FlightLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of AC-DET-1 and of the gap rule that hold for one type of aircraft on one day; units in the names.

    `parked_presets` maps each preset to its words for an aircraft that stands, with the days after which they hold.
    """

    air_gs_kn: float
    air_agl_ft: float
    ground_gs_kn: float
    contradiction_gs_kn: float
    contradiction_agl_ft: float
    unflagged_agl_ft: float
    confirm_samples: int
    confirm_us: int
    midpoint_us: int
    extrapolate_max_us: int
    climb_fpm: float
    sink_fpm: float
    rising_fpm: float
    pressure_slack_ft: float
    final_ft: float
    gap_us: int
    gap_split_ratio: float
    gap_same_ratio: float
    median_mps: float
    departure_within_m: float
    departure_height_m: float
    arrival_within_m: float
    arrival_height_m: float
    arrival_slope: float
    leg_kn_max: float
    ground_gap_us: int
    same_field_m: float
    touch_us: int
    parked_preset: str
    parked_presets: dict[str, dict[str, float]]


def is_turboprop(asset_type: str | None, prefixes: Sequence[str]) -> bool:
    """Whether a type's word (`ATR 72-600`, `DH8D`) is one of a turboprop: it begins with one of the prefixes, spaces aside."""
    word = "" if asset_type is None else asset_type.upper().replace(" ", "").replace("-", "")
    return any(word.startswith(prefix) for prefix in prefixes)


@lru_cache(maxsize=256)
def limits(practice: Practice, on: date, asset_type: str | None) -> FlightLimits:
    """What the book says of a type on a day. Raises fleet.practice.NotDefinedError where a figure has no value that day."""

    def number(name: str) -> float:
        return practice.number(f"flight.{name}", on)

    def span_us(name: str, unit_us: int) -> int:
        return round(number(name) * unit_us)

    is_slow = is_turboprop(asset_type, practice.figure("flight.turboprop_types", on).value)
    return FlightLimits(
        air_gs_kn=number("turboprop_air_gs_kn" if is_slow else "air_gs_kn"),
        air_agl_ft=number("air_agl_ft"),
        ground_gs_kn=number("ground_gs_kn"),
        contradiction_gs_kn=number("contradiction_gs_kn"),
        contradiction_agl_ft=number("contradiction_agl_ft"),
        unflagged_agl_ft=number("unflagged_agl_ft"),
        confirm_samples=int(number("confirm_samples")),
        confirm_us=span_us("confirm_s", SECOND_US),
        midpoint_us=span_us("midpoint_s", SECOND_US),
        extrapolate_max_us=span_us("extrapolate_max_s", SECOND_US),
        climb_fpm=number("climb_fpm"),
        sink_fpm=number("sink_fpm"),
        rising_fpm=number("rising_fpm"),
        pressure_slack_ft=number("pressure_slack_ft"),
        final_ft=number("final_ft"),
        gap_us=span_us("gap_s", SECOND_US),
        gap_split_ratio=number("gap_split_ratio"),
        gap_same_ratio=number("gap_same_ratio"),
        median_mps=number("median_mps"),
        departure_within_m=number("departure_within_m"),
        departure_height_m=number("departure_height_m"),
        arrival_within_m=number("arrival_within_m"),
        arrival_height_m=number("arrival_height_m"),
        arrival_slope=tan(radians(number("arrival_glide_deg"))),
        leg_kn_max=number("leg_kn_max"),
        ground_gap_us=span_us("ground_gap_h", 3600 * SECOND_US),
        same_field_m=number("same_field_m"),
        touch_us=span_us("touch_s", SECOND_US),
        parked_preset=str(practice.figure("flight.parked_preset", on).value),
        parked_presets=practice.figure("flight.parked_presets", on).value,
    )


# -- the rules, one by one --------------------------------------------------------------------------------------------


def verdict(on_ground: bool | None, gs_kn: float | None, agl_ft: float | None, given: FlightLimits) -> Verdict:
    """What one sample decides, AC-DET-1 (domain.md 1.2): `air`, `ground`, or None when it decides nothing.

    A ground flag against speed or height is ignored (golden AC19); without a flag only clear cases are air.
    """
    if on_ground is True:
        is_contradiction = (gs_kn is not None and gs_kn >= given.contradiction_gs_kn) or (
            agl_ft is not None and agl_ft >= given.contradiction_agl_ft
        )
        return None if is_contradiction else "ground"
    if gs_kn is None:
        return None if on_ground is None or agl_ft is None or agl_ft < given.air_agl_ft else "air"
    if on_ground is False:
        if gs_kn >= given.air_gs_kn or (agl_ft is not None and agl_ft >= given.air_agl_ft):
            return "air"
    elif gs_kn >= given.air_gs_kn and agl_ft is not None and agl_ft >= given.unflagged_agl_ft:
        return "air"
    return "ground" if gs_kn <= given.ground_gs_kn and (agl_ft is None or agl_ft <= given.air_agl_ft) else None


def off_time(
    last_ground_us: int | None, first_air_us: int, agl_ft: float | None, climb_fpm: float | None, given: FlightLimits
) -> tuple[int, Quality]:
    """When it lifted off, and how well that is known (AC-DET-1; golden AC4, AC17).

    Decisive samples at most 30 s apart: their midpoint. Otherwise the first sample in the air less the time to climb to its
    height, at most 180 s, not before the last sample on the ground; `inferred_gap` when that is not enough to reach the ground.
    """
    if last_ground_us is not None and first_air_us - last_ground_us <= given.midpoint_us:
        return (last_ground_us + first_air_us) // 2, "midpoint"
    back_us, is_whole = _time_us(agl_ft, climb_fpm, given.climb_fpm, given.extrapolate_max_us)
    off_us = first_air_us - back_us
    return off_us if last_ground_us is None else max(off_us, last_ground_us), "extrapolated" if is_whole else "inferred_gap"


def on_time(
    last_air_us: int, first_ground_us: int | None, agl_ft: float | None, sink_fpm: float | None, given: FlightLimits
) -> tuple[int, Quality]:
    """When it touched down: `off_time` mirrored; `sink_fpm` is positive downwards. Golden AC4, AC17."""
    if first_ground_us is not None and first_ground_us - last_air_us <= given.midpoint_us:
        return (last_air_us + first_ground_us) // 2, "midpoint"
    ahead_us, is_whole = _time_us(agl_ft, sink_fpm, given.sink_fpm, given.extrapolate_max_us)
    on_us = last_air_us + ahead_us
    return on_us if first_ground_us is None else min(on_us, first_ground_us), "extrapolated" if is_whole else "inferred_gap"


def _time_us(agl_ft: float | None, rate_fpm: float | None, usual_fpm: float, most_us: int) -> tuple[int, bool]:
    """How long a height takes at a rate, clamped to [0, most]; False when the clamp cut it or the height is not known."""
    if agl_ft is None:
        return 0, False
    rate = usual_fpm if rate_fpm is None or rate_fpm < usual_fpm / 10.0 else rate_fpm
    needed_us = round(max(0.0, agl_ft) / rate * MINUTE_US)
    return min(needed_us, most_us), needed_us <= most_us


class Gap(NamedTuple):
    """What a gap between two positions in the air means: `same_flight`, `split` or `ambiguous`; implied speed in m/s."""

    verdict: Literal["same_flight", "split", "ambiguous"]
    implied_mps: float


def judge_gap(gap_us: int, metres: float, median_mps: float, given: FlightLimits) -> Gap:
    """Whether an aircraft landed unseen in a gap (domain.md 1.2, gaps; golden AC3).

    Longer than 600 s and slower than a quarter of the median speed: it did; from there to 0.70 of it nobody can tell, and the
    lessee's report is asked for.
    """
    implied_mps = metres / (gap_us / SECOND_US)
    if gap_us <= given.gap_us or implied_mps >= given.gap_same_ratio * median_mps:
        return Gap("same_flight", implied_mps)
    return Gap("split" if implied_mps < given.gap_split_ratio * median_mps else "ambiguous", implied_mps)


class Oooi(NamedTuple):
    """Hours of one flight: `block_h` IN - OUT (None unless both are known), `flight_h` ON - OFF, and its cycles."""

    block_h: float | None
    flight_h: float
    cycles: int


def oooi(out_us: int | None, off_us: int, on_us: int, in_us: int | None) -> Oooi:
    """Hours and cycles of a flight (domain.md 1.1; golden AC1).

    Raises ValueError when the instants are not in order (a report that says so is refused where it is read).
    """
    if off_us > on_us or (out_us is not None and out_us > off_us) or (in_us is not None and in_us < on_us):
        raise ValueError("OUT, OFF, ON, IN are not in order")
    block_h = None if out_us is None or in_us is None else (in_us - out_us) / 3600 / SECOND_US
    return Oooi(block_h, (on_us - off_us) / 3600 / SECOND_US, 1)


Attribution = Literal["landing", "takeoff", "split"]
ATTRIBUTIONS: tuple[Attribution, ...] = ("landing", "takeoff", "split")


class Flown(NamedTuple):
    """Flight time in microseconds and cycles."""

    flight_us: int
    cycles: int


def flown(
    flights: Iterable[tuple[int, int, int]], from_us: int, to_us: int, rule: Attribution, begins: Attribution | None = None
) -> Flown:  # fmt: skip
    """Flight time and cycles that belong to [from_us, to_us) by a lease's `period_attribution` (domain.md 1.1; golden AC2).

    By `landing` (the default [D]) a flight belongs wholly to where ON lies, by `takeoff` to where OFF lies; by `split` its time
    is divided at the edge and its cycle belongs to the landing. Adjacent periods sum to the whole by every rule, also where the
    rule changes with the period, as long as both go by one rule at the edge they share.

    Args:
        flights: (OFF, ON, cycles) of each.
        from_us: begin.
        to_us: end.
        rule: for flights over the end, and over the begin unless `begins` says otherwise.
        begins: for flights over the begin.
    """
    total_us = cycles = 0
    for flight in flights:
        since, beyond = _behind(flight, from_us, begins or rule), _behind(flight, to_us, rule)
        total_us += since.flight_us - beyond.flight_us
        cycles += since.cycles - beyond.cycles
    return Flown(total_us, cycles)


def _behind(flight: tuple[int, int, int], edge_us: int, rule: Attribution) -> Flown:
    """What of a flight, (OFF, ON, cycles), counts behind an edge."""
    off_us, on_us, landings = flight
    counted = (off_us if rule == "takeoff" else on_us) >= edge_us
    if rule == "split":
        return Flown(max(0, on_us - max(off_us, edge_us)), landings if counted else 0)
    return Flown(on_us - off_us, landings) if counted else Flown(0, 0)


def months(from_us: int, to_us: int, zone: tzinfo) -> list[tuple[str, int, int]]:
    """The calendar months of a billing time zone that meet [from_us, to_us): (`2026-05`, begin, end), not clipped to it."""
    found: list[tuple[str, int, int]] = []
    local = to_datetime(from_us).astimezone(zone)
    year, month = local.year, local.month
    while True:
        begin_us = from_datetime(datetime(year, month, 1, tzinfo=zone))
        if begin_us >= to_us:
            return found
        named = f"{year:04d}-{month:02d}"
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
        found.append((named, begin_us, from_datetime(datetime(year, month, 1, tzinfo=zone))))


class Parked(NamedTuple):
    """Since when an aircraft has not flown, in days, and what the preset calls that (`in_service` until its first word)."""

    days: float
    status: str


def parked(last_on_us: int, as_of_us: int, preset: str, practice: Practice) -> Parked:
    """How long an aircraft has been parked: since its last confirmed ON, no OFF since (domain.md 1.6; golden AC15).

    The thresholds are the preset's, in days. "Not seen" is not "parked": ask only where the last confirmed event was an ON.
    Raises KeyError for an unknown preset.
    """
    days = (as_of_us - last_on_us) / DAY_US
    named: dict[str, float] = practice.figure("flight.parked_presets", to_datetime(as_of_us).date()).value[preset]
    reached = [(limit_d, status) for status, limit_d in named.items() if days >= limit_d]
    return Parked(days, max(reached)[1] if reached else "in_service")
