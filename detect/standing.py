"""Which episodes a state holds open, as findings: what re-derivation starts from. Knows no rule's memory by name."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from detect.episodes import Episode, Packed
from detect.model import Finding
from detect.state import AssetState
from detect.step import RULES


def standing(state: AssetState) -> list[Finding]:
    """The episodes that a state holds, open or watched after their end, as last emitted, in the order of the rules."""
    found: list[Finding] = []
    for rule in RULES:
        memory = state.memories.get(rule.name)
        if memory is not None:
            found += [
                episode.finding(state, rule.name, rule.version, closed_at_us=closed_at_us)
                for episode, closed_at_us in _episodes(memory)
            ]
    return found


def _episodes(part: object, closed_at_us: int | None = None) -> Iterator[tuple[Episode, int | None]]:
    """Every episode within a memory, however it keeps them: in a field, a list, a dict or a struct of its own.

    One in a struct that says when it closed (`closed_at_us`) is over, and held because something is still to be said of it.
    """
    if isinstance(part, Episode):
        yield part, closed_at_us
    elif isinstance(part, Packed):
        yield part.episode, closed_at_us
    elif isinstance(part, msgspec.Struct):
        for name in part.__struct_fields__:
            yield from _episodes(getattr(part, name), getattr(part, "closed_at_us", closed_at_us))
    elif isinstance(part, dict):
        for inner in part.values():
            yield from _episodes(inner, closed_at_us)
    elif isinstance(part, list | tuple):
        for inner in part:
            yield from _episodes(inner, closed_at_us)
