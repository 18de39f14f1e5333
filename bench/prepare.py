"""A database that knows the load's assets: tenant, feed, identifiers, and a checkpoint of a warm detector for each."""

from __future__ import annotations

import os
import uuid
from itertools import islice

import psycopg

from bench.load import FEED
from bench.warm import checkpoints_of
from bench.world import TENANT, Asset, course_of
from fleet.shards import SHARDS, shard_of
from store import checkpoints, commits, registry
from store.pool import open_pool

NAMESPACE = uuid.UUID("6b65656c-0000-4000-8000-000000000000")
PAGE = 2000  # checkpoints in one statement


def asset_id_of(asset: Asset) -> str:
    """The id under which an asset of the load is registered."""
    return str(uuid.uuid5(NAMESPACE, f"{asset.scheme}:{asset.value}"))


def register(url: str, assets: list[Asset]) -> list[str]:
    """Register assets in bulk, each with the identifier it speaks under and one it does not; returns their ids."""
    ids = [asset_id_of(asset) for asset in assets]
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO tenant (tenant, name) VALUES (%s, %s)", (TENANT, "Bench"))
        with cursor.copy("COPY asset (asset_id, tenant, class, name, type, shard) FROM STDIN") as copy:
            for asset, asset_id in zip(assets, ids, strict=True):
                kind = course_of(asset.asset_class, asset.course).asset_type
                copy.write_row((asset_id, TENANT, asset.asset_class, f"ASSET {asset.number}", kind, shard_of(asset_id)))
        with cursor.copy("COPY identifier (asset_id, tenant, class, scheme, value) FROM STDIN") as copy:
            for asset, asset_id in zip(assets, ids, strict=True):
                copy.write_row((asset_id, TENANT, asset.asset_class, asset.scheme, asset.value))
                copy.write_row((asset_id, TENANT, asset.asset_class, "local", f"asset-{asset.number}"))
    return ids


async def prepare(url: str, assets: list[Asset], start_us: int) -> None:
    """Register assets and give each a checkpoint as of `start_us`."""
    ids = register(url, assets)
    pool = await open_pool(url, "keelwing_worker", 2)
    try:
        async with pool.connection() as conn:
            await registry.set_feed(conn, TENANT, FEED, "live")
            ownership = await commits.claim(conn, range(SHARDS), "bench")
            numbers = await commits.begin(conn, ownership, range(SHARDS))
            rows = checkpoints_of(assets, ids, start_us)
            while page := list(islice(rows, PAGE)):
                await checkpoints.write(conn, page, numbers)
    finally:
        await pool.close()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
    os.sync()  # else what was just written holds up the first commits and the broker's files in the middle of a measurement
