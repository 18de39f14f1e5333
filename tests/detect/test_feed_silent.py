"""Silent feeds: how many they carried, how long they are quiet, what they say of themselves; over with the next reading."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detect.feed_silent import FeedWord, Silent, judge
from detect.model import Finding, Listening
from fleet.instants import HOUR_US, MINUTE_US

LAST_US = 1_795_330_800_000_000
ALWAYS = Listening(((0, 1 << 62),))


def word(**more: Any) -> FeedWord:
    fields: dict[str, Any] = {"last_us": LAST_US, "received_us": LAST_US, "assets_heard": 5, **more}
    return FeedWord(name="feed:coast", **fields)


def look(
    minutes: float, said: Finding | None = None, listening: Listening = ALWAYS, held: int = 0, **more: Any
) -> Finding | None:
    silent = None
    if said is not None and said.closed_at_us is None:
        silent = Silent(opened_us=said.opened_at_us, detected_us=said.detected_at_us, evidence=said.evidence)
    return judge("demo", word(**more), silent, listening, LAST_US + round(minutes * MINUTE_US), held)


@pytest.mark.parametrize(("minutes", "heard", "is_silent"), [(10, 5, True), (9.99, 5, False), (10, 4, False), (600, 4, False)])
def test_a_feed_that_carried_five_is_silent_after_ten_minutes(minutes: float, heard: int, is_silent: bool) -> None:
    found = look(minutes, assets_heard=heard)
    assert (found is not None) == is_silent
    if found is not None:
        assert (found.asset, found.severity, found.opened_at_us, found.closed_at_us) == ("feed:coast", "warning", LAST_US, None)


def test_time_in_which_we_did_not_listen_is_no_silence() -> None:
    deaf = Listening(((0, LAST_US + 9 * MINUTE_US), (LAST_US + HOUR_US, 1 << 62)))
    assert look(60, listening=deaf) is None
    found = look(61, listening=deaf)
    assert found is not None
    assert (found.evidence["listened_min"], found.evidence["quiet_min"]) == (10.0, 61.0)


def test_readings_that_come_long_after_they_were_taken_are_signs_of_life() -> None:
    assert look(60, received_us=LAST_US + 51 * MINUTE_US) is None
    assert look(61, received_us=LAST_US + 51 * MINUTE_US) is not None


@pytest.mark.parametrize(("offline_min", "heard", "is_silent"), [(1, 1, True), (1, 0, False), (-1, 9, False), (None, 9, False)])
def test_a_feed_that_says_offline_is_silent_at_once_until_it_speaks_again(
    offline_min: int | None, heard: int, is_silent: bool
) -> None:
    offline_us = None if offline_min is None else LAST_US + offline_min * MINUTE_US
    assert (look(2, assets_heard=heard, offline_us=offline_us) is not None) == is_silent


def test_it_is_told_once_and_again_only_when_it_explains_more() -> None:
    opened = look(10)
    assert opened is not None
    assert look(11, opened) is None
    more = look(12, opened, held=2)
    assert more is not None
    assert (more.id, more.detected_at_us, more.evidence["gaps_held"]) == (opened.id, opened.detected_at_us, 2)
    assert look(13, more, held=1) is None
    said = look(14, more, held=1, offline_us=LAST_US + 13 * MINUTE_US)
    assert said is not None
    assert (said.evidence["because"], said.evidence["gaps_held"]) == ("offline", 2)
    assert look(15, said, held=1, offline_us=LAST_US + 13 * MINUTE_US) is None


def test_the_next_reading_ends_it() -> None:
    opened = look(10)
    assert opened is not None
    back_us = LAST_US + 5 * HOUR_US
    closed = look(301, opened, last_us=back_us, received_us=back_us, back_us=back_us)
    assert closed is not None
    assert (closed.id, closed.closed_at_us, closed.evidence["silent_h"]) == (opened.id, back_us, 5.0)


@given(st.lists(st.tuples(st.integers(1, 30), st.booleans(), st.integers(0, 3)), min_size=1, max_size=40))
def test_looked_at_whenever_it_opens_and_closes_in_turn(looks: list[tuple[int, bool, int]]) -> None:
    minute, last_us, told = 0, LAST_US, list[Finding]()
    for step, speaks, held in looks:
        minute += step
        last_us = LAST_US + minute * MINUTE_US if speaks else last_us
        said = told[-1] if told and told[-1].closed_at_us is None else None
        back_us = None if said is None or last_us <= said.opened_at_us else last_us
        fields: dict[str, Any] = {"last_us": last_us, "received_us": last_us}
        found = look(minute, said, held=held, back_us=back_us, **fields)
        if found is not None:
            assert said is None or found.id == said.id
            told.append(found)
            assert look(minute, found, held=held, **fields) is None, "looked at twice it says nothing new"
    closed = [finding.id for finding in told if finding.closed_at_us is not None]
    assert len(closed) == len(set(closed))
