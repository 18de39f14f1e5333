"""A broker in memory, and a client that behaves like paho's towards it: the real `Inbox` and its receivers run over both.

QoS 1 as MQTT 3.1.1 has it: sessions that outlive connections, a window of messages in flight, repeats with DUP over the next
connection or after `ack_wait`. What is on the wire when a connection breaks is lost, in both directions.
"""

# ruff: noqa: ARG002  paho's names, whether they are looked at or not
from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from random import Random
from typing import Any

import msgspec
from paho.mqtt.client import topic_matches_sub

from tests.simulation.faults import Faults

LATENCY_S = (0.0002, 0.002)  # one way; chosen: a network of a house
RECONNECT_S = (1.0, 3.0)


_matches = lru_cache(maxsize=1000)(topic_matches_sub)


class Sent(msgspec.Struct):
    """One message as a packet on its way to a client."""

    topic: str
    payload: bytes
    mid: int = 0
    dup: bool = False


class Answer(msgspec.Struct):
    """A reason code or the flags of a CONNACK, as far as the receiver looks at them."""

    is_failure: bool = False
    session_present: bool = False


class Session:
    """What a broker keeps for one client id: its subscription, what waits, what is in flight."""

    def __init__(self) -> None:
        self.topic_filter: str | None = None
        self.waiting: deque[Sent] = deque()
        self.in_flight: dict[int, Sent] = {}
        self.client: Client | None = None
        self.next_mid = 1

    @property
    def is_empty(self) -> bool:
        return not self.waiting and not self.in_flight


class Broker:
    """Sessions by client id. `draw` decides what a network leaves open."""

    def __init__(self, loop: asyncio.AbstractEventLoop, faults: Faults, draw: Random, note: Callable[[str], None]) -> None:
        self.loop = loop
        self.faults = faults
        self.draw = draw
        self.note = note
        self.sessions: dict[str, Session] = {}
        self.up = asyncio.Event()
        self.up.set()

    def publish(self, topic: str, payload: bytes) -> None:
        """Take a message for every session that subscribed to it; from now on it is the broker's to deliver."""
        for session in self.sessions.values():
            if session.topic_filter is not None and _matches(session.topic_filter, topic):
                place = len(session.waiting)
                if self.faults.reorder and self.draw.random() < self.faults.reorder:
                    place = self.draw.randint(0, place)
                session.waiting.insert(place, Sent(topic, payload))
                self.push(session)

    def push(self, session: Session) -> None:
        """Send what waits, as far as the window allows."""
        while session.client is not None and session.waiting and len(session.in_flight) < self.faults.window:
            message = session.waiting.popleft()
            message.mid, session.next_mid = session.next_mid, session.next_mid % 65535 + 1
            session.in_flight[message.mid] = message
            self._deliver(session, message)

    def _deliver(self, session: Session, message: Sent) -> None:
        client = session.client
        if client is None:
            return
        sent = Sent(message.topic, message.payload, message.mid, message.dup)
        self.note(f"deliver {client.client_id} {sent.mid} {sent.dup}")
        client.arrive(lambda: client.received(sent))
        if self.faults.ack_wait_s is not None:
            self.loop.call_later(self.faults.ack_wait_s, self._repeat, session, message)

    def _repeat(self, session: Session, message: Sent) -> None:
        if session.in_flight.get(message.mid) is message and session.client is not None:
            message.dup = True
            self._deliver(session, message)

    def connect(self, client: Client) -> bool:
        """Open or resume a session; an older connection of the same client id is closed. Returns whether it was there before."""
        session = self.sessions.get(client.client_id)
        resumed = session is not None
        if session is None:
            session = self.sessions[client.client_id] = Session()
        if session.client is not None and session.client is not client:
            session.client.lose()
        session.client = client
        return resumed

    def ready(self, client: Client) -> None:
        """After CONNACK: repeat what was in flight (or let `ack_wait` do so), then go on."""
        session = self.sessions[client.client_id]
        if session.client is not client:
            return
        for message in session.in_flight.values():
            message.dup = True
            if self.faults.ack_wait_s is None:
                self._deliver(session, message)
            else:
                self.loop.call_later(self.faults.ack_wait_s, self._repeat, session, message)
        self.push(session)

    def subscribe(self, client: Client, topic_filter: str) -> None:
        self.sessions[client.client_id].topic_filter = topic_filter

    def acknowledged(self, client: Client, mid: int) -> None:
        session = self.sessions[client.client_id]
        if session.client is client and session.in_flight.pop(mid, None) is not None:
            self.push(session)

    def gone(self, client: Client) -> None:
        """A connection ended."""
        session = self.sessions.get(client.client_id)
        if session is not None and session.client is client:
            session.client = None

    def cut_all(self) -> None:
        """Every connection breaks; sessions are on disk."""
        for session in self.sessions.values():
            if session.client is not None:
                session.client.lose()

    @property
    def is_drained(self) -> bool:
        return all(session.is_empty for session in self.sessions.values())

    def client_type(self) -> Any:
        """What to hand to `Inbox` in place of paho's client."""

        def client(*_: object, client_id: str, **__: object) -> Client:
            return Client(self, client_id)

        return client


class Client:
    """paho's client as `ingest.mqtt.Receiver` uses it, without a network and without threads.

    Each connection has a number; whatever was under way when it broke is dropped. Unacknowledged probes are sent again.
    """

    on_connect: Any
    on_disconnect: Any
    on_subscribe: Any
    on_message: Any
    fault: BaseException | None = None

    def __init__(self, broker: Broker, client_id: str) -> None:
        self.client_id = client_id
        self._broker = broker
        self._connection = 0
        self._is_connected = False
        self._is_running = False
        self._outgoing: dict[int, tuple[str, bytes]] = {}
        self._next_mid = 1
        self._inbound_s = self._outbound_s = 0.0

    # -- what the receiver calls

    def username_pw_set(self, *_: object) -> None: ...

    def tls_set_context(self, *_: object) -> None: ...

    def max_inflight_messages_set(self, *_: object) -> None: ...

    def reconnect_delay_set(self, *_: object, **__: object) -> None: ...

    def connect_async(self, *_: object, **__: object) -> None: ...

    def loop_start(self) -> None:
        self._is_running = True
        self._later(0.001, self._connect)

    def loop_stop(self) -> None:
        self._is_running = False

    def disconnect(self) -> None:
        self._is_running = False
        self._break()

    def socket(self) -> None: ...

    def subscribe(self, topic_filter: str, qos: int) -> tuple[int, int]:
        mid = self._take_mid()

        def granted() -> None:
            self._broker.subscribe(self, topic_filter)
            self.arrive(lambda: self.on_subscribe(self, None, mid, [Answer()], None))
            self._broker.push(self._broker.sessions[self.client_id])

        self._leave(granted)
        return 0, mid

    def publish(self, topic: str, payload: bytes, qos: int) -> None:
        mid = self._take_mid()
        self._outgoing[mid] = (topic, payload)
        self._send(mid)

    def acknowledge(self, mids: Sequence[int]) -> None:
        for mid in mids:
            self._leave(partial(self._broker.acknowledged, self, mid))

    # -- what the broker and the network do

    def received(self, message: Sent) -> None:
        self.on_message(self, None, message)

    def arrive(self, what: Callable[[], None]) -> None:
        """Something reaches us over this connection, after whatever is on its way already."""
        self._inbound_s = self._wire(self._inbound_s, what)

    def lose(self) -> None:
        """The connection breaks; paho tries again by itself."""
        if self._is_connected:
            self._break()
            self.on_disconnect(self, None, None, None, None)
        if self._is_running:
            self._later(self._broker.draw.uniform(*RECONNECT_S), self._connect)

    def die(self) -> None:
        """The process is no more: no callback, no goodbye."""
        self._is_running = False
        self._break()

    def _break(self) -> None:
        self._connection += 1
        self._is_connected = False
        self._broker.gone(self)

    def _connect(self) -> None:
        if not self._is_running or self._is_connected:
            return
        if not self._broker.up.is_set():
            self._later(self._broker.draw.uniform(*RECONNECT_S), self._connect)
            return
        self._is_connected = True
        present = self._broker.connect(self)

        def connected() -> None:
            self.on_connect(self, None, Answer(session_present=present), Answer(), None)
            self._broker.ready(self)
            for mid in list(self._outgoing):
                self._send(mid)

        self.arrive(connected)

    def _send(self, mid: int) -> None:
        topic, payload = self._outgoing[mid]

        def taken() -> None:
            self._broker.publish(topic, payload)
            self.arrive(lambda: self._outgoing.pop(mid, None) and None)

        self._leave(taken)

    def _leave(self, what: Callable[[], None]) -> None:
        if self._is_connected:
            self._outbound_s = self._wire(self._outbound_s, what)

    def _wire(self, last_s: float, what: Callable[[], None]) -> float:
        """Run something after the latency, in order, if the connection still stands then. Returns when."""
        connection = self._connection
        at_s = max(last_s + 1e-6, self._broker.loop.time() + self._broker.draw.uniform(*LATENCY_S))

        def arrived() -> None:
            if self._connection == connection and self._is_connected:
                what()

        self._broker.loop.call_at(at_s, arrived)
        return at_s

    def _later(self, delay_s: float, what: Callable[[], None]) -> None:
        self._broker.loop.call_later(delay_s, what)

    def _take_mid(self) -> int:
        mid, self._next_mid = self._next_mid, self._next_mid % 65535 + 1
        return mid
