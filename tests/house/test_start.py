"""What a process loads before it has anything to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_a_worker_and_a_stack_start_without_scipys_statistics() -> None:
    """They are more than half of a start's work, and only what learns needs them."""
    asked = "import sys, ingest.worker, keelwing.stack; print('scipy.stats' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", asked], cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "False"
