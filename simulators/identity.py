"""Names and numbers that would pass a registry's eye.

Knows IMO check digits, maritime identification digits (ITU MID), ICAO 24-bit blocks and registration prefixes; knows nothing
of motion. Everything derives from the asset's name, so that a ship keeps her number in every scenario and under every seed.
"""

from __future__ import annotations

from typing import NamedTuple

from simulators.motion import hash64

_IMO_WEIGHTS = (7, 6, 5, 4, 3, 2)  # IMO resolution A.1117(30): digits 1-6 by these, sum mod 10 is the seventh


class ShipFlag(NamedTuple):
    """A ship's registry: ISO country, MID (ITU-R M.585), call sign prefix (ITU Radio Regulations, appendix 42)."""

    country: str
    mid: int
    call_prefix: str


SHIP_FLAGS = (
    ShipFlag("PA", 371, "3F"),
    ShipFlag("LR", 636, "A8"),
    ShipFlag("MH", 538, "V7"),
    ShipFlag("HK", 477, "VR"),
    ShipFlag("SG", 563, "9V"),
    ShipFlag("MT", 248, "9H"),
    ShipFlag("CY", 209, "5B"),
    ShipFlag("NO", 258, "LA"),
)


class AircraftState(NamedTuple):
    """A State of registry: ISO country, first address of its ICAO block (Annex 10 vol. III), its size, and the mark's form.

    In the form, `@` is a letter.
    """

    country: str
    block: int
    size: int
    mark: str


AIRCRAFT_STATES = (
    AircraftState("IE", 0x4CA000, 0x1000, "EI-@@@"),
    AircraftState("DE", 0x3C0000, 0x40000, "D-A@@@"),
    AircraftState("FR", 0x380000, 0x40000, "F-H@@@"),
    AircraftState("GB", 0x400000, 0x40000, "G-@@@@"),
    AircraftState("MT", 0x4D2000, 0x400, "9H-@@@"),
    AircraftState("SG", 0x768000, 0x8000, "9V-S@@"),
    AircraftState("BM", 0x424000, 0x1000, "VP-B@@"),
)

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def imo_number(name: str) -> str:
    """IMO number of the ship of this name: 9 hundred thousands, right check digit."""
    six = 900000 + hash64("imo", name) % 90000
    return f"{six}{sum(int(d) * w for d, w in zip(str(six), _IMO_WEIGHTS, strict=True)) % 10}"


def ship_flag(name: str) -> ShipFlag:
    """Registry of the ship of this name."""
    return SHIP_FLAGS[hash64("flag", name) % len(SHIP_FLAGS)]


def mmsi(name: str, flag: ShipFlag) -> str:
    """MMSI under a flag: MID and six digits, the last three zero for a ship with satellite service (ITU-R M.585)."""
    return f"{flag.mid}{hash64('mmsi', name, flag.country) % 999 + 1:03d}000"


def ship_call_sign(name: str, flag: ShipFlag) -> str:
    """Call sign under a flag: prefix, two letters and a digit."""
    bits = hash64("call", name, flag.country)
    return f"{flag.call_prefix}{_letters(bits, 2)}{bits % 9 + 1}"


def aircraft_state(name: str) -> AircraftState:
    """State of registry of the aircraft of this name."""
    return AIRCRAFT_STATES[hash64("state", name) % len(AIRCRAFT_STATES)]


def icao24(name: str, state: AircraftState) -> str:
    """24-bit address inside the State's block, six hex digits in lower case."""
    return f"{state.block + 1 + hash64('icao24', name) % (state.size - 1):06x}"


def registration(name: str, state: AircraftState) -> str:
    """Registration mark in the State's form."""
    letters = _letters(hash64("mark", name), state.mark.count("@"))
    mark = state.mark
    for letter in letters:
        mark = mark.replace("@", letter, 1)
    return mark


def _letters(bits: int, count: int) -> str:
    return "".join(_LETTERS[(bits >> (8 * i + 5)) % 26] for i in range(count))
