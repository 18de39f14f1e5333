"""Which of the 64 virtual shards an asset is stepped in. 64 never changes: stored commit numbers carry it."""

from __future__ import annotations

from hashlib import blake2b

SHARDS = 64


def shard_of(key: str) -> int:
    """The shard 0..63 of an asset id (or of any text that must stay in order), by BLAKE2b, the same on every machine."""
    return blake2b(key.encode(), digest_size=1).digest()[0] % SHARDS


def commit_no(shard: int, n: int) -> int:
    """The number that every row of a commit carries: `n * 64 + shard`, unique over all shards and ascending within one."""
    return n * SHARDS + shard
