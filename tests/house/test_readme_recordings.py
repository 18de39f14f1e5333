"""What README prints of the real recordings is what they print."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"
BACKTEST = re.compile(r"^\$ keelwing backtest (\S+) --out (\S+)\n(.*)$", re.MULTILINE)
FIRST_LINE = re.compile(r"^\$ head -1 (\S+)\n(.*)$", re.MULTILINE)


@pytest.mark.shared
@pytest.mark.timeout(240)  # two recordings, each with a deadline of its own
def test_the_backtests_of_the_readme_print_what_it_says(shared: Path, tmp_path: Path) -> None:
    text = README.read_text()
    printed = BACKTEST.findall(text)
    assert len(printed) == 2
    environment = {**os.environ, "KEELWING_DATA_DIR": str(tmp_path / "none")}
    for recording, out, sentence in printed:
        done = subprocess.run(
            [sys.executable, "-m", "keelwing.cli", "backtest", str(shared / recording), "--out", out],
            cwd=tmp_path,
            env={**environment, "PYTHONPATH": str(README.parent)},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert (done.returncode, done.stdout.strip()) == (0, sentence)
    for out, line in FIRST_LINE.findall(text):
        assert (tmp_path / out).read_text().splitlines()[0] == line
