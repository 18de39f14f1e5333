"""Scenes that late readings put in question, noted by batches until `ingest.echoes` looks at them. In memory, by tenant."""

from __future__ import annotations

import msgspec

WAIT_S_MAX = 60.0  # chosen: as a late asset waits at most (DECISIONS 81)


class InQuestion(msgspec.Struct):
    """From when on a tenant's scenes are to be looked at; first and last time that this was noted, on the worker's own clock."""

    from_us: int
    first_s: float
    last_s: float


class SceneEchoes:
    """The scenes in question, by tenant; as many entries as there are tenants."""

    def __init__(self) -> None:
        self._by_tenant: dict[str, InQuestion] = {}

    def __len__(self) -> int:
        return len(self._by_tenant)

    def note(self, tenant: str, from_us: int, now_s: float) -> None:
        """A late reading of that instant came."""
        known = self._by_tenant.get(tenant)
        if known is None:
            self._by_tenant[tenant] = InQuestion(from_us, now_s, now_s)
        else:
            known.from_us, known.last_s = min(from_us, known.from_us), now_s

    def due(self, now_s: float, quiet_s: float) -> list[tuple[str, int]]:
        """(tenant, instant) of those that were quiet for so long, or waited for `WAIT_S_MAX`."""
        return [
            (tenant, one.from_us)
            for tenant, one in sorted(self._by_tenant.items())
            if now_s - one.last_s >= quiet_s or now_s - one.first_s >= WAIT_S_MAX
        ]

    def done(self, tenant: str) -> None:
        """They were looked at, and what they changed is marked."""
        self._by_tenant.pop(tenant, None)
