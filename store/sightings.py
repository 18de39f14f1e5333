"""Where assets were in every ten minutes, and how far each tenant's scene is judged: what compares assets reads nothing else.

What was noted, and a scene's state, are bytes that only `detect` and `ingest` can read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from fleet.instants import HOUR_US, to_datetime
from store.pool import Connection
from store.queries import load
from store.rows import SightingRow

SQL = load("sightings")
Scene = tuple[str, str]
"""(tenant, clock): `live`, or TENANT/FEED of a recording."""


class Cut(msgspec.Struct, frozen=True):
    """A scene's state after every bucket before `at_us`."""

    at_us: int
    state: bytes


# -- what a batch writes -----------------------------------------------------------------------------------------------


async def write(conn: Connection, rows: Sequence[SightingRow], commit_nos: Mapping[int, int]) -> None:
    """Keep what was noted, and mark each scene from the earliest of it that says something new; the last of a key counts."""
    if not rows:
        return
    last = {(row.tenant, row.clock, row.time_us, row.key): row for row in rows}
    binds = _keys([last[key] for key in sorted(last)])
    binds["asset_id"] = [row.asset_id or None for row in (last[key] for key in sorted(last))]
    binds["noted"] = [last[key].noted for key in sorted(last)]
    binds["commit_no"] = [commit_nos[last[key].shard] for key in sorted(last)]
    changed = await (await conn.execute(SQL["write"], binds)).fetchall()
    await _mark(conn, [((row["tenant"], row["clock"]), row["time"], row["commit_no"]) for row in changed])


async def replace(
    conn: Connection, asset_id: str, after_us: int, rows: Sequence[SightingRow], commit_nos: Mapping[int, int]
) -> None:
    """Let what was noted of an asset after an instant be these rows; only what differs is written and marks its scene."""
    cursor = await conn.execute(SQL["of_asset"], {"asset_id": asset_id, "after": to_datetime(after_us)})
    held = {(row["tenant"], row["clock"], row["time"], row["key"]): row["noted"] for row in await cursor.fetchall()}
    wanted = {(row.tenant, row.clock, row.time_us, row.key): row for row in rows if row.time_us > after_us}
    gone = sorted(held.keys() - wanted.keys())
    if gone:
        tenants, clocks, times, keys = zip(*gone, strict=True)
        times_at = [to_datetime(time_us) for time_us in times]
        await conn.execute(SQL["drop"], {"tenant": list(tenants), "clock": list(clocks), "time": times_at, "key": list(keys)})
        number = next(iter(commit_nos.values()))
        await _mark(conn, [((tenant, clock), time_us, number) for tenant, clock, time_us, _ in gone])
    await write(conn, [row for key, row in wanted.items() if held.get(key) != row.noted], commit_nos)


async def mark_tenant(conn: Connection, tenant: str, from_us: int | None) -> None:
    """Let a tenant's scenes be judged again from an instant on (None: as far back as they can be)."""
    await conn.execute(SQL["mark_tenant"], {"tenant": tenant, "from": None if from_us is None else to_datetime(from_us)})


async def _mark(conn: Connection, changed: Iterable[tuple[Scene, int, int]]) -> None:
    """One mark a scene, from the earliest instant that changed."""
    first: dict[Scene, tuple[int, int]] = {}
    for scene, time_us, number in changed:
        first[scene] = min((time_us, number), first.get(scene, (time_us, number)))
    if first:
        binds = {
            "tenant": [tenant for tenant, _ in first],
            "clock": [clock for _, clock in first],
            "from": [to_datetime(time_us) for time_us, _ in first.values()],
            "commit_no": [number for _, number in first.values()],
        }
        await conn.execute(SQL["mark"], binds)


def _keys(rows: Sequence[SightingRow]) -> dict[str, list[Any]]:
    return {
        "tenant": [row.tenant for row in rows],
        "clock": [row.clock for row in rows],
        "time": [to_datetime(row.time_us) for row in rows],
        "key": [row.key for row in rows],
    }


# -- what the pass over a scene asks and writes ------------------------------------------------------------------------


async def scenes(conn: Connection) -> dict[Scene, bool]:
    """The scenes that were judged before or have something to judge, and whether they are marked."""
    rows = await (await conn.execute(SQL["scenes"])).fetchall()
    return {(row["tenant"], row["clock"]): row["marked"] for row in rows}


async def hold(conn: Connection, scene: Scene) -> bool:
    """Let nobody else judge this scene until this transaction ends; False when somebody is at it."""
    row = await (await conn.execute(SQL["hold"], _scene(scene))).fetchone()
    return row is not None and bool(row["held"])


async def take_marks(conn: Connection, scene: Scene) -> int | None:
    """From when on a scene is to be judged again, or None; whatever marks it from now on stays. Before `between`."""
    row = await (await conn.execute(SQL["take_marks"], _scene(scene))).fetchone()
    return None if row is None or row["from_time"] is None else int(row["from_time"])


async def between(conn: Connection, scene: Scene, from_us: int, to_us: int) -> list[tuple[int, bytes]]:
    """(time, what was noted) in [from, to), in order."""
    binds = {**_scene(scene), "from": to_datetime(from_us), "to": to_datetime(to_us)}
    return [(row["time"], bytes(row["noted"])) for row in await (await conn.execute(SQL["between"], binds)).fetchall()]


async def next_time(conn: Connection, scene: Scene, from_us: int) -> int | None:
    """The first instant at or after another at which anything was noted."""
    row = await (await conn.execute(SQL["next"], {**_scene(scene), "from": to_datetime(from_us)})).fetchone()
    return None if row is None or row["time"] is None else int(row["time"])


async def newest_cut(conn: Connection, scene: Scene) -> Cut | None:
    """How far a scene is; None when it was never judged."""
    return await _cut(conn, "newest_cut", _scene(scene))


async def cut_before(conn: Connection, scene: Scene, at_us: int) -> Cut | None:
    """The newest state that took in nothing at or after an instant."""
    return await _cut(conn, "cut_before", {**_scene(scene), "at": to_datetime(at_us)})


async def oldest_cut(conn: Connection, scene: Scene) -> Cut | None:
    """The oldest state that is kept."""
    return await _cut(conn, "oldest_cut", _scene(scene))


async def drop_cuts(conn: Connection, scene: Scene, after_us: int) -> None:
    """Forget the states after an instant."""
    await conn.execute(SQL["drop_cuts"], {**_scene(scene), "at": to_datetime(after_us)})


async def write_cut(conn: Connection, scene: Scene, cut: Cut, horizon_us: int) -> None:
    """Keep a state; of those before it one an hour stays over the horizon, of what was noted the same and a day."""
    oldest = to_datetime(cut.at_us - horizon_us - HOUR_US)
    await conn.execute(SQL["write_cut"], {**_scene(scene), "at": to_datetime(cut.at_us), "state": cut.state})
    await conn.execute(SQL["thin"], {**_scene(scene), "at": to_datetime(cut.at_us), "oldest": oldest})
    if cut.at_us % HOUR_US == 0:
        await conn.execute(SQL["forget"], {**_scene(scene), "oldest": oldest})


async def note_traffic(conn: Connection, rows: Sequence[SightingRow]) -> None:
    """Keep where traffic was seen; what is known of an instant stays, and no scene is marked."""
    if rows:
        await conn.execute(
            SQL["write"],
            {
                **_keys(rows),
                "asset_id": [None] * len(rows),
                "noted": [row.noted for row in rows],
                "commit_no": [None] * len(rows),
            },
        )


def _scene(scene: Scene) -> dict[str, Any]:
    return {"tenant": scene[0], "clock": scene[1]}


async def _cut(conn: Connection, name: str, binds: Mapping[str, Any]) -> Cut | None:
    row = await (await conn.execute(SQL[name], binds)).fetchone()
    return None if row is None else Cut(row["at"], bytes(row["state"]))
