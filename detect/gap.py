"""Rule `gap`: an asset was silent longer than its circumstances allow, and what that silence most likely is.

What is judged, and at which minute, depends only on when we listened up to that minute: a tick asked for too early, because an
outage was not known yet, decides nothing and asks again. So a run that knew of the outage beforehand ends the same. Why a silence
is what it is stands in `gap_verdict`; where the asset can have been meanwhile in `gap_reach`.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from detect import gap_reach, gap_verdict
from detect.classes import TRAITS
from detect.episodes import Episode
from detect.gap_verdict import NEIGHBOURS, Word
from detect.hearing import Hearing
from detect.model import Finding, SceneContext, Severity
from detect.rule import ALL_CLASSES, NOTHING, Moment, Rule, minute_after
from detect.state import Seen, WakingMemory
from detect.traits import Silence
from fleet.instants import HOUR_US, MINUTE_US

NAME = "gap"
VERSION = 4
SHORTEST_US = 10 * MINUTE_US  # no class is silent too long before this: spares the sum of listened time at each reading
AFTER_US = HOUR_US  # chosen: how well an asset is heard again is told an hour after its return


class Returned(msgspec.Struct, kw_only=True, array_like=True):
    """A gap that is over, while it is watched how the asset is heard again: readings since, and the draught that they said."""

    episode: Episode
    closed_at_us: int
    last_us: int
    readings: int = 0
    draught_m: float | None = None


class GapMemory(WakingMemory, kw_only=True):
    """The open gap, if any, and what is known of this silence.

    `scene` is the last word of a scene in it, `quiet_us` the last tick in it at which others known there were not heard, or the
    feed was down. `hearing` is how the asset was heard before, `returned` the gap that ended last, while that is still watched.
    """

    episode: Episode | None = None
    scene: SceneContext | None = None
    quiet_us: int | None = None
    hearing: Hearing = msgspec.field(default_factory=Hearing)
    returned: Returned | None = None


def at_reading(memory: GapMemory, moment: Moment) -> Sequence[Finding]:
    """Close the open gap at this reading, or state one that began and ended between two ticks; then ask for the next tick."""
    findings: Sequence[Finding] = NOTHING
    before, now = moment.before, moment.now
    if before is not None and (memory.episode is not None or moment.time_us - before.time_us > SHORTEST_US):
        findings = _end(memory, moment, before, now)
    if memory.returned is not None:
        findings = [*findings, *_watch_return(memory, memory.returned, moment)]
    if moment.reading is not None:
        memory.hearing.hear(now, moment.reading.source)
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
    traits = TRAITS[moment.state.asset_class]
    scene = moment.context.scene
    if scene is not None:
        memory.scene = scene
    listened_us = moment.context.listening.listened_us(seen.time_us, moment.time_us)
    word = _word(memory, moment, allowed, listened_us)
    if scene is not None and (scene.feed_down or scene.neighbours_heard < NEIGHBOURS <= scene.neighbours_known):
        memory.quiet_us = moment.time_us
    said: list[Finding] = []
    if memory.episode is None:
        limit_us = _limit_us(memory, allowed, scene)
        if listened_us <= limit_us:
            return NOTHING
        said += _forget_return(memory, moment)
        memory.episode = _open(memory, moment, seen, allowed, listened_us, limit_us, word)
        memory.wake_at_us = _wake_us(moment, seen, traits.ask_every_us)
        changed = True
    else:
        changed = _follow(memory.episode, memory, moment, listened_us, word)
    is_told = memory.episode.severity == "critical" or (memory.episode.severity == "warning" and moment.context.areas is None)
    if is_told or moment.time_us - seen.time_us >= traits.ask_until_us:
        memory.wake_at_us = None
    return [*said, memory.episode.finding(moment.state, NAME, VERSION)] if changed else said


def _allowed(moment: Moment, seen: Seen) -> Silence | None:
    """The silence allowed, with settings (`limit_min`, `heard_limit_min`, `parked_limit_min`) in place of ours."""
    allowed = TRAITS[moment.state.asset_class].silence(seen, moment.state.use)
    context = moment.context
    if allowed is None or (NAME not in context.settings and NAME not in context.docket.adjustments):
        return allowed
    name = "parked_limit_min" if allowed.parked else "limit_min"
    limit_us = int(moment.setting(NAME, name, allowed.limit_us / MINUTE_US) * MINUTE_US)
    heard_us = allowed.heard_limit_us
    if heard_us is not None:
        heard_us = int(moment.setting(NAME, "heard_limit_min", heard_us / MINUTE_US) * MINUTE_US)
    return allowed._replace(limit_us=limit_us, heard_limit_us=heard_us)


def _limit_us(memory: GapMemory, allowed: Silence, scene: SceneContext | None) -> int:
    heard = scene is not None and scene.neighbours_heard >= NEIGHBOURS and gap_verdict.is_regular(memory.hearing)
    return allowed.heard_limit_us if heard and allowed.heard_limit_us is not None else allowed.limit_us


def _word(memory: GapMemory, moment: Moment, allowed: Silence, listened_us: int) -> Word:
    """What the silence is, as far as this minute can tell."""
    since_quiet_us = None
    if memory.quiet_us is not None:
        since_quiet_us = moment.context.listening.listened_us(memory.quiet_us, moment.time_us)
    every_us = TRAITS[moment.state.asset_class].ask_every_us
    is_back = since_quiet_us is not None and since_quiet_us <= every_us
    return gap_verdict.word_of(memory.hearing, memory.scene, allowed, listened_us, moment.before, is_back=is_back)


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


def _severity(moment: Moment, word: Word, listened_us: int, episode: Episode | None = None) -> Severity:
    """Design 4.6: dark is a warning, for aircraft once it has lasted 60 min; every other verdict is worth recording only.

    Critical where a prohibited area was within reach; not for aircraft, whose reach of an hour is a continent.
    """
    traits = TRAITS[moment.state.asset_class]
    if word.verdict != "dark" or listened_us < traits.dark_warning_us:
        return "info"
    if episode is not None and traits.reach_decides and episode.evidence.get("prohibited_areas"):
        return "critical"
    return "warning"


def _open(
    memory: GapMemory, moment: Moment, seen: Seen, allowed: Silence, listened_us: int, limit_us: int, word: Word
) -> Episode:
    hearing = memory.hearing
    episode = Episode(
        asset=seen.name,
        opened_at_us=seen.time_us,
        detected_at_us=moment.time_us,
        severity="info",
        evidence={
            "verdict": word.verdict,
            "because": word.because,
            "circumstance": allowed.circumstance,
            "limit_min": limit_us / MINUTE_US,
            "last_lat_deg": seen.lat_deg,
            "last_lon_deg": seen.lon_deg,
            "last_speed_kn": seen.speed_kn,
            "last_course_deg": seen.course_deg,
            "source": hearing.source,
            "before_per_h": hearing.per_h(seen.time_us),
            "longest_before_min": round(hearing.longest_us() / MINUTE_US, 1),
        },
    )
    said = moment.state.said
    draught_m = seen.draught_m if seen.draught_m is not None or said is None else said.draught_m
    if draught_m is not None:
        episode.evidence["draught_before_m"] = draught_m
    _say(episode, memory, moment, seen, listened_us, word)
    return episode


def _say(episode: Episode, memory: GapMemory, moment: Moment, seen: Seen, listened_us: int, word: Word) -> None:
    """Bring what the evidence says of this minute up to date, and the severity with it."""
    scene = memory.scene
    episode.evidence.update(
        verdict=word.verdict,
        because=word.because,
        listened_min=round(listened_us / MINUTE_US, 2),
        neighbours_heard=None if scene is None else scene.neighbours_heard,
        neighbours_known=None if scene is None else scene.neighbours_known,
        neighbours_still=None if scene is None else scene.neighbours_still,
        feed_down=None if scene is None else scene.feed_down,
    )
    gap_reach.widen(episode.evidence, moment, seen)
    episode.severity = _severity(moment, word, listened_us, episode)


def _follow(episode: Episode, memory: GapMemory, moment: Moment, listened_us: int, word: Word) -> bool:
    """Take in what the scene says now; True when verdict or severity changed. A warning is never taken back while silent."""
    if episode.severity != "info":
        word = Word(episode.evidence["verdict"], episode.evidence["because"])
    if word.because == gap_verdict.JUST_BACK:
        return False  # what was said stands until it has been listened for as long again
    verdict, severity, seen = episode.evidence["verdict"], episode.severity, moment.now
    if (
        word.verdict == verdict
        and _severity(moment, word, listened_us) == severity
        and not gap_reach.may_decide(moment, severity)
    ):
        return False
    _say(episode, memory, moment, seen, listened_us, word)
    return (episode.evidence["verdict"], episode.severity) != (verdict, severity)


def _end(memory: GapMemory, moment: Moment, before: Seen, now: Seen) -> Sequence[Finding]:
    """The reading that ends a silence: closes the open gap, or states a whole one that no tick fell into."""
    episode = memory.episode
    said: list[Finding] = []
    if episode is None:
        allowed = _allowed(moment, before)
        listened_us = 0 if allowed is None else moment.context.listening.listened_us(before.time_us, moment.time_us)
        if allowed is not None and listened_us > allowed.limit_us:
            word = gap_verdict.word_of(memory.hearing, memory.scene, allowed, listened_us, before, is_back=False)
            said += _forget_return(memory, moment)
            episode = _open(memory, moment, before, allowed, listened_us, allowed.limit_us, word)
    memory.episode, memory.scene, memory.quiet_us = None, None, None
    if episode is None:
        return said
    moved_m = gap_reach.close(episode.evidence, moment, before, now)
    word = gap_verdict.at_return(episode.evidence, moment.state.asset_class, before, now, moved_m)
    listened_us = int(episode.evidence["listened_min"] * MINUTE_US)
    episode.severity = _severity(moment, word, listened_us, episode) if episode.severity != "info" else "info"
    episode.evidence.update(verdict=word.verdict, because=word.because)
    memory.returned = Returned(episode=episode, closed_at_us=now.time_us, last_us=now.time_us)
    return [*said, episode.finding(moment.state, NAME, VERSION, closed_at_us=now.time_us)]


def _watch_return(memory: GapMemory, returned: Returned, moment: Moment) -> Sequence[Finding]:
    """Count readings after a return; after an hour the gap that is over is told again, with how well it is heard since."""
    returned.readings += 1
    returned.last_us = moment.time_us
    draught_m = getattr(moment.reading, "draught_m", None)
    if draught_m is not None:
        returned.draught_m = draught_m
    return _forget_return(memory, moment) if moment.time_us - returned.closed_at_us >= AFTER_US else NOTHING


def _forget_return(memory: GapMemory, moment: Moment) -> list[Finding]:
    """The last word on the gap that ended last; nothing where it was said."""
    returned, memory.returned = memory.returned, None
    if returned is None:
        return []
    span_us = returned.last_us - returned.closed_at_us
    evidence = returned.episode.evidence
    evidence["after_per_h"] = round((returned.readings - 1) * HOUR_US / span_us, 1) if span_us >= 10 * MINUTE_US else None
    said = moment.state.said
    draught_m = returned.draught_m
    if draught_m is None and said is not None and said.time_us >= returned.closed_at_us:
        draught_m = said.draught_m
    if draught_m is not None:
        evidence["draught_after_m"] = draught_m
    return [returned.episode.finding(moment.state, NAME, VERSION, closed_at_us=returned.closed_at_us)]


RULE = Rule(NAME, VERSION, ALL_CLASSES, GapMemory, at_reading, at_tick)
