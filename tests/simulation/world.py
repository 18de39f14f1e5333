"""What is published in a run, drawn from the seed, and what of it must be in the store at the end.

Two hours and more of a recording's feed (five ships; one falls silent among others that are heard, one jumps; an aircraft that
flies twice, over midnight), two live aircraft
(emergency codes that open and end), a ship with a device and a buffer, traffic, strangers and bad input. The same seed gives the
same readings; `held_back` and `duplicate` change only when and how often they are sent.
"""

from __future__ import annotations

from random import Random
from typing import Any
from uuid import UUID

import msgspec

from fleet.dated import Span
from fleet.instants import HOUR_US, MINUTE_US, SECOND_US
from fleet.shards import shard_of
from ingest.wire import device_topic, encode_json, feed_topic
from store.registry import AssetEntry, IdentifierEntry, Registry
from tests.simulation.faults import Faults
from tests.simulation.loop import START_US
from tests.simulation.tables import UNSTORABLE_SOURCE

RECORDED_US = START_US - 32 * HOUR_US - 10 * MINUTE_US  # 22:50, so that midnight falls into it
ACTIVE_S = 40.0  # devices publish for so long
SHIPS = 5
OPEN = Span(None, None)
FEED = feed_topic("demo", "coast")
PORT_FEED = feed_topic("demo", "port")
Identity = tuple[str, str, int, str, float | None]
"""(origin, scheme:value, time_us, source, lat_deg): what tells every published reading from every other."""


class Publication(msgspec.Struct):
    """One message: when it is sent, what it says, how many elements a worker counts as received, which readings must be kept."""

    at_s: float
    topic: str
    payload: bytes
    received: int
    readings: tuple[Identity, ...] = ()
    rejected: int = 0


class World(msgspec.Struct):
    """Everything that is said in a run, in order of sending."""

    registry: Registry
    publications: list[Publication]

    def readings(self) -> set[Identity]:
        """What must be stored, each once."""
        return {identity for publication in self.publications for identity in publication.readings}


FLEET = (
    *(("vessel", f"Ship {number}", "mmsi", f"53800123{number}") for number in range(SHIPS)),
    ("aircraft", "D-ABCD", "icao24", "3c6444"),
    ("aircraft", "D-EFGH", "icao24", "3c6555"),
    ("vessel", "Anna", "imo", "9074729"),
    ("aircraft", "D-IJKL", "icao24", "3c6777"),
)


def registry() -> Registry:
    """Nine assets of one tenant; a recording's feed and a live one."""
    assets, identifiers = {}, []
    for number, (asset_class, name, scheme, value) in enumerate(FLEET):
        asset_id = str(UUID(int=0xA55E7 << 64 | number + 1))
        assets[asset_id] = AssetEntry(asset_id, "demo", asset_class, name, None, shard_of(asset_id))
        identifiers.append(IdentifierEntry(asset_id, "demo", asset_class, scheme, value, OPEN))
    return Registry(
        version=1,
        tenants=frozenset({"_", "demo"}),
        assets=assets,
        identifiers=identifiers,
        feeds={("demo", "coast"): "recording"},
        grants=[],
        leases=[],
        settings=[],
    )


def world(seed: int, faults: Faults, known: Registry | None = None) -> World:
    """The world of a seed under faults; without any it is the undisturbed one."""
    draw, luck = Random(f"world {seed}"), Random(f"luck {seed}")
    publications = [*_recording(draw, luck, faults), *_aircraft(draw, luck, faults), *_device(draw, luck, faults)]
    publications += _strangers(draw)
    if faults.unstorable:
        publications.append(_refused(draw))
    for publication in list(publications):
        if faults.duplicate and luck.random() < faults.duplicate:
            again_s = publication.at_s + luck.uniform(0, 10)
            publications.append(msgspec.structs.replace(publication, at_s=again_s))
    publications.sort(key=lambda publication: publication.at_s)
    return World(known or registry(), publications)


def _message(at_s: float, topic: str, elements: list[dict[str, Any]], origin: str) -> Publication:
    payload = encode_json(elements if len(elements) > 1 else elements[0])
    named = topic.split("/")
    return Publication(
        at_s,
        topic,
        payload,
        len(elements),
        tuple(_identity(origin, f"{named[4]}:{named[5]}", element) for element in elements),
    )


def _identity(origin: str, name: str, element: dict[str, Any]) -> Identity:
    name = f"{element['scheme']}:{element['value']}" if "scheme" in element else name
    return (origin, name, element["time"] * 1000, element.get("source", "device"), element.get("lat_deg"))


def _recording(draw: Random, luck: Random, faults: Faults) -> list[Publication]:
    """A recording of some hours in messages of mixed size; ship 0 is silent for a while, ship 1 is elsewhere for a while."""
    step, minutes = draw.choice([4, 5]), draw.choice([160, 200])
    with_channels = draw.random() < 0.25
    silent = draw.randint(24, 50), draw.randint(100, 150)
    away = draw.randint(40, 60), draw.randint(80, 140)
    elements: list[dict[str, Any]] = []
    for minute in range(0, minutes, step):
        for ship in range(SHIPS):
            if ship == 0 and silent[0] <= minute < silent[1]:
                continue
            element = {
                "class": "vessel",
                "scheme": "mmsi",
                "value": f"53800123{ship}",
                "time": (RECORDED_US + minute * MINUTE_US + ship * SECOND_US) // 1000,
                "lat_deg": round(40 + minute * 0.2 / 60 + (3.0 if ship == 1 and away[0] <= minute < away[1] else 0.0), 6),
                "lon_deg": round(5 + ship * 0.05, 6),
                "sog_kn": 12.0,
                "cog_deg": 0.0,
                "nav_status": 0,
            }
            if with_channels:
                element["channels"] = {"me_exhaust_temp_c": round(360 + draw.gauss(0, 1), 2), "me_rpm": 84.0}
            elements.append(element)
    elements = sorted([*elements, *_flights()], key=lambda element: element["time"])
    return _in_messages(elements, FEED, "feed:coast", draw, luck, faults)


def _flights() -> list[dict[str, Any]]:
    """From Frankfurt to Stuttgart and back, a reading a minute or half; the flag is missing now and then."""
    stands = {(0, 10): 8.57, (40, 62): 9.22, (95, 110): 8.57}
    lat_of = {8.57: 50.03, 9.22: 48.69}
    elements = []
    for half in range(220):
        minute = half / 2
        lon_deg = next((lon for (start, end), lon in stands.items() if start <= minute < end), None)
        is_up = lon_deg is None
        share = (minute - 10) / 30 if minute < 40 else (95 - minute) / 33
        if not is_up and half % 2:
            continue
        element = {
            "class": "aircraft",
            "scheme": "icao24",
            "value": "3c6777",
            "time": (RECORDED_US + half * 30 * SECOND_US) // 1000,
            "source": "adsb",
            "lat_deg": round(50.03 - 1.34 * share, 6) if lon_deg is None else lat_of[lon_deg],
            "lon_deg": round(8.57 + 0.65 * share, 6) if lon_deg is None else lon_deg,
            "gs_kn": 260.0 if is_up else 4.0,
            "alt_baro_ft": round(1200 + 9000 * min(share, 1 - share), 1) if is_up else None,
        }
        if half % 7:
            element["on_ground"] = not is_up
        elements.append({name: value for name, value in element.items() if value is not None})
    return elements


def _in_messages(
    elements: list[dict[str, Any]], topic: str, origin: str, draw: Random, luck: Random, faults: Faults
) -> list[Publication]:
    """Readings as messages over the whole run; those held back come in one burst at its end."""
    late = [element for element in elements if faults.held_back and luck.random() < faults.held_back]
    kept = [element for element in elements if element not in late]
    size = draw.choice([5, 10, 20])
    parts = [kept[start : start + size] for start in range(0, len(kept), size)]
    sent = [_message(1 + ACTIVE_S * number / len(parts), topic, part, origin) for number, part in enumerate(parts)]
    burst_s = luck.uniform(ACTIVE_S / 2, ACTIVE_S)
    return sent + [_message(burst_s, topic, late[start : start + 50], origin) for start in range(0, len(late), 50)]


def _aircraft(draw: Random, luck: Random, faults: Faults) -> list[Publication]:
    """Two live aircraft, a reading every second or two each; codes 7700 and 7600 come and go."""
    sent: list[Publication] = []
    for number, icao24 in enumerate(("3c6444", "3c6555")):
        topic = device_topic("demo", "aircraft", "icao24", icao24)
        code, opens_s, ends_s = draw.choice(["7700", "7600", "7600"]), draw.uniform(5, 15), draw.uniform(20, 50)
        at_s, seq = draw.uniform(0, 1), 0
        while at_s < ACTIVE_S:
            element = {
                "time": (START_US + int(at_s * SECOND_US)) // 1000,
                "lat_deg": round(50 + number + at_s * 0.002, 6),
                "lon_deg": 8.0,
                "on_ground": False,
                "gs_kn": 430.0,
                "track_deg": 0.0,
                "alt_baro_ft": 35000,
                "squawk": code if opens_s <= at_s < ends_s else "1000",
            }
            if number:
                element["seq"] = seq = seq + 1
            late_s = luck.uniform(3, 15) if faults.held_back and luck.random() < faults.held_back else 0.0
            sent.append(_message(at_s + 0.05 + late_s, topic, [element], "device"))
            at_s += draw.uniform(1.2, 2.0)
    return sent


def _device(draw: Random, luck: Random, faults: Faults) -> list[Publication]:
    """A ship whose device was out of reach: its buffer comes on the backfill topic, its live readings beside it."""
    live = device_topic("demo", "vessel", "imo", "9074729")
    buffered = device_topic("demo", "vessel", "imo", "9074729", "backfill")
    sent: list[Publication] = []
    elements = [
        {
            "time": (START_US - 60 * MINUTE_US + number * 2 * MINUTE_US) // 1000,
            "lat_deg": round(30 + number * 2 * 0.2 / 60 + (2.0 if 8 <= number < 20 else 0.0), 6),
            "lon_deg": -20.0,
            "sog_kn": 12.0,
            "cog_deg": 0.0,
            "nav_status": 0,
        }
        for number in range(30)
    ]
    burst_s = 2.0 if not faults.held_back else luck.uniform(2, ACTIVE_S)
    sent += [_message(burst_s + start / 10, buffered, elements[start : start + 10], "device") for start in (0, 10, 20)]
    for number in range(8):
        at_s = 5 + number * 4.0
        moving = {"lat_deg": round(32 + at_s * 0.2 / 3600, 6), "lon_deg": -20.0, "sog_kn": 12.0, "cog_deg": 0.0, "nav_status": 0}
        sent.append(_message(at_s, live, [{"time": (START_US + int(at_s * SECOND_US)) // 1000, **moving}], "device"))
    static = {"time": START_US // 1000 - draw.randint(1, 1000), "name": "ANNA", "destination": "HAMBURG"}
    sent.append(Publication(3.0, device_topic("demo", "vessel", "imo", "9074729", "static"), encode_json(static), 0))
    sent.append(Publication(1.0, device_topic("demo", "vessel", "imo", "9074729", "status"), b"online", 0))
    return sent


def _strangers(draw: Random) -> list[Publication]:
    """Traffic on a feed, an identifier of nobody's, a tenant of nobody's, and what cannot be read."""
    around = [
        {
            "class": "vessel",
            "scheme": "mmsi",
            "value": f"21912345{number}",
            "time": START_US // 1000,
            "lat_deg": 55.0,
            "lon_deg": 3.0,
        }
        for number in range(3)
    ]
    nobody = device_topic("demo", "vessel", "imo", "7625811")
    reading = {"time": START_US // 1000, "lat_deg": 1.0, "lon_deg": 1.0}
    return [
        Publication(draw.uniform(1, ACTIVE_S), PORT_FEED, encode_json(around), 3),
        Publication(draw.uniform(1, ACTIVE_S), nobody, encode_json(reading), 1, rejected=1),
        Publication(
            draw.uniform(1, ACTIVE_S), device_topic("nobody", "vessel", "imo", "9074729"), encode_json(reading), 1, rejected=1
        ),
        Publication(draw.uniform(1, ACTIVE_S), nobody, b"\xff\xfe", 1, rejected=1),
        Publication(
            draw.uniform(1, ACTIVE_S), FEED, b'[{"class": "vessel", "scheme": "mmsi", "value": "538001231"}, 7]', 2, rejected=2
        ),
    ]


def _refused(draw: Random) -> Publication:
    """A reading that decodes and that no table takes."""
    reading = {"time": START_US // 1000 - 500, "source": UNSTORABLE_SOURCE, "lat_deg": 31.0, "lon_deg": -20.0}
    topic = device_topic("demo", "vessel", "imo", "9074729")
    return Publication(draw.uniform(1, ACTIVE_S), topic, encode_json(reading), 1, rejected=1)
