"""Which episodes a state holds open, as findings: what re-derivation starts from. Knows no rule's memory by name."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from detect.episodes import Episode, Packed
from detect.model import Finding
from detect.state import AssetState
from detect.step import RULES


def standing(state: AssetState) -> list[Finding]:
    """The open episodes of a state in the form they were last emitted in, in the order of the rules."""
    found: list[Finding] = []
    for rule in RULES:
        memory = state.memories.get(rule.name)
        if memory is not None:
            found += [episode.finding(state, rule.name, rule.version) for episode in _episodes(memory)]
    return found


def _episodes(part: object) -> Iterator[Episode]:
    """Every episode within a memory, however it keeps them: in a field, a list, a dict or a struct of its own."""
    if isinstance(part, Episode):
        yield part
    elif isinstance(part, Packed):
        yield part.episode
    elif isinstance(part, msgspec.Struct):
        for name in part.__struct_fields__:
            yield from _episodes(getattr(part, name))
    elif isinstance(part, dict):
        for inner in part.values():
            yield from _episodes(inner)
    elif isinstance(part, list | tuple):
        for inner in part:
            yield from _episodes(inner)
