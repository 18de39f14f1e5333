"""Plain passages and flights stay plain when they are told otherwise: thinned, late, rounded, moved, with less in them."""

from __future__ import annotations

from random import Random

import pytest

from evaluation.inject.flights import flight, plane
from evaluation.inject.passages import passage, ship
from evaluation.judge import judge, warnings
from evaluation.transformed import CHANGES, Outcome, summary


@pytest.mark.parametrize("name", CHANGES)
def test_made_tracks_stay_clean_however_they_are_told(name: str) -> None:
    rng = Random(name)
    sailed = passage(rng, ship(rng, 1), 8.0, channels=True)
    flown = flight(rng, plane(rng, 2), "LFPG", "LSZH", every_s=5, channels=True)
    for track in (sailed, flown):
        told = sorted(CHANGES[name](rng, track), key=lambda row: row["time"])
        assert [(line["rule"], line["evidence"]) for line in warnings(judge(told).lines)] == []


def test_the_table_has_a_row_for_each_change_and_says_where_a_warning_was() -> None:
    name = next(iter(CHANGES))
    rows = summary(
        [Outcome(change=name, path="a.csv", readings=7, warnings={"gap": 2}), Outcome(change=name, path="b", readings=1)]
    )
    assert [row["change"] for row in rows] == list(CHANGES)
    assert (rows[0]["recordings"], rows[0]["readings"], rows[0]["warnings"], rows[0]["where"]) == (2, 8, 2, ["a.csv: gap 2"])
