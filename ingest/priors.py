"""The fleet's contributions to priors, by tenant, class and type, and the prior of each hour made of them.

A prior of an hour is made of what assets had learned in hours that were closed before it began, by event time: whoever asks
later, in whatever order the readings came, is told the same. Knows contributions; what is in them is `detect.prior`'s.
"""

from __future__ import annotations

from collections import defaultdict

import msgspec

from detect.prior import Prior, merge
from detect.state import Contribution
from fleet.instants import DAY_US, HOUR_US
from ingest.watch import Watched
from store.rows import ContributionRow

Group = tuple[str, str, str]
"""(tenant, class, type)."""

PRIORS_MAX = 200  # hours of a group kept ready; chosen: a little more than the week that contributions are kept
KEPT_US = 7 * DAY_US  # chosen: a prior speaks of a fleet as it is, and a week has every working day in it


class Share(msgspec.Struct, frozen=True, array_like=True):
    """A contribution and the hour of event time in which it was taken: it counts from the hour after that."""

    taken_hour_us: int
    contribution: Contribution


class PriorBook:
    """What every asset gave, and priors made of it. Bounded: a week of hours an asset, per group.

    `changed` holds, by group, the earliest hour at which a share came behind assets that were already stepped further: what they
    read in the hours after it may be another prior now. Whoever derives them again takes the entry out.
    """

    def __init__(self) -> None:
        self._shares: dict[Group, dict[str, dict[int, Share]]] = defaultdict(lambda: defaultdict(dict))
        self._priors: dict[Group, dict[int, Prior | None]] = defaultdict(dict)
        self.loaded: set[Group] = set()
        self.changed: dict[Group, int] = {}
        self._newest_us: dict[Group, int] = {}

    def take(self, watched: Watched, hour_us: int) -> list[ContributionRow]:
        """Take what an asset's state gives after stepping readings of the hour that starts at `hour_us`; rows to store."""
        rows: list[ContributionRow] = []
        group = watched.group
        if hour_us > self._newest_us.get(group, 0):
            self._newest_us[group] = hour_us
        for contribution in watched.state.take_contributions():
            share = Share(hour_us, contribution)
            if self.put(watched.group, share) and hour_us < self._newest_us.get(watched.group, 0):
                self.changed[watched.group] = min(hour_us, self.changed.get(watched.group, hour_us))
            rows.append(
                ContributionRow(
                    asset_id=watched.asset_id,
                    shard=watched.shard,
                    hour_us=contribution.hour_us,
                    contribution=msgspec.msgpack.encode(share),
                )
            )
        return rows

    def put(self, group: Group, share: Share) -> bool:
        """Note a share, and say whether it is another than was known; priors that it could change are made anew when asked."""
        shares = self._shares[group][share.contribution.asset_id]
        hour_us = share.contribution.hour_us
        known = shares.get(hour_us)
        if known == share:
            return False
        shares[hour_us] = share
        since_us = share.taken_hour_us if known is None else min(share.taken_hour_us, known.taken_hour_us)
        priors = self._priors[group]
        for later_us in [cached_us for cached_us in priors if cached_us > since_us]:
            del priors[later_us]
        for old_us in [other_us for other_us in shares if other_us < hour_us - KEPT_US]:
            del shares[old_us]
        return True

    def read(self, group: Group, packed: bytes) -> None:
        """Note a stored share."""
        self.put(group, msgspec.msgpack.decode(packed, type=Share))

    def hear(self, group: Group, packed: bytes) -> None:
        """Note a share that another process took; it may come behind assets that were stepped further here."""
        share = msgspec.msgpack.decode(packed, type=Share)
        if self.put(group, share) and share.taken_hour_us < self._newest_us.get(group, 0):
            self.changed[group] = min(share.taken_hour_us, self.changed.get(group, share.taken_hour_us))

    def prior_at(self, group: Group, hour_us: int) -> Prior | None:
        """The prior in force in the hour that starts at `hour_us`; None when too few assets taught anything before it."""
        priors = self._priors[group]
        if hour_us not in priors:
            if len(priors) >= PRIORS_MAX:
                del priors[min(priors)]
            priors[hour_us] = merge(
                share.contribution
                for shares in self._shares[group].values()
                for share in shares.values()
                if share.taken_hour_us < hour_us and share.contribution.hour_us >= hour_us - KEPT_US
            )
        return priors[hour_us]


def hour_of(time_us: int) -> int:
    """Start of the hour of an instant."""
    return time_us // HOUR_US * HOUR_US
