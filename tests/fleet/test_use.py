"""Use adds up: activities cover the calendar, days are sums of activities, and the parts of any interval sum to the whole."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.instants import DAY_US, HOUR_US, SECOND_US
from fleet.use import Activity, Fact, UseDay, UseState, begin, clipped, extend, open_activity, used

STRETCHES = st.lists(
    st.tuples(
        st.sampled_from(["at_sea", "moored", "unknown"]),
        st.integers(1, 60 * HOUR_US),
        st.floats(0, 1e6),
        st.sampled_from([None, "NLRTM"]),
    ),
    min_size=1,
    max_size=12,
)
STARTS = st.integers(0, 3 * DAY_US)


def lived(start_us: int, stretches: list[tuple[str, int, float, str | None]]) -> tuple[list[Activity], list[UseDay], int]:
    """The facts of an asset that did these things one after another: activities, days, and where it ended."""
    state, out = UseState(method="test/1"), list[Fact]()
    begin(state, stretches[0][0], start_us)
    at_us = start_us
    for name, length_us, metres, place in stretches:
        at_us += length_us
        seen_us = 0 if name == "unknown" else length_us
        extend(
            state, name, at_us, out, distance_m=metres, observed_us=seen_us, source="a", figures={"laden_m": metres}, place=place
        )
    out += open_activity(state)
    activities = [fact for fact in out if isinstance(fact, Activity)]
    return activities, [fact for fact in out if isinstance(fact, UseDay)], at_us


@settings(max_examples=100)
@given(STARTS, STRETCHES)
def test_activities_lie_end_to_end_and_none_crosses_midnight(
    start_us: int, stretches: list[tuple[str, int, float, str | None]]
) -> None:
    activities, _, end_us = lived(start_us, stretches)
    assert activities[0].from_us == start_us
    assert activities[-1].to_us == end_us
    assert all(before.to_us == after.from_us for before, after in pairwise(activities))
    assert all(one.from_us // DAY_US == (one.to_us - 1) // DAY_US for one in activities)


@settings(max_examples=100)
@given(STARTS, STRETCHES)
def test_a_closed_day_is_the_sum_of_its_activities(start_us: int, stretches: list[tuple[str, int, float, str | None]]) -> None:
    activities, days, _ = lived(start_us, stretches)
    for day in days:
        within = [one for one in activities if one.from_us // DAY_US * DAY_US == day.day_us]
        by_hand = used([], within, day.day_us, day.day_us + DAY_US)
        by_day = used([day], [], day.day_us, day.day_us + DAY_US)
        assert by_day.states_us == by_hand.states_us
        assert by_day.observed_us == by_hand.observed_us
        assert abs(by_day.distance_m - by_hand.distance_m) < 1e-3


@settings(max_examples=100)
@given(STARTS, STRETCHES, st.lists(st.integers(-DAY_US, 30 * DAY_US), min_size=2, max_size=5))
def test_states_sum_to_the_calendar_and_parts_to_the_whole(
    start_us: int, stretches: list[tuple[str, int, float, str | None]], cuts: list[int]
) -> None:
    activities, days, _ = lived(start_us, stretches)
    edges = sorted(cuts)
    whole = used(days, activities, edges[0], edges[-1])
    parts = [used(days, activities, *pair) for pair in pairwise(edges)]
    assert sum(whole.states_us.values()) == edges[-1] - edges[0]
    for state in {*whole.states_us, *(name for part in parts for name in part.states_us)}:
        assert sum(part.states_us.get(state, 0) for part in parts) == whole.states_us.get(state, 0)
    assert abs(sum(part.observed_us for part in parts) - whole.observed_us) <= len(activities)
    assert abs(sum(part.distance_m for part in parts) - whole.distance_m) < 1e-3


def test_what_nobody_saw_is_unknown_and_lowers_the_coverage() -> None:
    activities, days, _ = lived(0, [("at_sea", 18 * HOUR_US, 1000.0, None), ("unknown", 6 * HOUR_US, 0.0, None)])
    use = used(days, activities, 0, 2 * DAY_US)
    assert use.states_us == {"at_sea": 18 * HOUR_US, "unknown": 30 * HOUR_US}
    assert use.coverage == 0.375
    assert use.is_estimate(0.90)
    assert use.source_shares() == {"a": 1.0}


def test_a_clipped_activity_has_its_share_of_everything() -> None:
    one = Activity(
        from_us=0,
        to_us=10 * SECOND_US,
        state="at_sea",
        method="m",
        distance_m=100.0,
        observed_us=10 * SECOND_US,
        sources={"a": 5},
    )
    part = clipped(one, 4 * SECOND_US, 99 * SECOND_US)
    assert part is not None
    assert (part.from_us, part.distance_m, part.observed_us, part.sources) == (4 * SECOND_US, 60.0, 6 * SECOND_US, {"a": 3})
    assert clipped(one, 10 * SECOND_US, 11 * SECOND_US) is None
