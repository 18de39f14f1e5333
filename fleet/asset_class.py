"""The asset classes in one table: adding rolling stock of another kind is one module per room and one line here."""

from __future__ import annotations

from typing import NamedTuple

from fleet import aircraft, trainset, vessel
from fleet.reading import Field, Reading

AnyReading = vessel.VesselReading | aircraft.AircraftReading | trainset.TrainsetReading


class AssetClass(NamedTuple):
    """What the other rooms need of a class: its `name`, the type of its readings and their optional fields in order."""

    name: str
    reading_type: type[AnyReading]
    fields: tuple[Field, ...]


ASSET_CLASSES: dict[str, AssetClass] = {
    vessel.NAME: AssetClass(vessel.NAME, vessel.VesselReading, vessel.FIELDS),
    aircraft.NAME: AssetClass(aircraft.NAME, aircraft.AircraftReading, aircraft.FIELDS),
    trainset.NAME: AssetClass(trainset.NAME, trainset.TrainsetReading, trainset.FIELDS),
}
_NAME_OF_TYPE: dict[type[Reading], str] = {entry.reading_type: name for name, entry in ASSET_CLASSES.items()}


def class_of(reading: Reading) -> str:
    """The class name of a reading. Raises KeyError for a type that is not in the table (a programmer's error)."""
    return _NAME_OF_TYPE[type(reading)]
