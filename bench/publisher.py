"""Sends a load straight over a socket: a process of its own that costs the machine a few microseconds a message.

At most `--window` messages are unacknowledged by the broker. Two ways to pace: by allowance (it sends what the gauge's slot
`ALLOWED` permits, so that the broker's queue stays short however fast or slow the consumer is), or by the clock (`--real-time`:
each message at its event time, as the world would). Its counts are in the gauge. Knows MQTT's bytes, not what is in them.
"""

from __future__ import annotations

import argparse
import mmap
import select
import socket
import time
from pathlib import Path

import numpy as np

from bench.gauge import Gauge

ALLOWED, SENT, ACKNOWLEDGED, SLIP_MS_MAX, FINISHED = range(5)
CHUNK = 200  # messages in one write; chosen: 40 kB of single readings, below a socket's buffer
PAUSE_S = 0.001
KEEPALIVE_S = 0  # MQTT 3.1.1, 3.1.2.10: the server never disconnects us for silence
PUBACK_BYTES = 4


def connect(host: str, port: int, client_id: str) -> socket.socket:
    """A connection after its CONNACK. Errors: OSError; ValueError when the broker refuses."""
    connection = socket.create_connection((host, port), timeout=30)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    name = client_id.encode()
    body = b"\x00\x04MQTT\x04\x02" + KEEPALIVE_S.to_bytes(2, "big") + len(name).to_bytes(2, "big") + name
    connection.sendall(bytes([0x10, len(body)]) + body)
    answer = connection.recv(4)
    if len(answer) != 4 or answer[0] != 0x20 or answer[3] != 0:
        raise ValueError(f"the broker refused: {answer.hex()}")
    return connection


class Publisher:
    """One connection and how far it has come."""

    def __init__(self, connection: socket.socket, gauge: Gauge, packets: Path, index: Path, window: int) -> None:
        self._connection = connection
        self._gauge = gauge
        self._window = window
        with packets.open("rb") as file:
            self._packets = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        both = np.fromfile(index, dtype=np.int64)
        self.messages = len(both) // 2
        self._ends = [0, *both[: self.messages].tolist()]
        self.due_ms: list[int] = both[self.messages :].tolist()
        self.sent = 0
        self._acknowledged_bytes = 0

    @property
    def acknowledged(self) -> int:
        """Messages that the broker has."""
        return self._acknowledged_bytes // PUBACK_BYTES

    def send(self, until: int) -> None:
        """Send as many of the messages before number `until` as the window allows, and take what came back."""
        room = self._window - (self.sent - self.acknowledged)
        count = min(until - self.sent, room, CHUNK)
        if count > 0 and room >= self._window // 4:  # few large writes, not one for each acknowledgement
            self._connection.sendall(self._packets[self._ends[self.sent] : self._ends[self.sent + count]])
            self.sent += count
            self._gauge[SENT] = self.sent
            self.take(0.0)
        else:
            self.take(PAUSE_S)

    def take(self, wait_s: float) -> None:
        """Count acknowledgements that came, waiting for the first of them. Errors: ConnectionError when the broker hung up."""
        if not select.select([self._connection], [], [], wait_s)[0]:
            return
        came = self._connection.recv(65_536)
        if not came:
            raise ConnectionError("the broker closed the connection")
        self._acknowledged_bytes += len(came)
        self._gauge[ACKNOWLEDGED] = self.acknowledged


def by_allowance(publisher: Publisher, gauge: Gauge) -> None:
    """Send what is allowed as soon as it is."""
    while publisher.acknowledged < publisher.messages:
        publisher.send(min(gauge[ALLOWED], publisher.messages))


def in_real_time(publisher: Publisher, gauge: Gauge, start_us: int) -> None:
    """Send each message when its last reading was measured; the largest delay is in the gauge."""
    slip_ms, due = 0, 0
    while publisher.acknowledged < publisher.messages:
        now_ms = (time.time_ns() // 1000 - start_us) // 1000
        while due < publisher.messages and publisher.due_ms[due] <= now_ms:
            due += 1
        if publisher.sent < due:
            slip_ms = max(slip_ms, now_ms - publisher.due_ms[publisher.sent])
            gauge[SLIP_MS_MAX] = slip_ms
        publisher.send(due)


def main() -> None:
    """Send the load that the arguments name, then end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--gauge", type=Path, required=True)
    parser.add_argument("--packets", type=Path, required=True)
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--window", type=int, default=500)
    parser.add_argument("--real-time", type=int, default=0, metavar="START_US")
    given = parser.parse_args()
    gauge = Gauge(given.gauge)
    connection = connect("127.0.0.1", given.port, "bench-publisher")
    publisher = Publisher(connection, gauge, given.packets, given.index, given.window)
    if given.real_time:
        in_real_time(publisher, gauge, given.real_time)
    else:
        by_allowance(publisher, gauge)
    gauge[FINISHED] = 1
    connection.sendall(b"\xe0\x00")  # DISCONNECT (MQTT 3.1.1, 3.14)
    connection.close()


if __name__ == "__main__":
    main()
