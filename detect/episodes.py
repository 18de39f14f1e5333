"""Episodes: what opens, changes and closes, and the vote that keeps it from flapping. Knows no rule."""

from __future__ import annotations

from typing import Any

import msgspec

from detect.model import Finding, Severity, finding_id
from detect.state import AssetState


class Episode(msgspec.Struct, kw_only=True, array_like=True):
    """An open episode as a rule's memory keeps it; becomes a `Finding` each time that it changes.

    Its id is a hash of asset, rule, subject and `opened_at_us`, so that a second run over the same readings names it the same.
    """

    subject: str | None = None
    asset: str
    opened_at_us: int
    detected_at_us: int
    severity: Severity
    score: float | None = None
    evidence: dict[str, Any] = {}

    def finding(self, state: AssetState, rule: str, version: int, closed_at_us: int | None = None) -> Finding:
        """The episode's statement now; `closed_at_us` None while it is open. The evidence is copied."""
        return Finding(
            id=finding_id(state.asset_id, rule, self.subject, self.opened_at_us),
            rule=rule,
            rule_version=version,
            severity=self.severity,
            asset_id=state.asset_id,
            asset=self.asset,
            subject=self.subject,
            opened_at_us=self.opened_at_us,
            closed_at_us=closed_at_us,
            detected_at_us=self.detected_at_us,
            score=self.score,
            evidence=dict(self.evidence),
        )


class Packed(msgspec.Struct, array_like=True):
    """An open episode in bytes (MessagePack): a tenth of the memory, for a rule that may hold many of one asset."""

    packed: bytes

    @property
    def episode(self) -> Episode:
        """The episode, unpacked; it is a copy."""
        return msgspec.msgpack.decode(self.packed, type=Episode)


def pack(episode: Episode) -> Packed:
    """An episode as bytes."""
    return Packed(msgspec.msgpack.encode(episode))


def vote(ballots: int, yes: bool, of: int) -> int:
    """Push one ballot into a register of the last `of` ballots (bit 0 the newest) and return the register."""
    return ((ballots << 1) | yes) & ((1 << of) - 1)


def yes_votes(ballots: int) -> int:
    """How many ballots in a register said yes."""
    return ballots.bit_count()
