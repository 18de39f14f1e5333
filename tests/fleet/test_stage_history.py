"""Stages from order to disposal: end to end, by the first that holds, each with what began it."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.instants import DAY_US
from fleet.stage import AssetEvent, History, Life, live, stage_of
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
def test_stages_lie_end_to_end_and_never_repeat(events: list[Happened], held: list[Held], at: int) -> None:
    found = stage_history(events, held, at * DAY_US)

    for one, other in pairwise(found):
        assert one.to_us == other.from_us
        assert one.stage != other.stage
    if found:
        assert found[-1].to_us is None
        assert all(each.from_us is None or each.from_us <= at * DAY_US for each in found)


def test_the_last_stage_is_the_one_that_the_axes_come_to() -> None:
    """The history and `fleet.stage.stage_of` read the same events: they agree at every instant."""
    kinds = ("order_placed", "keel_laid", "completed", "manufacturer_delivery", "storage_started", "storage_ended", "scrapped")
    events = [AssetEvent(event_id=str(n), kind=kind, at_us=n * 10 * DAY_US) for n, kind in enumerate(kinds)]
    stored = Held(
        stage="stored", from_us=40 * DAY_US, to_us=50 * DAY_US, began="storage_started", ended="storage_ended", source="paper"
    )  # fmt: skip
    for at in range(0, 80, 5):
        history = History(asset_events=tuple(events))
        life = live(history, until_us=at * DAY_US)
        assert isinstance(life, Life)
        told_stages = told([happened(kind, n * 10) for n, kind in enumerate(kinds)], [stored], at)
        assert told_stages[-1][0] == stage_of(life, history)
