"""Rule `drifting`: a ship that is carried along, lying across the way she goes."""

from __future__ import annotations

from collections.abc import Sequence

from detect.episodes import Episode
from detect.hull import AT_WORK, LYING, hull_of, in_harbour
from detect.model import Finding
from detect.plane import near_distance_m
from detect.rule import NOTHING, Moment, Rule
from detect.state import Memory
from fleet.geodesy import KN_MPS
from fleet.instants import MINUTE_US, SECOND_US
from fleet.vessel import VesselReading

NAME = "drifting"
VERSION = 2
SOG_MIN_KN = 1.0  # detection.md S10: AisAbnormal analysis.drift.sog.min
SOG_DIP_KN = (
    0.7  # chosen: what single reports may fall to; their mean must be 1 kn, as speeds come in tenths and the sea is uneven
)
MADE_GOOD = 0.9  # chosen: of that 1 kn, by positions: speeds given in whole knots say 1 of half a knot
SOG_MAX_KN = 5.0  # detection.md S10: analysis.drift.sog.max
DEVIATION_DEG = 45.0  # detection.md S10: analysis.drift.coghdg, of the course and of its opposite
PERIOD_MIN = 10.0  # detection.md S10: analysis.drift.period
DISPLACED_M = 500.0  # detection.md S10: analysis.drift.distance
LENGTH_MIN_M = 50.0  # detection.md S10: analysis.drift.loa.min
SWING_M = 2000.0  # chosen: an anchored ship of 330 m on 330 m of chain swings over 1.3 km when the tide turns
REPORTS_MIN = 4  # chosen: a run of fewer is a coincidence of two or three messages
REPORTS_PER_STRAY = 9  # chosen: one report in ten may stray (a wave turns the bow, the speed dips under 1 kn)
SILENCE_US = 30 * MINUTE_US  # chosen: longer apart, nobody knows that all reports between would have said the same
CALM_REPORTS = 3  # chosen: as many other reports in a row end it
TRUSTED_KN = 7.0  # chosen: a ship this fast goes where she points, so the compass can be checked
UNTRUSTED_ROWS = 30  # chosen: half an hour of minutes in which it was wrong; a heading that is always 0 is


class DriftMemory(Memory, kw_only=True):
    """The run of reports that drift, and the episode once it is long enough.

    `since_us`, `lat_deg`, `lon_deg` are of the run's first report, `last_us` of its last; `strays` are reports within the run
    that do not drift; `least_deg` is the least deviation in it, `sog_sum_kn` adds its speeds; `calm` counts other reports since
    the last one; `heading_off_rows` are minutes in a row in which the heading was wrong under way.
    """

    since_us: int | None = None
    last_us: int = 0
    lat_deg: float = 0.0
    lon_deg: float = 0.0
    reports: int = 0
    strays: int = 0
    least_deg: float = 0.0
    sog_sum_kn: float = 0.0
    calm: int = 0
    heading_off_rows: int = 0
    episode: Episode | None = None


def deviation_deg(heading_deg: float, cog_deg: float) -> float:
    """How far the line of the keel lies across the course: 0 ahead or astern, 90 abeam."""
    apart = abs(heading_deg - cog_deg) % 180.0
    return min(apart, 180.0 - apart)


def at_reading(memory: DriftMemory, moment: Moment) -> Sequence[Finding]:
    """Lengthen, begin or break the run; open once it is long enough in time and distance, close after three other reports."""
    reading = moment.reading
    if not isinstance(reading, VesselReading) or reading.sog_kn is None:
        return NOTHING
    sog_kn = reading.sog_kn
    if not SOG_DIP_KN <= sog_kn <= SOG_MAX_KN:
        if moment.row is not None and sog_kn > TRUSTED_KN:
            _check_compass(memory, reading)
        return NOTHING if memory.since_us is None else _other(memory, moment)
    if reading.heading_deg is None or reading.cog_deg is None or reading.lat_deg is None:
        return NOTHING  # says nothing either way
    across_deg = deviation_deg(reading.heading_deg, reading.cog_deg)
    if across_deg <= DEVIATION_DEG or moment.now.nav_status in AT_WORK:
        return NOTHING if memory.since_us is None else _other(memory, moment)
    return _adrift(memory, moment, reading, across_deg)


def _check_compass(memory: DriftMemory, reading: VesselReading) -> None:
    if reading.heading_deg is not None and reading.cog_deg is not None:
        is_off = deviation_deg(reading.heading_deg, reading.cog_deg) > DEVIATION_DEG
        memory.heading_off_rows = memory.heading_off_rows + 1 if is_off else 0


def _adrift(memory: DriftMemory, moment: Moment, reading: VesselReading, across_deg: float) -> Sequence[Finding]:
    """A report that drifts: it belongs to the run, or begins one."""
    time_us = moment.time_us
    lat_deg, lon_deg = moment.now.lat_deg or 0.0, moment.now.lon_deg or 0.0
    if memory.since_us is None or (memory.episode is None and time_us - memory.last_us > SILENCE_US):
        memory.since_us, memory.lat_deg, memory.lon_deg = time_us, lat_deg, lon_deg
        memory.reports = memory.strays = 0
        memory.least_deg, memory.sog_sum_kn = across_deg, 0.0
    elif time_us == memory.last_us:
        return NOTHING  # the same message over another receiver
    memory.last_us, memory.calm = time_us, 0
    memory.reports += 1
    memory.sog_sum_kn += reading.sog_kn or 0.0
    memory.least_deg = min(memory.least_deg, across_deg)
    if memory.episode is not None or time_us - memory.since_us < PERIOD_MIN * MINUTE_US or memory.reports < REPORTS_MIN:
        return NOTHING
    return _judge(memory, moment, reading, memory.since_us)


def _judge(memory: DriftMemory, moment: Moment, reading: VesselReading, since_us: int) -> Sequence[Finding]:
    """The run is long enough in time: open when she went far enough, is a ship that should not, and the compass can be right."""
    elapsed_s = (moment.time_us - since_us) / SECOND_US
    lat_deg, lon_deg = moment.now.lat_deg or 0.0, moment.now.lon_deg or 0.0
    possible_m = DISPLACED_M + 2.0 * SOG_MAX_KN * KN_MPS * elapsed_s
    displaced_m = near_distance_m(memory.lat_deg, memory.lon_deg, lat_deg, lon_deg, possible_m)
    if displaced_m > possible_m:  # a jump, not a drift
        memory.since_us = None
        return NOTHING
    if displaced_m < MADE_GOOD * SOG_MIN_KN * KN_MPS * elapsed_s:
        return NOTHING
    needed_m = SWING_M if moment.now.nav_status in LYING else moment.setting(NAME, "displaced_m", DISPLACED_M)
    if displaced_m <= needed_m or memory.sog_sum_kn < SOG_MIN_KN * memory.reports or memory.heading_off_rows >= UNTRUSTED_ROWS:
        return NOTHING
    hull = hull_of(moment)
    length_min_m = moment.setting(NAME, "length_min_m", LENGTH_MIN_M)
    if hull.is_working or (hull.length_m is not None and hull.length_m < length_min_m) or in_harbour(moment):
        return NOTHING
    memory.episode = Episode(
        asset=reading.name,
        opened_at_us=since_us,
        detected_at_us=moment.time_us,
        severity="warning",
        evidence={
            "sog_kn": round(memory.sog_sum_kn / memory.reports, 2),
            "sog_min_kn": SOG_MIN_KN,
            "sog_max_kn": SOG_MAX_KN,
            "heading_deg": reading.heading_deg,
            "cog_deg": reading.cog_deg,
            "least_deviation_deg": round(memory.least_deg, 1),
            "deviation_limit_deg": DEVIATION_DEG,
            "lasted_min": round(elapsed_s / 60.0, 1),
            "period_min": PERIOD_MIN,
            "displaced_m": round(displaced_m, 1),
            "displaced_limit_m": needed_m,
            "reports": memory.reports,
            "strays": memory.strays,
            "nav_status": moment.now.nav_status,
            "length_m": hull.length_m,
            "kind": hull.kind,
            "from_lat_deg": memory.lat_deg,
            "from_lon_deg": memory.lon_deg,
            "lat_deg": lat_deg,
            "lon_deg": lon_deg,
        },
    )
    return (memory.episode.finding(moment.state, NAME, VERSION),)


def _other(memory: DriftMemory, moment: Moment) -> Sequence[Finding]:
    """A report that does not drift: a stray within a long run, else the end of it."""
    if moment.time_us == memory.last_us:
        return NOTHING
    episode = memory.episode
    if episode is None:
        memory.strays += 1
        if memory.reports < REPORTS_PER_STRAY * memory.strays:
            memory.since_us = None
        return NOTHING
    memory.calm += 1
    if memory.calm < CALM_REPORTS:
        return NOTHING
    since_us = episode.opened_at_us
    episode.evidence["lasted_min"] = round((memory.last_us - since_us) / MINUTE_US, 1)
    episode.evidence["reports"] = memory.reports
    memory.episode, memory.since_us, memory.calm = None, None, 0
    return (episode.finding(moment.state, NAME, VERSION, closed_at_us=moment.time_us),)


RULE = Rule(NAME, VERSION, frozenset({"vessel"}), DriftMemory, at_reading)
