"""Where each demo asset was in ten years: the simulated round it makes today, led back to its delivery, with its lay-ups cut out.

Pure: a function of the world and of the stories. Times are seconds since the world's start (negative before it).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simulators.element import SimulatedAsset
from simulators.rounds import Looks, Round

DAY_S = 86_400.0
Seconds = npt.NDArray[np.float64]
SHIP_STATES = {
    "berth": "moored", "unmooring": "manoeuvring", "mooring": "manoeuvring", "sea": "at_sea", "anchored": "anchored",
}  # fmt: skip
"""What a phase of a simulated ship's round is among the operating states of `fleet.operating_state`."""


class Pause(NamedTuple):
    """A time out of service, in a berth or on a stand, in which the asset does not move; `kind` is layup, drydock or storage."""

    kind: str
    from_s: float
    to_s: float


class Stretches(NamedTuple):
    """What an asset did, end to end: begin and end of each stretch and which of `names` it was."""

    begin_s: Seconds
    end_s: Seconds
    name: npt.NDArray[np.int64]
    names: tuple[str, ...]


class Journeys(NamedTuple):
    """Voyages or flights: leaving and arriving, the hop of the round each is, and off and on blocks (ships: as leaving)."""

    leaves_s: Seconds
    arrives_s: Seconds
    hop: npt.NDArray[np.int64]
    out_s: Seconds
    in_s: Seconds


class Life:
    """One asset from its delivery to `until_s`, the instant at which the live fleet takes over."""

    def __init__(
        self, asset: SimulatedAsset, round_: Round, delivered_s: float, wanted: tuple[Pause, ...], until_s: float
    ) -> None:
        """Lay it out. Each wanted pause is moved to the nearest stay, so that it begins and ends in a berth or on a stand."""
        self.asset, self.round, self.delivered_s, self.until_s = asset, round_, delivered_s, until_s
        self.pauses: list[Pause] = []
        # Before a pause the asset is ahead of its round by the pause's length: seconds of the round against seconds.
        bends: list[tuple[float, float]] = [(until_s + 400 * DAY_S, until_s + 400 * DAY_S)]
        ahead_s = 0.0
        for pause in sorted(wanted, key=lambda one: -one.to_s):
            length_s = pause.to_s - pause.from_s
            end_s = self._stay_near(pause.to_s + ahead_s) - ahead_s
            self.pauses.append(Pause(pause.kind, end_s - length_s, end_s))
            bends += [(end_s, end_s + ahead_s), (end_s - length_s, end_s + ahead_s - 1e-3)]
            ahead_s += length_s
        first_s = delivered_s - 30 * DAY_S
        bends.append((first_s, first_s + ahead_s))
        self.pauses.reverse()
        self._time_s, self._round_s = (np.array(column) for column in zip(*reversed(bends), strict=True))

    def _stay_near(self, since_s: float) -> float:
        """The last quiet moment of a stay (an hour before casting off, ten minutes before push-back) nearest to an instant."""
        own_s = float(self.round.own_s(np.array([since_s]))[0])
        turn = own_s // self.round.length_s
        quiet_s = [hop.leaves_s - 3600.0 if hop.blocks_s is None else hop.blocks_s[0] - 600.0 for hop in self.round.hops]
        ends = [k * self.round.length_s + end_s for k in (turn - 1, turn, turn + 1) for end_s in quiet_s]
        nearest_s = min(ends, key=lambda one: abs(one - own_s))
        return float(self.round.since_s(np.array([nearest_s]))[0])

    def in_round(self, time_s: Seconds) -> Seconds:
        """Seconds of the undisturbed round at which the asset stands at instants."""
        return np.asarray(np.interp(time_s, self._time_s, self._round_s))

    def _out_of_round(self, since_s: Seconds) -> Seconds:
        return np.asarray(np.interp(since_s, self._round_s, self._time_s))

    def look(self, time_s: Seconds) -> Looks:
        """Where it was at instants; motionless in its pauses."""
        looks = self.round.look(self.in_round(time_s))
        still = np.zeros(len(time_s), dtype=bool)
        for pause in self.pauses:
            still |= (time_s >= pause.from_s) & (time_s < pause.to_s)
        return looks._replace(speed_kn=np.where(still, 0.0, looks.speed_kn))

    def _turns(self) -> Seconds:
        """Own seconds at which the rounds that touch the life begin."""
        own_s = self.round.own_s(self.in_round(np.array([self.delivered_s, self.until_s])))
        first, last = (int(one // self.round.length_s) for one in own_s)
        return np.arange(first, last + 1, dtype=np.float64) * self.round.length_s

    def _times(self, of_round_s: list[float]) -> Seconds:
        """When these instants of the round came, all rounds in order: shape (rounds × instants)."""
        own_s = (self._turns()[:, None] + np.array(of_round_s)[None, :]).ravel()
        return self._out_of_round(self.round.since_s(own_s))

    def stretches(self) -> Stretches:
        """What it did from delivery to the end, without holes."""
        names: list[str] = []
        index: list[int] = []
        for phase in self.round.phases:
            name = SHIP_STATES.get(phase.name, phase.name)
            if name not in names:
                names.append(name)
            index.append(names.index(name))
        begin_s = self._times([phase.begin_s for phase in self.round.phases])
        name_of = np.tile(np.array(index), len(self._turns()))
        end_s = np.append(begin_s[1:], self.until_s)
        inside = (end_s > self.delivered_s) & (begin_s < self.until_s) & (end_s > begin_s)
        begin_s, end_s = np.maximum(begin_s[inside], self.delivered_s), np.minimum(end_s[inside], self.until_s)
        name_of = name_of[inside]
        for pause in self.pauses:
            if pause.kind == "drydock":
                begin_s, end_s, name_of = _docked(pause, begin_s, end_s, name_of, names)
        return Stretches(begin_s, end_s, name_of, tuple(names))

    def journeys(self) -> Journeys:
        """Every voyage or flight that ended in its life."""
        hops = self.round.hops
        leaves_s, arrives_s = self._times([hop.leaves_s for hop in hops]), self._times([hop.arrives_s for hop in hops])
        out_s, in_s = leaves_s, arrives_s
        if hops[0].blocks_s is not None:
            out_s, in_s = (self._times([hop.blocks_s[n] for hop in hops if hop.blocks_s is not None]) for n in (0, 1))
        hop_of = np.tile(np.arange(len(hops)), len(self._turns()))
        inside = (leaves_s >= self.delivered_s) & (in_s < self.until_s)
        return Journeys(leaves_s[inside], arrives_s[inside], hop_of[inside], out_s[inside], in_s[inside])


def _docked(
    pause: Pause, begin_s: Seconds, end_s: Seconds, name_of: npt.NDArray[np.int64], names: list[str]
) -> tuple[Seconds, Seconds, npt.NDArray[np.int64]]:
    """The stretches with a dry-docking cut out of the stay in which it lies."""
    held = int(np.searchsorted(begin_s, pause.from_s, side="right")) - 1
    if held < 0 or pause.to_s > end_s[held]:
        return begin_s, end_s, name_of
    if "drydock" not in names:
        names.append("drydock")
    begins, ends = np.array([pause.from_s, pause.to_s]), np.array([pause.from_s, pause.to_s])
    parts = np.array([names.index("drydock"), name_of[held]])
    return (
        np.insert(begin_s, held + 1, begins), np.insert(end_s, held, ends), np.insert(name_of, held + 1, parts),
    )  # fmt: skip


class Sums(NamedTuple):
    """Sums by day: shape (days,) but `state_s`, (states × days)."""

    state_s: npt.NDArray[np.float64]
    distance_m: Seconds
    laden_m: Seconds
    ballast_m: Seconds
    cycles: npt.NDArray[np.int64]
    flight_s: Seconds


def sums(life: Life, midnights_s: Seconds, laden: npt.NDArray[np.bool_]) -> Sums:
    """Sums of each day between midnights (one more than days): by what had accrued up to each midnight.

    Args:
        life: whose.
        midnights_s: ascending.
        laden: by hop of the round; of aircraft all False.
    """
    stretches, journeys = life.stretches(), life.journeys()
    states = np.zeros((len(stretches.names), len(midnights_s) - 1))
    for n in range(len(stretches.names)):
        lasted_s = np.where(stretches.name == n, stretches.end_s - stretches.begin_s, 0.0)
        edges_s = np.append(stretches.begin_s, stretches.end_s[-1])
        accrued_s = np.concatenate([[0.0], np.cumsum(lasted_s)])
        states[n] = np.diff(np.interp(midnights_s, edges_s, accrued_s))
    lengths_m = np.array([hop.length_m for hop in life.round.hops])[journeys.hop]
    is_laden = laden[journeys.hop]
    distance_m, laden_m, ballast_m, flight_s = (
        _by_day(journeys, amount, midnights_s)
        for amount in (
            lengths_m, lengths_m * is_laden, lengths_m * ~is_laden, journeys.arrives_s - journeys.leaves_s,
        )
    )  # fmt: skip
    cycles = np.histogram(journeys.arrives_s, bins=midnights_s)[0]
    return Sums(states, distance_m, laden_m, ballast_m, cycles, flight_s)


def accrued(journeys: Journeys, amount: Seconds, at_s: Seconds) -> Seconds:
    """How much of an amount of each journey, spread over its time, had come together by instants."""
    if len(amount) == 0:
        return np.zeros(len(at_s))
    edges_s = np.empty(2 * len(amount))
    edges_s[0::2], edges_s[1::2] = journeys.leaves_s, journeys.arrives_s
    sums_at = np.empty(2 * len(amount))
    total = np.cumsum(amount)
    sums_at[0::2], sums_at[1::2] = total - amount, total
    return np.asarray(np.interp(at_s, edges_s, sums_at))


def _by_day(journeys: Journeys, amount: Seconds, midnights_s: Seconds) -> Seconds:
    return np.diff(accrued(journeys, amount, midnights_s))
