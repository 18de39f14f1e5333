"""The daily pass over a real database: what it opens, that it says nothing twice, what closes, what was true then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest

from fleet.instants import HOUR_US
from fleet.obligation import start_us
from ingest import daily_pass
from ingest.daily_pass import day_due, keep_calendar, look_back, passes_due, run_pass
from store import registry
from store.pool import Pool, open_pool
from tests.fix_calendar import Papers, build, run


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    opened = await open_pool(database_url, "keelwing_worker", 2)
    yield opened
    await opened.close()


async def rows(pool: Pool, statement: str) -> list[dict[str, Any]]:
    async with pool.connection() as conn:
        return await (await conn.execute(statement)).fetchall()


def no_fault() -> None:
    """What a pass without a fault of ours never calls."""
    raise AssertionError("a pass failed")


def test_a_pass_is_due_from_its_hour_on_and_until_then_the_day_before() -> None:
    day = start_us(date(2026, 11, 22))
    assert day_due(day + 5 * HOUR_US, 5) == date(2026, 11, 22)
    assert day_due(day + 5 * HOUR_US - 1, 5) == date(2026, 11, 21)


@pytest.mark.parametrize("today", [None, date(2026, 11, 30)], ids=["today", "120 days after the second of a month"])
async def test_a_pass_opens_what_is_due_says_nothing_twice_and_closes_what_is_over(pool: Pool, today: date | None) -> None:
    async with pool.connection() as conn:
        papers = await build(conn, today=today)
    first = await run_pass(pool, "demo", papers.today)
    found = await rows(
        pool, "SELECT rule, severity, subject, asset, evidence FROM finding WHERE superseded_by IS NULL ORDER BY rule"
    )
    assert {one["rule"] for one in found} == {
        "insurance_expiring", "llp_limit", "maintenance_due", "option_deadline", "redelivery_notice", "redelivery_risk",
        "report_overdue", "reserve_shortfall",
    }  # fmt: skip
    by_rule = {one["rule"]: one for one in found}
    assert by_rule["insurance_expiring"]["evidence"]["due_on"] == papers.day(20).isoformat()
    assert by_rule["redelivery_risk"]["evidence"]["checks_open"] == ["borescope of both engines"]
    assert by_rule["reserve_shortfall"]["evidence"]["event_on"] == papers.day(30).isoformat()
    alerts = await rows(pool, "SELECT rule, severity, status, lease_id FROM alert")
    assert len(alerts) == len(found) == first.done.written == sum(first.opened.values())
    assert {str(one["lease_id"]) for one in alerts if one["rule"] == "insurance_expiring"} == {papers.lease}
    assert len(await rows(pool, "SELECT FROM outbox WHERE type = 'keelwing.alert.opened.v1'")) == len(alerts)

    assert (await run_pass(pool, "demo", papers.today)).done.written == 0

    async with pool.connection() as conn:
        await run(
            conn,
            "INSERT INTO insurance (tenant, lease_id, kind, insurer, cover) SELECT tenant, lease_id, kind, insurer,"
            " tstzrange(upper(cover), upper(cover) + interval '1 year') FROM insurance",
        )
    assert (await run_pass(pool, "demo", papers.today)).done.written == 1
    (over,) = await rows(pool, "SELECT status, closed_at FROM alert WHERE rule = 'insurance_expiring'")
    assert over["status"] == "resolved"
    await _the_past_is_answerable(pool, papers)


async def _the_past_is_answerable(pool: Pool, papers: Papers) -> None:
    """Asked again, a day is judged by what was known when it was judged first."""
    then = {(each.name, one.rule) for each, ones in await look_back(pool, "demo", papers.today) for one in ones}
    assert ("icao24:3c6444", "insurance_expiring") in then
    now = {(each.name, one.rule) for each, ones in await look_back(pool, "demo", papers.today, 1 << 52) for one in ones}
    assert then - now == {("icao24:3c6444", "insurance_expiring")}


async def test_a_lapse_is_critical_and_waits_for_a_person_when_it_is_mended(pool: Pool) -> None:
    async with pool.connection() as conn:
        papers = await build(conn)
    await run_pass(pool, "demo", papers.today)
    await run_pass(pool, "demo", papers.day(20))
    (lapsed,) = await rows(pool, "SELECT severity, status, revision FROM alert WHERE rule = 'insurance_expiring'")
    assert (lapsed["severity"], lapsed["status"]) == ("critical", "open")
    async with pool.connection() as conn:
        await run(conn, "UPDATE insurance SET cover = tstzrange(lower(cover), NULL)")
    await run_pass(pool, "demo", papers.day(20))
    (mended,) = await rows(pool, "SELECT status, evidence ? 'closed_at' AS ended FROM alert WHERE rule = 'insurance_expiring'")
    assert (mended["status"], mended["ended"]) == ("open", True)


async def test_the_worker_judges_each_lessor_once_a_day_and_a_tenants_figure_counts(pool: Pool) -> None:
    async with pool.connection() as conn:
        papers = await build(conn)
        await run(
            conn,
            "INSERT INTO setting (tenant, rule, name, value) VALUES ('demo', 'practice', 'calendar.insurance_warn_d', '10')",
        )
    told = asyncio.Event()
    keeping = asyncio.create_task(
        keep_calendar(pool, 5, lambda _: told.set(), no_fault, lambda: start_us(papers.today) + 6 * HOUR_US)
    )
    async with asyncio.timeout(20):
        await told.wait()
    keeping.cancel()
    await asyncio.wait((keeping,))
    assert await passes_due(pool, papers.today) == []
    assert await passes_due(pool, papers.day(1)) == [(papers.day(1), "demo")]
    assert await rows(pool, "SELECT FROM finding WHERE rule = 'insurance_expiring'") == []


async def test_days_that_the_worker_missed_are_judged_oldest_first_and_no_more_than_a_week_of_them(pool: Pool) -> None:
    async with pool.connection() as conn:
        papers = await build(conn)
    assert await passes_due(pool, papers.today) == [(papers.today, "demo")]
    await run_pass(pool, "demo", papers.day(-3))
    assert await passes_due(pool, papers.day(30)) == [(papers.day(30 - back), "demo") for back in range(6, -1, -1)]
    told, passes = asyncio.Event(), []

    def note(opened: Any) -> None:
        passes.append(opened)
        if len(passes) == 3:
            told.set()

    keeping = asyncio.create_task(keep_calendar(pool, 5, note, no_fault, lambda: start_us(papers.today) + 6 * HOUR_US))
    async with asyncio.timeout(20):
        await told.wait()
    keeping.cancel()
    await asyncio.wait((keeping,))
    judged = await rows(pool, "SELECT day FROM daily_pass ORDER BY daily_pass_id")
    assert [one["day"] for one in judged] == [papers.day(back) for back in (-3, -2, -1, 0)]


async def test_noon_reports_warn_of_a_year_of_e_and_of_tanks_that_do_not_add_up(pool: Pool) -> None:
    async with pool.connection() as conn:
        await registry.create_tenant(conn, "demo", "Demo")
        ship = await registry.register_asset(
            conn, "demo", "vessel", "Thirsty", "bulk carrier", [("imo", "9074729")], {"dwt_t": 81_600}
        )
        await conn.execute(
            "INSERT INTO utilization_report (tenant, lease_id, asset_id, kind, period, figures, received_at)"
            " SELECT 'demo', gen_random_uuid(), %(ship)s, 'noon', tstzrange(noon, noon + interval '1 day'), jsonb_build_object("
            " 'distance_og_nm', 250, 'fuel', jsonb_build_array(jsonb_build_object('type', 'HFO', 'me_t', 40,"
            " 'rob_t', 9000 - 40 * n - CASE WHEN n > 170 THEN 25 ELSE 0 END))), now()"
            " FROM generate_series('2026-01-01Z'::timestamptz, '2026-06-30Z', interval '1 day') WITH ORDINALITY AS day (noon, n)",
            {"ship": ship},
        )
    await run_pass(pool, "demo", date(2026, 6, 30))
    year, tanks = await rows(
        pool, "SELECT rule, severity, subject, evidence FROM finding WHERE superseded_by IS NULL ORDER BY rule"
    )
    assert (year["rule"], year["severity"], year["subject"]) == ("cii_forecast", "critical", "2026")
    assert year["evidence"]["attained_g_per_capacity_nm"] == pytest.approx(40 * 3.114e6 / (81_600 * 250), abs=1e-3)
    assert (year["evidence"]["is_indicative"], year["evidence"]["low_rating"]) == (False, "E")
    assert (tanks["rule"], tanks["severity"], tanks["subject"]) == ("fuel_balance_gap", "warning", "HFO")
    assert (tanks["evidence"]["gap_t"], tanks["evidence"]["reported_to"]) == (25.0, "2026-06-21T00:00:00Z")
    await run_pass(pool, "demo", date(2026, 7, 21))
    assert await rows(pool, "SELECT FROM alert WHERE rule = 'fuel_balance_gap' AND status = 'resolved'") != []


async def test_a_lessor_whose_facts_cannot_be_judged_keeps_no_other_from_its_pass(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    async with pool.connection() as conn:
        papers = await build(conn)
        await run(conn, "INSERT INTO tenant (tenant, name) VALUES ('abel', 'Abel')")
        await run(conn, "INSERT INTO asset (tenant, class, name, shard) VALUES ('abel', 'vessel', 'Odd', 0)")
    judged, sound = [], daily_pass.run_pass

    async def failing(pool: Pool, tenant: str, day: date, clock: Any) -> Any:
        judged.append(tenant)
        if tenant == "abel":
            raise ZeroDivisionError
        return await sound(pool, tenant, day, clock)

    monkeypatch.setattr(daily_pass, "run_pass", failing)
    told, failed = asyncio.Event(), asyncio.Event()
    keeping = asyncio.create_task(
        keep_calendar(pool, 5, lambda _: told.set(), failed.set, lambda: start_us(papers.today) + 6 * HOUR_US)
    )
    async with asyncio.timeout(20):
        await told.wait()
    keeping.cancel()
    await asyncio.wait((keeping,))
    assert judged == ["abel", "demo"]
    assert await passes_due(pool, papers.today) == [(papers.today, "abel")]
    assert failed.is_set()
