"""AIVDM and AIVDO recordings: lines through their dress, parts to messages, messages through pyais to records.

Sentences of one message may be interleaved with others'; at most `PARTS_PENDING_MAX` messages wait for their rest. A bad
checksum, an unreadable payload, a message without its rest and a message without any time are values (`Malformed`).
"""

from __future__ import annotations

from collections import deque

from pyais.exceptions import AISBaseException
from pyais.messages import AISSentence

from ingest.recordings.ais_lines import STAMP_LINES_MAX, Dress, Heard
from ingest.recordings.ais_messages import USED_TYPES, rows_of
from ingest.recordings.model import Item, Items, Malformed, Progress, Tally, malformed
from ingest.recordings.opening import Line, Source

PARTS_PENDING_MAX = 256  # chosen: ten sequence numbers × two channels × a dozen stations
PARTS_LINES_MAX = 2000  # a message waits this many lines for its rest; chosen: seconds of the busiest live feed
_PYAIS_FAULTS = (AISBaseException, ValueError, TypeError, KeyError, IndexError)  # what junk payloads make pyais raise


class _Pending:
    """The parts of one message heard so far."""

    def __init__(self, first: Heard, line_number: int) -> None:
        self.parts: dict[int, AISSentence] = {}
        self.count = first.parts
        self.line_number = line_number
        self.time_ms = first.time_ms
        self.station = first.station


class _Assembler:
    """Turns lines into items; holds the messages that wait for their rest."""

    def __init__(self, tally: Tally) -> None:
        self._dress = Dress()
        self._tally = tally
        self._pending: dict[tuple[object, ...], _Pending] = {}

    def see(self, line: Line) -> None:
        """A line comes into sight, some lines before it is read."""
        self._dress.see(line.raw, line.number)

    def read(self, line: bytes, line_number: int) -> list[Item]:
        """The items that one line completes."""
        heard = self._dress.read(line, line_number)
        if heard is None:
            return []
        if isinstance(heard, str):
            return [malformed(heard, line_number, line)]
        try:
            sentence = AISSentence(heard.sentence)
        except _PYAIS_FAULTS:
            return [malformed("bad_sentence", line_number, line)]
        if not sentence.is_valid:
            return [malformed("checksum", line_number, line)]
        if heard.group is None:
            return self._decode(sentence, heard.time_ms, heard.station, line_number)
        return self._collect(heard, sentence, line_number)

    def rest(self) -> list[Item]:
        """What is still waiting at the end."""
        left: list[Item] = [self._incomplete(waiting) for waiting in self._pending.values()]
        self._pending.clear()
        return left

    def _collect(self, heard: Heard, sentence: AISSentence, line_number: int) -> list[Item]:
        assert heard.group is not None  # noqa: S101  the caller has told singles apart
        items = self._expire(line_number)
        waiting = self._pending.get(heard.group)
        if waiting is not None and (heard.part in waiting.parts or waiting.count != heard.parts):
            items.append(self._incomplete(self._pending.pop(heard.group)))
            waiting = None
        if waiting is None:
            waiting = self._pending[heard.group] = _Pending(heard, line_number)
        waiting.parts[heard.part] = sentence
        if waiting.time_ms is None:
            waiting.time_ms = heard.time_ms
        if len(waiting.parts) == waiting.count:
            del self._pending[heard.group]
            ordered = [waiting.parts[part] for part in sorted(waiting.parts)]
            whole = AISSentence.assemble_from_iterable(ordered)
            whole.ais_id = ordered[0].ais_id
            items += self._decode(whole, waiting.time_ms, waiting.station, waiting.line_number)
        return items

    def _expire(self, line_number: int) -> list[Item]:
        items: list[Item] = []
        while self._pending:
            group, oldest = next(iter(self._pending.items()))
            fresh = line_number - oldest.line_number <= PARTS_LINES_MAX
            if fresh and len(self._pending) < PARTS_PENDING_MAX:
                break
            items.append(self._incomplete(self._pending.pop(group)))
        return items

    def _incomplete(self, waiting: _Pending) -> Malformed:
        first = next(iter(waiting.parts.values()))
        return malformed("incomplete_parts", waiting.line_number, first.raw)

    def _decode(self, sentence: AISSentence, time_ms: int | None, station: str | None, line_number: int) -> list[Item]:
        if not sentence.payload:
            self._tally.skip("empty_sentence")
            return []
        if sentence.ais_id not in USED_TYPES:
            self._tally.skip(f"ais_type_{sentence.ais_id}")
            return []
        if time_ms is None:
            return [malformed("no_time", line_number, sentence.raw)]
        try:
            rows = rows_of(sentence, time_ms, station)
        except _PYAIS_FAULTS:
            return [malformed("bad_payload", line_number, sentence.raw)]
        if not rows:
            self._tally.skip("nothing_said")
        return list(rows)


def read_aivdm(source: Source, tally: Tally, progress: Progress | None) -> Items:
    """Items of an AIVDM recording, in the order of its lines, streaming."""
    assembler = _Assembler(tally)
    in_sight: deque[Line] = deque()
    for line in source.lines(progress):
        if isinstance(line, Malformed):
            yield line
            continue
        assembler.see(line)
        in_sight.append(line)
        if len(in_sight) > STAMP_LINES_MAX:
            turn = in_sight.popleft()
            yield from assembler.read(turn.raw, turn.number)
    for turn in in_sight:
        yield from assembler.read(turn.raw, turn.number)
    yield from assembler.rest()
