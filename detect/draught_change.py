"""Rule `draught_change`: a ship lies deeper or shallower than before, and has been in no port since."""

from __future__ import annotations

from collections.abc import Sequence

from detect.episodes import Episode
from detect.hull import lies, off_coast_m
from detect.model import Finding
from detect.rule import NOTHING, Moment, Rule
from detect.state import Memory, Seen
from fleet.geodesy import NM_M
from fleet.instants import HOUR_US, MINUTE_US, to_rfc3339

NAME = "draught_change"
VERSION = 1
STEP_M = 0.5  # detection.md S8
STEP_SHARE = 0.05  # detection.md S8: of the greatest draught
CONFIRM_US = 30 * MINUTE_US  # detection.md S8: two reports at least this far apart
SAME_M = 0.3  # chosen: reports nearer than this say the same new draught; crews type tenths, gauges swing in the sea
AFTER_STOP_US = 12 * HOUR_US  # as `voyage.draught_near_stop_h`: crews type the draught of a port until then
STOP_US = 30 * MINUTE_US  # domain.md 2.3: anchored after 30 min; shorter is a lock or a pilot
STOPPED_KN = 0.5  # domain.md 2.3: a stop ends at 0.5 kn
GOING_KN = 1.0  # domain.md 2.3: what an anchored ship swings with
ROADS_M = 10.0 * NM_M  # chosen: roadsteads lie nearer the coast; who is still further out without saying why is in no port
SILENCE_US = HOUR_US  # design 4.6: the shortest silence of a ship that is a gap
GAUGE_US = 24 * HOUR_US  # chosen: a gauge that said nothing for a day is off
BURNT_M_DAY = 0.1  # chosen: a hundred tonnes of fuel a day on ten tonnes a centimetre; a gauge follows that, a crew does not


class DraughtMemory(Memory, kw_only=True):
    """The draught believed and the one that would take its place; the last stop; the last silence.

    `believed_m` holds since `since_us` and was last followed at `followed_us`; `new_m` was first reported at `new_us`, where she
    was then at `new_lat_deg`, `new_lon_deg`; `gauged_us` is when a reading last carried the draught: for a day static reports
    are not asked. `greatest_m` is the greatest ever reported. The last stop began at `stop_from_us` and lasted to `stop_to_us`;
    `slow_us` is since when she is slow, `stopped` whether the stop goes on. From `silent_from_us` to `silent_to_us` she was last
    silent for an hour or more.
    """

    believed_m: float | None = None
    since_us: int = 0
    followed_us: int = 0
    greatest_m: float = 0.0
    new_m: float | None = None
    new_us: int = 0
    new_lat_deg: float | None = None
    new_lon_deg: float | None = None
    gauged_us: int | None = None
    slow_us: int | None = None
    stopped: bool = False
    stop_from_us: int | None = None
    stop_to_us: int = 0
    silent_from_us: int = 0
    silent_to_us: int = 0
    episode: Episode | None = None


def at_row(memory: DraughtMemory, moment: Moment) -> Sequence[Finding]:
    """Follow stops and silences by the minute, and what static reports say of the draught."""
    row = moment.row
    if row is None:
        return NOTHING
    seen = row.seen
    if moment.time_us - seen.time_us >= SILENCE_US:
        memory.silent_from_us, memory.silent_to_us = seen.time_us, moment.time_us
    _follow_stop(memory, moment, seen)
    findings: Sequence[Finding] = NOTHING
    if memory.episode is not None and memory.stopped:
        findings = (_close(memory, memory.episode, moment, "stopped"),)
    said = moment.state.said
    if said is None or said.draught_m is None or said.draught_us is None:
        return findings
    if memory.gauged_us is not None:
        if moment.time_us - memory.gauged_us < GAUGE_US:
            return findings
        memory.gauged_us = None
    return (*findings, *_hear(memory, moment, said.draught_m, said.draught_us, said.time_us))


def at_reading(memory: DraughtMemory, moment: Moment) -> Sequence[Finding]:
    """A reading that carries a draught itself."""
    draught_m: float | None = getattr(moment.reading, "draught_m", None)
    if draught_m is None:
        return NOTHING
    memory.gauged_us = moment.time_us
    return _hear(memory, moment, draught_m, moment.time_us, moment.time_us)


def _follow_stop(memory: DraughtMemory, moment: Moment, seen: Seen) -> None:
    """Whether she stops where cargo may be worked: moored or anchored by status, or still for half an hour, not far at sea."""
    speed_kn = seen.speed_kn
    if speed_kn is None:
        return
    is_lying = lies(seen)
    if not is_lying and speed_kn >= STOPPED_KN:
        if speed_kn >= GOING_KN:
            memory.slow_us, memory.stopped = None, False
        return
    if memory.slow_us is None:
        memory.slow_us = seen.time_us
    if not memory.stopped:
        if not is_lying and (moment.time_us - memory.slow_us < STOP_US or (off_coast_m(moment, seen) or 0.0) > ROADS_M):
            return
        memory.stopped, memory.stop_from_us = True, memory.slow_us
    memory.stop_to_us = moment.time_us


def _hear(memory: DraughtMemory, moment: Moment, draught_m: float, first_us: int, last_us: int) -> Sequence[Finding]:
    """A draught that was reported from `first_us` to `last_us`: the believed one, or one that may take its place."""
    memory.greatest_m = max(memory.greatest_m, draught_m)
    believed_m = memory.believed_m
    if believed_m is None:
        memory.believed_m, memory.since_us, memory.followed_us = draught_m, first_us, last_us
        return NOTHING
    change_m = draught_m - believed_m
    if abs(change_m) < STEP_M:
        memory.new_m = None
        if change_m and memory.gauged_us is not None:
            _follow_gauge(memory, moment.time_us, change_m)
        return NOTHING
    if memory.new_m is None or abs(draught_m - memory.new_m) > SAME_M:
        memory.new_m, memory.new_us = draught_m, first_us
        memory.new_lat_deg, memory.new_lon_deg = moment.now.lat_deg, moment.now.lon_deg
    if last_us - memory.new_us < CONFIRM_US:
        return NOTHING
    return _confirm(memory, moment, believed_m, memory.new_m)


def _follow_gauge(memory: DraughtMemory, time_us: int, change_m: float) -> None:
    """A gauge sees fuel being burnt: the draught believed may go after it, a tenth of a metre a day."""
    allowed_m = BURNT_M_DAY * (time_us - memory.followed_us) / (24 * HOUR_US)
    if memory.believed_m is not None and allowed_m >= 0.01:
        memory.believed_m += max(-allowed_m, min(allowed_m, change_m))
        memory.followed_us = time_us


def _confirm(memory: DraughtMemory, moment: Moment, believed_m: float, new_m: float) -> Sequence[Finding]:
    """The new draught is confirmed and believed; it is told unless a stop explains it or it is too small for the ship."""
    new_us, since_us = memory.new_us, memory.since_us
    memory.believed_m, memory.since_us, memory.followed_us, memory.new_m = new_m, new_us, moment.time_us, None
    findings: Sequence[Finding] = NOTHING
    if memory.episode is not None:
        if abs(new_m - memory.episode.evidence["draught_before_m"]) < STEP_M:
            return (_close(memory, memory.episode, moment, "corrected"),)
        findings = (_close(memory, memory.episode, moment, "changed_again"),)
    needed_m = max(moment.setting(NAME, "step_m", STEP_M), moment.setting(NAME, "step_share", STEP_SHARE) * memory.greatest_m)
    if abs(new_m - believed_m) < needed_m - 1e-9 or _is_explained(memory, since_us, new_us):
        return findings
    across_gap = since_us <= memory.silent_from_us and memory.silent_to_us <= moment.time_us and _spans(memory, new_us)
    stop_from_us = memory.stop_from_us
    memory.episode = Episode(
        asset=moment.now.name,
        opened_at_us=new_us,
        detected_at_us=moment.time_us,
        severity="warning",
        evidence={
            "draught_before_m": round(believed_m, 2),
            "draught_after_m": round(new_m, 2),
            "change_m": round(new_m - believed_m, 2),
            "change_limit_m": round(needed_m, 2),
            "greatest_draught_m": round(memory.greatest_m, 2),
            "before_since": to_rfc3339(since_us),
            "confirmed_after_min": round((moment.time_us - new_us) / MINUTE_US, 1),
            "across_gap": across_gap,
            "gap_started_at": to_rfc3339(memory.silent_from_us) if across_gap else None,
            "gap_ended_at": to_rfc3339(memory.silent_to_us) if across_gap else None,
            "last_stop_ended_at": None if stop_from_us is None else to_rfc3339(memory.stop_to_us),
            "source": "readings" if memory.gauged_us is not None else "static_reports",
            "lat_deg": memory.new_lat_deg,
            "lon_deg": memory.new_lon_deg,
        },
    )
    return (*findings, memory.episode.finding(moment.state, NAME, VERSION))


def _is_explained(memory: DraughtMemory, since_us: int, new_us: int) -> bool:
    """Whether a stop explains it: one that goes on, one since the old draught was first reported, or one that ended lately."""
    stop_from_us = memory.stop_from_us
    if stop_from_us is None:
        return False
    return memory.stopped or stop_from_us >= since_us or new_us - memory.stop_to_us < AFTER_STOP_US


def _spans(memory: DraughtMemory, new_us: int) -> bool:
    """Whether the new draught was first heard within half an hour of hearing of her again."""
    return memory.silent_from_us < new_us <= memory.silent_to_us + CONFIRM_US


def _close(memory: DraughtMemory, episode: Episode, moment: Moment, how: str) -> Finding:
    memory.episode = None
    episode.evidence["ended"] = how
    return episode.finding(moment.state, NAME, VERSION, closed_at_us=moment.time_us)


RULE = Rule(NAME, VERSION, frozenset({"vessel"}), DraughtMemory, at_reading, at_row=at_row)
