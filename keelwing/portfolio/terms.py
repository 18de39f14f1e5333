"""Terms of the demo's leases, in the words of `fleet.lease.Terms`. Every amount is made up. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from keelwing.portfolio.stories import RATED, Tenancy
from simulators.element import SimulatedAsset
from simulators.motion import uniform

RENT = {
    "A320": 240_000, "A21N": 330_000, "B738": 250_000, "E190": 165_000, "A333": 420_000, "B77W": 690_000, "B789": 780_000,
    "A359": 850_000, "container": 980_000, "bulk_carrier": 420_000, "tanker": 1_050_000, "product_tanker": 520_000,
    "lng_carrier": 2_300_000, "general_cargo": 190_000, "ro_ro": 430_000,
}  # fmt: skip
"""USD a month when new."""
REDELIVERY_PLACES = {"aircraft": ["EIDW", "EDDF", "LFPG", "EHAM"], "vessel": ["SGSIN", "NLRTM", "CNYSA", "JPYOK"]}


def insurance_kinds(*, ship: bool) -> tuple[str, ...]:
    """Cover that the demo's leases ask for."""
    return ("hull", "war", "p_and_i") if ship else ("hull", "war", "liability")


def terms_of(asset: SimulatedAsset, tenancy: Tenancy, begin: datetime, end: datetime, key: int) -> dict[str, Any]:
    """The terms of one lease, as JSON."""
    rent = RENT[asset.type] * (0.7 + 0.3 * uniform(key, "rent"))
    terms: dict[str, Any] = {
        "rent": {"amount": f"{round(rent, -3):.2f}", "currency": "USD", "frequency": "monthly", "payable": "in_advance"},
        "security_deposit": {"amount": f"{round(3 * rent, -3):.2f}", "currency": "USD", "held_as": "cash"},
        "delivery": {"planned": (begin - timedelta(days=2)).date().isoformat()},
        "redelivery": {
            "window": {
                "from": (end - timedelta(days=15)).date().isoformat(), "to": (end + timedelta(days=15)).date().isoformat(),
            },
            "place_range": {"name": "as agreed", "places": REDELIVERY_PLACES[asset.asset_class]},
            "notice_days": {"approximate": [180, 90], "definite": [30, 10]},
            "condition_ref": "Schedule 7",
        },
        "extension_options": [{"period": "P1Y", "notice_by": (end - timedelta(days=200)).date().isoformat()}],
        "billing_time_zone": "UTC",
        "insurances_required": list(insurance_kinds(ship=asset.asset_class == "vessel")),
        "governing_law": "England",
        "clause_refs": ["9.4 tracking", "12.1 trading limits", "19 redelivery"],
    }  # fmt: skip
    if asset.asset_class == "aircraft":
        terms |= _aircraft(begin)
    else:
        terms |= _ship(asset, tenancy, end)
    return terms


def _aircraft(begin: datetime) -> dict[str, Any]:
    """Reserves in the shape of domain.md 1.4's worked example, whose figures are illustrations."""
    dated = begin.date().isoformat()
    heavy = {"driver": "month", "rate_date": dated, "escalation_pct": "2.5"}
    ratio = [["1.0", "310"], ["1.5", "245"], ["2.0", "205"], ["2.5", "180"], ["3.0", "165"]]
    parts: list[dict[str, Any]] = [
        {"part": "fan booster", "list_price": "1200000", "cycle_limit": 30000},
        {"part": "core", "list_price": "1900000", "cycle_limit": 20000},
        {"part": "lpt", "list_price": "1100000", "cycle_limit": 25000},
    ]
    reserves: list[dict[str, Any]] = [
        {"bucket": "airframe_6y", "currency": "USD", "rate": {**heavy, "event_cost": "850000", "interval": "72"}},
        {"bucket": "airframe_12y", "currency": "USD", "rate": {**heavy, "event_cost": "1050000", "interval": "144"}},
        {"bucket": "landing_gear", "currency": "USD", "rate": {**heavy, "event_cost": "480000", "interval": "120"}},
    ]
    for position in ("1", "2"):
        reserves.append(
            {"bucket": "performance_restoration", "component": position, "currency": "USD",
             "rate": {"driver": "fh", "ratio_table": ratio, "ratio_mode": "linear", "assumed_ratio": "2.0"}}
        )  # fmt: skip
        reserves += [
            {"bucket": f"llp_{part['part'].replace(' ', '_')}", "component": position, "currency": "USD",
             "rate": {"driver": "fc", "parts": [part], "stub_factor": "0.90"}}
            for part in parts
        ]  # fmt: skip
    return {
        "reserve_terms": reserves, "min_utilization": {"unit": "fh", "per": "month", "amount": "180"}, "assumed_ratio": "1.5",
        "excess_cycle_rate": {"amount": "150.00", "currency": "USD"}, "period_attribution": "landing",
        "return_terms": {"basis": "half_life", "direction": "two_way"}, "storage_preset": "cirium",
    }  # fmt: skip


def _ship(asset: SimulatedAsset, tenancy: Tenancy, end: datetime) -> dict[str, Any]:
    terms: dict[str, Any] = {"agreed_cii": [{"rating_worst": "B" if asset.plan == RATED else "C"}]}
    if tenancy.form == "time_charter":
        terms |= {
            "off_hire_rule": {"basis": "net", "deminimis_h": 24},
            "speed_consumption_warranty": [{"speed_kn": 13.5, "fuel_t_d": 30.0, "loading": "laden", "about_pct": 5}],
        }
    if tenancy.form in {"finance", "sale_leaseback"}:
        terms["purchase_option"] = {
            "price": {"amount": "21000000.00", "currency": "USD"}, "on": end.date().isoformat(),
            "notice_by": (end - timedelta(days=180)).date().isoformat(),
        }  # fmt: skip
    return terms
