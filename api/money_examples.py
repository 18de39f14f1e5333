"""One example of every shape of money, for OpenAPI and its readers; a test reads each back into its shape."""

from __future__ import annotations

from typing import Any

from api.examples import AT, ID, LATER, OTHER_ID

ACCOUNT_ID = "9b7a1a52-0f0e-4f1e-9a53-6d1d3c1f5b77"
MONTH: dict[str, Any] = {"from": "2026-05-01T00:00:00Z", "to": "2026-06-01T00:00:00Z"}
UTILIZATION_REPORT: dict[str, Any] = {
    "id": ACCOUNT_ID, "revision": 1, "lease_id": OTHER_ID, "asset_id": ID, "asset_name": "PH-XYZ", "kind": "monthly", **MONTH,
    "figures": {"flight_h": 312.45, "cycles": 148, "days_in_service": 30}, "signed_by": "CAMO manager", "received_at": AT,
    "actor": f"key:{ID}", "recorded_at": AT, "superseded_at": None,
}  # fmt: skip
RESTATED_MONTH: dict[str, Any] = {**MONTH, "closed_by": ["invoiced", "reported"]}
REPORTS_WRITTEN: dict[str, Any] = {"items": [UTILIZATION_REPORT], "unchanged": 0, "restated": [RESTATED_MONTH]}
COMPARISON: dict[str, Any] = {
    "measure": "flight_h", "observed": 312.45, "reported": 280.0, "difference": -32.45, "difference_pct": -10.385662,
    "tolerance": 6.249, "verdict": "under_reported", "reason": None,
}  # fmt: skip
EFFECT: dict[str, Any] = {
    "account_id": ACCOUNT_ID, "asset_id": ID, "asset_name": "ESN 123456", "bucket": "performance_restoration", "currency": "USD",
    "driver": "fh", "reported_quantity": 280.0, "observed_quantity": 312.45, "reported_rate": "199.44",
    "observed_rate": "199.44", "due_on_report": "55843.20", "due_on_observed": "62315.03", "difference": "6471.83", "reason": {},
}  # fmt: skip
RECONCILIATION: dict[str, Any] = {
    "lease_id": OTHER_ID, "lease_reference": "OL-118", "lessee": "Northern Air", "asset_id": ID, "asset_name": "PH-XYZ",
    "month": "2026-05", **MONTH, "status": "out_of_tolerance", "coverage": 0.98, "report_coverage": None, "is_estimate": False,
    "method": ["AC-DET-1/1"], "sources": {"adsb": 1.0}, "reports": [f"{ACCOUNT_ID}/1"], "comparisons": [COMPARISON],
    "fuel_gaps": [], "effects": [EFFECT], "effect": {"USD": "6471.83"}, "reason": {"report_coverage": "one_report_for_the_month"},
}  # fmt: skip
CHARGE: dict[str, Any] = {
    "kind": "excess_cycles", "unit": "fc", "actual": 160.0, "agreed": 133.333333, "billable": 26.666667, "excess": 26.666667,
    "rate": "150.00", "amount": "4000.00", "currency": "USD", "reason": {},
}  # fmt: skip
CHARGES: dict[str, Any] = {
    "lease_id": OTHER_ID, "month": "2026-05", **MONTH, "basis": "reported", "coverage": 1.0, "is_estimate": False,
    "method": ["lessee_report"], "sources": {}, "items": [CHARGE], "reason": {},
}  # fmt: skip
TERMS: dict[str, Any] = {"driver": "fh", "ratio_table": [["1.0", "310"], ["2.0", "205"]], "ratio_mode": "linear"}
RESERVE_ACCOUNT: dict[str, Any] = {
    "id": ACCOUNT_ID, "lease_id": OTHER_ID, "asset_id": ID, "asset_name": "ESN 123456", "bucket": "performance_restoration",
    "currency": "USD", "driver": "fh", "terms": TERMS, "priced_from": "2026-01", "priced_to": None, "accrued": "62315.03",
    "paid_in": "62315.03", "owed": "0.00", "claimed": "0.00", "paid_out": "0.00", "retained": "0.00", "held": "62315.03",
    "entries": 2, "opened_at": AT, "reason": {},
}  # fmt: skip
RESERVE_RATE: dict[str, Any] = {
    "account_id": ACCOUNT_ID, "terms": TERMS, "priced_from": "2026-01", "priced_to": None, "actor": f"key:{ID}",
    "recorded_at": AT,
}  # fmt: skip
WORKINGS: dict[str, Any] = {
    "unit": "flight hour",
    "quantity": "312.45",
    "rate": "199.44",
    "fh_fc_ratio": "2.1111",
    "basis": "reported",
}
RESERVE_ENTRY: dict[str, Any] = {
    "id": "118", "lease_id": OTHER_ID, "lease_reference": "OL-118", "lessee": "Northern Air", "asset_id": ID,
    "asset_name": "ESN 123456", "account_id": ACCOUNT_ID, "bucket": "performance_restoration", "kind": "accrual",
    "month": "2026-05", "quantity": "312.45", "unit": "flight hour", "rate": "199.44", "amount": "62315.03", "currency": "USD",
    "at": "2026-06-01T00:00:00Z", "entered_at": LATER, "actor": f"key:{ID}", "claim_id": None, "reverses": None,
    "workings": WORKINGS,
}  # fmt: skip
ACCRUED_LINE: dict[str, Any] = {
    "account_id": ACCOUNT_ID, "asset_id": ID, "asset_name": "ESN 123456", "bucket": "performance_restoration", "currency": "USD",
    "driver": "fh", "quantity": "312.45", "rate": "199.44", "amount": "62315.03", "change": "accrued", "booked": "62315.03",
    "entry_id": "118", "taken_from": None, "coverage": 0.98, "workings": WORKINGS, "reason": {},
}  # fmt: skip
ACCRUAL_RUN: dict[str, Any] = {
    "lease_id": OTHER_ID, "month": "2026-05", **MONTH, "basis": "reported", "revision": 1, "lines": [ACCRUED_LINE],
    "total": {"USD": "62315.03"}, "left_out": 0, "restated": [],
}  # fmt: skip
CLAIM: dict[str, Any] = {
    "account_id": ACCOUNT_ID, "claim_id": "119", "payout_id": "120", "invoice": "4600000.00", "excluded": "350000.00",
    "eligible": "4250000.00", "lessor_share": 0.0, "lessor_contribution": "0.00", "from_bucket": "3912400.00",
    "paid": "3912400.00", "shortfall": "337600.00", "held_after": "0.00", "currency": "USD",
}  # fmt: skip
RETURN_CONDITION: dict[str, Any] = {
    "id": "fresh_check", "revision": 2, "lease_id": OTHER_ID, "requirement": "Fresh 6Y check", "status": "met",
    "evidence": {"document": "CRS 2026-118"}, "due_on": "2026-11-30", "actor": f"key:{ID}", "recorded_at": AT,
}  # fmt: skip
RETURN_LINE: dict[str, Any] = {
    "asset_id": ID, "asset_name": "PH-XYZ", "component": "PH-XYZ airframe_6y", "item": "airframe_6y", "serial_no": None,
    "driver": "month", "limit": 72.0, "used": 50.0, "remaining": 0.305556, "reference": 0.5, "cost": "850000.00",
    "currency": "USD", "amount": "-165277.78", "assumption": "calendar", "reason": {},
}  # fmt: skip
RETURN_COMPENSATION: dict[str, Any] = {
    "lease_id": OTHER_ID, "asset_id": ID, "as_of": AT, "basis": "half_life", "direction": "two_way", "lines": [RETURN_LINE],
    "totals": [{"currency": "USD", "two_way": "-165277.78", "one_way": "165277.78", "lessee_pays": "165277.78",
                "by_component": {"PH-XYZ airframe_6y": "-165277.78"}}],
    "unknown": 0, "is_estimate": False, "coverage": 0.98, "method": ["AC-DET-1/1"], "open_conditions": 3, "reason": {},
}  # fmt: skip
LIFE_LIMIT: dict[str, Any] = {
    "id": "7", "asset_id": ID, "asset_name": "ESN 123456", "item": "core", "serial_no": "HPT-77120", "kind": "life",
    "driver": "fc", "limit": 20000.0, "used": 12400.0, "counted_at": AT, "cost": "1900000.00", "currency": "USD",
    "recorded_at": AT,
}  # fmt: skip
DUE: dict[str, Any] = {
    "driver": "fh", "limit": 7500.0, "used": 5100.0, "remaining": 2400.0, "per_day": 10.415, "days": 230.4369,
    "on": "2027-07-10", "assumption": "observed since the count, rate of the last 90 days", "reason": {},
}  # fmt: skip
FORECAST: dict[str, Any] = {
    "asset_id": ID, "asset_name": "ESN 123456", "installed_on": "Kestrel", "position": "1",
    "item": "performance_restoration", "serial_no": None,
    "kind": "interval", "as_of": AT, "governing": "fh", "on": "2027-07-10", "days": 230.4369, "overdue": False,
    "drivers": [DUE], "cost": "4250000.00", "currency": "USD", "coverage": 0.98, "is_estimate": False,
    "method": ["AC-DET-1/1"], "reason": {},
}  # fmt: skip
