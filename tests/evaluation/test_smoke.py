"""The smallest evaluation runs end to end, so that it cannot rot between two real ones."""

from __future__ import annotations

from evaluation.whole import QUICK_KINDS, smoke


def test_one_case_of_each_quick_kind_is_found() -> None:
    assert [(row["kind"], row["found"]) for row in sorted(smoke(), key=lambda row: QUICK_KINDS.index(row["kind"]))] == [
        (kind, 1) for kind in QUICK_KINDS
    ]
