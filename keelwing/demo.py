"""The demo's tenants, assets, grants and keys: what a lessor would have registered before the first reading came.

Everything is idempotent: a stack started again finds it as it left it, keys included.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from fleet.instants import from_datetime, to_datetime, to_rfc3339
from keelwing.area_files import demo_entries
from keelwing.portfolio import loading as portfolio
from simulators.scenario import Scenario, load_scenario
from simulators.world import World
from store import areas, keys, registry, timescale
from store.pool import open_pool

SCENARIO = "demo"
SEED = 7
TENANT_NAMES = {"demo": "Demo Lease Partners", "harbour": "Harbour Capital"}


def start_of(data_dir: Path) -> datetime:
    """The instant that anchors the demo's trajectories: the first start's, kept in a file."""
    path = data_dir / "demo-start"
    if path.exists():
        return datetime.fromisoformat(path.read_text().strip())
    start = datetime.now(UTC).replace(microsecond=0)
    path.write_text(to_rfc3339(from_datetime(start)) + "\n")
    return start


def progress_of(path: Path) -> datetime | None:
    """Up to when a simulator's readings had reached the broker when it last said so; None when it never did."""
    try:
        return to_datetime(int(path.read_text()))
    except (OSError, ValueError):
        return None


def keep_progress(path: Path, moment: datetime) -> None:
    """Remember how far a simulator came, whole or not at all."""
    part = path.with_suffix(".part")
    part.write_text(str(from_datetime(moment)))
    part.replace(path)


def demo_world(data_dir: Path) -> tuple[Scenario, World]:
    """The demo's scenario and its world, anchored at the first start."""
    scenario = load_scenario(SCENARIO)
    return scenario, World(scenario, seed=SEED, start=start_of(data_dir))


async def prepare(database_url: str, data_dir: Path, say: Callable[[str], None]) -> list[str]:
    """Register the demo's tenants and assets, write their past and make keys; the keys as lines, the admin of `demo` first.

    Keys are kept in `DATA_DIR/demo-keys`, mode 0600, one per line. The past is written into an untouched database alone. `say`
    is told of work that takes seconds.
    """
    _, world = demo_world(data_dir)
    assets = world.assets()
    tenants = sorted({asset.tenant for asset in assets}, key=lambda tenant: (tenant != "demo", tenant))
    pool = await open_pool(database_url, "keelwing_worker", 2)
    ids: dict[str, str] = {}
    try:
        async with pool.connection() as conn:
            for tenant in tenants:
                await registry.create_tenant(conn, tenant, TENANT_NAMES.get(tenant, tenant))
            await areas.import_areas(conn, "_", demo_entries(), source="demo")
            for asset in assets:
                ids[asset.plan] = await registry.register_asset(
                    conn,
                    asset.tenant,
                    asset.asset_class,
                    asset.name,
                    asset.type,
                    sorted(asset.identifiers.items()),
                    asset.particulars,
                    source="demo",
                )
        with timescale.long_chunks(database_url):
            await portfolio.load(pool, world, ids, SEED, say)
        path = data_dir / "demo-keys"
        if not path.exists():
            async with pool.connection() as conn:
                made = [await keys.create(conn, tenant, "admin") for tenant in tenants]
            _write_private(path, "".join(f"{key}\n" for key in made))
    finally:
        await pool.close()
    return path.read_text().split()


def _write_private(path: Path, text: str) -> None:
    """Write a file that only we can read, whole or not at all."""
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
    part.replace(path)
