"""TimescaleDB's WebAssembly build as a server: one connection at a time, no COPY, nothing on the disk.

It has all features, columnstore and policies among them, but no background workers: a policy's job runs when somebody calls it.
"""

import select
import shutil
import subprocess
from pathlib import Path
from typing import Self

HERE = Path(__file__).parent
START_S = 120.0  # chosen: it compiles some 20 MB of WebAssembly first, on a machine that may be busy


class WasmAbsentError(RuntimeError):
    """What it needs is not here; the text says what."""


class WasmTimescale:
    """A server in a process of its own, which ends with this one. A context manager."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    def __enter__(self) -> Self:
        return self.start()

    def start(self) -> Self:
        """Start and wait for the port.

        Raises:
            WasmAbsentError: no Node, or its packages are not installed.
        """
        node = shutil.which("node")
        if node is None or not (HERE / "node_modules" / "@unni-craftsman" / "pglite").is_dir():
            raise WasmAbsentError("no WebAssembly TimescaleDB (Node, and `npm ci` in tests/timescale_wasm)")
        self._process = subprocess.Popen(
            [node, str(HERE / "serve.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=HERE
        )
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], START_S)
        port = self._process.stdout.readline().strip() if ready else ""
        if not port:
            self.close()
            raise TimeoutError("the WebAssembly TimescaleDB did not start")
        # It asks for a password and takes any; a question for TLS or GSS it takes for the beginning of a session.
        self.url = f"postgresql://postgres:any@127.0.0.1:{port}/postgres?sslmode=disable&gssencmode=disable"
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End it."""
        if self._process is None:
            return
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(10.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
