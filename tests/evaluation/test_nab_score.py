"""NAB's scoring on windows worked by hand."""

from __future__ import annotations

from math import exp

import pytest

from evaluation.nab_score import PROFILES, Profile, Scored, probation, scaled_sigmoid, score, worths

STANDARD = PROFILES[0]
ROWS, WINDOW = 200, (100, 119)
"""Rows 0..29 are probationary (15 %); one window of twenty rows."""


def file(*detections: int, rows: int = ROWS, windows: tuple[tuple[int, int], ...] = (WINDOW,)) -> Scored:
    return Scored([1.0 if row in detections else 0.0 for row in range(rows)], windows)


def sigmoid(position: float) -> float:
    return 2 / (1 + exp(5 * position)) - 1


def test_probation_is_15_percent_and_at_most_750_rows() -> None:
    assert (probation(200), probation(4000), probation(100_000)) == (30, 600, 750)


def test_a_detection_at_the_first_row_of_every_window_is_perfect() -> None:
    files = [file(100), file(40, 160, windows=((40, 60), (160, 170)))]
    assert [score(files, profile)[0] for profile in PROFILES] == pytest.approx([100.0] * 3)


def test_saying_nothing_is_null() -> None:
    assert [score([file()], profile)[0] for profile in PROFILES] == [0.0] * 3


def test_an_early_detection_earns_more_than_a_late_one() -> None:
    early, late = score([file(104)], STANDARD)[0], score([file(119)], STANDARD)[0]
    assert early == pytest.approx(100 * (sigmoid(-16 / 20) / sigmoid(-1) + 1) / 2)
    assert late == pytest.approx(100 * (sigmoid(-1 / 20) / sigmoid(-1) + 1) / 2)
    assert early > late > 50


def test_only_the_first_detection_in_a_window_counts() -> None:
    assert score([file(104, 110, 119)], STANDARD)[0] == pytest.approx(score([file(104)], STANDARD)[0])


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_one_window_found_and_one_missed(profile: Profile) -> None:
    files = [file(100, windows=(WINDOW,)), file(windows=(WINDOW,))]
    found, missed = profile.tp, -profile.fn
    null, perfect = -2 * profile.fn, 2 * profile.tp
    assert score(files, profile)[0] == pytest.approx(100 * (found + missed - null) / (perfect - null))


def test_a_false_detection_before_any_window_costs_all_of_its_weight() -> None:
    scored = Scored([1.0 if row in {50, 100} else 0.0 for row in range(ROWS)], (WINDOW,))
    assert score([scored], STANDARD)[0] == pytest.approx(100 * (1 - 0.11 + 1) / 2)


def test_a_false_detection_just_behind_a_window_costs_little_and_three_lengths_behind_all() -> None:
    near = score([file(100, 121)], STANDARD)[0]
    assert near == pytest.approx(100 * (1 + 0.11 * sigmoid(2 / 19) + 1) / 2)
    far = score([file(100, 190)], STANDARD)[0]
    assert far == pytest.approx(100 * (1 - 0.11 + 1) / 2)


def test_detections_in_probation_neither_earn_nor_cost() -> None:
    assert score([file(3, 29, 100)], STANDARD)[0] == pytest.approx(100.0)


def test_the_best_threshold_of_all_files_is_taken() -> None:
    loud = Scored([0.9 if row == 100 else (0.5 if row > 150 else 0.0) for row in range(ROWS)], (WINDOW,))
    told, threshold = score([loud], STANDARD)
    assert told == pytest.approx(100.0)
    assert threshold == 0.9


def test_files_without_windows_only_cost() -> None:
    assert score([file(100), file(100, windows=())], STANDARD)[0] == pytest.approx(100 * (1 - 0.11 + 1) / 2)


def test_worth_falls_through_a_window_and_behind_it() -> None:
    told = [worth for worth, _ in worths(ROWS, (WINDOW,))]
    inside, behind = told[100:120], told[120:180]
    assert inside == sorted(inside, reverse=True)
    assert behind == sorted(behind, reverse=True)
    assert scaled_sigmoid(3.01) == -1.0
