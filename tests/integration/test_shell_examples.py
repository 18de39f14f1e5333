"""The shell examples of `docs/api.md` work, in order and as they are, on the demo: the last to use it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.fix_stack import Stack, wait_for

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
SHELL = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def script(url: str, key: str) -> str:
    """Every shell block in one script that stops at the first refusal; the address and the key are the stack's."""
    first, *others = SHELL.findall(PAGE.read_text())
    filled = re.sub(r"^URL=.*$", f"URL={url}", first, flags=re.MULTILINE)
    filled = re.sub(r"^KEY=.*$", f"KEY={key}", filled, flags=re.MULTILINE)
    assert "api() { curl -sS " in filled
    return "set -euo pipefail\n" + "\n".join([filled.replace("curl -sS ", "curl -sS --fail-with-body "), *others])


def test_the_examples_of_the_api_page_work_as_they_are(demo_stack: Stack) -> None:
    key = demo_stack.keys[0]
    wait_for("an alert is open", lambda: demo_stack.get("/v1/alerts", key, status="open")["items"], 60)
    done = subprocess.run(["bash", "-c", script(demo_stack.url, key)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    assert "whsec_" in done.stdout
    assert "event: state" in done.stdout
    assert '"status":"dismissed"' in done.stdout
