"""What a silence most likely is, in one word, and the reason beside it. First match wins; `dark` is what nothing else explains.

Knows how the asset was heard, what the scene said of others, and after its return what that shows. A verdict of `dark` accuses
somebody of switching a transmitter off, so everything else that could explain the silence comes before it.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from detect.hearing import SATELLITE, STILL_KN, Hearing
from detect.model import SceneContext
from detect.state import Seen
from detect.traits import Silence
from fleet.instants import MINUTE_US

Verdict = Literal["feed_down", "no_coverage", "parked", "dark", "unknown"]

NEIGHBOURS = 3  # design 4.6: others heard near by that make silence the asset's own
OWN_READINGS = 3  # chosen: an asset that is itself heard less often than this in six hours is not dark when others are heard
SELDOM = 4  # chosen: of a receiver that once missed it for a quarter of this silence, missing it again is no surprise
STILL_US = 10 * MINUTE_US  # chosen: who drifts at a quarter of a knot leaves the spot (`hearing.STILL_M`) in four minutes
STILL_SLOTS = 2  # one look is no rest
BERTHING_KN = 3.0  # domain.md 2.3: nobody is moored at more, and slower than this among moored ones is coming or going
STILL_OTHERS = 3  # chosen: as many others lying still around as make neighbours: a marina, a quay, a roadstead
EDGE_TOLD = 7  # chosen: five heard behind and two lost; fewer all lie behind by chance, unless more were lost at the same place
EDGE_LOST = 2  # chosen: one other that went out of hearing there may have been switched off itself
RETURN_LOW_FT = 5_000.0  # detection.md A6: a landing attempt, and a departure, lies below the field plus 5,000 ft
RETURN_RISING_FPM = 300.0  # as `flight.rising_fpm`: above the noise of a reported rate
RETURN_FIELD_M = 30_000.0  # domain.md 1.2: an arrival is looked for within 30 km of where it was heard last
RETURN_SPOT_M = 200.0  # chosen: the swing of an anchored ship (detection.md S13) and the scatter of two fixes
JUST_BACK = "others_just_back"
LANDING = "landing"  # the circumstance of an aircraft low and not climbing


class Word(NamedTuple):
    """A verdict and the reason for it."""

    verdict: Verdict
    because: str


def is_regular(hearing: Hearing) -> bool:
    """Whether the asset itself was heard often enough for its silence to say something."""
    return hearing.recent() >= OWN_READINGS


def word_of(
    hearing: Hearing, scene: SceneContext | None, allowed: Silence, listened_us: int, seen: Seen | None, *, is_back: bool
) -> Word:
    """What a silence is as far as a minute in it can tell.

    Args:
        hearing: how the asset was heard before.
        scene: what was said last of others; None: nothing was.
        allowed: its circumstances.
        listened_us: how much of the silence was listened to, microseconds.
        seen: its motion when last heard.
        is_back: others had been quiet too, until a moment ago.
    """
    around = scene or SceneContext()
    own = _own(hearing, around, allowed, seen)
    if own is not None:
        return own
    if around.neighbours_heard >= NEIGHBOURS:
        return _among_heard(hearing, around, allowed, listened_us, is_back=is_back)
    if around.neighbours_heard == 0 and around.neighbours_known >= NEIGHBOURS:
        return Word("no_coverage", "others_quiet")
    if hearing.source == SATELLITE and listened_us <= allowed.limit_us:
        return Word("no_coverage", "satellite_passes")
    return Word("unknown", "too_few_others")


def _own(hearing: Hearing, around: SceneContext, allowed: Silence, seen: Seen | None) -> Word | None:
    """What explains a silence whoever else is heard: the feed, or what the asset was doing; None where nothing does."""
    if around.feed_down:
        return Word("feed_down", "feed_down")
    if allowed.parked:
        return Word("parked", allowed.circumstance)
    if allowed.circumstance == LANDING:
        return Word("no_coverage", "below_horizon")
    if seen is None or seen.airborne is not None:
        return None
    if hearing.still_slots >= STILL_SLOTS and hearing.lay_us(seen.time_us) >= STILL_US:
        return Word("parked", "lying_still")
    slow = seen.speed_kn is not None and seen.speed_kn < BERTHING_KN
    return Word("parked", "berthing") if slow and around.neighbours_still >= STILL_OTHERS else None


def _among_heard(hearing: Hearing, around: SceneContext, allowed: Silence, listened_us: int, *, is_back: bool) -> Word:
    """Others near it are heard: dark, unless the receiver or the asset's own rhythm explains it."""
    if not is_regular(hearing) or listened_us < SELDOM * hearing.longest_us():
        return Word("unknown", "heard_seldom")
    if hearing.source == SATELLITE and listened_us <= allowed.limit_us:
        return Word("no_coverage", "satellite_passes")
    all_behind = around.neighbours_behind >= around.neighbours_heard
    if all_behind and around.neighbours_lost >= EDGE_LOST and around.neighbours_heard + around.neighbours_lost >= EDGE_TOLD:
        return Word("no_coverage", "edge_of_range")
    return Word("unknown", JUST_BACK) if is_back else Word("dark", "others_heard")


def at_return(evidence: dict[str, Any], asset_class: str, before: Seen, now: Seen, moved_m: float | None) -> Word:
    """The verdict once both ends of the silence are known: what the return proves comes before what was guessed.

    An aircraft found on the ground near where it was heard last, or climbing away from there, had landed; a ship that lay still
    before and lies still on the same spot had not moved. What the feed or everybody's silence explained stays.
    """
    said = Word(evidence["verdict"], evidence["because"])
    if moved_m is None or said.verdict in {"feed_down", "parked"} or said.because == "others_quiet":
        return said
    if asset_class == "aircraft":
        rising = now.alt_ft is not None and now.alt_ft < RETURN_LOW_FT and (now.vertical_rate_fpm or 0.0) >= RETURN_RISING_FPM
        landed = now.airborne is False or (now.airborne is True and rising)
        return Word("parked", "landed") if landed and moved_m <= RETURN_FIELD_M else said
    lay = before.speed_kn is not None and before.speed_kn < STILL_KN
    lies = now.speed_kn is not None and now.speed_kn < STILL_KN
    return Word("parked", "never_moved") if lay and lies and moved_m <= RETURN_SPOT_M else said
