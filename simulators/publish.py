"""Publishes elements over MQTT as a device with a memory does: nothing is forgotten before the broker has it.

QoS 1 with a bounded number of messages in flight. What is not acknowledged when the connection breaks is sent again, in
order and before anything newer, on the next connection; the memory is bounded, and when it is full the source waits, which
costs nothing because a world can be asked again. So a reading arrives at least once, and each device's in its order.

Many devices share one connection for each tenant, and a connection has one last will. It is the status of the feed
`simulator` of that tenant; each device's own status is `online` from its first message to a clean end.

Knows topics (`ingest.wire`) and the client (aiomqtt), nothing of worlds. Neighbours: `world` gives elements, `run` paces.
"""

from __future__ import annotations

import asyncio
import math
import random
import secrets
import ssl
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, NamedTuple, Self
from urllib.parse import unquote, urlsplit

import aiomqtt

from ingest.wire import ELEMENTS_MAX, MESSAGE_BYTES_MAX, device_topic, encode_json, feed_topic
from simulators.element import Element

FEED = "simulator"
IN_FLIGHT_MAX = 256  # chosen: a round trip of 20 ms still gives thousands a second; under NATS's and Mosquitto's limits
MEMORY_MAX = 5_000  # messages waiting, about 3 MB of single readings
DEVICES_MAX = 100_000  # devices whose status one connection keeps
RETRY_FIRST_S, RETRY_MAX_S = 0.1, 5.0  # chosen: a broker's restart costs a second, a night's outage 5 s
KEEPALIVE_S = 15  # a deaf broker is noticed within half a minute
CLOSE_MAX_S = 3.0  # at the end: how long the broker may take for what is still in flight
_PORTS = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}


class Broker(NamedTuple):
    """Where a broker listens and as whom to come."""

    host: str
    port: int
    tls: bool
    transport: Literal["tcp", "websockets"]
    path: str | None
    username: str | None
    password: str | None


def parse_url(url: str) -> Broker:
    """Read `mqtt://`, `mqtts://`, `ws://` or `wss://` with optional `user:password@`, port and path.

    Errors: ValueError for another scheme, no host or a bad port.
    """
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("a broker's URL is mqtt://, mqtts://, ws:// or wss:// and a host")
    sockets = parts.scheme.startswith("ws")
    return Broker(
        parts.hostname,
        parts.port or _PORTS[parts.scheme],
        parts.scheme in ("mqtts", "wss"),
        "websockets" if sockets else "tcp",
        (parts.path or "/mqtt") if sockets else None,
        unquote(parts.username) if parts.username else None,
        unquote(parts.password) if parts.password else None,
    )


class Outgoing(NamedTuple):
    """One MQTT message: `readings` elements of one device, the last of them sent at `send_at_us`."""

    topic: str
    payload: bytes
    retain: bool
    readings: int
    send_at_us: int
    device: str  # its status topic; empty for a status itself


@dataclass
class Counters:
    """What one publisher did: acknowledged messages and readings, messages sent again, connections made."""

    messages: int = 0
    readings: int = 0
    resent: int = 0
    connections: int = 0


def outgoing(element: Element) -> Outgoing:
    """Write one element as a message of its own."""
    payload = element.raw if element.raw is not None else encode_json(element.body)
    address = (element.tenant, element.asset_class, element.scheme, element.value)
    return Outgoing(
        device_topic(*address, element.kind),
        payload,
        element.kind == "static",
        1,
        element.send_at_us,
        device_topic(*address, "status"),
    )


def flushed(elements: Iterable[Element], span_s: float) -> Iterator[tuple[str, Outgoing]]:
    """Write elements as (tenant, message), readings of one device within a span of span_s as one array.

    As a device does that was offline. Order per device is kept: a static message or a corrupted payload ends the array
    before it. Arrays stay within the wire's limits of elements and bytes.
    """
    arrays: dict[tuple[str, str], _Array] = {}
    span_us, until_us = round(span_s * 1e6), 0
    for element in elements:
        if element.send_at_us >= until_us:
            yield from ((key[0], array.message()) for key, array in arrays.items())
            arrays.clear()
            until_us = element.send_at_us + span_us
        one = outgoing(element)
        key = (element.tenant, one.device)
        array = arrays.get(key)
        alone = one.retain or element.raw is not None
        if array is not None and (alone or not array.takes(one)):
            yield element.tenant, arrays.pop(key).message()
            array = None
        if alone:
            yield element.tenant, one
        elif array is None:
            arrays[key] = _Array(one)
        else:
            array.add(one)
    yield from ((key[0], array.message()) for key, array in arrays.items())


class _Array:
    """Readings of one device that will be one message."""

    def __init__(self, first: Outgoing) -> None:
        self._last = first
        self._parts = [first.payload]
        self._bytes = len(first.payload) + 2

    def takes(self, one: Outgoing) -> bool:
        return len(self._parts) < ELEMENTS_MAX and self._bytes + len(one.payload) + 1 <= MESSAGE_BYTES_MAX

    def add(self, one: Outgoing) -> None:
        self._last = one
        self._parts.append(one.payload)
        self._bytes += len(one.payload) + 1

    def message(self) -> Outgoing:
        payload = b"[" + b",".join(self._parts) + b"]"
        return self._last._replace(payload=payload, readings=len(self._parts))


class Publisher:
    """One connection with a memory. Use as an async context manager; leaving it waits CLOSE_MAX_S for acknowledgements."""

    def __init__(
        self,
        url: str,
        *,
        tenant: str,
        feed: str = FEED,
        protocol: Literal[4, 5] = 4,
        tls: ssl.SSLContext | None = None,
        in_flight_max: int = IN_FLIGHT_MAX,
        memory_max: int = MEMORY_MAX,
        on_acknowledged: Callable[[Outgoing], None] | None = None,
    ) -> None:
        """`feed` speaks for the connection; `protocol` 4 is MQTT 3.1.1; `tls` overrides the system's trust for mqtts.

        Errors: ValueError for a bad URL.
        """
        self.counters = Counters()
        self._broker = parse_url(url)
        self._protocol = aiomqtt.ProtocolVersion.V5 if protocol == 5 else aiomqtt.ProtocolVersion.V311
        self._tls = tls or (ssl.create_default_context() if self._broker.tls else None)
        self._status_topic = feed_topic(tenant, feed, "status")
        # two simulators of one tenant must not throw each other out, so the client id is not fixed
        self._identifier = f"keelwing-simulator-{tenant}-{secrets.token_hex(4)}"
        self._in_flight_max = in_flight_max
        self._held: dict[int, Outgoing] = {}  # in order: written at least once, then waiting
        self._room = asyncio.Semaphore(memory_max)
        self._waiting: asyncio.Queue[int] = asyncio.Queue()  # bounded by _room
        self._written: dict[int, None] = {}
        self._count = 0
        self._devices: dict[str, None] = {}
        self._on_acknowledged = on_acknowledged
        self._settled = asyncio.Event()
        self._settled.set()
        self._task: asyncio.Task[None] | None = None
        self._jitter = random.Random(tenant)

    async def __aenter__(self) -> Self:
        """Begin to connect; does not wait for the broker."""
        self._task = asyncio.create_task(self._keep_connected(), name=f"publisher {self._identifier}")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Say `offline` for every device if the broker listens, within CLOSE_MAX_S, and disconnect."""
        if self._task is None:
            return
        try:
            async with asyncio.timeout(CLOSE_MAX_S):
                if kind is None:
                    for device in self._devices:
                        await self._remember(_status(device, "offline"))
                    await self._remember(_status(self._status_topic, "offline"))
                    await self._settled.wait()
        except TimeoutError:
            pass  # the broker is away; what it did not take is sent again by whoever resumes the world
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def send(self, message: Outgoing) -> None:
        """Remember a message until the broker has it; waits while the memory is full. A failed publisher's error is raised."""
        if message.device and message.device not in self._devices and len(self._devices) < DEVICES_MAX:
            self._devices[message.device] = None
            await self._remember(_status(message.device, "online"))
        await self._remember(message)

    async def _remember(self, message: Outgoing) -> None:
        if self._task is None:
            raise RuntimeError("a publisher sends inside `async with`")
        if self._task.done():
            self._task.result()
        await self._room.acquire()
        self._settled.clear()
        self._count += 1
        self._held[self._count] = message
        self._waiting.put_nowait(self._count)

    async def settled(self) -> None:
        """Wait until everything sent so far is acknowledged."""
        await self._settled.wait()

    def oldest_unacknowledged_us(self) -> int | None:
        """Sending time of the oldest message the broker may not have; None when it has all."""
        return next((m.send_at_us for m in self._held.values() if m.device), None)

    async def _keep_connected(self) -> None:
        """The one place where the broker's absence is waited out: doubling pauses up to RETRY_MAX_S, for ever."""
        pause_s = RETRY_FIRST_S
        while True:
            made = self.counters.connections
            try:
                await self._session()
            except* (aiomqtt.MqttError, OSError):
                pass  # the broker is away or went away: the pause below, then again
            if self.counters.connections > made:
                pause_s = RETRY_FIRST_S
            await asyncio.sleep(pause_s * self._jitter.uniform(0.5, 1.0))
            pause_s = min(RETRY_MAX_S, 2 * pause_s)

    async def _session(self) -> None:
        """One connection, from CONNECT until it breaks (raises MqttError, alone or in a group)."""
        broker = self._broker
        client = aiomqtt.Client(
            broker.host,
            broker.port,
            username=broker.username,
            password=broker.password,
            identifier=self._identifier,
            protocol=self._protocol,
            will=aiomqtt.Will(self._status_topic, b"offline", qos=1, retain=True),
            transport=broker.transport,
            websocket_path=broker.path,
            keepalive=KEEPALIVE_S,
            max_inflight_messages=self._in_flight_max,
            tls_context=self._tls,
        )
        client.pending_calls_threshold = 2 * self._in_flight_max  # pipelining is meant, not a warning
        async with client:
            self.counters.connections += 1
            await client.publish(self._status_topic, b"online", qos=1, retain=True)
            again = deque(self._written)
            self.counters.resent += len(again)
            window = asyncio.Semaphore(self._in_flight_max)
            async with asyncio.TaskGroup() as group:
                group.create_task(_until_disconnected(client))
                while True:
                    await window.acquire()
                    number = again.popleft() if again else await self._waiting.get()
                    self._written[number] = None
                    group.create_task(self._publish(client, window, number))

    async def _publish(self, client: aiomqtt.Client, window: asyncio.Semaphore, number: int) -> None:
        message = self._held[number]
        # tasks start in the order they were made, and publish writes before it first waits: order is kept
        await client.publish(message.topic, message.payload, qos=1, retain=message.retain, timeout=math.inf)
        window.release()
        del self._held[number], self._written[number]
        self._room.release()
        self.counters.messages += 1
        self.counters.readings += message.readings
        if not self._held:
            self._settled.set()
        if self._on_acknowledged is not None:
            self._on_acknowledged(message)


async def _until_disconnected(client: aiomqtt.Client) -> None:
    """Raise MqttError when the connection breaks: only iterating over messages tells, though none are subscribed."""
    async for _ in client.messages:
        pass


def _status(topic: str, word: Literal["online", "offline"]) -> Outgoing:
    return Outgoing(topic, word.encode(), True, 0, 0, "")


class Air:
    """Publishers of several tenants over one broker."""

    def __init__(
        self,
        url: str,
        *,
        protocol: Literal[4, 5] = 4,
        tls: ssl.SSLContext | None = None,
        on_acknowledged: Callable[[Outgoing], None] | None = None,
    ) -> None:
        """Arguments as for `Publisher`."""
        self._url, self._protocol, self._tls = url, protocol, tls
        self._on_acknowledged = on_acknowledged
        self._publishers: dict[str, Publisher] = {}

    async def __aenter__(self) -> Self:
        """Nothing yet: a tenant's connection is made with its first message."""
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close every connection, all at once."""
        await asyncio.gather(*(p.__aexit__(kind, error, trace) for p in self._publishers.values()))

    async def send(self, tenant: str, message: Outgoing) -> None:
        """Send a message over its tenant's connection; waits while that memory is full."""
        publisher = self._publishers.get(tenant)
        if publisher is None:
            publisher = Publisher(
                self._url,
                tenant=tenant,
                protocol=self._protocol,
                tls=self._tls,
                on_acknowledged=self._on_acknowledged,
            )
            self._publishers[tenant] = await publisher.__aenter__()
        await publisher.send(message)

    async def settled(self) -> None:
        """Wait until everything sent so far is acknowledged."""
        for publisher in self._publishers.values():
            await publisher.settled()

    def oldest_unacknowledged_us(self) -> int | None:
        """Sending time of the oldest message any broker may not have."""
        oldest = [p.oldest_unacknowledged_us() for p in self._publishers.values()]
        return min((us for us in oldest if us is not None), default=None)

    def counters(self) -> Counters:
        """The sum over all tenants."""
        parts = [p.counters for p in self._publishers.values()]
        return Counters(
            sum(c.messages for c in parts),
            sum(c.readings for c in parts),
            sum(c.resent for c in parts),
            sum(c.connections for c in parts),
        )


async def publish(
    elements: Iterable[Element],
    url: str,
    *,
    speed: float | None = None,
    protocol: Literal[4, 5] = 4,
    tls: ssl.SSLContext | None = None,
    on_acknowledged: Callable[[Outgoing], None] | None = None,
) -> Counters:
    """Publish elements, each as a message of its own, and return once the broker has acknowledged all.

    `speed` 1 keeps the intervals between sending times, 60 makes an hour a minute, None sends as fast as the broker takes.
    Errors: ValueError for a bad URL. A broker that is away is waited for; bound that with `asyncio.timeout`.
    """
    loop = asyncio.get_running_loop()
    begun_s, first_us = loop.time(), None
    async with Air(url, protocol=protocol, tls=tls, on_acknowledged=on_acknowledged) as air:
        for element in elements:
            if speed is not None:
                first_us = element.send_at_us if first_us is None else first_us
                due_s = begun_s + (element.send_at_us - first_us) / 1e6 / speed
                await asyncio.sleep(max(0.0, due_s - loop.time()))
            await air.send(element.tenant, outgoing(element))
        await air.settled()
    return air.counters()
