"""What of an asset and its leases needs somebody on a day: both sides of each threshold, and one episode a fact."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.area import shape_of
from fleet.calendar_rules import RULES, Condition, Standing, conditions, emissions
from fleet.forecast import WornLimit
from fleet.hull_reports import HullSummary
from fleet.instants import DAY_US
from fleet.noon_report import BalanceFinding
from fleet.obligation import (
    KINDS,
    Check,
    CiiOutlook,
    Cover,
    Dossier,
    LeaseDossier,
    MonthOfUse,
    Notice,
    Option,
    ReserveBucket,
    ReturnPlace,
    Work,
    covered_to_us,
    obligations,
    start_us,
)
from fleet.utilization import Driver, MinimumUse

ON = date(2026, 11, 22)
GULF = shape_of({"type": "Point", "coordinates": [0.0, 0.0]}, 5000.0)


def limit(item: str, driver: Driver, limit: int, used: int, *, per_day: str | None = None, **changed: Any) -> WornLimit:
    """A limit counted today; a part where `serial_no` is given with `kind` life."""
    given: dict[str, Any] = {
        "asset_id": "a1", "asset_name": "PH-XYZ", "asset_class": "aircraft", "position": None, "serial_no": None,
        "kind": "interval", "counted_on": ON, "cost": None, "currency": None, "assumption": "observed",
    }  # fmt: skip
    return WornLimit(
        **{
            **given, "item": item, "driver": driver, "limit": Decimal(limit), "used": Decimal(used),
            "counted_used": Decimal(used),
            "per_day": None if per_day is None else Decimal(per_day), **changed,
        }
    )  # fmt: skip


def engine(per_day: str, used: int = 5100) -> WornLimit:
    """An engine's restoration, 2,400 hours away."""
    return limit("performance_restoration", "fh", 7500, used, per_day=per_day, cost=Decimal(4_250_000), currency="USD")


def day(days: int) -> date:
    return ON + timedelta(days=days)


def lease(**changed: Any) -> LeaseDossier:
    given: dict[str, Any] = {
        "lease_id": "L1", "reference": "BB-7", "form": "operating", "lessee": "Aerolux", "term_from_us": start_us(day(-700)),
        "term_to_us": start_us(day(700)), "tenure_from_us": start_us(day(-700)),
    }  # fmt: skip
    return LeaseDossier(**{**given, **changed})


def dossier(*leases: LeaseDossier, **changed: Any) -> Dossier:
    given: dict[str, Any] = {
        "asset_id": "a1", "name": "icao24:4840d6", "asset_class": "aircraft", "title": "PH-XYZ", "leases": leases
    }  # fmt: skip
    return Dossier(**{**given, **changed})


def found(about: Dossier, rule: str, on: date = ON) -> list[Condition]:
    return [one for one in conditions(about, on) if one.rule == rule]


def severities(about: Dossier, rule: str, on: date = ON) -> list[str]:
    return [one.severity for one in found(about, rule, on)]


# -- works and limits


@pytest.mark.parametrize(("days", "severity"), [(91, []), (90, ["warning"]), (0, ["warning"]), (-1, ["critical"])])
def test_planned_work_is_told_ninety_days_before_and_is_critical_once_past(days: int, severity: list[str]) -> None:
    work = Work(id="w", kind="airframe_6y", planned_from=day(days))
    assert severities(dossier(works=(work,)), "maintenance_due") == severity


def test_work_that_was_done_is_no_longer_due() -> None:
    work = Work(id="w", kind="airframe_6y", planned_from=day(3), done_from=day(-2))
    assert found(dossier(works=(work,)), "maintenance_due") == []


def test_a_limit_falls_due_by_whichever_driver_gets_there_first() -> None:
    about = dossier(limits=(engine("10.415"), limit("performance_restoration", "month", 72, 70)))
    (one,) = found(about, "maintenance_due")
    assert (one.evidence["governing_driver"], one.evidence["due_on"]) == ("month", "2027-01-22")
    assert [each["due_on"] for each in one.evidence["drivers"]] == ["2027-07-10", "2027-01-22"]


def test_a_limit_that_use_has_passed_is_critical_and_due_on_the_day_it_was_passed() -> None:
    about = dossier(limits=(engine("10", used=7530),))
    (one,) = found(about, "maintenance_due")
    assert (one.severity, one.evidence["due_on"]) == ("critical", "2026-11-19")


@pytest.mark.parametrize(
    ("used", "severity"),
    [(17_999, []), (18_000, ["warning"]), (19_999, ["warning"]), (20_000, ["critical"]), (20_400, ["critical"])],
)
def test_a_part_warns_at_a_tenth_of_its_life_and_is_critical_at_none(used: int, severity: list[str]) -> None:
    part = limit("disk", "fc", 20_000, used, kind="life", serial_no="S1")
    assert severities(dossier(limits=(part,)), "llp_limit") == severity


def test_parts_are_judged_each_on_its_own() -> None:
    parts = (limit("fan", "fc", 30_000, 12_400, kind="life"), limit("hpt", "fc", 13_000, 12_400, kind="life"))
    assert [one.evidence["item"] for one in found(dossier(limits=parts), "llp_limit")] == ["hpt"]


# -- surveys


def ship(**changed: Any) -> Dossier:
    given: dict[str, Any] = {
        "asset_class": "vessel", "name": "imo:9074729",
        "particulars": {"built_on": "2013-02-10", "certificate_issued_on": "2023-02-10", "ship_type": "bulk_carrier"},
    }  # fmt: skip
    return dossier(**{**given, **changed})


@pytest.mark.parametrize(("on", "severity"), [("2026-11-11", []), ("2026-11-12", ["warning"]), ("2027-02-11", ["critical"])])
def test_the_bottom_is_due_thirty_six_months_after_it_was_last_seen(on: str, severity: list[str]) -> None:
    works = (Work(id="w", kind="drydock", done_from=date(2024, 2, 1), done_to=date(2024, 2, 10)),)
    told = [one.severity for one in found(ship(works=works), "survey_due", date.fromisoformat(on)) if one.subject == "bottom"]
    assert told == severity


@pytest.mark.parametrize("particulars", [{}, {"built_on": "2024-02-10"}])
def test_a_ship_whose_certificate_nobody_told_has_no_survey_clock(particulars: dict[str, str]) -> None:
    assert found(ship(particulars=particulars), "survey_due") == []


# -- cover


def cover(from_d: int | None, to_d: int | None, kind: str = "hull") -> Cover:
    return Cover(
        kind=kind, insurer="Gard", from_us=None if from_d is None else start_us(day(from_d)),
        to_us=None if to_d is None else start_us(day(to_d)),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("days", "severity"), [(31, []), (30, ["warning"]), (1, ["warning"]), (0, ["critical"]), (-5, ["critical"])]
)
def test_cover_warns_a_month_before_it_ends_and_is_critical_on_its_last_day(days: int, severity: list[str]) -> None:
    assert severities(dossier(lease(covers=(cover(-300, days),))), "insurance_expiring") == severity


def test_cover_that_goes_on_is_not_told_and_a_hole_before_the_next_is() -> None:
    assert found(dossier(lease(covers=(cover(-300, 5), cover(5, 370)))), "insurance_expiring") == []
    (one,) = found(dossier(lease(covers=(cover(-300, 5), cover(6, 370)))), "insurance_expiring")
    assert one.evidence["due_on"] == day(5).isoformat()


def test_cover_that_the_lease_asks_for_and_that_was_never_there_is_critical() -> None:
    (one,) = found(dossier(lease(covers_required=("war",))), "insurance_expiring")
    assert (one.severity, one.evidence["cover"], one.evidence["due_on"]) == ("critical", "war", day(-700).isoformat())


@pytest.mark.parametrize("changed", [{"signed": False}, {"tenure_from_us": None}, {"tenure_to_us": start_us(ON)}])
def test_only_a_lease_that_runs_needs_cover(changed: dict[str, Any]) -> None:
    assert found(dossier(lease(covers=(cover(-300, 3),), **changed)), "insurance_expiring") == []


@given(st.lists(st.tuples(st.integers(-400, 400), st.integers(1, 300)), max_size=6))
@settings(max_examples=100)
def test_cover_reaches_exactly_to_the_first_uncovered_instant(spans: list[tuple[int, int]]) -> None:
    covers = [cover(first, first + length) for first, length in spans]
    reached_us = covered_to_us(covers, start_us(day(-700)), start_us(ON))
    assert reached_us is not None

    def covered(at_us: int) -> bool:
        return any((one.from_us or 0) <= at_us < (one.to_us or 0) for one in covers)

    assert not covered(reached_us) or reached_us <= start_us(ON)
    assert all(covered(at_us) for at_us in range(start_us(ON), reached_us, DAY_US))


# -- options, notices, redelivery


@pytest.mark.parametrize(("days", "told"), [(61, 0), (60, 1), (0, 1), (-1, 0)])
def test_an_option_is_told_two_months_before_it_lapses_and_no_longer_after(days: int, told: int) -> None:
    option = Option(kind="extension_option", number=1, notice_by=day(days))
    assert len(found(dossier(lease(options=(option,))), "option_deadline")) == told
    used = msgspec.structs.replace(option, exercised=True)
    assert found(dossier(lease(options=(used,))), "option_deadline") == []


@pytest.mark.parametrize(("left", "told"), [(211, 0), (210, 1), (179, 1)])
def test_notice_of_redelivery_is_told_a_month_before_its_last_day_and_until_it_is_given(left: int, told: int) -> None:
    ending = lease(term_to_us=start_us(day(left)), notices=(Notice(kind="approximate", days=180),))
    (*ones,) = found(dossier(ending), "redelivery_notice")
    assert len(ones) == told
    assert all(one.evidence["overdue"] is (left < 180) for one in ones)
    assert found(dossier(msgspec.structs.replace(ending, notice_given_on=ON)), "redelivery_notice") == []


@pytest.mark.parametrize(("lon_deg", "told"), [(20.0, 1), (5.0, 0)])
def test_a_ship_that_cannot_be_in_range_in_time_is_at_risk(lon_deg: float, told: int) -> None:
    ending = lease(term_to_us=start_us(day(3)), return_places=(ReturnPlace(name="the gulf", shape=GULF),))
    about = ship(
        leases=(ending,), position=(0.0, lon_deg), position_us=start_us(ON), particulars={"speed_max_kn": 14.0}
    )  # 20 degrees of the equator: 1,202 nm, 86 h at 14 kn
    (*ones,) = found(about, "redelivery_risk")
    assert len(ones) == told
    assert all(one.evidence["place"] == "the gulf" and 1195 < one.evidence["distance_nm"] < 1203 for one in ones)


@pytest.mark.parametrize(("left", "due", "told"), [(31, None, 0), (30, None, 1), (80, -1, 1), (95, -1, 0)])
def test_open_checks_put_a_redelivery_at_risk_when_it_is_near_or_they_are_late(left: int, due: int | None, told: int) -> None:
    check = Check(id="c1", requirement="borescope", status="open", due_on=None if due is None else day(due))
    ending = lease(term_to_us=start_us(day(left)), checks=(check,))
    assert len(found(dossier(ending), "redelivery_risk")) == told


# -- reports and money


@pytest.mark.parametrize(("on", "late"), [("2026-11-10", []), ("2026-11-11", ["2026-10"])])
def test_a_report_is_overdue_ten_days_after_its_month(on: str, late: list[str]) -> None:
    reported = tuple(f"2025-{month:02}" for month in range(1, 13)) + tuple(f"2026-{month:02}" for month in range(1, 10))
    about = dossier(lease(reports_monthly=True, reported=reported))
    assert [one.evidence["month"] for one in found(about, "report_overdue", date.fromisoformat(on))] == late


def test_a_lease_that_ended_still_owes_its_last_report() -> None:
    ended = lease(reports_monthly=True, tenure_from_us=start_us(date(2026, 9, 5)), tenure_to_us=start_us(date(2026, 10, 1)))
    assert [one.evidence["month"] for one in found(dossier(ended), "report_overdue")] == ["2026-09"]


def test_a_month_out_of_tolerance_is_told_with_what_the_reconciliation_says() -> None:
    (one,) = found(dossier(lease(mismatches={"2026-05": {"month": "2026-05", "measures": []}})), "utilization_mismatch")
    assert (one.subject, one.since_us) == ("2026-05 of L1", start_us(date(2026, 6, 1)))


@pytest.mark.parametrize(("held", "told"), [(3_549_999, 1), (3_550_000, 0)])
def test_a_bucket_that_will_hold_less_than_its_event_costs_is_short(held: int, told: int) -> None:
    bucket = ReserveBucket(
        bucket="performance_restoration",
        lease_id="L1",
        currency="USD",
        held=Decimal(held),
        owed=Decimal(0),
        per_month=Decimal(100_000),
        ends_on=day(700),
    )  # due in 230 days: seven whole months
    about = dossier(limits=(engine("10.415"),), reserves=(bucket,))
    assert len(found(about, "reserve_shortfall")) == told


def test_an_event_after_the_lease_is_settled_at_redelivery_and_not_out_of_the_bucket() -> None:
    bucket = ReserveBucket(
        bucket="performance_restoration", lease_id="L1", currency="USD", held=Decimal(0), owed=Decimal(0), per_month=None,
        ends_on=day(100),
    )  # fmt: skip
    about = dossier(limits=(engine("10.415"),), reserves=(bucket,))
    assert found(about, "reserve_shortfall") == []


def under_minimum(months: dict[str, MonthOfUse]) -> list[Condition]:
    asked = MinimumUse(unit="fh", per="month", amount=Decimal(200))
    return found(dossier(lease(minimum=asked, months=months)), "minimum_breach")


def used(hours: int, *, days: int = 31, known: int = 31, coverage: float = 0.99, reported: int | None = None) -> MonthOfUse:
    said = {} if reported is None else {"fh": Decimal(reported)}
    return MonthOfUse(days=days, days_known=known, coverage=coverage, used={"fh": Decimal(hours)}, reported=said)


@pytest.mark.parametrize(
    ("month", "told"),
    [
        (used(150), 1),
        (used(200), 0),
        (used(150, coverage=0.89), 0),
        (used(150, coverage=0.5, reported=199), 1),
        (used(150, reported=210), 0),
    ],
)
def test_a_month_below_the_minimum_is_told_on_the_reports_word_or_on_good_coverage(month: MonthOfUse, told: int) -> None:
    assert len(under_minimum({"2026-10": month})) == told


@pytest.mark.parametrize(("hours", "known", "told"), [(100, 21, 1), (140, 21, 0), (30, 9, 0)])
def test_the_month_under_way_is_projected_once_ten_days_are_known(hours: int, known: int, told: int) -> None:
    assert len(under_minimum({"2026-11": used(hours, days=30, known=known)})) == told


@pytest.mark.parametrize(("rating", "severity"), [("C", []), ("D", ["warning"]), ("E", ["critical"])])
def test_a_year_that_will_end_with_d_or_e_is_told_with_the_agreed_cii(rating: str, severity: list[str]) -> None:
    outlook = CiiOutlook(
        year=2026,
        attained=4.0,
        rating=rating,
        low=3.9,
        low_rating="C",
        high=4.2,
        high_rating="D",
        required=3.7,
        is_indicative=True,
    )
    ones = found(
        ship(cii=outlook, leases=(lease(agreed_cii=({"attained_max": 3.9}, {"year": 2025, "attained_max": 4.4})),)),
        "cii_forecast",
    )
    assert [one.severity for one in ones] == severity
    assert all([each["attained_max"] for each in one.evidence["agreed"]] == [3.9] for one in ones)


def gap(days_ago: int, fuel: str = "HFO", gap_t: float = 20.0) -> BalanceFinding:
    at = datetime.combine(day(-days_ago), time(12), UTC)
    return BalanceFinding(
        type=fuel, utc_to=at, gap_t=gap_t, tolerance_t=1, rob_before_t=900, bunkered_t=0, consumed_t=30, rob_after_t=850
    )


@pytest.mark.parametrize(("days_ago", "told"), [(0, 1), (29, 1), (30, 0)])
def test_tanks_that_do_not_add_up_are_told_for_a_month(days_ago: int, told: int) -> None:
    assert len(found(ship(fuel_gaps=(gap(days_ago),)), "fuel_balance_gap")) == told


def test_a_fuel_is_told_once_with_its_newest_gap_and_since_its_first() -> None:
    ones = found(ship(fuel_gaps=(gap(3, gap_t=7.0), gap(9), gap(5, "MDO_MGO"))), "fuel_balance_gap")
    assert [(one.subject, one.evidence["gaps"], one.evidence["gap_t"]) for one in ones] == [("HFO", 2, 7.0), ("MDO_MGO", 1, 20.0)]
    assert ones[0].since_us == start_us(day(-9))


@pytest.mark.parametrize(("due", "told"), [(True, 1), (False, 0), (None, 0)])
def test_a_hull_that_wants_cleaning_is_told(due: bool | None, told: int) -> None:
    hull = HullSummary(
        points_used=40, mean_deviation_pct=-4.0, post_dock_pct=-1.0, in_service_pct=-6.0, maintenance_due=due, reason={}
    )
    assert len(found(ship(hull=hull), "hull_performance")) == told


# -- episodes


def stood(one: Condition, opened_us: int, evidence: dict[str, Any] | None = None) -> Standing:
    return Standing(
        finding_id="f1", rule=one.rule, subject=one.subject, asset="icao24:4840d6", severity=one.severity, opened_us=opened_us,
        evidence=one.evidence if evidence is None else evidence,
    )  # fmt: skip


KNOWN_US = start_us(ON) + DAY_US // 4


def test_a_fact_that_stands_keeps_its_id_and_begin_and_one_that_is_over_closes_when_that_was_known() -> None:
    (one,) = found(dossier(lease(covers=(cover(-300, 5),))), "insurance_expiring")
    (again,) = emissions([one], [stood(one, 77)], KNOWN_US, ON)
    assert (again.finding_id, again.opened_us, again.closed_us, again.evidence) == ("f1", 77, None, one.evidence)
    (over,) = emissions([], [stood(one, 77)], KNOWN_US, ON)
    assert (over.finding_id, over.closed_us) == ("f1", KNOWN_US)


def test_a_fact_that_closes_on_the_day_it_opened_has_still_lasted() -> None:
    (one,) = found(dossier(lease(covers=(cover(-300, 5),))), "insurance_expiring")
    (over,) = emissions([], [stood(one, KNOWN_US)], KNOWN_US, ON)
    assert over.closed_us == KNOWN_US + 1


@pytest.mark.parametrize(("moved_d", "is_new"), [(6, False), (7, True)])
def test_a_forecast_that_moves_by_less_than_a_week_is_the_same_fact(moved_d: int, is_new: bool) -> None:
    about = dossier(limits=(engine("40"),))
    (one,) = found(about, "maintenance_due")
    due_on = date.fromisoformat(one.evidence["due_on"]) - timedelta(days=moved_d)
    before = {**one.evidence, "due_on": due_on.isoformat(), "drivers": []}
    (told,) = emissions([one], [stood(one, 77, before)], KNOWN_US, ON)
    assert (told.evidence == one.evidence) is is_new


def test_a_rise_in_severity_is_always_told() -> None:
    (one,) = found(dossier(lease(covers=(cover(-300, 0),))), "insurance_expiring")
    (told,) = emissions([one], [msgspec.structs.replace(stood(one, 77), severity="warning")], KNOWN_US, ON)
    assert told.severity == "critical"


@st.composite
def dossiers(draw: st.DrawFn) -> Dossier:
    days = st.integers(-200, 200)
    covers = tuple(
        cover(first, first + length) for first, length in draw(st.lists(st.tuples(days, st.integers(1, 200)), max_size=3))
    )
    options = tuple(Option(kind="purchase_option", number=1, notice_by=day(draw(days))) for _ in range(draw(st.integers(0, 1))))
    works = tuple(Work(id=str(n), kind="check", planned_from=day(n)) for n in draw(st.lists(days, max_size=2, unique=True)))
    ending = lease(
        covers=covers, options=options, term_to_us=start_us(day(draw(days))), notices=(Notice(kind="definite", days=30),),
        reports_monthly=draw(st.booleans()),
    )  # fmt: skip
    return dossier(ending, works=works, limits=(engine(str(draw(st.integers(0, 60)))),))


@given(dossiers(), st.integers(1, 40))
@settings(max_examples=60)
def test_day_after_day_one_fact_is_one_episode_and_a_second_pass_of_a_day_says_nothing_new(about: Dossier, days: int) -> None:
    standing: dict[tuple[str, str], Standing] = {}
    ids = 0
    for n in range(days):
        on, known_us = day(n), start_us(day(n)) + DAY_US // 4
        told = emissions(conditions(about, on), standing.values(), known_us, on)
        assert len({(one.rule, one.subject) for one in told}) == len(told)
        standing_now: dict[tuple[str, str], Standing] = {}
        for one in told:
            assert one.closed_us is None or one.opened_us < one.closed_us
            if one.closed_us is not None:
                continue
            ids += one.finding_id is None
            standing_now[one.rule, one.subject] = Standing(
                finding_id=one.finding_id or str(ids), rule=one.rule, subject=one.subject, asset="x", severity=one.severity,
                opened_us=one.opened_us, evidence=one.evidence,
            )  # fmt: skip
        standing = standing_now
        for one in emissions(conditions(about, on), standing.values(), known_us, on):
            stands = standing[one.rule, one.subject]
            assert (one.finding_id, one.evidence, one.closed_us) == (stands.finding_id, stands.evidence, None)


@given(dossiers())
@settings(max_examples=60)
def test_obligations_are_of_known_kinds_in_order_and_named_once(about: Dossier) -> None:
    owed = obligations(about, ON)
    assert {one.kind for one in owed} <= set(KINDS)
    assert [one.due_on for one in owed] == sorted(one.due_on for one in owed)
    assert len({one.id("a1") for one in owed}) == len(owed)
    assert msgspec.json.encode([one.detail for one in owed])


def test_every_condition_is_of_a_listed_rule_at_a_listed_severity() -> None:
    about = dossier(
        lease(covers=(cover(-300, 5),), covers_required=("war",), reports_monthly=True, mismatches={"2026-05": {}}),
        works=(Work(id="w", kind="check", planned_from=day(-3)),), limits=(engine("60"),),
    )  # fmt: skip
    listed = {rule.name: rule.severities for rule in RULES}
    assert all(one.severity in listed[one.rule] for one in conditions(about, ON))
