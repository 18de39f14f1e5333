"""An aircraft that stands: since when that is known, whether it still is, and after how many days of flights it is in service.

Not seen is not parked. An aircraft stands from its last ON, or from its first fix on the ground where no landing was heard, for
as long as fixes on the ground go on: one is asked for lately, and a long time without any begins the count anew. The machine of
flights (`fleet.flight_machine`) says what is on the ground and what flew; the words for days are a preset's (design 4.6).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from detect.episodes import Episode
from detect.model import Finding, Severity
from detect.plane import near_distance_m
from detect.rule import NOTHING, Moment, Rule
from detect.state import WakingMemory
from fleet.aircraft import NAME as AIRCRAFT
from fleet.flight import FlightLimits
from fleet.flight_machine import AIRBORNE, GROUND, FlightState
from fleet.instants import DAY_US, HOUR_US, MINUTE_US, to_rfc3339

VERSION = 1
RECENT_US = 3 * DAY_US  # domain.md 1.6 wants a recent fix; chosen: who is worked on shows within days
SILENT_US = 8 * DAY_US  # chosen: care of a parked aircraft falls due every seven days (detection.md A10), and a day to do it
UNHEARD_US = DAY_US  # chosen: so long without our listening it can have flown a rotation and be back
SERVICE_DAYS, SERVICE_WITHIN_DAYS = 3, 7  # design 4.6's preset `cirium`: in service again after flights on 3 of 7 days


class ParkingMemory(WakingMemory, kw_only=True):
    """Since when an aircraft stands, and the open episode.

    `since_us` is the ON (`on_us`, None where no landing was heard) or the first fix on the ground, `ground_us` the last one,
    `unseen_us` the longest time between two; (`lat_deg`, `lon_deg`) is where. `told_us` is the standing that was told and ended
    by another word, `off_us` the last flight counted, `flown` the UTC days with flights since the episode opened.
    """

    episode: Episode | None = None
    since_us: int | None = None
    on_us: int | None = None
    ground_us: int = 0
    unseen_us: int = 0
    lat_deg: float | None = None
    lon_deg: float | None = None
    told_us: int | None = None
    off_us: int | None = None
    flown: list[int] = msgspec.field(default_factory=list)


class Parking:
    """One rule about aircraft that stand: its name, the preset's word for it, its severity, and the rule that takes over.

    Args:
        name: of the rule.
        word: in a preset of `flight.parked_presets`.
        severity: of its findings.
        next_name: the rule whose finding ends this one's, None for the last.
        next_word: its word.
    """

    def __init__(
        self, name: str, word: str, severity: Severity, next_name: str | None = None, next_word: str | None = None
    ) -> None:
        self.name, self.word, self.severity = name, word, severity
        self.next_name, self.next_word = next_name, next_word
        self.rule = Rule(
            name, VERSION, frozenset({AIRCRAFT}), ParkingMemory, at_tick=self._at_event, at_row=self._at_event
        )  # fmt: skip

    def _at_event(self, memory: ParkingMemory, moment: Moment) -> Sequence[Finding]:
        """Follow what the machine of flights knows, once a minute and at the ticks asked for; open, close, ask again."""
        use, told = moment.state.use, moment.context.use
        if told is None or not isinstance(use, FlightState):
            return NOTHING
        findings: list[Finding] = []
        if use.phase == AIRBORNE:
            memory.since_us = memory.wake_at_us = None
            if use.flight is not None and use.flight.off_us != memory.off_us:
                memory.off_us = use.flight.off_us
                findings += self._fly(memory, moment, memory.off_us)
        elif use.phase == GROUND and use.ground is not None:
            findings += self._stand(memory, moment, use, told.limits)
        return findings

    def _stand(self, memory: ParkingMemory, moment: Moment, use: FlightState, given: FlightLimits) -> list[Finding]:
        """On the ground: since when, and whether that is long enough by now."""
        findings: list[Finding] = []
        if use.last_on_us is not None and use.last_on_us != memory.on_us:
            if memory.off_us is None or memory.off_us <= (memory.on_us or 0):
                findings += self._fly(memory, moment, use.last_on_us)  # nobody saw it lift off
            memory.since_us = memory.on_us = use.last_on_us
            memory.unseen_us, memory.ground_us = 0, 0
            memory.lat_deg = memory.lon_deg = None
        _see(memory, moment, use, given)
        preset, words = _words(moment, given)
        since_us, limit_d = memory.since_us, moment.setting(self.name, "limit_d", words[self.word])
        if since_us is None:
            return findings
        due_us = since_us + round(limit_d * DAY_US)
        next_us = None if self.next_word is None else since_us + round(words[self.next_word] * DAY_US)
        is_recent = moment.time_us - memory.ground_us <= RECENT_US
        if memory.episode is not None and next_us is not None and moment.time_us >= next_us and is_recent:
            memory.told_us = since_us
            findings.append(self._close(memory, moment, memory.episode, next_us, self.next_name or ""))
        elif memory.episode is None and moment.time_us >= due_us and is_recent and not self._is_told(memory, moment):
            memory.episode = self._open(memory, moment, use, due_us, {"preset": preset, "limit_d": limit_d})
            findings.append(memory.episode.finding(moment.state, self.name, VERSION))
        wanted = [at_us for at_us in (due_us, next_us) if at_us is not None and at_us > moment.time_us]
        memory.wake_at_us = -(-min(wanted) // MINUTE_US) * MINUTE_US if wanted else None
        return findings

    def _is_told(self, memory: ParkingMemory, moment: Moment) -> bool:
        """Whether this standing was told, or another word for it stands."""
        after: Any = None if self.next_name is None else moment.state.memories.get(self.next_name)
        return memory.told_us == memory.since_us or (after is not None and after.episode is not None)

    def _fly(self, memory: ParkingMemory, moment: Moment, at_us: int) -> list[Finding]:
        """A flight: with two more days of flights within a week it is in service again."""
        if memory.episode is None:
            return []
        day = at_us // DAY_US
        if day not in memory.flown:
            memory.flown = sorted([*memory.flown, day])[-SERVICE_DAYS:]
        if len(memory.flown) < SERVICE_DAYS or memory.flown[-1] - memory.flown[0] >= SERVICE_WITHIN_DAYS:
            return []
        return [self._close(memory, moment, memory.episode, at_us, "in_service")]

    def _open(
        self, memory: ParkingMemory, moment: Moment, use: FlightState, opened_us: int, by: dict[str, Any]
    ) -> Episode:  # fmt: skip
        memory.flown = []
        return Episode(
            asset=moment.now.name,
            opened_at_us=opened_us,
            detected_at_us=moment.time_us,
            severity=self.severity,
            evidence={
                "last_on": None if memory.on_us is None else to_rfc3339(memory.on_us),
                "standing_since": to_rfc3339(memory.since_us or opened_us),
                "last_ground_at": to_rfc3339(memory.ground_us),
                "longest_unseen_h": round(max(memory.unseen_us, moment.time_us - memory.ground_us) / HOUR_US, 1),
                "airport": use.place,
                "lat_deg": memory.lat_deg,
                "lon_deg": memory.lon_deg,
                **by,
            },
        )

    def _close(self, memory: ParkingMemory, moment: Moment, episode: Episode, at_us: int, ended: str) -> Finding:
        memory.episode = None
        episode.evidence["ended"] = ended
        if ended == "in_service":
            episode.evidence["flown_days"] = len(memory.flown)
        at_us = max(at_us, episode.opened_at_us + 1)
        return episode.finding(moment.state, self.name, VERSION, closed_at_us=at_us)


def _see(memory: ParkingMemory, moment: Moment, use: FlightState, given: FlightLimits) -> None:
    """Take the last fix on the ground in: it goes on standing, or nobody knows and the count begins anew."""
    ground = use.ground
    if ground is None or ground.time_us <= memory.ground_us:
        return
    if memory.since_us is None:
        memory.since_us = ground.time_us
        memory.unseen_us, memory.ground_us = 0, ground.time_us
    silent_us = 0 if not memory.ground_us else ground.time_us - memory.ground_us
    unheard_us = 0
    if silent_us > UNHEARD_US:
        unheard_us = silent_us - moment.context.listening.listened_us(memory.ground_us, ground.time_us)
    if silent_us > SILENT_US or unheard_us > UNHEARD_US or _is_elsewhere(memory, ground.lat_deg, ground.lon_deg, given):
        memory.since_us, memory.unseen_us = ground.time_us, 0
        memory.lat_deg = memory.lon_deg = None
    else:
        memory.unseen_us = max(memory.unseen_us, silent_us)
    memory.ground_us = ground.time_us
    if memory.lat_deg is None:
        memory.lat_deg, memory.lon_deg = ground.lat_deg, ground.lon_deg


def _is_elsewhere(memory: ParkingMemory, lat_deg: float | None, lon_deg: float | None, given: FlightLimits) -> bool:
    """Whether it is found on another field than where it stood."""
    if memory.lat_deg is None or memory.lon_deg is None or lat_deg is None or lon_deg is None:
        return False
    return near_distance_m(memory.lat_deg, memory.lon_deg, lat_deg, lon_deg, given.same_field_m) > given.same_field_m


def _words(moment: Moment, given: FlightLimits) -> tuple[str, dict[str, float]]:
    """The preset in force, the lease's before the tenant's, and its words with their days."""
    preset = moment.docket.storage_preset
    if preset is None or preset not in given.parked_presets:
        preset = given.parked_preset
    return preset, given.parked_presets[preset]
