"""What a region or a feed explains: alerts that wait while it lasts, and the one event that tells of them afterwards. Pure.

While positions are jammed in a region (an open finding of `gnss_interference`) every aircraft there jumps; while a feed is
silent (an open finding of `feed_silent`) every asset of it is. One cause is told once, by its own finding or alert; what it
explains is held, and whatever still stands when it ends is told then, in one summary.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from alerts.lifecycle import Alert, event_id
from fleet.geodesy import NM_M, distance_m
from fleet.instants import MINUTE_US, to_rfc3339
from store.rows import FindingRow

INTERFERENCE = "gnss_interference"
FEED_SILENT = "feed_silent"
HOLDING_RULES = (INTERFERENCE, FEED_SILENT)
"""Rules whose open findings hold others."""

POSITION_RULES = frozenset({"position_jump", "position_conflict", "spoofed_track", "gap"})
"""What false positions make of an aircraft or a ship: held in a jammed region."""

SILENCE_RULES = frozenset({"gap"})
"""What a silent feed makes of its assets."""

SLACK_US = 30 * MINUTE_US
"""How long before its first degraded report a region already explains a position alert. Chosen: the window over which
`gnss_interference` counts aircraft (detection.md A2: 30 min); the region is known up to that much after the first jump."""

LISTED_MAX = 100
"""Alerts that a summary names; how many more there are it says too. Chosen: the event stays below 20 kB (Standard Webhooks
1.0.0)."""

RELEASED_TYPE = "keelwing.hold.released.v1"


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """Why an alert is held: the finding that explains it, its rule, and the region or feed it is about."""

    finding_id: str
    rule: str
    about: str
    reason: Literal["region_jammed", "feed_silent"]


def may_be_held(rule: str, severity: str) -> bool:
    """Whether an alert of this rule can wait at all. A critical one never does: it is for today."""
    return severity == "warning" and (rule in POSITION_RULES or rule in SILENCE_RULES)


def hold_of(finding: FindingRow, causes: Sequence[FindingRow], origin: str | None) -> Hold | None:
    """The open finding that explains a finding of warning, or None; a region before a feed, the earliest first.

    Args:
        finding: of an asset.
        causes: open findings of `HOLDING_RULES` of any tenant.
        origin: `feed:NAME` that spoke last of the asset, None where unknown.
    """
    if not may_be_held(finding.rule, finding.severity):
        return None
    ours = [one for one in causes if one.tenant == finding.tenant and one.closed_us is None and not one.retracted]
    for cause in sorted(ours, key=lambda one: (one.rule != INTERFERENCE, one.opened_us, one.finding_id)):
        if cause.rule == INTERFERENCE and finding.rule in POSITION_RULES and _covers(cause, finding):
            return Hold(finding_id=cause.finding_id, rule=cause.rule, about=cause.asset, reason="region_jammed")
        if cause.rule == FEED_SILENT and finding.rule in SILENCE_RULES and origin is not None and cause.asset == origin:
            return Hold(finding_id=cause.finding_id, rule=cause.rule, about=cause.asset, reason="feed_silent")
    return None


def _covers(cause: FindingRow, finding: FindingRow) -> bool:
    """Whether the region names the aircraft, or a place that the finding names lies in it; and it did not end before it began."""
    ends_us = finding.detected_us if finding.closed_us is None else max(finding.closed_us, finding.detected_us)
    if ends_us < cause.opened_us - SLACK_US:
        return False
    if finding.asset in cause.evidence.get("aircraft", ()):
        return True  # it said itself that its position was degraded
    radius_nm, middle = cause.evidence.get("radius_nm"), next(places_of(cause.evidence), None)
    if middle is None or not isinstance(radius_nm, int | float):
        return False
    return any(distance_m(*middle, *place) <= radius_nm * NM_M for place in places_of(finding.evidence))


def places_of(evidence: Mapping[str, Any]) -> Iterator[tuple[float, float]]:
    """Every place that an evidence names: pairs `X_lat_deg`, `X_lon_deg` (or without a prefix), also one object deep."""
    for name, value in evidence.items():
        if isinstance(value, Mapping):
            yield from places_of(value)
        if not name.endswith("lat_deg"):
            continue
        other = evidence.get(name.removesuffix("lat_deg") + "lon_deg")
        if isinstance(value, int | float) and isinstance(other, int | float):
            yield float(value), float(other)


def summary_of(cause: FindingRow, standing: Sequence[Alert], ended: int, at_us: int) -> dict[str, Any]:
    """The event that tells what a hold that is over had held: a CloudEvents 1.0 object, the same however often it is made.

    Args:
        cause: the finding that held, as it ended.
        standing: alerts that still stand, each told by this event and no other.
        ended: how many ended meanwhile and are told to nobody.
        at_us: wall time.
    """
    listed = sorted(standing, key=lambda one: (one.asset, one.rule, one.alert_id))[:LISTED_MAX]
    return {
        "specversion": "1.0",
        "id": release_event_id(cause, standing),
        "source": f"/keelwing/{cause.tenant}",
        "type": RELEASED_TYPE,
        "subject": cause.asset,
        "time": to_rfc3339(at_us),
        "datacontenttype": "application/json",
        "data": {
            "about": cause.asset,
            "rule": cause.rule,
            "finding_id": cause.finding_id,
            "opened_at": to_rfc3339(cause.opened_us),
            "closed_at": None if cause.closed_us is None else to_rfc3339(cause.closed_us),
            "retracted": cause.retracted,
            "standing": len(standing),
            "ended": ended,
            "alerts": [
                {"id": one.alert_id, "rule": one.rule, "asset": one.asset, "severity": one.severity, "revision": one.revision}
                for one in listed
            ],
            "more": len(standing) - len(listed),
        },
    }


def release_event_id(cause: FindingRow, standing: Sequence[Alert]) -> str:
    """Id of the summary: of the hold and of what it released, so that a hold that held again tells of that again."""
    return event_id("\x1f".join((cause.finding_id, *sorted(one.alert_id for one in standing))), len(standing))
