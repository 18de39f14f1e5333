"""Which faults a run has, and how often: drawn from the seed (swarm testing, Groce et al. 2012: a run without some faults finds
what a run with all of them hides)."""

from __future__ import annotations

from random import Random
from typing import TypeVar

import msgspec

T = TypeVar("T")


class Faults(msgspec.Struct, frozen=True, kw_only=True):
    """The faults of one run, and what must survive each of them.

    Of the store, as probabilities a commit or a word: `lost_reply` (committed, but nobody hears of it), `late_commit` (no reply,
    committed some time afterwards), `failed_commit`, `cut` (the connection is lost before a word); `outages` without any store.

    Of the worker: `crashes` at any instant, `crash_at_commit` (between commit and acknowledgement), `second_worker` (another
    claims the shards and fences the first), `clock_steps` of its wall clock.

    Of the broker: `restarts` (every connection is cut), `ack_wait_s` (what is not acknowledged comes again after it, as with
    NATS; None: at the next connection, as with Mosquitto), `window` in flight, `reorder` (a message overtakes others, beyond what
    MQTT permits).

    Of devices: `duplicate` (published again), `held_back` (a share of the readings comes as a late burst), `unstorable` (a value
    that the tables refuse).
    """

    lost_reply: float = 0.0
    late_commit: float = 0.0
    failed_commit: float = 0.0
    cut: float = 0.0
    outages: int = 0
    crashes: int = 0
    crash_at_commit: float = 0.0
    second_worker: bool = False
    restarts: int = 0
    ack_wait_s: float | None = None
    window: int = 1000
    reorder: float = 0.0
    duplicate: float = 0.0
    held_back: float = 0.0
    unstorable: bool = False
    clock_steps: int = 0

    def told(self) -> str:
        """The faults that are there, for people."""
        plain = Faults()
        named = {name: getattr(self, name) for name in self.__struct_fields__ if getattr(self, name) != getattr(plain, name)}
        return ", ".join(f"{name}={value}" for name, value in named.items()) or "none"


NONE = Faults()


def drawn(seed: int) -> Faults:
    """The faults of a seed: each is there or not, then how much of it."""
    draw = Random(f"faults {seed}")

    def sometimes(*values: T, otherwise: T) -> T:
        present, value = draw.random() < 0.4, draw.choice(values)
        return value if present else otherwise

    return Faults(
        lost_reply=sometimes(0.05, 0.2, otherwise=0.0),
        late_commit=sometimes(0.05, 0.2, otherwise=0.0),
        failed_commit=sometimes(0.05, 0.2, otherwise=0.0),
        cut=sometimes(0.001, 0.005, otherwise=0.0),
        outages=sometimes(1, 2, otherwise=0),
        crashes=sometimes(1, 3, otherwise=0),
        crash_at_commit=sometimes(0.02, 0.1, otherwise=0.0),
        second_worker=sometimes(True, otherwise=False),
        restarts=sometimes(1, 3, otherwise=0),
        ack_wait_s=sometimes(2.0, 5.0, otherwise=None),
        window=sometimes(3, 20, otherwise=1000),
        reorder=sometimes(0.05, 0.3, otherwise=0.0),
        duplicate=sometimes(0.05, 0.2, otherwise=0.0),
        held_back=sometimes(0.1, 0.3, otherwise=0.0),
        unstorable=sometimes(True, otherwise=False),
        clock_steps=sometimes(1, 2, otherwise=0),
    )
