"""Use on its way to be derived again: what it has come to between two turns, while live batches are committed."""

from __future__ import annotations

import msgspec

from fleet.use import Since, UseState
from ingest.roster import Holding
from ingest.watch import OrderKey, Watched
from store.dirty import Dirty
from store.rows import CheckpointRow, UseCheckpointRow, UseRow
from store.uses import Key, UseCheckpoint


class Passed(msgspec.Struct):
    """A checkpoint of the asset that lies on the way: how far it had gone, and the state that takes the new memory over."""

    last_key: OrderKey
    watched: Watched


class UseDerivation(msgspec.Struct, kw_only=True):
    """One asset's use being derived again, because of the mark `entry`; changed by each turn that went through.

    `use` is the machine's memory, `last_key` the last reading it took in; `since` from when on it had said nothing where the way
    began (None: nothing at all) and `journeys` those under way there. `facts` is what it said, `weeks` what it remembered at the
    start of each week, `stored` what is stored of that; `cuts` are the checkpoints on the way as they were stored and `passed`
    those not passed yet, in order. `caught_up_us` is the week at which it was what is stored.
    """

    entry: Dirty
    holding: Holding
    use: UseState
    from_us: int
    last_key: OrderKey | None = None
    since: Since | None = None
    journeys: frozenset[Key] = frozenset()
    facts: list[UseRow] = []
    weeks: list[UseCheckpointRow] = []
    stored: dict[int, UseCheckpoint] = {}
    cuts: frozenset[tuple[int, bytes]] = frozenset()
    passed: list[Passed] = []
    renewed: list[CheckpointRow] = []
    caught_up_us: int | None = None
    readings: int = 0
