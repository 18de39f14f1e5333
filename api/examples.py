"""One example of every shape, for OpenAPI and its readers; a test reads each back into its shape."""

from __future__ import annotations

from typing import Any

ID = "0d3c7a52-6f0e-4f1e-9a53-6d1d3c1f5b11"
OTHER_ID = "6a1f5e0c-12f4-4a1b-8a6e-0a4b4a1f2c33"
AT = "2026-11-22T07:00:00Z"
LATER = "2026-11-22T07:05:00Z"

IDENTIFIER: dict[str, Any] = {
    "scheme": "imo", "value": "9074729", "valid_from": None, "valid_to": None, "recorded_at": AT,
    "source": "registration", "warning": None,
}  # fmt: skip
NAME: dict[str, Any] = {
    "scheme": "name", "value": "Blue Heron", "valid_from": AT, "valid_to": None, "recorded_at": LATER, "source": "paper",
    "warning": None,
}  # fmt: skip
ACCEPTED: dict[str, Any] = {"finding_id": "5c1d7e0f9a", "identifiers": [{**NAME, "source": "accepted:5c1d7e0f9a"}]}
AREA: dict[str, Any] = {
    "id": "NLRTM", "name": "Rotterdam", "kind": "port", "severity": "info", "applies_to": ["vessel"], "area_set": None,
    "issuer": "UNECE", "version": "2024-2", "geometry": {"type": "Point", "coordinates": [4.05, 51.95]}, "radius_m": 3000.0,
    "bbox": [4.006, 51.923, 4.094, 51.977], "valid_from": None, "valid_to": None, "recorded_at": AT, "source": "unlocode.csv",
    "own": True,
}  # fmt: skip
AREA_COLLECTION: dict[str, Any] = {
    "type": "FeatureCollection",
    "features": [{
        "type": "Feature", "id": "own-limits",
        "geometry": {"type": "Polygon", "coordinates": [[[177.0, -19.0], [-178.0, -19.0], [-178.0, -15.0], [177.0, -19.0]]]},
        "properties": {"id": "own-limits", "name": "Outside the trading limits", "kind": "prohibited", "issuer": "lessor",
                       "version": "2026-1", "severity": "warning", "applies_to": ["vessel"]},
    }],
}  # fmt: skip
PRESENCE_QUESTION: dict[str, Any] = {
    "area": {"type": "Polygon", "coordinates": [[[53.1, 16.6], [60.2, 10.8], [48.7, -6.7], [36.0, 18.0], [53.1, 16.6]]]},
    "from": "2026-05-01T00:00:00Z",
}  # fmt: skip
PRESENCE: dict[str, Any] = {
    "asset_id": ID, "class": "vessel", "name": "Blue Heron", "verdict": "possible", "inside": [],
    "silences": [{"from": AT, "to": LATER, "silent_h": 11.5, "last_position": {"type": "Point", "coordinates": [52.1, 17.2]},
                  "next_position": {"type": "Point", "coordinates": [54.0, 17.9]}, "last_distance_nm": 31.2,
                  "next_distance_nm": 60.4, "needed_speed_kn": 9.8, "limit_speed_kn": 25.0}],
    "coverage": 0.97, "is_estimate": False, "method": "fixes-and-ellipse/1",
    "sources": ["asset_reading_hour", "asset_reading_vessel"], "reason": {},
}  # fmt: skip
IMPORTED: dict[str, Any] = {"added": 1, "replaced": 0, "unchanged": 0}
INSTALLATION: dict[str, Any] = {
    "asset_id": OTHER_ID, "class": "engine", "name": "ESN 123456", "type": "CFM56-5B4", "parent_id": ID, "parent_name": "PH-XYZ",
    "position": "1", "valid_from": AT, "valid_to": None, "recorded_at": LATER, "source": "paper",
}  # fmt: skip
LEASE: dict[str, Any] = {
    "id": OTHER_ID, "lessee": ID, "lessee_name": "Northern Bulk", "form": "time", "valid_from": "2026-01-01T00:00:00Z",
    "valid_to": None, "recorded_at": AT,
}  # fmt: skip
ASSET: dict[str, Any] = {
    "id": ID, "class": "vessel", "name": "Blue Heron", "type": "bulk carrier", "identifiers": [IDENTIFIER], "stage": None,
    "current_lease": LEASE, "particulars": {"length_m": 225, "beam_m": 32.26}, "created_at": AT,
    "reason": {"stage": "not_derived"},
}  # fmt: skip
REPORTED: dict[str, Any] = {
    "time": AT, "source": "ais_terrestrial", "identifier": "mmsi:244660000",
    "particulars": {"name": "BLUE HERON", "call_sign": "PBHN", "destination": "ROTTERDAM"},
}  # fmt: skip
DEVICE_STATUS: dict[str, Any] = {"identifier": "imo:9074729", "online": True, "since": AT}
ASSET_DETAIL: dict[str, Any] = {**ASSET, "reported": REPORTED, "device_status": DEVICE_STATUS}
NULLED: dict[str, Any] = {"field": "sog_kn", "reason": "out_of_range", "count": 3}
COVERAGE: dict[str, Any] = {
    "asset_id": ID, "first_time": AT, "last_time": LATER, "readings": 17, "positions": 16,
    "origins": [
        {"origin": "feed:coast", "readings": 10, "positions": 10, "received": None, "stored": None, "late": None,
         "duplicate": None, "rejected": None, "nulled": None, "device_status": None,
         "reason": {"received": "counted_by_feed", "stored": "counted_by_feed", "late": "counted_by_feed",
                    "duplicate": "counted_by_feed", "rejected": "counted_by_feed", "nulled": "counted_by_feed",
                    "device_status": "not_a_device"}},
        {"origin": "imo:9074729", "readings": 7, "positions": 6, "received": 9, "stored": 7, "late": 0, "duplicate": 1,
         "rejected": 1, "nulled": [NULLED], "device_status": DEVICE_STATUS, "reason": {}},
    ],
    "reason": {},
}  # fmt: skip
STATE: dict[str, Any] = {
    "asset_id": ID, "time": AT, "age_s": 4.2, "position": {"type": "Point", "coordinates": [3.9, 51.95]}, "position_time": AT,
    "course_deg": 212.4, "speed": {"value": 12.3, "unit": "kn"}, "altitude": None, "draught_m": 9.0,
    "weight": {"displacement_t": 56374.7, "method": "block_coefficient", "confidence": "medium", "deadweight_t": 44474.7,
               "loading": "partial", "reason": {}},
    "operating_status": "under_way_using_engine",
    "stage": None, "lease": LEASE, "coverage": {"quality": "heard", "last_heard_at": AT},
    "channels": {"me_exhaust_temp_c": 341.0}, "reason": {"altitude": "not_observable", "stage": "not_derived"},
}  # fmt: skip
STAY: dict[str, Any] = {
    "asset_id": ID, "kind": "port_call", "place": "NLRTM", "started_at": "2026-05-03T04:10:00Z",
    "ended_at": "2026-05-04T16:40:00Z", "seen_until": "2026-05-04T16:40:00Z", "duration_h": 36.5, "confidence": 4,
    "quality": "observed", "coverage": 1.0, "is_estimate": False, "method": "vessel_use/1",
    "sources": {"ais_terrestrial": 131400.0}, "reason": {},
}  # fmt: skip
TRAIN_USE: dict[str, Any] = {
    "asset_id": ID, "period_from": "2026-05-04T00:00:00Z", "period_to": "2026-05-05T00:00:00Z", "train_km": 521.7,
    "car_km": 3130.2, "cars": [{"asset_id": OTHER_ID, "name": "94 80 0472 101-1", "position": "1", "car_km": 521.7}],
    "in_service_h": 19.5, "door_cycles": 31104.0, "door_cycles_per_leaf": 648.0, "energy_kwh": 7825.5, "kwh_per_car_km": 2.5,
    "compressor_duty": 0.06, "failures": 0.0, "mdbf_car_km": None, "mdbf_at_least_car_km": 3130.2, "coverage": 0.99,
    "is_estimate": False, "method": "odometer; cars by their dated installation", "sources": {"device": 1.0},
    "reason": {"mdbf_car_km": "no_failures"},
}  # fmt: skip
USE: dict[str, Any] = {
    "period_h": 8760.0, "state_h": {"moored": 1200.0, "under_way": 7400.0, "unknown": 160.0}, "distance_nm": 81234.5,
    "laden_nm": 45000.0, "ballast_nm": 36000.0, "flight_h": None, "cycles": None, "attribution": None, "coverage": 0.98,
    "is_estimate": False, "method": "whole UTC days, edges cut in proportion to time",
    "sources": {"ais_terrestrial": 30905280.0}, "figures": {},
    "reason": {"flight_h": "not_of_class", "cycles": "not_of_class", "attribution": "not_of_class"},
}  # fmt: skip
USAGE_PERIOD: dict[str, Any] = {
    **USE, "period_from": "2026-05-01T00:00:00Z", "period_to": "2026-06-01T00:00:00Z", "month": "2026-05", "lease_id": None,
    "lessee_name": None, "reason": {**USE["reason"], "lease_id": "not_asked", "lessee_name": "not_asked"},
}  # fmt: skip
JOURNEY: dict[str, Any] = {
    "id": "5c1d7e0f9a2b4c6d8e0f1a2b3c4d5e6f", "revision": 2, "kind": "flight", "asset": "icao24:4840d6",
    "started_at": "2026-04-30T22:40:00Z", "ended_at": "2026-05-01T01:10:00Z", "from": "EHAM", "to": "LIRF",
    "quality": "midpoint", "confidence": None, "coverage": 0.97, "is_estimate": False, "method": "AC-DET-1/1", "flight_h": 2.5,
    "block_h": None, "cycles": 1, "distance_nm": 702.4, "sources": {"adsb": 8730.0},
    "figures": {"callsign": "KLM1597", "off_window_s": 10.0, "on_window_s": 8.0, "flight_s": 9000.0}, "lease_id": OTHER_ID,
    "recorded_at": LATER, "reason": {"confidence": "not_of_kind", "block_h": "out_and_in_not_known"},
}  # fmt: skip
LEASE_PERIOD: dict[str, Any] = {
    "lease_id": OTHER_ID, "reference": "NB-2026-01", "form": "bareboat", "head": True, "parent_lease_id": None, "lessee": ID,
    "lessee_name": "Northern Bulk", "signed_on": "2025-11-03", "term_from": "2026-01-03T00:00:00Z",
    "term_to": "2027-01-22T07:00:00Z", "valid_from": "2026-01-01T00:00:00Z", "valid_to": None, "in_force": True,
    "days_to_redelivery": 61.0, "use": USE, "source": "tenure", "recorded_at": AT, "reason": {"valid_to": "running"},
}  # fmt: skip
MILESTONE: dict[str, Any] = {
    "kind": "lease_delivery", "lease_id": OTHER_ID, "at": "2026-01-01T00:00:00Z",
    "contract": {"at": "2026-01-03T00:00:00Z", "source": "contract", "place": None, "movement": None, "recorded_at": AT},
    "reported": {"at": "2026-01-01T00:00:00Z", "source": f"key:{ID}", "place": "CNSHA", "movement": None, "recorded_at": AT},
    "observed": {"at": "2026-01-01T09:30:00Z", "source": "port_call v1", "place": "CNSHA", "movement": "departure",
                 "recorded_at": AT},
    "days_late": -2.0,
    "words": "contract says delivered 3 Jan 2026; reported 1 Jan 2026; departed CNSHA 1 Jan 2026", "reason": {},
}  # fmt: skip
LIFECYCLE: dict[str, Any] = {
    "asset_id": ID, "class": "vessel", "name": "Blue Heron", "type": "bulk carrier", "stage": "on_lease", "registered_at": AT,
    "first_heard_at": AT, "last_heard_at": LATER, "streams": 2, "valid_at": LATER, "known_at": None, "days_to_redelivery": 61.0,
    "stages": [{"stage": "on_lease", "valid_from": "2026-01-01T00:00:00Z", "valid_to": None, "because": "lease_delivery",
                "basis": "reported", "source": "tenure", "recorded_at": AT}],
    "lease_periods": [LEASE_PERIOD], "milestones": [MILESTONE],
    "maintenance": [{"id": ID, "kind": "drydock", "planned_from": "2027-03-01T00:00:00Z", "planned_to": None, "actual_from": None,
                     "actual_to": None, "place": "SGSIN", "use_at": {}, "cost_amount": "1200000.00", "currency": "USD",
                     "source": f"key:{ID}", "recorded_at": AT}],
    "identifiers": [IDENTIFIER], "installations": [], "leases": [LEASE], "use": USE, "use_off_lease": None,
    "gaps": [{"id": "5c1d7e0f9a", "severity": "warning", "verdict": "dark", "opened_at": AT, "closed_at": LATER,
              "source": "finding", "recorded_at": LATER}],
    "alerts": [{"id": OTHER_ID, "rule": "position_jump", "subject": None, "severity": "warning", "status": "open",
                "lease_id": OTHER_ID, "opened_at": AT, "closed_at": None, "source": "alert revision 1", "recorded_at": LATER}],
    "state": STATE, "operating_status": "moored", "reported": REPORTED, "device_status": DEVICE_STATUS, "truncated": [],
    "reason": {"use_off_lease": "always_on_lease", "known_at": "now"},
}  # fmt: skip
FINDING: dict[str, Any] = {
    "rule": "position_jump", "severity": "warning", "asset": "imo:9074729", "subject": None, "opened_at": AT,
    "closed_at": AT, "detected_at": AT, "score": None, "evidence": {"implied_speed_kn": 212.4, "limit_kn": 60.0},
    "id": "5c1d7e0f9a", "revision": 1, "rule_version": 1, "asset_id": ID, "retracted": False,
}  # fmt: skip
OBLIGATION: dict[str, Any] = {
    "id": "9f1c2d3e4b5a69788796a5b4c3d2e1f0", "due_on": "2026-12-12", "days_left": 20, "overdue": False, "kind": "insurance_end",
    "title": "Hull cover ends: Blue Heron", "basis": "contract", "is_estimate": False, "window_from": None, "asset_id": ID,
    "asset": "imo:9074729", "asset_name": "Blue Heron", "class": "vessel", "lease_id": OTHER_ID, "reference": "NB-2026-01",
    "lessee": "Northern Bulk", "detail": {"cover": "hull", "insurer": "Gard"}, "reason": {"window_from": "no_window"},
}  # fmt: skip
PORTFOLIO: dict[str, Any] = {
    "asset_id": ID, "name": "Blue Heron", "class": "vessel", "type": "bulk carrier", "stage": "on_lease",
    "lease": {"id": OTHER_ID, "reference": "NB-2026-01", "form": "bareboat", "lessee": "Northern Bulk", "term_to": LATER,
              "days_left": 61},
    "position": {"type": "Point", "coordinates": [3.9, 51.95]}, "position_time": AT,
    "operating_status": "under_way_using_engine", "from": "2026-10-01T00:00:00Z", "to": "2026-11-01T00:00:00Z", "use": USE,
    "days_known": 31,
    "plan": {"driver": "nm", "minimum": 4000.0, "observed": 5120.4, "reported": None, "months": 1, "months_unreported": 1,
             "reason": {"reported": "not_reported"}},
    "alerts_open": {"critical": 0, "warning": 2}, "reason": {},
}  # fmt: skip
CHANGE: dict[str, Any] = {
    "at": LATER, "change": "restated", "kind": "lease_event", "key": ID, "revision": 1, "asset_id": ID,
    "asset_name": "Blue Heron", "lease_id": OTHER_ID, "actor": f"key:{ID}",
    "detail": {"event": "lease_delivery", "happened_at": AT, "corrects": OTHER_ID}, "reason": {},
}  # fmt: skip
ALERT: dict[str, Any] = {
    "id": OTHER_ID, "rule": "position_jump", "subject": None, "severity": "warning", "status": "open", "asset_id": ID,
    "asset": "imo:9074729", "lease_id": None, "incident_id": ID, "opened_at": AT, "updated_at": LATER, "closed_at": None,
    "revision": 1, "evidence": {"implied_speed_kn": 212.4, "limit_kn": 60.0}, "reason": {"lease_id": "no_lease_in_force"},
}  # fmt: skip
INCIDENT: dict[str, Any] = {
    "id": ID, "revision": 2, "status": "open", "severity": "warning", "rules": ["gap", "position_jump"], "asset_id": ID,
    "asset": "imo:9074729", "opened_at": AT, "closed_at": None, "findings": 2, "alerts": 2, "alerts_open": 1,
    "told_at_severity": "warning", "merged_into": None, "reason": {},
}  # fmt: skip
NOTICE: dict[str, Any] = {
    "id": "41", "alert_id": OTHER_ID, "revision": 1, "change": "opened", "rule": "position_jump", "severity": "warning",
    "asset_id": ID, "asset": "imo:9074729", "finding_id": "5c1d7e0f9a", "incident_id": ID, "verdict": "same_incident",
    "waits": False, "why": {"because": "told_at", "severity": "warning"}, "hold_finding_id": None, "event_id": None,
    "decided_at": LATER,
}  # fmt: skip
INCIDENT_STORY: dict[str, Any] = {"incident": INCIDENT, "findings": [FINDING], "alerts": [ALERT], "notices": [NOTICE]}
BUDGET_WEEK: dict[str, Any] = {
    "week": AT, "assets": 200, "warnings_per_asset_month": 0.05, "allowance": 2.3, "carried": 1.3, "told": 2, "held_back": 1,
    "left": 1.6, "tests": 3, "passed": 2, "measured_per_asset_month": 0.035, "reason": {},
}  # fmt: skip
ALERT_REVISION: dict[str, Any] = {
    "revision": 2, "change": "acknowledged", "actor": f"key:{ID}", "status_before": "open", "status_after": "acknowledged",
    "severity_after": "warning", "at": LATER, "comment": "calling the master", "kind": None,
}  # fmt: skip
ADJUSTMENT: dict[str, Any] = {
    "id": "3", "asset_id": ID, "rule": "channel_anomaly", "name": "open_z", "base": 6.0, "value": 7.0, "at_bound": False,
    "alert_id": OTHER_ID, "finding_id": "5c1d7e0f9a", "comment": "Crew was calibrating it.", "actor": f"key:{ID}",
    "valid_from": AT, "recorded_at": LATER, "withdrawn_at": None, "withdrawn_by": None, "withdrawn_comment": None,
}  # fmt: skip
ADJUSTMENT_WITHDRAWN: dict[str, Any] = ADJUSTMENT | {
    "withdrawn_at": LATER, "withdrawn_by": f"key:{ID}", "withdrawn_comment": "The sensor was faulty after all.",
}  # fmt: skip
COMMENT: dict[str, Any] = {"id": "7", "alert_id": OTHER_ID, "at": LATER, "author": f"key:{ID}", "text": "Master called."}
WEBHOOK: dict[str, Any] = {
    "id": ID, "url": "https://example.com/hooks/keelwing", "description": "operations desk",
    "types": ["keelwing.alert.opened.v1"], "severity_min": "warning", "status": "enabled", "disabled_at": None,
    "disabled_reason": None, "created_at": AT, "previous_secret_until": None, "pending": 0, "failed": 0, "secret": None,
    "reason": {"secret": "shown_once"},
}  # fmt: skip
ATTEMPT: dict[str, Any] = {
    "id": "12", "event_id": "evt_4b1c", "event_type": "keelwing.alert.opened.v1", "attempt": 1, "trigger": "schedule",
    "started_at": AT, "duration_ms": 83, "status_code": 204, "error": None, "response_excerpt": "", "delivery_state": "sent",
}  # fmt: skip
REPLAY: dict[str, Any] = {"accepted": 3, "request_id": "4"}
FEED: dict[str, Any] = {
    "name": "coast", "owner": "tenant", "status": "online", "status_at": AT, "last_received_at": LATER, "assets_heard": 40,
    "clock": "live", "clock_time": LATER,
    "counts": {"received": 10, "stored": 7, "late": 1, "duplicate": 1, "rejected": 1, "traffic": 1, "static_received": 2,
               "static_duplicate": 0, "unknown_fields": 0},
    "nulled": [NULLED], "reason": {},
}  # fmt: skip
REJECTION: dict[str, Any] = {
    "id": "31", "topic": "keelwing/v1/demo/vessel/imo/9074729/telemetry", "element": 3, "reason": "missing_time",
    "detail": "time is required", "payload_text": '{"lat_deg": 1}', "payload_base64": "eyJsYXRfZGVnIjogMX0=",
    "received_at": AT, "replayed_at": None,
}  # fmt: skip
REJECTION_COUNT: dict[str, Any] = {
    "reason": "missing_time", "count": 4, "replayed": 0, "first_received_at": AT, "last_received_at": LATER,
}  # fmt: skip
IMPORT: dict[str, Any] = {
    "dry_run": True, "applied": False,
    "tables": [{"sheet": "assets", "what": "assets", "rows": 3, "added": 1, "changed": 0, "unchanged": 1}],
    "faults": [{"sheet": "assets", "row": 4, "column": "imo", "detail": "is no imo"}],
    "warnings": [{"sheet": "assets", "row": 3, "column": "imo", "detail": "cannot be a real imo: check_digit"}],
}  # fmt: skip
HEALTH: dict[str, Any] = {"status": "ok", "version": "0.1.0", "checks": {"database": "ok", "migrations": "ok"}}
TRACK: dict[str, Any] = {
    "type": "Feature", "id": ID, "geometry": {"type": "LineString", "coordinates": [[3.9, 51.95], [4.0, 51.96]]},
    "properties": {"asset_id": ID, "from": AT, "to": LATER, "times": [AT, "2026-11-22T07:04:00Z"], "points": 2, "points_total": 2,
                   "reason": {}},
}  # fmt: skip
TELEMETRY: dict[str, Any] = {
    "items": [{"time": AT, "readings": {"count": 60}, "sog_kn": {"count": 60, "min": 11.9, "mean": 12.2, "max": 12.4}}],
    "next_cursor": None,
}  # fmt: skip
MOVING_TRACK: dict[str, Any] = {
    "type": "Feature", "id": ID, "temporalGeometry": {"type": "MovingPoint", "datetimes": [AT, LATER],
    "coordinates": [[3.9, 51.95], [4.0, 51.96]], "interpolation": "Linear"},
    "properties": {"asset_id": ID, "from": AT, "to": LATER, "points": 2, "points_total": 2, "reason": {}},
}  # fmt: skip
CII_YEAR: dict[str, Any] = {
    "year": 2026, "reduction_pct": 11.0, "required": 3.720103, "boundaries": [3.199288, 3.496897, 3.943309, 4.389721],
    "ratio": 0.845697, "rating": "A", "reason": None,
}  # fmt: skip
CHARTER_CII: dict[str, Any] = {
    "lease_id": OTHER_ID, "lessee": ID, "lessee_name": "Northern Bulk", "form": "time_charter", "from": "2026-05-01T00:00:00Z",
    "to": AT, "co2_t": 11020.0, "distance_nm": 41300.0, "attained": 3.269952,
    "years": [{**CII_YEAR, "ratio": 0.878995, "rating": "B"}],
    "agreed": [{"year": 2026, "attained_max": None, "rating_worst": "C", "kept": True, "projected_kept": True}],
    "coverage": 0.97, "is_indicative": False, "is_estimate": False, "reason": {},
}  # fmt: skip
CII: dict[str, Any] = {
    "asset_id": ID, "from": "2026-01-01T00:00:00Z", "to": AT, "method": "cii_unadjusted", "ship_type": "bulk_carrier",
    "measure": "dwt", "capacity": 81600.0, "applies": True, "co2_t": 15724.1,
    "fuel": [{"type": "HFO", "reported_t": 4180.0, "estimated_t": 0.0}], "distance_nm": 61250.0, "attained": 3.146078,
    "years": [CII_YEAR],
    "projection": {"year": 2026, "low": 3.08, "middle": 3.15, "high": 3.24, "low_rating": "A", "middle_rating": "A",
                   "high_rating": "B", "required": 3.720103, "is_indicative": False, "coverage": 0.98},
    "charters": [CHARTER_CII], "eeoi_t_per_t_nm": 1.34e-05, "coverage": 0.98, "reported": 0.96,
    "sources": {"noon_report": 0.96, "telemetry": 0.02, "unknown": 0.02}, "is_indicative": False,
    "is_estimate": False, "reason": {},
}  # fmt: skip
FLEET_CII: dict[str, Any] = {
    "asset_id": ID, "name": "Blue Heron", "type": "bulk carrier", "year": 2026, "method": "cii_unadjusted", "co2_t": 15724.1,
    "distance_nm": 61250.0, "attained": 3.146078, "rating": "A", "required": 3.720103, "low": 3.08, "low_rating": "A",
    "middle": 3.15, "middle_rating": "A", "high": 3.24, "high_rating": "B", "charters": [CHARTER_CII], "coverage": 0.98,
    "is_indicative": False, "is_estimate": False, "reason": {},
}  # fmt: skip
FUEL: dict[str, Any] = {
    "asset_id": ID, "from": "2026-06-01T00:00:00Z", "to": "2026-07-01T00:00:00Z", "reports": 30, "reported_h": 720.0,
    "gap_h": 0.0, "overlap_h": 0.0, "distance_og_nm": 7840.0, "observed_distance_nm": 7815.2, "observed_coverage": 0.97,
    "distance_differs": False, "hours_underway": 610.0,
    "fuel": [{"type": "HFO", "consumed_t": 640.5, "bunkered_t": 800.0, "reason": None}], "co2_t": 1994.517,
    "balance": [{"type": "HFO", "at": AT, "gap_t": 12.5, "tolerance_t": 1.0, "rob_before_t": 910.0, "bunkered_t": 0.0,
                 "consumed_t": 24.5, "rob_after_t": 873.0}],
    "coverage": 1.0, "method": "noon_report", "sources": {"noon_report": 1.0}, "is_estimate": False, "reason": {},
}  # fmt: skip
OFF_HIRE: dict[str, Any] = {
    "id": "5b0f6a0e-6d0f-4f40-8f0a-0b5b2f1c7d10", "revision": 1, "lease_id": OTHER_ID, "asset_id": ID, "lessee": ID,
    "lessee_name": "Northern Bulk", "status": "confirmed", "cause": "main engine breakdown", "from": "2026-06-17T04:00:00Z",
    "to": "2026-06-18T10:00:00Z", "lost_h": 30.0, "counts_h": 30.0, "net_loss_h": None,
    "evidence": {"remarks": "Statement of facts of 18 June."}, "actor": f"key:{ID}", "recorded_at": AT, "reason": {},
}  # fmt: skip
OFF_HIRE_STATEMENT: dict[str, Any] = {
    "lease_id": OTHER_ID, "asset_id": ID, "from": "2026-06-01T00:00:00Z", "to": "2026-07-01T00:00:00Z", "basis": "net",
    "deminimis_h": 24.0, "lost_h": 48.0, "off_hire_h": 30.0, "on_hire_h": 690.0, "utilization": 0.958333,
    "daily_hire": "15000.00", "currency": "USD", "deduction": "18750.00", "confirmed": 1, "candidates": 0, "events": [OFF_HIRE],
    "method": "confirmed_by_person", "reason": {},
}  # fmt: skip
LESSEE_DAYS: dict[str, Any] = {
    "lessee": ID, "lessee_name": "Northern Bulk", "leases": 2, "assets": 2, "off_hire_d": 1.25, "candidate_d": 0.0,
    "lay_up_d": 21, "deductions": {"USD": "18750.00"}, "events": [OFF_HIRE], "reason": {},
}  # fmt: skip
HULL: dict[str, Any] = {
    "asset_id": ID, "from": "2026-01-01T00:00:00Z", "to": AT, "out_of_dock_at": "2025-11-02T00:00:00Z",
    "reference_speed_kn": 13.5, "reference_power_kw": 7800.0, "reference_displacement_t": 88000.0, "exponent": 3.0,
    "points_total": 1, "points_used": 1,
    "mean_deviation_pct": -3.9007, "post_dock_pct": -1.1, "in_service_pct": -2.8, "maintenance_due": False,
    "points": [
        {"from": "2026-06-01T11:00:00Z", "to": "2026-06-02T12:00:00Z", "speed_kn": 13.24, "through_water": True,
         "power_kw": 8100.0, "draught_m": 12.0, "displacement_t": 76456.8, "displacement_method": "block_coefficient",
         "wind_bft": 3, "slip_pct": 9.3446, "admiralty_coefficient": 516.4, "expected_kn": 14.1, "deviation_pct": -3.9007,
         "faults": [], "confidence": "low"},
    ],
    "coverage": 0.96, "method": "noon_report", "sources": {"noon_report": 0.96}, "is_estimate": False, "reason": {},
}  # fmt: skip
