"""Rule `behaviour_anomaly`: several sensors together say what they never said together, though each alone may be in its range."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from detect import joint as model
from detect import tail
from detect.episodes import Episode, vote, yes_votes
from detect.joint import Distance, Joint
from detect.model import Finding
from detect.rule import ALL_CLASSES, NOTHING, Moment, Residual, Rule
from detect.state import Memory, WarmingUp

NAME = "behaviour_anomaly"
VERSION = 2
OPEN_Z = 6.0  # chosen: as `channel_anomaly`
CLOSE_Z = 3.0
OPEN_VOTES, OF_VOTES = 4, 5  # chosen: five minutes
CLOSE_ROWS = 5
RELEASE_ROWS = 120  # chosen: as a channel's baseline
MISSING_ROWS = 240  # chosen: four hours without one of the features, and others are chosen
TOP = 3  # features named in the evidence


class BehaviourMemory(Memory, kw_only=True):
    """The features' joint model and its healthy scores, the last ballots, rows kept out or incomplete in a row, the episode."""

    joint: Joint = msgspec.field(default_factory=Joint)
    ballots: int = 0
    calm: int = 0
    first_us: int = 0
    rejected: int = 0
    missing: int = 0
    scores: bytes = b""
    episode: Episode | None = None

    def warm_up(self) -> dict[str, WarmingUp]:
        """The joint warm-up once there are features to learn."""
        waiting = model.warm_up(self.joint) if self.joint.features else None
        return {} if waiting is None else {"": waiting}


def at_row(memory: BehaviourMemory, moment: Moment) -> Sequence[Finding]:
    """Score, decide, then learn the residuals of the closed row (at most one row a minute)."""
    residuals = {name: residual for name, residual in moment.residuals.items() if not residual.said}
    if not residuals or not _choose(memory, residuals):
        return NOTHING
    values = [residuals[name].z for name in memory.joint.features]
    distance = model.measure(memory.joint, values)
    if isinstance(distance, WarmingUp):
        model.learn(memory.joint, values)
        return NOTHING
    findings = _count(memory, moment, residuals, distance)
    if memory.episode is None and distance.z < OPEN_Z:
        memory.rejected = 0
        memory.scores = tail.add(memory.scores, max(distance.z, 0.0))
        model.learn(memory.joint, values)
    else:
        memory.rejected += 1
        if memory.rejected >= RELEASE_ROWS:
            findings = (*findings, *_release(memory, moment))
    return findings


def _choose(memory: BehaviourMemory, residuals: dict[str, Residual]) -> bool:
    """Whether the row has every feature watched; features are chosen anew while cold, or when one has been away for long."""
    features = memory.joint.features
    complete = bool(features) and all(name in residuals for name in features)
    memory.missing = 0 if complete else memory.missing + 1
    more = len(features) < min(len(residuals), model.FEATURES_MAX)
    cold = memory.joint.rows < model.NEEDED_ROWS
    if memory.episode is None and len(residuals) >= 2 and ((cold and more) or memory.missing >= MISSING_ROWS or not features):
        model.begin(memory.joint, list(residuals))
        memory.missing = memory.ballots = memory.calm = 0
        return True
    return complete


def _count(memory: BehaviourMemory, moment: Moment, residuals: dict[str, Residual], distance: Distance) -> tuple[Finding, ...]:
    open_z = moment.setting(NAME, "open_z", OPEN_Z)
    far = distance.z >= open_z and distance.joint_z >= open_z
    if far and memory.ballots == 0 and moment.row is not None:
        memory.first_us = moment.row.start_us
    memory.ballots = vote(memory.ballots, far, OF_VOTES)
    memory.calm = vote(memory.calm, distance.z < moment.setting(NAME, "close_z", CLOSE_Z), CLOSE_ROWS)
    if memory.episode is None:
        if not far or yes_votes(memory.ballots) < OPEN_VOTES:
            return NOTHING
        chance, method, rows = tail.chance(memory.scores, distance.z)
        memory.episode = Episode(
            asset=moment.now.name,
            opened_at_us=memory.first_us,
            detected_at_us=moment.time_us,
            severity="warning",
            score=round(distance.z, 3),
            evidence={
                "top": _top(memory.joint, residuals, distance),
                "open_z": open_z,
                "joint_z": round(distance.joint_z, 3),
                "features": len(memory.joint.features),
                "p_value": float(f"{chance:.3g}"),
                "p_method": method,
                "p_rows": rows,
                "learned_rows": memory.joint.rows,
                "speed_kn": moment.now.speed_kn,
            },
        )
        return (memory.episode.finding(moment.state, NAME, VERSION),)
    if yes_votes(memory.calm) == CLOSE_ROWS:
        return (_close(memory, memory.episode, moment, "returned"),)
    return NOTHING


def _top(joint: Joint, residuals: dict[str, Residual], distance: Distance) -> list[dict[str, object]]:
    """The features that lie farthest from their usual residual, best first."""
    usual = dict(zip(joint.features, distance.expected, strict=True))
    names = sorted(joint.features, key=lambda name: (-abs(residuals[name].z - usual[name]), name))[:TOP]
    return [
        {
            "feature": name,
            "observed": residuals[name].observed,
            "expected": round(residuals[name].expected, 6),
            "z": round(residuals[name].z, 3),
        }
        for name in names
    ]


def _release(memory: BehaviourMemory, moment: Moment) -> tuple[Finding, ...]:
    """Two hours of rows that were kept out: they are the new regime, learned from the beginning."""
    episode = memory.episode
    model.begin(memory.joint, memory.joint.features)
    memory.rejected = memory.ballots = memory.calm = 0
    return () if episode is None else (_close(memory, episode, moment, "regime_accepted"),)


def _close(memory: BehaviourMemory, episode: Episode, moment: Moment, how: str) -> Finding:
    memory.episode = None
    memory.ballots = memory.calm = memory.rejected = 0
    episode.evidence["ended"] = how
    return episode.finding(moment.state, NAME, VERSION, closed_at_us=moment.time_us)


RULE = Rule(NAME, VERSION, ALL_CLASSES, BehaviourMemory, at_row=at_row)
