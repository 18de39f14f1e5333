"""The fleet-wide prior of one (asset class, type): what sister assets' sensors do, for an asset that has no history of its own.

Built from what each asset's models had learned when an hour of event time closed; whoever calls `merge` decides which assets are
of one type and which hours lie in the past. The sums are exactly rounded (math.fsum), so that the order of arrival does not
matter.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import fsum

import msgspec
import numpy as np

from detect.baseline import Baseline, seed, square, vector
from detect.state import Contribution, Learned

ASSETS = 3  # chosen: a spread between assets needs at least three
WEIGHT_ROWS = 20.0  # chosen: an asset's own first twenty rows weigh as much as the whole fleet
CHANNELS_MAX = 256  # bounds a prior; chosen: more sensors than one type of asset carries
SCHEMA_VERSION = 1


class PriorChannel(msgspec.Struct, frozen=True, array_like=True):
    """One channel over the fleet: assets heard, precision and moments of a mean row (doubles), noise within and between."""

    assets: int
    precision: bytes
    moments: bytes
    variance: float
    level: float


class Prior(msgspec.Struct, frozen=True, kw_only=True):
    """What a type's assets have in common, closed at the hour that starts at `hour_us`. Plain numbers only."""

    version: int
    hour_us: int
    channels: dict[str, PriorChannel]

    def to_bytes(self) -> bytes:
        """MessagePack of the prior."""
        return msgspec.msgpack.encode(self)


def from_bytes(packed: bytes) -> Prior | None:
    """The prior of `Prior.to_bytes`, or None when another version wrote it."""
    if msgspec.msgpack.decode(packed)["version"] != SCHEMA_VERSION:
        return None
    return msgspec.msgpack.decode(packed, type=Prior)


def merge(contributions: Iterable[Contribution]) -> Prior | None:
    """One prior from any number of contributions in any order; None when no channel was learned by at least three assets.

    Of each asset its newest hour counts. All contributions must be of one class and type: that is the caller's to see to.
    """
    newest: dict[str, Contribution] = {}
    for contribution in contributions:
        known = newest.get(contribution.asset_id)
        if known is None or contribution.hour_us > known.hour_us:
            newest[contribution.asset_id] = contribution
    shares: dict[str, list[Learned]] = {}
    for asset_id in sorted(newest):
        for name, share in newest[asset_id].channels.items():
            shares.setdefault(name, []).append(share)
    channels: dict[str, PriorChannel] = {}
    for name in sorted(shares)[:CHANNELS_MAX]:
        pooled = _pool(shares[name])
        if pooled is not None:
            channels[name] = pooled
    if not channels:
        return None
    return Prior(version=SCHEMA_VERSION, hour_us=max(newest[asset_id].hour_us for asset_id in newest), channels=channels)


def _pool(shares: list[Learned]) -> PriorChannel | None:
    """The mean row of all assets, and as noise the mean within plus the variance between their expectations at that mean row."""
    size = len(vector(max((share.moments for share in shares), key=len)))
    shares = [share for share in shares if len(vector(share.moments)) == size]
    if len(shares) < ASSETS:
        return None
    count = len(shares)
    precisions = [np.linalg.inv(square(share.inverse)) / share.rows for share in shares]
    moments = [vector(share.moments) / share.rows for share in shares]
    mean = np.array([[fsum(float(one[i, j]) for one in precisions) / count for j in range(size)] for i in range(size)])
    target = np.array([fsum(float(one[i]) for one in moments) / count for i in range(size)])
    weights = np.linalg.lstsq(mean, target, rcond=1e-9)[0]
    point = mean[0]
    expected = [float(point @ np.linalg.lstsq(one, own, rcond=1e-9)[0]) for one, own in zip(precisions, moments, strict=True)]
    pooled = float(point @ weights)
    between = fsum((value - pooled) ** 2 for value in expected) / (count - 1)
    within = fsum(share.variance for share in shares) / count
    return PriorChannel(count, mean.tobytes(), target.tobytes(), within + between, abs(pooled))


def seed_from(prior: Prior, channel: str, size: int, baseline: Baseline) -> None:
    """Begin a cold baseline from the prior in the weight of `WEIGHT_ROWS` rows; nothing for a channel it does not know."""
    known = prior.channels.get(channel)
    if known is None or len(vector(known.moments)) != size:
        return
    seed(baseline, square(known.precision) * WEIGHT_ROWS, vector(known.moments) * WEIGHT_ROWS, known.variance, known.level)
