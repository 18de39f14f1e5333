"""A worker's pool on a fresh database, and short ways to say readings and findings."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from fleet.aircraft import AircraftReading
from fleet.vessel import VesselReading
from store import commits
from store.pool import Pool, open_pool
from store.rows import FindingRow, ReadingRow

NOON_US = 1_760_011_200_000_000  # 2025-10-09T12:00:00Z


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    """Connections as the worker."""
    opened = await open_pool(database_url, "keelwing_worker", 4)
    yield opened
    await opened.close()


@pytest.fixture
async def ownership(pool: Pool) -> commits.Ownership:
    """All 64 shards."""
    async with pool.connection() as conn:
        return await commits.claim(conn, commits.ALL_SHARDS, "test")


class Say:
    """Builds rows with what a test cares about."""

    NOON_US = NOON_US
    MMSI = "244660000"

    def ship(self, stream_id: int, seconds: float = 0.0, *, shard: int = 0, **fields: Any) -> ReadingRow:
        """A ship's reading so many seconds after noon."""
        time_us = NOON_US + round(seconds * 1_000_000)
        known = {"scheme": "mmsi", "value": self.MMSI, "time_us": time_us, "seq": 1}
        return ReadingRow(
            stream_id=stream_id, shard=shard, received_us=NOON_US + 3_600_000_000, reading=VesselReading(**{**known, **fields})
        )

    def aircraft(self, stream_id: int, seconds: float = 0.0, *, shard: int = 0, **fields: Any) -> ReadingRow:
        """An aircraft's reading so many seconds after noon."""
        time_us = NOON_US + round(seconds * 1_000_000)
        known = {"scheme": "icao24", "value": "484b5c", "time_us": time_us, "seq": 1}
        return ReadingRow(
            stream_id=stream_id, shard=shard, received_us=NOON_US + 3_600_000_000, reading=AircraftReading(**{**known, **fields})
        )

    def finding(self, asset_id: str, finding_id: str = "gap-1", *, tenant: str = "demo", **fields: Any) -> FindingRow:
        """A gap that is still open."""
        known: dict[str, Any] = {
            "finding_id": finding_id,
            "tenant": tenant,
            "asset_id": asset_id,
            "shard": 0,
            "asset": f"mmsi:{self.MMSI}",
            "rule": "gap",
            "rule_version": 1,
            "severity": "warning",
            "subject": None,
            "opened_us": NOON_US,
            "closed_us": None,
            "detected_us": NOON_US + 21_600_000_000,
            "score": None,
            "evidence": {"silence_h": 6.0, "verdict": "dark"},
        }
        return FindingRow(**{**known, **fields})


@pytest.fixture(scope="session")
def say() -> Say:
    """See `Say`."""
    return Say()
