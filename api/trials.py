"""A trial of a clause: what it would have raised over stored readings, before it is switched on. Reads, and writes nothing.

Judging is not the API's: whoever puts the application together gives it the function that does it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from fleet.area_entry import AreaEntry
from fleet.asset_class import AnyReading
from fleet.clause import Clause

TRIAL_DAYS_MAX = 31  # chosen: a month of a ship every ten seconds is what an answer may wait for
READINGS_MAX = 50_000  # of one trial; chosen: some seconds of judging
AREAS_MAX = 5_000  # of one tenant; chosen: what the limits of insurers and the ports of a fleet come to


class TrialCase(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a trial rests on: the clause as tried, one asset's readings in order, and the world around.

    `others` are stored findings that compare the asset with others (`gap`, `encounter`), rows as the store has them.
    """

    clause: Clause
    asset_id: str
    asset_class: str
    from_us: int
    to_us: int
    readings: list[AnyReading]
    areas: list[AreaEntry]
    others: list[dict[str, Any]]


Trial = Callable[[TrialCase], list[dict[str, Any]]]
"""Judges a case: breaches as `backtest --out` writes them. Called in a thread of its own."""
