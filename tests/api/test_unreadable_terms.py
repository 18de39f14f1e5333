"""Terms that are kept and cannot be read: whoever asks says so, nobody makes them up, a change of the lease mends them."""

from datetime import date
from typing import Any

import psycopg
import pytest

from fleet.instants import DAY_US, HOUR_US, to_rfc3339
from ingest.daily_pass import run_pass
from store.pool import open_pool
from tests.api.fix_money import Money, furnish
from tests.api.fix_world import NOON_US, Asking, World
from tests.fix_calendar import Papers, build

SAID = "colour is no term of a lease"


def spoil(world: World) -> None:
    """Keep with every paper a term that this version does not know, as a later one might have written it."""
    with psycopg.connect(world.url) as conn:
        conn.execute("""UPDATE lease_contract SET terms = terms || '{"colour": "red"}'""")


@pytest.fixture
def money(world: World) -> Money:
    """The aircraft under its lease, with a May of flights and terms that cannot be read."""
    found = furnish(world)
    spoil(world)
    return found


@pytest.fixture
async def papers(world: World) -> Papers:
    """The calendar's papers, of lessor alpha, with terms that cannot be read."""
    pool = await open_pool(world.url, "keelwing_worker", 1)
    async with pool.connection() as conn:
        found = await build(conn, "alpha")
    await pool.close()
    spoil(world)
    return found


async def got(ask: Asking, path: str, **query: Any) -> Any:
    answer = await ask("manager").get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_lease_is_shown_without_its_terms_and_says_why(ask: Asking, money: Money) -> None:
    lease = await got(ask, f"/v1/leases/{money.lease}")

    assert (lease["terms"], lease["reason"]["terms"], lease["reference"]) == (None, "terms_not_readable", "OL-118")


async def test_a_change_of_the_lease_mends_its_terms_and_keeps_the_rest(ask: Asking, money: Money) -> None:
    path = f"/v1/leases/{money.lease}"
    refused = await ask("manager").patch(path, json={"terms": {"assumed_ratio": "2.0"}})
    mended = await ask("manager").patch(path, json={"terms": {"colour": None}})

    assert [(fault["pointer"], fault["detail"]) for fault in refused.json()["errors"]] == [
        ("#/terms/colour", "is no term of a lease")
    ]
    assert (mended.status_code, mended.json()["terms"]["assumed_ratio"]) == (200, "2.5")


@pytest.mark.parametrize(
    "path", ["reconciliation?month=2026-05", "charges?month=2026-05", "return-conditions/compensation"]
)  # fmt: skip
async def test_what_rests_on_the_terms_of_one_lease_is_refused_with_the_fault(ask: Asking, money: Money, path: str) -> None:
    answer = await ask("manager").get(f"/v1/leases/{money.lease}/{path}")

    assert (answer.status_code, answer.json()["reason"]) == (409, "terms_not_readable")
    assert SAID in answer.json()["detail"]


async def test_no_month_is_booked_or_reported_by_terms_that_cannot_be_read(ask: Asking, money: Money) -> None:
    path = f"/v1/leases/{money.lease}"
    booked = await ask("manager").post(f"{path}/reserves/accruals", json={"month": "2026-05"})
    report = {"month": "2026-05", "items": [{"figures": {"flight_h": 300}}]}
    reported = await ask("manager").post(f"{path}/utilization-reports", json=report)

    assert {(answer.status_code, answer.json()["reason"]) for answer in (booked, reported)} == {(409, "terms_not_readable")}


async def test_the_lease_stands_undecided_among_the_months_of_all(ask: Asking, money: Money) -> None:
    [month] = (await got(ask, "/v1/reconciliations", month="2026-05"))["items"]

    assert (month["lease_id"], month["status"], month["comparisons"]) == (money.lease, "undecided", [])
    assert month["reason"]["comparisons"] == month["reason"]["effect"] == "terms_not_readable"


async def test_the_pack_of_the_month_says_so(ask: Asking, money: Money) -> None:
    pack = await ask("manager").get(f"/v1/assets/{money.plane}/months/2026-05/pack")

    assert pack.status_code == 200
    assert "terms not readable" in pack.text


async def test_a_life_counts_flights_as_the_lessor_does_and_says_that_the_lease_may_not(ask: Asking, money: Money) -> None:
    life = await got(ask, f"/v1/assets/{money.plane}/lifecycle")
    [by_lease] = [one for one in (await got(ask, f"/v1/assets/{money.plane}/usage", by="lease"))["items"] if one["lease_id"]]

    for use in (life["lease_periods"][0]["use"], by_lease):
        assert (use["cycles"], use["attribution"], use["reason"]["attribution"]) == (148, None, "terms_not_readable")


async def test_no_event_is_entered_by_a_paper_that_cannot_be_read(ask: Asking, money: Money) -> None:
    told = {"kind": "default_notice", "at": "2026-05-20T00:00:00Z", "evidence": {}}
    answer = await ask("manager").post(f"/v1/leases/{money.lease}/events", json=told)

    assert answer.status_code == 409


async def test_off_hire_is_unknown_and_not_none(ask: Asking, money: Money) -> None:
    [statement] = (await got(
        ask, f"/v1/leases/{money.lease}/off-hire/statement", **{"from": "2026-05-01T00:00:00Z", "to": "2026-06-01T00:00:00Z"}
    ))["items"]  # fmt: skip

    assert (statement["off_hire_h"], statement["reason"]["off_hire_h"]) == (None, "terms_not_readable")
    assert statement["reason"]["daily_hire"] == "terms_not_readable"


async def test_a_charters_agreed_carbon_is_unknown_with_the_reason(ask: Asking, world: World) -> None:
    with psycopg.connect(world.url) as conn:
        conn.execute("""UPDATE lease_contract SET terms = '{"agreed_cii": "C"}' WHERE lease_id = %s""", [world.lease])
    window = {"from": to_rfc3339(NOON_US - 30 * DAY_US), "to": to_rfc3339(NOON_US + HOUR_US)}
    found = await got(ask, f"/v1/assets/{world.ship}/cii", **window)

    assert [(one["agreed"], one["reason"]["agreed"]) for one in found["charters"]] == [([], "terms_not_readable")]


async def test_what_a_group_owes_is_not_called_complete(ask: Asking, world: World) -> None:
    path, noon = f"/v1/parties/{world.lessee}/exposure", {"valid_at": to_rfc3339(NOON_US)}
    before = await got(ask, path, **noon)
    spoil(world)
    after = await got(ask, path, **noon)

    assert (before["complete"], after["complete"], after["deposits"]) == (True, False, [])
    assert [one["reason"]["terms"] for one in after["leases_ending"]] == ["terms_not_readable"]


async def test_a_report_in_a_file_is_refused_by_its_row(ask: Asking, money: Money) -> None:
    text = "lease,asset,month,received_at,flight_h,cycles\nOL-118,icao24:4840d6,2026-05,2026-06-05,300,148\n"
    found = (await ask("admin").post("/v1/imports", content=text)).json()

    assert f"lease: the terms of the lease cannot be read: {SAID}" in found["errors"][0]["detail"]


async def test_the_agenda_asks_for_the_terms_and_for_nothing_that_they_might_say(ask: Asking, papers: Papers) -> None:
    found = {one["kind"]: one for one in (await got(ask, "/v1/agenda", days=90))["items"] if one["lease_id"] == papers.lease}

    assert found["lease_terms"]["detail"]["faults"] == SAID
    assert (found["lease_terms"]["due_on"], found["lease_terms"]["overdue"]) == (papers.today.isoformat(), False)
    assert found["lease_terms"]["title"] == "Terms of the lease cannot be read: D-AXYZ"
    assert {"redelivery", "insurance_end"} <= set(found)  # the paper's term and the cover are on record of their own
    assert not {"extension_option", "redelivery_notice", "utilization_report"} & set(found)


async def test_the_daily_pass_judges_all_else_of_the_lessor(ask: Asking, world: World, papers: Papers) -> None:
    money = furnish(world)
    spoil(world)
    pool = await open_pool(world.url, "keelwing_worker", 2)
    try:
        passed = await run_pass(pool, "alpha", papers.today)
        before = await run_pass(pool, "alpha", date(2026, 6, 15))
    finally:
        await pool.close()

    rules = {one["rule"] for one in (await got(ask, "/v1/alerts"))["items"]}
    assert passed.done.assets == before.done.assets > 3
    assert {"maintenance_due", "insurance_expiring"} <= rules
    assert not {"option_deadline", "utilization_mismatch"} & rules
    assert (await got(ask, f"/v1/leases/{money.lease}"))["terms"] is None
