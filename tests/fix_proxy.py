"""Fixture: a TCP proxy between us and a server, whose cable a test may cut or whose ear it may close."""

import contextlib
import queue
import select
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

CHUNK_BYTES = 65_536


class TcpProxy:
    """Forwards a port of 127.0.0.1 to a server, as the test says: passing, deaf, or cut.

    One thread owns every socket and obeys in turn, so that a mode holds for all of them when its method returns. Of each
    direction at most one chunk is held here, so a reader that stops is felt by the writer as without a proxy.
    """

    def __init__(self, target_host: str, target_port: int) -> None:
        self.host = "127.0.0.1"
        self._target = (target_host, target_port)
        self._passing = True
        self.accepted = 0  # connections ever made to it
        self._peer: dict[socket.socket, socket.socket] = {}
        self._waiting: dict[socket.socket, bytes] = {}  # towards this socket
        self._silent: list[socket.socket] = []  # accepted while deaf
        self._listener: socket.socket | None = socket.create_server((self.host, 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._orders: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._obeyed: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()
        self._bell, self._ear = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._thread.start()

    @property
    def connections(self) -> int:
        """How many connections are open through the proxy."""
        return len(self._peer) // 2 + len(self._silent)

    def cut(self) -> None:
        """Reset every connection and refuse new ones."""
        self._order(self._cut)

    def deaf(self) -> None:
        """Keep every connection open and accept new ones, and pass nothing."""
        self._order(self._deafen)

    def restore(self) -> None:
        """Pass again; connections made while deaf are reset, older ones go on with what waited."""
        self._order(self._restore)

    def close(self) -> None:
        """End the proxy; nothing of it stays."""
        self.cut()
        self._orders.put(None)
        self._bell.send(b"!")
        self._thread.join(timeout=10)
        self._bell.close()
        self._ear.close()

    def _order(self, action: Callable[[], None]) -> None:
        self._orders.put(action)
        self._bell.send(b"!")
        failure = self._obeyed.get(timeout=10)
        if failure is not None:
            raise failure

    def _cut(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for connection in [*self._peer, *self._silent]:
            _reset(connection)
        self._peer.clear()
        self._waiting.clear()
        self._silent.clear()

    def _deafen(self) -> None:
        self._passing = False
        self._listen()

    def _restore(self) -> None:
        self._passing = True
        self._listen()
        for connection in self._silent:
            _reset(connection)
        self._silent.clear()

    def _listen(self) -> None:
        if self._listener is None:
            self._listener = socket.create_server((self.host, self.port), backlog=128)

    def _run(self) -> None:
        while True:
            readers, writers = [self._ear], list[socket.socket]()
            if self._listener is not None:
                readers.append(self._listener)
            if self._passing:
                readers += [end for end, other in self._peer.items() if other not in self._waiting]
                writers += self._waiting
            readable, writable, _ = select.select(readers, writers, [])
            if self._ear in readable:
                self._ear.recv(1)
                action = self._orders.get()
                if action is None:
                    return
                try:
                    action()
                    self._obeyed.put(None)
                except OSError as error:
                    self._obeyed.put(error)
                continue  # the order may have closed what was ready
            for sink in writable:
                self._write(sink)
            for source in readable:
                if source is self._listener:
                    self._accept(source)
                else:
                    self._read(source)

    def _accept(self, listener: socket.socket) -> None:
        connection, _ = listener.accept()
        self.accepted += 1
        if not self._passing:
            self._silent.append(connection)
            return
        try:
            onward = socket.create_connection(self._target, timeout=5)
        except OSError:
            _reset(connection)
            return
        for end, other in ((connection, onward), (onward, connection)):
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._peer[end] = other

    def _read(self, source: socket.socket) -> None:
        if source not in self._peer:  # its other end failed a moment ago
            return
        try:
            chunk = source.recv(CHUNK_BYTES)
        except OSError:
            chunk = b""
        if chunk:
            self._waiting[self._peer[source]] = chunk
            self._write(self._peer[source])
        else:
            self._part(source)

    def _write(self, sink: socket.socket) -> None:
        if sink not in self._waiting:
            return
        try:
            sent = sink.send(self._waiting[sink])
        except BlockingIOError:
            return
        except OSError:
            self._part(sink)
            return
        rest = self._waiting.pop(sink)[sent:]
        if rest:
            self._waiting[sink] = rest

    def _part(self, end: socket.socket) -> None:
        """Close both ends; MQTT and PostgreSQL know no half-closed connection."""
        for one in (end, self._peer[end]):
            self._peer.pop(one, None)
            self._waiting.pop(one, None)
            one.close()


def _reset(connection: socket.socket) -> None:
    """Close with RST, as a broken cable or a dead host looks to the other side."""
    with contextlib.suppress(OSError):  # it may be closed already
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    connection.close()


@pytest.fixture
def proxy() -> Iterator[Callable[[str, int], TcpProxy]]:
    """Makes proxies: `proxy(host, port)` listens on `.host`, `.port`; all are closed after the test."""
    made: list[TcpProxy] = []

    def make(target_host: str, target_port: int) -> TcpProxy:
        made.append(TcpProxy(target_host, target_port))
        return made[-1]

    yield make
    for one in made:
        one.close()
