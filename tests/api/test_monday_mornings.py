"""Ten questions of a Monday morning, each answered by at most two calls, asked of the demo's portfolio."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from api.app import create_app
from api.settings import ApiSettings
from keelwing import demo
from keelwing.portfolio import heard, stories
from tests.fix_postgres import PostgresServer

pytestmark = pytest.mark.timeout(300)  # the portfolio is ten years of sixty assets, written once for all of these


class Morning:
    """The demo's database, its admin's key and the instant of its first start."""

    def __init__(self, url: str, key: str, start: datetime) -> None:
        self.url, self.key, self.start = url, key, start


@pytest.fixture(scope="module")
def morning(
    postgres_server: PostgresServer, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Morning]:
    name = f"keelwing_monday_{uuid.uuid4().hex[:12]}"
    url = postgres_server.create_database(name, template=template_database)
    directory: Path = tmp_path_factory.mktemp("monday")
    try:
        keys = asyncio.run(demo.prepare(url, directory, lambda _: None))
        yield Morning(url, keys[0], demo.start_of(directory))
    finally:
        postgres_server.drop_database(name)


@pytest_asyncio.fixture
async def ask(morning: Morning) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(ApiSettings(database_url=morning.url))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        headers = {"Authorization": f"Bearer {morning.key}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://keelwing", headers=headers, timeout=60) as client:
            yield client


async def items(ask: httpx.AsyncClient, path: str, **query: Any) -> list[dict[str, Any]]:
    answer = await ask.get(path, params={"limit": 1000, **query})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["next_cursor"] is None
    listed: list[dict[str, Any]] = found["items"]
    return listed


def box(lat_deg: float, lon_deg: float, half_deg: float = 0.4) -> str:
    """A square drawn around a place."""
    west, east, south, north = lon_deg - half_deg, lon_deg + half_deg, lat_deg - half_deg, lat_deg + half_deg
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return json.dumps({"type": "Polygon", "coordinates": [ring]})


async def test_1_who_was_in_this_polygon_or_could_have_been(ask: httpx.AsyncClient, morning: Morning) -> None:
    asset = (await items(ask, "/v1/assets", q=stories.SILENT))[0]
    begin_s, end_s = heard.silence_s()
    before = morning.start + timedelta(seconds=begin_s) - timedelta(minutes=5)
    state = (await ask.get(f"/v1/assets/{asset['id']}/state", params={"valid_at": before.isoformat()})).json()
    lon_deg, lat_deg = state["position"]["coordinates"]
    may = morning.start - timedelta(days=stories.days_ago(morning.start, 5, 1))
    found = {
        one["name"]: one for one in await items(ask, "/v1/presence", area=box(lat_deg, lon_deg), **{"from": may.isoformat()})
    }
    assert found[stories.SILENT]["verdict"] == "inside"
    from_, to = (morning.start + timedelta(seconds=second) for second in (begin_s, end_s))
    told = [(datetime.fromisoformat(one["from"]), datetime.fromisoformat(one["to"])) for one in found[stories.SILENT]["silences"]]
    assert any(abs(one - from_) < timedelta(hours=1) and abs(other - to) < timedelta(hours=1) for one, other in told)


async def test_2_what_changed_since_friday(ask: httpx.AsyncClient, morning: Morning) -> None:
    friday = morning.start - timedelta(days=(morning.start.weekday() - 4) % 7)
    since = friday.replace(hour=18, minute=0, second=0, microsecond=0) - timedelta(days=7)
    answer = await ask.get("/v1/changes", params={"since": since.isoformat(), "limit": 1000})
    found = answer.json()["items"]
    assert all(one["at"] >= since.strftime("%Y-%m-%dT%H") for one in found)
    assert {"utilization_report"} <= {one["kind"] for one in found}
    assert all(one["actor"] for one in found)
    assert {one["change"] for one in found} <= {"became_known", "restated", "retracted", "changed"}


async def test_3_a_lessee_missed_its_rent(ask: httpx.AsyncClient) -> None:
    name = stories.SHIP_LESSEES[0]
    lessee = next(one for one in await items(ask, "/v1/parties", q=name) if one["name"] == name)
    exposure = (await ask.get(f"/v1/parties/{lessee['id']}/exposure")).json()
    group = {one["name"] for one in exposure["group"]}
    assert {name for name, parent in stories.GROUPS.items() if parent == "Meridian Group"} <= group
    in_default = next(one for one in exposure["assets"] if one["name"] == stories.IN_DEFAULT)
    assert in_default["position"] is not None
    assert in_default["lease_id"] in {one["lease_id"] for one in exposure["deposits"]}
    assert in_default["lease_id"] in {one["lease_id"] for one in exposure["insurances"]}
    assert exposure["reserves"]
    assert exposure["complete"]


async def test_4_redeliveries_in_eighteen_months(ask: httpx.AsyncClient) -> None:
    found = {one["asset_name"]: one for one in await items(ask, "/v1/agenda", kind="redelivery", days=548)}
    for name in stories.REDELIVERED_SOON:
        one = found[name]
        assert 55 <= one["days_left"] <= 65
        assert one["detail"]["notices"]
        assert one["detail"]["checks"]
        assert one["detail"]["range"] or one["detail"]["range_reason"]
        assert "compensation" in one["detail"]
    assert found["JASPER TRADER"]["detail"]["range"]["distance_nm"] > 0


async def test_5_which_reports_of_may_are_missing_or_off(ask: httpx.AsyncClient, morning: Morning) -> None:
    may = f"{(morning.start - timedelta(days=stories.days_ago(morning.start, 5, 1))).year}-05"
    found = {one["asset_name"]: one for one in await items(ask, "/v1/reconciliations", month=may)}
    assert found[stories.REPORT_MISSING]["status"] == "overdue"
    under = found[stories.UNDER_REPORTED]
    assert under["status"] == "out_of_tolerance"
    assert "under_reported" in {one["verdict"] for one in under["comparisons"]}
    assert under["effects"]
    off = {name for name, one in found.items() if one["status"] not in {"within", "undecided"}}
    assert off == {stories.REPORT_MISSING, stories.UNDER_REPORTED}
    answer = await ask.get("/v1/reserve-entries", params={"month": may, "limit": 1000}, headers={"Accept": "text/csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.text.count("\n") > 100


async def test_6_where_is_this_engine(ask: httpx.AsyncClient) -> None:
    engine = (await items(ask, "/v1/assets", identifier=f"msn:{stories.ENGINE_ESN}", **{"class": "engine"}))[0]
    wing = (await items(ask, "/v1/assets", q=stories.ENGINE_TO))[0]
    assert engine["current_lease"] == wing["current_lease"]
    forecasts = {one["serial_no"] or one["item"]: one for one in await items(ask, f"/v1/assets/{engine['id']}/forecasts")}
    restoration = forecasts["performance_restoration"]
    assert (restoration["installed_on"], restoration["position"]) == (stories.ENGINE_TO, "2")
    assert restoration["drivers"][0]["used"] >= 16_900
    parts = [one for one in forecasts.values() if one["kind"] == "life"]
    assert min(parts, key=lambda one: one["days"])["serial_no"] == f"{stories.ENGINE_ESN}-COR"
    sat = await items(ask, f"/v1/assets/{engine['id']}/installations")
    assert [(one["parent_name"], one["position"]) for one in sat] == [(stories.ENGINE_TO, "2"), (stories.ENGINE_FROM, "1")]


async def test_7_everything_that_expires_in_ninety_days(ask: httpx.AsyncClient) -> None:
    found = await items(ask, "/v1/agenda", days=90)
    kinds = {one["kind"] for one in found}
    assert {"insurance_end", "redelivery", "return_condition", "utilization_report"} <= kinds
    assert [one["due_on"] for one in found] == sorted(one["due_on"] for one in found)
    assert any(one["asset_name"] == stories.IN_DEFAULT and one["kind"] == "insurance_end" for one in found)
    calendar = await ask.get("/v1/agenda.ics")
    assert calendar.text.startswith("BEGIN:VCALENDAR")


async def test_8_off_hire_and_lay_up_by_lessee_last_quarter(ask: httpx.AsyncClient, morning: Morning) -> None:
    first = (morning.start.month - 1) // 3 * 3 + 1
    end = morning.start.replace(month=first, day=1, hour=0, minute=0, second=0, microsecond=0)
    begin = (end - timedelta(days=80)).replace(day=1)
    found = await items(ask, "/v1/off-hire/lessees", **{"from": begin.isoformat(), "to": end.isoformat()})
    lost = {one["lessee_name"]: one for one in found if one["off_hire_d"]}
    assert len(lost) == 1
    one = next(iter(lost.values()))
    assert one["off_hire_d"] == pytest.approx(6.0, abs=0.1)
    asset = (await items(ask, "/v1/assets", q=stories.OFF_HIRED))[0]
    assert one["events"][0]["asset_id"] == asset["id"]
    assert one["events"][0]["evidence"]


async def test_9_who_ends_the_year_with_d_or_e(ask: httpx.AsyncClient, morning: Morning) -> None:
    found = await items(ask, "/v1/cii", rating="D,E")
    assert found
    assert all(one["middle_rating"] in {"D", "E"} or one["high_rating"] in {"D", "E"} for one in found)
    assert any(agreed["rating_worst"] == "C" for one in found for charter in one["charters"] for agreed in charter["agreed"])
    asset = (await items(ask, "/v1/assets", q=stories.RATED))[0]
    letters = []
    last = stories.rated_year(morning.start)
    for year in range(last - 2, last + 1):
        window = {"from": datetime(year, 1, 1, tzinfo=UTC).isoformat(), "to": datetime(year + 1, 1, 1, tzinfo=UTC).isoformat()}
        answer = (await ask.get(f"/v1/assets/{asset['id']}/cii", params=window)).json()
        letters.append(answer["years"][0]["rating"])
    assert letters == ["A", "B", "C"]


async def test_10_where_was_too_little_heard_last_month(ask: httpx.AsyncClient) -> None:
    found = {one["name"] for one in await items(ask, "/v1/portfolio", coverage_below=0.9)}
    assert stories.THIN[0] in found
    assert len(found) <= 3
