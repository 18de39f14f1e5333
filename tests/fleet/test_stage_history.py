"""Stages from order to disposal: end to end, by the first that holds, each with what began it."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from api import lives
from fleet.instants import DAY_US
from fleet.stage_history import Happened, Held, stage_history


def happened(kind: str, day: int) -> Happened:
    return Happened(kind=kind, at_us=day * DAY_US, basis="reported", source="paper")


def tenure(start: int | None, end: int | None) -> Held:
    return Held(
        stage="on_lease", from_us=None if start is None else start * DAY_US, to_us=None if end is None else end * DAY_US,
        began="lease_delivery", ended="redelivery", source="tenure",
    )  # fmt: skip


def shop(start: int, end: int) -> Held:
    return Held(
        stage="in_maintenance", from_us=start * DAY_US, to_us=end * DAY_US, began="maintenance_started",
        ended="maintenance_ended", source="paper",
    )  # fmt: skip


def told(events: list[Happened], held: list[Held], at: int) -> list[tuple[str, int | None, str]]:
    return [
        (each.stage, None if each.from_us is None else each.from_us // DAY_US, each.because)
        for each in stage_history(events, held, at * DAY_US)
    ]


def test_a_life_goes_from_order_to_scrap() -> None:
    events = [happened("order_placed", 0), happened("keel_laid", 10), happened("completed", 20),
              happened("manufacturer_delivery", 30), happened("scrapped", 100)]  # fmt: skip

    assert told(events, [tenure(40, 60), tenure(70, 90), shop(45, 50)], 200) == [
        ("ordered", 0, "order_placed"), ("under_construction", 10, "keel_laid"), ("built", 20, "completed"),
        ("delivered", 30, "manufacturer_delivery"), ("on_lease", 40, "lease_delivery"),
        ("in_maintenance", 45, "maintenance_started"), ("on_lease", 50, "maintenance_ended"), ("off_lease", 60, "redelivery"),
        ("on_lease", 70, "lease_delivery"), ("off_lease", 90, "redelivery"), ("scrapped", 100, "scrapped"),
    ]  # fmt: skip


def test_a_sale_and_leaseback_of_one_instant_is_on_lease_at_once() -> None:
    assert told([happened("purchased", 5)], [tenure(5, None)], 9) == [("on_lease", 5, "lease_delivery")]


def test_a_change_of_hands_in_one_instant_leaves_no_gap() -> None:
    assert told([], [tenure(1, 5), tenure(5, None)], 9) == [("on_lease", 1, "lease_delivery")]


def test_a_tenure_without_a_beginning_was_always() -> None:
    assert told([], [tenure(None, 5)], 9) == [("on_lease", None, "lease_delivery"), ("off_lease", 5, "redelivery")]


def test_what_lies_ahead_is_not_told() -> None:
    assert told([happened("order_placed", 0), happened("completed", 20)], [tenure(40, None)], 19) == [
        ("ordered", 0, "order_placed")
    ]  # fmt: skip


KINDS = ("order_placed", "keel_laid", "completed", "manufacturer_delivery", "sold", "total_loss")
EVENTS = st.lists(st.builds(happened, st.sampled_from(KINDS), st.integers(0, 50)), max_size=6)
SPAN = st.tuples(st.integers(0, 40), st.integers(1, 20))
HELD = st.lists(
    st.one_of(SPAN.map(lambda s: tenure(s[0], s[0] + s[1])), SPAN.map(lambda s: shop(s[0], s[0] + s[1]))), max_size=4
)  # fmt: skip


@settings(max_examples=100)
@given(EVENTS, HELD, st.integers(0, 80))
def test_stages_lie_in_order_and_never_repeat(events: list[Happened], held: list[Held], at: int) -> None:
    found = stage_history(events, held, at * DAY_US)

    for one, other in pairwise(found):
        assert one.to_us is not None
        assert other.from_us is not None
        assert one.to_us < other.from_us or (one.to_us == other.from_us and one.stage != other.stage)
    assert all((each.to_us or each.from_us or 0) <= at * DAY_US for each in found)


def test_a_shop_visit_of_an_asset_nothing_else_is_told_of_leaves_a_gap() -> None:
    found = stage_history([happened("purchased", 30)], [shop(10, 20)], 40 * DAY_US)

    assert [(each.stage, each.from_us, each.to_us) for each in found] == [
        ("in_maintenance", 10 * DAY_US, 20 * DAY_US), ("delivered", 30 * DAY_US, None)
    ]  # fmt: skip


def test_of_two_events_of_one_instant_the_later_in_rank_names_the_stage() -> None:
    assert told([happened("manufacturer_delivery", 5), happened("completed", 5)], [], 9) == [
        ("delivered", 5, "manufacturer_delivery")
    ]  # fmt: skip


def test_what_was_promised_or_observed_moves_no_stage() -> None:
    rows = [
        {"kind": "scrapped", "lease_id": None, "basis": basis, "at": 5, "actor": "key:1", "recorded_at": 6}
        for basis in ("contract", "observed", "reported")
    ]  # fmt: skip

    assert [each.basis for each in lives.happened_in(rows)] == ["reported"]
