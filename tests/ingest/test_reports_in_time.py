"""Static reports between readings: who waits, who is late, and what is heard before what."""

from __future__ import annotations

import pytest

from detect.model import Context
from detect.said import hear
from detect.step import initial_state, step
from fleet.instants import MINUTE_US, SECOND_US
from fleet.reading import StaticReport
from fleet.vessel import VesselReading
from ingest.judging import told_first
from ingest.watch import FIRST_WORD_US, REPORTS_MAX, Watched


def said(second: int, draught_m: float = 9.0) -> StaticReport:
    return StaticReport(
        asset_class="vessel", scheme="mmsi", value="1", time_us=second * SECOND_US, particulars={"draught_m": draught_m}
    )


def read(second: int) -> VesselReading:
    return VesselReading(scheme="mmsi", value="1", time_us=second * SECOND_US, seq=second)


def watched_until(second: int, *heard: StaticReport) -> Watched:
    state = initial_state("a", "vessel")
    for report in heard:
        hear(state, report)
    step(state, read(second), Context())
    watched = Watched(asset_id="a", tenant="t", asset_class="vessel", asset_type=None, state=state)
    watched.last_key = (second * SECOND_US, "mmsi:1", "device", second)
    return watched


def test_a_report_is_heard_before_the_readings_after_it_and_of_its_instant() -> None:
    watched = watched_until(0)
    watched.take_reports([said(30), said(60, 8.0), said(90, 7.0)])
    parts = []
    for part in told_first(watched, [read(10), read(30), read(50), read(70)]):
        draught_m = None if watched.state.said is None else watched.state.said.draught_m
        parts.append(([reading.seq for reading in part], draught_m))
    assert parts == [([10], None), ([30, 50], 9.0), ([70], 8.0)]
    assert [report.time_us for report in watched.reports] == [90 * SECOND_US]


@pytest.mark.parametrize(("draught_m", "late_us"), [(9.0, None), (8.0, 100 * SECOND_US)])
def test_a_report_behind_the_readings_is_late_when_it_says_otherwise(draught_m: float, late_us: int | None) -> None:
    watched = watched_until(200, said(0))
    assert watched.take_reports([said(100, draught_m)]) == late_us


@pytest.mark.parametrize(("behind_us", "is_late"), [(FIRST_WORD_US, False), (FIRST_WORD_US + SECOND_US, True)])
def test_the_first_word_of_an_asset_may_come_ten_minutes_behind_its_first_reading(behind_us: int, is_late: bool) -> None:
    watched = watched_until(3600)
    report = said((60 * MINUTE_US - behind_us) // SECOND_US)
    assert (watched.take_reports([report]) is not None) == is_late


def test_of_an_asset_that_only_speaks_of_itself_a_hundred_reports_wait() -> None:
    watched = watched_until(0)
    watched.take_reports([said(i, 5.0 + i / 1000) for i in range(1, REPORTS_MAX + 11)])
    assert len(watched.reports) == REPORTS_MAX
    assert watched.state.said is not None
    assert watched.state.said.draught_m == 5.01
