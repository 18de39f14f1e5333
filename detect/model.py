"""What goes into `step` and `scene` and what comes out: ticks, contexts, findings, fixes.

Every value here is plain and frozen. Nothing in this room knows a clock, a table or a topic: whatever `step` needs besides
readings arrives as dated context, so that the same input gives the same findings tomorrow.
"""

from __future__ import annotations

from bisect import bisect_right
from hashlib import blake2b
from typing import Any, Literal, Protocol

import msgspec

from fleet.area_index import AreaIndex
from fleet.land import Land
from fleet.reading import Reading
from fleet.use import UseContext

Severity = Literal["info", "warning", "critical"]
SEVERITY_RANK: dict[str, int] = {"info": 0, "warning": 1, "critical": 2}


class Tick(msgspec.Struct, frozen=True):
    """An instant that the state asked for (`wake_at_us`), on a whole minute."""

    time_us: int


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One rule's statement about one asset: an episode, in the form it has after the event that emitted it.

    `asset_id` is ours, "" for a region of the air; `asset` is `scheme:value` as the reading named it, or `region:ID`; `subject`
    is a channel, area, other asset or clause; `closed_at_us` is None while open and equals `opened_at_us` for a point event;
    `detected_at_us` is the event time of the reading or tick that first decided; `score` is None for plain rules; `evidence` is a
    JSON object with the unit in each name.
    The same `id` is emitted again when the episode changes or closes; the last emission stands.
    """

    id: str
    rule: str
    rule_version: int
    severity: Severity
    asset_id: str
    asset: str
    subject: str | None
    opened_at_us: int
    closed_at_us: int | None
    detected_at_us: int
    score: float | None
    evidence: dict[str, Any]


def finding_id(asset_id: str, rule: str, subject: str | None, opened_at_us: int) -> str:
    """Deterministic id of an episode: 32 hex digits of BLAKE2b over what makes it this one; the same on every run."""
    text = f"{asset_id}\x1f{rule}\x1f{subject or ''}\x1f{opened_at_us}"
    return blake2b(text.encode(), digest_size=16).hexdigest()


class Listening(msgspec.Struct, frozen=True):
    """When we listened: disjoint ascending half-open intervals (from_us, to_us); time outside is unknown, not silence."""

    intervals: tuple[tuple[int, int], ...]

    def listened_us(self, from_us: int, to_us: int) -> int:
        """How much of [from_us, to_us) we listened, in microseconds. 0 when to_us <= from_us."""
        first = max(0, bisect_right(self.intervals, (from_us, 1 << 63)) - 1)
        total = 0
        for start_us, end_us in self.intervals[first:]:
            if start_us >= to_us:
                break
            total += max(0, min(end_us, to_us) - max(start_us, from_us))
        return total

    def reached_at_us(self, from_us: int, needed_us: int) -> int:
        """The earliest instant T with `listened_us(from_us, T) >= needed_us`; `from_us` itself when nothing is needed.

        Where the known intervals do not suffice, T is what it is at the earliest: the end of the last interval (`from_us` if
        none ends later) plus what is still missing, as though we listened from then on.
        """
        at_us, missing_us = from_us, needed_us
        if missing_us <= 0:
            return from_us
        if not self.intervals or self.intervals[-1][0] <= from_us:
            return from_us + needed_us  # within the last interval and, from its end, as though we listened on: nearly always
        first = max(0, bisect_right(self.intervals, (from_us, 1 << 63)) - 1)
        for place in range(first, len(self.intervals)):
            start_us, end_us = self.intervals[place]
            if end_us <= from_us:
                continue
            begin_us = max(start_us, from_us)
            if end_us - begin_us >= missing_us:
                return begin_us + missing_us
            missing_us -= end_us - begin_us
            at_us = end_us
        return at_us + missing_us


ALWAYS_LISTENING = Listening(((-(1 << 62), 1 << 62),))
"""The listening of a recording: whoever made it, it is all there is."""


class SceneContext(msgspec.Struct, frozen=True, kw_only=True):
    """What a scene says of one silent asset at one instant.

    `neighbours_heard`: other assets and traffic of the same class whose last fix at or before the instant is less than 1 h old,
    lies in the later half of the asset's silence and within 50 km of the asset's last fix (of an aircraft with speed and course
    as many must also be near the place where it was to be ten minutes later); `neighbours_known`: the same without regard to age
    up to 24 h; `neighbours_still`: of those known the ones within a kilometre that were last heard below 0.5 kn;
    `neighbours_lost`: of those known the ones heard last on passage (5 kn) within 20 km, an hour ago or more;
    `neighbours_behind`: of those heard the ones that lie behind where the asset was to be half an hour later (none where it moved
    slowly, or its course is not known);
    `feed_down`: the named feed that last carried the asset is offline or quiet as a whole.
    """

    neighbours_heard: int = 0
    neighbours_known: int = 0
    neighbours_still: int = 0
    neighbours_behind: int = 0
    neighbours_lost: int = 0
    feed_down: bool = False


class Docket(msgspec.Struct, frozen=True, kw_only=True):
    """What is on file of one asset alone at an instant: dated rows of its leases and people's verdicts.

    `covenants` are those of the leases in force; `storage_preset` is the lease's word for when an aircraft counts as stored;
    `adjustments` are thresholds of this asset, by rule and name, that verdicts on its alerts have moved. (What an asset says of
    itself is in its state: `detect.said`.)
    """

    covenants: tuple[Any, ...] = ()
    storage_preset: str | None = None
    adjustments: dict[str, dict[str, float]] = {}


EMPTY_DOCKET = Docket()
"""Of an asset of which nothing is on file."""


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """Dated facts beside the reading: valid for one asset at one instant.

    `settings` holds thresholds by rule name (an absent rule or name means the rule's own default); `listening` is of the
    stream's feed; `scene` is given at ticks; `prior` is the fleet-wide prior of the asset's type that was closed at or before
    the hour of the instant (opaque to the shell: what `detect.prior` built), or None; `use` is what the use machine is told
    (None: use is not followed); `docket` is what is on file of the asset alone; `areas` are those that rules watch (None: there
    are none); `land` tells land from sea (None: unknown).
    """

    listening: Listening = ALWAYS_LISTENING
    scene: SceneContext | None = None
    prior: Any | None = None
    settings: dict[str, dict[str, float]] = {}
    use: UseContext | None = None
    docket: Docket = EMPTY_DOCKET
    areas: AreaIndex | None = None
    land: Land | None = None


class ContextSource(Protocol):
    """Where a driver gets contexts; the shell implements it over dated rows, `backtest` over memory."""

    def at_reading(self, asset_id: str, reading: Reading) -> Context:
        """Context for stepping one reading."""
        ...

    def at_tick(self, asset_id: str, time_us: int) -> Context:
        """Context for a tick at an instant, with `scene` filled in."""
        ...


class Fix(msgspec.Struct, frozen=True, kw_only=True):
    """The last position of an asset or of traffic at or before an instant. `asset_id` is None for traffic.

    `origin` is `device` or `feed:NAME`; `name` is `scheme:value`; `speed_kn` and `course_deg` may be unknown.
    """

    asset_id: str | None
    name: str
    asset_class: str
    origin: str
    time_us: int
    lat_deg: float
    lon_deg: float
    speed_kn: float | None = None
    course_deg: float | None = None


class Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """One scene's instant (a whole minute) and whom it is asked about. `offline_feeds` are `feed:NAME` that said offline."""

    time_us: int
    subjects: tuple[str, ...]
    offline_feeds: frozenset[str] = frozenset()


class SceneResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a scene found between assets, and the context it gives each subject."""

    findings: tuple[Finding, ...] = ()
    context: dict[str, SceneContext] = {}
