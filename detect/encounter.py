"""Rule `encounter`: two ships lay close together at sea, slow, for hours: what a transfer from ship to ship looks like.

Judged over buckets of ten minutes. Memory is one record a ship heard within a day, the places where ships lie, and the pairs
that are or were lately close; neighbours are looked for in a grid, never over all pairs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from math import ceil, cos, floor, hypot, radians, sin
from statistics import median
from typing import Any, Protocol

import msgspec

from detect.model import Finding, finding_id
from detect.plane import near_distance_m, offset_m
from detect.sighting import BUCKET_US, Sighting
from fleet.geodesy import KN_MPS, NM_M, normalise_lon_deg
from fleet.instants import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from fleet.use import Place

NAME = "encounter"
VERSION = 1
NEAR_M = 500.0  # detection.md S6
LASTING_US = 2 * HOUR_US  # detection.md S6
SLOW_KN = 2.0  # detection.md S6: both slower
BRIDGED_US = HOUR_US  # detection.md S6: nothing is made up over a gap of an hour or more
MERGED_US = 4 * HOUR_US  # detection.md S6: meetings less than 4 h apart are one
PLACE_M = 10_000.0  # detection.md S6: at least 10 km from an anchorage; a port, berth or yard the same
WAY_KN = 3.0  # chosen: faster than any drift or swing, slower than any passage
ARRIVED_US = 6 * HOUR_US  # chosen: who came for the meeting was under way within six hours before it
APART_M = 3_000.0  # chosen: six times the limit; a ship and her tow, or one ship under two names, are never so far apart
PARTED_M = 2_000.0  # chosen: four times the limit, well clear of each other
HELD_US = 20 * MINUTE_US  # chosen: a slow ship unheard for two buckets has moved half a mile at most
OTHERS_MAX = 2  # chosen: three more ships lying around say that this is a harbour or an anchorage
OTHERS_M = 3_000.0  # chosen: a harbour or roads of the smaller kind
HABIT_M = 1_000.0  # chosen: a berth, a pontoon, a platform that the ship has lain at before
LYING_US = 30 * MINUTE_US  # chosen: three buckets
KEPT_US = 7 * DAY_US  # chosen: a ferry or a fishing boat is back at her berth within a week
FORGOTTEN_US = DAY_US  # chosen: a ship unheard for a day has to be seen coming anew
SHORE_M = 5_000.0  # chosen: nearer than this two ships lie at the land's own places, whoever has them on a map
OFFSHORE_M = 10_000.0  # detection.md S6: the distance from coastal anchorages, where only the coast is known
DRIFTED_M = 200.0  # chosen: more than the swing of a small anchor or the slack of moorings
ALONGSIDE_M = 200.0  # chosen: two ships at one place by their own anchors lie further apart than this
TRAIL_EVERY_US = 30 * MINUTE_US
TRAIL_MAX = 8  # four hours: long enough to have been apart before a meeting
CROWD = 4  # chosen: a ship with more ships than this within 500 m lies in a harbour
DRIFT_KN = 0.3  # chosen: below it a course over ground is noise
CELL_DEG = 0.02  # 2.2 km of latitude, so that the cells beside one hold all that is looked at
LOOKED_M = 2_000.0  # chosen: the limit, and what a ship at 2 kn drifts between two fixes of a bucket and a held one
CELL_CROWD = 30  # chosen: five square kilometres with more ships are a harbour
PLACE_CELL_DEG = 0.05  # 5.6 km of latitude, more than `OTHERS_M`
LYING_MAX = 8  # remembered in one such cell; more say nothing new
SAMPLES_MAX = 150  # distances and speeds kept of one meeting, 25 h; of longer ones the beginning counts
LOOK_M = 20_000.0  # chosen: a ship at 12 kn is seen five times before she is alongside
LOOK_CELL_DEG = 0.2
AT_ANCHOR, MOORED = 1, 5  # ITU-R M.1371-5 table 48
UNLIKE = frozenset(
    (
        "tug", "tugboat", "towing", "pilot", "port_tender", "tender", "search_and_rescue", "rescue", "sar", "law_enforcement",
        "enforcement", "patrol", "police", "anti_pollution", "pollution", "medical", "dredging", "dredger", "diving", "military",
        "sailing", "pleasure", "yacht", "bunker", "bunkering",
    )
)  # fmt: skip
"""Words of ship types in whose company nothing is transferred that matters: those that serve, guard and tow, and yachts."""
UNLIKE_CODES = frozenset((*range(31, 38), *range(50, 56), 58))  # the same in numbers: ITU-R M.1371-5 table 53


class World(Protocol):
    """What the scene may ask of the world: places and land as the tenant knows them."""

    def places_within(self, lat_deg: float, lon_deg: float, within_m: float, time_us: int) -> Sequence[Place]:
        """Ports, anchorages, berths and yards within a distance, the nearest first; empty where none is known."""
        ...

    def land_distance_m(self, lat_deg: float, lon_deg: float) -> float | None:
        """How far the nearest land is, metres; None where nobody knows."""
        ...


class Ship(msgspec.Struct, kw_only=True, array_like=True):
    """One ship as last heard: since when she lies (`lying_us`), when she was last under way, and where in each half hour."""

    asset_id: str
    name: str
    time_us: int
    lat_deg: float
    lon_deg: float
    speed_kn: float | None = None
    course_deg: float | None = None
    nav_status: int | None = None
    kind: str | None = None
    way_us: int | None = None
    lying_us: int | None = None
    trail: list[tuple[int, float, float]] = []


class Lying(msgspec.Struct, kw_only=True, array_like=True):
    """A place where a ship lay: who, from when to when, where."""

    key: str
    from_us: int
    to_us: int
    lat_deg: float
    lon_deg: float


class Pair(msgspec.Struct, kw_only=True, array_like=True):
    """Two ships that are or were lately close: the meeting under way, and the episode once one lasted.

    `first_us` and `last_us` are the buckets of the meeting's first and last contact (None: none under way); `is_met` says that
    both came to it; `names` are what the two were called when the episode opened, `opened_us` is of the first
    meeting of the episode, `ended_us` of its last contact once it is closed.
    """

    seen_us: int
    first_us: int | None = None
    last_us: int = 0
    is_met: bool = False
    lat_deg: float = 0.0
    lon_deg: float = 0.0
    moved_m: float = 0.0
    distances_m: list[float] = []
    speeds_kn: list[tuple[float, float]] = []
    statuses: dict[str, tuple[int, int]] = {}
    names: dict[str, str] = {}
    opened_us: int | None = None
    detected_us: int = 0
    ended_us: int | None = None
    meetings: int = 0
    lasted_us: int = 0
    land_m: float | None = None


class EncounterMemory(msgspec.Struct, kw_only=True):
    """Ships by key, where ships lay by cell, pairs by both keys in order, and the hour in which it last forgot.

    Plain, so that it is its own checkpoint.
    """

    ships: dict[str, Ship] = {}
    lying: dict[str, list[Lying]] = {}
    pairs: dict[str, Pair] = {}
    hour: int = 0


def at_bucket(memory: EncounterMemory, start_us: int, sightings: Iterable[Sighting], world: World) -> list[Finding]:
    """Take one bucket in: what opened, went on after a pause or closed.

    Args:
        memory: updated in place.
        start_us: start of the bucket; buckets come in order.
        sightings: of the bucket, in any order, of any class.
        world: asked only where a pair has lain long enough.
    """
    _forget(memory, start_us)
    ships = _observe(memory, start_us, sightings)
    findings: list[Finding] = []
    close: set[str] = set()
    for one, other in _near_pairs(ships):
        is_heard = max(one.time_us, other.time_us) >= start_us
        if not is_heard or not (one.asset_id or other.asset_id) or _is_unlike(one) or _is_unlike(other):
            continue
        key = _pair_key(one, other)
        close.add(key)
        findings += _apart(memory, key, start_us)  # an hour may have gone by since they were close
        _contact(memory, key, start_us)
        findings += _lasting(memory, key, start_us, world)
    for key in sorted(memory.pairs.keys() - close):
        findings += _apart(memory, key, start_us)
    return findings


# -- ships -------------------------------------------------------------------------------------------------------------


def _key(ship: Ship) -> str:
    return ship.asset_id or ship.name


def _pair_key(one: Ship, other: Ship) -> str:
    return "\x1f".join(sorted((_key(one), _key(other))))


def _is_unlike(ship: Ship) -> bool:
    """Whether nobody transfers anything with such a ship; by her type's words, or because she is none (MMSI of a buoy, say)."""
    scheme, _, value = ship.name.partition(":")
    if scheme == "mmsi" and value[:1] not in {"2", "3", "4", "5", "6", "7"}:
        return True
    if ship.kind is None:
        return False
    if ship.kind.isdigit():
        return int(ship.kind) in UNLIKE_CODES
    return not UNLIKE.isdisjoint({ship.kind, *re.split(r"\W+|_", ship.kind.lower())})


def _observe(memory: EncounterMemory, start_us: int, sightings: Iterable[Sighting]) -> list[Ship]:
    """Take the bucket's sightings in; the slow ships whose place in this bucket is known, in order of their keys."""
    first: dict[str, Sighting] = {}
    for sighting in sightings:
        if sighting.asset_class == "vessel":
            known = first.get(sighting.key)
            if known is None or (sighting.time_us, sighting.name) < (known.time_us, known.name):
                first[sighting.key] = sighting
    for key in sorted(first):
        memory.ships[key] = _moved(memory.ships.get(key), first[key])
        _note_lying(memory, key, start_us)
    return [ship for key, ship in sorted(memory.ships.items()) if _is_slow(ship) and ship.time_us >= start_us - HELD_US]


def _is_slow(ship: Ship) -> bool:
    return ship.speed_kn is not None and ship.speed_kn < SLOW_KN


def _moved(before: Ship | None, sighting: Sighting) -> Ship:
    """A ship after a sighting; a speed that is not reported is what the way since the last one needs."""
    ship = Ship(
        asset_id=sighting.asset_id,
        name=sighting.name,
        time_us=sighting.time_us,
        lat_deg=sighting.lat_deg,
        lon_deg=sighting.lon_deg,
        speed_kn=sighting.speed_kn,
        course_deg=sighting.course_deg,
        nav_status=sighting.nav_status,
        kind=sighting.kind,
    )
    if before is not None:
        elapsed_us = sighting.time_us - before.time_us
        if ship.speed_kn is None and 0 < elapsed_us < BRIDGED_US:
            ship.speed_kn = _distance_m(before, ship) / (elapsed_us / SECOND_US) / KN_MPS
        ship.kind = ship.kind or before.kind
        ship.way_us, ship.lying_us, ship.trail = before.way_us, before.lying_us, before.trail
    if ship.speed_kn is not None and ship.speed_kn >= WAY_KN:
        ship.way_us = ship.time_us
    ship.lying_us = (ship.lying_us or ship.time_us) if _is_slow(ship) else None
    half_us = ship.time_us // TRAIL_EVERY_US
    if not ship.trail or ship.trail[-1][0] != half_us:
        ship.trail = [*ship.trail, (half_us, ship.lat_deg, ship.lon_deg)][-TRAIL_MAX:]
    return ship


def _note_lying(memory: EncounterMemory, key: str, start_us: int) -> None:
    """Remember where a ship lies once she has lain for half an hour; tugs and their like lie in harbours as others do."""
    ship = memory.ships[key]
    if ship.lying_us is None or ship.time_us - ship.lying_us < LYING_US:
        return
    cell = memory.lying.setdefault(_place_cell(ship.lat_deg, ship.lon_deg), [])
    for held in cell:
        if held.key == key and held.from_us == ship.lying_us:
            held.to_us = start_us
            return
    cell.append(Lying(key=key, from_us=ship.lying_us, to_us=start_us, lat_deg=ship.lat_deg, lon_deg=ship.lon_deg))
    if len(cell) > LYING_MAX:
        cell.remove(min(cell, key=lambda held: (held.to_us, held.key)))


def _forget(memory: EncounterMemory, start_us: int) -> None:
    """Once an hour: ships unheard for a day, places where nobody lay for a week. Pairs are forgotten where they part.

    What is forgotten depends on the instant alone, so that buckets without anybody may be left out.
    """
    if start_us // HOUR_US == memory.hour:
        return
    memory.hour = start_us // HOUR_US
    memory.ships = {key: ship for key, ship in memory.ships.items() if start_us - ship.time_us <= FORGOTTEN_US}
    kept = {cell: [held for held in lying if start_us - held.to_us <= KEPT_US] for cell, lying in memory.lying.items()}
    memory.lying = {cell: lying for cell, lying in kept.items() if lying}


# -- who is near whom --------------------------------------------------------------------------------------------------


def _distance_m(one: Ship, other: Ship) -> float:
    return near_distance_m(one.lat_deg, one.lon_deg, other.lat_deg, other.lon_deg, 2 * OTHERS_M)


def _apart_m(one: Ship, other: Ship) -> float:
    """How far apart two slow ships are at the later of their fixes: who was seen earlier drifted on meanwhile, if it drifts."""
    early, late = (one, other) if one.time_us <= other.time_us else (other, one)
    drift_kn = early.speed_kn or 0.0
    if drift_kn < DRIFT_KN or early.course_deg is None:
        return _distance_m(one, other)
    east_m, north_m = offset_m(early.lat_deg, early.lon_deg, late.lat_deg, late.lon_deg)
    run_m = drift_kn * KN_MPS * (late.time_us - early.time_us) / SECOND_US
    course = radians(early.course_deg)
    return hypot(east_m - run_m * sin(course), north_m - run_m * cos(course))


def _cell_of(lat_deg: float, lon_deg: float, size_deg: float) -> tuple[int, int]:
    row = floor(lat_deg / size_deg)
    return row, floor((lon_deg + 180.0) / _width_deg(row, size_deg)) % _columns(row, size_deg)


def _width_deg(row: int, size_deg: float) -> float:
    """The width of a row's cells, degrees of longitude: as many metres as they are high, at the row's poleward edge."""
    return 360.0 / _columns(row, size_deg)


@lru_cache(20_000)
def _columns(row: int, size_deg: float) -> int:
    poleward_deg = min(89.9, max(abs(row), abs(row + 1)) * size_deg)
    return max(1, floor(360.0 * cos(radians(poleward_deg)) / size_deg))


def _cells_around(lat_deg: float, lon_deg: float, size_deg: float, reach_m: float) -> Iterator[tuple[int, int]]:
    """Every cell with a point within a distance."""
    reach_deg = reach_m / 110_000.0
    side_deg = reach_deg / max(0.01, cos(radians(min(89.0, abs(lat_deg) + reach_deg))))
    for row in range(floor((lat_deg - reach_deg) / size_deg), floor((lat_deg + reach_deg) / size_deg) + 1):
        columns, width_deg = _columns(row, size_deg), _width_deg(row, size_deg)
        first = floor((lon_deg - side_deg + 180.0) / width_deg)
        for column in range(first, min(first + columns, first + ceil(2 * side_deg / width_deg) + 1)):
            yield row, column % columns


def _place_cell(lat_deg: float, lon_deg: float) -> str:
    row, column = _cell_of(lat_deg, lon_deg, PLACE_CELL_DEG)
    return f"{row}/{column}"


def _near_pairs(ships: Sequence[Ship]) -> list[tuple[Ship, Ship]]:
    """Pairs within the limit, each once, in order; none of ships that lie in a crowd."""
    grid: dict[tuple[int, int], list[Ship]] = {}
    for ship in ships:
        grid.setdefault(_cell_of(ship.lat_deg, ship.lon_deg, CELL_DEG), []).append(ship)
    near: dict[str, list[Ship]] = {}
    for ship in ships:
        if len(grid[_cell_of(ship.lat_deg, ship.lon_deg, CELL_DEG)]) > CELL_CROWD:
            continue
        cells = (grid.get(cell, ()) for cell in _cells_around(ship.lat_deg, ship.lon_deg, CELL_DEG, LOOKED_M))
        others = [other for cell in cells if len(cell) <= CELL_CROWD for other in cell]
        near[_key(ship)] = [other for other in others if other is not ship and _apart_m(ship, other) <= NEAR_M]
    return [
        (ship, other)
        for ship in ships
        for other in sorted(near.get(_key(ship), ()), key=_key)
        if _key(ship) < _key(other) and len(near[_key(ship)]) <= CROWD and len(near.get(_key(other), ships)) <= CROWD
    ]


def near_assets(memory: EncounterMemory, traffic: Iterable[Sighting]) -> list[Sighting]:
    """Those of the traffic that are within 20 km of a ship that is an asset, in the order given."""
    grid: dict[tuple[int, int], list[Ship]] = {}
    for ship in memory.ships.values():
        if ship.asset_id:
            grid.setdefault(_cell_of(ship.lat_deg, ship.lon_deg, LOOK_CELL_DEG), []).append(ship)
    return [
        seen
        for seen in traffic
        if any(
            near_distance_m(seen.lat_deg, seen.lon_deg, ship.lat_deg, ship.lon_deg, 2 * LOOK_M) <= LOOK_M
            for cell in _cells_around(seen.lat_deg, seen.lon_deg, LOOK_CELL_DEG, LOOK_M)
            for ship in grid.get(cell, ())
        )
    ]


# -- pairs -------------------------------------------------------------------------------------------------------------


def _contact(memory: EncounterMemory, key: str, start_us: int) -> None:
    """One bucket in which a pair is close and slow."""
    one, other = (memory.ships[name] for name in key.split("\x1f"))
    pair = memory.pairs.get(key)
    if pair is None:
        pair = memory.pairs[key] = Pair(seen_us=start_us)
    lat_deg = (one.lat_deg + other.lat_deg) / 2.0
    lon_deg = normalise_lon_deg(one.lon_deg + normalise_lon_deg(other.lon_deg - one.lon_deg) / 2.0)
    if pair.first_us is None:
        pair.first_us, pair.is_met = start_us, _came(one, other, start_us)
        pair.lat_deg, pair.lon_deg, pair.moved_m = lat_deg, lon_deg, 0.0
        pair.distances_m, pair.speeds_kn, pair.statuses = [], [], {}
    pair.last_us = pair.seen_us = start_us
    pair.moved_m = max(pair.moved_m, near_distance_m(pair.lat_deg, pair.lon_deg, lat_deg, lon_deg, OTHERS_M))
    if len(pair.distances_m) < SAMPLES_MAX:
        pair.distances_m = [*pair.distances_m, round(_apart_m(one, other), 1)]
        pair.speeds_kn = [*pair.speeds_kn, (one.speed_kn or 0.0, other.speed_kn or 0.0)]
    for ship in (one, other):
        anchored, moored = pair.statuses.get(_key(ship), (0, 0))
        said = (anchored + (ship.nav_status == AT_ANCHOR), moored + (ship.nav_status == MOORED))
        pair.statuses = {**pair.statuses, _key(ship): said}


def _came(one: Ship, other: Ship, start_us: int) -> bool:
    """Whether a pair came together: both were seen under way, one of them lately, and somewhere else than the other."""
    if one.way_us is None or other.way_us is None:
        return False
    if start_us - max(one.way_us, other.way_us) > ARRIVED_US:
        return False
    theirs = {half: (lat_deg, lon_deg) for half, lat_deg, lon_deg in other.trail}
    return any(
        near_distance_m(lat_deg, lon_deg, *theirs[half], 4 * APART_M) > APART_M
        for half, lat_deg, lon_deg in one.trail
        if half in theirs
    )


def _lasting(memory: EncounterMemory, key: str, start_us: int, world: World) -> list[Finding]:
    """Open the episode, or go on with one that had closed, once the meeting has lasted."""
    pair = memory.pairs[key]
    if pair.first_us is None or not pair.is_met or pair.last_us - pair.first_us < LASTING_US:
        return []
    if (pair.opened_us is not None and pair.ended_us is None) or not _is_transfer(memory, key, world):
        return []
    if pair.opened_us is None:
        pair.opened_us, pair.detected_us = pair.first_us, start_us + BUCKET_US
        pair.names = {name: memory.ships[name].name for name in key.split("\x1f")}
    pair.ended_us, pair.meetings = None, pair.meetings + 1
    return _said(memory, key)


def _is_transfer(memory: EncounterMemory, key: str, world: World) -> bool:
    """Whether a pair lies where only a meeting explains it: not at a berth, in a harbour or in roads."""
    pair = memory.pairs[key]
    one, other = (memory.ships[name] for name in key.split("\x1f"))
    buckets = 1 + (pair.last_us - (pair.first_us or 0)) // BUCKET_US
    anchored = [2 * pair.statuses[_key(ship)][0] > buckets for ship in (one, other)]
    moored = [2 * pair.statuses[_key(ship)][1] > buckets for ship in (one, other)]
    apart_m = median(pair.distances_m)
    if all(moored) or (any(moored) and not any(anchored)) or (all(anchored) and apart_m > ALONGSIDE_M):
        return False
    if _is_harbour(memory, (_key(one), _key(other)), pair):
        return False
    pair.land_m = world.land_distance_m(pair.lat_deg, pair.lon_deg)
    if pair.land_m is not None and pair.land_m < SHORE_M:
        return False
    is_offshore = pair.land_m is not None and pair.land_m >= OFFSHORE_M
    is_afloat = pair.moved_m >= DRIFTED_M or (any(anchored) and apart_m <= ALONGSIDE_M)
    if not is_offshore and not is_afloat:
        return False
    return not world.places_within(pair.lat_deg, pair.lon_deg, PLACE_M, pair.last_us)


def _is_harbour(memory: EncounterMemory, keys: tuple[str, str], pair: Pair) -> bool:
    """Whether others lay around within the last week, or one of the two had lain there before."""
    others: set[str] = set()
    for row, column in _cells_around(pair.lat_deg, pair.lon_deg, PLACE_CELL_DEG, OTHERS_M):
        for held in memory.lying.get(f"{row}/{column}", ()):
            metres = near_distance_m(pair.lat_deg, pair.lon_deg, held.lat_deg, held.lon_deg, 2 * OTHERS_M)
            if held.key not in keys and metres <= OTHERS_M:
                others.add(held.key)
            elif held.key in keys and metres <= HABIT_M and held.to_us < (pair.first_us or 0) - MERGED_US:
                return True
    return len(others) > OTHERS_MAX


def _apart(memory: EncounterMemory, key: str, start_us: int) -> list[Finding]:
    """End a pair's meeting when they parted or were not close for an hour; forget it after four."""
    pair = memory.pairs.get(key)
    if pair is None:
        return []
    one, other = (memory.ships.get(name) for name in key.split("\x1f"))
    findings: list[Finding] = []
    if pair.first_us is not None:
        is_heard = one is not None and other is not None and min(one.time_us, other.time_us) >= start_us
        is_parted = is_heard and one is not None and other is not None and _distance_m(one, other) > PARTED_M
        if is_parted or start_us - pair.last_us >= BRIDGED_US:
            if pair.opened_us is not None and pair.ended_us is None:
                pair.ended_us = pair.last_us
                findings = _said(memory, key)
                pair.lasted_us += pair.last_us - pair.first_us
            pair.first_us = None
    if pair.first_us is None and start_us - pair.seen_us >= MERGED_US:
        del memory.pairs[key]
    return findings


# -- what is said ------------------------------------------------------------------------------------------------------


def _said(memory: EncounterMemory, key: str) -> list[Finding]:
    """The episode as it stands, once for each of the two that is an asset."""
    pair = memory.pairs[key]
    return [
        _finding(pair, mine, theirs, at)
        for at, (mine, theirs) in enumerate(_both(memory.ships, key))
        if mine.asset_id and pair.opened_us is not None
    ]


def _both(ships: Mapping[str, Ship], key: str) -> tuple[tuple[Ship, Ship], tuple[Ship, Ship]]:
    one, other = (ships[name] for name in key.split("\x1f"))
    return (one, other), (other, one)


def _finding(pair: Pair, mine: Ship, theirs: Ship, at: int) -> Finding:
    opened_us = pair.opened_us or 0
    return Finding(
        id=finding_id(mine.asset_id, NAME, pair.names[_key(theirs)], opened_us),
        rule=NAME,
        rule_version=VERSION,
        severity="warning",
        asset_id=mine.asset_id,
        asset=pair.names[_key(mine)],
        subject=pair.names[_key(theirs)],
        opened_at_us=opened_us,
        closed_at_us=pair.ended_us,
        detected_at_us=pair.detected_us,
        score=None,
        evidence=_evidence(pair, mine, theirs, at),
    )


def _evidence(pair: Pair, mine: Ship, theirs: Ship, at: int) -> dict[str, Any]:
    lasted_us = pair.lasted_us + pair.last_us - (pair.first_us or pair.last_us)
    return {
        "min_distance_m": min(pair.distances_m),
        "median_distance_m": round(median(pair.distances_m), 1),
        "lasted_min": lasted_us // MINUTE_US,
        "meetings": pair.meetings,
        "median_speed_kn": round(median(speeds[at] for speeds in pair.speeds_kn), 2),
        "other_median_speed_kn": round(median(speeds[1 - at] for speeds in pair.speeds_kn), 2),
        "lat_deg": round(pair.lat_deg, 5),
        "lon_deg": round(pair.lon_deg, 5),
        "drifted_m": round(pair.moved_m),
        "nav_status": mine.nav_status,
        "other_nav_status": theirs.nav_status,
        "other_kind": theirs.kind,
        "land_distance_nm": None if pair.land_m is None else round(pair.land_m / NM_M, 1),
        "distance_limit_m": NEAR_M,
        "duration_limit_min": LASTING_US // MINUTE_US,
        "speed_limit_kn": SLOW_KN,
        "place_limit_km": PLACE_M / 1000.0,
    }
