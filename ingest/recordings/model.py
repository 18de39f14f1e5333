"""What a reader of recordings may say: a record, a malformed piece, or that it does not know the content.

Knows no format; the readers beside it do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeAlias

import msgspec

JSON_FAULTS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are no JSON: not UTF-8 and nested too deep are not its own error class."""
RAW_BYTES_MAX = 1024  # kept of a malformed piece; chosen: a few AIS sentences, enough to see what it was

Row: TypeAlias = dict[str, Any]
"""A record being built, as `ingest.wire.Record` describes it, with `time` in integer unix milliseconds."""


class UnknownRecording(ValueError):  # noqa: N818  the name is part of the package's contract
    """The content is of no kind that a reader knows (or the file is empty). The message names the file and its start."""


class Malformed(NamedTuple):
    """A piece of a recording that gives no record: why, where (1-based line or element), and its first bytes.

    Reasons: `checksum`, `bad_sentence`, `bad_payload`, `incomplete_parts`, `no_time`, `bad_time`, `no_identifier`,
    `bad_row`, `bad_json`, `bad_frame`, `lone_coordinate`, `line_too_long`, `document_too_large`, `truncated_gzip`.
    """

    reason: str
    line_number: int
    raw: bytes


Item: TypeAlias = "Row | Malformed"
Items: TypeAlias = Iterator[Item]
Progress: TypeAlias = Callable[[int, int], None]
"""Called now and then with (bytes read so far, bytes in all), of the files as they lie on disk."""


class Tally:
    """Counts of what a reader passed over on purpose, by reason (`ais_type_4`, `unconfirmed_address`, …)."""

    def __init__(self) -> None:
        self.skipped: Counter[str] = Counter()

    def skip(self, reason: str) -> None:
        """Count one piece that carries nothing for us."""
        self.skipped[reason] += 1


def malformed(reason: str, line_number: int, raw: bytes) -> Malformed:
    """A `Malformed` that keeps the first `RAW_BYTES_MAX` bytes only."""
    return Malformed(reason, line_number, bytes(raw[:RAW_BYTES_MAX]))
