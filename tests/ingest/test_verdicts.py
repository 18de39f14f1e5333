"""A person's word about an alert moves the threshold of that asset, and the readings are judged again by it."""

from __future__ import annotations

import httpx

from api.app import create_app
from api.settings import ApiSettings
from fleet.instants import SECOND_US
from store import keys, registry
from tests.fix_bench import FEED, START_US, Bench, at

PLACE = {"lat_deg": 36.0, "lon_deg": -5.5, "sog_kn": 10.0, "nav_status": 0, "class": "vessel", "scheme": "mmsi"}


async def went_dark(bench: Bench) -> None:
    """Two ships of ours are silent for 66 minutes while strangers around them are heard."""
    async with bench.pool.connection() as conn:
        await registry.register_asset(conn, "demo", "vessel", "Berta", None, [("mmsi", "538005678")])
    bench.listen()
    for value in ("538001234", "538005678"):
        await bench.send((FEED, [at(second, **{**PLACE, "value": value}) for second in range(0, 1800, 300)]))
    await bench.send((FEED, [at(5000, **{**PLACE, "value": f"11111111{number}"}) for number in range(4)]))
    await bench.send(frontier_us=START_US + 5500 * SECOND_US)


async def gaps(bench: Bench) -> dict[str, tuple[bool, str]]:
    """By ship: whether its gap was retracted, and how its alert stands."""
    rows = await bench.rows(
        "SELECT asset.name, finding.retracted, alert.status FROM finding JOIN asset USING (asset_id)"
        " JOIN alert ON alert.finding_ids @> ARRAY[finding_id] WHERE finding.rule = 'gap' AND superseded_by IS NULL"
    )
    return {row["name"]: (row["retracted"], row["status"]) for row in rows}


async def read_the_stories(client: httpx.AsyncClient) -> None:
    """Each gap is an incident of its own that was told; there is what was decided, and no week of models' warnings."""
    stories = (await client.get("/v1/incidents", params={"limit": 1})).json()
    rest = (await client.get("/v1/incidents", params={"cursor": stories["next_cursor"]})).json()
    found = stories["items"] + rest["items"]
    assert [(one["rules"], one["status"], one["told_at_severity"], one["alerts_open"]) for one in found] == [
        (["gap"], "open", "warning", 1)
    ] * 2
    story = (await client.get(f"/v1/incidents/{found[0]['id']}")).json()
    assert story["incident"] == found[0]
    assert [one["rule"] for one in story["findings"]] == ["gap"]
    assert [one["incident_id"] for one in story["alerts"]] == [found[0]["id"]]
    assert [(one["verdict"], one["change"], one["waits"]) for one in story["notices"]] == [("told", "opened", False)]
    assert (await client.get("/v1/incidents/00000000-0000-0000-0000-000000000000")).status_code == 404
    assert (await client.get("/v1/incidents", params={"known_at": "2020-01-01T00:00:00Z"})).json()["items"] == []
    notices = (await client.get("/v1/notices", params={"verdict": "told,held"})).json()["items"]
    assert {one["incident_id"] for one in notices} == {one["id"] for one in found}
    assert (await client.get("/v1/notices", params={"waiting": "true"})).json()["items"] == []
    assert (await client.get("/v1/notices", params={"verdict": "bored"})).status_code == 422
    assert (await client.get("/v1/alert-budget")).json()["items"] == []


async def test_a_false_alarm_widens_the_threshold_of_its_ship_until_it_is_withdrawn(bench: Bench, database_url: str) -> None:
    await went_dark(bench)
    assert await gaps(bench) == {"Anna": (False, "open"), "Berta": (False, "open")}
    async with bench.pool.connection() as conn:
        key = await keys.create(conn, "demo", "manager")
    api = create_app(ApiSettings(database_url=database_url, version="0", pool_max=2))
    transport = httpx.ASGITransport(api)
    headers = {"Authorization": f"Bearer {key}"}
    async with (
        api.router.lifespan_context(api),
        httpx.AsyncClient(transport=transport, base_url="http://api", headers=headers) as client,
    ):
        await read_the_stories(client)
        alerts = {row["asset"]: row["id"] for row in (await client.get("/v1/alerts")).json()["items"]}
        said = {"reason": "Weak antenna, seen by the agent.", "kind": "false_alarm"}
        answer = await client.post(f"/v1/alerts/{alerts['mmsi:538001234']}/dismiss", json=said)
        assert (answer.status_code, answer.json()["status"]) == (200, "dismissed")
        other = {"reason": "Known to us.", "kind": "expected"}
        assert (await client.post(f"/v1/alerts/{alerts['mmsi:538005678']}/dismiss", json=other)).status_code == 200
        (one,) = (await client.get("/v1/adjustments")).json()["items"]
        assert (one["rule"], one["name"], one["base"], one["value"], one["at_bound"]) == ("gap", "heard_limit_min", 60, 90, False)
        assert (one["alert_id"], one["comment"]) == (alerts["mmsi:538001234"], said["reason"])
        assert await bench.settle() >= 1
        assert await gaps(bench) == {"Anna": (True, "dismissed"), "Berta": (False, "dismissed")}

        back = await client.post(f"/v1/adjustments/{one['id']}/withdraw", json={"reason": "The antenna is new."})
        assert (back.status_code, back.json()["withdrawn_comment"]) == (200, "The antenna is new.")
        again = await client.post(f"/v1/adjustments/{one['id']}/withdraw")
        assert (again.status_code, again.json()["reason"]) == (409, "withdrawn")
        assert (await client.get("/v1/adjustments")).json()["items"] == []
        assert await bench.settle() >= 1
        assert (await gaps(bench))["Anna"] == (False, "dismissed")
        history = (await client.get(f"/v1/alerts/{alerts['mmsi:538001234']}/revisions")).json()["items"]
        assert [(each["change"], each["kind"]) for each in history] == [("opened", None), ("dismissed", "false_alarm")]
        bad = await client.post(f"/v1/alerts/{alerts['mmsi:538005678']}/dismiss", json={"reason": "x", "kind": "bored"})
        assert bad.status_code == 422
