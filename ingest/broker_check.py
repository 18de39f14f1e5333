"""What a client can find out about a broker before the worker relies on it: for `keelwing doctor`.

Everything is tried with clients and a topic of its own (`keelwing/doctor/…`, outside the contract's topics, so no worker hears
it), and nothing is left behind: the session that was tried ends with a clean start. It knows packets; what the findings mean
for this Keelwing is judged by whoever asked.

Tried: how many messages come unacknowledged (the window), how many an absent session keeps (the queue), whether a message of the
largest size passes. Written in its configuration alone: whether its disk is part of its promise (`read_configuration`).
"""

from __future__ import annotations

import re
import secrets
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Self
from urllib.parse import unquote, urlsplit

import msgspec
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from ingest.mqtt import BrokerAddress
from ingest.wire import MESSAGE_BYTES_MAX

QUEUE_TRIED = 2100
"""Messages an absent session is asked to keep. Chosen: twice the thousand at which Mosquitto drops by default (mosquitto.conf(5),
`max_queued_messages`), and about a second's work."""

ANSWER_S_MAX = 5.0  # for CONNACK and SUBACK; chosen: a broker across an ocean answers in a tenth of it
PUBLISH_S_MAX = 30.0  # for all acknowledgements of what is tried
ARRIVE_S_MAX = 30.0  # for all of it to come back
QUIET_S = 2.0  # without a further message before we believe that no more comes; chosen: brokers send what they have at once
FIRST_S = 4.0  # for the first message; a busy broker opens a session's queue before it sends
SESSION_S = 300  # expiry of the session that is tried (MQTT 5), should we die before it is ended
SYSTEM_VERSION = "$SYS/broker/version"  # Mosquitto and its kin tell their name here
TOPIC = "keelwing/doctor/"


class NotConnected(Exception):  # noqa: N818  said as a person would
    """The broker was not reached, or did not let us in; the text says why."""


class Broker(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. None is not known.

    `round_trip_ms`: a message at QoS 1 to ourselves. `window`: messages that came unacknowledged, at least (we looked no
    further than `window_tried`). `kept`: of `QUEUE_TRIED` messages published while the session was absent, those that came
    afterwards. `takes_largest`: whether a message of the largest size came back. `receive_maximum` (what the broker takes from
    one publisher unacknowledged) and `packet_bytes_max` as an MQTT 5 broker says.
    """

    speaks: tuple[str, ...]
    version: str | None = None
    round_trip_ms: float | None = None
    receive_maximum: int | None = None
    packet_bytes_max: int | None = None
    takes_largest: bool | None = None
    window: int | None = None
    window_tried: int = 0
    kept: int | None = None
    refused: str | None = None


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """What a configuration file says of durability. `loses_s`: seconds of acknowledged messages that a crash may cost."""

    product: str
    keeps_on_disk: bool
    loses_s: float


def read_configuration(text: str) -> Configuration:
    """Read a configuration of Mosquitto or of NATS, as far as durability goes; defaults where it says nothing.

    Mosquitto keeps nothing by default and saves every 30 minutes (mosquitto.conf(5), `persistence`, `autosave_interval`); NATS
    with JetStream keeps MQTT messages on disk and syncs every two minutes (docs.nats.io, `sync_interval`). Files that they
    include are not followed.
    """
    if re.search(r"\bjetstream\b", text):
        said = re.search(r'sync_interval"?\s*[:=]?\s*"?(always|[\d.]+)(ms|s|m|h)?', text)
        unit_s = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
        loses_s = 120.0 if said is None else 0.0 if said[1] == "always" else float(said[1]) * unit_s[said[2] or "s"]
        return Configuration(product="NATS", keeps_on_disk=True, loses_s=loses_s)
    words = dict(re.findall(r"^[ \t]*(persistence|autosave_interval)[ \t]+(\S+)", text, re.MULTILINE))
    loses_s = float(words.get("autosave_interval", "1800"))
    return Configuration(product="Mosquitto", keeps_on_disk=words.get("persistence", "false") == "true", loses_s=loses_s)


def examine(address: BrokerAddress, *, probe: bool = True) -> Broker:
    """Connect as the worker would (its log-in, its protocol, a client id of our own) and find out what there is.

    Args:
        address: where, and how many messages the worker wants in flight.
        probe: also try the window, the queue and the largest message; about 2,000 small messages to a topic of our own.

    Returns: what was found; `refused` says what the broker did not let us try.

    Raises:
        NotConnected: nobody there, or not for us.
    """
    name = f"keelwing-doctor-{secrets.token_hex(6)}"
    topic = TOPIC + name
    with _Client(address, name + "-a", address.protocol) as client:
        found = Broker(
            speaks=(address.protocol,),
            version=_version(client),
            receive_maximum=client.said("ReceiveMaximum"),
            packet_bytes_max=client.said("MaximumPacketSize"),
        )
        if not client.subscribe(topic):
            return msgspec.structs.replace(found, refused=f"subscribing to {TOPIC}#")
        began_s = time.monotonic()
        if not client.publish(topic, [b"there"]) or not client.arrive(1, ANSWER_S_MAX):
            return msgspec.structs.replace(found, refused=f"publishing to {TOPIC}#")
        found = msgspec.structs.replace(found, round_trip_ms=round((time.monotonic() - began_s) * 1000, 1))
        if not probe:
            return found
        takes = client.publish(topic, [b"x" * MESSAGE_BYTES_MAX]) and client.arrive(2, ANSWER_S_MAX)
        found = msgspec.structs.replace(found, takes_largest=takes)
    other = "5" if address.protocol == "3.1.1" else "3.1.1"
    if _lets_in(address, name + "-b", other):
        found = msgspec.structs.replace(found, speaks=(address.protocol, other))
    return _with_queue(address, name + "-c", topic + "-c", found)


def _with_queue(address: BrokerAddress, client_id: str, topic: str, found: Broker) -> Broker:
    """Let a session be absent while messages are published, and count what comes of them: at once, and in the end."""
    payloads = [b"%d" % number for number in range(QUEUE_TRIED)]
    wanted = min(address.in_flight_max, QUEUE_TRIED)
    try:
        with _Client(address, client_id, address.protocol, lasting=True) as absent:
            if not absent.subscribe(topic):
                return msgspec.structs.replace(found, refused=f"subscribing to {TOPIC}#")
        with _Client(address, client_id + "p", address.protocol) as publisher:
            if not publisher.publish(topic, payloads):
                return msgspec.structs.replace(found, refused=f"publishing {QUEUE_TRIED} messages")
        with _Client(address, client_id, address.protocol, lasting=True) as back:
            back.arrive(wanted, ARRIVE_S_MAX)
            window = min(back.count, wanted)
            back.acknowledge_all()
            back.arrive(QUEUE_TRIED, ARRIVE_S_MAX)
            # What was not kept cannot have come at once: it says nothing of the window.
            return msgspec.structs.replace(found, window=window, window_tried=min(wanted, back.count), kept=back.count)
    finally:
        _lets_in(address, client_id, address.protocol)  # a clean start ends the session


def _lets_in(address: BrokerAddress, client_id: str, protocol: str) -> bool:
    try:
        with _Client(address, client_id, protocol):
            return True
    except NotConnected:
        return False


def _version(client: _Client) -> str | None:
    """What the broker calls itself, where it tells."""
    if not client.subscribe(SYSTEM_VERSION):
        return None
    client.arrive(1, 1.0)
    version = next((payload for topic, payload in client.taken() if topic == SYSTEM_VERSION), None)
    return None if version is None else version.decode(errors="replace")[:100]


class _Client:
    """One client: plain blocking words over paho's thread, each with a deadline.

    `lasting` keeps its session, and holds its acknowledgements back until `acknowledge_all`.
    """

    def __init__(self, address: BrokerAddress, client_id: str, protocol: str, *, lasting: bool = False) -> None:
        self._address = address
        self._five = protocol == "5"
        self._lasting = lasting
        self._changed = threading.Condition()
        self._connack: tuple[bool, str, Any] | None = None
        self._subacks: dict[int, bool] = {}
        self._messages: dict[bytes, str] = {}
        self._mids: list[int] = []
        self._last_s = 0.0
        self._eager = not lasting
        parts = urlsplit(address.url)
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=paho.MQTTv5 if self._five else paho.MQTTv311,
            transport="websockets" if parts.scheme in {"ws", "wss"} else "tcp",
            clean_session=None if self._five else not lasting,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        if parts.username is not None:
            self._client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
        if parts.scheme in {"mqtts", "wss"}:
            self._client.tls_set_context(ssl.create_default_context(cafile=address.ca_file))
        self._client.max_inflight_messages_set(200)
        self._client.connect_timeout = ANSWER_S_MAX
        self._client.on_connect = self._connected
        self._client.on_connect_fail = self._failed
        self._client.on_subscribe = self._subscribed
        self._client.on_message = self._received

    def __enter__(self) -> Self:
        parts = urlsplit(self._address.url)
        port = parts.port or {"mqtts": 8883, "ws": 80, "wss": 443}.get(parts.scheme, 1883)
        extra: dict[str, Any] = {}
        if self._five:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = SESSION_S if self._lasting else 0
            properties.ReceiveMaximum = self._address.in_flight_max
            extra = {"clean_start": not self._lasting, "properties": properties}
        try:
            self._client.connect(parts.hostname or "127.0.0.1", port, keepalive=30, **extra)
        except (OSError, ValueError) as error:  # paho raises ValueError for a failed websocket handshake
            raise NotConnected(str(error) or type(error).__name__) from error
        self._client.loop_start()
        self._wait(lambda: self._connack is not None, ANSWER_S_MAX)
        if self._connack is None or not self._connack[0]:
            self._client.loop_stop()
            raise NotConnected("no answer to CONNECT" if self._connack is None else self._connack[1])
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def said(self, name: str) -> int | None:
        """A property of the CONNACK (MQTT 5)."""
        properties = None if self._connack is None else self._connack[2]
        value = getattr(properties, name, None)
        return value if isinstance(value, int) else None

    def subscribe(self, topic: str) -> bool:
        """Whether the broker granted it."""
        _, mid = self._client.subscribe(topic, qos=1)
        return self._wait(lambda: mid in self._subacks, ANSWER_S_MAX) and self._subacks[mid or 0]

    def publish(self, topic: str, payloads: Sequence[bytes]) -> bool:
        """Publish at QoS 1; whether the broker acknowledged all of it in time."""
        sent = [self._client.publish(topic, payload, qos=1) for payload in payloads]
        deadline_s = time.monotonic() + PUBLISH_S_MAX
        for one in sent:
            try:
                one.wait_for_publish(max(deadline_s - time.monotonic(), 0.01))
            except (RuntimeError, ValueError):  # the connection went: it was too much for the broker
                return False
        return all(one.is_published() for one in sent)

    def arrive(self, wanted: int, timeout_s: float) -> bool:
        """Wait until so many different messages came, or none for a while; whether they did."""
        began_s = time.monotonic()
        with self._changed:
            while self.count < wanted:
                until_s = min(began_s + timeout_s, max(self._last_s + QUIET_S, began_s + FIRST_S))
                if not self._changed.wait(until_s - time.monotonic()) and time.monotonic() >= until_s:
                    break
        return self.count >= wanted

    def acknowledge_all(self) -> None:
        """Acknowledge what came, and from now on what comes."""
        with self._changed:
            self._eager = True
            mids, self._mids = self._mids, []
        for mid in mids:
            self._client.ack(mid, 1)

    @property
    def count(self) -> int:
        """Different messages that came."""
        return len(self._messages)

    def taken(self) -> list[tuple[str, bytes]]:
        """The messages that came, forgotten."""
        with self._changed:
            messages, self._messages = self._messages, {}
        return [(topic, payload) for payload, topic in messages.items()]

    def _wait(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        with self._changed:
            return self._changed.wait_for(condition, timeout_s)

    def _connected(self, _client: object, _userdata: object, _flags: object, reason: Any, properties: object) -> None:
        with self._changed:
            self._connack = (not reason.is_failure, str(reason), properties)
            self._changed.notify_all()

    def _failed(self, *_: object) -> None:
        with self._changed:
            self._connack = (False, "the connection broke", None)
            self._changed.notify_all()

    def _subscribed(self, _client: object, _userdata: object, mid: int, reasons: Any, _properties: object) -> None:
        with self._changed:
            self._subacks[mid] = not any(reason.is_failure for reason in reasons)
            self._changed.notify_all()

    def _received(self, client: paho.Client, _userdata: object, message: paho.MQTTMessage) -> None:
        with self._changed:
            self._messages[bytes(message.payload)] = message.topic
            self._last_s = time.monotonic()
            if not self._eager:
                self._mids.append(message.mid)
            self._changed.notify_all()
        if self._eager and message.qos:
            client.ack(message.mid, message.qos)
