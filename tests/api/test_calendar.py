"""The agenda, its calendar file and what changed, over papers in a real database; nothing of it is a lessee's."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import icalendar
import pytest

from fleet.instants import to_rfc3339
from fleet.obligation import start_us
from ingest.daily_pass import run_pass
from store.pool import open_pool
from tests.fix_calendar import Papers, build, run


@pytest.fixture
async def papers(world: Any) -> Papers:
    """The calendar's papers beside the world, all of lessor alpha."""
    pool = await open_pool(world.url, "keelwing_worker", 1)
    try:
        async with pool.connection() as conn:
            return await build(conn, "alpha")
    finally:
        await pool.close()


async def items(ask: Any, path: str, **query: Any) -> list[dict[str, Any]]:
    answer = await ask("manager").get(path, params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_everything_that_falls_due_is_one_list_in_order_of_days(ask: Any, papers: Papers) -> None:
    every = await items(ask, "/v1/agenda", days=90)
    assert [one["due_on"] for one in every] == sorted(one["due_on"] for one in every)
    by_kind = {one["kind"]: one for one in every}
    assert set(by_kind) == {
        "insurance_end", "extension_option", "redelivery_notice", "redelivery", "return_condition", "utilization_report",
        "maintenance", "planned_maintenance",
    }  # fmt: skip
    cover = by_kind["insurance_end"]
    assert (cover["due_on"], cover["days_left"], cover["overdue"]) == (papers.day(20).isoformat(), 20, False)
    assert (cover["lease_id"], cover["reference"], cover["lessee"]) == (papers.lease, "OL-7", "Aerolux")
    assert by_kind["maintenance"]["is_estimate"] is True
    assert by_kind["return_condition"]["overdue"] is True
    ending = by_kind["redelivery"]["detail"]
    assert ending["range_reason"] == "range_not_on_the_map"
    assert ending["notices"] == [{"notice": "approximate", "notice_days": 60, "due_on": papers.day(20).isoformat()}]
    assert [check["requirement"] for check in ending["checks"]] == ["borescope of both engines"]
    (total,) = ending["compensation"]["totals"]  # 7,200 h and 80 days at 10 h: 8,000 of 7,500, against half a life
    assert total["two_way"] == "-2408333.33"
    assert (ending["compensation"]["unknown"], ending["compensation"]["is_estimate"]) == (1, True)

    paged: list[dict[str, Any]] = []
    cursor = None
    while True:
        answer = (await ask("manager").get("/v1/agenda", params={"limit": 3} | ({"cursor": cursor} if cursor else {}))).json()
        paged += answer["items"]
        cursor = answer["next_cursor"]
        if cursor is None:
            break
    assert paged == every
    assert {one["kind"] for one in await items(ask, "/v1/agenda", kind="redelivery,survey", days=900)} == {"redelivery", "survey"}
    assert await items(ask, "/v1/agenda", lessee="nobody") == []
    assert {one["asset_id"] for one in await items(ask, "/v1/agenda", asset_id=papers.engine)} == {papers.engine}
    assert await items(ask, "/v1/agenda", known_at=to_rfc3339(start_us(papers.day(-1)))) == []
    forbidden = await ask("lessee").get("/v1/agenda")
    assert forbidden.status_code == 403


async def test_a_calendar_program_gets_a_day_each_under_a_name_that_stays(ask: Any, papers: Papers) -> None:
    answer = await ask("viewer").get("/v1/agenda.ics")
    assert answer.headers["content-type"].startswith("text/calendar")
    events = list(icalendar.Calendar.from_ical(answer.content).walk("VEVENT"))
    every = await items(ask, "/v1/agenda")
    assert [str(event["uid"]) for event in events] == [f"{one['id']}@keelwing" for one in every]
    assert [event.decoded("dtstart") for event in events] == [date.fromisoformat(one["due_on"]) for one in every]
    later = icalendar.Calendar.from_ical(
        (await ask("viewer").get("/v1/agenda.ics", params={"valid_at": "2030-01-01T00:00:00Z"})).content
    )
    assert {str(event["uid"]) for event in later.walk("VEVENT")} & {str(event["uid"]) for event in events}
    assert all(b"\r\n" in line or len(line) <= 75 for line in answer.content.split(b"\r\n"))


async def test_what_changed_since_is_new_restated_and_retracted_with_who_did_it(ask: Any, papers: Papers, world: Any) -> None:
    pool = await open_pool(world.url, "keelwing_worker", 1)
    before = datetime.now(UTC)
    try:
        async with pool.connection() as conn:
            await run(conn, "SELECT pg_sleep(0)")
        await run_pass(pool, "alpha", papers.today)
        async with pool.connection() as conn:
            await run(
                conn,
                "WITH closed AS (UPDATE insurance SET recorded = tstzrange(lower(recorded), clock_timestamp()) RETURNING *)"
                " INSERT INTO insurance (insurance_id, revision, tenant, lease_id, kind, insurer, cover, recorded)"
                " SELECT insurance_id, 2, tenant, lease_id, kind, 'Skuld', cover, tstzrange(clock_timestamp(), NULL) FROM closed",
            )
            await run(conn, "UPDATE return_condition SET recorded = tstzrange(lower(recorded), clock_timestamp())")
    finally:
        await pool.close()
    alert = (await items(ask, "/v1/alerts", rule="insurance_expiring"))[0]
    done = await ask("manager").post(f"/v1/alerts/{alert['id']}/acknowledge", json={"reason": "asked the broker"})
    assert done.status_code == 200

    since = before.isoformat()
    found = await items(ask, "/v1/changes", since=since, limit=1000)
    assert [one["at"] for one in found] == sorted(one["at"] for one in found)
    told = {(one["kind"], one["change"]) for one in found}
    assert told == {
        ("finding", "became_known"), ("alert", "became_known"), ("alert", "changed"), ("insurance", "restated"),
        ("return_condition", "retracted"),
    }  # fmt: skip
    (step,) = [one for one in found if one["change"] == "changed"]
    assert step["actor"].startswith("key:")
    assert (step["detail"]["step"], step["detail"]["comment"]) == ("acknowledged", "asked the broker")
    (restated,) = [one for one in found if one["kind"] == "insurance"]
    assert (restated["asset_name"], restated["revision"], restated["detail"]["insurer"]) == ("D-AXYZ", 2, "Skuld")
    assert restated["detail"]["cover_to"].endswith("Z")

    first = (await ask("manager").get("/v1/changes", params={"since": since, "limit": 2})).json()
    rest = (
        await ask("manager").get("/v1/changes", params={"since": since, "cursor": first["next_cursor"], "limit": 1000})
    ).json()
    assert first["items"] + rest["items"] == found
    assert {one["kind"] for one in await items(ask, "/v1/changes", since=since, kind="alert")} == {"alert"}
    assert await items(ask, "/v1/changes", since=(datetime.now(UTC) + timedelta(days=1)).isoformat()) == []
    assert (await ask("manager").get("/v1/changes")).status_code == 422


async def test_a_row_an_asset_says_who_has_it_how_it_was_used_and_what_is_open(ask: Any, papers: Papers, world: Any) -> None:
    every = {one["name"]: one for one in await items(ask, "/v1/portfolio")}
    assert "ESN 123456" not in every
    plane = every["D-AXYZ"]
    assert (plane["lease"]["lessee"], plane["lease"]["days_left"]) == ("Aerolux", 80)
    assert plane["use"]["flight_h"] == pytest.approx(10 * plane["days_known"])
    assert plane["plan"]["minimum"] == 200
    assert plane["plan"]["observed"] == pytest.approx(plane["use"]["flight_h"])
    assert plane["plan"]["reason"] == {"reported": "not_reported"}
    assert every["Quiet Heron"]["reason"]["use"] == "no_use_observed"
    thin = {one["name"] for one in await items(ask, "/v1/portfolio", coverage_below=0.9)}
    assert "Quiet Heron" in thin
    assert "D-AXYZ" not in thin
    span = {"from": f"{papers.day(-10)}T00:00:00Z", "to": f"{papers.today}T00:00:00Z"}
    (ten,) = await items(ask, "/v1/portfolio", lessee="aerolux", **span)
    assert (ten["days_known"], ten["use"]["cycles"], ten["use"]["period_h"]) == (10, 50, 240)
    assert ten["use"]["coverage"] == pytest.approx(86_000 / 86_400)
    assert (await ask("manager").get("/v1/portfolio", params={"from": "2026-01-01T05:00:00Z"})).status_code == 422
    assert (await ask("lessee").get("/v1/portfolio")).status_code == 403
    table = await ask("viewer").get("/v1/portfolio", headers={"Accept": "text/csv"})
    assert table.text.splitlines()[0].startswith("asset_id,name,class")
