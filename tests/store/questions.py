"""Every read query there is, asked with every filter given and left out, so that two databases can be compared by their answers.

The named queries are found in `store/sql` by themselves; a new one that asks for something no known value fits fails here until
it is said what to ask for. Those put together in code are asked through their functions.
"""

import re
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any
from uuid import UUID

import msgspec
import pytest

from fleet.flight import ATTRIBUTIONS
from fleet.instants import HOUR_US, from_datetime
from store import lifecycle, months, presence, readings, reads, spreads, train_uses
from store.pool import Connection, open_pool, scope
from store.queries import load
from tests.api.fix_world import NOON_US, World
from tests.store.lives import ACCOUNT, ASSET_EVENT, ENGINE, INCIDENT, INSURANCE, OFF_HIRE, PLANE_LEASE, REPORT, TRAINSET, WORK

NOUNS = sorted(entry.name.removesuffix(".sql") for entry in (files("store") / "sql").iterdir())
CHANGES = re.compile(
    r"\b(INSERT|UPDATE|DELETE|CREATE|SET CONSTRAINTS)\b|pg_notify|pg_advisory|prune_|\breattribute\(|attribute_known"
    r"|rotate_webhook_secret|next_commit|derive_again\("
)
BRACES = re.compile(r"\{\w+\}")
OPTIONAL = re.compile(r"(?:%\((\w+)\)s::[\w\[\]]+ IS NULL|coalesce\(%\((\w+)\)s)")
BIND = re.compile(r"%\((\w+)\)s")
LAST_ORDER = re.compile(r"ORDER BY (?!.*\b(?:FROM|JOIN)\b)", re.DOTALL)
OF_THE_SERVER = re.compile(r"diagnosis\.|dispatch\.due_in|figures\.(?:outbox|backlog|read)\b|(?:leases|imports)\.now\b")
"""What tells of a server, its disk or an age until now: asked of each, not compared."""
IN_A_SCOPE = {
    "adjustments.held", "adjustments.page",
    "areas", "billing", "changes", "clauses", "dossiers", "identities", "imports", "leases", "life_limits", "milestones",
    "off_hires", "parties", "portfolio", "presence", "reads", "reserves", "restated",
    "return_conditions", "told", "utilization_reports", "vessels",
    "desk.count_replayable", "desk.idempotency_answer", "uses.journeys", "uses.first_use",
}  # fmt: skip
"""Nouns and single queries that the API asks, so that the wall is a part of their answer."""
TEMPLATES = {
    "lifecycle.alerts", "lifecycle.contracts", "lifecycle.events", "lifecycle.gaps", "lifecycle.identifiers",
    "lifecycle.maintenance", "lifecycle.movements_near", "lifecycle.tenures", "lifecycle.use_of", "months.days",
    "months.journeys", "months.reserves", "presence.ends", "presence.fixes", "reads.as_of", "reads.as_of_part",
    "reads.fix_counts", "reads.fixes_from", "reads.heard", "reads.hour_buckets", "reads.telemetry", "reads.telemetry_buckets",
    "reads.track", "spreads.close", "train_uses.activities", "train_uses.cars", "train_uses.days",
}  # fmt: skip
NOON = datetime.fromtimestamp(NOON_US / 1e6, UTC)
FAR = datetime(2200, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
NOBODY = "00000000-0000-0000-0000-000000000000"  # before every id
SEVERAL = {"scheme": ["imo", "mmsi"], "value": ["9074729", "244660000"]}

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
        if not CHANGES.search(_code(text).replace("FOR UPDATE", "")) and not BRACES.search(text)
    }


def templates() -> set[str]:
    """Names of the queries that code puts together."""
    return {f"{noun}.{name}" for noun in NOUNS for name, text in load(noun).items() if BRACES.search(text)}


def _of_the_api(name: str) -> bool:
    return name in IN_A_SCOPE or name.partition(".")[0] in IN_A_SCOPE


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
        "assets": [world.ship, world.plane, world.beta_ship], "at": NOON + timedelta(minutes=7), "class": "vessel",
        "commit_nos": list(known.commit_nos), "day": NOON.date(), "days": 12, "clock": "live",
        "descending": True, "disabled_type": "keelwing.x", "east": 10.0,
        "from_day": NOON.date() - 90 * DAY, "to_day": NOON.date(), "lately": NOON.date(),
        "leases": [world.lease, PLANE_LEASE], "lease": world.lease, "lease_id": world.lease, "lease_ids": [world.lease],
        "party": world.lessee, "party_id": world.lessee, "party_ids": [world.lessee], "parent": world.plane, "account": ACCOUNT,
        "maintenance_event_id": WORK, "off_hire": OFF_HIRE, "reports": [REPORT], "journey_id": ["jrn_flight"], "id": "war",
        "condition": "hull", "area_id": "NLRTM", "area_set": "JWC", "reference": "NB-2", "position": "1", "basis": "reported",
        "kind": "noon", "classes": ["vessel", "aircraft"], "particulars": ["length_m", "beam_m"], "phases": ["active"],
        "ranks": [1], "attempt": None, "priced_on": NOON.date(),
        "states": ["moored", "at_sea"], "moving": ["at_sea"], "silence": timedelta(hours=2), "least": timedelta(hours=1),
        "gap": timedelta(minutes=1), "length_s": 600.0, "confidence": 1, "runs_max": 4, "superseded": True, "heads": True,
        "month": NOON.date().replace(day=1), "from_month": NOON.date().replace(day=1), "on": NOON.date(),
        "edge_days": [NOON.date()], "cut_assets": [world.ship, world.plane], "cut_days": [NOON.date()] * 2, "ends_before": FAR,
        "started_at": [NOON - timedelta(minutes=45)] * 2,
        "after_at": NOON - 2 * DAY, "after_row": 0, "after_lease": NOBODY, "after_bucket": "",
        "name": "imo:9074729", "ids": ["NLRTM"], "kinds": ["alert"], "changes": ["became_known"],
        "after_kind": "", "after_key": "", "after_revision": 0, "sets": ["JWC"], "rules": ["insurance_expiring"],
        "event": "evt_0000alpha", "event_id": "evt_0000alpha", "finding": world.finding, "finding_id": [world.finding],
        "finding_ids": [world.finding], "from": NOON - timedelta(hours=1), "grace_began_at": NOON, "key": "k",
        "key_hash": known.key_hash, "known": FAR, "lessee": world.lessee, "limit": 1000, "north": 60.0,
        "alert_ids": [world.alert], "incident_ids": [INCIDENT], "incident": INCIDENT, "hold_ids": ["fnd_region"],
        "tenants": ["alpha"], "verdicts": ["told"], "waiting": True,
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
    return {
        "alerts.open_for": {"tenant": ["alpha"], "rule": ["position_jump"], "subject": [None]},
        "desk.replayable": {"after": 0},
        "sightings.of_asset": {"after": NOON - DAY},
        "feeds.back": {"opened": NOON - DAY, "received": NOON - DAY},
        "findings.current": {"tenant": "alpha"},
        "reads.alert_comments": {"after": 0},
        "statics.after": {"after": [NOON - DAY, NOON - DAY], "reports_max": 10},
        "reads.alert_revisions": {"after": 0},
        "reads.alerts": {"after_time": FAR, "after_id": known.world.alert},
        "reads.assets": {"after": NOBODY},
        "reads.findings": {"after_time": FAR, "after_subject": "", "after_id": ""},
        "reads.live_events": {"after": 0},
        "reads.rejections": {"after": 1000},
        "reads.webhook_attempts": {"after": 1000},
        "reads.webhooks": {"after": NOBODY},
        "reads.feeds": {"after_tenant": "_"},
        "registry.bearers": SEVERAL,
        "registry.find_streams": {
            **SEVERAL, "tenant": ["alpha"] * 2, "origin": ["device", "feed:coast"], "class": ["vessel"] * 2,
        },
        **_special_of_lives(known.world),
    }  # fmt: skip


def _special_of_lives(world: World) -> Mapping[str, Mapping[str, Any]]:
    """The same of what `tests.store.lives` wrote; a page begins before its first row."""
    assets = [world.ship, world.plane]
    return {
        "areas.areas": {"kinds": ["port"]},
        "adjustments.held": {"name": "1"},
        "adjustments.page": {"after": 1000, "withdrawn": True, "adjustment": 2},
        "incidents.around": {"asset_id": [world.ship], "from": [NOON - DAY], "to": [NOON + DAY], "finding_ids": ["fnd_gap"]},
        "incidents.members": {"asset_id": [world.ship], "from": [NOON - DAY], "to": [NOON + DAY], "rules": ["gap"]},
        "notices.about": {"finding_ids": ["fnd_gap"]},
        "notices.causes": {"rules": ["gnss_interference"]},
        "told.findings": {"finding_ids": ["fnd_gap"]},
        "told.incidents": {"from": NOON - DAY, "after_time": FAR, "after_id": INCIDENT},
        "told.notices": {"finding_ids": ["fnd_gap"], "after": 1000},
        "told.weeks": {"after_time": FAR},
        "billing.leases": {"after": NOBODY},
        "changes.since": {"kinds": ["alert", "finding", "utilization_report", "reserve_entry"]},
        "clauses.covenants": {"id": "cii", "after": ""},
        "clauses.insurances": {"id": INSURANCE, "after": NOBODY},
        "clauses.territory_rules": {"after": ""},
        "dossiers.assets": {"after": NOBODY},
        "identities.bearer": {"asset": ENGINE, "scheme": "msn", "value": "V54321"},
        "identities.installations": {"asset": world.plane, "after": 1000},
        "identities.occupant": {"asset": world.ship},
        "imports.bearers": SEVERAL,
        "imports.lease_events": {"kinds": ["redelivery_notice"]},
        "imports.party": {"name": "Northern Bulk"},
        "leases.event_list": {"after_id": NOBODY},
        "leases.find": {"kinds": ["lease_delivery"], "after": NOBODY, "wanted": ["active"]},
        "leases.own_tenures": {"after": NOBODY},
        "leases.parties": {"after": 0},
        "life_limits.limits": {"after": 0},
        "milestones.event": {"event_id": ASSET_EVENT},
        "milestones.event_list": {"after_id": NOBODY},
        "milestones.maintenance": {"after_id": NOBODY},
        "milestones.open_statuses": {"statuses": ["lay_up"]},
        "parties.list": {"q": "%bulk%", "after": NOBODY},
        "parties.parents": {"after": 0},
        "registry.areas": {"kinds": ["port"]},
        "reserves.accounts": {"after_asset": NOBODY},
        "reserves.entries": {"kinds": ["accrual"], "after": 0},
        "reserves.rates": {"after": NOON.date() - 999 * DAY},
        "return_conditions.conditions": {"after": ""},
        "stays.stays": {"kinds": ["moored", "port_call"]},
        "uses.current_activities": {"from": NOON - DAY},
        "uses.current_journeys": {"from": NOON - DAY},
        "uses.hold_activities": {"asset_id": assets},
        "uses.hold_days": {"asset_id": assets, "day": [NOON.date()] * 2},
        "uses.hold_journeys": {"asset_id": assets, "kind": ["flight"] * 2},
        "uses.journeys": {"kind": "port_call", "after_id": ""},
        "utilization_reports.reports": {"kinds": ["noon"], "after_id": NOBODY},
        "vessels.reports_in": {"from": [NOON - DAY] * 2, "to": [NOON + DAY] * 2, "assets": assets},
        "vessels.vessels": {"after": NOBODY},
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
            await _ask_lives(conn, found, who, known)
            await _ask_presence(conn, found, who, known)
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


async def _ask_lives(conn: Connection, found: Answers, who: str, known: Known) -> None:
    """The life, the month and the use of each asset, as believed now and as known then."""
    world, from_us, to_us = known.world, NOON_US - 24 * HOUR_US, NOON_US + HOUR_US // 2
    spans = [lifecycle.UseSpan(from_us - 24 * HOUR_US, to_us, "landing"), *(
        lifecycle.UseSpan(NOON_US - HOUR_US // 4, to_us, each) for each in ATTRIBUTIONS[1:]
    )]  # fmt: skip
    sought = [lifecycle.Sought("arrival", NOON_US), lifecycle.Sought("departure", NOON_US)]
    for asset in (world.ship, world.plane, TRAINSET):
        for known_us in (None, from_datetime(FAR)):
            told = lifecycle.Told(asset, NOON_US + 24 * HOUR_US, known_us)
            month = months.Month(asset, from_us - 30 * 24 * HOUR_US, NOON_US + 24 * HOUR_US, known_us)
            label = f"{asset} {known_us}"
            for name in ("tenures", "contracts", "events", "maintenance", "identifiers", "gaps", "alerts"):
                found[f"{who}: lifecycle.{name} {label}"] = _told(await getattr(lifecycle, name)(conn, told))
            found[f"{who}: lifecycle.use_of {label}"] = _told(await lifecycle.use_of(conn, told, spans))
            near = await lifecycle.movements_near(conn, told, sought, 2.0)
            found[f"{who}: lifecycle.movements_near {label}"] = _told(near)
            found[f"{who}: months.days {label}"] = _told(await months.days(conn, month))
            found[f"{who}: months.journeys {label}"] = _told(await months.journeys(conn, month))
            found[f"{who}: months.reserves {label}"] = _told(await months.reserves(conn, month, [world.lease, PLANE_LEASE]))
            days, activities = await train_uses.use_between(conn, told, from_us - 36 * HOUR_US, to_us, [NOON_US])
            found[f"{who}: train_uses.days {label}"] = _told(days)
            found[f"{who}: train_uses.activities {label}"] = _told(activities)
            found[f"{who}: train_uses.cars {label}"] = _told(await train_uses.cars(conn, told, from_us, to_us))


async def _ask_presence(conn: Connection, found: Answers, who: str, known: Known) -> None:
    """Fixes of hours beside boxes, one of them over 180 degrees, and the ends of silences."""
    world, from_us, to_us = known.world, NOON_US - 3 * HOUR_US, NOON_US + 3 * HOUR_US
    for asset_class, asset in (("vessel", UUID(world.ship)), ("aircraft", UUID(world.plane))):
        hours = [(asset, NOON_US + n * HOUR_US) for n in (-3, -1, 0, 1)]
        for box in ((3.0, 51.0, 5.0, 53.0), (3.85, 51.0, 3.95, 53.0), (170.0, 51.0, 3.9, 53.0)):
            fixes = await presence.fixes(conn, asset_class, hours, from_us, to_us, box)
            found[f"{who}: presence.fixes {asset_class} {box}"] = _told(fixes.items())
        silent = [
            (asset, None, NOON_US - HOUR_US),
            (asset, NOON_US - HOUR_US // 2, NOON_US + HOUR_US // 3),
            (asset, NOON_US, None),
        ]
        ends = await presence.with_ends(conn, asset_class, silent, from_us, to_us)
        found[f"{who}: presence.ends {asset_class}"] = _told(ends)


def _told(rows: Iterable[Any]) -> list[str]:
    """Rows in the order they came in, as text."""
    return [repr(row) for row in rows]


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
