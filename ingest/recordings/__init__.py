"""Readers of recordings: files to records as they would have come over the wire, told by content, never by extension.

`open_recording(path)` tells the kind and gives a `Recording`; its `records()` stream where the format allows, and what cannot
be read is a value (`Malformed`), never an exception. `merge(paths)` puts several files in order of time; `rebase` shifts a
recording to another day. A record is `ingest.wire.Record` with `time` in integer unix milliseconds.

A recording without any clock (AIS sentences alone, Beast and AVR captures) opens too, and each of its messages is
`Malformed('no_time')`: a made-up time would be a wrong fact, and a lone sentence without one is told the same way.

In reading order: `model` (words), `opening` (bytes and gzip), `telling` (which kind is it), then one module per family:
`ndjson` (our own); `ais_lines`, `aivdm`, `ais_messages` (sentences); `tables` with `vessel_rows` and `flight_rows` (CSV and JSON
rows, one table entry per layout); `flight_documents` (OpenSky, readsb, fr24); `mode_s_frames`, `mode_s` (raw frames). Beside
them `instants`, `vessel_fields` and `flight_fields` (one value at a time) and `ordering`.

A new CSV or JSON-row layout is one entry in `VESSEL_LAYOUTS` or `FLIGHT_LAYOUTS`; a new document one in `FLIGHT_DOCUMENTS`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from ingest.recordings.model import Item, Items, Malformed, Progress, Row, Tally, UnknownRecording
from ingest.recordings.opening import Source
from ingest.recordings.ordering import SORTED_IN_MEMORY_MAX, in_order, rebased
from ingest.recordings.telling import Read, tell

__all__ = ["Malformed", "Recording", "Row", "UnknownRecording", "merge", "open_recording", "rebase"]

_START_BYTES_SHOWN = 60


class Recording:
    """A file whose kind is known.

    `kind` is `ndjson`, `aivdm`, `raw_mode_s`, `state_vectors_json`, `state_vectors_csv`, `csv_marine_cadastre`, `csv_dma`,
    `csv_exact_earth`, `csv_gfw`, `json_gfw`, `csv_stonesoup` or `csv_m3`; `size_bytes` and `position_bytes` are of the file as
    it lies on disk; `skipped` counts what was passed over on purpose (other AIS types, frames without a reading), by reason.
    """

    def __init__(self, source: Source, kind: str, read: Read) -> None:
        self.kind = kind
        self.path = source.path
        self.size_bytes = source.size_bytes
        self._source = source
        self._read = read
        self._tally = Tally()

    @property
    def position_bytes(self) -> int:
        """How far the file has been read."""
        return self._source.position_bytes

    @property
    def skipped(self) -> Counter[str]:
        """Pieces that carry nothing for us, by reason, of the last `records()`."""
        return self._tally.skipped

    def records(self, progress: Progress | None = None) -> Items:
        """Every record and malformed piece, in the order of the file.

        Args:
            progress: called now and then with (bytes read, bytes in all).

        Raises:
            OSError: the file went away or cannot be read; no content raises anything.
        """
        self._tally = Tally()
        return self._read(self._source, self._tally, progress)


def open_recording(path: Path) -> Recording:
    """Tell a file's kind by its content.

    Args:
        path: the file, gzip or plain.

    Raises:
        UnknownRecording: the content is of no known kind.
        OSError: there is no such file, or it cannot be read.
    """
    source = Source(path)
    told = tell(source)
    if told is None:
        start = source.head()[:_START_BYTES_SHOWN]
        raise UnknownRecording(f"{path.name}: content of no known kind, it starts with {start!r}")
    return Recording(source, told.kind, told.read)


def merge(paths: Iterable[Path], progress: Progress | None = None) -> Items:
    """Records of several files in one order of time, stable; up to 200,000 in memory, beyond in a temporary file.

    Args:
        paths: the files. All are opened, and their kinds told, before the first is read.
        progress: called with (bytes read, bytes in all) over all files.

    Raises:
        UnknownRecording: one of the files is of no known kind.
        OSError: one of the files cannot be read.
    """
    recordings = [open_recording(path) for path in paths]
    return in_order(_one_after_another(recordings, progress), SORTED_IN_MEMORY_MAX)


def rebase(records: Iterable[Item], to_us: int) -> Items:
    """Shift a whole recording such that its last reading is at `to_us` (unix microseconds); the output is in order of time."""
    return rebased(records, to_us)


def _one_after_another(recordings: list[Recording], progress: Progress | None) -> Iterator[Item]:
    whole_bytes = sum(recording.size_bytes for recording in recordings)
    done_bytes = 0
    for recording in recordings:
        before_bytes = done_bytes

        def report(position_bytes: int, _size_bytes: int, before_bytes: int = before_bytes) -> None:
            if progress is not None:
                progress(before_bytes + position_bytes, whole_bytes)

        yield from recording.records(report)
        done_bytes += recording.size_bytes
