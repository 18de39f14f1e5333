"""Rule `unexpected_stop`: a ship under way that stands still within seconds, as one does that has run aground."""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot

import msgspec

from detect.episodes import Episode
from detect.hull import AT_WORK, LYING, hull_of, in_harbour
from detect.model import Finding
from detect.plane import near_distance_m, offset_m
from detect.rule import NOTHING, Moment, Rule
from detect.state import Memory
from fleet.geodesy import KN_MPS
from fleet.instants import MINUTE_US, SECOND_US
from fleet.vessel import VesselReading

NAME = "unexpected_stop"
VERSION = 3
FAST_KN = 7.0  # detection.md S9: AisAbnormal analysis.suddenspeedchange.sog.highmark
STOPPED_KN = 1.0  # detection.md S9: sog.lowmark
DECAY_S = 30.0  # detection.md S9: drop.decay
BRAKING_KN_S = (FAST_KN - STOPPED_KN) / DECAY_S  # the same as a rate, 0.2 kn/s: what reports minutes apart can be held to
SUSTAINED_US = 60 * SECOND_US  # detection.md S9: drop.sustain
SETTLED_US = 10 * MINUTE_US  # chosen: where reports are 30 s apart or more she must lie still as only a fast hull does
SETTLED_M = 50.0  # chosen: who waits adrift at 0.3 kn goes 93 m in ten minutes
REPORT_AGE_US = 10 * MINUTE_US  # detection.md S9: predictiontime.max
LENGTH_MIN_M = 50.0  # detection.md S9: loa.min
SOG_LIMIT_KN = 30.0  # detection.md S2b: max speed of other than high-speed craft, whose brakes are part of the trade
SLACK = 0.05  # chosen: of a distance against a reported speed, as current and rounding make it
SLACK_M = 25.0  # chosen: two fixes of 10 m each, and the time stamps' second at 10 kn
STEADY = 0.1  # chosen: who changes speed by more may have gone faster between two reports
STEADY_S = 180.0  # chosen: reports at most this far apart, the cadence of class A at anchor; 5 % of more is too long to brake in
TURNED = 0.36  # chosen: 20 degrees off the line she came along; who turns goes farther than the straight way to where she stops
MOVED_M = 100.0  # chosen: a fix wanders, and a hull swings about where it sticks; at 7 kn a ship goes 216 m in a minute
SLOWED = 0.6  # chosen: who goes at less than this share of her recent speed is coming in: ferries do at 0.4 of it
SLOWED_US = 15 * MINUTE_US  # chosen: a harbour's approach at reduced speed
MADE_GOOD = 0.7  # chosen: the least share of the reported speed that positions must have shown before
UNDER_WAY_KN = 3.0  # chosen: well above what ends a stop (0.5 kn, domain.md 2.3), so that a hull working in the swell stays


class Motion(msgspec.Struct, frozen=True, array_like=True):
    """Where a ship was and how fast she went, at an instant."""

    time_us: int
    lat_deg: float
    lon_deg: float
    sog_kn: float


class StopMemory(Memory, kw_only=True):
    """What a stop is judged by.

    `earlier` and `later` are the motion at the ends of the last two fast minutes, `peak` the fastest of the last quarter of an
    hour or so; `braked_kn` her speed where the hard braking that goes on began; `fast` the last report above 7 kn once a slower
    one came; `stop` the first below 1 kn, while it is not long enough, `slow_us` the last of them, and `start` what `fast` was
    laid beside.
    """

    earlier: Motion | None = None
    later: Motion | None = None
    peak: Motion | None = None
    braked_kn: float | None = None
    fast: Motion | None = None
    stop: Motion | None = None
    start: Motion | None = None
    slow_us: int = 0
    episode: Episode | None = None


def at_row(memory: StopMemory, moment: Moment) -> Sequence[Finding]:
    """Keep the motion at the ends of the last two minutes: whether she truly went is read off her positions."""
    row = moment.row
    seen = None if row is None else row.seen
    if seen is None or seen.speed_kn is None or seen.lat_deg is None or seen.lon_deg is None or seen.speed_kn <= FAST_KN:
        return NOTHING
    motion = Motion(seen.fix_time_us or 0, seen.lat_deg, seen.lon_deg, seen.speed_kn)
    memory.earlier, memory.later = memory.later, motion
    peak = memory.peak
    if peak is None or motion.sog_kn >= peak.sog_kn or motion.time_us - peak.time_us > SLOWED_US:
        memory.peak = motion
    return NOTHING


def at_reading(memory: StopMemory, moment: Moment) -> Sequence[Finding]:
    """From fast to stopped: remember the last fast report, brake, and wait until she has stayed for a minute."""
    reading = moment.reading
    if not isinstance(reading, VesselReading) or reading.sog_kn is None:
        return NOTHING
    sog_kn = reading.sog_kn
    if memory.episode is not None:
        return _close(memory, memory.episode, moment) if sog_kn >= UNDER_WAY_KN else NOTHING
    if sog_kn > FAST_KN:
        memory.braked_kn = _braked_kn(memory, moment, sog_kn)
        if memory.fast is not None:
            memory.fast = memory.stop = memory.start = None
        return NOTHING
    fast = memory.fast
    if fast is None:
        fast = memory.fast = _last_fast(moment)
    if fast is None or reading.lat_deg is None or reading.lon_deg is None:
        return NOTHING
    return _slow(memory, moment, fast, Motion(moment.time_us, reading.lat_deg, reading.lon_deg, sog_kn))


def _last_fast(moment: Moment) -> Motion | None:
    """The motion before a slow report, when that was fast."""
    before = moment.before
    if before is None or before.speed_kn is None or before.speed_kn <= FAST_KN:
        return None
    if before.lat_deg is None or before.lon_deg is None:
        return None
    return Motion(before.fix_time_us or 0, before.lat_deg, before.lon_deg, before.speed_kn)


def _braked_kn(memory: StopMemory, moment: Moment, sog_kn: float) -> float | None:
    """Her speed where the braking began that a fast report shows, when it is as hard as that of a stop; None when it is not.

    A ship that strikes may be heard once more while she loses her way: that report is part of the stop, not of an approach.
    """
    before = moment.before
    if before is None or before.speed_kn is None or before.fix_time_us is None:
        return None
    lost_kn, elapsed_s = before.speed_kn - sog_kn, (moment.time_us - before.fix_time_us) / SECOND_US
    if lost_kn <= 0.0 or elapsed_s > DECAY_S:
        return None
    is_hard = lost_kn > elapsed_s * moment.setting(NAME, "braking_kn_s", BRAKING_KN_S)
    return max(memory.braked_kn or 0.0, before.speed_kn) if is_hard else None


def _slow(memory: StopMemory, moment: Moment, fast: Motion, now: Motion) -> Sequence[Finding]:
    """A report at 7 kn or less after a faster one."""
    last_us = fast.time_us if memory.stop is None else memory.slow_us
    if now.time_us - last_us > REPORT_AGE_US or (memory.stop is not None and now.sog_kn >= STOPPED_KN):
        memory.fast = memory.stop = memory.start = None
        return NOTHING
    if now.sog_kn >= STOPPED_KN:
        return NOTHING
    memory.slow_us = now.time_us
    if memory.stop is None:
        start = _start(memory, fast)
        is_hard = start is not None and braking_kn_s(start, fast, now) > moment.setting(NAME, "braking_kn_s", BRAKING_KN_S)
        if is_hard and start is not None and _went(start, fast) and not _has_slowed(memory, fast):
            memory.start, memory.stop = start, now
        else:
            memory.fast = None
        return NOTHING
    is_sudden = memory.stop.time_us - fast.time_us < DECAY_S * SECOND_US
    if now.time_us - memory.stop.time_us < (SUSTAINED_US if is_sudden else SETTLED_US):
        return NOTHING
    findings = _judge(memory, moment, fast, memory.stop, now)
    memory.fast = memory.stop = memory.start = memory.earlier = memory.later = None
    return findings


def braking_kn_s(start: Motion, fast: Motion, stop: Motion) -> float:
    """The gentlest braking, in knots a second, that goes with a last fast report and a stopped one; 0 when it must be a jump.

    Speed is lost at v/dt at least. Within a distance d it takes v²/2d to stop. And who went steadily at v, as fast as some time
    before (`start`), and has gone far by then, had only 2(dt - d/v) left to brake. Constant deceleration, the greatest of the
    three; distances are granted 5 % and 25 m. Of a ship that turned the way is not known, and the first alone holds.
    """
    dt_s = (stop.time_us - fast.time_us) / SECOND_US
    if dt_s <= 0.0:
        return 0.0
    v_mps = fast.sog_kn * KN_MPS
    reach_m = v_mps * dt_s * 1.5 + 2.0 * MOVED_M
    d_m = near_distance_m(fast.lat_deg, fast.lon_deg, stop.lat_deg, stop.lon_deg, reach_m)
    if d_m > reach_m:
        return 0.0
    hardest = (fast.sog_kn - stop.sog_kn) / dt_s
    if not _is_straight(start, fast, stop):
        return hardest
    short_m = d_m * (1.0 + SLACK) + SLACK_M
    hardest = max(hardest, v_mps * v_mps / (2.0 * short_m) / KN_MPS)
    is_steady = abs(start.sog_kn - fast.sog_kn) <= STEADY * fast.sog_kn
    if is_steady and dt_s <= STEADY_S and d_m >= v_mps * dt_s / 2.0:
        left_s = 2.0 * (dt_s - (d_m * (1.0 - SLACK) - SLACK_M) / v_mps)
        hardest = max(hardest, fast.sog_kn / max(left_s, 1.0))
    return hardest


def _is_straight(start: Motion, fast: Motion, stop: Motion) -> bool:
    """Whether she stopped on the line that she came along, by her positions."""
    came_e, came_n = offset_m(start.lat_deg, start.lon_deg, fast.lat_deg, fast.lon_deg)
    east, north = offset_m(fast.lat_deg, fast.lon_deg, stop.lat_deg, stop.lon_deg)
    came_m = hypot(came_e, came_n)
    if came_m == 0.0:
        return False
    along_m, across_m = (east * came_e + north * came_n) / came_m, abs(east * came_n - north * came_e) / came_m
    return along_m >= -SLACK_M and across_m <= TURNED * max(along_m, 0.0) + SLACK_M


def _start(memory: StopMemory, fast: Motion) -> Motion | None:
    """The motion at the end of a minute at least half a minute, at most ten, before the last fast report."""
    for motion in (memory.later, memory.earlier):
        if motion is not None and MINUTE_US // 2 <= fast.time_us - motion.time_us <= REPORT_AGE_US:
            return motion
    return None


def _went(start: Motion, fast: Motion) -> bool:
    """Whether the positions before show that she went as fast as she said."""
    seconds = (fast.time_us - start.time_us) / SECOND_US
    least_m = MADE_GOOD * min(start.sog_kn, fast.sog_kn) * KN_MPS * seconds
    most_m = 1.5 * max(start.sog_kn, fast.sog_kn) * KN_MPS * seconds + MOVED_M
    return least_m <= near_distance_m(start.lat_deg, start.lon_deg, fast.lat_deg, fast.lon_deg, most_m) <= most_m


def _has_slowed(memory: StopMemory, fast: Motion) -> bool:
    """Whether she had come down from her speed of the last quarter of an hour: a ship that comes in, not one that strikes."""
    peak = memory.peak
    was_kn = max(fast.sog_kn, memory.braked_kn or 0.0)
    return peak is not None and fast.time_us - peak.time_us <= SLOWED_US and was_kn < SLOWED * peak.sog_kn


def _judge(memory: StopMemory, moment: Moment, fast: Motion, stop: Motion, now: Motion) -> Sequence[Finding]:
    """She has stayed for a minute: open unless her trade, her size or the place explains it, or her positions went on."""
    moved_m = near_distance_m(stop.lat_deg, stop.lon_deg, now.lat_deg, now.lon_deg, 10.0 * MOVED_M)
    stayed_s = (now.time_us - stop.time_us) / SECOND_US
    is_sudden = stop.time_us - fast.time_us < DECAY_S * SECOND_US
    allowed_m = MOVED_M + STOPPED_KN * KN_MPS * stayed_s if is_sudden else SETTLED_M
    if moved_m > allowed_m or fast.sog_kn > SOG_LIMIT_KN:
        return NOTHING
    hull, status = hull_of(moment), moment.now.nav_status
    is_small = hull.length_m is not None and hull.length_m < moment.setting(NAME, "length_min_m", LENGTH_MIN_M)
    explained = hull.is_working or hull.is_fast or status in AT_WORK or status in LYING
    if is_small or explained or in_harbour(moment):
        return NOTHING
    memory.episode = Episode(
        asset=moment.now.name,
        opened_at_us=stop.time_us,
        detected_at_us=moment.time_us,
        severity="warning",
        evidence={
            "from_sog_kn": fast.sog_kn,
            "fast_limit_kn": FAST_KN,
            "to_sog_kn": stop.sog_kn,
            "stopped_limit_kn": STOPPED_KN,
            "decay_s": round((stop.time_us - fast.time_us) / SECOND_US, 1),
            "braking_kn_s": round(braking_kn_s(memory.start or fast, fast, stop), 3),
            "braking_limit_kn_s": BRAKING_KN_S,
            "stayed_s": round(stayed_s, 1),
            "moved_m": round(moved_m, 1),
            "moved_limit_m": round(allowed_m, 1),
            "length_m": hull.length_m,
            "kind": hull.kind,
            "nav_status": status,
            "lat_deg": stop.lat_deg,
            "lon_deg": stop.lon_deg,
        },
    )
    return (memory.episode.finding(moment.state, NAME, VERSION),)


def _close(memory: StopMemory, episode: Episode, moment: Moment) -> Sequence[Finding]:
    memory.episode = None
    episode.evidence["stayed_s"] = round((moment.time_us - episode.opened_at_us) / SECOND_US, 1)
    return (episode.finding(moment.state, NAME, VERSION, closed_at_us=moment.time_us),)


RULE = Rule(NAME, VERSION, frozenset({"vessel"}), StopMemory, at_reading, at_row=at_row)
