"""Findings for tests of alerts: a silence of six and a half hours that is still open, and what a test changes about it."""

from __future__ import annotations

import uuid
from typing import Any

from fleet.shards import shard_of
from store.rows import FindingRow

OPENED_US = 1_795_330_800_000_000
HOUR_US = 3_600_000_000
ASSET_ID = str(uuid.UUID(int=7))


def finding(**fields: Any) -> FindingRow:
    """The finding with some fields changed."""
    defaults: dict[str, Any] = {
        "finding_id": "f1", "tenant": "acme", "asset_id": ASSET_ID, "shard": shard_of(ASSET_ID), "asset": "imo:9074729",
        "rule": "gap", "rule_version": 1, "severity": "warning", "subject": None, "opened_us": OPENED_US, "closed_us": None,
        "detected_us": OPENED_US + HOUR_US, "score": None, "evidence": {"silent_h": 6.5},
    }  # fmt: skip
    return FindingRow(**(defaults | fields))
