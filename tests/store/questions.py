"""Every read query there is, asked with every filter given and left out, so that two databases can be compared by their answers.

The named queries are found in `store/sql` by themselves; a new one that asks for something no known value fits fails here until
it is said what to ask for. Those put together in code are asked through their functions.
"""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

import msgspec
import pytest

from fleet.instants import HOUR_US, from_datetime
from store import readings, reads, spreads
from store.pool import Connection, open_pool, scope
from store.queries import load
from tests.api.fix_world import NOON_US, World

NOUNS = sorted(entry.name.removesuffix(".sql") for entry in (files("store") / "sql").iterdir())
CHANGES = re.compile(
    r"\b(INSERT|UPDATE|DELETE|CREATE)\b|pg_notify|pg_advisory|prune_|attribute_known|rotate_webhook_secret|next_commit"
)
OPTIONAL = re.compile(r"(?:%\((\w+)\)s::[\w\[\]]+ IS NULL|coalesce\(%\((\w+)\)s)")
BIND = re.compile(r"%\((\w+)\)s")
LAST_ORDER = re.compile(r"ORDER BY (?!.*\b(?:FROM|JOIN)\b)", re.DOTALL)
OF_THE_SERVER = re.compile(r"diagnosis\.|dispatch\.due_in|figures\.(?:outbox|backlog|read)\b")
"""What tells of a server, its disk or an age until now: asked of each, not compared."""
OF_THE_API = {"desk.count_replayable", "desk.idempotency_answer"}  # and all of `reads`
TEMPLATES = {
    "reads.as_of", "reads.as_of_part", "reads.fix_counts", "reads.fixes_from", "reads.heard", "reads.hour_buckets",
    "reads.telemetry", "reads.telemetry_buckets", "reads.track", "spreads.close",
}  # fmt: skip
NOON = datetime.fromtimestamp(NOON_US / 1e6, UTC)
FAR = datetime(2200, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)

Answers = dict[str, Any]


@dataclass(frozen=True)
class Known:
    """What a world holds to ask for: ids by the names of the placeholders."""

    world: World
    webhook: str
    streams: tuple[int, ...]
    commit_nos: tuple[int, ...]
    key_hash: bytes


def read_queries() -> dict[str, str]:
    """`noun.name` to text of every named query that changes nothing and needs no code to be whole."""
    return {
        f"{noun}.{name}": text
        for noun in NOUNS
        for name, text in load(noun).items()
        if not CHANGES.search(_code(text).replace("FOR UPDATE", "")) and "{" not in text
    }


def templates() -> set[str]:
    """Names of the queries that code puts together."""
    return {f"{noun}.{name}" for noun in NOUNS for name, text in load(noun).items() if "{" in text}


def _of_the_api(name: str) -> bool:
    return name.startswith("reads.") or name in OF_THE_API


def _code(text: str) -> str:
    return re.sub(r"(?m)^--.*$", "", text)


def values(known: Known) -> dict[str, Any]:
    """A value for each placeholder, by its name."""
    world = known.world
    return {
        "about": [world.ship], "after": None, "among": [world.ship, world.plane],
        "after_asset": "", "after_feed": "", "after_id": "", "after_rule": "",
        "after_subject": "", "after_tenant": "alpha", "after_time": NOON - 2 * DAY, "alert": world.alert,
        "alert_id": world.alert, "asset": world.ship, "asset_id": world.ship, "asset_ids": [world.ship, world.plane],
        "attempt": None,
        "assets": [world.ship, world.plane, world.beta_ship], "at": NOON + timedelta(minutes=7), "class": "vessel",
        "commit_nos": list(known.commit_nos), "day": NOON.date(), "days": 12,
        "descending": True, "disabled_type": "keelwing.x", "east": 10.0,
        "from_day": NOON.date() - 90 * DAY, "to_day": NOON.date(), "lately": NOON.date(),
        "leases": [world.lease], "ids": ["NLRTM"], "kinds": ["alert"], "changes": ["became_known"],
        "after_kind": "", "after_key": "", "after_revision": 0, "sets": ["JWC"], "rules": ["insurance_expiring"],
        "event": "evt_0000alpha", "event_id": "evt_0000alpha", "finding": world.finding, "finding_id": [world.finding],
        "finding_ids": [world.finding], "from": NOON - timedelta(hours=1), "grace_began_at": NOON, "key": "k",
        "key_hash": known.key_hash, "known": FAR, "lessee": world.lessee, "limit": 1000, "north": 60.0,
        "names": ["keelwing_worker"], "origin": "feed:coast", "role": "keelwing_worker",
        "q": "%heron%", "quiet_us": 0, "reason": "not_json", "rejections": [1, 2, 3],
        "retracted": True, "rule": "position_jump", "scheme": "imo", "severities": ["warning", "critical"],
        "shards": list(range(64)), "since": NOON - 2 * DAY, "source": ["device"], "south": 50.0, "statuses": ["open"],
        "stream_ids": list(known.streams), "subject": None, "tenant": "alpha", "to": NOON + timedelta(hours=1),
        "type": "bulk carrier",
        "until": FAR, "value": "9074729", "wanted": 1000,
        "wait_max_us": 0, "webhook": known.webhook, "webhook_id": known.webhook, "west": 0.0,
    }  # fmt: skip


def special(known: Known) -> Mapping[str, Mapping[str, Any]]:
    """Where a placeholder means something else than its name says elsewhere."""
    several = {"scheme": ["imo", "mmsi"], "value": ["9074729", "244660000"]}
    return {
        "alerts.open_for": {"tenant": ["alpha"], "rule": ["position_jump"], "subject": [None]},
        "desk.replayable": {"after": 0},
        "findings.current": {"tenant": "alpha"},
        "reads.alert_comments": {"after": 0},
        "reads.alert_revisions": {"after": 0},
        "reads.alerts": {"after_time": FAR, "after_id": known.world.alert},
        "reads.assets": {"after": "00000000-0000-0000-0000-000000000000"},
        "reads.findings": {"after_time": FAR, "after_subject": "", "after_id": ""},
        "reads.live_events": {"after": 0},
        "reads.rejections": {"after": 1000},
        "reads.webhook_attempts": {"after": 1000},
        "reads.webhooks": {"after": "00000000-0000-0000-0000-000000000000"},
        "reads.feeds": {"after_tenant": "_"},
        "registry.bearers": several,
        "registry.find_streams": {
            **several, "tenant": ["alpha"] * 2, "origin": ["device", "feed:coast"], "class": ["vessel"] * 2,
        },
    }  # fmt: skip


def variants(name: str, text: str, known: Known) -> list[dict[str, Any]]:
    """The ways to ask: with every filter, with none, with each alone."""
    given = {**values(known), **special(known).get(name, {})}
    wanted = set(BIND.findall(text))
    unknown = wanted - set(given)
    assert not unknown, f"{name} asks for {sorted(unknown)}: say in {__name__} what that may be"
    binds = {bind: given[bind] for bind in wanted}
    filters = sorted({one or other for one, other in OPTIONAL.findall(text)})
    none = dict.fromkeys(filters)
    ways = [binds, binds | none, *[binds | none | {one: binds[one]} for one in filters]]
    # A filter of several parts (a box, a page's last row) is whole or absent.
    return [way for way in ways if _whole(way, "west", "south", "east", "north") and _whole(way, "scheme", "value")] or ways[:1]


def _whole(way: Mapping[str, Any], *parts: str) -> bool:
    return True if len({way[part] is None for part in parts if part in way}) <= 1 else way.get(parts[0]) is None


async def answers(url: str, known: Known) -> Answers:
    """Every question's answer, rows as text; in their order where the query gives one."""
    found: Answers = {}
    async with _acting(url, "keelwing_worker") as conn:
        for name, text in read_queries().items():
            if not _of_the_api(name):
                await _ask(conn, found, f"worker: {name}", name, text, known)
        await _ask_readings(conn, found, known)
    for party in (None, known.world.lessee):
        async with _acting(url, "keelwing_api") as conn:
            await scope(conn, "alpha", party)
            who = "lessor" if party is None else "lessee"
            for name, text in read_queries().items():
                if _of_the_api(name):
                    await _ask(conn, found, f"{who}: {name}", name, text, known)
            await _ask_reads(conn, found, who, known)
    return found


async def _ask(conn: Connection, found: Answers, label: str, name: str, text: str, known: Known) -> None:
    for number, binds in enumerate(variants(name, text, known)):
        rows = await (await conn.execute(text, binds)).fetchall()
        told = [repr(sorted(row.items())) for row in rows]
        found[f"{label} {number}"] = told if LAST_ORDER.search(_code(text)) else sorted(told)


async def _ask_reads(conn: Connection, found: Answers, who: str, known: Known) -> None:
    world, at_us = known.world, from_datetime(FAR)
    every = reads.Period(NOON_US - 30 * 24 * HOUR_US, NOON_US + 24 * HOUR_US)
    narrow = reads.Period(NOON_US - HOUR_US, NOON_US + HOUR_US, at_us)
    fields = {"vessel": ("sog_kn", "draught_m", "nav_status"), "aircraft": ("gs_kn", "on_ground", "squawk")}
    for asset_class, asset in (("vessel", world.ship), ("aircraft", world.plane)):
        for known_us in (None, at_us):
            label = f"{who}: {asset_class} {known_us is None}"
            for hours in (-5, -1, 0, 24):
                rows = await reads.as_of(conn, asset_class, [asset], NOON_US + hours * HOUR_US, known_us)
                found[f"{label} as_of {hours}"] = sorted(map(repr, rows))
        found[f"{who}: heard {asset_class}"] = repr(await reads.heard(conn, asset, asset_class))
        for period in (every, narrow):
            label = f"{who}: {asset_class} {period}"
            for points in (2, 7, 1000):
                found[f"{label} track {points}"] = repr(await reads.track(conn, asset, asset_class, period, points))
                with pytest.MonkeyPatch.context() as many:  # as if there were too many to read all of them
                    many.setattr(reads, "FIXES_READ_MAX", 0)
                    many.setattr(reads, "READS_A_PROBE", 0)
                    found[f"{label} thinned {points}"] = repr(await reads.track(conn, asset, asset_class, period, points))
            page = await reads.telemetry(conn, asset, asset_class, period, fields[asset_class], None, 20)
            found[f"{label} telemetry"] = repr(page)
            if page:
                last = page[-1]
                after = (last["time"], last["source"], last["seq"], last["stream_id"])
                found[f"{label} telemetry after"] = repr(
                    await reads.telemetry(conn, asset, asset_class, period, fields[asset_class], after, 500)
                )
            for bucket_s in (600, 3600, 86400):
                rows = await reads.telemetry_buckets(
                    conn, asset, asset_class, period, fields[asset_class], ["me_exhaust_temp_c"], bucket_s, None, 500
                )
                found[f"{label} buckets {bucket_s}"] = repr(rows)


async def _ask_readings(conn: Connection, found: Answers, known: Known) -> None:
    world, reach_us = known.world, 40 * 24 * HOUR_US
    keys = set()
    for asset_class, asset in (("vessel", world.ship), ("vessel", world.beta_ship), ("aircraft", world.plane)):
        stored = await readings.of_asset(conn, asset, asset_class, NOON_US - reach_us, NOON_US + reach_us)
        found[f"worker: of_asset {asset}"] = repr(stored)
        page = await readings.of_asset(conn, asset, asset_class, NOON_US - reach_us, NOON_US + reach_us, after=stored[0].key)
        assert page == stored[1:]
        keys |= {
            (asset_class, one.stream_id, one.reading.time_us, one.reading.source, one.reading.seq) for one in stored
        }  # fmt: skip
    absent = {(one[0], one[1], one[2] + 1, one[3], one[4]) for one in keys}
    assert await readings.duplicates(conn, keys | absent) == keys
    for hours in (-5, 0, 1):
        fixes = await readings.fixes_at(conn, "alpha", NOON_US + hours * HOUR_US, 2 * HOUR_US)
        found[f"worker: fixes_at {hours}"] = sorted(map(repr, fixes))
    found["worker: readings"] = str(len(keys))
    await spreads.close_hours(conn, open_s=0.0, quiet_s=0.0)
    closed = await (await conn.execute("SELECT * FROM reading_hour_spread ORDER BY stream_id, hour")).fetchall()
    found["worker: closed hours"] = repr(closed)
    assert msgspec.json.encode(found)  # all of it text


@asynccontextmanager
async def _acting(url: str, role: Any) -> AsyncIterator[Connection]:
    """A transaction of a role on a pool of one, for some servers take one connection; rolled back."""
    pool = await open_pool(url, role, 1)
    try:
        async with pool.connection() as conn:
            yield conn
            await conn.rollback()
    finally:
        await pool.close()
