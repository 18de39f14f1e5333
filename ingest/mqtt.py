"""The broker's side of the ingester: paho with manual acknowledgement, nothing acknowledged before it is told to.

Three connections, each with an in-flight window of its own: devices, feeds, and backfill, so that a device's stored readings
never stand in front of live ones. paho's network thread reads the socket (and answers pings) however long the
database is away; what it holds is bounded by the broker's in-flight limit and by bytes. Knows packets, not readings.

A `Delivery` remembers the connection it came over: a packet id means nothing after a reconnect and is never acknowledged
there; the broker sends the message again and the key makes it a duplicate (design 5.1, 5.3).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterable
from itertools import groupby
from operator import attrgetter
from typing import Any, cast
from urllib.parse import unquote, urlsplit

import msgspec
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from ingest.buffered import BufferedClient, BufferedSocket
from ingest.ports import Clock, Held, SystemClock
from ingest.wire import PREFIX

# One session each: NATS counts what is unacknowledged per session, lets each subscription run up to that count, and sends
# what is beyond it again only after `ack_wait` (30 s); so a session has one subscription (server/mqtt.go, trackPublish).
DEVICE_FILTER = f"{PREFIX}/+/+/+/+/+"  # telemetry, static and status of devices
FEED_FILTER = f"{PREFIX}/+/feed/+/+"  # the same of feeds, a level shorter
BACKFILL_FILTER = f"{PREFIX}/+/+/+/+/telemetry/backfill"
SESSION_EXPIRY_S = 7 * 24 * 3600  # longer than the longest outage we tolerate; the broker queues for us meanwhile
KEEPALIVE_S = 30
RECONNECT_S_MAX = 5
PROBE_TENANT = "_"
PROBE_CLASS = "probe"
UNPROVEN_US = 2_000_000  # chosen: two probes; one that has not come back by then found no subscription, or a very full window
PROBES_MAX = 64  # under way at once; chosen: a minute of probes, older ones are lost with their connection


class BrokerAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where the broker is and how to enter. `url` = `mqtt://`, `mqtts://` or `ws://`, user and password in it or none.

    `keepalive_s`: a broker that answers no ping for so long is taken for gone.
    """

    url: str
    protocol: str = "3.1.1"
    ca_file: str | None = None
    client_id: str = "keelwing-worker"
    in_flight_max: int = 2000
    held_bytes_max: int = 64 * 1024 * 1024
    keepalive_s: int = KEEPALIVE_S


class Delivery(msgspec.Struct, kw_only=True):
    """One message in hand, not yet acknowledged. `mids` grows when the broker repeats it while we hold it."""

    topic: str
    payload: bytes
    received_us: int
    connection: int
    mids: list[int]
    receiver: Receiver


class Receiver:
    """One subscription with its own window: collects deliveries in a bounded queue and wakes the event loop.

    `on_wake` is called on paho's thread when something arrived or the connection changed. `connected_since_us` is the wall
    time of the last successful subscription, None while the broker is away; `resumed` says that the session was there before,
    so that messages in flight at its last end may still come again; `overflowed` that some were let pass unheld; `is_proven` that
    the session has our subscription: a process killed between CONNECT and SUBSCRIBE leaves a session that has none.
    """

    def __init__(
        self,
        address: BrokerAddress,
        topic_filter: str,
        on_wake: Callable[[], None],
        *,
        suffix: str = "",
        clock: Clock | None = None,
        client_type: type[BufferedClient] = BufferedClient,
    ) -> None:
        self._address = address
        self._clock = clock or SystemClock()
        self._client_type = client_type
        self._filter = topic_filter
        self._on_wake = on_wake
        self._queue: deque[Delivery] = deque()
        self._held: dict[tuple[str, bytes], Delivery] = {}
        self._held_bytes = 0
        self.overflowed = False
        self.resumed = False
        self.is_proven = False
        self._lock = threading.Lock()
        self._connection = 0
        self._pending_subscribe = 0
        self.connected_since_us: int | None = None
        self.refused: str | None = None
        self.connections = 0
        self._client: BufferedClient | None = self._build_client(address.client_id + suffix)

    def _build_client(self, client_id: str) -> BufferedClient:
        parts = urlsplit(self._address.url)
        five = self._address.protocol == "5"
        client = self._client_type(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=paho.MQTTv5 if five else paho.MQTTv311,
            transport="websockets" if parts.scheme in {"ws", "wss"} else "tcp",
            clean_session=None if five else False,
            manual_ack=True,
        )
        if parts.username is not None:
            client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
        if parts.scheme in {"mqtts", "wss"}:
            client.tls_set_context(ssl.create_default_context(cafile=self._address.ca_file))
        client.max_inflight_messages_set(self._address.in_flight_max)
        client.reconnect_delay_set(min_delay=1, max_delay=RECONNECT_S_MAX)
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_subscribe = self._subscribed
        client.on_message = self._received
        return client

    def start(self) -> None:
        """Begin to connect; retries for ever with a bounded delay, the broker may come later than we do."""
        parts = urlsplit(self._address.url)
        port = parts.port or {"mqtts": 8883, "ws": 80, "wss": 443}.get(parts.scheme, 1883)
        extra: dict[str, Any] = {}
        if self._address.protocol == "5":
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = SESSION_EXPIRY_S
            properties.ReceiveMaximum = self._address.in_flight_max
            extra = {"clean_start": False, "properties": properties}
        client = self._running()
        client.connect_async(parts.hostname or "127.0.0.1", port, keepalive=self._address.keepalive_s, **extra)
        client.loop_start()

    def stop(self) -> None:
        """Disconnect; what is held unacknowledged stays with the broker."""
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_stop()
        # With our last reference the client goes and closes the sockets it wakes itself with.

    def _running(self) -> BufferedClient:
        """The client. Raises RuntimeError after `stop` (a programmer's error)."""
        if self._client is None:
            raise RuntimeError("the receiver was stopped")
        return self._client

    def take(self, count_max: int) -> list[Delivery]:
        """Up to `count_max` deliveries in the order of arrival; empty when there are none.

        Raises RuntimeError when the thread that receives ended by an error: it would be deaf for ever.
        """
        if self._client is not None and self._client.fault is not None:
            raise RuntimeError(f"the receiver of {self._filter} ended") from self._client.fault
        taken: list[Delivery] = []
        while len(taken) < count_max:
            try:
                taken.append(self._queue.popleft())
            except IndexError:
                break
        return taken

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def held(self) -> tuple[int, int, int | None]:
        """What is held unacknowledged: messages, bytes, and when (wall time) the oldest was received."""
        with self._lock:
            oldest = next(iter(self._held.values()), None)
            return len(self._held), self._held_bytes, None if oldest is None else oldest.received_us

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish at QoS 1 over this connection (probes only)."""
        self._running().publish(topic, payload, qos=1)

    def acknowledge(self, deliveries: Iterable[Delivery]) -> None:
        """Tell the broker that these are safe: all packets of those whose connection is still the one we have."""
        with self._lock:
            mids: list[int] = []
            for delivery in deliveries:
                self._held.pop((delivery.topic, delivery.payload), None)
                self._held_bytes -= len(delivery.payload)
                if delivery.connection == self._connection:
                    mids += delivery.mids
            if self._client is not None:
                self._client.acknowledge(mids)
            if self.overflowed and self._held_bytes * 2 < self._address.held_bytes_max:
                # What we let pass unheld comes again only over a new connection (MQTT 3.1.1 §4.4).
                self.overflowed = False
                self._cut()

    def _cut(self) -> None:
        """Close the socket under paho, whose loop then reconnects by itself."""
        connection: Any = None if self._client is None else self._client.socket()
        if isinstance(connection, BufferedSocket):
            connection.shutdown()
        elif isinstance(connection, socket.socket):
            connection.shutdown(socket.SHUT_RDWR)

    def _connected(self, client: paho.Client, _userdata: object, flags: Any, reason: Any, _properties: object) -> None:
        if reason.is_failure:
            self.refused = str(reason)
            return
        self.refused = None
        self.connections += 1
        self.resumed = bool(flags.session_present)
        if self.resumed:
            # Subscribing anew would make NATS send what is in flight again, out of order.
            self.connected_since_us = self._clock.wall_us()
            self._on_wake()
            return
        self.is_proven = False
        self._subscribe(client)

    def make_sure(self, now_us: int) -> None:
        """Subscribe after all when nothing ever came over a session that was there before: a probe should have by now."""
        since_us = self.connected_since_us
        if not self.is_proven and since_us is not None and now_us - since_us > UNPROVEN_US:
            self._subscribe(self._running())

    def _subscribe(self, client: paho.Client) -> None:
        _, mid = client.subscribe(self._filter, qos=1)
        self._pending_subscribe = mid or 0

    def _subscribed(self, _client: object, _userdata: object, mid: int, reasons: Any, _properties: object) -> None:
        if mid == self._pending_subscribe:
            failures = [str(reason) for reason in reasons if reason.is_failure]
            self.refused = failures[0] if failures else None
            self.is_proven = not failures
            self.connected_since_us = None if failures else self._clock.wall_us()
            self._on_wake()

    def _disconnected(self, *_: object) -> None:
        with self._lock:
            self._connection += 1
            self.connected_since_us = None
        self._on_wake()

    def _received(self, _client: object, _userdata: object, message: paho.MQTTMessage) -> None:
        topic, payload = message.topic, bytes(message.payload)
        key = (topic, payload)
        self.is_proven = True
        with self._lock:
            held = self._held.get(key)
            if held is not None and message.dup:
                if held.connection != self._connection:
                    held.connection, held.mids = self._connection, []
                held.mids.append(message.mid)
                return
            if self._held_bytes + len(payload) > self._address.held_bytes_max:
                self.overflowed = True
                return
            delivery = Delivery(
                topic=topic,
                payload=payload,
                received_us=self._clock.wall_us(),
                connection=self._connection,
                mids=[message.mid],
                receiver=self,
            )
            self._held[key] = delivery
            self._held_bytes += len(payload)
        self._queue.append(delivery)
        self._on_wake()


class _Probe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a probe says: when it was sent, wall time in microseconds."""

    probe: int


class Inbox:
    """The receivers behind one `take`, and the probes that say how far the broker has been drained.

    A probe is a message of our own on a topic that a live filter matches: when it comes back, everything that the broker held for
    that session before it was published has been delivered (MQTT keeps the order of a subscription). `frontier_us` is the
    publication time of the last probe that came back over every live session.

    `client_type` is what speaks MQTT: paho's client, buffered, or one that behaves like it without a network.
    """

    def __init__(
        self, address: BrokerAddress, clock: Clock | None = None, client_type: type[BufferedClient] = BufferedClient
    ) -> None:
        self._woken = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._signalled = False

        def receiver(topic_filter: str, suffix: str) -> Receiver:
            return Receiver(address, topic_filter, self._wake, suffix=suffix, clock=clock, client_type=client_type)

        self._devices = receiver(DEVICE_FILTER, "")
        self._feeds = receiver(FEED_FILTER, "-feeds")
        self._backfill = receiver(BACKFILL_FILTER, "-backfill")
        self._live = (self._devices, self._feeds)
        self.sessions = {"devices": self._devices, "feeds": self._feeds, "backfill": self._backfill}
        worker = f"{PREFIX}/{PROBE_TENANT}/{PROBE_CLASS}/worker/{address.client_id}/telemetry"
        self._probe_topics = {
            worker: self._devices,
            f"{PREFIX}/{PROBE_TENANT}/feed/{PROBE_CLASS}-{address.client_id}/telemetry": self._feeds,
            f"{worker}/backfill": self._backfill,  # sent only until the session is proven
        }
        self._probes: dict[str, int] = {}
        self._sent: set[bytes] = set()

    def start(self) -> None:
        """Connect; to be called on the event loop that will `take`."""
        self._loop = asyncio.get_running_loop()
        for receiver in (*self._live, self._backfill):
            receiver.start()

    def stop(self) -> None:
        """Disconnect."""
        for receiver in (*self._live, self._backfill):
            receiver.stop()

    def __len__(self) -> int:
        return len(self._devices) + len(self._feeds) + len(self._backfill)

    def _wake(self) -> None:
        if self._loop is not None and not self._signalled:
            self._signalled = True
            with contextlib.suppress(RuntimeError):  # the loop ended before paho's thread did: nobody is left to wake
                self._loop.call_soon_threadsafe(self._woken.set)

    async def take(self, count_max: int, wait_s: float) -> list[Delivery]:
        """Deliveries for one batch: live first, backfill only into what live left free. Empty after `wait_s` of silence."""
        if not len(self):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), wait_s)
        self._woken.clear()
        self._signalled = False
        taken = self._feeds.take(count_max // 2)
        taken += self._devices.take(count_max - len(taken))
        return taken + self._backfill.take(max(0, count_max - len(taken)) // 2)

    def acknowledge(self, deliveries: Iterable[Held]) -> None:
        """Tell the broker that deliveries of `take` are safe; does nothing for those whose connection is gone."""
        for receiver, given in groupby(cast("Iterable[Delivery]", deliveries), key=attrgetter("receiver")):
            receiver.acknowledge(given)

    @property
    def is_subscribed(self) -> bool:
        """Whether the broker keeps every subscription for us."""
        connected = self.listening_since_us is not None and self._backfill.connected_since_us is not None
        return connected and all(receiver.is_proven for receiver in self.sessions.values())

    @property
    def listening_since_us(self) -> int | None:
        """Since when (wall time) every live session is connected; None while one is not."""
        since = [receiver.connected_since_us for receiver in self._live]
        known = [since_us for since_us in since if since_us is not None]
        return max(known) if len(known) == len(since) else None

    @property
    def may_miss(self) -> bool:
        """Whether a live session let messages pass unheld that come again only over its next connection."""
        return any(receiver.overflowed for receiver in self._live)

    @property
    def resumed(self) -> bool:
        """Whether a live session was there before: what was in flight at its end may still come again."""
        return any(receiver.resumed for receiver in self._live)

    @property
    def refused(self) -> str | None:
        """Why the broker does not let us in, None when it does."""
        return next((receiver.refused for receiver in (*self._live, self._backfill) if receiver.refused is not None), None)

    def probe(self, now_us: int) -> None:
        """Send a probe over every live session."""
        payload = msgspec.json.encode(_Probe(now_us))
        self._sent.add(payload)
        if len(self._sent) > PROBES_MAX:
            self._sent = {payload}
        for topic, receiver in self._probe_topics.items():
            if receiver is not self._backfill or not receiver.is_proven:
                receiver.publish(topic, payload)
        for receiver in self.sessions.values():
            receiver.make_sure(now_us)

    def probe_us(self, delivery: Held) -> int | None:
        """The publication time if a delivery is a probe, else None.

        One that we did not send is of an earlier process under our client id, and comes again after its crash: it is no bad
        input, and says nothing about how far the broker is drained.
        """
        if delivery.topic not in self._probe_topics:
            return None
        try:
            sent_us = msgspec.json.decode(delivery.payload, type=_Probe).probe
        except msgspec.DecodeError:
            return None
        if delivery.payload in self._sent:
            self._probes[delivery.topic] = max(sent_us, self._probes.get(delivery.topic, 0))
        return sent_us

    @property
    def frontier_us(self) -> int | None:
        """Up to when the broker has nothing left for us, by the probes that came back; None before the first."""
        came_us = [self._probes.get(topic) for topic, receiver in self._probe_topics.items() if receiver in self._live]
        known_us = [time_us for time_us in came_us if time_us is not None]
        return min(known_us) if len(known_us) == len(came_us) else None
