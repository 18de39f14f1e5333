"""Several quantities together: river's exponentially weighted covariance, held as plain numbers, and the distance by it.

Knows numbers only; which features and what to make of a distance is `behaviour_anomaly`'s to say.
"""

from __future__ import annotations

from math import cbrt, sqrt
from typing import Any

import msgspec
import numpy as np
from river.covariance import EwaCovariance

from detect.baseline import square
from detect.state import WarmingUp

NEEDED_ROWS = 60  # chosen: an hour; seven rows for each of at most eight features
FADING = 0.005  # chosen: a memory of 200 rows
SHRINK = 0.1  # chosen: correlations count nine tenths, so that no near-perfect one makes a hair's breadth an anomaly
ALONE_Z = 6.0  # chosen: as `channel_anomaly` opens
CLIP_Z = 8.0  # chosen: beyond what opens a channel's own episode more size says nothing more
FEATURES_MAX = 8  # chosen: keeps the matrix small and the warm-up an hour


class Joint(msgspec.Struct, kw_only=True, array_like=True):
    """The features watched together, their mean and their second moments (a square of doubles), from `rows` rows."""

    features: list[str] = msgspec.field(default_factory=list)
    rows: int = 0
    mean: list[float] = msgspec.field(default_factory=list)
    second: bytes = b""


class Distance(msgspec.Struct, frozen=True):
    """How far a row lies off: `z` as a normal deviate, and the same for what the single most deviant feature does not explain."""

    z: float
    joint_z: float
    expected: list[float]


def warm_up(joint: Joint) -> WarmingUp | None:
    """How far the warm-up is, or None when a distance can be given."""
    return None if joint.rows >= NEEDED_ROWS else WarmingUp(joint.rows, NEEDED_ROWS)


def begin(joint: Joint, features: list[str]) -> None:
    """Watch these features from now on; what was learned of others is forgotten."""
    joint.features = sorted(features)[:FEATURES_MAX]
    joint.rows, joint.mean, joint.second = 0, [], b""


def measure(joint: Joint, values: list[float]) -> Distance | WarmingUp:
    """The Mahalanobis distance of a row (values in the order of `features`), as a normal deviate; changes nothing.

    D squared of k features goes to a normal deviate by Wilson and Hilferty (1931). Variances below 1 count as 1 (the values are
    residuals in standard deviations already), correlations are shrunk by `SHRINK`. Of a feature that is far off alone all that it
    adds is taken away, what its relations say with it: what is left is the distance of the others.
    """
    waiting = warm_up(joint)
    if waiting is not None:
        return waiting
    size = len(joint.features)
    mean = np.array(joint.mean)
    covariance = square(joint.second) - np.outer(mean, mean)
    spread = np.sqrt(np.maximum(np.diag(covariance), 1e-12))
    correlation = covariance / np.outer(spread, spread) * (1.0 - SHRINK)
    np.fill_diagonal(correlation, 1.0)
    off = (np.array(values) - mean) / np.maximum(spread, 1.0)
    whitened = np.linalg.solve(correlation, off)
    squared, alone = float(off @ whitened), float(np.max(off * off))
    if alone >= ALONE_Z * ALONE_Z:
        most = int(np.argmax(np.abs(off)))
        column = np.linalg.solve(correlation, np.eye(size)[most])
        alone = float(whitened[most] ** 2 / column[most])
    return Distance(deviate(squared, size), deviate(max(squared - alone, 0.0), size), joint.mean)


def learn(joint: Joint, values: list[float]) -> None:
    """Take a row in, each value clipped to `CLIP_Z`. The first rows weigh alike: 1/n until that falls below the fading factor."""
    model: Any = EwaCovariance(fading_factor=max(1.0 / (joint.rows + 1), FADING))
    clipped = {name: min(max(value, -CLIP_Z), CLIP_Z) for name, value in zip(joint.features, values, strict=True)}
    if joint.rows:
        model.update(dict.fromkeys(joint.features, 0.0))  # lays the features out; overwritten in the next lines
        model._mean[:] = joint.mean  # noqa: SLF001  river has no public way in
        model._M2[:] = square(joint.second)  # noqa: SLF001
    model.update(clipped)
    joint.mean = model._mean.tolist()  # noqa: SLF001
    joint.second = model._M2.tobytes()  # noqa: SLF001
    joint.rows += 1


def deviate(squared: float, size: int) -> float:
    """A sum of `size` squared deviates as one normal deviate.

    Wilson and Hilferty (1931): the cube root of chi squared over its degrees of freedom is nearly normal.
    """
    spread = 2.0 / (9.0 * size)
    return (cbrt(squared / size) - (1.0 - spread)) / sqrt(spread)
