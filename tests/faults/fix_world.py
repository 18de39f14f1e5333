"""A seeded world of 20,000 readings for the fault tests, and what it must end as.

Devices whose readings lie in the last hour, live; a recording on a feed, hours long; one device's stored readings on backfill.
Some are published twice, some late. The worker listened until before the devices' first reading: only the train's silence,
which lies before that, can be judged on the live clock, so an outage in the test changes nothing that is true.
"""

from __future__ import annotations

import random
import time
from typing import Any, NamedTuple

from detect.model import Listening
from fleet.instants import HOUR_US, MINUTE_US, SECOND_US
from ingest.decode import decode
from ingest.pipeline import Pipeline, PipelineConfig
from ingest.ports import SystemClock
from ingest.rederive import rederive_due
from ingest.routing import Message
from ingest.wire import device_topic, encode_json, feed_topic
from store import listening, registry
from store.pool import Connection, Pool, open_pool
from store.transaction import PostgresStore

TENANT = "chaos"
SHIPS, PLANES, FEED_SHIPS = 36, 12, 12
SHIP_READINGS, PLANE_READINGS, FEED_READINGS, TRAIN_READINGS, STORED_READINGS = 300, 500, 250, 10, 320
SILENT = (*range(40, 110), *range(140, 200))  # when the first ship of the feed says nothing
READINGS = (
    SHIPS * SHIP_READINGS + PLANES * PLANE_READINGS + FEED_SHIPS * FEED_READINGS - len(SILENT) + TRAIN_READINGS + STORED_READINGS
)
TWICE, LATE = 0.02, 0.03  # shares of messages published twice, and late
LATE_PLACES = 400  # a late message comes up to so many messages after its time
BATCH = 400  # messages; of the undisturbed run
LISTENER = ("_", "device")


class Said(NamedTuple):
    """One message: when in the course of the world (0..1) it is published."""

    place: float
    topic: str
    payload: bytes


class World:
    """What is published, in order, and when it was made."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.end_us = time.time_ns() // 1000 // MINUTE_US * MINUTE_US - MINUTE_US
        self.begin_us = self.end_us - 50 * MINUTE_US
        said = [*self._ships(), *self._planes(), *self._train(), *self._recording(), *self._stored()]
        self.messages = [(one.topic, one.payload) for one in sorted(self._disordered(said), key=lambda one: one.place)]

    def listened(self) -> tuple[int, int]:
        """When somebody listened before the test."""
        return (self.end_us - 4 * HOUR_US, self.begin_us - MINUTE_US)

    def _disordered(self, said: list[Said]) -> list[Said]:
        late = LATE_PLACES / len(said)
        moved = [one._replace(place=one.place + self.draw.uniform(0, late)) if self.draw.random() < LATE else one for one in said]
        again = [one._replace(place=one.place + self.draw.uniform(0, late)) for one in said if self.draw.random() < TWICE]
        return moved + again

    def _place(self, time_us: int) -> float:
        return (time_us - self.begin_us) / (self.end_us - self.begin_us)

    def _ships(self) -> list[Said]:
        """Ships a reading every 10 s; one jumps and comes back, one jumps and stays."""
        said: list[Said] = []
        for ship in range(SHIPS):
            topic = device_topic(TENANT, "vessel", "mmsi", f"5380010{ship:02d}")
            for number in range(SHIP_READINGS):
                time_us = self.begin_us + number * 10 * SECOND_US + ship * 1000
                away_deg = 1.0 if (ship == 1 and 100 <= number < 220) or (ship == 2 and number >= 150) else 0.0
                body = self._sailing(ship, number / 360, away_deg=away_deg) | {"time": time_us // 1000, "seq": number}
                said.append(Said(self._place(time_us), topic, encode_json(body)))
        return said

    def _sailing(self, ship: int, hours: float, *, away_deg: float = 0.0, hot_c: float = 0.0) -> dict[str, Any]:
        sog_kn = 12.0 + self.draw.gauss(0, 0.2)
        return {
            "lat_deg": round(40 + hours * 12 / 60 + away_deg, 6),
            "lon_deg": round(5 + ship * 0.05, 6),
            "sog_kn": round(sog_kn, 1),
            "cog_deg": 0.0,
            "nav_status": 0,
            "channels": {
                "me_exhaust_temp_c": round(300 + 5 * sog_kn + self.draw.gauss(0, 1) + hot_c, 2),
                "shaft_power_kw": round(4 * sog_kn**3 + self.draw.gauss(0, 30), 1),
            },
        }

    def _planes(self) -> list[Said]:
        """Aircraft a reading every 6 s; one declares an emergency, one loses its radio twice, one to the end."""
        codes = {
            0: {range(200, 300): "7700"},
            1: {range(100, 180): "7600", range(300, 400): "7600"},
            2: {range(400, 500): "7600"},
        }
        said: list[Said] = []
        for plane in range(PLANES):
            topic = device_topic(TENANT, "aircraft", "icao24", f"3c64{plane:02x}")
            for number in range(PLANE_READINGS):
                time_us = self.begin_us + number * 6 * SECOND_US + plane * 1000
                squawk = next((code for span, code in codes.get(plane, {}).items() if number in span), "1000")
                body = {
                    "time": time_us // 1000,
                    "lat_deg": round(45 + number * 6 * 420 / 3600 / 60, 6),
                    "lon_deg": 8.0 + plane,
                    "gs_kn": 420.0,
                    "track_deg": 0.0,
                    "alt_baro_ft": 35_000,
                    "on_ground": False,
                    "squawk": squawk,
                }
                said.append(Said(self._place(time_us), topic, encode_json(body)))
        return said

    def _train(self) -> list[Said]:
        """A train that spoke last long before the others, while somebody listened."""
        topic = device_topic(TENANT, "trainset", "local", "t1")
        first_us = self.begin_us - 60 * MINUTE_US
        return [
            Said(number / 1000, topic, encode_json({"time": (first_us + number * MINUTE_US) // 1000, "speed_kmh": 80 + number}))
            for number in range(TRAIN_READINGS)
        ]

    def _recording(self) -> list[Said]:
        """Ships on a feed a reading every two minutes: silent twice, jumping, an exhaust that runs hot."""
        topic = feed_topic(TENANT, "coast")
        first_us = self.end_us - 30 * HOUR_US
        said: list[Said] = []
        for number in range(FEED_READINGS):
            elements = [self._element(ship, number, first_us) for ship in range(FEED_SHIPS)]
            said.append(Said(number / FEED_READINGS, topic, encode_json(elements[number in SILENT :])))
        return said

    def _element(self, ship: int, number: int, first_us: int) -> dict[str, Any]:
        away_deg = 3.0 if ship == 1 and 150 <= number < 165 else 0.0
        hot_c = 140.0 if ship == 2 and number >= 210 else 0.0
        return {
            "class": "vessel",
            "scheme": "mmsi",
            "value": f"5380020{ship:02d}",
            "time": first_us // 1000 + number * 120_000 + ship * 1000,
            **self._sailing(ship, number / 30, away_deg=away_deg, hot_c=hot_c),
        }

    def _stored(self) -> list[Said]:
        """What one ship's device kept while it was out of reach: the hour before its live readings, on backfill."""
        topic = device_topic(TENANT, "vessel", "mmsi", "538001000", "backfill")
        return [
            Said(
                0.1 + number / 500,
                topic,
                encode_json(
                    self._sailing(0, (number - STORED_READINGS) / 360)
                    | {"time": (self.begin_us - (STORED_READINGS - number) * 10 * SECOND_US) // 1000, "seq": 1000 + number}
                ),
            )
            for number in range(STORED_READINGS)
        ]


async def people(conn: Connection, world: World) -> None:
    """The tenant, its assets and its feed, and that somebody listened."""
    await registry.create_tenant(conn, TENANT, "Chaos")
    await registry.set_feed(conn, TENANT, "coast", "recording")
    for kind, count in (("5380010", SHIPS), ("5380020", FEED_SHIPS)):
        for ship in range(count):
            await registry.register_asset(
                conn, TENANT, "vessel", f"Ship {kind[-2:]}-{ship}", None, [("mmsi", f"{kind}{ship:02d}")]
            )
    for plane in range(PLANES):
        await registry.register_asset(conn, TENANT, "aircraft", f"Plane {plane}", None, [("icao24", f"3c64{plane:02x}")])
    await registry.register_asset(conn, TENANT, "trainset", "Train", None, [("local", "t1")])
    await listening.extend(conn, *LISTENER, *world.listened(), 5 * SECOND_US)


async def undisturbed(world: World, database_url: str) -> dict[str, list[dict[str, Any]]]:
    """The same messages through one pipeline that nothing happens to; what the database then holds."""
    pool = await open_pool(database_url, "keelwing_worker", 2)
    try:
        async with pool.connection() as conn:
            await people(conn, world)
        pipeline = Pipeline(PostgresStore(pool), PipelineConfig(), SystemClock())
        await pipeline.start()
        pipeline.contexts.listen(Listening((world.listened(),)))
        for first in range(0, len(world.messages), BATCH):
            now_us = time.time_ns() // 1000
            part = world.messages[first : first + BATCH]
            await pipeline.process([Message(topic, decode(topic, payload, now_us), now_us) for topic, payload in part])
        await pipeline.process([], time.time_ns() // 1000)
        while await rederive_due(pipeline, 0) or pipeline.derivations:
            pass
        await pipeline.process([], None, drain=True)
        return await final_form(pool)
    finally:
        await pool.close()


async def final_form(pool: Pool) -> dict[str, list[dict[str, Any]]]:
    """Everything that must not depend on what happened on the way."""
    async with pool.connection() as conn:
        return {name: await (await conn.execute(query)).fetchall() for name, query in QUERIES.items()}


_STORED = (
    "SELECT value, to_jsonb(r) - '{stream_id,received_at,commit_no,shard}'::text[] AS row FROM %s r JOIN stream USING (stream_id)"
)

QUERIES: dict[str, str] = {
    "vessels": f"{_STORED % 'reading_vessel'} ORDER BY value, time, source, seq",
    "aircraft": f"{_STORED % 'reading_aircraft'} ORDER BY value, time, source, seq",
    "trainsets": f"{_STORED % 'reading_trainset'} ORDER BY value, time, source, seq",
    "latest": f"{_STORED % 'stream_latest'} ORDER BY value",
    "hours": f"{_STORED % 'reading_hour'} ORDER BY value, hour",
    "days": f"{_STORED % 'reading_day'} ORDER BY value, day",
    "findings": "SELECT rule, severity, asset, subject, opened_at, closed_at, score, evidence, rule_version FROM finding"
    " WHERE superseded_by IS NULL AND NOT retracted ORDER BY rule, asset, subject, opened_at",
    "alerts": "SELECT rule, severity, status, asset, subject, opened_at, closed_at,"
    " evidence - '{finding_id,detected_at,retracted_finding_ids}'::text[] AS evidence FROM alert"
    " WHERE status <> 'retracted' ORDER BY rule, asset, subject, opened_at",
    # A receiver keeps the highest revision of each alert; one that was retracted leaves it with nothing to do.
    "outbox": "SELECT type, severity, asset, rule, subject, status FROM ("
    " SELECT DISTINCT ON (body #>> '{data,id}') type, severity, body #>> '{data,asset}' AS asset, body #>> '{data,rule}' AS rule,"
    " body #>> '{data,subject}' AS subject, body #>> '{data,status}' AS status FROM outbox"
    " ORDER BY body #>> '{data,id}', (body #>> '{data,revision}')::int DESC) AS told"
    " WHERE status <> 'retracted' ORDER BY rule, asset, subject, status",
    "told": "SELECT type, severity, body #>> '{data,asset}' AS asset, body #>> '{data,rule}' AS rule,"
    " body #>> '{data,subject}' AS subject, body #>> '{data,status}' AS status FROM outbox ORDER BY 4, 3, 5, 1, 2",
    # Of each alert whether it was told, and what was last decided about that; the end of what nobody heard of decides nothing.
    "notices": "SELECT rule, severity, asset, subject, opened_at, decided.verdicts[1] AS verdict,"
    " coalesce(told, false) AS told FROM alert LEFT JOIN LATERAL ("
    " SELECT array_agg(verdict ORDER BY notice_id DESC) FILTER (WHERE verdict <> 'never_told') AS verdicts,"
    " bool_or(verdict IN ('told', 'released')) AS told FROM notice WHERE notice.alert_id = alert.alert_id) AS decided ON true"
    " WHERE status <> 'retracted' ORDER BY rule, asset, subject, opened_at",
    "decided": "SELECT rule, severity, asset, kind, verdict, why FROM notice ORDER BY rule, asset, kind, verdict, why",
    "budget": "SELECT assets, rate, allowance, carried, told, held_back, tests, rejections FROM alert_budget ORDER BY week",
    # Events of alerts are those whose decision says so, each of one: what one of the two has alone.
    "amiss": "SELECT coalesce(outbox.event_id, notice.event_id) AS event_id, type, verdict FROM outbox"
    " FULL JOIN (SELECT * FROM notice WHERE event_id IS NOT NULL OR verdict IN ('told', 'released')) AS notice USING (event_id)"
    " WHERE outbox.event_id IS NULL OR coalesce(verdict, '') NOT IN ('told', 'released')",
}

EXACT = frozenset({"told", "decided"})  # every event and decision on the way, which are the same where the order is
