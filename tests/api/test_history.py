"""Tracks and telemetry: order, thinning, buckets, paging."""

import csv
import io

import pytest

from fleet.instants import HOUR_US, to_rfc3339
from tests.api.fix_world import NOON_US, Asking

pytestmark = pytest.mark.asyncio(loop_scope="session")
DAY = {"from": to_rfc3339(NOON_US - 12 * HOUR_US), "to": to_rfc3339(NOON_US + 12 * HOUR_US)}


async def test_a_track_without_bounds_is_the_day_before_the_last_reading(look: Asking) -> None:
    answer = await look("viewer").get(f"/v1/assets/{look.world.ship}/track")

    track = answer.json()
    assert answer.headers["content-type"] == "application/geo+json"
    assert (track["type"], track["geometry"]["type"], len(track["geometry"]["coordinates"])) == ("Feature", "LineString", 98)
    assert track["properties"]["points_total"] == 98
    assert track["properties"]["times"] == sorted(track["properties"]["times"])
    assert track["properties"]["times"][-1] == "2026-11-20T16:05:00Z"


@pytest.mark.parametrize("max_points", [2, 3, 7, 49, 97, 98, 99])
async def test_a_thinned_track_keeps_its_ends_and_its_bound(look: Asking, max_points: int) -> None:
    query = {**DAY, "max_points": str(max_points)}

    times = (await look("viewer").get(f"/v1/assets/{look.world.ship}/track", params=query)).json()["properties"]["times"]

    assert max_points / 2 < len(times) <= max_points
    assert (times[0], times[-1]) == ("2026-11-20T08:00:00Z", "2026-11-20T16:05:00Z")


async def test_a_track_is_half_open_and_empty_with_a_reason(look: Asking) -> None:
    query = {"from": "2026-11-20T08:00:00Z", "to": "2026-11-20T08:05:00Z"}
    one = (await look("viewer").get(f"/v1/assets/{look.world.ship}/track", params=query)).json()
    none = (await look("viewer").get(f"/v1/assets/{look.world.ship}/track", params={**query, "to": query["from"]})).json()

    assert one["geometry"] == {"type": "Point", "coordinates": [pytest.approx(3.5), 51.95]}
    assert none["geometry"] is None
    assert none["properties"]["reason"] == {"geometry": "no_position_in_period"}


async def test_a_track_known_before_its_readings_is_empty(look: Asking) -> None:
    query = {**DAY, "known_at": "2020-01-01T00:00:00Z"}

    assert (await look("viewer").get(f"/v1/assets/{look.world.ship}/track", params=query)).json()["geometry"] is None


async def test_valid_at_ends_a_track(look: Asking) -> None:
    query = {"valid_at": to_rfc3339(NOON_US)}

    times = (await look("viewer").get(f"/v1/assets/{look.world.ship}/track", params=query)).json()["properties"]["times"]

    assert times[-1] == "2026-11-20T12:00:00Z"


async def test_moving_features_json_by_accept(look: Asking) -> None:
    accept = {"Accept": "application/mf-json"}
    answer = await look("viewer").get(f"/v1/assets/{look.world.ship}/track", params=DAY, headers=accept)

    moving = answer.json()["temporalGeometry"]
    assert answer.headers["content-type"] == "application/mf-json"
    assert moving["type"] == "MovingPoint"
    assert len(moving["datetimes"]) == len(set(moving["datetimes"])) == len(moving["coordinates"]) == 98


async def test_telemetry_pages_hold_every_reading_once(look: Asking) -> None:
    path, query = f"/v1/assets/{look.world.ship}/telemetry", {**DAY, "limit": "40", "fields": "sog_kn,me_exhaust_temp_c"}
    rows: list[dict[str, object]] = []
    for _ in range(3):
        page = (await look("viewer").get(path, params=query)).json()
        rows += page["items"]
        query["cursor"] = page["next_cursor"] or ""

    assert page["next_cursor"] is None
    assert len(rows) == 98
    assert len({str(row["time"]) for row in rows}) == 98
    assert rows[0] == {"time": "2026-11-20T08:00:00Z", "source": "device", "sog_kn": 12.0, "me_exhaust_temp_c": 340.0}


async def test_telemetry_without_fields_has_the_class_and_every_channel(look: Asking) -> None:
    row = (await look("viewer").get(f"/v1/assets/{look.world.ship}/telemetry", params={**DAY, "limit": "1"})).json()["items"][0]

    assert {"lat_deg", "lon_deg", "sog_kn", "nav_status", "draught_m", "me_exhaust_temp_c"} <= set(row)
    assert row["rot_deg_min"] is None


async def test_buckets_say_count_and_spread(look: Asking) -> None:
    query = {**DAY, "fields": "sog_kn,me_exhaust_temp_c,rot_deg_min", "bucket": "PT1H"}
    answer = await look("viewer").get(f"/v1/assets/{look.world.ship}/telemetry", params=query)

    rows = answer.json()["items"]
    assert [row["time"][11:13] for row in rows] == [f"{hour:02}" for hour in range(8, 17)]
    assert (rows[0]["readings"], rows[-1]["readings"]) == ({"count": 12}, {"count": 2})
    assert rows[0]["sog_kn"] == {"count": 12, "min": 12.0, "mean": 12.0, "max": 12.0}
    assert rows[0]["me_exhaust_temp_c"]["mean"] == 340.0
    assert rows[0]["rot_deg_min"] is None


async def test_buckets_of_text_and_flags_keep_the_last(look: Asking) -> None:
    query = {**DAY, "bucket": "P1D"}
    (row,) = (await look("viewer").get(f"/v1/assets/{look.world.plane}/telemetry", params=query)).json()["items"]

    assert (row["on_ground"], row["squawk"], row["gs_kn"]["count"]) == (True, "1000", 2)


async def test_telemetry_as_csv_has_a_column_a_part(look: Asking) -> None:
    query, accept = {**DAY, "fields": "sog_kn", "bucket": "PT1H", "limit": "2"}, {"Accept": "text/csv"}
    answer = await look("viewer").get(f"/v1/assets/{look.world.ship}/telemetry", params=query, headers=accept)

    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["sog_kn.max"] for row in rows] == ["12.0", "12.0"]
    assert 'rel="next"' in answer.headers["link"]
    follow = answer.headers["link"].partition(">")[0].removeprefix("<")
    assert (await look("viewer").get(follow, headers=accept)).text.splitlines()[1].startswith("2026-11-20T10:00:00Z")


@pytest.mark.parametrize(
    "query",
    [
        {"fields": "Nonsense!"}, {"fields": ""}, {"fields": "time"}, {"bucket": "1h"}, {"bucket": "PT0S"}, {"bucket": "P32D"},
        {"bucket": "PT"}, {"bucket": "P1DT"}, {"bucket": "PT1S", "from": "2000-01-01T00:00:00Z"},
    ],
)  # fmt: skip
async def test_telemetry_refuses_what_it_cannot_give(look: Asking, query: dict[str, str]) -> None:
    answer = await look("viewer").get(f"/v1/assets/{look.world.ship}/telemetry", params=query)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["in"] == "query"
