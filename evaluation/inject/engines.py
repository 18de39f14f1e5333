"""Sensor channels of ships and aircraft: what an operating point makes of them, a noise of their own and one they share.

The laws are simple: a propeller's power goes with the cube of speed, temperatures with load, thrust with altitude and speed. They
need not be exact, only lawful, so that a fault is a departure from them. Shared noise (sea state, air mass) moves related
sensors together; that is what a decoupling breaks.
"""

from __future__ import annotations

from math import pi, sin
from random import Random

DAY_MS = 86_400_000
SHARED = 0.02  # of a channel's level: what sea state or air does to all related ones together
OWN = 0.004  # what a sensor adds of its own


def ship_channels(rng: Random, speed_kn: float, draught_m: float, time_ms: int, fouling: float = 0.0) -> dict[str, float]:
    """Main engine and around it. `fouling`: share of power more at the same speed."""
    shared = 1.0 + rng.gauss(0, SHARED)
    power_kw = 3.2 * max(speed_kn, 0.5) ** 3 * (0.7 + 0.03 * draught_m) * (1 + fouling) * shared
    load = power_kw / 9000
    sea_c = 18 + 3 * sin(2 * pi * time_ms / (20 * DAY_MS))
    return {
        "shaft_power_kw": round(power_kw * _own(rng), 1),
        "fuel_rate_t_h": round(power_kw * 178e-6 * _own(rng), 4),
        "me_rpm": round((28 + 4.6 * speed_kn * (1 + fouling / 6)) * (1 + (shared - 1) / 3) * _own(rng), 2),
        "me_exhaust_temp_c": round((265 + 120 * load) * _own(rng), 2),
        "lube_oil_temp_c": round((44 + 6 * load) * _own(rng), 2),
        "jacket_water_temp_c": round((78 + 4 * load) * _own(rng), 2),
        "seawater_temp_c": round(sea_c + rng.gauss(0, 0.1), 2),
    }


def aircraft_channels(rng: Random, gs_kn: float, alt_ft: float, wear: float = 0.0) -> dict[str, float]:
    """One engine, in the air. `wear`: share of what exhaust temperature and fuel flow are higher for the same thrust."""
    shared = 1.0 + rng.gauss(0, SHARED)
    thrust = (0.45 + 0.3 * gs_kn / 480 + 0.12 * alt_ft / 38_000) * shared
    return {
        "n1_pct": round((38 + 56 * thrust) * _own(rng), 2),
        "egt_c": round((310 + 330 * thrust) * (1 + wear) * _own(rng), 2),
        "fuel_flow_kg_h": round(2900 * thrust**1.2 * (1 + wear) * _own(rng), 1),
        "oil_pressure_psi": round((35 + 22 * thrust) * _own(rng), 2),
        "oil_temp_c": round((70 + 30 * thrust) * _own(rng), 2),
        "vibration_mm_s": round((0.6 + 1.1 * thrust) * (1 + rng.gauss(0, 0.02)), 3),
    }


def _own(rng: Random) -> float:
    return 1.0 + rng.gauss(0, OWN)
