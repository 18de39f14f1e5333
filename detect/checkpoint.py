"""A state as bytes and back: plain numbers and words in MessagePack, never a pickle. Knows no rule's memory by name.

A cut of more than `PLAIN_MAX` bytes is deflated: channels seen in the same rows share the same matrices, so it shrinks to a
third.
"""

from __future__ import annotations

import zlib
from typing import Any, cast

import msgspec

from detect.sighting import Sighted
from detect.state import AssetState, Memory, OpenRow, Said, Seen, Tracks
from detect.step import RULES
from fleet.use import UseState
from fleet.use_machines import MACHINES

SCHEMA_VERSION = 6
"""Raised whenever a field of any memory changes meaning; a checkpoint of another version is rebuilt from the readings instead."""

BYTES_MAX = 8192  # design 5.5
PLAIN_MAX = 2048  # chosen: below this deflating saves nothing worth its time
QUICK_MAX = 6144  # chosen: three quarters of what is allowed; beyond it deflating takes its time
_DEFLATED = b"\x78"  # the first byte of zlib's format; MessagePack of a checkpoint begins with an array's


class _Cut(msgspec.Struct, kw_only=True, array_like=True):
    """The checkpoint's own shape: everything of the state but each memory's inside, which its rule's type reads."""

    version: int
    asset_id: str
    asset_class: str
    seen: Seen | None
    seq: int
    row: OpenRow | None
    settled_since_us: int | None
    settled_speed_kn: float | None
    settled_phase: int
    memories: dict[str, msgspec.Raw]
    use_version: int
    use: msgspec.Raw
    said: Said | None = None
    sighted: Sighted = msgspec.field(default_factory=Sighted)
    tracks: Tracks = msgspec.field(default_factory=Tracks)


def to_checkpoint(state: AssetState) -> bytes:
    """The state as bytes. Take the state's contributions, facts and sightings first: they belong to a commit, not to the state.

    At most `BYTES_MAX`: the channels that `channel_anomaly` watches are bounded to what keeps it so, with every one of them
    alarming.
    """
    plain = msgspec.msgpack.encode(
        _Cut(
            version=SCHEMA_VERSION,
            asset_id=state.asset_id,
            asset_class=state.asset_class,
            seen=state.seen,
            seq=state.seq,
            row=state.row,
            settled_since_us=state.settled_since_us,
            settled_speed_kn=state.settled_speed_kn,
            settled_phase=state.settled_phase,
            memories=cast("dict[str, msgspec.Raw]", state.memories),  # written as what each would be by itself
            use_version=_use_version(state.asset_class),
            use=msgspec.Raw(msgspec.msgpack.encode(state.use)),
            said=state.said,
            sighted=state.sighted,
            tracks=state.tracks,
        )
    )
    if len(plain) <= PLAIN_MAX:
        return plain
    deflated = zlib.compress(plain, 1)
    return deflated if len(deflated) <= QUICK_MAX else zlib.compress(plain, 9)


def from_checkpoint(cut: bytes) -> AssetState | None:
    """The state of `to_checkpoint`, or None when another schema or use machine wrote it. Goes on exactly where the cut was made.

    A rule added since starts with an empty memory, one removed since is dropped. Raises msgspec.DecodeError for bytes that are no
    checkpoint, zlib.error for a torn one (faults of the store, not of a device).
    """
    if cut[:1] == _DEFLATED:
        cut = zlib.decompress(cut)
    header: Any = msgspec.msgpack.decode(cut)
    if not isinstance(header, list) or not header or header[0] != SCHEMA_VERSION:
        return None
    body = msgspec.msgpack.decode(cut, type=_Cut)
    if body.use_version != _use_version(body.asset_class):
        return None
    memories: dict[str, Memory] = {}
    for rule in RULES:
        if body.asset_class not in rule.classes:
            continue
        raw = body.memories.get(rule.name)
        memories[rule.name] = rule.memory() if raw is None else msgspec.msgpack.decode(raw, type=rule.memory)
    return AssetState(
        asset_id=body.asset_id,
        asset_class=body.asset_class,
        seen=body.seen,
        seq=body.seq,
        row=body.row,
        settled_since_us=body.settled_since_us,
        settled_speed_kn=body.settled_speed_kn,
        settled_phase=body.settled_phase,
        memories=memories,
        use=_use_of(body.asset_class, body.use),
        said=body.said,
        sighted=body.sighted,
        tracks=body.tracks,
    )


def _use_version(asset_class: str) -> int:
    machine = MACHINES.get(asset_class)
    return 0 if machine is None else machine.version


def _use_of(asset_class: str, raw: msgspec.Raw) -> UseState | None:
    machine = MACHINES.get(asset_class)
    return None if machine is None else msgspec.msgpack.decode(raw, type=machine.state_type)
