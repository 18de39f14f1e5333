"""Assets: identity, state, life; lists, filters, cursors, CSV."""

import csv
import io

import pytest

from fleet.instants import HOUR_US, to_rfc3339
from tests.api.fix_world import NOON_US, Asking, World


async def test_an_asset_says_who_it_is_and_why_the_rest_is_unknown(ask: Asking, world: World) -> None:
    answer = await ask("viewer").get(f"/v1/assets/{world.ship}")

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    asset = answer.json()
    assert (asset["id"], asset["class"], asset["name"], asset["type"]) == (world.ship, "vessel", "Blue Heron", "bulk carrier")
    assert [(each["scheme"], each["value"]) for each in asset["identifiers"]] == [("imo", "9074729"), ("mmsi", "244660000")]
    assert asset["current_lease"] is None
    assert asset["reason"] == {
        "current_lease": "no_lease_in_force", "reported": "never_reported", "device_status": "never_said",
    }  # fmt: skip


async def test_valid_at_shows_the_lease_in_force_then(ask: Asking, world: World) -> None:
    answer = await ask("viewer").get(f"/v1/assets/{world.ship}", params={"valid_at": to_rfc3339(NOON_US)})

    lease = answer.json()["current_lease"]
    assert (lease["id"], lease["lessee"], lease["lessee_name"]) == (world.lease, world.lessee, "Northern Bulk")
    assert (lease["valid_from"], lease["valid_to"]) == ("2026-11-20T10:00:00Z", "2026-11-20T14:00:00Z")


async def test_known_at_before_the_registration_knows_nothing(ask: Asking, world: World) -> None:
    before = {"known_at": "2020-01-01T00:00:00Z"}

    assert (await ask("viewer").get(f"/v1/assets/{world.ship}", params=before)).status_code == 404
    assert (await ask("viewer").get("/v1/assets", params=before)).json() == {"items": [], "next_cursor": None}


async def test_a_state_is_the_last_word_of_whichever_stream_spoke_last(ask: Asking, world: World) -> None:
    state = (await ask("viewer").get(f"/v1/assets/{world.ship}/state")).json()

    assert state["asset_id"] == world.ship
    assert state["time"] == "2026-11-20T16:05:00Z"  # the feed's, five minutes after the device's
    assert state["age_s"] >= 0
    assert state["position"] == {"type": "Point", "coordinates": [pytest.approx(4.3 + 1 / 120), 51.95]}
    assert state["speed"] == {"value": 12.0, "unit": "kn"}
    weight = state["weight"]
    assert (weight["displacement_t"], weight["method"], weight["confidence"]) == (56374.7, "block_coefficient", "medium")  # SH4
    assert (weight["deadweight_t"], weight["reason"]) == (None, {"deadweight_t": "no_lightship"})
    assert weight["loading"] == "partial"
    assert state["operating_status"] == "under_way_using_engine"
    assert state["channels"] == {"me_exhaust_temp_c": 340.0}
    assert state["altitude"] is None
    assert state["reason"]["altitude"] == "not_observable"
    assert state["coverage"]["last_heard_at"] == state["time"]


async def test_every_null_part_of_a_state_has_a_reason(ask: Asking, world: World) -> None:
    for state in (await ask("viewer").get("/v1/states")).json()["items"]:
        nulls = {name for name, part in state.items() if part is None}
        assert nulls == set(state["reason"])


async def test_a_state_as_of_an_instant_comes_from_the_readings_up_to_it(ask: Asking, world: World) -> None:
    state = (await ask("viewer").get(f"/v1/assets/{world.ship}/state", params={"valid_at": to_rfc3339(NOON_US)})).json()

    assert state["time"] == "2026-11-20T12:00:00Z"
    assert state["age_s"] == 0
    assert state["position"]["coordinates"][0] == pytest.approx(3.9)
    assert state["lease"]["id"] == world.lease


async def test_a_state_known_before_the_readings_came_is_unknown(ask: Asking, world: World) -> None:
    at = {"valid_at": to_rfc3339(NOON_US)}
    registered = (await ask("viewer").get(f"/v1/assets/{world.ship}")).json()["created_at"]

    state = (await ask("viewer").get(f"/v1/assets/{world.ship}/state", params={**at, "known_at": registered})).json()

    assert state["time"] is None
    assert state["reason"]["time"] == "never_heard"


async def test_an_aircraft_on_the_ground_says_so(ask: Asking, world: World) -> None:
    state = (await ask("viewer").get(f"/v1/assets/{world.plane}/state")).json()

    assert state["operating_status"] == "on_ground"
    assert state["altitude"] == {"value": 3000.0, "unit": "ft", "datum": "1013.25 hPa"}
    assert state["reason"]["weight"] == "not_observable"


async def test_a_lifecycle_holds_what_is_known_so_far(ask: Asking, world: World) -> None:
    life = (await ask("viewer").get(f"/v1/assets/{world.ship}/lifecycle")).json()

    assert (life["first_heard_at"], life["last_heard_at"]) == ("2026-11-20T08:00:00Z", "2026-11-20T16:05:00Z")
    assert life["streams"] == 2
    assert [lease["id"] for lease in life["leases"]] == [world.lease]
    assert life["stage"] == "off_lease"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"identifier": "imo:9074729"}, ["Blue Heron"]),
        ({"identifier": "mmsi:000000000"}, []),
        ({"class": "aircraft"}, ["PH-XYZ"]),
        ({"q": "hero"}, ["Blue Heron"]),
        ({"q": "%"}, []),
        ({"q": "4840"}, ["PH-XYZ"]),
        ({"lessee": "northern bulk", "valid_at": to_rfc3339(NOON_US)}, ["Blue Heron"]),
        ({"lessee": "northern bulk", "valid_at": to_rfc3339(NOON_US + 5 * HOUR_US)}, []),
        ({"bbox": "4.2,51,4.5,52"}, ["Blue Heron"]),
        ({"bbox": "170,-90,-170,90"}, []),
        ({"bbox": "4.2,51,-170,53"}, ["Blue Heron", "PH-XYZ"]),
        ({"bbox": "4.7,51,4.4,53"}, ["Blue Heron", "PH-XYZ"]),
    ],
)
@pytest.mark.asyncio(loop_scope="session")
async def test_filters_select(look: Asking, query: dict[str, str], names: list[str]) -> None:
    answer = await look("viewer").get("/v1/assets", params=query)

    assert answer.status_code == 200
    assert sorted(asset["name"] for asset in answer.json()["items"]) == names


async def test_cursors_walk_a_list_to_its_end_once(ask: Asking, world: World) -> None:
    seen, query = [], {"limit": "1"}
    for _ in range(3):
        page = (await ask("viewer").get("/v1/assets", params=query)).json()
        seen += [asset["id"] for asset in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]

    assert seen == sorted([world.ship, world.plane])


@pytest.mark.parametrize("cursor", ["x", "W10", "WyIxIl0", "////", "eyJhIjoxfQ"])
@pytest.mark.asyncio(loop_scope="session")
async def test_a_cursor_of_another_list_is_refused(look: Asking, cursor: str) -> None:
    answer = await look("viewer").get("/v1/alerts", params={"cursor": cursor})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "#/cursor"


async def test_a_list_is_csv_when_asked(ask: Asking, world: World) -> None:
    answer = await ask("viewer").get("/v1/assets", params={"class": "vessel"}, headers={"Accept": "text/csv"})

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["id"], row["class"], row["stage"]) for row in rows] == [(world.ship, "vessel", "off_lease")]


async def test_a_registered_asset_is_made_once_and_found_at_its_location(ask: Asking) -> None:
    body = {"class": "vessel", "name": "=cmd()", "identifiers": [{"scheme": "imo", "value": "9319466"}]}
    headers = {"Idempotency-Key": "make-1"}

    first = await ask("manager").post("/v1/assets", json=body, headers=headers)
    again = await ask("manager").post("/v1/assets", json=body, headers=headers)
    other = await ask("manager").post("/v1/assets", json={**body, "name": "other"}, headers=headers)

    assert first.status_code == 201, first.text
    assert (again.status_code, again.json(), again.headers["idempotency-replayed"]) == (201, first.json(), "true")
    assert (await ask("manager").get(first.headers["location"])).json() == first.json()
    assert (other.status_code, other.json()["reason"]) == (422, "idempotency_key_reused")
    table = await ask("manager").get("/v1/assets", params={"q": "=cmd"}, headers={"Accept": "text/csv"})
    assert "'=cmd()" in table.text  # a spreadsheet must not run it


async def test_an_identifier_that_is_borne_already_is_a_conflict(ask: Asking) -> None:
    body = {"class": "vessel", "name": "Twin", "identifiers": [{"scheme": "imo", "value": "9074729"}]}

    answer = await ask("admin").post("/v1/assets", json=body)

    assert answer.status_code == 409
    assert answer.json()["errors"][0]["pointer"] == "#/identifiers/0"


async def test_a_patch_changes_what_it_names(ask: Asking, world: World) -> None:
    answer = await ask("manager").patch(
        f"/v1/assets/{world.ship}", json={"name": "Grey Heron", "type": None, "particulars": {"beam_m": None, "mass_t": 3}}
    )

    assert answer.status_code == 200, answer.text
    asset = answer.json()
    assert (asset["name"], asset["type"]) == ("Grey Heron", None)
    assert "beam_m" not in asset["particulars"]
    assert asset["particulars"]["mass_t"] == 3
    assert asset["particulars"]["length_m"] == 225
