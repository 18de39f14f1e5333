"""A small world in a real database, its API in this process, and keys of every role.

Lessor `alpha` has a ship (under lease from 10:00 to 14:00 of one day, heard from 08:00 to 16:00 by its device and a feed) and
an aircraft; lessor `beta` has an asset of the same ship, heard by its own device. The world is built once and copied per test.
"""

import asyncio
import math
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import httpx
import msgspec
import pytest
import pytest_asyncio
from fastapi import FastAPI

from alerts import lifecycle
from api.app import create_app
from api.settings import ApiSettings
from fleet.aircraft import AircraftReading
from fleet.instants import HOUR_US, MINUTE_US, from_datetime
from fleet.shards import shard_of
from fleet.vessel import VesselReading
from store import alerts, batches, commits, keys, live, outbox, registry
from store.pool import Connection, open_pool
from store.rows import (
    AlertChangeRow,
    AlertRow,
    CountRow,
    EventRow,
    FindingRow,
    LiveRow,
    ReadingRow,
    RejectionRow,
    StatusRow,
    StepBatch,
)
from tests.fix_postgres import PostgresServer

NOON_US = from_datetime(datetime(2026, 11, 20, 12, tzinfo=UTC))
LEASE = (NOON_US - 2 * HOUR_US, NOON_US + 2 * HOUR_US)


@dataclass
class World:
    """Ids and keys of what the world holds."""

    url: str = ""
    ship: str = ""
    plane: str = ""
    beta_ship: str = ""
    lessee: str = ""
    lease: str = ""
    finding: str = "fnd_0001"
    alert: str = ""
    keys: dict[str, str] = field(default_factory=dict)


def ship_reading(time_us: int, *, speed_kn: float = 12.0, value: str = "9074729", scheme: str = "imo") -> VesselReading:
    """A fix that moves a tenth of a degree east an hour, round and round the world, with draught and one sensor."""
    return VesselReading(
        scheme=scheme,
        value=value,
        time_us=time_us,
        seq=time_us // MINUTE_US,
        lat_deg=51.95,
        lon_deg=math.remainder(3.9 + (time_us - NOON_US) / HOUR_US / 10, 360.0),
        sog_kn=speed_kn,
        cog_deg=90.0,
        nav_status=0,
        draught_m=9.0,
        channels={"me_exhaust_temp_c": 340.0},
    )


async def _register(conn: Connection, world: World) -> None:
    for tenant in ("alpha", "beta"):
        await registry.create_tenant(conn, tenant, tenant.title())
    hull = {"length_m": 225, "beam_m": 32.26, "summer_draught_m": 14.45, "block_coefficient": 0.865}
    names = [("imo", "9074729"), ("mmsi", "244660000")]
    world.ship = await registry.register_asset(conn, "alpha", "vessel", "Blue Heron", "bulk carrier", names, hull)
    world.plane = await registry.register_asset(conn, "alpha", "aircraft", "PH-XYZ", None, [("icao24", "4840d6")], {})
    world.beta_ship = await registry.register_asset(conn, "beta", "vessel", "Blue Heron", None, [("imo", "9074729")], {})
    world.lessee = await registry.create_party(conn, "alpha", "Northern Bulk")
    world.lease = await registry.create_lease(conn, "alpha", world.ship, world.lessee, "time", *LEASE)
    await registry.set_feed(conn, "alpha", "coast", "recording")
    for role in ("admin", "manager", "viewer"):
        world.keys[role] = await keys.create(conn, "alpha", role)
    world.keys["lessee"] = await keys.create(conn, "alpha", "lessee", world.lessee)
    world.keys["beta"] = await keys.create(conn, "beta", "admin")


async def commit(conn: Connection, world: World, batch: StepBatch, shards: set[int]) -> None:
    """Write one batch under new commit numbers."""
    ownership = await commits.claim(conn, range(64), "test")
    await batches.write(conn, batch, await commits.begin(conn, ownership, shards))


async def reading_rows(conn: Connection, world: World) -> list[ReadingRow]:
    """Readings of both ships every ten minutes from 08:00 to 16:00, the feed's five minutes later, and two of the aircraft."""
    wanted = [
        ("alpha", "device", "vessel", "imo", "9074729"),
        ("alpha", "feed:coast", "vessel", "mmsi", "244660000"),
        ("beta", "device", "vessel", "imo", "9074729"),
        ("alpha", "device", "aircraft", "icao24", "4840d6"),
    ]
    streams = await registry.resolve_streams(conn, wanted)
    rows = []
    for minute in range(-240, 241, 10):
        time_us = NOON_US + minute * MINUTE_US
        for key, asset, late_us in (
            (wanted[0], world.ship, 0),
            (wanted[1], world.ship, 5 * MINUTE_US),
            (wanted[2], world.beta_ship, 0),
        ):
            said = ship_reading(time_us + late_us, scheme=key[3], value=key[4])
            rows.append(ReadingRow(stream_id=streams[key], shard=shard_of(asset), received_us=time_us + late_us, reading=said))
    for minute, ground in ((0, False), (30, True)):
        said_by_plane = AircraftReading(
            scheme="icao24", value="4840d6", time_us=NOON_US + minute * MINUTE_US, seq=minute, lat_deg=52.3, lon_deg=4.76,
            on_ground=ground, gs_kn=140.0, alt_baro_ft=3000.0, squawk="1000",
        )  # fmt: skip
        rows.append(
            ReadingRow(
                stream_id=streams[wanted[3]], shard=shard_of(world.plane), received_us=NOON_US, reading=said_by_plane
            )
        )  # fmt: skip
    return rows


def finding_row(world: World, **changed: object) -> FindingRow:
    """A position jump of alpha's ship at noon."""
    row: dict[str, object] = {
        "finding_id": world.finding, "tenant": "alpha", "asset_id": world.ship, "shard": shard_of(world.ship),
        "asset": "imo:9074729",
        "rule": "position_jump", "rule_version": 1, "severity": "warning", "subject": None, "opened_us": NOON_US,
        "closed_us": NOON_US, "detected_us": NOON_US, "score": None, "evidence": {"implied_speed_kn": 212.4, "limit_kn": 60.0},
    }  # fmt: skip
    return FindingRow(**{**row, **changed})  # type: ignore[arg-type]


async def open_alert(conn: Connection, finding: FindingRow) -> str:
    """The alert that a finding opens, with its events, as the worker writes it."""
    change = lifecycle.apply(None, finding, finding.detected_us)
    assert change is not None
    ownership = await commits.claim(conn, range(64), "test")
    numbers = await commits.begin(conn, ownership, {finding.shard})
    row = msgspec.convert(change.alert, AlertRow, from_attributes=True)
    await alerts.write(conn, [AlertChangeRow(alert=row, shard=finding.shard, change=change.kind, actor="keelwing")], numbers)
    event = lifecycle.event_of(change)
    told = EventRow(
        event_id=event["id"], tenant=row.tenant, type=event["type"], subject=event["subject"], severity=row.severity,
        time_us=row.updated_us, body=event, commit_no=numbers[finding.shard],
    )  # fmt: skip
    await outbox.insert(conn, [told])
    body = lifecycle.body_of(change.alert)
    await live.insert(conn, [LiveRow(tenant=row.tenant, kind="alert", asset_id=row.asset_id, body=body)])
    return row.alert_id


async def populate(url: str) -> World:
    """Build the world in a migrated database."""
    world = World()
    pool = await open_pool(url, "keelwing_worker", 2)
    try:
        async with pool.connection() as conn:
            await _register(conn, world)
        async with pool.connection() as conn:
            rows = await reading_rows(conn, world)
            hour_us = NOON_US // HOUR_US * HOUR_US
            batch = StepBatch(
                readings=rows,
                findings=[finding_row(world)],
                statuses=[StatusRow(tenant="alpha", origin="feed:coast", shard=0, online=True, received_us=NOON_US)],
                rejections=[
                    RejectionRow(
                        tenant="alpha", shard=0, topic="keelwing/v1/alpha/feed/coast/telemetry", element=n, reason=reason,
                        detail="no", payload=payload, received_us=NOON_US + n,
                    )
                    for n, (reason, payload) in enumerate((("time_missing", b"{}"), ("not_json", b"\xff\x00")))
                ],
                counts=[CountRow(tenant="alpha", origin="feed:coast", hour_us=hour_us, received=51, stored=49, rejected=2)],
            )  # fmt: skip
            await commit(conn, world, batch, {0, *(row.shard for row in rows)})
        async with pool.connection() as conn:
            world.alert = await open_alert(conn, finding_row(world))
    finally:
        await pool.close()
    return world


@pytest.fixture(scope="session")
def populated(postgres_server: PostgresServer, template_database: str) -> Iterator[tuple[str, World]]:
    """Name of a database with the world in it, to copy; nothing stays connected."""
    name = f"keelwing_api_{uuid.uuid4().hex[:12]}"
    try:
        world = asyncio.run(populate(postgres_server.create_database(name, template=template_database)))
        postgres_server.seal(name)
        yield name, world
    finally:
        postgres_server.drop_database(name)


@pytest.fixture
def world(postgres_server: PostgresServer, populated: tuple[str, World]) -> Iterator[World]:
    """This test's own copy of the world."""
    template, original = populated
    name = f"keelwing_api_{uuid.uuid4().hex[:12]}"
    try:
        yield replace(original, url=postgres_server.create_database(name, template=template))
    finally:
        postgres_server.drop_database(name)


@pytest.fixture
async def app(world: World) -> AsyncIterator[FastAPI]:
    """The API on that world, started."""
    api = create_app(ApiSettings(database_url=world.url, version="0.1.0", pool_max=4))
    async with api.router.lifespan_context(api):
        yield api


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def look(populated: tuple[str, World], postgres_server: PostgresServer) -> AsyncIterator["Asking"]:
    """As `ask`, on one world for all: for tests in the session's loop that change nothing."""
    template, original = populated
    name = f"keelwing_api_{uuid.uuid4().hex[:12]}"
    shared = replace(original, url=postgres_server.create_database(name, template=template))
    api = create_app(ApiSettings(database_url=shared.url, version="0.1.0", pool_max=4))
    asking = Asking(api, shared)
    try:
        async with api.router.lifespan_context(api):
            yield asking
            await asking.close()
    finally:
        postgres_server.drop_database(name)


@pytest.fixture
async def ask(app: FastAPI, world: World) -> AsyncIterator["Asking"]:
    """Ask as a role: `await ask("admin").get("/v1/assets")`."""
    asking = Asking(app, world)
    yield asking
    await asking.close()


class Asking:
    """Clients by role, made when first asked for."""

    def __init__(self, app: FastAPI, world: World) -> None:
        self.app, self.world = app, world
        self.clients: dict[str, httpx.AsyncClient] = {}

    def __call__(self, role: str | None) -> httpx.AsyncClient:
        name = role or ""
        if name not in self.clients:
            headers = {"Authorization": f"Bearer {self.world.keys[role]}"} if role else {}
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=True)
            self.clients[name] = httpx.AsyncClient(transport=transport, base_url="http://api", headers=headers)
        return self.clients[name]

    async def close(self) -> None:
        for client in self.clients.values():
            await client.aclose()
