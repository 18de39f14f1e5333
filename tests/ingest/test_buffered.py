"""paho over a buffered socket: the same packets in fewer calls."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest
from paho.mqtt.enums import CallbackAPIVersion

from ingest.buffered import UNSENT_BYTES_MAX, BufferedClient, BufferedSocket
from tests.fix_broker import Broker


@pytest.fixture
def ends() -> Iterator[tuple[BufferedSocket, socket.socket]]:
    """A buffered, non-blocking end and a plain one."""
    near, far = socket.socketpair()
    near.setblocking(False)
    far.settimeout(10)
    wire = BufferedSocket(near)
    yield wire, far
    wire.close()
    far.close()


def test_one_read_of_the_socket_serves_many_small_ones(ends: tuple[BufferedSocket, socket.socket]) -> None:
    wire, far = ends
    far.sendall(b"abcdef")
    assert (wire.recv(1), wire.pending()) == (b"a", 5)
    far.close()
    assert (wire.recv(2), wire.recv(9)) == (b"bc", b"def")
    assert wire.recv(1) == b""


def test_an_empty_socket_blocks_as_a_plain_one_does(ends: tuple[BufferedSocket, socket.socket]) -> None:
    wire, _ = ends
    with pytest.raises(BlockingIOError):
        wire.recv(1)


def test_what_is_sent_waits_for_the_flush_and_keeps_its_order(ends: tuple[BufferedSocket, socket.socket]) -> None:
    wire, far = ends
    assert (wire.send(b"one "), wire.send(b"two")) == (4, 3)
    far.setblocking(False)
    with pytest.raises(BlockingIOError):
        far.recv(10)
    wire.flush()
    assert far.recv(10) == b"one two"


def test_a_peer_that_does_not_read_is_felt_and_nothing_is_lost(ends: tuple[BufferedSocket, socket.socket]) -> None:
    wire, far = ends
    block, taken = b"x" * 10_000, 0
    with contextlib.suppress(BlockingIOError):
        while taken < 1 << 30:
            taken += wire.send(block)
    assert taken < 1 << 30
    assert wire.unsent <= UNSENT_BYTES_MAX + len(block)
    read = 0
    while read < taken:
        read += len(far.recv(1 << 20))
        wire.flush()
    assert (read, wire.unsent) == (taken, 0)


def test_a_goodbye_is_written_before_the_socket_closes(ends: tuple[BufferedSocket, socket.socket]) -> None:
    wire, far = ends
    wire.send(b"goodbye")
    wire.close()
    assert far.recv(10) == b"goodbye"


def test_a_connection_that_was_reset_is_ended_without_a_word(ends: tuple[BufferedSocket, socket.socket]) -> None:
    """On paho's thread an error here would end the thread, and nobody would connect again."""
    wire, far = ends
    far.close()
    wire.shutdown()
    wire.shutdown()
    wire.send(b"goodbye")
    with contextlib.suppress(BrokenPipeError):
        wire.flush()
    wire.shutdown()


def test_paho_talks_over_the_buffered_socket(nats_broker: Broker) -> None:
    """`_create_socket` is private to paho: this says when it is gone."""
    client = BufferedClient(CallbackAPIVersion.VERSION2, client_id="buffered-check")
    connected = threading.Event()
    client.on_connect = lambda *_: connected.set()
    client.connect("127.0.0.1", int(nats_broker.url.rpartition(":")[2]))
    client.loop_start()
    try:
        assert connected.wait(10)
        made: object = client.socket()
        assert isinstance(made, BufferedSocket)
    finally:
        client.disconnect()
        client.loop_stop()
