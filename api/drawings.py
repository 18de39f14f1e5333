"""Drawings for a printed page, as SVG of nothing but lines and words: a month's track, and its days as bars. Pure.

Every text that goes in is escaped; nothing is fetched from anywhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from api.tracks import Fix
from fleet.instants import HOUR_US

WIDTH, HEIGHT, EDGE = 680, 320, 34
SILENT_US = 6 * HOUR_US  # drawn dashed: nobody knows the way (design 4.6, the longest silence that is none)
SPAN_DEG_MIN = 0.2
STEPS_DEG = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 45)

THIN = (
    '<defs><pattern id="thin" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="5" height="5" class="wash"/><line x1="0" y1="0" x2="0" y2="5" class="hatch"/></pattern></defs>'
)


class Bar(NamedTuple):
    """One bar: its label, its height in the axis' unit, and how much of the day was observed (0 to 1)."""

    label: str
    value: float
    coverage: float


def track_svg(fixes: Sequence[Fix]) -> str:
    """Fixes in order of time as a map with lines of latitude and longitude; a silence of 6 h or more is dashed.

    Equirectangular at the middle latitude, which keeps shapes of a region; longitude goes on over ±180°.
    """
    if not fixes:
        return _empty("No position in this month.")
    unwrapped = _unwrapped(fixes)
    lons, lats = [lon for lon, _ in unwrapped], [lat for _, lat in unwrapped]
    middle_lon, middle_lat = (min(lons) + max(lons)) / 2, (min(lats) + max(lats)) / 2
    squeeze = max(0.05, math.cos(math.radians(middle_lat)))
    span_lon = max(max(lons) - min(lons), SPAN_DEG_MIN) * 1.1
    span_lat = max(max(lats) - min(lats), SPAN_DEG_MIN) * 1.1
    scale = min((WIDTH - 2 * EDGE) / (span_lon * squeeze), (HEIGHT - 2 * EDGE) / span_lat)

    def place(lon: float, lat: float) -> tuple[float, float]:
        return WIDTH / 2 + (lon - middle_lon) * squeeze * scale, HEIGHT / 2 - (lat - middle_lat) * scale

    reach_lon, reach_lat = (WIDTH / 2 - EDGE) / (squeeze * scale), (HEIGHT / 2 - EDGE) / scale
    box = (middle_lon - reach_lon, middle_lat - reach_lat, middle_lon + reach_lon, middle_lat + reach_lat)
    parts = [_lines_of_the_globe(box, place)]
    points = [place(lon, lat) for lon, lat in unwrapped]
    line = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    silent: list[str] = []
    for n in range(1, len(points)):
        (x0, y0), (x, y) = points[n - 1], points[n]
        if fixes[n].time_us - fixes[n - 1].time_us >= SILENT_US:
            silent.append(f"M{x0:.1f} {y0:.1f}L{x:.1f} {y:.1f}")
            line.append(f"M{x:.1f} {y:.1f}")
        else:
            line.append(f"L{x:.1f} {y:.1f}")
    parts.append(f'<path class="silent" d="{"".join(silent)}"/>' if silent else "")
    parts.append(f'<path class="track" d="{"".join(line)}"/>')
    parts.append(_mark(points[0], "first") + _mark(points[-1], "last"))
    return _svg("".join(parts), "Track of the month")


def days_svg(bars: Sequence[Bar], unit: str) -> str:
    """A bar a day, on one axis in `unit`; what was thinly observed (under 0.90) is hatched."""
    if not bars:
        return _empty("No day of this month was counted.")
    top = _nice(max(bar.value for bar in bars))
    left, bottom, height = 54, HEIGHT // 2 - 26, HEIGHT // 2 - 44
    step = (WIDTH - left - 10) / len(bars)
    parts = [THIN]
    for part in (0.0, 0.5, 1.0):
        y = bottom - height * part
        parts.append(f'<line class="grid" x1="{left}" x2="{WIDTH - 10}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick" x="{left - 6}" y="{y + 3:.1f}" text-anchor="end">{top * part:g}</text>')
    parts.append(f'<text class="tick" x="4" y="12">{escape(unit)}</text>')
    for n, bar in enumerate(bars):
        x, tall = left + n * step, 0.0 if top == 0 else height * bar.value / top
        kind = "bar" if bar.coverage >= 0.9 else "bar thin"
        fill = "" if bar.coverage >= 0.9 else ' fill="url(#thin)"'
        parts.append(
            f'<rect class="{kind}"{fill} x="{x + step * 0.12:.1f}" y="{bottom - tall:.1f}" width="{step * 0.76:.1f}"'
            f' height="{tall:.1f}"><title>{escape(bar.label)}: {bar.value:.1f} {escape(unit)}</title></rect>'
        )
        if n % 5 == 0:
            middle = x + step / 2
            parts.append(f'<text class="tick" x="{middle:.1f}" y="{bottom + 14}" text-anchor="middle">{escape(bar.label)}</text>')
    return _svg("".join(parts), "Use by day", HEIGHT // 2)


def _unwrapped(fixes: Sequence[Fix]) -> list[tuple[float, float]]:
    """(longitude, latitude) with longitude going on over ±180° by the shorter way (RFC 7946 §3.1.9)."""
    found = [(fixes[0].lon_deg, fixes[0].lat_deg)]
    for fix in fixes[1:]:
        before = found[-1][0]
        found.append((before + (fix.lon_deg - before + 180) % 360 - 180, fix.lat_deg))
    return found


def _lines_of_the_globe(box: tuple[float, float, float, float], place: object) -> str:
    west, south, east, north = box
    put = place
    assert callable(put)  # noqa: S101 - given by track_svg
    step = next((each for each in STEPS_DEG if max(east - west, north - south) / each <= 7), STEPS_DEG[-1])
    parts: list[str] = []
    lon = math.ceil(west / step) * step
    while lon <= east:
        (x, y0), (_, y1) = put(lon, south), put(lon, north)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{y0:.1f}" y2="{y1:.1f}"/>')
        parts.append(f'<text class="tick" x="{x:.1f}" y="{y0 + 14:.1f}" text-anchor="middle">{_degrees(lon, "EW")}</text>')
        lon += step
    lat = math.ceil(max(south, -90) / step) * step
    while lat <= min(north, 90):
        (x0, y), (x1, _) = put(west, lat), put(east, lat)
        parts.append(f'<line class="grid" x1="{x0:.1f}" x2="{x1:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick" x="{x0 - 4:.1f}" y="{y + 3:.1f}" text-anchor="end">{_degrees(lat, "NS")}</text>')
        lat += step
    return "".join(parts)


def _degrees(value: float, signs: str) -> str:
    around = (value + 180) % 360 - 180 if signs == "EW" else value
    return f"{abs(round(around, 3)):g}°{'' if round(around, 3) == 0 else signs[around < 0]}"


def _nice(value: float) -> float:
    """The next of 1, 2, 5 × 10ⁿ at or above a value; 0 stays 0."""
    if value <= 0:
        return 0.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value * 0.999999)


def _mark(point: tuple[float, float], kind: str) -> str:
    return f'<circle class="{kind}" cx="{point[0]:.1f}" cy="{point[1]:.1f}" r="4"/>'


def _empty(words: str) -> str:
    return _svg(f'<text class="tick" x="{WIDTH / 2}" y="40" text-anchor="middle">{escape(words)}</text>', words, 80)


def _svg(inside: str, title: str, height: int = HEIGHT) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}" xmlns="http://www.w3.org/2000/svg">'
        f"{inside}</svg>"
    )
