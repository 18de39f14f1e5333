"""Records through the run of `keelwing backtest`: the same decoding, the same walk, the same scenes.

Every figure of the evaluation comes out of here; no rule is called by hand.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from ingest.backtest import Backtest, Tallied, finding_lines
from ingest.wire import encode_json

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


def judge_files(
    records: Iterable[Mapping[str, Any]], areas: Mapping[str, Any] | None, leases: Sequence[Mapping[str, Any]] | None
) -> Judged:
    """The same by the command itself, with files of areas and leases beside the recording.

    Raises RuntimeError when the command fails: its message.
    """
    from typer.testing import CliRunner

    from keelwing.cli import app

    with TemporaryDirectory() as name:
        directory = Path(name)
        recording, out = directory / "case.ndjson", directory / "findings.ndjson"
        recording.write_bytes(b"".join(encode_json(record) + b"\n" for record in records))
        arguments = ["backtest", str(recording), "--out", str(out), "--json"]
        for option, content in (("--areas", areas), ("--leases", leases)):
            if content is not None:
                path = directory / f"{option[2:]}.json"
                path.write_text(json.dumps(content))
                arguments += [option, str(path)]
        done = CliRunner().invoke(app, arguments)
        if done.exit_code != 0:
            raise RuntimeError(f"{done.output} {done.exception!r}")
        said = json.loads(done.stdout.strip().splitlines()[-1])
        lines = [json.loads(line) for line in out.read_text().splitlines()]
    return Judged(lines, Tallied(stepped=said["stepped"]))


def warnings(lines: Iterable[Line]) -> list[Line]:
    """Those that open an alert: warning or worse."""
    return [line for line in lines if RANK[line["severity"]] >= RANK["warning"]]
