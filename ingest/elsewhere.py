"""What step processes must know of one another: told after a commit, heard with the next batch. Values only."""

from __future__ import annotations

import msgspec

from ingest.freshness import Fresh
from ingest.judging import Judged
from ingest.priors import Group
from ingest.watch import Watch


class Aside(msgspec.Struct):
    """What other step processes must hear of after a commit.

    Shares of priors by group; by tenant the newest scene told and the earliest new reading; and how far each recording
    (tenant, feed) came.
    """

    contributions: list[tuple[Group, bytes]] = []
    told: dict[str, int] = {}
    earliest: dict[str, int] = {}
    clocks: dict[tuple[str, str], int] = {}

    def note(self, watch: Watch, judged: Judged) -> None:
        """Take over the shares and scenes of what was committed."""
        for row in judged.contributions:
            if row.asset_id in watch:
                self.contributions.append((watch[row.asset_id].group, row.contribution))
        for scene in judged.scenes:
            self.told[scene.tenant] = max(scene.at_us, self.told.get(scene.tenant, scene.at_us))

    def note_readings(self, watch: Watch, fresh: Fresh) -> None:
        """Take over the earliest new reading of each tenant."""
        for asset_id, given in fresh.by_asset.items():
            if asset_id in watch:
                tenant, first_us = watch[asset_id].tenant, min(reading.time_us for reading in given)
                self.earliest[tenant] = min(first_us, self.earliest.get(tenant, first_us))


class Elsewhere(msgspec.Struct, frozen=True):
    """What a part is told of the others with each batch.

    `clocks`: how far all of them have gone in each recording (tenant, feed), which this batch's own readings do not move;
    `told` the newest scene told anywhere, by tenant; `look_again` from when on a tenant's scenes may have missed readings that
    were committed beside them.
    """

    clocks: dict[tuple[str, str], int]
    told: dict[str, int]
    look_again: dict[str, int]
