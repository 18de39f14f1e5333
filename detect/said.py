"""What an asset says of itself: static reports taken into its state, in order of time with its readings.

A report changes no episode by itself; rules read `state.said` when the next reading comes.
"""

from __future__ import annotations

from typing import Any

import msgspec

from detect.state import AssetState, Said
from fleet.reading import StaticReport


def hear(state: AssetState, report: StaticReport) -> None:
    """Take a static report in; one older than the last heard is passed over. A draught said counts as the draught known."""
    before = state.said
    if before is not None and report.time_us < before.time_us:
        return
    state.said = said = said_after(before, report)
    seen = state.seen
    if seen is not None and said.draught_us == report.time_us:
        state.seen = msgspec.structs.replace(seen, draught_m=said.draught_m)


def said_after(before: Said | None, report: StaticReport) -> Said:
    """What is known to be said after a report: its fields over those of the reports before it."""
    told = report.particulars
    known = before or Said(time_us=report.time_us)
    changed: dict[str, Any] = {"time_us": report.time_us}
    for name in ("type", "length_m", "beam_m"):
        if told.get(name) is not None:
            changed[name] = told[name]
    for name, since in (("draught_m", "draught_us"), ("destination", "destination_us")):
        if told.get(name) is not None and told[name] != getattr(known, name):
            changed[name], changed[since] = told[name], report.time_us
    return msgspec.structs.replace(known, **changed)


def says_otherwise(said: Said | None, report: StaticReport) -> bool:
    """Whether a report differs from what is known to be said, in a field that rules read."""
    return said is not None and msgspec.structs.replace(said_after(said, report), time_us=said.time_us) != said
