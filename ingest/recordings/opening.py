"""Bytes of a recording: plain or gzip told by the first two bytes, in bounded lines, lines of JSON, or one bounded document.

Knows files and progress; nothing about what the values mean. A gzip stream that ends early or is damaged is told as a
value after what could be read.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import msgspec

from ingest.recordings.model import JSON_FAULTS, RAW_BYTES_MAX, Malformed, Progress, malformed

LINE_BYTES_MAX = 1 << 20  # chosen: the longest sane line is a few kB; a longer one is one malformed piece
DOCUMENT_BYTES_MAX = 512 << 20  # chosen: a day of one aircraft is about 1 MB; beyond this a document is refused, not streamed
HEAD_BYTES = 64 << 10  # looked at to tell the kind
PROGRESS_LINES = 2000  # lines between two calls of the progress callback
_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_FAULTS = (gzip.BadGzipFile, EOFError, zlib.error)


class Line(NamedTuple):
    """A line without its end, and its 1-based number."""

    number: int
    raw: bytes


class JsonLine(NamedTuple):
    """A line's 1-based number, its bytes without the end, and the JSON value in it."""

    number: int
    raw: bytes
    value: Any


class Source:
    """A file opened for reading from its start, each time anew; `position_bytes` is how far it has been read on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size_bytes = path.stat().st_size
        self.position_bytes = 0
        with path.open("rb") as raw:
            self.gzipped = raw.read(2) == _GZIP_MAGIC

    def head(self) -> bytes:
        """The first `HEAD_BYTES` of the content, unpacked; fewer where a gzip stream is damaged."""
        with self.path.open("rb") as raw:
            stream = self._unpacked(raw)
            kept = bytearray()
            try:
                while len(kept) < HEAD_BYTES and (chunk := stream.read(HEAD_BYTES - len(kept))):
                    kept += chunk
            except _GZIP_FAULTS:
                pass
        return bytes(kept)

    def lines(self, progress: Progress | None = None) -> Iterator[Line | Malformed]:
        """Every line, LF or CRLF; one over `LINE_BYTES_MAX` comes as `Malformed('line_too_long')` and is passed over."""
        number = 0
        with self.path.open("rb") as raw:
            stream = io.BufferedReader(_Readable(self._unpacked(raw)), 256 << 10)
            try:
                while piece := stream.readline(LINE_BYTES_MAX):
                    number += 1
                    if number % PROGRESS_LINES == 0:
                        self._report(raw, progress)
                    if len(piece) == LINE_BYTES_MAX and not piece.endswith(b"\n"):
                        yield malformed("line_too_long", number, piece)
                        _pass_over_line(stream)
                        continue
                    yield Line(number, piece.rstrip(b"\r\n"))
            except _GZIP_FAULTS:
                yield malformed("truncated_gzip", number + 1, b"")
            self._report(raw, progress)

    def json_lines(self, progress: Progress | None = None, kind: Any = Any) -> Iterator[JsonLine | Malformed]:
        """Every line that is not blank as a JSON value of a kind; one that is none comes as `Malformed('bad_json')`."""
        decode = msgspec.json.Decoder(kind).decode
        for line in self.lines(progress):
            if isinstance(line, Malformed):
                yield line
            elif line.raw.strip():
                try:
                    value = decode(line.raw)
                except JSON_FAULTS:
                    yield malformed("bad_json", line.number, line.raw)
                    continue
                yield JsonLine(line.number, line.raw, value)

    def document(self, progress: Progress | None = None) -> bytes | Malformed:
        """The whole content, or `Malformed` when it is over `DOCUMENT_BYTES_MAX` or its gzip stream is damaged."""
        kept = bytearray()
        with self.path.open("rb") as raw:
            stream = self._unpacked(raw)
            try:
                while chunk := stream.read(1 << 20):
                    kept += chunk
                    self._report(raw, progress)
                    if len(kept) > DOCUMENT_BYTES_MAX:
                        return malformed("document_too_large", 1, bytes(kept[:RAW_BYTES_MAX]))
            except _GZIP_FAULTS:
                return malformed("truncated_gzip", 1, bytes(kept[:RAW_BYTES_MAX]))
            self._report(raw, progress)
        return bytes(kept)

    def _unpacked(self, raw: IO[bytes]) -> IO[bytes]:
        return gzip.GzipFile(fileobj=raw, mode="rb") if self.gzipped else raw  # type: ignore[return-value]

    def _report(self, raw: IO[bytes], progress: Progress | None) -> None:
        self.position_bytes = raw.tell()
        if progress is not None:
            progress(self.position_bytes, self.size_bytes)


class _Readable(io.RawIOBase):
    """Gives a binary stream `readinto`, so that one buffered reader serves plain and gzip files alike."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        chunk = self._stream.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)


def _pass_over_line(stream: io.BufferedIOBase) -> None:
    while piece := stream.readline(LINE_BYTES_MAX):
        if piece.endswith(b"\n"):
            return
