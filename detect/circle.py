"""The circle through points, for tracks that go round: centre, radius, how far off the points are, how far they go round."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import atan2, cos, hypot, pi, radians, sqrt

import msgspec

from detect.plane import M_PER_DEG, offset_m


class Circle(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A fitted circle: `residual` is the root mean square of the radial errors as a share of the radius.

    `turns` is how often the points go round the centre, clockwise negative.
    """

    lat_deg: float
    lon_deg: float
    radius_m: float
    residual: float
    turns: float


def fitted(points: Sequence[tuple[int, float, float]]) -> Circle | None:
    """The circle of least squares through (second, lat, lon) points (Kåsa 1976), on a plane at the first; None for a line.

    Good for circles of up to some 100 km, away from the poles.
    """
    _, lat_deg, lon_deg = points[0]
    flat = [offset_m(lat_deg, lon_deg, lat, lon) for _, lat, lon in points]
    count = len(flat)
    mean_x, mean_y = sum(x for x, _ in flat) / count, sum(y for _, y in flat) / count
    flat = [(x - mean_x, y - mean_y) for x, y in flat]
    xx, yy, xy = sum(x * x for x, _ in flat), sum(y * y for _, y in flat), sum(x * y for x, y in flat)
    xz, yz = sum(x * (x * x + y * y) for x, y in flat), sum(y * (x * x + y * y) for x, y in flat)
    det = xx * yy - xy * xy
    if det <= 1e-9 * (xx + yy) ** 2:
        return None
    x, y = (xz * yy - yz * xy) / (2.0 * det), (yz * xx - xz * xy) / (2.0 * det)
    radius_m = sqrt(x * x + y * y + (xx + yy) / count)
    errors = sum((hypot(px - x, py - y) - radius_m) ** 2 for px, py in flat)
    angles = [atan2(py - y, px - x) for px, py in flat]
    swept = sum((b - a + pi) % (2.0 * pi) - pi for a, b in pairwise(angles))
    centre_lat = lat_deg + (mean_y + y) / M_PER_DEG
    return Circle(
        lat_deg=centre_lat,
        lon_deg=lon_deg + (mean_x + x) / (M_PER_DEG * cos(radians((lat_deg + centre_lat) / 2.0))),
        radius_m=radius_m,
        residual=sqrt(errors / count) / radius_m,
        turns=swept / (2.0 * pi),
    )
