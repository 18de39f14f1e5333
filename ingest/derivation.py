"""A derivation on its way: what deriving one asset again has come to between two turns, while live batches are committed.

A turn steps a copy of the state and is kept only when its transaction went through, so one that fails is repeated from where the
last one ended and nothing is stepped twice. Everything here is in memory: the mark in the database says that it is to be done.
"""

from __future__ import annotations

import msgspec

from detect.model import Finding
from fleet.use import Since
from ingest.judging import Judged
from ingest.loading import restored
from ingest.priors import Group, PriorBook
from ingest.roster import Holding, Roster
from ingest.watch import Watched
from store.dirty import Dirty
from store.rows import CheckpointRow
from store.uses import Key


class Progress(msgspec.Struct, kw_only=True):
    """How far a derivation has come: the state, and what stepping gave since the checkpoint it began from.

    `holding` is how the roster had the asset, `since_us` the event time of that checkpoint. `derived` holds each episode's last
    form by id, `judged` contributions, scenes, sightings and use, `cuts` checkpoints by span of event time, `readings` counts
    those stepped; `use_since` is from when on that checkpoint had said nothing of use (None: nothing at all), `journeys` those
    under way there.
    """

    holding: Holding
    watched: Watched
    since_us: int
    derived: dict[str, Finding]
    judged: Judged = msgspec.field(default_factory=lambda: Judged(again=True))
    cuts: dict[int, CheckpointRow] = {}
    readings: int = 0
    use_since: Since | None = None
    journeys: frozenset[Key] = frozenset()

    def copied(self, roster: Roster) -> Progress:
        """The same, to be stepped further without touching this one; the state goes through the bytes of a checkpoint."""
        watched = restored(roster, self.watched.asset_id, self.watched.cut())
        watched.recent.extend(self.watched.recent)
        return Progress(
            holding=self.holding,
            watched=watched,
            since_us=self.since_us,
            derived=dict(self.derived),
            judged=Judged(
                again=True,
                contributions=list(self.judged.contributions),
                scenes=list(self.judged.scenes),
                sightings=list(self.judged.sightings),
                uses=list(self.judged.uses),
                use_checkpoints=list(self.judged.use_checkpoints),
            ),
            cuts=dict(self.cuts),
            readings=self.readings,
            use_since=self.use_since,
            journeys=self.journeys,
        )


class Derivation(msgspec.Struct, kw_only=True):
    """One asset being derived again, because of the mark `entry`; kept by the pipeline from its first turn to its last.

    `progress` is what the turns so far came to, None before the first. `changed_us` is the earliest hour whose prior they
    changed: whoever read it is marked with the last turn. `is_apart` says that marks set since are told apart from `entry`;
    `told` counts the scenes told in earlier rounds, behind which batches were committed. `worked_s` sums the turns.
    """

    entry: Dirty
    progress: Progress | None = None
    changed_us: int | None = None
    is_apart: bool = False
    told: int = 0
    turns: int = 0
    worked_s: float = 0.0

    def absorb(self, book: PriorBook, group: Group) -> None:
        """Take over what the book noted as changed for a group: said once, however often the turn is tried."""
        changed_us = book.changed.pop(group, None)
        if changed_us is not None:
            self.changed_us = changed_us if self.changed_us is None else min(changed_us, self.changed_us)

    def give_back(self, book: PriorBook, group: Group) -> None:
        """Put what was absorbed into the book again, for whoever asks next."""
        if self.changed_us is not None:
            book.changed[group] = min(self.changed_us, book.changed.get(group, self.changed_us))
