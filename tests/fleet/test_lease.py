"""Leases out of plain objects: every fault by its pointer, money exact, a closed set of covenants."""

import copy
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from fleet.instants import from_datetime
from fleet.lease import (
    FIGURES,
    FORMS,
    Lease,
    TermFault,
    Terms,
    UnreadableTerms,
    attribution_at,
    insurances_required,
    parse_lease,
    parse_predicate,
    parse_terms,
    period_attribution,
    stored_terms,
)
from fleet.practice import Figure, Practice

HOUSE = Practice(FIGURES)
TERMS: dict[str, Any] = {
    "rent": {"amount": "312500.05", "currency": "USD", "frequency": "monthly", "payable": "in_advance"},
    "security_deposit": {"amount": 900000, "currency": "USD"},
    "extension_options": [{"period": "P1Y", "notice_by": "2027-01-01"}],
    "redelivery": {
        "window": {"from": "2027-05-01", "to": "2027-06-30"},
        "notice_days": {"approximate": [60, 30], "definite": [10]},
    },
    "min_utilization": {"unit": "fh", "per": "month", "amount": 200},
    "reserve_terms": [{"bucket": "apu", "currency": "USD", "rate": {"driver": "apuh", "rate": "56"}}],
    "agreed_cii": [{"year": 2026, "rating_worst": "C"}],
    "billing_time_zone": "Europe/Amsterdam",
}
LEASE: dict[str, Any] = {
    "id": "L1", "asset": "imo:9074729", "form": "time_charter", "lessee": "Northern Bulk", "signed_on": "2026-01-15",
    "term": {"from": "2026-03-01", "to": "2027-03-01T00:00:00Z"}, **TERMS,
    "territory_rules": [{"id": "t1", "kind": "prohibited", "area_set": "JWLA-032"}],
    "covenants": [{"id": "c1", "clause": "12(b)", "predicate": {"kind": "ais_on", "silence_h_max": 6}}],
}  # fmt: skip


def changed(path: str, value: Any) -> dict[str, Any]:
    found = copy.deepcopy(LEASE)
    *steps, last = [int(step) if step.isdigit() else step for step in path.strip("/").split("/")]
    inner: Any = found
    for step in steps:
        inner = inner[step]
    inner[last] = value
    return found


def test_a_lease_reads_whole_and_its_money_stays_exact() -> None:
    lease = parse_lease(LEASE)

    assert isinstance(lease, Lease)
    assert lease.terms.rent is not None
    assert lease.terms.rent.amount == Decimal("312500.05")
    assert lease.from_us == from_datetime(datetime(2026, 3, 1, tzinfo=UTC))
    assert [rule.id for rule in lease.territory_rules] == ["t1"]
    assert msgspec.json.decode(msgspec.json.encode(lease.terms), type=Terms) == lease.terms


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/form", "timeshare"),
        ("/rent/amount", "a lot"),
        ("/rent/amount", "NaN"),
        ("/rent/currency", "dollars"),
        ("/rent/amount", "-1"),
        ("/extension_options/0/period", "a year"),
        ("/redelivery/window/to", "2027-04-01"),
        ("/billing_time_zone", "Mars/Olympus"),
        ("/term/to", "2026-03-01"),
        ("/signed_on", "15 January"),
        ("/reserve_terms/0/bucket", "APU bucket"),
        ("/reserve_terms/0/rate/driver", "smiles"),
        ("/reserve_terms/0/rate/rate", "-1"),
        ("/covenants/0/predicate/kind", "be_nice"),
        ("/covenants/0/predicate/silence_h_max", 0),
        ("/territory_rules/0/kind", "discouraged"),
        ("/lessee", None),
        ("/parent_lease_id", "L0"),
        ("/weather", "fine"),
    ],
)
def test_what_is_wrong_is_pointed_at(path: str, value: Any) -> None:
    found = parse_lease(changed(path, value))

    assert isinstance(found, list)
    assert [fault.pointer for fault in found] == [path]


def test_every_member_that_is_wrong_is_told_at_once() -> None:
    found = parse_terms(
        {"rent": {"amount": "x", "currency": "USD"}, "assumed_ratio": "0", "agreed_cii": [{}], "a/b": 1}, "/terms"
    )

    assert isinstance(found, list)
    assert [fault.pointer for fault in found] == ["/terms/a~1b", "/terms/rent/amount"]
    again = parse_terms({"assumed_ratio": "0", "agreed_cii": [{}]})
    assert isinstance(again, list)
    assert [fault.pointer for fault in again] == ["/assumed_ratio", "/agreed_cii/0"]


@pytest.mark.parametrize("given", [None, 3, [], "text", {"term": 3}, {"covenants": {}}, {"id": 1}])
def test_no_input_raises(given: Any) -> None:
    assert isinstance(parse_lease(given), list)


@pytest.mark.parametrize(
    "predicate",
    [
        {"kind": "trading_limits", "area_set": "INL"},
        {"kind": "prohibited_countries", "countries": ["KP", "IR"]},
        {"kind": "no_sts"},
        {"kind": "min_use", "unit": "fh", "amount": "200"},
        {"kind": "max_use", "unit": "nm", "per": "year", "amount": 60000},
        {"kind": "redelivery_range", "place_range": {"name": "ARA", "places": ["NLRTM"]}},
    ],
)
def test_the_closed_set_of_covenants_reads_back_as_written(predicate: dict[str, Any]) -> None:
    found = parse_predicate(predicate)

    assert msgspec.json.decode(msgspec.json.encode(found))["kind"] == predicate["kind"]


def test_where_the_paper_is_silent_the_house_speaks() -> None:
    day = date(2026, 11, 1)
    assert period_attribution(Terms(), day, HOUSE) == "landing"
    assert period_attribution(Terms(period_attribution="split"), day, HOUSE) == "split"
    assert insurances_required(Terms(), day, HOUSE) == ("hull",)
    assert insurances_required(Terms(insurances_required=()), day, HOUSE) == ()


def setting(value: Any, since: date | None = None) -> Practice:
    return HOUSE.overlaid([Figure(name="lease.period_attribution", value=value, source="setting", valid_from=since)])


def test_a_flight_over_an_edge_counts_by_what_holds_on_the_day_that_ends_there() -> None:
    midnight_us = from_datetime(datetime(2026, 6, 1, tzinfo=UTC))
    from_june, from_the_last_of_may = (setting("takeoff", day) for day in (date(2026, 6, 1), date(2026, 5, 31)))
    assert attribution_at(Terms(), midnight_us, UTC, from_june) == "landing"
    assert attribution_at(Terms(), midnight_us, UTC, from_the_last_of_may) == "takeoff"
    assert attribution_at(Terms(), midnight_us + 1, UTC, from_june) == "takeoff"
    assert attribution_at(Terms(), midnight_us, ZoneInfo("Asia/Tokyo"), from_june) == "takeoff"
    assert attribution_at(Terms(period_attribution="split"), midnight_us, UTC, from_june) == "split"
    assert attribution_at(Terms(), -(2**62), ZoneInfo("America/New_York"), HOUSE) == "landing"


def test_a_setting_that_is_no_attribution_is_loud() -> None:
    with pytest.raises(TypeError, match="landing, takeoff, split"):
        period_attribution(Terms(), date(2026, 6, 1), setting("touchdown"))


def test_terms_as_they_were_kept_are_terms() -> None:
    terms = parse_terms(TERMS)
    assert isinstance(terms, Terms)
    assert stored_terms(msgspec.json.decode(msgspec.json.encode(terms))) == terms
    assert stored_terms(terms) is terms
    assert stored_terms(None) == Terms()


def test_kept_terms_that_cannot_be_read_are_a_value_with_every_fault() -> None:
    found = stored_terms({"rent": {"amount": "-1", "currency": "usd"}, "colour": "red", "billing_time_zone": "UTC"})
    assert isinstance(found, UnreadableTerms)
    assert {fault.pointer for fault in found.faults} == {"/rent/currency", "/colour"}
    assert "colour is no term of a lease" in found.words
    assert stored_terms([]) == UnreadableTerms((TermFault("", "must be an object"),))


def test_the_lessor_who_crews_may_lose_hire() -> None:
    assert {name for name, form in FORMS.items() if form.off_hire} == {"time_charter", "voyage", "wet_lease"}
