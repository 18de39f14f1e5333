"""Faults of single sensors, of two that belong together, and slow wear: put into the channels that a track reports.

Each keeps all other channels as they were. A fault begins when the asset has been under way long enough for something to be
known of it, and holds for as many readings as a person would want before calling it a fault.
"""

from __future__ import annotations

from random import Random
from statistics import fmean, pstdev

from evaluation.inject.engines import aircraft_channels, ship_channels
from evaluation.inject.flights import flight, plane
from evaluation.inject.passages import START_MS, reading, ship, static_report
from evaluation.inject.sphere import KN_MPS, ahead
from evaluation.inject.track import DAY_MS, HOUR_MS, MINUTE_MS, Fault, Track, asset_of

KINDS = ("spike", "step", "drift", "stuck", "dead", "noise")
SHIP_SENSORS = ("shaft_power_kw", "fuel_rate_t_h", "me_rpm", "me_exhaust_temp_c", "lube_oil_temp_c", "jacket_water_temp_c")
AIRCRAFT_SENSORS = ("n1_pct", "egt_c", "fuel_flow_kg_h", "oil_pressure_psi", "oil_temp_c", "vibration_mm_s")
DECOUPLED = {
    "vessel": {"shaft_power_kw": 0.08, "fuel_rate_t_h": -0.08},
    "aircraft": {"egt_c": 0.035, "fuel_flow_kg_h": -0.085},
}
"""Channels that always move together, and by what share each departs: three to four times what it moves by anyway."""


def equipped(rng: Random, track: Track) -> Track:
    """A track with sensor channels that follow its own speed, draught and altitude, as its engine would have said."""
    out: Track = []
    for row in track:
        told: dict[str, float] | None = None
        if row["class"] == "vessel" and row.get("sog_kn") is not None:
            told = ship_channels(rng, row["sog_kn"], row.get("draught_m") or 9.0, row["time"])
        elif row["class"] == "aircraft" and row.get("gs_kn") is not None and row.get("alt_baro_ft") is not None:
            told = aircraft_channels(rng, row["gs_kn"], row["alt_baro_ft"])
        out.append(row if told is None or row.get("stream") == "static" else row | {"channels": told})
    return out


def fault_of_a_sensor(rng: Random, track: Track, kind: str, from_ms: int, hours: float) -> Fault:
    """One channel spikes for three minutes, steps, drifts off, sticks, dies or becomes noisy, from an instant for some hours.

    Args:
        rng: all chance comes from it.
        track: with channels.
        kind: of `KINDS`.
        from_ms: when it begins.
        hours: how long it holds (a spike: three minutes, or three readings).
    """
    sensors = SHIP_SENSORS if track[-1]["class"] == "vessel" else AIRCRAFT_SENSORS
    channel = rng.choice(sensors)
    before = [row["channels"][channel] for row in track if row["time"] < from_ms and channel in row.get("channels", {})]
    after = [row for row in track if row["time"] >= from_ms and channel in row.get("channels", {})]
    level, spread = fmean(before[-120:]), max(pstdev(before[-120:]), 0.01 * fmean(before[-120:]))
    from_ms = after[0]["time"]
    until_ms = from_ms + int(hours * HOUR_MS)
    if kind == "spike":
        until_ms = max(from_ms + 3 * MINUTE_MS, after[3]["time"])
    sign, stuck_at = rng.choice((1, -1)), before[-1]
    out: Track = []
    for row in track:
        if not from_ms <= row["time"] < until_ms or channel not in row.get("channels", {}):
            out.append(row)
            continue
        value = row["channels"][channel]
        share = (row["time"] - from_ms) / max(1, until_ms - from_ms)
        wrong = {
            "spike": value + sign * max(0.3 * level, 15 * spread),
            "step": value + sign * max(0.15 * level, 12 * spread),
            "drift": value + sign * share * max(0.3 * level, 20 * spread),
            "stuck": stuck_at,
            "dead": 0.0,
            "noise": value + rng.gauss(0, 1) * max(0.15 * level, 10 * spread),
        }[kind]
        out.append(row | {"channels": row["channels"] | {channel: round(wrong, 4)}})
    return Fault(out, asset_of(track[0]), from_ms, until_ms, channels=(channel,), subject=channel)


def decoupling(rng: Random, track: Track, from_ms: int, hours: float, scale: float = 1.0) -> Fault:
    """Two channels that always move together part: one up, the other down, neither far by itself.

    `scale`: of `DECOUPLED`, where the speed that everything depends on is itself noisy.
    """
    parting = DECOUPLED[track[-1]["class"]]
    until_ms = from_ms + int(hours * HOUR_MS)
    sign = rng.choice((1, -1))
    out: Track = []
    for row in track:
        channels = row.get("channels")
        if channels is None or not from_ms <= row["time"] < until_ms:
            out.append(row)
            continue
        parted = {name: round(channels[name] * (1 + sign * scale * share), 4) for name, share in parting.items()}
        out.append(row | {"channels": channels | parted})
    return Fault(out, asset_of(track[0]), from_ms, until_ms, channels=tuple(parting))


def hull_fouling(rng: Random, number: int, *, per_day: float = 0.002, clean_days: int = 60, days: int = 180) -> Fault:
    """Half a year of one ship, a reading an hour; after two months more and more power for the same speed.

    `per_day` 0 is the healthy twin.
    """
    who = ship(rng, number)
    lat, lon, course, ordered = rng.uniform(-30, 30), rng.uniform(-60, 60), rng.uniform(0, 360), who.service_kn
    track: Track = []
    for step in range(days * 24):
        time_ms = START_MS + step * HOUR_MS
        if step % 6 == 0:
            ordered = who.service_kn * rng.uniform(0.85, 1.05)
            course = (course + rng.uniform(-20, 20)) % 360
            if abs(lat) > 50:
                course = 180.0 if lat > 0 else 0.0
        lat, lon = ahead(lat, lon, course, ordered * KN_MPS * 3600)
        fouled = per_day * max(0.0, step / 24 - clean_days)
        row = reading(who, time_ms, lat, lon, ordered, course, rng)
        track.append(row | {"channels": ship_channels(rng, ordered, who.draught_m, time_ms, fouled)})
        if step % 24 == 0:
            track.append(static_report(who, time_ms + 1))
    from_ms = START_MS + clean_days * DAY_MS
    return Fault(
        track,
        f"mmsi:{who.mmsi}",
        from_ms,
        track[-1]["time"],
        channels=("shaft_power_kw", "fuel_rate_t_h", "me_rpm", "me_exhaust_temp_c"),
    )


def engine_wear(rng: Random, number: int, *, per_flight: float = 0.0008, healthy: int = 80, flights: int = 220) -> Fault:
    """Flights of one aircraft, four a day, a reading a minute; after eighty of them exhaust and fuel rise flight by flight.

    `per_flight` 0 is the healthy twin.
    """
    who = plane(rng, number)
    one, other = rng.sample(["LFPG", "EHAM", "EDDF", "LSZH", "LFBO"], 2)
    track: Track = []
    for count in range(flights):
        ends = (one, other) if count % 2 == 0 else (other, one)
        wear = per_flight * max(0, count - healthy)
        start_ms = START_MS + count * 6 * HOUR_MS
        flown = flight(
            rng, who, *ends, every_s=60, start_ms=start_ms, cruise_ft=rng.uniform(30_000, 36_000), channels=True, wear=wear
        )
        track += flown
    from_ms = START_MS + healthy * 6 * HOUR_MS
    return Fault(track, f"icao24:{who.icao24}", from_ms, track[-1]["time"], channels=("egt_c", "fuel_flow_kg_h"))
