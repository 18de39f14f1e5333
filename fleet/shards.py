"""Which of the 64 virtual shards an asset is stepped in. 64 never changes: stored commit numbers carry it."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b

SHARDS = 64
KEPT_MAX = 200_000  # remembered answers; chosen: the world's ships and airborne aircraft twice over, some 30 MB


@lru_cache(KEPT_MAX)
def shard_of(key: str) -> int:
    """The shard 0..63 of an asset id (or of any text that must stay in order), by BLAKE2b, the same on every machine."""
    return blake2b(key.encode(), digest_size=1).digest()[0] % SHARDS


def commit_no(shard: int, n: int) -> int:
    """The number that every row of a commit carries: `n * 64 + shard`, unique over all shards and ascending within one."""
    return n * SHARDS + shard
