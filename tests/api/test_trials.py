"""A clause is tried over stored readings before it is switched on: what it would have raised, and nothing is written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest_asyncio

from api.app import create_app
from api.settings import ApiSettings
from keelwing.trials import run_trial
from store.pool import open_pool
from tests.api.fix_world import World

DAY = datetime(2026, 11, 20, tzinfo=UTC)
ZONE = {
    "type": "Feature",
    "properties": {"id": "zone", "name": "Zone", "kind": "watch", "area_set": "LIMITS", "issuer": "us", "version": "7"},
    "geometry": {"type": "Polygon", "coordinates": [[[3.85, 51.0], [4.0, 51.0], [4.0, 53.0], [3.85, 53.0], [3.85, 51.0]]]},
}
PERIOD = {"from": DAY.isoformat(), "to": (DAY + timedelta(days=1)).isoformat()}


@pytest_asyncio.fixture
async def served(world: World) -> AsyncIterator[httpx.ASGITransport]:
    """The API with the judging that `keelwing serve` gives it."""
    api = create_app(ApiSettings(database_url=world.url, pool_max=4), run_trial)
    async with api.router.lifespan_context(api):
        yield httpx.ASGITransport(app=api)


def client(served: httpx.ASGITransport, world: World, role: str) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {world.keys[role]}"}
    return httpx.AsyncClient(transport=served, base_url="http://keelwing.test", headers=headers)


async def test_a_covenant_that_is_not_switched_on_is_tried_over_what_is_stored(
    served: httpx.ASGITransport, world: World
) -> None:  # fmt: skip
    async with client(served, world, "admin") as lessor, client(served, world, "lessee") as lessee:
        made = await lessor.post("/v1/areas", json={"type": "FeatureCollection", "features": [ZONE]})
        assert made.status_code in {200, 201}, made.text
        path = f"/v1/leases/{world.lease}/covenants"
        demand = {"kind": "trading_limits", "area_set": "LIMITS"}
        covenant = {"id": "limits", "clause": "5(b)", "predicate": demand, "severity": "critical", "is_active": False}
        made = await lessor.post(path, json=covenant)
        assert (made.status_code, made.json()["is_active"]) == (201, False)

        tried = await lessor.post(f"{path}/limits/trial", json=PERIOD)
        assert tried.status_code == 200, tried.text
        told = tried.json()
        assert (told["clause_id"], told["predicate"], told["readings"] > 0) == ("limits", "trading_limits", True)
        # She is under lease from 10:00 to 14:00 and in the zone from 11:30 to 13:00.
        before, after = told["breaches"]
        assert (before["subject"], before["severity"], before["evidence"]["clause"]) == ("limits", "critical", "5(b)")
        assert "2026-11-20T10:00:00Z" <= before["opened_at"] < "2026-11-20T10:30:00Z"
        assert "2026-11-20T11:30:00Z" <= before["closed_at"] < "2026-11-20T12:00:00Z"
        assert (after["closed_at"], after["evidence"]["ended"]) == ("2026-11-20T14:00:00Z", "clause_over")

        assert (await lessee.post(f"{path}/limits/trial", json=PERIOD)).status_code == 403
        assert (await lessor.post(f"{path}/other/trial", json=PERIOD)).status_code == 404
        late = {**PERIOD, "to": (DAY + timedelta(days=32)).isoformat()}
        assert (await lessor.post(f"{path}/limits/trial", json=late)).json()["errors"][0]["pointer"] == "#/to"
    pool = await open_pool(world.url, "keelwing_worker", 1)
    async with pool.connection() as conn:
        rows = await (await conn.execute("SELECT count(*) AS n FROM finding WHERE rule = 'covenant_breach'")).fetchall()
    await pool.close()
    assert rows[0]["n"] == 0
