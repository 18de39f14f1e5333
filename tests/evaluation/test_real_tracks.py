"""The list of recordings, the hours it counts, and the words beside each warning."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluation.clean import TrackResult, rates
from evaluation.explanations import Key, disagreements, explanations
from evaluation.tracks import tracks, unlisted, watched_hours


@pytest.mark.shared
def test_every_recording_is_on_the_list(shared: Path) -> None:
    assert unlisted(shared) == []
    assert [track.path for track in tracks() if not (shared / track.path).is_file()] == []


def test_each_recording_stands_once_with_a_reason() -> None:
    paths = [track.path for track in tracks()]
    assert len(paths) == len(set(paths))
    assert all(track.reason for track in tracks())


def test_explanations_are_of_listed_recordings() -> None:
    assert {key.path for key in explanations()} <= {track.path for track in tracks()}


def test_long_silences_are_no_watched_hours() -> None:
    hour_ms = 3_600_000
    said = [{"class": "vessel", "scheme": "mmsi", "value": "1", "time": hours * hour_ms} for hours in (0, 1, 7, 14)]
    assert watched_hours(said) == (1, 7.0)


def test_a_warning_without_words_and_words_without_a_warning_both_fail() -> None:
    seen, told = Key("a", "mmsi:1", "gap", "t1"), Key("a", "mmsi:1", "gap", "t2")
    elsewhere = Key("not run", "mmsi:1", "gap", "t3")
    assert disagreements([seen], {told: "why", elsewhere: "why"}, ["a"]) == [
        "no explanation: a mmsi:1 gap t1",
        "explains nothing: a mmsi:1 gap t2",
    ]
    assert disagreements([seen], {seen: "why"}, ["a"]) == []


def test_a_rate_counts_clean_tracks_of_its_class_alone() -> None:
    def result(asset_class: str, *, is_clean: bool) -> TrackResult:
        line = {"rule": "gap", "severity": "warning"}
        return TrackResult(
            path="a", asset_class=asset_class, is_clean=is_clean, reason="", assets=2, watched_h=365.0, readings=1,
            warnings=[line], infos={},
        )  # fmt: skip

    told = rates([result("vessel", is_clean=True), result("vessel", is_clean=False), result("aircraft", is_clean=True)], "vessel")
    assert (told["watched_h"], told["warnings"], told["by_rule"]) == (365.0, 1, {"gap": 1})
    assert told["per_730_h_high_95"] == pytest.approx(11.14)
