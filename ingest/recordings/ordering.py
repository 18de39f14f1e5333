"""Records in order of time: sorted in memory up to a bound, beyond it in sorted runs in one temporary file.

Every recording is sorted, also one that looks ordered: satellite AIS comes hours late, exporters sort by aircraft, and live
feeds are a little out of order. Records of equal time keep the order of the files as given and of the lines in them. A
malformed piece has no time of its own and stays behind the record before it.
"""

from __future__ import annotations

import heapq
import os
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO, Any, TypeAlias

import msgspec

from ingest.recordings.model import Item, Items, Malformed

SORTED_IN_MEMORY_MAX = 200_000  # records, about 200 MB; chosen: most samples and tests never touch the disk
RUN_BYTES_READ = 256 << 10  # read ahead of each run while merging
_Keyed: TypeAlias = tuple[int, int, Item]  # time, place in the input, item

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode
_LENGTH_BYTES = 4


def in_order(items: Iterable[Item], in_memory_max: int = SORTED_IN_MEMORY_MAX) -> Items:
    """All items by time, stable. Reads its input to the end before the first comes out.

    Args:
        items: records and malformed pieces of one or several recordings.
        in_memory_max: how many are held before a sorted run goes to a temporary file (which is unnamed and gone at the end).
    """
    held: list[_Keyed] = []
    time_ms = 0
    with tempfile.TemporaryFile(prefix="keelwing-order-") as spill:
        runs: list[tuple[int, int]] = []
        for place, item in enumerate(items):
            if not isinstance(item, Malformed):
                time_ms = item["time"]
            held.append((time_ms, place, item))
            if len(held) >= in_memory_max:
                held.sort(key=_key)
                runs.append(_write_run(spill, held))
                held = []
        held.sort(key=_key)
        if runs:
            spill.flush()
        merged = heapq.merge(*(_read_run(spill, start, end) for start, end in runs), held, key=_key)
        for _time_ms, _place, item in merged:
            yield item


def rebased(items: Iterable[Item], to_us: int, in_memory_max: int = SORTED_IN_MEMORY_MAX) -> Items:
    """All items by time, shifted as a whole so that the last record is at `to_us` (microseconds, whole milliseconds kept)."""
    latest_ms = 0

    def watched() -> Items:
        nonlocal latest_ms
        for item in items:
            if not isinstance(item, Malformed):
                latest_ms = max(latest_ms, item["time"])
            yield item

    for item in in_order(watched(), in_memory_max):
        if isinstance(item, Malformed):
            yield item
        else:
            yield item | {"time": item["time"] + to_us // 1000 - latest_ms}


def _key(keyed: _Keyed) -> tuple[int, int]:
    return keyed[0], keyed[1]


def _write_run(spill: IO[bytes], run: list[_Keyed]) -> tuple[int, int]:
    start = spill.tell()
    for time_ms, place, item in run:
        piece = _encode((time_ms, place, isinstance(item, Malformed), item))
        spill.write(len(piece).to_bytes(_LENGTH_BYTES, "big"))
        spill.write(piece)
    return start, spill.tell()


def _read_run(spill: IO[bytes], start: int, end: int) -> Iterator[_Keyed]:
    waiting = bytearray()
    at = start
    while at < end or waiting:
        chunk = os.pread(spill.fileno(), min(RUN_BYTES_READ, end - at), at) if at < end else b""
        at += len(chunk)
        waiting += chunk
        used = 0
        while len(waiting) - used >= _LENGTH_BYTES:
            length = int.from_bytes(waiting[used : used + _LENGTH_BYTES], "big")
            if len(waiting) - used - _LENGTH_BYTES < length:
                break
            used += _LENGTH_BYTES + length
            yield _keyed(_decode(bytes(waiting[used - length : used])))
        del waiting[:used]


def _keyed(piece: list[Any]) -> _Keyed:
    time_ms, place, is_malformed, item = piece
    return time_ms, place, Malformed(*item) if is_malformed else item
