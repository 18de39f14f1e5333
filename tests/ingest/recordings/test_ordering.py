"""Several recordings in one order of time, beyond memory too, shifted to another day."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.recordings import Malformed, UnknownRecording, merge, open_recording, rebase
from ingest.recordings.model import Item
from ingest.recordings.ordering import in_order


def record(time_ms: int, **fields: Any) -> dict[str, Any]:
    return {"class": "vessel", "scheme": "mmsi", "value": "219000001", "time": time_ms, "stream": "telemetry"} | fields


def write(path: Path, *records: dict[str, Any]) -> Path:
    path.write_bytes(b"\n".join(msgspec.json.encode(one) for one in records) + b"\n")
    return path


def test_files_are_merged_by_time_and_equal_times_keep_the_order_of_the_files(tmp_path: Path) -> None:
    first = write(tmp_path / "a", record(1000, seq=1), record(3000, seq=2), record(2000, seq=3))
    second = write(tmp_path / "b", record(500, seq=4), record(2000, seq=5), record(3000, seq=6))
    found = [item["seq"] for item in merge([first, second]) if not isinstance(item, Malformed)]
    assert found == [4, 1, 3, 5, 2, 6]
    found = [item["seq"] for item in merge([second, first]) if not isinstance(item, Malformed)]
    assert found == [4, 1, 5, 3, 6, 2]


def test_a_malformed_piece_stays_behind_the_record_before_it(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(msgspec.json.encode(record(2000)) + b"\nbroken\n" + msgspec.json.encode(record(1000)))
    found = [item.reason if isinstance(item, Malformed) else item["time"] for item in merge([path])]
    assert found == [1000, 2000, "bad_json"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 50), st.sampled_from(["record", "malformed"]), st.binary(max_size=8)), max_size=60),
    st.integers(1, 20),
)
def test_sorting_beyond_memory_equals_sorting_in_memory(pieces: list[tuple[int, str, bytes]], in_memory_max: int) -> None:
    items: list[Item] = [
        record(time_ms, channels={"n1_pct": 1.5}, place=place, nothing=None)
        if kind == "record"
        else Malformed("bad_row", place + 1, raw)
        for place, (time_ms, kind, raw) in enumerate(pieces)
    ]
    assert list(in_order(items, in_memory_max)) == list(in_order(items, 10_000))


def test_many_runs_come_back_in_order() -> None:
    chance = random.Random(7)
    times = [chance.randrange(10_000) for _ in range(5_000)]
    found = [item["time"] for item in in_order((record(t) for t in times), 100) if not isinstance(item, Malformed)]
    assert found == sorted(times)


def test_rebase_puts_the_last_reading_at_the_given_time_and_keeps_all_distances() -> None:
    items: list[Item] = [record(5_000), record(1_000), Malformed("bad_row", 3, b""), record(9_250)]
    found = list(rebase(items, to_us=1_795_330_800_000_000))
    assert [item["time"] for item in found if not isinstance(item, Malformed)] == [
        1_795_330_791_750, 1_795_330_795_750, 1_795_330_800_000,
    ]  # fmt: skip
    assert items[0] == record(5_000)


def test_rebase_of_nothing_is_nothing() -> None:
    assert list(rebase([], 0)) == []


def test_progress_ends_at_the_whole_size_of_all_files(tmp_path: Path) -> None:
    paths = [write(tmp_path / name, *(record(n) for n in range(3000))) for name in "ab"]
    seen: list[tuple[int, int]] = []
    assert sum(1 for _ in merge(paths, lambda done, whole: seen.append((done, whole)))) == 6000
    whole = sum(path.stat().st_size for path in paths)
    assert seen[-1] == (whole, whole)
    assert seen == sorted(seen)
    assert len(seen) >= 4


def test_a_recording_tells_its_size_and_how_far_it_was_read(tmp_path: Path) -> None:
    opened = open_recording(write(tmp_path / "a", record(1)))
    assert (opened.position_bytes, opened.size_bytes) == (0, (tmp_path / "a").stat().st_size)
    assert list(opened.records()) == list(opened.records())
    assert opened.position_bytes == opened.size_bytes


def test_an_unknown_file_among_several_is_told_before_any_is_read(tmp_path: Path) -> None:
    known = write(tmp_path / "a", record(1))
    (tmp_path / "b").write_text("nothing of ours")
    with pytest.raises(UnknownRecording, match="b: content"):
        merge([known, tmp_path / "b"])
