"""What of the demo's past was heard and made of it: readings, journeys, days and activities as lines of COPY's text form.

Daily positions since delivery, every ten minutes in the last ninety days; every journey; the sums of every day. The figures come
from the laid-out lives, and `method` says that they are made up.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fleet.shards import shard_of
from keelwing.portfolio import stories
from keelwing.portfolio.lives import DAY_S, Journeys, Seconds, Stretches, Sums, accrued, sums
from keelwing.portfolio.paper import TENANT, Held
from simulators.motion import hash64, uniform

METHOD = "demo/1"
RECENT_D, RECENT_STEP_S, COARSE_STEP_S = 90.0, 600.0, DAY_S
ACTIVITY_D = 400.0
"""Activities of more than a year, as edges of months and leases need them; days hold the rest."""
VESSEL = (
    "stream_id", "time", "source", "seq", "seq_given", "received_at", "lat_deg", "lon_deg", "sog_kn", "cog_deg", "heading_deg",
    "nav_status", "draught_m", "commit_no",
)  # fmt: skip
AIRCRAFT = (
    "stream_id", "time", "source", "seq", "seq_given", "received_at", "lat_deg", "lon_deg", "on_ground", "gs_kn", "track_deg",
    "alt_baro_ft", "vertical_rate_fpm", "commit_no",
)  # fmt: skip
JOURNEY = (
    "journey_id", "revision", "tenant", "asset_id", "asset", "kind", "started_at", "ended_at", "from_place", "to_place",
    "quality", "confidence", "coverage", "method", "distance_m", "observed_s", "cycles", "sources", "figures", "commit_no",
)  # fmt: skip
DAY = (
    "tenant", "asset_id", "day", "method", "state_s", "state_m", "distance_m", "laden_m", "ballast_m", "flight_s", "cycles",
    "observed_s", "sources", "figures", "commit_no",
)  # fmt: skip
ACTIVITY = (
    "tenant", "asset_id", "state", "started_at", "ended_at", "distance_m", "observed_s", "loading", "place", "method", "figures",
    "sources", "commit_no",
)  # fmt: skip


class Clock(NamedTuple):
    """The demo's first start, and the months by which commits of the past are numbered."""

    start: datetime
    months: tuple[datetime, ...]

    def texts(self, since_s: Seconds) -> list[str]:
        """Instants as text, whole milliseconds."""
        zero = np.datetime64(self.start.astimezone(UTC).replace(tzinfo=None), "ms")
        return [f"{text}Z" for text in np.datetime_as_string(zero + np.round(since_s * 1e3).astype("timedelta64[ms]")).tolist()]

    def commit_nos(self, since_s: Seconds, shard: int) -> list[int]:
        """The commit under which something of an instant became known: that of the month's end."""
        ends_s = np.array([(month - self.start).total_seconds() for month in self.months])
        n = np.minimum(np.searchsorted(ends_s, since_s), len(ends_s) - 1) + 1
        numbers: list[int] = (n * 64 + shard).tolist()
        return numbers


def months_before(start: datetime, years: float) -> tuple[datetime, ...]:
    """The ends of the months of the past, the last one the start itself."""
    first = start - timedelta(days=years * stories.YEAR_D + 1100)
    year, month = first.year, first.month
    ends: list[datetime] = []
    while True:
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
        end = datetime(year, month, 1, tzinfo=UTC)
        if end >= start:
            return (*ends, start)
        ends.append(end)


def is_heard(held: Held, time_s: Seconds, start: datetime) -> npt.NDArray[np.bool_]:
    """Which of these instants were heard: the silent ship's days, and the thin months, are not."""
    heard = np.ones(len(time_s), dtype=bool)
    if held.plan == stories.SILENT:
        begin_s, end_s = silence_s()
        heard &= (time_s < begin_s) | (time_s >= end_s)
    if held.plan in stories.THIN:
        month = start.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        last_s = (month - start).total_seconds()
        first_s = ((month - timedelta(days=1)).replace(day=1) - start).total_seconds()
        day = np.floor(time_s / DAY_S).astype(int)
        heard &= ~((time_s >= first_s) & (time_s < last_s) & (day % 5 < 2))
    return heard


def silence_s() -> tuple[float, float]:
    """When the silent ship was silent: three days and a half, seven weeks before the start."""
    return -50.0 * DAY_S, -46.5 * DAY_S


def coverage_of(held: Held, midnights_s: Seconds, start: datetime) -> Seconds:
    """Share of each day that was observed."""
    noon_s = midnights_s[:-1] + DAY_S / 2
    base = np.array([0.955 + 0.044 * uniform(hash64(held.plan, "coverage", int(day))) for day in noon_s // DAY_S])
    return np.where(is_heard(held, noon_s, start), base, 0.05)


def readings(held: Held, stream_id: int, clock: Clock) -> str:
    """Every reading of an asset, as lines."""
    life = held.life
    recent_s = -RECENT_D * DAY_S
    time_s = np.concatenate([
        np.arange(life.delivered_s + 3 * 3600, recent_s, COARSE_STEP_S),
        np.arange(max(recent_s, life.delivered_s + 3 * 3600), life.until_s, RECENT_STEP_S),
    ])  # fmt: skip
    time_s = time_s[is_heard(held, time_s, clock.start)]
    looks, stretches = life.look(time_s), life.stretches()
    state = stretches.name[np.clip(np.searchsorted(stretches.begin_s, time_s, side="right") - 1, 0, None)]
    texts, numbers = clock.texts(time_s), clock.commit_nos(time_s, shard_of(held.asset_id))
    lats, lons = np.round(looks.lat_deg, 5).tolist(), np.round(looks.lon_deg, 5).tolist()
    speeds, courses = np.round(looks.speed_kn, 1).tolist(), (np.round(looks.course_deg, 1) % 360.0).tolist()
    if life.asset.asset_class == "vessel":
        nav = np.array([{"moored": 5, "drydock": 5, "anchored": 1}.get(name, 0) for name in stretches.names])[state].tolist()
        draughts = _draughts(life.journeys(), np.array([hop.draught_m for hop in life.round.hops]), time_s).tolist()
        return "".join(
            f"{stream_id}\t{at}\tdevice\t{n}\tt\t{at}\t{lat}\t{lon}\t{kn}\t{course}\t{round(course) % 360}\t{status}\t"
            f"{draught}\t{no}\n"
            for n, (at, lat, lon, kn, course, status, draught, no) in enumerate(
                zip(texts, lats, lons, speeds, courses, nav, draughts, numbers, strict=True)
            )
        )
    ground = np.array([name != "airborne" for name in stretches.names])[state]
    feet, rates = _heights(stretches, time_s, ground)
    return "".join(
        f"{stream_id}\t{at}\tdevice\t{n}\tt\t{at}\t{lat}\t{lon}\t{'t' if on_ground else 'f'}\t{kn}\t{course}\t{alt}\t"
        f"{rate}\t{no}\n"
        for n, (at, lat, lon, on_ground, kn, course, alt, rate, no) in enumerate(
            zip(texts, lats, lons, ground.tolist(), speeds, courses, feet.tolist(), rates.tolist(), numbers, strict=True)
        )
    )


def _draughts(journeys: Journeys, by_hop: Seconds, time_s: Seconds) -> Seconds:
    last = np.clip(np.searchsorted(journeys.leaves_s, time_s, side="right") - 1, 0, max(len(journeys.hop) - 1, 0))
    return by_hop[journeys.hop[last]] if len(journeys.hop) else np.full(len(time_s), by_hop[0])


def _heights(stretches: Stretches, time_s: Seconds, ground: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.int64], ...]:
    """Pressure altitude (ft, steps of 25) and vertical rate (ft/min): up at 1,800, along at 36,000, down at 1,500."""
    held = np.clip(np.searchsorted(stretches.begin_s, time_s, side="right") - 1, 0, None)
    up_ft, down_ft = (time_s - stretches.begin_s[held]) * 30.0, (stretches.end_s[held] - time_s) * 25.0
    feet = np.where(ground, 0.0, np.minimum(36_000.0, np.minimum(up_ft, down_ft)))
    rate = np.where(ground | (feet >= 36_000.0), 0, np.where(up_ft < down_ft, 1800, -1500))
    return (np.round(feet / 25.0) * 25.0).astype(np.int64), rate.astype(np.int64)


def journeys(held: Held, clock: Clock) -> str:
    """Every flight, or voyage and port call, as lines."""
    life, found = held.life, held.life.journeys()
    ship = life.asset.asset_class == "vessel"
    named, shard = f"{life.asset.scheme}:{life.asset.value}", shard_of(held.asset_id)
    leaves, arrives = clock.texts(found.leaves_s), clock.texts(found.arrives_s)
    outs, ins = clock.texts(found.out_s), clock.texts(found.in_s)
    numbers = clock.commit_nos(found.arrives_s, shard)
    hops = life.round.hops
    lines = []
    prefix, left_s = _prefix(held.plan, "hop"), found.leaves_s.tolist()
    lasted_s = (found.arrives_s - found.leaves_s).round(3).tolist()
    block_s = (found.in_s - found.out_s).round(3).tolist()
    for n, hop_no in enumerate(found.hop.tolist()):
        hop = hops[hop_no]
        figures = {"draught_m": hop.draught_m} if ship else {"block_s": block_s[n], "out_at": outs[n], "in_at": ins[n]}
        source = '{"ais_terrestrial": %s}' if ship else '{"adsb": %s}'
        lines.append(
            f"{_id(prefix, left_s[n])}\t1\t{TENANT}\t{held.asset_id}\t{named}\t"
            f"{'voyage' if ship else 'flight'}\t{leaves[n]}\t{arrives[n]}\t{hop.origin}\t{hop.destination}\tmidpoint\t\\N\t"
            f"0.98\t{METHOD}\t{hop.length_m:.1f}\t{lasted_s[n] * 0.98:.3f}\t{0 if ship else 1}\t"
            f"{source % round(lasted_s[n] * 0.98, 3)}\t{json.dumps(figures)}\t{numbers[n]}\n"
        )
    if ship:
        lines += _calls(held, found, clock, named)
    return "".join(lines)


def _id(prefix: str, since_s: float) -> str:
    """32 hex digits, ascending with time within an asset and kind: an index takes ascending keys several times as fast."""
    return f"{prefix}{round(since_s * 1e3) + (1 << 60):020x}"


def _prefix(plan: str, kind: str) -> str:
    return blake2b(f"{plan}/{kind}".encode(), digest_size=6).hexdigest()


def _calls(held: Held, found: Journeys, clock: Clock, named: str) -> Iterator[str]:
    """The stays in port between voyages, each a port call."""
    begins, ends = clock.texts(found.arrives_s[:-1]), clock.texts(found.leaves_s[1:])
    numbers = clock.commit_nos(found.leaves_s[1:], shard_of(held.asset_id))
    prefix, began_s = _prefix(held.plan, "call"), found.arrives_s.tolist()
    lasted_s = (found.leaves_s[1:] - found.arrives_s[:-1]).round(3).tolist()
    for n, hop_no in enumerate(found.hop[:-1].tolist()):
        port = held.life.round.hops[hop_no].destination
        yield (
            f"{_id(prefix, began_s[n])}\t1\t{TENANT}\t{held.asset_id}\t{named}\tport_call\t"
            f"{begins[n]}\t{ends[n]}\t{port}\t{port}\tobserved\t4\t0.98\t{METHOD}\t0\t{lasted_s[n] * 0.98:.3f}\t0\t"
            f'{{"ais_terrestrial": {lasted_s[n] * 0.98:.3f}}}\t{{}}\t{numbers[n]}\n'
        )


def laden_of(held: Held) -> npt.NDArray[np.bool_]:
    """Which hops are laden: those sailed deeper than the middle of the round's draughts, or all when they hardly differ."""
    draughts = np.array([hop.draught_m or 0.0 for hop in held.life.round.hops])
    if float(np.ptp(draughts)) < 2.0:
        return np.full(len(draughts), bool(draughts.max() > 0))
    return np.asarray(draughts > draughts.mean())


def midnights(held: Held, start: datetime) -> Seconds:
    """Midnights from the first whole day after the delivery to the last before the live fleet takes over."""
    zero_s = (start.replace(hour=0, minute=0, second=0, microsecond=0) - start).total_seconds()
    first = int(np.ceil((held.life.delivered_s - zero_s) / DAY_S))
    last = int(np.floor((held.life.until_s - zero_s) / DAY_S))
    return np.asarray(zero_s + np.arange(first, last + 1) * DAY_S, dtype=np.float64)


def days(held: Held, clock: Clock, found: Sums, midnights_s: Seconds) -> str:
    """The sums of every whole day, as lines."""
    ship = held.life.asset.asset_class == "vessel"
    names = held.life.stretches().names
    seen_s = coverage_of(held, midnights_s, clock.start) * DAY_S
    numbers = clock.commit_nos(midnights_s[1:], shard_of(held.asset_id))
    moving = "at_sea" if ship else "airborne"
    source = "ais_terrestrial" if ship else "adsb"
    columns = (
        [text[:10] for text in clock.texts(midnights_s[:-1] + 3600.0)], found.distance_m.round(1).tolist(),
        found.laden_m.round(1).tolist(), found.ballast_m.round(1).tolist(), found.flight_s.round(3).tolist(),
        found.cycles.tolist(), seen_s.round(3).tolist(), numbers, found.state_s.round(6).T.tolist(),
    )  # fmt: skip
    lines = []
    for day, metres, laden, ballast, flight_s, cycles, seen, no, states in zip(*columns, strict=True):
        state_s = ", ".join(f'"{name}": {length}' for name, length in zip(names, states, strict=True) if length > 0)
        figures = f'"laden_m": {laden}, "ballast_m": {ballast}' if ship else f'"cycles": {cycles}, "flight_s": {flight_s}'
        lines.append(
            f'{TENANT}\t{held.asset_id}\t{day}\t{METHOD}\t{{{state_s}}}\t{{"{moving}": {metres}}}\t{metres}\t{laden}\t{ballast}\t'
            f'{flight_s}\t{cycles}\t{seen}\t{{"{source}": {seen}}}\t{{{figures}}}\t{no}\n'
        )
    return "".join(lines)


def activities(held: Held, clock: Clock, midnights_s: Seconds, cuts_s: tuple[float, ...]) -> str:
    """What the asset did in the last `ACTIVITY_D` days and on the days that a lease cuts, as lines; none crosses a midnight."""
    life, stretches = held.life, held.life.stretches()
    ship = life.asset.asset_class == "vessel"
    from_s = max(-ACTIVITY_D * DAY_S, life.delivered_s)
    inner = midnights_s[(midnights_s > from_s) & (midnights_s < life.until_s)]
    edges_s = _edges(np.concatenate([[from_s], stretches.begin_s[stretches.begin_s > from_s], inner, [life.until_s]]))
    begin_s, end_s = edges_s[:-1], edges_s[1:]
    cut_days = sorted({int(np.searchsorted(midnights_s, cut_s, side="right")) for cut_s in cuts_s})
    old_s = [one for n in cut_days for one in _cut_day(stretches, midnights_s, n) if one[1] <= from_s]
    if old_s:
        begin_s, end_s = (np.concatenate([[one[n] for one in old_s], edge]) for n, edge in ((0, begin_s), (1, end_s)))
    middle_s = (begin_s + end_s) / 2  # A rounded beginning may lie before the stretch's own.
    state = stretches.name[np.clip(np.searchsorted(stretches.begin_s, middle_s, side="right") - 1, 0, None)].tolist()
    journeys_of, lengths_m = life.journeys(), np.array([hop.length_m for hop in life.round.hops])
    lengths_m = lengths_m[journeys_of.hop]
    metres = np.round(accrued(journeys_of, lengths_m, end_s) - accrued(journeys_of, lengths_m, begin_s), 1).tolist()
    begins, ends, numbers = clock.texts(begin_s), clock.texts(end_s), clock.commit_nos(end_s, shard_of(held.asset_id))
    lasted = (end_s - begin_s).round(3).tolist()
    source = "ais_terrestrial" if ship else "adsb"
    return "".join(
        f"{TENANT}\t{held.asset_id}\t{stretches.names[which]}\t{begin}\t{end}\t"
        f"{metre}\t"
        f'{length * 0.98:.3f}\t\\N\t\\N\t{METHOD}\t{{}}\t{{"{source}": {length * 0.98:.3f}}}\t{no}\n'
        for which, begin, end, metre, length, no in zip(state, begins, ends, metres, lasted, numbers, strict=True)
    )


def _edges(at_s: Seconds) -> Seconds:
    """Instants in order, each whole millisecond once: a stretch may begin within the rounding error of a midnight."""
    return np.asarray(np.unique(np.round(at_s * 1e3)) / 1e3)


def _cut_day(stretches: Stretches, midnights_s: Seconds, n: int) -> list[tuple[float, float]]:
    """The stretches of the day that ends at midnight `n`; none outside the known days."""
    if not 0 < n < len(midnights_s):
        return []
    first, last = float(midnights_s[n - 1]), float(midnights_s[n])
    inner = stretches.begin_s[(stretches.begin_s > first) & (stretches.begin_s < last)]
    return list(pairwise(_edges(np.concatenate([[first], inner, [last]])).tolist()))


def day_sums(held: Held, midnights_s: Seconds) -> Sums:
    """The sums of every whole day of a life."""
    return sums(held.life, midnights_s, laden_of(held))
