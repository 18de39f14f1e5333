"""Rule `speed_anomaly`: an asset under way goes at another speed than its own history lets expect."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

import msgspec

from detect import baseline as model
from detect.baseline import Baseline, Judged
from detect.classes import TRAITS
from detect.episodes import Episode, vote, yes_votes
from detect.model import Finding
from detect.rule import ALL_CLASSES, NOTHING, Moment, Rule
from detect.state import Memory, WarmingUp
from detect.traits import STEADY

NAME = "speed_anomaly"
VERSION = 1
OPEN_Z = 6.0  # chosen: as `channel_anomaly`
CLOSE_Z = 3.0
OPEN_ROWS = 10  # chosen: ten minutes; turns, locks and traffic are shorter
CLOSE_ROWS = 5
CELL_ROWS = 10  # chosen: as `channel_anomaly`
CELLS_MAX = 64


class SpeedMemory(Memory, kw_only=True):
    """The speed's baseline, rows seen in each cell of the operating range, the last ballots and the open episode."""

    baseline: Baseline = msgspec.field(default_factory=Baseline)
    cells: dict[int, int] = msgspec.field(default_factory=dict)
    ballots: int = 0
    calm: int = 0
    first_us: int = 0
    episode: Episode | None = None

    def warm_up(self) -> dict[str, WarmingUp]:
        """The speed's own warm-up, while it lasts."""
        waiting = model.warm_up(self.baseline)
        return {} if waiting is None else {"": waiting}


def at_row(memory: SpeedMemory, moment: Moment) -> Sequence[Finding]:
    """Score, decide, then learn the row that this reading closed. Only an asset under way or in cruise is looked at."""
    row = moment.row
    traits = TRAITS[moment.state.asset_class]
    if row is None or row.seen.speed_kn is None or traits.phase(row.seen) != STEADY:
        return NOTHING
    x, speed_kn = traits.speed_features(row.seen), row.seen.speed_kn
    if not all(map(isfinite, (*x, speed_kn))):
        return NOTHING
    cell = traits.cell(row.seen, 0.0)
    known = memory.cells.get(cell, 0) >= CELL_ROWS
    judged = model.judge(memory.baseline, x, speed_kn, traits.speed_floor_kn) if known else None
    score = judged if isinstance(judged, Judged) else None
    findings = NOTHING if score is None else _count(memory, moment, speed_kn, score)
    released = model.learn(memory.baseline, x, speed_kn, score, frozen=memory.episode is not None)
    if released and memory.episode is not None:
        findings = (*findings, _close(memory, memory.episode, moment, "regime_accepted"))
    memory.cells[cell] = memory.cells.get(cell, 0) + 1
    if len(memory.cells) > CELLS_MAX:
        del memory.cells[min(memory.cells, key=lambda other: (memory.cells[other], other))]
    return findings


def _count(memory: SpeedMemory, moment: Moment, speed_kn: float, judged: Judged) -> tuple[Finding, ...]:
    far = abs(judged.z) >= moment.setting(NAME, "open_z", OPEN_Z)
    row_us = moment.row.start_us if moment.row is not None else moment.time_us
    if far and memory.ballots == 0:
        memory.first_us = row_us
    memory.ballots = vote(memory.ballots, far, OPEN_ROWS) if far else 0
    memory.calm = vote(memory.calm, abs(judged.z) < moment.setting(NAME, "close_z", CLOSE_Z), CLOSE_ROWS)
    if memory.episode is None:
        if yes_votes(memory.ballots) < OPEN_ROWS:
            return NOTHING
        memory.episode = Episode(
            asset=moment.now.name,
            opened_at_us=memory.first_us,
            detected_at_us=moment.time_us,
            severity="info",
            score=round(abs(judged.z), 3),
            evidence={
                "top": [
                    {
                        "feature": "speed_kn",
                        "observed": round(speed_kn, 3),
                        "expected": round(judged.expected, 3),
                        "z": round(judged.z, 3),
                    }
                ],
                "sigma_kn": round(judged.sigma, 4),
                "learned_rows": memory.baseline.rows,
                "draught_m": moment.now.draught_m,
                "alt_baro_ft": moment.now.alt_ft,
            },
        )
        return (memory.episode.finding(moment.state, NAME, VERSION),)
    if yes_votes(memory.calm) == CLOSE_ROWS:
        return (_close(memory, memory.episode, moment, "returned"),)
    return NOTHING


def _close(memory: SpeedMemory, episode: Episode, moment: Moment, how: str) -> Finding:
    memory.episode = None
    memory.ballots = memory.calm = 0
    episode.evidence["ended"] = how
    return episode.finding(moment.state, NAME, VERSION, closed_at_us=moment.time_us)


RULE = Rule(NAME, VERSION, ALL_CLASSES, SpeedMemory, at_row=at_row)
