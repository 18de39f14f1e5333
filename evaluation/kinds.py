"""Every kind of injected fault: which rule is to say what of it, how soon, and how cases of it are made.

`rule` None means that nothing may be said: the kind only looks like a fault. `also` are rules that are right about the same fault
beside its own. `allowed_min` is how long after the fault's beginning the rule's own definition lets it take.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random
from statistics import quantiles
from typing import Any, NamedTuple

from evaluation.inject import air, movements, places, positions, sensors, silences
from evaluation.inject.flights import AIRPORTS, flight, plane
from evaluation.inject.passages import START_MS, passage, ship
from evaluation.inject.track import HOUR_MS, MINUTE_MS, Fault, Track, merged

Made = Callable[[Random, int], Fault]
"""From random numbers and the case's number to a fault."""
POSITION_RULES = frozenset({"position_jump", "position_conflict", "spoofed_track"})
CHANNEL_RULES = frozenset({"channel_anomaly", "behaviour_anomaly", "performance_drift"})


class Kind(NamedTuple):
    """One kind. `synthetic` and `real` make its cases (`real` None: no recording carries it), `wants` is evidence to be shown.

    `cases`: how many of each. `compared`: which simple methods it is compared with. `exactly`: how many findings.
    """

    name: str
    rule: str | None
    severity: str
    allowed_min: float
    synthetic: Made
    real: Made | None = None
    also: frozenset[str] = frozenset()
    wants: tuple[tuple[str, Any], ...] = ()
    cases: tuple[int, int] = (20, 8)
    compared: str = ""
    exactly: int | None = None


def _at_sea(fault: Callable[[Random, Track], Fault], hours: float = 9.0, every_s: int = 60) -> Made:
    """A fault in a passage made from nothing."""

    def made(rng: Random, number: int) -> Fault:
        return fault(rng, passage(rng, ship(rng, number), hours, every_s=every_s))

    return made


def _on_a_leg(fault: Callable[[Random, Track], Fault], *, before_too: bool = False) -> Made:
    """A fault in a real ship's hours under way; `before_too`: what is said of the two days before it is as true."""

    def made(rng: Random, number: int) -> Fault:
        from evaluation.bases import legs

        leg = legs()[number % len(legs())]
        put = fault(rng, leg.moving)
        since_ms = leg.history[0]["time"] if before_too else put.since_ms
        return put._replace(records=merged(leg.history, put.records), since_ms=since_ms)

    return made


def _in_flight(fault: Callable[[Random, Track], Fault], every_s: int = 10) -> Made:
    """A fault in a flight made from nothing, between airports far enough apart for it."""

    def made(rng: Random, number: int) -> Fault:
        for _ in range(20):
            origin, destination = rng.sample(sorted(AIRPORTS), 2)
            try:
                return fault(rng, flight(rng, plane(rng, number), origin, destination, every_s=every_s))
            except ValueError:
                continue
        raise ValueError("no flight can carry it")

    return made


def _on_a_real_flight(fault: Callable[[Random, Track], Fault], *, short: bool = False) -> Made:
    """A fault in the first real flight from the case's own on that can carry it; `short`: with a reading every few seconds."""

    def made(rng: Random, number: int) -> Fault:
        from evaluation.bases import flights, overflights

        dense = tuple(track for track in flights() if len(track) > (track[-1]["time"] - track[0]["time"]) / 12_000)
        tracks = overflights() + dense if short else flights() + overflights()
        for step in range(len(tracks)):
            try:
                return fault(rng, tracks[(number + step) % len(tracks)])
            except (ValueError, IndexError, StopIteration):
                continue
        raise ValueError("no real flight can carry it")

    return made


def _position(name: str, rule: str, severity: str, allowed_min: float, fault: Callable[[Random, Track], Fault]) -> Kind:
    """A ship whose positions are not where she is."""
    return Kind(
        name, rule, severity, allowed_min, _at_sea(fault), _on_a_leg(fault), POSITION_RULES, compared="position"
    )  # fmt: skip


# -- sensors ----------------------------------------------------------------------------------------------------------


def _ship_with_sensors(put: Callable[[Random, Track, int, float], Fault], *, steady: bool) -> Made:
    def made(rng: Random, number: int) -> Fault:
        track = passage(rng, ship(rng, number), 9.0, steady=steady, channels=True)
        return put(rng, track, START_MS + int(rng.uniform(5.5, 6.5) * HOUR_MS), 2.0)

    return made


def _aircraft_with_sensors(put: Callable[[Random, Track, int, float], Fault]) -> Made:
    def made(rng: Random, number: int) -> Fault:
        origin, destination = rng.sample(["ESSA", "LEMD", "LIRF", "EGLL"], 2)
        track = flight(rng, plane(rng, number), origin, destination, every_s=20, channels=True)
        cruise = [row for row in track if (row.get("alt_baro_ft") or 0) > 35_000]
        from_ms = cruise[0]["time"] + 35 * MINUTE_MS
        return put(rng, track, from_ms, min(0.5, (cruise[-1]["time"] - from_ms) / HOUR_MS))

    return made


def _real_with_sensors(put: Callable[[Random, Track, int, float], Fault]) -> Made:
    """Real motion, and made sensors that follow it."""

    def made(rng: Random, number: int) -> Fault:
        from evaluation.bases import flights, legs, steady_instants

        if number % 2 == 0:
            # with other legs before them, at the speed of those: something is known of her engine there
            known = [leg for leg in legs()[3:] if quantiles([row["sog_kn"] for row in leg.moving], n=5)[0] > 7.0]
            leg = known[number // 2 % len(known)]
            track = sensors.equipped(rng, merged(leg.history, leg.moving))
            return put(rng, track, leg.moving[0]["time"] + 80 * MINUTE_MS, 1.2)
        cruising = [(track, found) for track in flights() if (found := steady_instants(track, 100 * MINUTE_MS, 32 * MINUTE_MS))]
        track, found = cruising[number // 2 % len(cruising)]
        return put(rng, sensors.equipped(rng, track), rng.choice(found), 0.5)

    return made


def _sensor(kind: str, allowed_min: float, *, steady: bool = True) -> list[Kind]:
    def put(rng: Random, track: Track, from_ms: int, hours: float) -> Fault:
        return sensors.fault_of_a_sensor(rng, track, kind, from_ms, hours)

    both = _ship_with_sensors(put, steady=steady), _aircraft_with_sensors(put)
    return [
        Kind(
            f"sensor {kind}",
            "channel_anomaly",
            "warning",
            allowed_min,
            lambda rng, number: both[number % 2](rng, number),
            _real_with_sensors(put),
            CHANNEL_RULES,
            compared="sensor",
        )
    ]


def _worn_and_sound(worn: str, sound: str, allowed_d: int, wearing: Made, lasting: Made) -> tuple[Kind, Kind]:
    """A machine that wears, and the same one that does not: of that nothing may be said."""
    return (
        Kind(
            worn, "performance_drift", "warning", allowed_d * 1440, wearing, also=CHANNEL_RULES, cases=(10, 0), compared="sensor"
        ),
        Kind(sound, None, "", 0, lasting, cases=(6, 0), compared="sensor"),
    )  # fmt: skip


def _decoupled_on_a_real_track(rng: Random, track: Track, from_ms: int, hours: float) -> Fault:
    """Real speeds are coarse, a tenth of a knot is four per cent of a ship's power: the parting is wider by half."""
    return sensors.decoupling(rng, track, from_ms, hours, 1.6 if track[-1]["class"] == "vessel" else 1.2)


def _decoupled() -> Kind:
    both = _ship_with_sensors(sensors.decoupling, steady=True), _aircraft_with_sensors(sensors.decoupling)
    return Kind(
        "channels decoupled",
        "behaviour_anomaly",
        "warning",
        30,
        lambda rng, number: both[number % 2](rng, number),
        _real_with_sensors(_decoupled_on_a_real_track),
        CHANNEL_RULES,
        compared="sensor",
    )


# -- silences and the sky ----------------------------------------------------------------------------------------------


def _dark_in_the_solent(rng: Random, number: int) -> Fault:
    from evaluation.bases import crossings, sea

    ships = crossings()
    for step in range(len(ships)):
        try:
            return silences.dark_among(rng, sea(), ships[(number + step) % len(ships)][0]["value"], 1.05)
        except ValueError:
            continue
    raise ValueError("no ship moves so early")


def _jammed_sky(rng: Random, _number: int) -> Fault:
    from evaluation.bases import sky

    whole = [row for index, row in enumerate(sky()) if index % 5 == 0 or row.get("stream") == "static"]
    from_ms = whole[0]["time"] + int(rng.uniform(8, 15) * MINUTE_MS)
    return Fault(air.degraded(whole, from_ms, from_ms + 35 * MINUTE_MS), "region:", from_ms, from_ms + 35 * MINUTE_MS)


def _go_around(rng: Random, number: int) -> Fault:
    origin, destination = rng.sample(sorted(AIRPORTS), 2)
    track = flight(rng, plane(rng, number), origin, destination, every_s=5)
    return air.go_around(rng, track, AIRPORTS[destination])


def _on_a_landing(fault: Callable[[Random, Track], Fault]) -> Made:
    """A fault in a real flight that ends on the ground."""

    def made(rng: Random, number: int) -> Fault:
        from evaluation.bases import landings

        return fault(rng, landings()[number % len(landings())])

    return made


def _go_around_where_it_landed(rng: Random, track: Track) -> Fault:
    last = next(row for row in reversed(track) if row.get("alt_baro_ft") is not None)
    return air.go_around(rng, track, (last["lat_deg"], last["lon_deg"], last["alt_baro_ft"]))


def _squawks(rng: Random, number: int, of: Callable[[Callable[[Random, Track], Fault]], Made], codes: tuple[str, ...]) -> Fault:
    code = codes[number % len(codes)]
    return of(lambda inner, track: air.squawk(inner, track, code))(rng, number)


def _squawk_kind(name: str, severity: str, codes: tuple[str, ...]) -> Kind:
    return Kind(
        name,
        "squawk_emergency",
        severity,
        1.0,
        lambda rng, number: _squawks(rng, number, _in_flight, codes),
        lambda rng, number: _squawks(rng, number, partial(_on_a_real_flight, short=True), codes),
    )


AREA_RULES = frozenset({"area_entered", "area_exited"})
_PLACES: tuple[Kind, ...] = (
    Kind(
        "prohibited area entered",
        "area_entered",
        "warning",
        12,
        _at_sea(lambda rng, track: places.entered(rng, track, "prohibited")),
        _on_a_leg(lambda rng, track: places.entered(rng, track, "prohibited"), before_too=True),
        AREA_RULES,
        cases=(12, 6),
    ),
    Kind(
        "watched area entered",
        "area_entered",
        "info",
        12,
        _at_sea(lambda rng, track: places.entered(rng, track, "watch")),
        cases=(8, 0),
    ),
    Kind("prohibited area left", "area_exited", "warning", 30, _at_sea(places.left), None, AREA_RULES, cases=(12, 0)),
    Kind("prohibited area passed by", None, "", 0, _at_sea(places.passed_by), cases=(12, 0)),
    Kind(
        "boundary jitter: one entry",
        "area_entered",
        "warning",
        12,
        places.along_the_edge,
        None,
        AREA_RULES,
        cases=(12, 0),
        exactly=1,
    ),
    Kind(
        "boundary jitter: one exit",
        "area_exited",
        "warning",
        400,
        places.along_the_edge,
        None,
        AREA_RULES,
        cases=(12, 0),
        exactly=1,
    ),
    Kind(
        "port call where none may be",
        "port_call_prohibited",
        "critical",
        20,
        _at_sea(places.called_at),
        _on_a_leg(places.called_at, before_too=True),
        AREA_RULES,
        cases=(12, 6),
    ),
    Kind("landing where none may be", "landing_prohibited", "critical", 10, places.landed_in, None, AREA_RULES, cases=(12, 0)),
    Kind(
        "the same in distress",
        "landing_prohibited",
        "critical",
        10,
        lambda rng, number: places.landed_in(rng, number, mayday=True),
        None,
        AREA_RULES | {"squawk_emergency"},
        (("force_majeure_candidate", True),),
        (12, 0),
    ),
    Kind("flight over a prohibited area", None, "", 0, places.flown_over, cases=(12, 0)),
    Kind("trading limits left", "covenant_breach", "warning", 30, _at_sea(places.out_of_limits), None, AREA_RULES, cases=(12, 0)),
    Kind(
        "limits of a lease that is over",
        None,
        "",
        0,
        _at_sea(lambda rng, track: places.out_of_limits(rng, track, in_force=False)),
        cases=(12, 0),
    ),
    Kind(
        "call in a prohibited country",
        "covenant_breach",
        "warning",
        30,
        _at_sea(places.called_in_a_country),
        None,
        frozenset({"port_call_prohibited"}),
        cases=(12, 0),
    ),
    Kind("more use than allowed", "covenant_breach", "warning", 1500, places.used_too_much, cases=(12, 0)),
    Kind("less use than promised", "covenant_breach", "warning", 60, places.used_too_little, cases=(12, 0)),
    Kind("out of reach of redelivery", "covenant_breach", "warning", 60, places.too_far_away, cases=(12, 0)),
    Kind(
        "AIS off under a lease", "covenant_breach", "warning", 190, places.not_on_the_air, None, frozenset({"gap"}), cases=(12, 0)
    ),
    Kind(
        "transfer under a lease",
        "covenant_breach",
        "warning",
        150,
        _at_sea(places.transferred),
        None,
        frozenset({"encounter", "drifting"}),
        cases=(12, 0),
    ),
)

KINDS: tuple[Kind, ...] = (
    Kind(
        "dark ship among others",
        "gap",
        "warning",
        130,
        silences.dark,
        _dark_in_the_solent,
        wants=(("verdict", "dark"),),
        compared="silence",
    ),
    Kind("feed down, nobody dark", None, "", 0, silences.feed_down, compared="silence"),
    Kind("out of coverage, nobody dark", None, "", 0, silences.no_coverage, compared="silence"),
    Kind(
        "dark aircraft among others",
        "gap",
        "warning",
        75,
        silences.dark_aircraft,
        wants=(("verdict", "dark"),),
        compared="silence",
        cases=(20, 0),
    ),
    _position("teleport and return", "position_jump", "info", 10, positions.teleport_and_return),
    _position("teleport for good", "position_jump", "warning", 15, positions.teleport_for_good),
    _position("two hulls on one identity", "position_conflict", "warning", 60, positions.two_hulls),
    _position("circles", "spoofed_track", "warning", 45, positions.circles),
    _position("frozen position", "spoofed_track", "warning", 45, positions.frozen),
    _position("position on land", "spoofed_track", "warning", 45, positions.on_land),
    _position("repeated track", "spoofed_track", "warning", 90, positions.repeated),
    Kind("jammed region", "gnss_interference", "info", 35, air.jammed_region, _jammed_sky, cases=(8, 4)),
    _squawk_kind("squawk 7500, 7700", "critical", ("7500", "7700")),
    _squawk_kind("squawk 7600", "warning", ("7600",)),
    Kind("slow steaming", "speed_anomaly", "info", 30, movements.slow_steaming),
    Kind("off her lane", "route_anomaly", "info", 300, movements.off_her_lane, cases=(12, 0)),
    Kind("another name and call sign", "identity_changed", "warning", 65, _at_sea(movements.another_identity), cases=(12, 0)),
    Kind("loitering far out", "loitering", "info", 5 * 60, _at_sea(movements.loitering)),
    Kind(
        "drifting",
        "drifting",
        "warning",
        25,
        _at_sea(movements.drifting),
        _on_a_leg(movements.drifting),
        frozenset({"unexpected_stop"}),
    ),
    Kind("sudden stop", "unexpected_stop", "warning", 5, _at_sea(movements.sudden_stop), _on_a_leg(movements.sudden_stop)),
    Kind("draught change at sea", "draught_change", "warning", 150, _at_sea(movements.draught_change_at_sea, 12.0)),
    Kind(
        "draught change across a gap", "draught_change", "warning", 150, _at_sea(movements.draught_change_across_a_gap, 24.0, 120)
    ),
    Kind("encounter", "encounter", "warning", 150, _at_sea(movements.encounter), also=frozenset({"drifting"}), cases=(20, 0)),
    Kind("holding", "holding", "info", 12, _in_flight(air.holding), _on_a_real_flight(air.holding, short=True)),
    Kind(
        "go-around",
        "go_around",
        "info",
        2,
        _go_around,
        _on_a_landing(_go_around_where_it_landed),
    ),
    Kind(
        "rapid descent",
        "rapid_descent",
        "warning",
        1.6,
        _in_flight(air.rapid_descent),
        _on_a_real_flight(air.rapid_descent, short=True),
    ),
    Kind(
        "diversion", "diversion", "warning", 20, air.diversion, _on_a_landing(lambda _rng, track: air.diversion_of(track, "EGLL"))
    ),
    Kind(
        "parked for 8 days",
        "parked_long",
        "info",
        7 * 1440 + 400,
        lambda rng, n: air.parked(rng, n, 8),
        _on_a_landing(lambda _rng, track: air.parked_after(track, 8)),
    ),
    Kind(
        "parked for 15 days",
        "stored",
        "warning",
        14 * 1440 + 400,
        lambda rng, n: air.parked(rng, n, 15),
        _on_a_landing(lambda _rng, track: air.parked_after(track, 15)),
    ),
    *_sensor("spike", 10),
    *_sensor("step", 10),
    *_sensor("drift", 120),
    *_sensor("stuck", 120, steady=False),
    *_sensor("dead", 30),
    *_sensor("noise", 30),
    _decoupled(),
    *_worn_and_sound("hull fouling", "hull clean", 75, sensors.hull_fouling, partial(sensors.hull_fouling, per_day=0.0)),
    *_worn_and_sound("engine wear", "engine sound", 20, sensors.engine_wear, partial(sensors.engine_wear, per_flight=0.0)),
    *_PLACES,
)
