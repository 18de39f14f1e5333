"""Debian's Mosquitto as a child of this process, its queue bounded by nothing. For benches and tests: Keelwing brings NATS."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

from keelwing.embedded import process
from keelwing.embedded.nats import answers_mqtt
from keelwing.embedded.service import EmbeddedServer

PLACES = "/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin"
"""Where packages put the broker; `sbin` is not on an ordinary user's path."""
READY_TIMEOUT_S = 10.0
IN_FLIGHT_MAX = 2000  # of every consumer, as Keelwing's setting has it
CONFIGURATION = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence true
persistence_location {directory}/
autosave_interval {autosave_s}
max_queued_messages 0
max_inflight_messages {in_flight_max}
log_dest stderr
log_type warning
log_type error
user root
"""


class Mosquitto(EmbeddedServer):
    """Mosquitto with its store in a directory.

    Args:
        program: its path (`mosquitto_program`).
        directory: configuration, store and log.
        autosave_s: how often it saves what it holds.
        configuration: its file, with `{port}`, `{directory}`, `{autosave_s}` and `{in_flight_max}` to be filled in.
    """

    def __init__(self, program: str, directory: Path, *, autosave_s: int, configuration: str = CONFIGURATION) -> None:
        super().__init__("mosquitto", "Mosquitto", directory)
        self.port = process.free_port()
        self.configuration_path = self.directory / "mosquitto.conf"
        self._program = program
        self._configuration = configuration.format(
            port=self.port, directory=self.directory, autosave_s=autosave_s, in_flight_max=IN_FLIGHT_MAX
        )

    @property
    def url(self) -> str:
        """`mqtt://127.0.0.1:PORT`, the same after a restart."""
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start; returns when it answers MQTT. Raises EmbeddedServerError when it does not within 10 s."""
        if self.alive():
            return
        self.configuration_path.write_text(self._configuration)
        self._process = process.spawn(
            [self._program, "-c", str(self.configuration_path)], log_path=self.log_path, cwd=self.directory, env={}
        )
        self._await(lambda: answers_mqtt("127.0.0.1", self.port), READY_TIMEOUT_S)

    def stop(self, timeout_s: float = 10.0) -> None:
        """Stop with SIGTERM, after `timeout_s` with SIGKILL, and wait."""
        if self._process is not None:
            process.stop(self._process, [(signal.SIGTERM, timeout_s)])
            self._process = None


def mosquitto_program() -> str | None:
    """Path of the broker, None when it is not installed."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path=PLACES)
