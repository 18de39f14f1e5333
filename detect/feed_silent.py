"""Rule `feed_silent`: a named feed that carried many assets says nothing any more, or says that it is offline.

A feed's liveness is not its assets': one silence of the feed is one finding, and explains theirs. Works on what is known of one
feed at an instant; live feeds alone are judged, by whoever knows the wall clock. Knows no asset.
"""

from __future__ import annotations

from typing import Any

import msgspec

from detect.model import Finding, Listening, finding_id
from detect.scene import FEED_ASSETS, FEED_QUIET_US
from fleet.instants import MINUTE_US, to_rfc3339

NAME = "feed_silent"
VERSION = 1
CLASSES = frozenset({"feed"})
"""What it watches: not an asset."""


class FeedWord(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one feed at an instant. `name` is `feed:NAME`.

    `last_us` is the event time of its last reading, `received_us` when the last one reached us, `assets_heard` how many assets
    and traffic it carried in the hour up to `last_us`. `offline_us` is when it said `offline`, None where it said something else
    last. `back_us` is the event time of its first reading since it fell silent, None while there is none.
    """

    name: str
    last_us: int
    received_us: int
    assets_heard: int
    offline_us: int | None = None
    back_us: int | None = None


class Silent(msgspec.Struct, frozen=True, kw_only=True):
    """A feed's silence as it was told: the open finding's begin, when it was decided, and its evidence."""

    opened_us: int
    detected_us: int
    evidence: dict[str, Any]


def judge(
    tenant: str, word: FeedWord, silent: Silent | None, listening: Listening, at_us: int, gaps_held: int,
    limit_us: int = FEED_QUIET_US,
) -> Finding | None:  # fmt: skip
    """What is to be said of a feed at an instant; None when nothing is new.

    Args:
        tenant: to whom: each tenant that the feed speaks to has a finding of its own.
        word: what is known of the feed.
        silent: its open finding, None where none is.
        listening: when we listened; other time is unknown, not silence.
        at_us: now, wall time on a whole minute.
        gaps_held: open gaps of the tenant's assets that this silence explains.
        limit_us: how long it may be quiet (the setting `quiet_min`).
    """
    quiet_us = listening.listened_us(word.received_us, at_us)
    is_offline = word.offline_us is not None and word.offline_us >= word.received_us
    if silent is None:
        carried = word.assets_heard >= FEED_ASSETS and quiet_us >= limit_us
        if not carried and not (is_offline and word.assets_heard > 0):
            return None
        evidence = {
            "because": "offline" if is_offline else "quiet",
            "assets_heard": word.assets_heard,
            "last_reading_at": to_rfc3339(word.last_us),
            "last_received_at": to_rfc3339(word.received_us),
            "quiet_min": round((at_us - word.received_us) / MINUTE_US, 1),
            "listened_min": round(quiet_us / MINUTE_US, 1),
            "limit_min": limit_us / MINUTE_US,
            "assets_min": FEED_ASSETS,
            "gaps_held": gaps_held,
        }
        return _finding(tenant, word.name, word.last_us, at_us, evidence)
    if word.back_us is not None:
        closed_us = max(word.back_us, silent.opened_us + 1)
        silent_h = round((closed_us - silent.opened_us) / (60 * MINUTE_US), 2)
        evidence = {**silent.evidence, "silent_h": silent_h}
        return _finding(tenant, word.name, silent.opened_us, silent.detected_us, evidence, closed_us)
    if gaps_held <= silent.evidence.get("gaps_held", 0) and not (is_offline and silent.evidence["because"] == "quiet"):
        return None
    held = max(gaps_held, silent.evidence.get("gaps_held", 0))
    evidence = {**silent.evidence, "gaps_held": held}
    if is_offline:
        evidence["because"] = "offline"
    return _finding(tenant, word.name, silent.opened_us, silent.detected_us, evidence)


def _finding(
    tenant: str, name: str, opened_us: int, detected_us: int, evidence: dict[str, Any], closed_us: int | None = None
) -> Finding:  # fmt: skip
    return Finding(
        id=finding_id(f"{tenant}/{name}", NAME, None, opened_us),
        rule=NAME,
        rule_version=VERSION,
        severity="warning",
        asset_id="",
        asset=name,
        subject=None,
        opened_at_us=opened_us,
        closed_at_us=closed_us,
        detected_at_us=max(detected_us, opened_us),
        score=None,
        evidence=evidence,
    )
