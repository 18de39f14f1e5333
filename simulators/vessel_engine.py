"""Engine rooms: ship types, and what their sensors say at a speed and a draught.

Neighbour: `vessel`, which knows where the ship is. Numbers of one typical ship per type, chosen; relations are physics.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from simulators.motion import Noise, uniform


class ShipType(NamedTuple):
    """One ship's particulars: metres, knots, kilowatts at service speed and summer draught, hours alongside."""

    length_m: float
    beam_m: float
    summer_draught_m: float
    ballast_draught_m: float
    speed_kn: float
    power_kw: float
    rpm: float
    auxiliary_kw: float
    stay_h: float
    liner: bool


_TYPES = {
    "container": ShipType(300.0, 48.2, 14.5, 11.0, 18.0, 32_000, 88, 1900, 22, True),
    "bulk_carrier": ShipType(225.0, 32.3, 14.4, 6.9, 13.5, 8_600, 92, 550, 46, False),
    "tanker": ShipType(274.0, 48.0, 17.1, 8.2, 13.5, 13_500, 78, 900, 32, False),
    "product_tanker": ShipType(183.0, 32.2, 12.6, 6.8, 13.0, 6_700, 98, 600, 28, False),
    "lng_carrier": ShipType(293.0, 45.8, 11.7, 9.4, 17.0, 22_000, 76, 2400, 26, False),
    "general_cargo": ShipType(138.0, 21.0, 8.4, 4.9, 12.5, 3_700, 130, 320, 30, False),
    "ro_ro": ShipType(199.0, 26.5, 7.4, 6.3, 18.0, 13_000, 120, 1300, 10, True),
}


class EngineInput(NamedTuple):
    """What the engine room works against; `weather` multiplies power, `warm` is 0..1."""

    through_water_kn: float
    draught_m: float
    lat_deg: float
    weather: float
    warm: float
    since_s: float


def ship_type(name: str, ship: str) -> ShipType:
    """Particulars of a ship of a type; sister ships differ by up to 6 %. Errors: KeyError for an unknown type."""
    base = _TYPES[name]
    scale = 0.94 + 0.12 * uniform("size", ship)
    return base._replace(
        length_m=round(base.length_m * scale, 1),
        beam_m=round(base.beam_m * scale, 1),
        summer_draught_m=round(base.summer_draught_m * scale, 1),
        ballast_draught_m=round(base.ballast_draught_m * scale, 1),
        power_kw=round(base.power_kw * scale * scale),
    )


def channels(kind: ShipType, now: EngineInput, noise: Noise) -> dict[str, float]:
    """The engine room's sensors.

    Power by the Admiralty law, P ~ displacement^(2/3) V^3, with displacement as draught; revolutions ~ V (a fixed
    pitch); specific consumption 172 g/kWh at 80 % load, worse by the square of the distance (chosen, a two-stroke's
    curve); exhaust and vibration rise with load; sea temperature falls with latitude. Torque meter and flow meter scatter
    by 0.8 % (chosen: waves load the propeller unevenly).
    """
    speed = now.through_water_kn / kind.speed_kn
    depth = now.draught_m / kind.summer_draught_m
    load = min(1.1, speed**3 * depth ** (2 / 3) * now.weather)
    power_kw = load * kind.power_kw
    rpm = kind.rpm * speed * (0.95 + 0.05 * depth)
    grams_per_kwh = 172.0 * (1.0 + 0.16 * (load - 0.8) ** 2)
    engine_t_h = power_kw * grams_per_kwh * 1e-6
    auxiliary_t_h = kind.auxiliary_kw * (1.0 if now.through_water_kn > 1 else 1.25) * 215e-6
    running = now.warm if rpm > 1 or now.warm == 1.0 else 0.0
    sea_c = -1.5 + 30.5 * math.cos(math.radians(now.lat_deg)) ** 2 + 0.4 * math.sin(now.since_s / 30_000)
    return {
        "me_rpm": _sensed(rpm, 0.15, noise, 1),
        "shaft_power_kw": _sensed(power_kw, 0.008 * power_kw, noise, 0),
        "me_exhaust_temp_c": _sensed(38 + now.warm * (152 + 175 * math.sqrt(load)), 1.2, noise, 1),
        "fuel_rate_t_h": _sensed(engine_t_h + auxiliary_t_h, 0.002 + 0.008 * engine_t_h, noise, 3),
        "me_lube_oil_pressure_bar": _sensed(running * (2.6 + 1.6 * math.sqrt(speed)), 0.02 * running, noise, 2),
        "vibration_mm_s": _sensed(0.35 + 0.9 * running + 3.2 * load, 0.06, noise, 2),
        "seawater_temp_c": _sensed(sea_c, 0.05, noise, 2),
    }


def _sensed(true: float, deviation: float, noise: Noise, digits: int) -> float:
    return max(0.0, round(true + deviation * noise.next(), digits)) if true > 0 else 0.0
