"""The committed figures: page and JSON agree, and what falls short or warned has words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from evaluation.report import RESULTS, between_markers, markdown, notes, table, targets


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    told: dict[str, Any] = json.loads(RESULTS.read_text())
    return told


def test_the_page_shows_the_figures_of_the_json(document: dict[str, Any]) -> None:
    assert between_markers() == markdown(document, notes()).strip()


def test_targets_follow_from_the_figures(document: dict[str, Any]) -> None:
    assert targets(document) == document["targets"]


def test_whatever_falls_short_says_why(document: dict[str, Any]) -> None:
    assert [row["name"] for row in document["targets"] if not row["met"] and not notes().get(row["name"])] == []


def test_every_warning_on_a_real_track_has_words(document: dict[str, Any]) -> None:
    assert [line for one in document["tracks"] for line in one["warnings"] if not line["why"]] == []


def test_a_bar_in_a_cell_does_not_break_a_table() -> None:
    assert table(["a"], [["x|y"], [None]]).splitlines()[2:] == ["| x\\|y |", "| – |"]
