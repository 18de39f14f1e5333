"""Shuffled, delayed, doubled, cut in any way: the same readings end with the same rows, rollups and findings."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from fleet.instants import HOUR_US
from ingest.decode import decode
from ingest.pipeline import Pipeline, PipelineConfig
from ingest.ports import SystemClock
from ingest.rederive import rederive_due
from ingest.routing import Message
from ingest.wire import encode_json, feed_topic
from store import registry
from store.pool import open_pool
from store.transaction import PostgresStore

START_US = 1_795_330_800_000_000  # 2026-11-22T07:00:00Z
NOW_US = START_US + 40 * HOUR_US
FEED = feed_topic("demo", "coast")
SHIPS = 5
Reading = dict[str, Any]


class Standing(SystemClock):
    """Wall time that stands still behind the last reading."""

    def wall_us(self) -> int:
        return NOW_US


def recording(seed: int) -> list[Reading]:
    """Five ships for nine hours, a reading every two minutes: one falls silent twice, one jumps, one's exhaust runs hot."""
    draw = random.Random(seed)
    readings: list[Reading] = []
    for minute in range(0, 540, 2):
        for ship in range(SHIPS):
            if ship == 0 and (60 < minute < 200 or 240 < minute < 470):
                continue
            away_deg = 3.0 if ship == 1 and 300 <= minute < 330 else 0.0
            hot_c = 140.0 if ship == 2 and minute >= 420 else 0.0
            sog_kn = 12.0 + draw.gauss(0, 0.2)
            readings.append(
                {
                    "class": "vessel",
                    "scheme": "mmsi",
                    "value": f"53800123{ship}",
                    "time": START_US // 1000 + minute * 60_000 + ship * 1000,
                    "lat_deg": round(40 + minute * 0.2 / 60 + away_deg, 6),
                    "lon_deg": round(5 + ship * 0.05, 6),
                    "sog_kn": round(sog_kn, 1),
                    "cog_deg": 0.0,
                    "nav_status": 0,
                    "channels": {
                        "me_exhaust_temp_c": round(300 + 5 * sog_kn + draw.gauss(0, 1) + hot_c, 2),
                        "shaft_power_kw": round(4 * sog_kn**3 + draw.gauss(0, 30), 1),
                        "me_rpm": round(7 * sog_kn + draw.gauss(0, 0.3), 2),
                    },
                }
            )
    return readings


def in_batches(readings: Sequence[Reading], size: int) -> list[list[Reading]]:
    return [list(readings[index : index + size]) for index in range(0, len(readings), size)]


async def final_form(database_url: str, batches: Sequence[Sequence[Reading]], *, restart_every: int = 0) -> dict[str, list[Any]]:
    """What a database holds after these batches; a new pipeline takes over, without goodbye, after every so many of them."""
    pool = await open_pool(database_url, "keelwing_worker", 4)
    try:
        async with pool.connection() as conn:
            await registry.create_tenant(conn, "demo", "Demo")
            await registry.set_feed(conn, "demo", "coast", "recording")
            for ship in range(SHIPS):
                await registry.register_asset(conn, "demo", "vessel", f"Ship {ship}", None, [("mmsi", f"53800123{ship}")])
        pipeline = Pipeline(PostgresStore(pool), PipelineConfig(retry_s_max=5), Standing())
        await pipeline.start()
        for number, batch in enumerate(batches):
            if restart_every and number and number % restart_every == 0:
                pipeline = Pipeline(PostgresStore(pool), PipelineConfig(retry_s_max=5), Standing())
                await pipeline.start()
            payload = encode_json(batch)
            await pipeline.process([Message(FEED, decode(FEED, payload, NOW_US), NOW_US)])
        await pipeline.process([], drain=True)
        while await rederive_due(pipeline, 0) or pipeline.derivations:
            pass
        async with pool.connection() as conn:
            return {name: await (await conn.execute(query)).fetchall() for name, query in QUERIES.items()}
    finally:
        await pool.close()


QUERIES = {
    "findings": "SELECT rule, severity, asset, subject, opened_at, closed_at, score, evidence FROM finding"
    " WHERE superseded_by IS NULL AND NOT retracted ORDER BY rule, asset, subject, opened_at",
    "hours": "SELECT value, hour, count, position_count, first_time, last_time, speed_count, speed_min_kn, speed_max_kn,"
    " speed_sum_ukn FROM reading_hour JOIN stream USING (stream_id) ORDER BY value, hour",
    "readings": "SELECT value, time, source, seq, lat_deg, channels FROM reading_vessel JOIN stream USING (stream_id)"
    " ORDER BY 1, 2, 3, 4",
}


def ordered(readings: list[Reading], draw: random.Random) -> list[list[Reading]]:
    return in_batches(readings, draw.choice([7, 50, 400]))


def shuffled(readings: list[Reading], draw: random.Random) -> list[list[Reading]]:
    mixed = list(readings)
    draw.shuffle(mixed)
    return in_batches(mixed, draw.choice([50, 200]))


def doubled(readings: list[Reading], draw: random.Random) -> list[list[Reading]]:
    return in_batches([reading for reading in readings for _ in range(draw.choice([1, 2]))], 100)


def delayed(readings: list[Reading], draw: random.Random) -> list[list[Reading]]:
    """Every ship's readings of some hours come at the very end, as from a device that was out of reach."""
    kept = {(ship, hour) for ship in range(SHIPS) for hour in range(9) if draw.random() < 0.2}

    def late(reading: Reading) -> bool:
        return (int(reading["value"][-1]), (reading["time"] - START_US // 1000) // 3_600_000) in kept

    return in_batches([one for one in readings if not late(one)] + [one for one in readings if late(one)], 100)


@pytest.mark.parametrize("order", [shuffled, doubled, delayed])
async def test_any_order_ends_like_the_ordered_run(
    database_url: str, second_database_url: str, order: Callable[[list[Reading], random.Random], list[list[Reading]]]
) -> None:
    readings, draw = recording(7), random.Random(11)
    plain = await final_form(database_url, in_batches(readings, 100))
    other = await final_form(second_database_url, order(readings, draw))
    assert {finding["rule"] for finding in plain["findings"]} >= {"gap", "position_jump", "channel_anomaly"}
    for part in QUERIES:
        assert other[part] == plain[part], part


@pytest.mark.parametrize("restart_every", [1, 3])
async def test_cut_and_resumed_at_any_batch_ends_like_one_run(
    database_url: str, second_database_url: str, restart_every: int
) -> None:
    readings = recording(7)
    plain = await final_form(database_url, in_batches(readings, 100))
    cut = await final_form(second_database_url, in_batches(readings, 333), restart_every=restart_every)
    for part in QUERIES:
        assert cut[part] == plain[part], part
