"""The daily pass: once a day each lessor's calendar is judged, also of assets that never send.

Beside the worker's loop and over a connection of its own, like the closing of hours: it reads the facts (`store.dossiers`), lets
`fleet.calendar_rules` judge them, and writes what changed as findings, alerts and events in numbered transactions, a page of
assets each. It owns no shard: it takes numbers under whoever owns them, as a person's change does. A pass that is run again
writes nothing unless a fact changed.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta

import msgspec
import structlog

from detect.model import finding_id
from fleet import hull_reports
from fleet.calendar_rules import VERSION, Condition, Emission, Standing, conditions, emissions
from fleet.carbon import Outlook
from fleet.hull_reports import HullSummary
from fleet.instants import DAY_US, HOUR_US, to_datetime
from fleet.noon_report import NoonReport, balance_findings
from fleet.obligation import CiiOutlook, Dossier, LeaseDossier, day_of
from fleet.practice_book import HOUSE
from fleet.shards import shard_of
from ingest.alerting import raise_alerts
from ingest.telling import open_week
from store import billing, commits, daily_passes, dossiers, findings, notices, readings, rederived, vessels
from store.daily_passes import DailyPass
from store.dossiers import Question
from store.faults import AWAY
from store.pool import Connection, Pool
from store.rows import FindingRow
from store.transaction import PostgresTransaction

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 60.0  # chosen: a pass may begin a minute late
MISSED_D_MAX = 7  # chosen: what was true for a day more than a week ago and is not now, nobody acts on
POSITION_US = 30 * 24 * HOUR_US  # chosen: what was heard a month ago says nothing of where a ship can be
Clock = Callable[[], int]


def now_us() -> int:
    """Wall time in microseconds."""
    return time.time_ns() // 1000


class Passed(msgspec.Struct, frozen=True, kw_only=True):
    """What a pass did: the note of it, and the alerts opened by severity."""

    done: DailyPass
    opened: Counter[str]


async def keep_calendar(
    pool: Pool, hour_utc: int, told: Callable[[Mapping[str, int]], None], failed: Callable[[], None], clock: Clock = now_us
) -> None:
    """Judge each lessor's calendar once a day, from an hour of UTC on, and at once each day that was missed; until cancelled.

    Args:
        pool: of the worker's role.
        hour_utc: 0 to 23.
        told: called after every pass with the alerts it opened, by severity.
        failed: called for a pass that ended in a fault of ours, which is logged with its trace.
        clock: wall time in microseconds.
    """
    while True:
        try:
            for day, tenant in await passes_due(pool, day_due(clock(), hour_utc)):
                await _pass_of(pool, tenant, day, told, failed, clock)
        except AWAY as error:
            log.warning("daily_pass.database_away", error=str(error)[:200])
        await asyncio.sleep(LOOK_EVERY_S)


async def _pass_of(
    pool: Pool, tenant: str, day: date, told: Callable[[Mapping[str, int]], None], failed: Callable[[], None], clock: Clock
) -> None:
    """One lessor's pass; what is wrong with its facts is logged, and neither ends the worker nor keeps others from theirs."""
    try:
        told((await run_pass(pool, tenant, day, clock)).opened)
    except AWAY:
        raise
    except Exception:
        log.exception("daily_pass.failed", tenant=tenant, day=day.isoformat())
        failed()


def day_due(at_us: int, hour_utc: int) -> date:
    """The day whose pass should have been run by an instant: today from the hour on, yesterday before it."""
    return day_of(at_us - hour_utc * HOUR_US)


async def passes_due(pool: Pool, day: date) -> list[tuple[date, str]]:
    """Days up to one that were not judged, and their lessors: those since the newest that was, oldest first.

    Of a lessor that was never judged the day alone, of a longer absence the last `MISSED_D_MAX`.
    """
    async with pool.connection() as conn:
        newest = {tenant: await daily_passes.newest_day(conn, tenant) for tenant in await daily_passes.tenants(conn)}
    missed_d = {tenant: 1 if judged is None else min((day - judged).days, MISSED_D_MAX) for tenant, judged in newest.items()}
    return sorted((day - timedelta(days=back), tenant) for tenant, days in missed_d.items() for back in range(days))


async def run_pass(pool: Pool, tenant: str, day: date, clock: Clock = now_us, actor: str = "keelwing") -> Passed:
    """Judge a tenant's calendar of a day as known now, and write what changed.

    Raises:
        store.faults.AWAY: the database is away; pages that were committed stay, and the pass is run again.
    """
    opened: Counter[str] = Counter()
    known_us = clock()
    assets = found = written = 0
    after: str | None = None
    while True:
        async with pool.connection() as conn:
            await daily_passes.hold(conn, tenant)
            practice = await dossiers.practice_of(conn, tenant, HOUSE)
            question = Question(tenant=tenant, on=day, known_us=None, practice=practice)
            placed_us = min(known_us, question.at_us)  # of a day that was missed, where assets were on it
            page = await _placed(conn, question, await dossiers.dossiers(conn, question, after=after), placed_us)
            page = await _reconciled(conn, question, await _foreseen(conn, question, page))
            judged = {each.asset_id: conditions(each, day, practice) for each in page}
            stands = await daily_passes.standing(conn, list(judged))
            rows = [
                row_of(tenant, dossier, one, known_us)
                for dossier in page
                for one in _changed(judged[dossier.asset_id], stands.get(dossier.asset_id, ()), known_us, question)
            ]
            count, raised = await _write(conn, rows, known_us)
        opened += raised
        assets, found, written = assets + len(page), found + sum(map(len, judged.values())), written + count
        if len(page) < dossiers.PAGE_MAX:
            break
        after = page[-1].asset_id
    done = DailyPass(
        tenant=tenant, day=day, known_us=known_us, assets=assets, conditions=found, written=written, actor=actor
    )  # fmt: skip
    async with pool.connection() as conn:
        await daily_passes.write(conn, done)
        restated = await rederived.tell(conn, tenant, day, known_us)
    await _tell_what_waited(pool, tenant, clock())
    log.info(
        "daily_pass.done", tenant=tenant, day=day.isoformat(), assets=assets, conditions=found, written=written, restated=restated
    )  # fmt: skip
    return Passed(done=done, opened=opened)


async def _tell_what_waited(pool: Pool, tenant: str, at_us: int) -> None:
    """Warnings of models that a new week has room for (`alerts.budget`), also where nothing else is decided in it."""
    async with pool.connection() as conn:
        waiting = await notices.over_budget(conn, tenant)
        if waiting:
            numbers = await commits.begin_unowned(conn, {shard_of(one.asset_id or one.asset) for one in waiting})
            await open_week(PostgresTransaction(conn), tenant, numbers, at_us)


async def look_back(pool: Pool, tenant: str, day: date, known_us: int | None = None) -> list[tuple[Dossier, list[Condition]]]:
    """What was true of a tenant's assets on a day, as known when that day was first judged (or at an instant). Writes nothing."""
    async with pool.connection() as conn:
        if known_us is None:
            known_us = await daily_passes.first_known_us(conn, tenant, day)
        practice = await dossiers.practice_of(conn, tenant, HOUSE, known_us)
        question = Question(tenant=tenant, on=day, known_us=known_us, practice=practice)
        at_us = question.at_us if known_us is None else min(known_us, question.at_us)
        found: list[tuple[Dossier, list[Condition]]] = []
        after: str | None = None
        while page := await _placed(conn, question, await dossiers.dossiers(conn, question, after=after), at_us):
            page = await _reconciled(conn, question, await _foreseen(conn, question, page))
            found += [(each, conditions(each, day, practice)) for each in page]
            after = page[-1].asset_id
    return found


def row_of(tenant: str, dossier: Dossier, emission: Emission, known_us: int) -> FindingRow:
    """An emission as a row; a new episode gets its id from asset, rule, subject and begin, as every episode does."""
    new_id = finding_id(dossier.asset_id, emission.rule, emission.subject, emission.opened_us)
    return FindingRow(
        finding_id=emission.finding_id or new_id, tenant=tenant, asset_id=dossier.asset_id, shard=shard_of(dossier.asset_id),
        asset=emission.asset or dossier.name, rule=emission.rule, rule_version=VERSION, severity=emission.severity,
        subject=emission.subject, opened_us=emission.opened_us, closed_us=emission.closed_us, detected_us=known_us, score=None,
        evidence=emission.evidence,
    )  # fmt: skip


def _changed(found: Sequence[Condition], stands: Sequence[Standing], known_us: int, question: Question) -> list[Emission]:
    """Emissions that say something new."""
    held = {one.finding_id: one for one in stands}
    return [
        one
        for one in emissions(found, stands, known_us, question.on, question.practice)
        if (before := held.get(one.finding_id or "")) is None
        or one.closed_us is not None
        or (one.severity, one.evidence) != (before.severity, before.evidence)
    ]


async def _write(conn: Connection, rows: Sequence[FindingRow], known_us: int) -> tuple[int, Counter[str]]:
    """Write findings and what they do to alerts under numbers of their shards; how many revisions, and alerts opened."""
    if not rows:
        return 0, Counter()
    numbers = await commits.begin_unowned(conn, {row.shard for row in rows})
    revisions = await findings.write(conn, rows, numbers)
    raised = await raise_alerts(PostgresTransaction(conn), [one.row for one in revisions], numbers, known_us)
    return len(revisions), raised.opened


async def _foreseen(conn: Connection, question: Question, page: list[Dossier]) -> list[Dossier]:
    """The dossiers with what noon reports say of ships: where the year's carbon ends, tanks that do not add up, the hull."""
    ships = {each.asset_id: each for each in page if each.asset_class == "vessel"}
    if not ships:
        return page
    rows = [{"asset_id": each.asset_id, "type": each.type, "particulars": each.particulars} for each in ships.values()]
    end_us, known_us, practice = question.at_us + 1, question.known_us, question.practice
    outlooks = await vessels.outlooks(conn, rows, end_us, known_us, practice)
    month = await vessels.reports_in(conn, [(asset_id, end_us - 30 * DAY_US, end_us) for asset_id in ships], known_us)
    docked = await vessels.out_of_dock(conn, list(ships), end_us, known_us)
    stretches = [(asset_id, out_us, out_us + 90 * DAY_US) for asset_id, out_us in docked.items()]
    clean = await vessels.reports_in(conn, stretches, known_us)

    def told(ship: Dossier) -> Dossier:
        late = month.get(ship.asset_id, [])
        return msgspec.structs.replace(
            ship, cii=_cii_outlook(outlooks.get(ship.asset_id)), fuel_gaps=tuple(balance_findings(late, practice)),
            hull=_hull(ship, [*clean.get(ship.asset_id, []), *late], docked.get(ship.asset_id), question),
        )  # fmt: skip

    return [told(each) if each.asset_id in ships else each for each in page]


def _hull(ship: Dossier, reports: Sequence[NoonReport], out_us: int | None, question: Question) -> HullSummary | None:
    """How fast a ship is since her dock; None where no dock is recorded."""
    if out_us is None:
        return None
    reference = hull_reports.reference_of(ship.particulars, ship.type, question.on, question.practice)
    once = {(each.utc_from, each.utc_to): each for each in reports}  # a ship fresh from the dock has a month twice
    points = hull_reports.points_of(list(once.values()), ship.particulars, ship.type, reference, question.practice)
    return hull_reports.summary(points, reference, to_datetime(out_us), question.on, question.practice)


def _cii_outlook(found: Outlook | str | None) -> CiiOutlook | None:
    """An outlook with letters, as a dossier holds it; None where it has none."""
    if not isinstance(found, Outlook) or found.required is None:
        return None
    return CiiOutlook(
        year=found.year, attained=found.middle, rating=found.middle_rating or "", low=found.low,
        low_rating=found.low_rating or "", high=found.high, high_rating=found.high_rating or "", required=found.required,
        is_indicative=found.is_indicative, coverage=found.coverage,
    )  # fmt: skip


async def _reconciled(conn: Connection, question: Question, page: list[Dossier]) -> list[Dossier]:
    """The dossiers with the months of their leases whose reports are out of tolerance with what was observed."""
    lease_ids = [lease.lease_id for each in page for lease in each.leases if lease.tenure_from_us is not None]
    off = await billing.mismatches(conn, lease_ids, question.on, question.known_us, question.practice)
    if not off:
        return page

    def judged(lease: LeaseDossier) -> LeaseDossier:
        return msgspec.structs.replace(lease, mismatches=off.get(lease.lease_id, {}))

    return [msgspec.structs.replace(each, leases=tuple(judged(lease) for lease in each.leases)) for each in page]


async def _placed(conn: Connection, question: Question, page: list[Dossier], at_us: int) -> list[Dossier]:
    """The dossiers with where their assets were heard last, if any of them must be somewhere."""
    if not any(lease.return_places for each in page for lease in each.leases):
        return page
    fixes = {fix.asset_id: fix for fix in await readings.fixes_at(conn, question.tenant, at_us, POSITION_US)}
    return [
        each if (fix := fixes.get(each.asset_id)) is None
        else msgspec.structs.replace(each, position=(fix.lat_deg, fix.lon_deg), position_us=fix.time_us)
        for each in page
    ]  # fmt: skip
