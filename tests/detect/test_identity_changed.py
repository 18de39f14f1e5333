"""`identity_changed`: when the air says something about who an asset is that the records do not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detect.identity_changed import Record, differs, edit_distance, judge, thinned
from detect.model import Finding
from fleet.instants import HOUR_US, MINUTE_US, to_rfc3339
from fleet.reading import StaticReport

NOON_US = 1_793_016_000_000_000
RECORDS = [Record("imo", "9074729"), Record("mmsi", "244660000"), Record("name", "Blue Heron"), Record("call_sign", "PBHN")]


def report(minute: float, asset_class: str = "vessel", address: str = "imo:9074729", **particulars: Any) -> StaticReport:
    scheme, _, value = address.partition(":")
    time_us = NOON_US + round(minute * MINUTE_US)
    return StaticReport(asset_class=asset_class, scheme=scheme, value=value, time_us=time_us, particulars=particulars)


def found(*reports: StaticReport, records: list[Record] = RECORDS) -> list[Finding]:
    return judge("a1", reports, records)


def test_the_first_report_that_differs_is_info_and_the_second_confirms_it() -> None:
    (first,) = found(report(0, name="GREY GOOSE"))
    assert (first.severity, first.opened_at_us, first.closed_at_us) == ("info", NOON_US, None)
    (both,) = found(report(0, name="GREY GOOSE"), report(6, name="GREY GOOSE"))
    assert (both.severity, both.id) == ("warning", first.id)
    assert both.evidence["changes"] == [
        {"field": "name", "recorded": "Blue Heron", "reported": "GREY GOOSE", "first_reported_at": to_rfc3339(NOON_US),
         "confirmed_at": to_rfc3339(NOON_US + 6 * MINUTE_US)}
    ]  # fmt: skip


def test_a_report_six_hours_after_the_last_old_value_confirms_by_itself() -> None:
    (late,) = found(report(0, name="BLUE HERON"), report(360, name="GREY GOOSE"))
    assert late.severity == "warning"
    (early,) = found(report(0, name="BLUE HERON"), report(359, name="GREY GOOSE"))
    assert early.severity == "info"


def test_the_same_message_over_two_feeds_confirms_nothing() -> None:
    (one,) = found(report(0, name="GREY GOOSE"), report(0, name="GREY GOOSE"))
    assert one.severity == "info"


@pytest.mark.parametrize("name", ["BLUE HERON", "MV Blue Heron", "M/V BLUE  HERON", "BLUE-HERON II", "BLÜE HERON", "BLUE HERN"])
def test_a_name_written_otherwise_is_the_same_name(name: str) -> None:
    assert found(report(0, name=name), report(6, name=name)) == []


def test_a_name_that_the_transmitter_cut_is_the_same_name() -> None:
    records = [Record("name", "Grand Princess of the Seven Seas")]
    assert found(report(0, name="GRAND PRINCESS OF TH"), records=records) == []


def test_another_number_of_the_same_flag_is_no_change_and_another_flag_is() -> None:
    assert found(report(0, mmsi="244660001"), report(6, mmsi="244660001")) == []
    (change,) = found(report(0, mmsi="538001234"), report(6, mmsi="538001234"))[0].evidence["changes"]
    assert (change["recorded_country"], change["reported_country"]) == ("NL", "MH")


@pytest.mark.parametrize(
    "particulars",
    [{"imo": "0000000"}, {"imo": "12"}, {"mmsi": "123"}, {"mmsi": "970000000"},
     {"name": "@@@"}, {"call_sign": "  "}, {"imo": 5.0}],
)  # fmt: skip
def test_what_cannot_be_a_value_is_no_change(particulars: dict[str, Any]) -> None:
    assert found(report(0, **particulars), report(6, **particulars)) == []


def test_another_imo_number_is_a_change_even_with_a_wrong_check_digit() -> None:
    (one,) = found(report(0, address="mmsi:244660000", imo="9074728"))
    assert one.evidence["changes"][0]["warning"] == "check_digit"


def test_an_aircraft_changes_by_registration_and_not_by_the_call_sign_of_a_flight() -> None:
    records = [Record("registration", "VP-BDL"), Record("icao24", "4240ec")]
    said = [report(m, "aircraft", "icao24:4240ec", registration="RA-73001", call_sign="SDM1") for m in (0, 6)]
    (one,) = found(*said, records=records)
    assert [change["field"] for change in one.evidence["changes"]] == ["registration"]
    assert found(report(0, "aircraft", "icao24:4240ec", registration="VPBDL"), records=records) == []


def test_without_a_record_the_first_value_heard_stands_for_one() -> None:
    (one,) = found(report(0, name="ONE"), report(6, name="OTHER"), records=[])
    assert one.evidence["changes"][0]["recorded"] == "ONE"


def test_a_change_that_was_taken_back_is_over_after_two_old_reports() -> None:
    said = [report(0, name="GREY GOOSE"), report(6, name="GREY GOOSE"), report(12, name="BLUE HERON")]
    assert found(*said)[0].closed_at_us is None
    (over,) = found(*said, report(18, name="BLUE HERON"))
    assert (over.closed_at_us, over.evidence["ended"]) == (NOON_US + 18 * MINUTE_US, "returned")


def test_two_transmitters_under_one_number_are_one_episode() -> None:
    said = [report(6 * n, name=("GREY GOOSE", "BLUE HERON")[n % 2]) for n in range(20)]
    (one,) = found(*said)
    assert (one.severity, one.closed_at_us) == ("warning", None)


def test_a_reflagging_is_one_episode_of_several_changes() -> None:
    new = {"mmsi": "538001234", "name": "GREY GOOSE", "call_sign": "V7AB1"}
    (one,) = found(report(0, **new), report(6, **new))
    assert [change["field"] for change in one.evidence["changes"]] == ["call_sign", "mmsi", "name"]


def test_what_a_person_took_over_closes_the_episode_and_keeps_it() -> None:
    said = [report(m, mmsi="538001234") for m in (0, 6, 12)]
    accepted_us = NOON_US + HOUR_US
    records = [Record("mmsi", "244660000", None, NOON_US), Record("mmsi", "538001234", NOON_US, None, accepted_us)]
    (open_one,) = found(*said)
    (closed,) = found(*said, records=records)
    assert (closed.id, closed.severity, closed.closed_at_us) == (open_one.id, "warning", accepted_us)
    assert closed.evidence["ended"] == "accepted"
    assert found(*said, report(90, mmsi="538001234"), records=records) == [closed]


def test_what_the_papers_say_was_no_change() -> None:
    records = [Record("mmsi", "244660000", None, NOON_US), Record("mmsi", "538001234", NOON_US)]
    assert found(report(0, mmsi="538001234"), report(6, mmsi="538001234"), records=records) == []


def test_a_part_that_was_taken_over_leaves_the_rest_open() -> None:
    said = [report(m, mmsi="538001234", name="GREY GOOSE") for m in (0, 6)]
    records = [
        *RECORDS[2:],
        Record("mmsi", "244660000", None, NOON_US),
        Record("mmsi", "538001234", NOON_US, None, NOON_US + HOUR_US),
    ]
    (one,) = found(*said, records=records)
    assert one.closed_at_us is None


def test_a_report_differs_only_from_what_is_on_record() -> None:
    assert differs(report(0, name="GREY GOOSE"), RECORDS)
    assert not differs(report(0, name="BLUE HERON", destination="ROTTERDAM"), RECORDS)
    assert not differs(report(0, name="GREY GOOSE"), [])


REPORTS = st.lists(
    st.builds(
        lambda minutes, name, mmsi: (minutes, {"name": name, "mmsi": mmsi}),
        st.integers(1, 500), st.sampled_from(["BLUE HERON", "GREY GOOSE", "WHITE STORK"]),
        st.sampled_from(["244660000", "538001234"]),
    ),
    max_size=25,
)  # fmt: skip


@settings(max_examples=100)
@given(REPORTS)
def test_thinned_reports_are_judged_the_same(steps: list[tuple[int, dict[str, str]]]) -> None:
    minute, reports = 0, list[StaticReport]()
    for wait, particulars in steps:
        minute += wait
        reports.append(report(minute, **particulars))
    assert judge("a1", thinned(reports), RECORDS) == judge("a1", reports, RECORDS)
    assert judge("a1", thinned(thinned(reports)), RECORDS) == judge("a1", reports, RECORDS)


@pytest.mark.parametrize(
    ("one", "other", "distance"), [("", "", 0), ("ABC", "ABC", 0), ("ABC", "ABD", 1), ("KITTEN", "SITTING", 3)]
)
def test_an_edit_distance_counts_the_changes(one: str, other: str, distance: int) -> None:
    assert edit_distance(one, other) == edit_distance(other, one) == distance


@pytest.mark.parametrize(
    ("address", "told", "found_names"),
    [
        ("mmsi:001193046", {}, 0),
        ("mmsi:001193046", {"imo": "9074729"}, 1),
        ("mmsi:244660000", {}, 1),
    ],
)
def test_a_number_as_the_factory_set_it_names_nobody_unless_an_imo_number_stands_beside_it(
    address: str, told: dict[str, str], found_names: int
) -> None:
    reports = [
        report(minute, address=address, name=name, **told) for minute, name in [(0, "THALIA"), (6, "GAOXING8"), (12, "GAOXING8")]
    ]
    assert len(found(*reports, records=[])) == found_names
