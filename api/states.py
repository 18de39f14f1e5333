"""From what the streams of an asset last said to one state object. Pure: rows in, shapes out.

An asset may be heard by several streams at once (its own device and two feeds); each part of the state is taken from the
stream that said it last, and says its own time where that matters. It knows no query and no clock: `now_us` is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from api.shapes import (
    AltitudeShape,
    AreaShape,
    AssetShape,
    CoverageShape,
    DeviceStatusShape,
    IdentifierShape,
    InstallationShape,
    LeaseShape,
    NulledShape,
    PointShape,
    Reasons,
    ReportedShape,
    SpeedShape,
    StateShape,
    WeightShape,
)
from fleet import displacement
from fleet.identifiers import check_digit_warning
from fleet.instants import HOUR_US, SECOND_US, to_datetime, to_rfc3339
from fleet.stage import operating_status as told_status
from fleet.trainset import KMH_PER_KN

Row = dict[str, Any]

# ITU-R M.1371-5 table 48, in words; 9 to 13 are regional or reserved and say nothing.
NAV_STATUS_WORDS = {
    0: "under_way_using_engine", 1: "at_anchor", 2: "not_under_command", 3: "restricted_manoeuvrability",
    4: "constrained_by_draught", 5: "moored", 6: "aground", 7: "fishing", 8: "under_way_sailing", 14: "distress_beacon",
}  # fmt: skip

# design 4.6, silence thresholds without context: a vessel 6 h, an aircraft 10 min, a trainset 30 min.
STALE_AFTER_US = {"vessel": 6 * HOUR_US, "aircraft": HOUR_US // 6, "trainset": HOUR_US // 2}
MOVING_KN = 0.5  # MarineTraffic's "stopped" (peers.md 5.4), for a trainset too: its odometer's noise is below it
# Of a static report, what says who the asset is; draught, destination and arrival are the voyage's and the lessor's to share.
IDENTITY_FIELDS = frozenset(
    {"name", "call_sign", "flag", "imo", "mmsi", "registration", "icao24", "type", "length_m", "beam_m"}
)  # fmt: skip


def time_of(time_us: int | None) -> str | None:
    """RFC 3339 of an instant that may be unknown."""
    return None if time_us is None else to_rfc3339(time_us)


def identifier_shape(row: Row) -> IdentifierShape:
    """An identifier row as the API shows it."""
    return IdentifierShape(
        scheme=row["scheme"],
        value=row["value"],
        valid_from=time_of(row["valid_from"]),
        valid_to=time_of(row["valid_to"]),
        recorded_at=time_of(row["recorded_at"]),
        source=row["source"],
        warning=check_digit_warning(row["scheme"], row["value"]),
    )


def area_shape(row: Row) -> AreaShape:
    """A version of an area as the API shows it."""
    return AreaShape(
        id=row["area_id"],
        name=row["name"],
        kind=row["kind"],
        severity=row["severity"],
        applies_to=list(row["applies_to"]),
        area_set=row["area_set"],
        issuer=row["issuer"],
        version=row["version"],
        geometry=row["geometry"],
        radius_m=row["radius_m"],
        bbox=[row["west_deg"], row["south_deg"], row["east_deg"], row["north_deg"]],
        valid_from=time_of(row["valid_from"]),
        valid_to=time_of(row["valid_to"]),
        recorded_at=to_rfc3339(row["recorded_at"]),
        source=row["source"],
        own=row["tenant"] != "_",
    )


def installation_shape(row: Row) -> InstallationShape:
    """A component on its parent as the API shows it."""
    return InstallationShape(
        asset_id=str(row["asset_id"]),
        class_=row["class"],
        name=row["name"],
        type=row["type"],
        parent_id=str(row["parent_asset_id"]),
        parent_name=row["parent_name"],
        position=row["position"],
        valid_from=time_of(row["valid_from"]),
        valid_to=time_of(row["valid_to"]),
        recorded_at=to_rfc3339(row["recorded_at"]),
        source=row["source"],
    )


def lease_shape(row: Row) -> LeaseShape:
    """A lease row as the API shows it."""
    return LeaseShape(
        id=str(row["lease_id"]),
        lessee=str(row["lessee_party_id"]),
        lessee_name=row["lessee_name"],
        form=row["form"],
        valid_from=time_of(row["valid_from"]),
        valid_to=time_of(row["valid_to"]),
        recorded_at=time_of(row["recorded_at"]),
    )


def asset_shape(row: Row, identifiers: Iterable[Row], lease: Row | None) -> AssetShape:
    """An asset row with its identifiers and the lease in force."""
    reason: Reasons = {}
    if row["type"] is None:
        reason["type"] = "not_given"
    if row["stage"] is None:
        reason["stage"] = "not_derived"
    if lease is None:
        reason["current_lease"] = "no_lease_in_force"
    return AssetShape(
        id=str(row["asset_id"]),
        class_=row["class"],
        name=row["name"],
        type=row["type"],
        identifiers=[identifier_shape(each) for each in identifiers],
        stage=row["stage"],
        current_lease=None if lease is None else lease_shape(lease),
        particulars=row["particulars"],
        created_at=to_rfc3339(row["created_at"]),
        reason=reason,
    )


def reported_shape(row: Row, *, insider: bool) -> ReportedShape:
    """A static report row as the API shows it; of a lessee's the identity alone."""
    said = row["particulars"]
    return ReportedShape(
        time=to_rfc3339(row["time"]), source=row["source"], identifier=f"{row['scheme']}:{row['value']}",
        particulars=said if insider else {name: value for name, value in said.items() if name in IDENTITY_FIELDS},
    )  # fmt: skip


def device_status_shape(row: Row) -> DeviceStatusShape:
    """A device's status row as the API shows it."""
    return DeviceStatusShape(identifier=row["origin"], online=row["online"], since=to_rfc3339(row["since"]))


def nulled_shapes(rows: Iterable[Row]) -> list[NulledShape]:
    """Counts of fields made null as the API shows them."""
    return [NulledShape(field=row["field"], reason_code=row["reason"], count=row["count"]) for row in rows]


def said_of(report: Row | None, status: Row | None, *, insider: bool) -> tuple[dict[str, Any], Reasons]:
    """`reported` and `device_status`, and why one of them is null."""
    reason: Reasons = {}
    if report is None:
        reason["reported"] = "never_reported"
    if status is None:
        reason["device_status"] = "never_said" if insider else "not_shared"
    parts = {
        "reported": None if report is None else reported_shape(report, insider=insider),
        "device_status": None if status is None else device_status_shape(status),
    }
    return parts, reason


def _newest(rows: Sequence[Row], time_column: str) -> Row | None:
    said = [row for row in rows if row[time_column] is not None]
    return max(said, key=lambda row: (row[time_column], row["received_at"]), default=None)


def operating_status(asset_class: str, row: Row | None, speed_kn: float | None) -> str | None:
    """What the asset says it does: a ship's navigational status, an aircraft in the air or on the ground, a train moving."""
    if asset_class == "vessel":
        return None if row is None else NAV_STATUS_WORDS.get(row["nav_status"])
    if asset_class == "aircraft":
        if row is None or row["on_ground"] is None:
            return None
        return "on_ground" if row["on_ground"] else "airborne"
    if speed_kn is None:
        return None
    return "moving" if speed_kn >= MOVING_KN else "stopped"


def _weight(asset: Row, draught_m: float | None, on: date) -> tuple[WeightShape | None, str]:
    if asset["class"] != "vessel":
        return None, "not_observable"
    if draught_m is None:
        return None, "no_draught"
    ship_type = None if asset["type"] is None else asset["type"].lower().replace(" ", "_").replace("-", "_")
    found = displacement.estimate(asset["particulars"], draught_m, on, ship_type=ship_type)
    if found is None:
        return None, "no_hull_particulars"
    summer_m = asset["particulars"].get("summer_draught_m")
    known = isinstance(summer_m, int | float) and not isinstance(summer_m, bool) and summer_m > 0
    return WeightShape(
        displacement_t=round(found.displacement_t, 1),
        method=found.method,
        confidence=found.confidence,
        deadweight_t=None if found.deadweight_t is None else round(found.deadweight_t, 1),
        loading=displacement.laden_state(draught_m, summer_m, on) if known else "unknown",
        reason={} if found.deadweight_t is not None else {"deadweight_t": "no_lightship"},
    ), ""


def _speed(asset_class: str, speed_kn: float | None) -> SpeedShape | None:
    if speed_kn is None:
        return None
    if asset_class == "trainset":
        return SpeedShape(value=round(speed_kn * KMH_PER_KN, 3), unit="km/h")
    return SpeedShape(value=round(speed_kn, 3), unit="kn")


def state_shape(asset: Row, said: Sequence[Row], lease: Row | None, now_us: int, *, insider: bool = True) -> StateShape:
    """One state out of the last words of an asset's streams.

    Args:
        asset: the asset's row (`asset_id`, `class`, `particulars`, `stage`, open `statuses`).
        said: rows of `store.reads.latest` or `as_of` about this asset, any number, any order.
        lease: the lease in force, or None.
        now_us: the instant ages are counted to.
        insider: False for a lessee's key, which sees no draught, weight or sensors.
    """
    asset_class = asset["class"]
    last, place, motion, status, depth, sensors = (
        _newest(said, name)
        for name in ("time", "position_time", "speed_time", "status_time", "draught_time", "channels_time")
    )  # fmt: skip
    speed_kn = None if motion is None else motion["speed_kn"]
    draught_m = None if depth is None or not insider else depth["draught_m"]
    weight, no_weight = _weight(asset, draught_m, to_datetime(now_us).date()) if insider else (None, "not_shared")
    altitude_ft = None if place is None else place["alt_baro_ft"]
    parts: dict[str, Any] = {
        "time": None if last is None else to_rfc3339(last["time"]),
        "age_s": None if last is None else max(0.0, round((now_us - last["time"]) / SECOND_US, 3)),
        "position": None if place is None else PointShape(coordinates=(place["lon_deg"], place["lat_deg"])),
        "position_time": None if place is None else to_rfc3339(place["position_time"]),
        "course_deg": None if motion is None else motion["course_deg"],
        "speed": _speed(asset_class, speed_kn),
        "altitude": None if altitude_ft is None else AltitudeShape(value=altitude_ft),
        "draught_m": draught_m,
        "weight": weight,
        "operating_status": told_status(asset.get("statuses", ()), operating_status(asset_class, status, speed_kn)),
        "stage": asset["stage"],
        "lease": None if lease is None else lease_shape(lease),
        "coverage": _coverage(asset_class, last, now_us),
        "channels": sensors["channels"] if insider and sensors is not None else None,
    }
    reason = _reasons(parts, heard=last is not None, asset_class=asset_class, no_weight=no_weight, insider=insider)
    return StateShape(asset_id=str(asset["asset_id"]), reason=reason, **parts)


def _coverage(asset_class: str, last: Row | None, now_us: int) -> CoverageShape | None:
    if last is None:
        return None
    stale = now_us - last["time"] > STALE_AFTER_US[asset_class]
    return CoverageShape(quality="stale" if stale else "heard", last_heard_at=to_rfc3339(last["time"]))


def _reasons(parts: dict[str, Any], *, heard: bool, asset_class: str, no_weight: str, insider: bool) -> Reasons:
    """Why each null part is null; one word a part."""
    said = "not_reported" if heard else "never_heard"
    special = {"weight": no_weight, "lease": "no_lease_in_force", "stage": "not_derived"}
    if asset_class != "aircraft":
        special["altitude"] = "not_observable"
    if asset_class != "vessel":
        special["draught_m"] = "not_observable"
    if not insider:
        special |= {"draught_m": "not_shared", "channels": "not_shared"}
    return {name: special.get(name, said) for name, part in parts.items() if part is None}
