"""A progress bar for long work, on standard error and only where a person looks."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


class Bar:
    """One bar, of bytes read; `note` shows how many records went out."""

    def __init__(self, what: str) -> None:
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._what = what
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        """Show it."""
        self._progress.start()
        self._task = self._progress.add_task(self._what, total=None, note="")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Leave it as it stands."""
        self._progress.stop()

    def update(self, done_bytes: int, all_bytes: int) -> None:
        """Say how far the reading is."""
        if self._task is not None:
            self._progress.update(self._task, completed=done_bytes, total=all_bytes)

    def note(self, count: int) -> None:
        """Say how many records went out."""
        if self._task is not None:
            self._progress.update(self._task, note=f"{count:,} sent")
