"""Columns of values as the server's binary arrays, built in one piece: how a statement takes in a whole batch by `unnest`.

A list given to the driver is dumped value by value in Python, a temporary table costs its emptying and a plan for every batch.
An array of numbers is a dozen bytes a value (PostgreSQL, `src/backend/utils/adt/arrayfuncs.c`, `array_recv`).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray
from psycopg.adapt import AdaptersMap, Dumper
from psycopg.pq import Format

from store.staging import INSTANT, POSTGRES_EPOCH_US

NULL = struct.pack("!i", -1)
_HEAD = struct.Struct("!iiiii")  # dimensions, has NULLs, type of the elements, length, first index
_EMPTY = struct.Struct("!iii")
_LENGTH = struct.Struct("!i")


class Array:
    """The values of one column; `oid` is the server's number of the array's type."""

    __slots__ = ("oid", "packed")

    def __init__(self, oid: int, packed: bytes) -> None:
        self.oid = oid
        self.packed = packed


class _Kind(msgspec.Struct, frozen=True):
    """A type: the server's numbers of it and of its array, one value as bytes, and as numpy lays out all of them if it can."""

    oid: int
    array_oid: int
    one: Callable[[Any], bytes]
    layout: np.dtype[Any] | None = None
    offset: int = 0


def _fixed(code: str, offset: int = 0) -> Callable[[Any], bytes]:
    packer = struct.Struct("!i" + code)
    length = packer.size - _LENGTH.size
    if offset:
        return lambda value: packer.pack(length, value - offset)
    return lambda value: packer.pack(length, value)


def _with_length(payload: bytes) -> bytes:
    return _LENGTH.pack(len(payload)) + payload


def _layout(code: str) -> np.dtype[Any]:
    return np.dtype([("length", ">i4"), ("value", code)])


_KINDS = {
    "int8": _Kind(20, 1016, _fixed("q"), _layout(">i8")),
    "int4": _Kind(23, 1007, _fixed("i"), _layout(">i4")),
    "float8": _Kind(701, 1022, _fixed("d"), _layout(">f8")),
    INSTANT: _Kind(1184, 1185, _fixed("q", POSTGRES_EPOCH_US), _layout(">i8"), POSTGRES_EPOCH_US),
    "int2": _Kind(21, 1005, _fixed("h"), _layout(">i2")),
    "bool": _Kind(16, 1000, _fixed("?")),
    "text": _Kind(25, 1009, lambda value: _with_length(value.encode())),
    "bytea": _Kind(17, 1001, _with_length),
    "uuid": _Kind(2950, 2951, lambda value: _with_length(UUID(value).bytes)),
    "jsonb": _Kind(3802, 3807, lambda value: _with_length(b"\x01" + msgspec.json.encode(value))),  # the form's version, 1
}
"""Numbers from PostgreSQL's `src/include/catalog/pg_type.dat`, where they never change."""


def array(kind: str, values: Sequence[Any]) -> Array:
    """An array of a type (a name in `_KINDS`; of a `uuid` its text, of an `INSTANT` microseconds since 1970)."""
    known = _KINDS[kind]
    if not values:
        return Array(known.array_oid, _EMPTY.pack(0, 0, known.oid))
    has_nulls = None in values
    if known.layout is not None and not has_nulls:
        body = _numbers(known, values)
    else:
        body = b"".join([NULL if value is None else known.one(value) for value in values])
    return Array(known.array_oid, _HEAD.pack(1, has_nulls, known.oid, len(values), 1) + body)


def columns(kinds: Mapping[str, str], rows: Iterable[Sequence[Any]]) -> dict[str, Array]:
    """Rows as one array a column, by its name.

    Args:
        kinds: name to type, in the order of each row's values.
        rows: the values, at least one row.
    """
    return {name: array(kind, values) for (name, kind), values in zip(kinds.items(), zip(*rows, strict=True), strict=True)}


def register(adapters: AdaptersMap) -> None:
    """Let a connection take arrays as parameters."""
    adapters.register_dumper(Array, _ArrayDumper)


def _numbers(kind: _Kind, values: Sequence[Any]) -> bytes:
    assert kind.layout is not None  # noqa: S101  the caller looked
    packed: NDArray[Any] = np.empty(len(values), kind.layout)
    packed["length"] = kind.layout["value"].itemsize
    packed["value"] = values
    if kind.offset:
        packed["value"] -= kind.offset
    return packed.tobytes()


class _ArrayDumper(Dumper):
    format = Format.BINARY

    def get_key(self, obj: Array, format: Any) -> Any:  # noqa: A002, ARG002  the driver's words
        return (Array, obj.oid)

    def upgrade(self, obj: Array, format: Any) -> Dumper:  # noqa: A002, ARG002
        dumper = _ArrayDumper(Array)
        dumper.oid = obj.oid
        return dumper

    def dump(self, obj: Array) -> bytes:
        return obj.packed
