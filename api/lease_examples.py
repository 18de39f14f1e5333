"""One example of every shape of `lease_shapes`, for OpenAPI and its readers."""

from __future__ import annotations

from typing import Any

from api.examples import AT, ID, LATER, OTHER_ID

PARTY: dict[str, Any] = {
    "id": ID, "name": "Northern Bulk", "country": "NL", "lei": "724500VKKSH9QOLTFR81",
    "particulars": {"screening": "clear 2026-11-01"}, "created_at": AT, "reason": {},
}  # fmt: skip
PARTY_CONTROL: dict[str, Any] = {
    "id": "4", "party": ID, "parent": OTHER_ID, "parent_name": "Northern Holding", "valid_from": None, "valid_to": None,
    "recorded_at": AT, "source": "registration", "actor": f"key:{ID}",
}  # fmt: skip
TENURE: dict[str, Any] = {
    "lessee": ID, "lessee_name": "Northern Bulk", "valid_from": "2026-01-03T06:00:00Z", "valid_to": None, "recorded_at": AT,
    "revision": 1,
}  # fmt: skip
TERMS: dict[str, Any] = {
    "rent": {"amount": "312500.00", "currency": "USD", "frequency": "monthly", "payable": "in_advance"},
    "security_deposit": {"amount": "900000.00", "currency": "USD"},
    "extension_options": [{"period": "P1Y", "notice_by": "2027-06-30"}],
    "redelivery": {
        "window": {"from": "2027-12-15", "to": "2028-01-15"},
        "place_range": {"name": "ARA", "places": ["NLRTM", "BEANR"]},
        "notice_days": {"approximate": [60, 30], "definite": [10]},
    },
    "off_hire_rule": {"basis": "net", "deminimis_h": 24.0},
    "agreed_cii": [{"year": 2026, "rating_worst": "C"}], "insurances_required": ["hull", "war"],
}  # fmt: skip
LEASE_CONTRACT: dict[str, Any] = {
    "id": OTHER_ID, "asset_id": ID, "reference": "NB-2026-01", "form": "time_charter", "head": True, "parent_lease_id": None,
    "phase": "active", "lessee": ID, "lessee_name": "Northern Bulk", "signed_on": "2025-11-03",
    "term_from": "2026-01-01T00:00:00Z", "term_to": "2028-01-01T00:00:00Z", "delivered_at": "2026-01-03T06:00:00Z",
    "ended_at": None, "tenures": [TENURE], "terms": TERMS, "revision": 3, "recorded_at": AT, "actor": f"key:{ID}",
    "reason": {"ended_at": "not_ended"},
}  # fmt: skip
LEASE_EVENT: dict[str, Any] = {
    "id": "9c3f7c1e-2a54-4a0e-8e63-0a5b3c1d2e11", "lease_id": OTHER_ID, "asset_id": ID, "kind": "lease_delivery",
    "at": "2026-01-03T06:00:00Z", "evidence": {"acceptance_certificate": "AC-17", "place": "NLRTM"}, "actor": f"key:{ID}",
    "corrects": None, "recorded_at": AT, "superseded_at": None,
}  # fmt: skip
LEASE_TRANSITION: dict[str, Any] = {
    "event_id": LEASE_EVENT["id"], "lease": LEASE_CONTRACT, "stage": "on_lease", "following": [], "warnings": [],
    "restated_months": 0,
}  # fmt: skip
LEASE_PARTY: dict[str, Any] = {
    "id": "12", "lease_id": OTHER_ID, "party": ID, "party_name": "Northern Holding", "country": "NL", "role": "guarantor",
    "valid_from": None, "valid_to": None, "recorded_at": AT, "source": "contract", "actor": f"key:{ID}",
}  # fmt: skip
TERRITORY_RULE: dict[str, Any] = {
    "id": "excluded", "lease_id": OTHER_ID, "revision": 1, "kind": "prohibited", "event_scope": "port_call",
    "area_set": "JWLA-032", "area_set_version": None, "prior_notice_h": None, "carve_outs": ["force_majeure"],
    "severity": "critical", "is_active": True, "valid_from": None, "valid_to": None, "recorded_at": AT, "actor": f"key:{ID}",
}  # fmt: skip
COVENANT: dict[str, Any] = {
    "id": "ais", "lease_id": OTHER_ID, "revision": 1, "clause": "12(b)",
    "predicate": {"kind": "ais_on", "silence_h_max": 6.0}, "severity": "warning", "is_active": True, "valid_from": None,
    "valid_to": None, "recorded_at": AT, "actor": f"key:{ID}",
}  # fmt: skip
TRIAL: dict[str, Any] = {
    "lease_id": OTHER_ID, "clause_id": "ais", "predicate": "ais_on", "from": "2026-11-01T00:00:00Z",
    "to": "2026-11-20T00:00:00Z", "readings": 41234,
    "breaches": [{
        "rule": "covenant_breach", "severity": "warning", "asset": "imo:9074729", "subject": "ais",
        "opened_at": "2026-11-07T03:12:00Z", "closed_at": "2026-11-07T14:40:00Z", "detected_at": "2026-11-07T09:13:00Z",
        "evidence": {
            "lease_id": OTHER_ID, "clause": "12(b)", "covenant": "ais", "predicate": "ais_on", "silence_h_max": 6.0,
            "verdict": "dark", "silent_h": 11.47,
        },
    }],
}  # fmt: skip
INSURANCE: dict[str, Any] = {
    "id": ID, "lease_id": OTHER_ID, "revision": 1, "kind": "hull", "insurer": "Harbour Mutual", "agreed_value": "41500000.00",
    "currency": "USD", "cover_from": "2026-01-01T00:00:00Z", "cover_to": "2027-01-01T00:00:00Z", "area_set": None,
    "cancellation_notice_days": 7, "loss_payee": "Keel Leasing", "certificates": ["HM-2026-331"], "recorded_at": AT,
    "actor": f"key:{ID}", "reason": {"area_set": "worldwide_or_not_given"},
}  # fmt: skip
ASSET_EVENT: dict[str, Any] = {
    "id": "1b7d90f2-6f1c-4f2a-9d0d-1c2b3a4d5e6f", "asset_id": ID, "kind": "manufacturer_delivery", "basis": "reported",
    "at": "2024-05-02T06:00:00Z", "evidence": {"title_document": "BOS-7741"}, "actor": f"key:{ID}", "corrects": None,
    "recorded_at": AT, "superseded_at": None,
}  # fmt: skip
ASSET_TRANSITION: dict[str, Any] = {
    "event_id": ASSET_EVENT["id"], "asset_id": ID, "stage": "delivered", "ownership_phase": "owned", "following": [],
    "restated_months": 0, "reason": {},
}  # fmt: skip
MAINTENANCE: dict[str, Any] = {
    "id": ID, "asset_id": ID, "kind": "drydock", "planned_from": "2026-05-20T00:00:00Z", "planned_to": "2026-06-05T00:00:00Z",
    "actual_from": "2026-05-22T04:00:00Z", "actual_to": "2026-06-03T18:00:00Z", "place": "SGSIN", "use_at": {},
    "cost": "1250000.50", "currency": "USD", "evidence": {"certificate": "DNV-88"}, "recorded_at": AT, "actor": f"key:{ID}",
    "reason": {},
}  # fmt: skip
EXPOSURE: dict[str, Any] = {
    "party": PARTY, "as_of": LATER, "known_at": None, "group": [PARTY],
    "assets": [{
        "asset_id": ID, "name": "Blue Heron", "class": "vessel", "stage": "on_lease", "lease_id": OTHER_ID, "phase": "active",
        "lessee": ID, "lessee_name": "Northern Bulk", "form": "time_charter", "held_since": "2026-01-03T06:00:00Z",
        "term_to": "2028-01-01T00:00:00Z", "days_to_term_end": 404.7, "position": {"type": "Point", "coordinates": [3.9, 51.95]},
        "position_time": AT, "operating_status": "moored", "reason": {},
    }],
    "leases_ending": [LEASE_CONTRACT],
    "reserves": [{
        "account_id": ID, "lease_id": OTHER_ID, "asset_id": ID, "asset_name": "Blue Heron", "bucket": "drydock",
        "currency": "USD", "held": "640000.00", "owed": "18250.00",
    }],
    "deposits": [{
        "lease_id": OTHER_ID, "amount": "900000.00", "currency": "USD", "held_as": "cash", "expires_on": None,
    }],
    "totals": [{"currency": "USD", "reserves_held": "640000.00", "reserves_owed": "18250.00", "deposits": "900000.00"}],
    "insurances": [INSURANCE], "complete": True,
}  # fmt: skip
