"""Records through the run of `keelwing backtest`: the same decoding, the same walk, the same scenes.

Every figure of the evaluation comes out of here; no rule is called by hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ingest.backtest import Backtest, Tallied, finding_lines

NOW_US = 1_830_000_000_000_000  # 2027-12-28: only tells a recording's clock from one that is wrong
RANK = {"info": 0, "warning": 1, "critical": 2}
Line = dict[str, Any]
"""A finding as `backtest --out` writes it."""


class Judged(NamedTuple):
    """What came out of one run: the lines of `backtest --out` and what became of the records."""

    lines: list[Line]
    tally: Tallied


def judge(records: Iterable[Mapping[str, Any]]) -> Judged:
    """Run records (in the order of time) through backtest. No record raises anything."""
    run = Backtest(NOW_US)
    run.run(dict(record) for record in records)
    return Judged(list(finding_lines(run.findings.values())), run.tally)


def warnings(lines: Iterable[Line]) -> list[Line]:
    """Those that open an alert: warning or worse."""
    return [line for line in lines if RANK[line["severity"]] >= RANK["warning"]]
