"""The asset classes of this room in one table: another class is one module and one line."""

from __future__ import annotations

from detect import aircraft, trainset, vessel
from detect.traits import Traits

TRAITS: dict[str, Traits] = {traits.name: traits for traits in (vessel.TRAITS, aircraft.TRAITS, trainset.TRAITS)}
