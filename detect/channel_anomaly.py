"""Rule `channel_anomaly`: one sensor says something else than the asset's operating point lets expect, and goes on saying it."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

import msgspec

from detect import baseline as model
from detect.baseline import Baseline, Judged
from detect.classes import TRAITS
from detect.episodes import Episode, vote, yes_votes
from detect.model import Finding
from detect.prior import Prior, seed_from
from detect.rows import Row, usable
from detect.rule import ALL_CLASSES, NOTHING, Moment, Residual, Rule
from detect.state import Contribution, Memory, WarmingUp
from detect.traits import STEADY, Traits
from fleet.instants import DAY_US, HOUR_US, MINUTE_US, SECOND_US

NAME = "channel_anomaly"
VERSION = 1
SCORE_EVERY_US = 10 * SECOND_US  # design 5 and 6: each channel at most once in 10 s
OPEN_Z = 6.0  # chosen: with two of three, on Gaussian noise less than once in the life of a fleet
CLOSE_Z = 3.0  # chosen: half of what opens
OPEN_VOTES, OF_VOTES = 2, 3  # chosen: one glitch is no episode, a spike of three minutes at one reading a minute is
LASTING_US = 30 * SECOND_US  # chosen: at readings every 10 s or faster two glitches in a row are no episode either
STEERED_LASTING_US = 10 * MINUTE_US  # chosen: turns and speed changes are shorter
STEERED_UNITS = ("_deg", "_kn", "_kmh", "_mach")  # units of attitude, direction and speed: how an asset is steered, not how it is
WORLD = ("seawater_", "sea_", "air_", "ambient_", "outside_", "wind_", "wave_")  # what tells of the world, not of the asset
WORLD_TIMES = 3.0  # chosen: the world wanders with place and hour; three times as far off before it is an anomaly
CELL_ROWS = 10  # chosen: ten minutes in a cell of the operating range make it known
CELLS_MAX = 64  # chosen: more than a ship's or an aircraft's range has
CHANNELS_MAX = 16  # chosen: what keeps a checkpoint below 8 KiB (design 5.5)
FORGET_US = DAY_US  # chosen: a channel unheard for a day gives its place to a new one


class Watched(msgspec.Struct, kw_only=True, array_like=True):
    """One channel: its baseline, the last ballots for and against an anomaly, which side it is on, and the open episode.

    `first_us` is the first exceedance of the present run, `seen_us` the last row in which the channel appeared.
    """

    baseline: Baseline
    seen_us: int
    scored_us: int = 0
    ballots: int = 0
    calm: int = 0
    side: int = 0
    first_us: int = 0
    episode: Episode | None = None


class ChannelMemory(Memory, kw_only=True):
    """The watched channels by name, how many rows were seen in each cell of the operating range, and channels without a place."""

    channels: dict[str, Watched] = msgspec.field(default_factory=dict)
    cells: dict[int, int] = msgspec.field(default_factory=dict)
    unwatched: int = 0
    hour_us: int | None = None

    def warm_up(self) -> dict[str, WarmingUp]:
        """The channels that cannot be scored yet."""
        waiting = {name: model.warm_up(watched.baseline) for name, watched in self.channels.items()}
        return {name: progress for name, progress in waiting.items() if progress is not None}


def at_reading(memory: ChannelMemory, moment: Moment) -> Sequence[Finding]:
    """Learn the row that this reading closed, then score the reading's own channels where the operating point is known."""
    reading = moment.reading
    findings: list[Finding] = []
    if moment.row is not None:
        _learn(memory, moment, moment.row, findings)
    if reading is None or not reading.channels:
        return findings
    traits = TRAITS[moment.state.asset_class]
    speed_kn = moment.now.speed_kn or 0.0
    if not _settled(moment, traits):
        return findings
    x = traits.features(moment.now, speed_kn)
    if not all(map(isfinite, x)):
        return findings
    known = memory.cells.get(traits.cell(moment.now, speed_kn), 0) >= CELL_ROWS
    limits = moment.setting(NAME, "open_z", OPEN_Z), moment.setting(NAME, "close_z", CLOSE_Z)
    for name, value in reading.channels.items():
        watched = memory.channels.get(name)
        if watched is None or moment.time_us - watched.scored_us < SCORE_EVERY_US or not usable(value):
            continue
        if not (known or _cold(watched.baseline)):
            continue
        judged = model.judge(watched.baseline, x, value)
        if isinstance(judged, Judged):
            watched.scored_us = moment.time_us
            findings.extend(_count(watched, moment, name, value, judged, limits))
    return findings


def _settled(moment: Moment, traits: Traits) -> bool:
    """Whether the asset works and its operating point is steady: nothing is judged or learned while it changes what it does.

    Nor while it is stopped or on the ground, where nobody sees from outside whether its engines run, nor in climb and descent,
    where thrust bends with altitude and speed: engine trends are read in stable cruise (gate by operating state, domain.md 5.5).
    """
    settled_us = moment.state.settled_since_us
    if moment.state.settled_phase != STEADY:
        return False
    return settled_us is not None and moment.time_us - settled_us >= traits.settle_us


def _cold(baseline: Baseline) -> bool:
    """Whether a baseline still stands on the fleet-wide prior, which knows more of the operating range than the asset does."""
    return baseline.seeded and baseline.rows < model.NEEDED_ROWS


def _count(
    watched: Watched, moment: Moment, name: str, value: float, judged: Judged, limits: tuple[float, float]
) -> Sequence[Finding]:
    """One score: a ballot for opening, or a calm one for closing. `limits` are the z that opens and the z that closes."""
    size = abs(judged.z) / (WORLD_TIMES if name.startswith(WORLD) else 1.0)
    far = size >= limits[0]
    if not far and watched.ballots == 0 and watched.episode is None:
        return NOTHING
    side = 1 if judged.z > 0 else -1
    if far and (watched.ballots == 0 or watched.side != side):
        watched.ballots, watched.side, watched.first_us = 0, side, moment.time_us
    watched.ballots = vote(watched.ballots, far, OF_VOTES)
    watched.calm = vote(watched.calm, size < limits[1], OF_VOTES)
    if watched.episode is None:
        needed_us = STEERED_LASTING_US if name.endswith(STEERED_UNITS) else LASTING_US
        lasting = moment.time_us - watched.first_us >= needed_us
        if not far or not lasting or yes_votes(watched.ballots) < OPEN_VOTES:
            return NOTHING
        watched.calm = 0
        watched.episode = _open(watched, moment, name, value, judged)
        return (watched.episode.finding(moment.state, NAME, VERSION),)
    return (_close(watched, moment, "returned"),) if yes_votes(watched.calm) == OF_VOTES else NOTHING


def _open(watched: Watched, moment: Moment, name: str, value: float, judged: Judged) -> Episode:
    return Episode(
        subject=name,
        asset=moment.now.name,
        opened_at_us=watched.first_us,
        detected_at_us=moment.time_us,
        severity="warning",
        score=round(abs(judged.z), 3),
        evidence={
            "top": [{"feature": name, "observed": value, "expected": round(judged.expected, 6), "z": round(judged.z, 3)}],
            "sigma": round(judged.sigma, 6),
            "open_z": moment.setting(NAME, "open_z", OPEN_Z),
            "learned_rows": watched.baseline.rows,
            "from_prior": watched.baseline.seeded,
            "speed_kn": moment.now.speed_kn,
            "draught_m": moment.now.draught_m,
            "alt_baro_ft": moment.now.alt_ft,
        },
    )


def _close(watched: Watched, moment: Moment, how: str) -> Finding:
    episode, watched.episode = watched.episode, None
    watched.ballots = watched.calm = 0
    if episode is None:
        raise RuntimeError("no episode to close")
    episode.evidence["ended"] = how
    return episode.finding(moment.state, NAME, VERSION, closed_at_us=moment.time_us)


def _learn(memory: ChannelMemory, moment: Moment, row: Row, findings: list[Finding]) -> None:
    """Take a closed row into every channel's baseline, and leave the residuals for the rule that looks at them together."""
    _close_hour(memory, moment, row)
    traits = TRAITS[moment.state.asset_class]
    if not row.channels or not _settled(moment, traits):
        return
    speed_kn = row.seen.speed_kn or 0.0
    x = traits.features(row.seen, speed_kn)
    if not all(map(isfinite, x)):
        return
    cell = traits.cell(row.seen, speed_kn)
    known = memory.cells.get(cell, 0) >= CELL_ROWS
    for name, value in row.channels.items():
        watched = memory.channels.get(name) or _watch(memory, name, row.start_us)
        if watched is None:
            continue
        watched.seen_us = row.start_us
        _seed(watched.baseline, moment, name, len(x))
        judged = model.judge(watched.baseline, x, value) if known or _cold(watched.baseline) else None
        score = judged if isinstance(judged, Judged) else None
        if score is not None and watched.episode is None and not name.endswith(STEERED_UNITS) and not name.startswith(WORLD):
            moment.residuals[name] = Residual(score.z, value, score.expected)
        released = model.learn(watched.baseline, x, value, score, frozen=watched.episode is not None)
        if released and watched.episode is not None:
            findings.append(_close(watched, moment, "regime_accepted"))
    _enter_cell(memory, cell)


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


RULE = Rule(NAME, VERSION, ALL_CLASSES, ChannelMemory, at_reading)
