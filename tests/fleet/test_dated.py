"""Facts dated twice: what was believed when to be true when."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.dated import Span, differences, picked
from fleet.instants import from_datetime
from tests.fleet.fix_vectors import vector


class Row(msgspec.Struct, frozen=True, kw_only=True):
    rid: int
    valid: Span
    recorded: Span


def instant(text: str | None) -> int | None:
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    return from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def at(text: str) -> int:
    found = instant(text)
    assert found is not None
    return found


def test_a_corrected_delivery_is_found_as_it_was_believed() -> None:
    golden: dict[str, Any] = vector("LC1_bitemporal")
    rows = [
        Row(rid=row["rid"], valid=Span(*map(instant, row["valid"])), recorded=Span(*map(instant, row["rec"])))
        for row in golden["rows"]
    ]
    for query in golden["queries"]:
        found = picked(rows, at(query["valid_at"]), at(query["known_at"]))
        assert [row.rid for row in found] == ([] if query["row"] is None else [query["row"]]), query


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 5)), min_size=1, max_size=8), st.integers(0, 30), st.integers(0, 30))
def test_of_one_facts_versions_at_most_one_is_believed_at_an_instant(
    versions: list[tuple[int, int]], valid_at: int, known_at: int
) -> None:
    edges = [0]
    for _, length in versions:
        edges.append(edges[-1] + length)
    rows = [
        Row(rid=n, valid=Span(begin, None), recorded=Span(edges[n], None if n + 1 == len(versions) else edges[n + 1]))
        for n, (begin, _) in enumerate(versions)
    ]

    found = picked(rows, valid_at, known_at)

    assert len(found) <= 1
    assert found == picked(rows, valid_at, known_at)
    later = rows[-1].recorded.from_us
    assert later is not None
    assert bool(picked(rows, valid_at, later)) == (versions[-1][0] <= valid_at)


def span_of(pair: tuple[int, int]) -> Span:
    return Span(pair[0], pair[0] + pair[1])


@settings(max_examples=80, deadline=None)
@given(st.tuples(st.integers(0, 20), st.integers(1, 10)), st.tuples(st.integers(0, 20), st.integers(1, 10)))
def test_differences_hold_the_instants_of_one_set_alone(before: tuple[int, int], after: tuple[int, int]) -> None:
    one, other = span_of(before), span_of(after)
    touched = differences([one], [other])
    for instant_us in range(32):
        assert any(span.holds(instant_us) for span in touched) == (one.holds(instant_us) != other.holds(instant_us))


def test_a_moved_beginning_touches_the_time_between_old_and_new() -> None:
    assert differences([Span(10, None)], [Span(7, None)]) == [Span(7, 10)]
    assert differences([Span(10, None)], [Span(10, 20)]) == [Span(20, None)]
    assert differences([Span(None, 5)], [Span(None, 5)]) == []


def test_spans_that_touch_do_not_overlap() -> None:
    assert not Span(0, 5).overlaps(Span(5, 9))
    assert Span(0, 6).overlaps(Span(5, None))
    assert Span(5, 6).within(Span(5, None))
    assert not Span(None, 6).within(Span(5, None))
