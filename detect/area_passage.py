"""Rules `area_entered` and `area_exited`: an asset came into an area that rules watch, and left it.

One watch tells both: the first opens with the entry and closes with the exit, the second is the exit as an event of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import msgspec

from detect.episodes import Episode
from detect.model import Finding, Severity
from detect.rule import ALL_CLASSES, NOTHING, Moment, Rule, minute_after
from detect.state import Memory, Seen, WakingMemory
from fleet.aircraft import AircraftReading
from fleet.area import AreaWatch, Hysteresis, Passage, Placement, pass_area
from fleet.area_index import MARGIN_NM, WATCHED_KINDS, AreaIndex, Beside, WatchedArea
from fleet.clause import overflight_ban
from fleet.geodesy import NM_M
from fleet.instants import HOUR_US, MINUTE_US, to_rfc3339

ENTERED, EXITED = "area_entered", "area_exited"
VERSION = 1
ENTER_FIXES, ENTER_AFTER_MIN = 2.0, 10.0  # domain.md 3.4: 2 fixes, or 1 fix and 10 min inside
EXIT_FIXES, EXIT_BUFFER_NM = 2.0, 1.0  # domain.md 3.4: 2 fixes outside and a buffer of 1 nm
NIC_MIN = 6  # domain.md 3.3: geofences ask for NIC 6 or a position by multilateration
AREAS_MAX = 8  # watched at once, the prohibited ones first; chosen: what a checkpoint can carry, and more than overlap anywhere
KIND_RANK = {"prohibited": 0, "notify": 1, "watch": 2}


class WatchedPassage(AreaWatch, kw_only=True):
    """One area and this asset: the hysteresis, and of the way in the first fix inside and how it came to be there."""

    lat_deg: float = 0.0
    lon_deg: float = 0.0
    how: str = ""
    unheard_min: float | None = None


class AreaMemory(WakingMemory, kw_only=True):
    """The areas that the asset is in or about to enter or leave, by area id, and the episodes of those entered."""

    watches: dict[str, WatchedPassage] = msgspec.field(default_factory=dict)
    episodes: dict[str, Episode] = msgspec.field(default_factory=dict)


def at_reading(memory: AreaMemory, moment: Moment) -> Sequence[Finding]:
    """Take a position in; nearly every one is far from any area and costs a look into a table."""
    areas = moment.context.areas
    if areas is None:
        return _all_over(memory, moment) if memory.watches else NOTHING
    now = moment.now
    if now.fix_time_us != moment.time_us or now.lat_deg is None or now.lon_deg is None:
        return NOTHING
    beside = areas.beside(now.lat_deg, now.lon_deg)
    if not beside and not memory.watches:
        return NOTHING
    return NOTHING if _is_vague(moment) else _look(memory, moment, areas, beside, now)


def at_tick(memory: AreaMemory, moment: Moment) -> Sequence[Finding]:
    """Ten minutes after a single fix inside that nothing contradicted: it has entered."""
    hysteresis = _hysteresis(moment)
    found: list[Finding] = []
    for area_id, watch in list(memory.watches.items()):
        if watch.inside or watch.since_us is None:
            continue
        area = None if moment.context.areas is None else moment.context.areas.named(area_id, moment.time_us)
        if area is None:
            del memory.watches[area_id]
        else:
            found += _pass(memory, moment, area, watch, hysteresis, None)
    _ask(memory, hysteresis)
    return found


def _look(
    memory: AreaMemory, moment: Moment, areas: AreaIndex, beside: tuple[Beside, ...], now: Seen
) -> Sequence[Finding]:  # fmt: skip
    found: list[Finding] = []
    met: set[str] = set()
    hysteresis = _hysteresis(moment)
    for one in beside if len(beside) < 2 else sorted(beside, key=_gravest_first):
        area = one.area
        if area.kind not in WATCHED_KINDS or not area.in_force(moment.time_us) or not area.concerns(moment.state.asset_class):
            continue
        met.add(area.id)
        watch = memory.watches.get(area.id)
        if watch is None:
            watch = _begin(memory, moment, one, now)
            if watch is None:
                continue
        elif watch.since_us == moment.time_us or (watch.inside and watch.since_us is None and one.shape is None):
            continue  # the same instant said twice is one fix; and where all around is inside there is nothing to ask
        found += _pass(memory, moment, area, watch, hysteresis, _placement(one, hysteresis, now))
    for area_id in [name for name in memory.watches if name not in met]:
        found += _elsewhere(memory, moment, areas, area_id, hysteresis)
    found += _landed(memory, moment, areas) if moment.state.asset_class == "aircraft" and memory.episodes else NOTHING
    _ask(memory, hysteresis)
    return found


def _begin(memory: AreaMemory, moment: Moment, one: Beside, now: Seen) -> WatchedPassage | None:
    """The watch of an area that this fix is the first inside of; None outside."""
    lat_deg, lon_deg = now.lat_deg, now.lon_deg
    if lat_deg is None or lon_deg is None or len(memory.watches) >= AREAS_MAX or not one.contains(lat_deg, lon_deg):
        return None
    how, unheard_min = _how(moment, one.area)
    watch = WatchedPassage(lat_deg=lat_deg, lon_deg=lon_deg, how=how, unheard_min=unheard_min)
    memory.watches[one.area.id] = watch
    return watch


def _how(moment: Moment, area: WatchedArea) -> tuple[str, float | None]:
    """How it came to be inside (`crossed`, `area_began` around it, `first_heard` there), and how long it had not been heard."""
    before = moment.before
    if before is None or before.fix_time_us is None or before.lat_deg is None or before.lon_deg is None:
        return "first_heard", None
    unheard_min = round((moment.time_us - before.fix_time_us) / MINUTE_US, 2)
    began_us = area.valid_from_us
    if began_us is not None and before.fix_time_us < began_us and area.shape.contains(before.lat_deg, before.lon_deg):
        return "area_began", unheard_min
    return "crossed", unheard_min


def _placement(one: Beside, hysteresis: Hysteresis, now: Seen) -> Placement:
    if now.lat_deg is None or now.lon_deg is None or one.shape is None or one.shape.contains(now.lat_deg, now.lon_deg):
        return "inside"
    return "buffer" if one.shape.distance_m(now.lat_deg, now.lon_deg) <= hysteresis.exit_buffer_m else "outside"


def _elsewhere(
    memory: AreaMemory, moment: Moment, areas: AreaIndex, area_id: str, hysteresis: Hysteresis
) -> Sequence[Finding]:  # fmt: skip
    """An area that this fix is not beside: left far behind, or not in force any more."""
    watch = memory.watches[area_id]
    area = areas.named(area_id, moment.time_us)
    if area is not None:
        return NOTHING if watch.since_us == moment.time_us else _pass(memory, moment, area, watch, hysteresis, "outside")
    del memory.watches[area_id]
    episode = memory.episodes.pop(area_id, None)
    if episode is None:
        return NOTHING
    ended_us = areas.ended_us(area_id, moment.time_us)
    return (_close(episode, moment, ended_us if ended_us is not None else moment.time_us, "area_over"),)


def _pass(
    memory: AreaMemory, moment: Moment, area: WatchedArea, watch: WatchedPassage, hysteresis: Hysteresis, at: Placement | None
) -> Sequence[Finding]:  # fmt: skip
    passage = pass_area(watch, hysteresis, moment.time_us, at)
    if not watch.inside and watch.since_us is None:
        del memory.watches[area.id]
    if passage is None:
        return NOTHING
    if passage.kind == "entered":
        episode = memory.episodes[area.id] = _entered(moment, area, watch, hysteresis, passage)
        return (episode.finding(moment.state, ENTERED, VERSION),)
    opened = memory.episodes.pop(area.id, None)
    return NOTHING if opened is None else _exited(moment, opened, hysteresis, passage)


def _entered(
    moment: Moment, area: WatchedArea, watch: WatchedPassage, hysteresis: Hysteresis, passage: Passage
) -> Episode:  # fmt: skip
    now = moment.now
    evidence: dict[str, Any] = {
        "area_name": area.name, "area_kind": area.kind, "area_set": area.area_set, "issuer": area.issuer,
        "area_version": area.version, "entered_lat_deg": watch.lat_deg, "entered_lon_deg": watch.lon_deg, "how": watch.how,
        "unheard_before_min": watch.unheard_min, "speed_kn": now.speed_kn, "enter_fixes": hysteresis.enter_fixes,
        "enter_after_min": hysteresis.enter_after_us / MINUTE_US,
    }  # fmt: skip
    if area.valid_from_us is not None and watch.how == "area_began":
        evidence["area_valid_from"] = to_rfc3339(area.valid_from_us)
    severity = cast("Severity", area.severity)
    if moment.state.asset_class == "aircraft":
        evidence |= {"overflight": now.airborne is True, "alt_baro_ft": now.alt_ft}
        if now.airborne is True:
            severity = _overflight_severity(moment, area, evidence)
    return Episode(
        subject=area.id, asset=now.name, opened_at_us=passage.at_us, detected_at_us=passage.decided_us, severity=severity,
        evidence=evidence,
    )  # fmt: skip


def _overflight_severity(moment: Moment, area: WatchedArea, evidence: dict[str, Any]) -> Severity:
    """An overflight of a prohibited area is info unless a lease bans it (domain.md 1.6) or the area itself is critical."""
    ban = overflight_ban(moment.docket.covenants, area, moment.time_us)
    if ban is not None:
        evidence["banned_by"] = ban.subject
        return ban.severity
    severity = cast("Severity", area.severity)
    return "info" if area.kind == "prohibited" and severity == "warning" else severity


def _landed(memory: AreaMemory, moment: Moment, areas: AreaIndex) -> Sequence[Finding]:
    """Overflights that the use machine has seen come down: no overflights, and as grave as their areas say."""
    if getattr(moment.state.use, "phase", None) != "ground":
        return NOTHING
    found: list[Finding] = []
    for area_id, episode in memory.episodes.items():
        area = areas.named(area_id, moment.time_us)
        if area is not None and episode.evidence.get("overflight"):
            episode.evidence["overflight"] = False
            episode.severity = cast("Severity", area.severity) if episode.severity == "info" else episode.severity
            found.append(episode.finding(moment.state, ENTERED, VERSION))
    return found


def _exited(moment: Moment, episode: Episode, hysteresis: Hysteresis, passage: Passage) -> Sequence[Finding]:
    now = moment.now
    closed = _close(episode, moment, passage.at_us, "exited")
    named = ("area_name", "area_kind", "area_set", "issuer", "area_version", "overflight")
    left = Episode(
        subject=episode.subject, asset=now.name, opened_at_us=passage.at_us, detected_at_us=passage.decided_us,
        severity=episode.severity,
        evidence={
            **{name: episode.evidence[name] for name in named if name in episode.evidence},
            "entered_at": to_rfc3339(episode.opened_at_us), "inside_h": closed.evidence["inside_h"], "lat_deg": now.lat_deg,
            "lon_deg": now.lon_deg, "speed_kn": now.speed_kn, "exit_fixes": hysteresis.exit_fixes,
            "exit_buffer_nm": hysteresis.exit_buffer_m / NM_M,
        },
    )  # fmt: skip
    return closed, left.finding(moment.state, EXITED, VERSION, closed_at_us=passage.at_us)


def _close(episode: Episode, moment: Moment, at_us: int, ended: str) -> Finding:
    closed_at_us = max(at_us, episode.opened_at_us)
    episode.evidence |= {"inside_h": round((closed_at_us - episode.opened_at_us) / HOUR_US, 4), "ended": ended}
    return episode.finding(moment.state, ENTERED, VERSION, closed_at_us=closed_at_us)


def _all_over(memory: AreaMemory, moment: Moment) -> Sequence[Finding]:
    """No area is known any more."""
    found = [_close(episode, moment, moment.time_us, "area_over") for episode in memory.episodes.values()]
    memory.watches, memory.episodes, memory.wake_at_us = {}, {}, None
    return found


def _ask(memory: AreaMemory, hysteresis: Hysteresis) -> None:
    """Ask for a tick where a single fix inside will have lasted."""
    wakes = [wake_us for watch in memory.watches.values() if (wake_us := watch.wake_at_us(hysteresis)) is not None]
    memory.wake_at_us = minute_after(min(wakes) - 1) if wakes else None


def _is_vague(moment: Moment) -> bool:
    """Whether an aircraft's position is too vague for a line on the map."""
    reading = moment.reading
    return isinstance(reading, AircraftReading) and reading.nic is not None and reading.nic < NIC_MIN and reading.source != "mlat"


def _gravest_first(one: Beside) -> tuple[int, str]:
    return KIND_RANK.get(one.area.kind, len(KIND_RANK)), one.area.id


def _hysteresis(moment: Moment) -> Hysteresis:
    if ENTERED not in moment.context.settings and ENTERED not in moment.docket.adjustments:
        return PLAIN
    return Hysteresis(
        enter_fixes=int(moment.setting(ENTERED, "enter_fixes", ENTER_FIXES)),
        enter_after_us=int(moment.setting(ENTERED, "enter_after_min", ENTER_AFTER_MIN) * MINUTE_US),
        exit_fixes=int(moment.setting(ENTERED, "exit_fixes", EXIT_FIXES)),
        exit_buffer_m=min(moment.setting(ENTERED, "exit_buffer_nm", EXIT_BUFFER_NM), MARGIN_NM) * NM_M,
    )


PLAIN = Hysteresis(int(ENTER_FIXES), int(ENTER_AFTER_MIN * MINUTE_US), int(EXIT_FIXES), EXIT_BUFFER_NM * NM_M)
"""The hysteresis of domain.md 3.4."""

RULE_ENTERED = Rule(ENTERED, VERSION, ALL_CLASSES, AreaMemory, at_reading, at_tick)
RULE_EXITED = Rule(EXITED, VERSION, ALL_CLASSES, Memory)  # said by the watch of `area_entered`, which knows when that is
