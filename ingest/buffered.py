"""paho's client over a buffered socket: many packets a system call, in both directions.

paho reads a packet in three calls of `recv` and writes each acknowledgement in one of `send`. At ten thousand small messages
a second the calls, and the waits for the interpreter's lock behind each, cost more than all the rest of the client. Protocol,
sessions and thread stay paho's own. Plain TCP and TLS are buffered; paho frames websockets itself.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
from collections.abc import Sequence
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import MessageType, MQTTErrorCode

READ_BYTES = 65_536  # one read of the socket; chosen: some 300 small messages
UNSENT_BYTES_MAX = 65_536  # held for one write; beyond it the socket is written to at once
PACKETS_MAX = 1_000  # packets handled before the client's loop looks at writes and pings; chosen: a window of messages


class BufferedSocket:
    """A connected socket as paho uses it (`recv`, `send`, `pending`, `fileno`, `setblocking`, `close`), with buffers around it.

    Raises what the socket raises; `send` of data beyond `UNSENT_BYTES_MAX` raises BlockingIOError while the socket takes none.
    """

    def __init__(self, plain: socket.socket) -> None:
        self._socket = plain
        self._arrived = b""
        self._place = 0
        self._unsent = bytearray()

    def recv(self, count_max: int) -> bytes:
        """Up to `count_max` bytes: what was read ahead, else one read of the socket; empty at its end."""
        if self._place >= len(self._arrived):
            self._arrived, self._place = self._socket.recv(READ_BYTES), 0
        end = self._place + count_max
        taken = self._arrived[self._place : end]
        self._place += len(taken)
        return taken

    def pending(self) -> int:
        """Bytes that `recv` gives without waiting."""
        ahead = len(self._arrived) - self._place
        inner = getattr(self._socket, "pending", None)  # a TLS socket holds decrypted bytes of its own
        return ahead if ahead or inner is None else int(inner())

    def send(self, data: bytes | bytearray) -> int:
        """Take data for the next `flush`; the number of bytes taken, all of them."""
        if len(self._unsent) + len(data) > UNSENT_BYTES_MAX:
            self.flush()
            if len(self._unsent) > UNSENT_BYTES_MAX:
                raise BlockingIOError
        self._unsent += data
        return len(data)

    def flush(self) -> None:
        """Write what the socket takes now; the rest stays for the next time."""
        while self._unsent:
            try:
                sent = self._socket.send(self._unsent)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            del self._unsent[:sent]

    @property
    def unsent(self) -> int:
        """Bytes that wait for the socket."""
        return len(self._unsent)

    def shutdown(self) -> None:
        """End both directions; the reader finds the end. Nothing happens when the other side has ended them already."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def fileno(self) -> int:
        """The socket's own number, for `select`."""
        return self._socket.fileno()

    def setblocking(self, flag: bool) -> None:
        """As the socket's."""
        self._socket.setblocking(flag)

    def close(self) -> None:
        """Write what is left if the socket takes it (a goodbye), and close."""
        with contextlib.suppress(OSError):
            self.flush()
        self._socket.close()


class BufferedClient(paho.Client):
    """paho's client whose socket is buffered, and which acknowledges many messages at once.

    `_create_socket` is where paho 2 makes a socket and `_packet_queue` where it takes what is to be written; tests hold that
    they still are (a burst beyond the window ends when acknowledgements do not reach the broker).
    """

    fault: BaseException | None = None
    """What ended paho's thread: an error of ours in a callback, or of paho's. Its broker's absence ends it never."""

    def loop_forever(self, timeout: float = 1.0, retry_first_connection: bool = False) -> MQTTErrorCode:
        """Paho's loop, which its thread runs; what ends it is kept, for a thread's end is nobody's news."""
        try:
            return super().loop_forever(timeout, retry_first_connection)
        except BaseException as error:
            self.fault = error
            raise

    def _create_socket(self) -> Any:
        made = super()._create_socket()
        return BufferedSocket(made) if isinstance(made, socket.socket) else made

    def acknowledge(self, mids: Sequence[int]) -> None:
        """Acknowledge messages of QoS 1 by their packet ids, in this order.

        paho's `ack` wakes its thread by a system call for every packet, and the two threads then hand the interpreter's lock to
        each other: 15 to 25 µs a message received and acknowledged, against 12 this way. A PUBACK is the same four bytes in MQTT
        3.1.1 and 5 (§3.4: a reason of success is left out), so many of them are queued as one packet.
        """
        if mids:
            packets = b"".join(struct.pack("!BBH", MessageType.PUBACK, 2, mid) for mid in mids)
            self._packet_queue(MessageType.PUBACK, packets, mids[-1], 1)

    def _wire(self) -> BufferedSocket | None:
        made: object = self.socket()
        return made if isinstance(made, BufferedSocket) else None

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """Handle the packets that have arrived, at most `PACKETS_MAX`, instead of one for each look at the socket."""
        code = super().loop_read(max_packets)
        for _ in range(PACKETS_MAX):
            wire = self._wire()
            if code != MQTTErrorCode.MQTT_ERR_SUCCESS or wire is None or not wire.pending():
                break
            code = super().loop_read(max_packets)
        return code

    def loop_write(self) -> MQTTErrorCode:
        """Write every packet that waits in as few calls as the socket allows."""
        wire = self._wire()
        code = super().loop_write()
        if wire is not None and wire is self._wire():
            try:
                wire.flush()
            except OSError:
                wire.shutdown()  # paho's reader finds the end and reconnects
        return code

    def want_write(self) -> bool:
        """Whether packets or bytes wait for the socket."""
        wire = self._wire()
        return super().want_write() or (wire is not None and wire.unsent > 0)
