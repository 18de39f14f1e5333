"""Rule `gap`: an asset was silent longer than its circumstances allow, and what that silence most likely is.

What is judged, and at which minute, depends only on when we listened up to that minute: a tick asked for too early, because an
outage was not known yet, decides nothing and asks again. So a run that knew of the outage beforehand ends the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from detect.classes import TRAITS
from detect.episodes import Episode
from detect.model import Finding, SceneContext, Severity
from detect.plane import near_distance_m
from detect.rule import ALL_CLASSES, NOTHING, Moment, Rule, minute_after
from detect.state import Memory, Seen
from detect.traits import Silence
from fleet.geodesy import KN_MPS, NM_M
from fleet.instants import HOUR_US, MINUTE_US, SECOND_US

NAME = "gap"
VERSION = 1
NEIGHBOURS = 3  # design 4.6: others heard near by that make silence the asset's own
OWN_READINGS = 3  # chosen: an asset that is itself heard less often than this in six hours is not dark when others are heard
OWN_WITHIN_US = 6 * HOUR_US
SHORTEST_US = 10 * MINUTE_US  # no class is silent too long before this: spares the sum of listened time at each reading


class GapMemory(Memory, kw_only=True):
    """The open gap, if any; the last word of a scene during this silence: neighbours heard and known, feed down.

    `heard_us` are the last `OWN_READINGS` instants at which the asset itself was heard.
    """

    episode: Episode | None = None
    scene: tuple[int, int, bool] | None = None
    heard_us: list[int] = msgspec.field(default_factory=list)


def at_reading(memory: GapMemory, moment: Moment) -> Sequence[Finding]:
    """Close the open gap at this reading, or state one that began and ended between two ticks; then ask for the next tick."""
    findings: Sequence[Finding] = NOTHING
    before, now = moment.before, moment.now
    if before is not None and (memory.episode is not None or moment.time_us - before.time_us > SHORTEST_US):
        findings = _end(memory, moment, before, now)
    if before is None or now.time_us > before.time_us:
        memory.heard_us = [*memory.heard_us[1 - OWN_READINGS :], now.time_us]
    allowed = _allowed(moment, now)
    if allowed is None:
        memory.wake_at_us = None
    else:
        first_us = allowed.limit_us if allowed.heard_limit_us is None else allowed.heard_limit_us
        memory.wake_at_us = minute_after(moment.context.listening.reached_at_us(now.time_us, first_us + 1) - 1)
    return findings


def at_tick(memory: GapMemory, moment: Moment) -> Sequence[Finding]:
    """Open a gap when the listened silence is longer than allowed, or ask again; while it is open, follow its verdict."""
    seen = moment.before
    allowed = None if seen is None else _allowed(moment, seen)
    if seen is None or allowed is None:
        memory.wake_at_us = None
        return NOTHING
    due, missing_us = _due(memory, moment, seen, allowed)
    memory.wake_at_us = _wake_us(moment, seen, missing_us)
    return _judge(memory, moment, seen, allowed) if due else NOTHING


def _judge(memory: GapMemory, moment: Moment, seen: Seen, allowed: Silence) -> Sequence[Finding]:
    """Look around at a minute at which that is due: open, follow or stay quiet; no more wakes when nothing is left to decide."""
    scene = moment.context.scene
    if scene is not None:
        memory.scene = (scene.neighbours_heard, scene.neighbours_known, scene.feed_down)
    listened_us = moment.context.listening.listened_us(seen.time_us, moment.time_us)
    if memory.episode is None:
        limit_us = _limit_us(memory, allowed, scene)
        if listened_us <= limit_us:
            return NOTHING
        memory.episode = _open(memory, moment, seen, allowed, listened_us, limit_us)
        memory.wake_at_us = _wake_us(moment, seen, TRAITS[moment.state.asset_class].ask_every_us)
        changed = True
    else:
        changed = _follow(memory.episode, memory, moment, allowed, listened_us)
    if memory.episode.severity != "info" or moment.time_us - seen.time_us >= TRAITS[moment.state.asset_class].ask_until_us:
        memory.wake_at_us = None
    return (memory.episode.finding(moment.state, NAME, VERSION),) if changed else NOTHING


def _allowed(moment: Moment, seen: Seen) -> Silence | None:
    """The silence allowed, with the tenant's settings (`limit_min`, `heard_limit_min`, `parked_limit_min`) in place of ours."""
    allowed = TRAITS[moment.state.asset_class].silence(seen)
    named = moment.context.settings.get(NAME)
    if allowed is None or named is None:
        return allowed
    limit_us = int(named.get("parked_limit_min" if allowed.parked else "limit_min", allowed.limit_us / MINUTE_US) * MINUTE_US)
    heard_us = allowed.heard_limit_us
    if heard_us is not None:
        heard_us = int(named.get("heard_limit_min", heard_us / MINUTE_US) * MINUTE_US)
    return allowed._replace(limit_us=limit_us, heard_limit_us=heard_us)


def _regular(memory: GapMemory) -> bool:
    """Whether the asset itself was heard often enough for its silence to say something."""
    heard_us = memory.heard_us
    return len(heard_us) == OWN_READINGS and heard_us[-1] - heard_us[0] <= OWN_WITHIN_US


def _limit_us(memory: GapMemory, allowed: Silence, scene: SceneContext | None) -> int:
    heard = scene is not None and scene.neighbours_heard >= NEIGHBOURS and _regular(memory)
    return allowed.heard_limit_us if heard and allowed.heard_limit_us is not None else allowed.limit_us


def _due(memory: GapMemory, moment: Moment, seen: Seen, allowed: Silence) -> tuple[bool, int]:
    """Whether something is to be judged at this minute, and how much more must be listened until something is again.

    Judged is at the first whole minute at which the listened silence is longer than the limit where neighbours are heard, each
    `ask_every_us` of listening after that, and when it is longer than the limit; of an open gap each `ask_every_us` of listening
    after it was opened.
    """
    listening, every_us = moment.context.listening, TRAITS[moment.state.asset_class].ask_every_us
    from_us = seen.time_us if memory.episode is None else memory.episode.detected_at_us
    listened_us = listening.listened_us(from_us, moment.time_us)
    minute_ago_us = listening.listened_us(from_us, moment.time_us - MINUTE_US)
    if memory.episode is not None:
        return listened_us // every_us > minute_ago_us // every_us, every_us - listened_us % every_us
    heard_us = allowed.heard_limit_us
    if heard_us is None:
        return listened_us > allowed.limit_us, max(allowed.limit_us + 1 - listened_us, 1)
    last_us = max(allowed.limit_us, heard_us)
    asked = _asks(listened_us, heard_us, every_us)
    due = listened_us > last_us or asked > _asks(minute_ago_us, heard_us, every_us)
    needed_us = heard_us + 1 + asked * every_us
    return due, (needed_us if listened_us > last_us else min(needed_us, last_us + 1)) - listened_us


def _asks(listened_us: int, heard_us: int, every_us: int) -> int:
    """How many looks around fall into a silence: one as soon as it is longer than `heard_us`, then one every `every_us`."""
    return max(0, (listened_us - heard_us - 1) // every_us + 1)


def _wake_us(moment: Moment, seen: Seen, missing_us: int) -> int:
    """The first whole minute, after this one, at which `missing_us` more can have been listened.

    When this minute already lies past all the listening that is known, the time since that end is doubled instead: years of which
    nothing is known cost a few ticks. Where listening is on record up to the tick, as before each live one, this is idle.
    """
    listening = moment.context.listening
    wake_us = listening.reached_at_us(moment.time_us, missing_us)
    known_us = max(listening.intervals[-1][1], seen.time_us) if listening.intervals else seen.time_us
    if known_us < moment.time_us:
        wake_us = max(wake_us, 2 * moment.time_us - known_us)
    return minute_after(wake_us - 1)


def _verdict(memory: GapMemory, allowed: Silence) -> str:
    """`feed_down`, then `parked`, then by neighbours: 3 heard `dark`; none heard of 3 known `no_coverage`; else `unknown`.

    An asset that was itself heard only now and then is `unknown` where it would be dark.
    """
    heard, known, feed_down = memory.scene or (0, 0, False)
    if feed_down:
        return "feed_down"
    if allowed.parked:
        return "parked"
    if heard >= NEIGHBOURS and _regular(memory):
        return "dark"
    return "no_coverage" if heard == 0 and known >= NEIGHBOURS else "unknown"


def _severity(moment: Moment, verdict: str, listened_us: int) -> Severity:
    """Design 4.6: dark is a warning, for aircraft once it has lasted 60 min; every other verdict is worth recording only."""
    return "warning" if verdict == "dark" and listened_us >= TRAITS[moment.state.asset_class].dark_warning_us else "info"


def _open(memory: GapMemory, moment: Moment, seen: Seen, allowed: Silence, listened_us: int, limit_us: int) -> Episode:
    verdict = _verdict(memory, allowed)
    heard, known, feed_down = memory.scene or (None, None, None)
    return Episode(
        asset=seen.name,
        opened_at_us=seen.time_us,
        detected_at_us=moment.time_us,
        severity=_severity(moment, verdict, listened_us),
        evidence={
            "verdict": verdict,
            "circumstance": allowed.circumstance,
            "limit_min": limit_us / MINUTE_US,
            "listened_min": round(listened_us / MINUTE_US, 2),
            "neighbours_heard": heard,
            "neighbours_known": known,
            "feed_down": feed_down,
            "last_lat_deg": seen.lat_deg,
            "last_lon_deg": seen.lon_deg,
            "last_speed_kn": seen.speed_kn,
        },
    )


def _follow(episode: Episode, memory: GapMemory, moment: Moment, allowed: Silence, listened_us: int) -> bool:
    """Take in what the scene says now; True when verdict or severity changed. A warning is never taken back while silent."""
    verdict = _verdict(memory, allowed)
    severity = _severity(moment, verdict, listened_us)
    if verdict == episode.evidence["verdict"] and severity == episode.severity:
        return False
    heard, known, feed_down = memory.scene or (None, None, None)
    episode.severity = severity
    episode.evidence.update(
        verdict=verdict,
        listened_min=round(listened_us / MINUTE_US, 2),
        neighbours_heard=heard,
        neighbours_known=known,
        feed_down=feed_down,
    )
    return True


def _end(memory: GapMemory, moment: Moment, before: Seen, now: Seen) -> Sequence[Finding]:
    """The reading that ends a silence: closes the open gap, or states a whole one that no tick fell into."""
    episode = memory.episode
    if episode is None:
        allowed = _allowed(moment, before)
        listened_us = 0 if allowed is None else moment.context.listening.listened_us(before.time_us, moment.time_us)
        if allowed is not None and listened_us > allowed.limit_us:
            episode = _open(memory, moment, before, allowed, listened_us, allowed.limit_us)
    memory.episode = None
    memory.scene = None
    if episode is None:
        return NOTHING
    _travel(episode, before, now)
    return (episode.finding(moment.state, NAME, VERSION, closed_at_us=now.time_us),)


def _travel(episode: Episode, before: Seen, now: Seen) -> None:
    """How long it lasted and how far the asset came meanwhile, where both ends have a position."""
    episode.evidence["silent_h"] = round((now.time_us - before.time_us) / HOUR_US, 4)
    if before.lat_deg is None or before.lon_deg is None or now.lat_deg is None or now.lon_deg is None:
        return
    moved_m = near_distance_m(before.lat_deg, before.lon_deg, now.lat_deg, now.lon_deg, 0.0)
    episode.evidence["moved_nm"] = round(moved_m / NM_M, 2)
    episode.evidence["implied_speed_kn"] = round(moved_m / max((now.time_us - before.time_us) / SECOND_US, 1.0) / KN_MPS, 2)


RULE = Rule(NAME, VERSION, ALL_CLASSES, GapMemory, at_reading, at_tick)
