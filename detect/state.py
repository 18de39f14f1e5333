"""What is remembered of one asset between events, as plain numbers and words.

Knows the shape of the state and how to name its parts; not how any rule fills its own memory (each rule declares a `Memory`).
"""

from __future__ import annotations

import msgspec

from detect.sighting import Sighted, Sighting
from fleet.use import Fact, UseState


class Seen(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """The last known motion of an asset: each field as last reported, whenever that was.

    `time_us` is of the last reading of any content, `fix_time_us` of the last one with a position. `airborne` is None until known
    (aircraft only); `alt_ft` is barometric; `rate_from_us` and `rate_from_ft` are where a vertical rate that is not reported is
    measured from; `draught_m` and `nav_status` are of ships.
    """

    time_us: int
    name: str
    fix_time_us: int | None = None
    lat_deg: float | None = None
    lon_deg: float | None = None
    speed_kn: float | None = None
    course_deg: float | None = None
    airborne: bool | None = None
    alt_ft: float | None = None
    vertical_rate_fpm: float | None = None
    rate_from_us: int = 0
    rate_from_ft: float | None = None
    nav_status: int | None = None
    draught_m: float | None = None


class Track(msgspec.Struct, kw_only=True, array_like=True):
    """A line of positions that belong together: its last fix with motion, when it began and how many fixes it has.

    `number` names it within its asset. `heard_us` is of its last fix or repeat of one (a repeat's time is not believed);
    `visits` counts how often positions came over to it from another track, `home_fixes` how many fixes the believed track had
    when it began, `late_fixes` how many of its own lie where that one was before; `resumes` says that it began where the believed
    one would have gone on without its last fix; `name` and `source` are of its last fix.
    """

    time_us: int
    lat_deg: float
    lon_deg: float
    speed_kn: float | None = None
    course_deg: float | None = None
    speed_before_kn: float | None = None
    since_us: int
    fixes: int = 1
    number: int = 0
    heard_us: int = 0
    visits: int = 0
    home_fixes: int = 0
    name: str = ""
    source: str = ""
    late_fixes: int = 0
    resumes: bool = False


class Tracks(msgspec.Struct, kw_only=True, array_like=True):
    """The tracks of one asset (`detect.tracks`): the one believed, others heard lately, and which of them is followed.

    `newest` is the number of the track that took the last position, `followed` that of the one whose motion is the asset's;
    `away_us` is when positions left the believed track last, None while they are on it; `jumped` says that the last position lies
    on another track than the one before; `given` counts the numbers given; `path` is where the believed track was in the last
    hours: points as `detect.tracks.POINT` packs them, in seconds and millionths of a degree of latitude and longitude.
    `before_us`, `before_lat_deg` and `before_lon_deg` are of the believed track's fix before its last (0: none).
    """

    home: Track | None = None
    others: list[Track] = []
    newest: int = 0
    followed: int = 0
    away_us: int | None = None
    jumped: bool = False
    given: int = 0
    path: bytes = b""
    path_us: int = 0
    before_us: int = 0
    before_lat_deg: float = 0.0
    before_lon_deg: float = 0.0

    def newest_track(self) -> Track | None:
        """The track that took the last position; None before the first."""
        home = self.home
        if home is None or home.number == self.newest:
            return home
        return next((track for track in self.others if track.number == self.newest), home)


class LastFix(msgspec.Struct, frozen=True, kw_only=True):
    """An asset's last position, for scenes: when, where, how fast (knots, or None) and under what name."""

    time_us: int
    lat_deg: float
    lon_deg: float
    speed_kn: float | None
    name: str


class WarmingUp(msgspec.Struct, frozen=True):
    """A model that has not learned enough to score: `n` of `needed` one-minute rows (days or flights, where a rule says so).

    Never a score of 0 in its place.
    """

    n: int
    needed: int


class Memory(msgspec.Struct, kw_only=True):
    """What one rule remembers of one asset: plain fields only, so that every memory is its own checkpoint."""

    def warm_up(self) -> dict[str, WarmingUp]:
        """The rule's models that cannot score yet, by subject (empty text for a rule without); empty for plain rules."""
        return {}


class WakingMemory(Memory, kw_only=True):
    """What a rule with `at_tick` remembers: `wake_at_us` is the whole minute at which it wants a tick, or None."""

    wake_at_us: int | None = None


class OpenRow(msgspec.Struct, kw_only=True):
    """The one-minute feature row being filled: each channel's last value in the minute that starts at `start_us`."""

    start_us: int
    channels: dict[str, float]


class Learned(msgspec.Struct, frozen=True, array_like=True):
    """What one channel's model knows: rows, noise variance, inverse precision and moments (as in `baseline.Baseline`)."""

    rows: int
    variance: float
    inverse: bytes
    moments: bytes


class Contribution(msgspec.Struct, frozen=True, kw_only=True):
    """What one asset knew when an hour of event time closed: its share in the fleet-wide prior. `hour_us` starts that hour."""

    asset_id: str
    asset_class: str
    hour_us: int
    channels: dict[str, Learned]


class Said(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What an asset last said of itself in static reports: each field as last reported, None until it was.

    `time_us` is of the last report heard; `draught_us` and `destination_us` are of the first report that said the draught and
    the destination as they are now. `type` is in words (`tug`, `cargo`), lengths and draughts in metres.
    """

    time_us: int
    type: str | None = None
    length_m: float | None = None
    beam_m: float | None = None
    draught_m: float | None = None
    draught_us: int | None = None
    destination: str | None = None
    destination_us: int | None = None


class AssetState(msgspec.Struct, kw_only=True):
    """Everything `step` remembers of one asset. Updated in place by `step`; cut and restored by `detect.checkpoint`.

    `memories` holds each rule's own memory by rule name, `waking` those of them that may want a tick; `row` the minute being
    filled; `seq` the order of the last reading within its instant; `settled_since_us` since when the operating point is steady.
    `use` is what the class's use machine remembers (None: the class has none), `facts` what it said since they were taken last.
    `said` is what static reports told. `sighted` is what was noted for the scene, `sightings` the notes since they were taken
    last; `tracks` are the lines of positions heard under the asset's identity. `wake_at_us` is the earliest whole minute at which
    a rule wants a tick, or None, as of the last event.
    """

    asset_id: str
    asset_class: str
    seen: Seen | None = None
    seq: int = 0
    row: OpenRow | None = None
    settled_since_us: int | None = None
    settled_speed_kn: float | None = None
    settled_phase: int = 0
    memories: dict[str, Memory]
    contribution: Contribution | None = None
    use: UseState | None = None
    facts: list[Fact] = []
    said: Said | None = None
    sighted: Sighted = msgspec.field(default_factory=Sighted)
    sightings: list[Sighting] = []
    tracks: Tracks = msgspec.field(default_factory=Tracks)
    waking: tuple[WakingMemory, ...] = ()
    wake_at_us: int | None = None

    def __post_init__(self) -> None:
        self.waking = tuple(memory for memory in self.memories.values() if isinstance(memory, WakingMemory))
        self.note_wake()

    def note_wake(self) -> None:
        """Bring `wake_at_us` up to date with what the rules' memories ask for."""
        earliest: int | None = None
        for memory in self.waking:
            wake_us = memory.wake_at_us
            if wake_us is not None and (earliest is None or wake_us < earliest):
                earliest = wake_us
        self.wake_at_us = earliest

    def warm_up(self) -> dict[tuple[str, str], WarmingUp]:
        """The models that cannot score yet, by (rule, subject); a subject that was never reported is not among them."""
        return {
            (rule, subject): waiting for rule, memory in self.memories.items() for subject, waiting in memory.warm_up().items()
        }

    def take_contributions(self) -> tuple[Contribution, ...]:
        """What the asset's models had learned when the last hour of event time closed, once; empty until the next hour closes.

        Take it after each batch and store it by (asset, hour); a newer hour replaces one that was not taken.
        """
        taken, self.contribution = self.contribution, None
        return () if taken is None else (taken,)

    def take_facts(self) -> list[Fact]:
        """What was said of the asset's use since the last time; they belong to the commit, as contributions do."""
        if not self.facts:
            return []
        taken, self.facts = self.facts, []
        return taken

    def take_sightings(self) -> list[Sighting]:
        """Where it was seen since the last time, for the scene; they belong to the commit, as facts do."""
        if not self.sightings:
            return []
        taken, self.sightings = self.sightings, []
        return taken

    @property
    def last_key(self) -> tuple[int, int] | None:
        """(time_us, seq) of the last reading stepped, or None before the first."""
        return None if self.seen is None else (self.seen.time_us, self.seq)

    @property
    def last_fix(self) -> LastFix | None:
        """The last position, or None when none was ever given."""
        seen = self.seen
        if seen is None or seen.fix_time_us is None or seen.lat_deg is None or seen.lon_deg is None:
            return None
        return LastFix(
            time_us=seen.fix_time_us, lat_deg=seen.lat_deg, lon_deg=seen.lon_deg, speed_kn=seen.speed_kn, name=seen.name
        )
