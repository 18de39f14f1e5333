"""Rule `channel_anomaly`: one sensor says something else than the asset's operating point lets expect, and goes on saying it."""

from __future__ import annotations

from collections.abc import Sequence
from math import erfc, exp, isfinite, sqrt
from statistics import NormalDist
from typing import NamedTuple

import msgspec

from detect import baseline as model
from detect import recent as lately
from detect import tail
from detect.baseline import Baseline, Judged
from detect.classes import TRAITS
from detect.episodes import Episode, Packed, pack, vote, yes_votes
from detect.model import Finding
from detect.prior import Prior, seed_from
from detect.recent import Recent
from detect.rows import Row, usable
from detect.rule import ALL_CLASSES, NOTHING, Moment, Residual, Rule
from detect.state import Contribution, Memory, WarmingUp
from detect.traits import STEADY, Traits
from fleet.instants import DAY_US, HOUR_US, MINUTE_US, SECOND_US

NAME = "channel_anomaly"
VERSION = 6
SCORE_EVERY_US = 10 * SECOND_US  # design 5 and 6: each channel at most once in 10 s
OPEN_Z = 6.0  # chosen: with two of three, on Gaussian noise less than once in the life of a fleet
CLOSE_Z = 3.0  # chosen: half of what opens
OPEN_VOTES, OF_VOTES = 2, 3  # chosen: one glitch is no episode, a spike of three minutes at one reading a minute is
LASTING_US = 30 * SECOND_US  # chosen: at readings every 10 s or faster two glitches in a row are no episode either
GLITCH_CHANCE = 1e-5  # chosen: how seldom a channel's own glitches may come together so, for them to be an episode
SPIKES, OF_SPIKES = 4, 20  # chosen: four wild scores among twenty are no glitches, on whichever side
MEAN_OPEN = 4.5  # chosen: ten scores that are off by so much on average; of healthy ones 19 deviations
MEAN_ROWS = 120  # chosen: two hours tell how a channel wanders by itself, with the tide, the trim or the fuel in its tanks
WANDER_TIMES = 1.5  # chosen: and half as far again as it wandered
ROUGH_OPEN = 2.2  # chosen: nearly three times the healthy size of a score (0.8), 14 deviations
ROUGH_CLOSE = 1.6  # chosen: twice the healthy size
STUCK_RUN, STUCK_TIMES = 10, 3  # chosen: repeats in a row, and how many times the longest run seen before
STUCK_US = 5 * MINUTE_US  # chosen: shorter, a repeater on the bus may have hung
ABSENT_ROWS = 5  # chosen: five minutes
RUN_CHANCE = 1e-9  # chosen: the chance of such a run of repeats or absences, about that of six sigma
DOUBT_RUN, DOUBT_CHANCE = 4, 1e-3  # chosen: repeats that are not learned yet, nor told
HELD_ROWS = 2  # chosen: the third row in a row of one value; slow ones come twice
STEERED_LASTING_US = 10 * MINUTE_US  # chosen: turns and speed changes are shorter
STEERED_UNITS = (
    "_deg",
    "_kn",
    "_kmh",
    "_mach",
    "_g",
)  # attitude, direction, speed, acceleration: how it is steered, not how it is
WORLD = ("seawater_", "sea_", "air_", "ambient_", "outside_", "wind_", "wave_")  # what tells of the world, not of the asset
WORLD_TIMES = 3.0  # chosen: the world wanders with place and hour; three times as far off before it is an anomaly
THERMAL_UNIT = "_c"  # a temperature follows the load as its metal and its oil warm up
THERMAL_TIMES = 4  # chosen: of the time to settle, a ship's 20 min: twice what a bearing takes to come two thirds of its way
MOTION_US = 10 * MINUTE_US  # chosen: a position older than this says nothing of the operating point now
SMOOTH_ROWS = 5  # chosen: a ship's log and a receiver scatter by a tenth of a knot, which is two percent of power
NEAR = 1.0 / 3.0  # chosen: the share of a change of regime by which the speed may wander from where the recent level was formed
SURE_LEVERAGE = 0.2  # chosen: where the baseline is less sure it still moves with each row, and the level with it
CELL_ROWS = 10  # chosen: ten minutes in a cell of the operating range make it known
CELLS_MAX = 64  # chosen: more than a ship's or an aircraft's range has
CHANNELS_MAX = 16  # chosen: what keeps a checkpoint below 8 KiB (design 5.5)
FORGET_US = DAY_US  # chosen: a channel unheard for a day gives its place to a new one


class Watched(msgspec.Struct, kw_only=True, array_like=True):
    """One channel: its baseline, what it did lately, the last ballots for and against an anomaly, and the open episode.

    `ballots` are far scores on one `side`, `bursts` far scores on either, `calm` scores that are near; `first_us` and `burst_us`
    are the first of the present run of each, `moved_us` the last score with another value than the one before, `seen_us` the last
    row in which the channel appeared, `kind` what the open episode is about.
    """

    baseline: Baseline
    recent: Recent = msgspec.field(default_factory=Recent)
    seen_us: int
    scored_us: int = 0
    moved_us: int = 0
    ballots: int = 0
    bursts: int = 0
    calm: int = 0
    side: int = 0
    first_us: int = 0
    burst_us: int = 0
    kind: str = ""
    episode: Packed | None = None


class ChannelMemory(Memory, kw_only=True):
    """The watched channels by name, how many rows were seen in each cell of the operating range, and channels without a place.

    `settled_us` is since when the operating point was steady at the last row, `level_kn` the mean speed of the last
    `level_rows` rows, at which the channels' recent levels were formed; `late_kn` follows the speed as a temperature does, and
    did so last at `late_us`.
    """

    channels: dict[str, Watched] = msgspec.field(default_factory=dict)
    cells: dict[int, int] = msgspec.field(default_factory=dict)
    unwatched: int = 0
    hour_us: int | None = None
    settled_us: int = 0
    level_kn: float = 0.0
    level_rows: int = 0
    late_kn: float = 0.0
    late_us: int = 0

    def warm_up(self) -> dict[str, WarmingUp]:
        """The channels that cannot be scored yet."""
        waiting = {name: model.warm_up(watched.baseline) for name, watched in self.channels.items()}
        return {name: progress for name, progress in waiting.items() if progress is not None}


class Score(NamedTuple):
    """One value judged: `z` is the farther of what the operating point (`basis`) and the recent level let expect of it.

    `wide_z` is the one by the operating point, `local_z` the one by the recent level (None: there is none yet).
    """

    z: float
    expected: float
    sigma: float
    basis: str
    wide_z: float
    local_z: float | None


class Verdict(NamedTuple):
    """What an episode opens with: its kind, since when, the score and the chance of it, how that was found and on how many."""

    kind: str
    since_us: int
    score: float
    chance: float
    method: str
    rows: int


def at_reading(memory: ChannelMemory, moment: Moment) -> Sequence[Finding]:
    """Score the reading's own channels where the operating point is known and steady."""
    reading = moment.reading
    if reading is None or not reading.channels or not memory.channels:
        return NOTHING
    due = _due(memory, reading.channels, moment.time_us - SCORE_EVERY_US)
    if not due:
        return NOTHING
    traits = TRAITS[moment.state.asset_class]
    if not _settled(moment, traits):
        return NOTHING
    speed_kn = moment.now.speed_kn or 0.0
    near = abs(speed_kn - memory.level_kn) <= NEAR * traits.settle_speed_kn
    if near:
        speed_kn = memory.level_kn
    x = traits.features(moment.now, speed_kn)
    if not all(map(isfinite, x)):
        return NOTHING
    findings: list[Finding] = []
    known = memory.cells.get(traits.cell(moment.now, speed_kn), 0) >= CELL_ROWS
    limits = moment.setting(NAME, "open_z", OPEN_Z), moment.setting(NAME, "close_z", CLOSE_Z)
    for name, value, watched in due:
        if not (known or _cold(watched.baseline)):
            continue
        score = _judge(watched, x, value, near, name.startswith(WORLD))
        if score is not None and near and abs(score.z) >= limits[0]:
            score = _nearer(score, _judge(watched, traits.features(moment.now, moment.now.speed_kn or 0.0), value, near))
        if score is not None and abs(score.z) >= limits[0] and _is_on_its_way(memory, name, speed_kn, traits):
            score = _warming(watched, x, traits.features(moment.now, memory.late_kn), value, score)
        if score is not None:
            watched.scored_us = moment.time_us
            findings.extend(_count(watched, moment, name, value, score, limits))
    return findings


def _due(memory: ChannelMemory, said: dict[str, float], due_us: int) -> list[tuple[str, float, Watched]]:
    """The watched channels among those that a reading says, but such as were scored since an instant."""
    due: list[tuple[str, float, Watched]] = []
    for name, value in said.items():
        watched = memory.channels.get(name)
        if watched is not None and watched.scored_us <= due_us and usable(value):
            due.append((name, value, watched))
    return due


def _settled(moment: Moment, traits: Traits) -> bool:
    """Whether the asset works and its operating point is steady: nothing is judged or learned while it changes what it does.

    Nor while it is stopped or on the ground, where nobody sees from outside whether its engines run, nor in climb and descent,
    where thrust bends with altitude and speed: engine trends are read in stable cruise (gate by operating state, domain.md 5.5).
    Nor without an operating point: a speed that was never told, or a position that is long past.
    """
    state, now = moment.state, moment.now
    settled_us = state.settled_since_us
    if state.settled_phase != STEADY or settled_us is None or now.speed_kn is None:
        return False
    if now.fix_time_us is not None and moment.time_us - now.fix_time_us > MOTION_US:
        return False
    return moment.time_us - settled_us >= traits.settle_us


def _cold(baseline: Baseline) -> bool:
    """Whether a baseline still stands on the fleet-wide prior, which knows more of the operating range than the asset does."""
    return baseline.seeded and baseline.rows < model.NEEDED_ROWS


def _judge(watched: Watched, x: tuple[float, ...], value: float, near: bool, of_world: bool = False) -> Score | None:
    """A value against the operating point and, `near` where it was formed, the recent level: the farther counts.

    None while it cannot be judged, and for a channel that only counts. What tells of the world (`of_world`) has no operating
    point: a current or a coast changes it as the ship goes, and only what left the recent level too, at once, is no weather.
    """
    baseline, recent = watched.baseline, watched.recent
    judged = model.judge(baseline, x, value)
    if not isinstance(judged, Judged) or lately.is_counter(recent):
        return None
    residual = value - judged.expected
    local_z = lately.z_of(recent, residual) if near else None
    if of_world and local_z is None:
        return None
    if local_z is None or (abs(local_z) <= abs(judged.z)) != of_world:
        return Score(judged.z, judged.expected, judged.sigma, "operating_point", judged.z, local_z)
    return Score(local_z, judged.expected + recent.level, recent.sigma, "recent_level", judged.z, local_z)


def _nearer(by_mean: Score, by_own: Score | None) -> Score:
    """Of the scores by the mean speed of the last rows and by the reading's own speed, the one less far off.

    The mean lags behind a small change of speed by some rows, by hours where rows are an hour apart, and power goes with the
    cube: what the new speed explains is no anomaly. A single speed scatters: what the mean explains is none either.
    """
    return by_mean if by_own is None or abs(by_own.z) >= abs(by_mean.z) else by_own


def _warming(watched: Watched, x: tuple[float, ...], late_x: tuple[float, ...], value: float, score: Score) -> Score:
    """The score of a temperature that is on its way from what an earlier load made it to what this one will make it.

    Between what the speed now (`x`) and the speed as a temperature follows it (`late_x`) let expect, it is no anomaly; beyond
    both the nearer counts. The recent level is not asked: what is on its way has none.
    """
    now, late = _judge(watched, x, value, near=False), _judge(watched, late_x, value, near=False)
    if now is None or late is None:
        return score
    nearer = now if abs(now.z) <= abs(late.z) else late
    is_between = (now.z > 0.0) != (late.z > 0.0)
    return nearer._replace(z=0.0 if is_between else nearer.z, local_z=score.local_z)


def _count(
    watched: Watched, moment: Moment, name: str, value: float, score: Score, limits: tuple[float, float]
) -> Sequence[Finding]:
    """One score: a ballot for opening, or a calm one for closing. `limits` are the z that opens and the z that closes."""
    recent, time_us = watched.recent, moment.time_us
    lately.note_value(recent, value)
    if recent.run == 0:
        watched.moved_us = time_us
    if 0 < recent.run <= recent.longest and watched.episode is None:
        return NOTHING  # it holds its last value as it does now and then: nothing new was measured
    if score.local_z is not None:
        lately.note_score(recent, score.local_z)
    times = WORLD_TIMES if name.startswith(WORLD) else 1.0
    size = abs(score.z) / times
    far = size >= limits[0]
    if not far and watched.episode is None and watched.bursts == 0 and _quiet(recent):
        return NOTHING
    _vote(watched, time_us, score, far)
    if watched.episode is not None:
        watched.calm = vote(watched.calm, size < limits[1] and recent.run < STUCK_RUN, OF_SPIKES)
        return (_close(watched, moment, "returned"),) if _is_over(watched) else NOTHING
    steered = name.endswith(STEERED_UNITS)
    verdict = _verdict(watched, time_us, score, value, far, times, steered)
    lasting_us = STEERED_LASTING_US if steered else LASTING_US
    if verdict is None or time_us - verdict.since_us < lasting_us:
        return NOTHING
    return (_open(watched, moment, name, value, score, verdict),)


def _quiet(recent: Recent) -> bool:
    """Whether nothing of a channel's recent scores asks for a closer look."""
    return recent.run < STUCK_RUN and recent.rough < ROUGH_OPEN and -MEAN_OPEN < recent.mean < MEAN_OPEN


def _vote(watched: Watched, time_us: int, score: Score, far: bool) -> None:
    """Push the ballots: far on the side of the run, and far on whichever."""
    side = 1 if score.z > 0 else -1
    if far and (watched.ballots == 0 or watched.side != side):
        watched.ballots, watched.side, watched.first_us = 0, side, time_us
    if far and watched.bursts == 0:
        watched.burst_us = time_us
    watched.ballots = vote(watched.ballots, far, OF_VOTES)
    watched.bursts = vote(watched.bursts, far, OF_SPIKES)
    if far and watched.episode is None:
        watched.recent.wild += 1


def _verdict(
    watched: Watched, time_us: int, score: Score, value: float, far: bool, times: float, steered: bool
) -> Verdict | None:
    """What the scores so far amount to, the plainest first; None while to nothing."""
    recent = watched.recent
    rows = sum(recent.scores)
    is_long = recent.run >= max(STUCK_RUN, STUCK_TIMES * recent.longest) and time_us - watched.moved_us >= STUCK_US
    if is_long and not _is_rounded(watched, score, value):
        chance = lately.repeat_chance(recent)
        if chance <= RUN_CHANCE:
            return Verdict("stuck", watched.moved_us, _deviate(chance), chance, "run", recent.repeats + recent.moves)
    if far and _is_proved(watched, steered):
        one_side = yes_votes(watched.ballots) >= OPEN_VOTES
        kind = "spikes" if not one_side else "dead" if value == 0.0 else "off"
        chance, method, rows = tail.chance(recent.scores, abs(score.z))
        return Verdict(kind, watched.first_us if one_side else watched.burst_us, abs(score.z), chance, method, rows)
    if steered:
        return None  # hands and weather make it restless
    since_us = watched.burst_us if watched.bursts else watched.moved_us - LASTING_US
    if recent.rows >= MEAN_ROWS and abs(recent.mean) >= times * max(MEAN_OPEN, WANDER_TIMES * recent.wander):
        z = abs(lately.mean_z(recent))
        return Verdict("drift", since_us, z, _normal(z), "normal", rows)
    if recent.rough >= ROUGH_OPEN * times:
        z = lately.rough_z(recent)
        return Verdict("noisy", since_us, z, _normal(z), "normal", rows)
    return None


def _is_proved(watched: Watched, steered: bool) -> bool:
    """Whether far scores are many enough, and not together as those single ones may be that the channel has now and then."""
    votes, bursts = yes_votes(watched.ballots), yes_votes(watched.bursts)
    if votes < OPEN_VOTES and (bursts < SPIKES or steered):
        return False
    return (
        lately.wild_chance(watched.recent, votes, OF_VOTES, bursts) <= GLITCH_CHANCE
        or lately.wild_chance(watched.recent, bursts, OF_SPIKES, bursts) <= GLITCH_CHANCE
    )


def _is_rounded(watched: Watched, score: Score, value: float) -> bool:
    """Whether a coarse scale explains repeats: the channel scatters by less than a step, and is within one of its due."""
    step, recent = watched.baseline.resolution, watched.recent
    expected = score.expected if score.basis == "operating_point" else score.expected - recent.level
    return recent.spread < step and abs(value - expected) <= step


def _is_over(watched: Watched) -> bool:
    """Whether the last scores were calm: three, or twenty for what comes and goes."""
    if watched.kind in ("spikes", "noisy"):
        return yes_votes(watched.bursts) == 0 and watched.recent.rough < ROUGH_CLOSE
    return watched.calm & ((1 << OF_VOTES) - 1) == (1 << OF_VOTES) - 1


def _normal(z: float) -> float:
    """Chance of a normal deviate at least so large on either side."""
    return max(erfc(z / sqrt(2.0)), tail.SMALLEST)


def _deviate(chance: float) -> float:
    """The normal deviate of which so large a value on either side has this chance."""
    return -NormalDist().inv_cdf(chance / 2.0)


def _open(watched: Watched, moment: Moment, name: str, value: float | None, score: Score | None, verdict: Verdict) -> Finding:
    recent, now = watched.recent, moment.now
    recent.wild = max(recent.wild - yes_votes(watched.bursts), 0)
    watched.calm = watched.bursts = 0
    watched.kind = verdict.kind
    recent.waiting = b""
    top = {"feature": name, "observed": value}
    if score is not None:
        top |= {"expected": round(score.expected, 6), "z": round(score.z, 3)}
    evidence: dict[str, object] = {
        "kind": verdict.kind,
        "top": [top],
        "open_z": moment.setting(NAME, "open_z", OPEN_Z),
        "p_value": float(f"{verdict.chance:.3g}"),
        "p_method": verdict.method,
        "p_rows": verdict.rows,
        "learned_rows": watched.baseline.rows,
        "from_prior": watched.baseline.seeded,
        "speed_kn": now.speed_kn,
        "draught_m": now.draught_m,
        "alt_baro_ft": now.alt_ft,
    }
    if score is not None:
        evidence |= {"basis": score.basis, "sigma": round(score.sigma, 6)}
    if verdict.kind == "stuck":
        evidence |= {"repeats": recent.run, "repeats_before": recent.longest}
    if verdict.kind == "dead" and score is None:
        evidence |= {"absent_rows": recent.absent}
    episode = Episode(
        subject=name,
        asset=now.name,
        opened_at_us=verdict.since_us,
        detected_at_us=moment.time_us,
        severity="warning",
        score=round(verdict.score, 3),
        evidence=evidence,
    )
    watched.episode = pack(episode)
    return episode.finding(moment.state, NAME, VERSION)


def _close(watched: Watched, moment: Moment, how: str) -> Finding:
    packed, watched.episode = watched.episode, None
    watched.ballots = watched.bursts = watched.calm = 0
    watched.kind = ""
    watched.recent.mean, watched.recent.rough = 0.0, lately.ROUGH_HEALTHY
    if packed is None:
        raise RuntimeError("no episode to close")
    episode = packed.episode
    episode.evidence["ended"] = how
    return episode.finding(moment.state, NAME, VERSION, closed_at_us=moment.time_us)


def at_row(memory: ChannelMemory, moment: Moment) -> Sequence[Finding]:
    """Take a closed row into every channel's baseline, and leave the residuals for the rules that look at them together."""
    row = moment.row
    if row is None:
        return NOTHING
    _close_hour(memory, moment, row)
    traits = TRAITS[moment.state.asset_class]
    _follow_late(memory, row.start_us, row.seen.speed_kn, THERMAL_TIMES * traits.settle_us)
    if not row.channels or not _settled(moment, traits):
        return NOTHING
    speed_kn = _smooth(memory, moment, row.seen.speed_kn or 0.0, traits)
    x = traits.features(row.seen, speed_kn)
    if not all(map(isfinite, x)):
        return NOTHING
    findings: list[Finding] = []
    cell = traits.cell(row.seen, speed_kn)
    known = memory.cells.get(cell, 0) >= CELL_ROWS
    for name, value in row.channels.items():
        watched = memory.channels.get(name) or _watch(memory, name, row.start_us)
        if watched is None:
            continue
        watched.seen_us = row.start_us
        _seed(watched.baseline, moment, name, len(x))
        if _is_on_its_way(memory, name, speed_kn, traits):
            lately.unsettle(watched.recent)
        score = _judge(watched, x, value, near=True) if known or _cold(watched.baseline) else None
        if _learn(watched, moment, name, x, value, score) and watched.episode is not None:
            findings.append(_close(watched, moment, "regime_accepted"))
    _look_for_absent(memory, moment, row, findings)
    _enter_cell(memory, cell)
    return findings


def _is_on_its_way(memory: ChannelMemory, name: str, speed_kn: float, traits: Traits) -> bool:
    """Whether a channel is a temperature, and one that follows the speed so late may not be yet what this speed will make it."""
    return name.endswith(THERMAL_UNIT) and abs(speed_kn - memory.late_kn) > NEAR * traits.settle_speed_kn


def _follow_late(memory: ChannelMemory, time_us: int, speed_kn: float | None, lag_us: int) -> None:
    """Let the late speed come nearer to the speed of a closed row, whatever the asset is doing."""
    if speed_kn is None or not isfinite(speed_kn):
        return
    share = 1.0 - exp(-max(time_us - memory.late_us, 0) / lag_us)
    memory.late_kn, memory.late_us = memory.late_kn + share * (speed_kn - memory.late_kn), max(time_us, memory.late_us)


def _smooth(memory: ChannelMemory, moment: Moment, speed_kn: float, traits: Traits) -> float:
    """The speed of the operating point: the mean of the last rows, for an instrument's tenths are not the engine's.

    Where the asset settled anew since the last row, or goes faster or slower, it begins anew, and the recent levels with it: they
    are of another operating point.
    """
    settled_us = moment.state.settled_since_us or 0
    off_kn = speed_kn - memory.level_kn
    if settled_us != memory.settled_us or not abs(off_kn) <= NEAR * traits.settle_speed_kn:
        memory.settled_us, memory.level_kn, memory.level_rows = settled_us, speed_kn if isfinite(speed_kn) else 0.0, 1
        for watched in memory.channels.values():
            lately.unsettle(watched.recent)
        return speed_kn
    memory.level_rows = min(memory.level_rows + 1, SMOOTH_ROWS)
    memory.level_kn += off_kn / memory.level_rows
    return memory.level_kn


def _learn(watched: Watched, moment: Moment, name: str, x: tuple[float, ...], value: float, score: Score | None) -> bool:
    """Learn one channel's row unless it is odd; True when its baseline gave in to a new regime."""
    recent, baseline = watched.recent, watched.baseline
    told = watched.episode is not None
    if value == baseline.last:
        recent.held += 1
        if not told and recent.held >= HELD_ROWS and _is_held(baseline, value, score):
            return False
    elif recent.held:
        recent.held = 0
    if score is None:
        return model.learn(baseline, x, value, None, frozen=told)
    residual = value - score.expected if score.basis == "operating_point" else value - score.expected + recent.level
    expected = value - residual
    if not (name.endswith(STEERED_UNITS) or name.startswith(WORLD) or watched.kind in ("stuck", "dead")):
        moment.residuals[name] = Residual(score.wide_z, value, expected, told)
    if not told and model.leverage(baseline.inverse, x) > SURE_LEVERAGE:
        lately.unsettle(recent)
    elif not told:
        doubtful = recent.run >= DOUBT_RUN and lately.repeat_chance(recent) < DOUBT_CHANCE
        floor = max(lately.FLOOR * baseline.level, baseline.resolution)
        wild = abs(score.wide_z) >= model.REJECT_Z
        if doubtful or not lately.follow(recent, residual, sqrt(baseline.variance), expected, floor, wild=wild):
            return False
        lately.keep_score(recent, abs(score.z))
    judged = Judged(score.wide_z, expected, score.sigma)
    if not model.learn(baseline, x, value, judged, frozen=told):
        return False
    watched.recent = Recent(
        repeats=recent.repeats, moves=recent.moves, falls=recent.falls, heard=recent.heard, missed=recent.missed
    )
    return True


def _is_held(baseline: Baseline, value: float, score: Score | None) -> bool:
    """Whether rows that repeat the last were held, not measured: the repeats of a coarse scale lie within a step of their due.

    What was held is of another operating point than the one that it would be learned at. Of a sensor that never moved nobody
    can tell.
    """
    return abs(value - score.expected) > baseline.resolution if score is not None else isfinite(baseline.resolution)


def _look_for_absent(memory: ChannelMemory, moment: Moment, row: Row, findings: list[Finding]) -> None:
    """Count who is missing from a row; who used to come and stays away alone is dead. Where most are missing a device is."""
    absent = [name for name in memory.channels if name not in row.channels]
    for name in row.channels:
        watched = memory.channels.get(name)
        if watched is not None:
            lately.note_presence(watched.recent, heard=True)
    if 2 * len(absent) >= len(memory.channels):
        return
    for name in absent:
        watched = memory.channels[name]
        recent = watched.recent
        if recent.absent == 0 and watched.episode is None:
            watched.first_us = row.start_us
        lately.note_presence(recent, heard=False)
        if watched.episode is None and recent.absent >= ABSENT_ROWS:
            chance = lately.absence_chance(recent)
            if chance <= RUN_CHANCE:
                rows = recent.heard + recent.missed
                verdict = Verdict("dead", watched.first_us, _deviate(chance), chance, "run", rows)
                findings.append(_open(watched, moment, name, None, None, verdict))


def _watch(memory: ChannelMemory, name: str, time_us: int) -> Watched | None:
    """A place for a new channel; None while every place is taken by one heard within the last day."""
    if len(memory.channels) >= CHANNELS_MAX:
        oldest = min(memory.channels, key=lambda other: (memory.channels[other].seen_us, other))
        if time_us - memory.channels[oldest].seen_us < FORGET_US or memory.channels[oldest].episode is not None:
            memory.unwatched += 1
            return None
        del memory.channels[oldest]
    watched = memory.channels[name] = Watched(baseline=Baseline(), seen_us=time_us)
    return watched


def _seed(baseline: Baseline, moment: Moment, name: str, size: int) -> None:
    """While a baseline is cold, begin it from the fleet-wide prior where there is one for this channel."""
    prior = moment.context.prior
    if isinstance(prior, Prior) and not baseline.seeded and not baseline.released and model.warm_up(baseline) is not None:
        seed_from(prior, name, size, baseline)


def _enter_cell(memory: ChannelMemory, cell: int) -> None:
    memory.cells[cell] = memory.cells.get(cell, 0) + 1
    if len(memory.cells) > CELLS_MAX:
        del memory.cells[min(memory.cells, key=lambda other: (memory.cells[other], other))]


def _close_hour(memory: ChannelMemory, moment: Moment, row: Row) -> None:
    """When an hour of event time is over, say what was learned by then."""
    hour_us = row.start_us // HOUR_US * HOUR_US
    if memory.hour_us is not None and hour_us > memory.hour_us:
        channels = {name: known for name, watched in memory.channels.items() if (known := model.learned(watched.baseline))}
        if channels:
            state = moment.state
            state.contribution = Contribution(
                asset_id=state.asset_id, asset_class=state.asset_class, hour_us=memory.hour_us, channels=channels
            )
    memory.hour_us = hour_us


RULE = Rule(NAME, VERSION, ALL_CLASSES, ChannelMemory, at_reading, at_row=at_row)
