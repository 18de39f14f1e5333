"""MQTT PUBLISH packets of a load, made before the clock runs and laid out in a file, so that sending them costs next to nothing.

Each message is a whole packet of MQTT 3.1.1 at QoS 1 with its packet id, in the order of event time. Event times begin at
`start_us`; how much wall time the readings take is the publisher's affair. Knows `world` and the words of `ingest.wire`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from bench.world import EVERY_MS, PER_SECOND, SPAN_S, TENANT, Asset, course_of
from ingest.wire import device_topic, feed_topic

FEED = "bench"
SQUAWK = re.compile(rb'"squawk":"[0-7]{4}"')
FEED_READINGS = 100  # in one message of a feed
PACKET_IDS = 65_535
Kind = Literal["device", "feed"]
Times = npt.NDArray[np.int64]
SPAN_S_MAX = SPAN_S - max(EVERY_MS.values()) / 1000
"""Seconds of event time that courses last for every asset."""


class Load(NamedTuple):
    """Packets in a file; message `i` lies in [ends[i-1], ends[i]) and its last reading is `due_ms[i]` after the start.

    `warm` is the number of messages by which every asset has spoken; `per_message` readings are in each; the last is due `span_s`
    after the start.
    """

    packets_path: Path
    index_path: Path
    messages: int
    warm: int
    per_message: int
    start_us: int
    span_s: float

    @property
    def readings(self) -> int:
        """Readings in all."""
        return self.messages * self.per_message


def span_s(assets: int, readings: int) -> float:
    """Seconds of event time that so many readings of so many assets take."""
    return readings / (assets * PER_SECOND)


def build(
    directory: Path, kind: Kind, assets: list[Asset], readings: int, start_us: int, alarms: Mapping[int, int] | None = None
) -> Load:
    """Write a load: `readings` of `assets` in the order of event time from `start_us` on.

    `alarms`: number of an aircraft and from which of its readings on it squawks 7700.

    Errors: ValueError when the courses are too short for that many.
    """
    if span_s(len(assets), readings) > SPAN_S_MAX:
        raise ValueError(f"{readings} readings of {len(assets)} assets take more than {SPAN_S_MAX:g} s: use more assets")
    times_ms, order, nth = _order(assets, readings)
    start_ms = start_us // 1000
    per_message = 1 if kind == "device" else FEED_READINGS
    messages = readings // per_message
    heads = [_head(asset, kind) for asset in assets]
    tails = [_tails(asset, (alarms or {}).get(asset.number)) for asset in assets]
    elements = (
        heads[asset] + b"%d," % (start_ms + time_ms) + tails[asset][n]
        for time_ms, asset, n in zip(times_ms.tolist(), order.tolist(), nth.tolist(), strict=True)
    )
    topics = [_topic(asset) for asset in assets] if kind == "device" else [_word(feed_topic(TENANT, FEED))]
    packets_path, index_path = directory / f"{kind}.packets", directory / f"{kind}.index"
    ends = np.empty(messages, dtype=np.int64)
    at = 0
    with packets_path.open("wb") as file:
        for number in range(messages):
            if kind == "device":
                topic, payload = topics[order[number]], next(elements)
            else:
                topic, payload = topics[0], b"[" + b",".join([next(elements) for _ in range(FEED_READINGS)]) + b"]"
            at += file.write(_publish(topic, payload, number))
            ends[number] = at
    due_ms = times_ms[per_message - 1 : messages * per_message : per_message]
    np.concatenate([ends, due_ms.astype(np.int64)]).tofile(index_path)
    warm = int(np.searchsorted(due_ms, max(EVERY_MS.values()))) + 1
    return Load(packets_path, index_path, messages, min(warm, messages), per_message, start_us, float(due_ms[-1]) / 1000)


def _order(assets: list[Asset], readings: int) -> tuple[Times, Times, Times]:
    """When (milliseconds from the start), which asset, and its how many-th reading: the first `readings` by time."""
    until_ms = int(span_s(len(assets), readings) * 1000) + max(EVERY_MS.values())
    times: list[Any] = []
    numbers: list[Any] = []
    nth: list[Any] = []
    for asset in assets:
        every_ms = EVERY_MS[asset.asset_class]
        count = max(0, -(-(until_ms - asset.phase_ms) // every_ms))
        steps = np.arange(count, dtype=np.int64)
        times.append(steps * every_ms + asset.phase_ms)
        numbers.append(np.full(count, asset.number, dtype=np.int64))
        nth.append(steps)
    all_times = np.concatenate(times)
    first = np.argsort(all_times, kind="stable")[:readings]
    return all_times[first], np.concatenate(numbers)[first], np.concatenate(nth)[first]


def _head(asset: Asset, kind: Kind) -> bytes:
    """A reading's JSON before its time."""
    if kind == "device":
        return b'{"time":'
    return f'{{"class":"{asset.asset_class}","scheme":"{asset.scheme}","value":"{asset.value}","time":'.encode()


def _tails(asset: Asset, alarm_from: int | None = None) -> list[bytes]:
    course = course_of(asset.asset_class, asset.course)
    tails = course.full if asset.has_channels else course.plain
    if alarm_from is None:
        return tails
    return tails[:alarm_from] + [SQUAWK.sub(b'"squawk":"7700"', tail) for tail in tails[alarm_from:]]


def _topic(asset: Asset) -> bytes:
    return _word(device_topic(TENANT, asset.asset_class, asset.scheme, asset.value))


def _word(topic: str) -> bytes:
    """A topic as MQTT writes text: its length, then UTF-8 (MQTT 3.1.1, 1.5.3)."""
    text = topic.encode()
    return len(text).to_bytes(2, "big") + text


def _publish(topic: bytes, payload: bytes, number: int) -> bytes:
    """PUBLISH at QoS 1 (MQTT 3.1.1, 3.3)."""
    body = topic + (number % PACKET_IDS + 1).to_bytes(2, "big") + payload
    return b"\x32" + _varint(len(body)) + body


def _varint(length: int) -> bytes:
    """Remaining length (MQTT 3.1.1, 2.2.3)."""
    out = bytearray()
    while True:
        length, digit = divmod(length, 128)
        out.append(digit | (0x80 if length else 0))
        if not length:
            return bytes(out)
