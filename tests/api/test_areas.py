"""Areas: GeoJSON in and out, versions that stay readable, everybody's beside the tenant's own."""

from __future__ import annotations

from typing import Any

from fleet.area_entry import entries_of_geojson
from store import areas
from store.pool import open_pool
from tests.api.fix_world import Asking, World

LIST = "/v1/areas"


def square(name: str, west: float, **properties: Any) -> dict[str, Any]:
    ring = [[west, 50], [west + 1, 50], [west + 1, 51], [west, 51], [west, 50]]
    said = {"id": name, "name": f"Square {name}", "kind": "prohibited", "issuer": "JWC", "version": "1", **properties}
    return {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}, "properties": said}


def collection(*features: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


async def test_every_version_of_an_area_stays_readable(ask: Asking, world: World) -> None:
    first = collection(square("s1", 3), square("s2", 179.5, kind="watch", area_set="list"))
    assert (await ask("manager").post(LIST, json=first)).json() == {"added": 2, "replaced": 0, "unchanged": 0}
    assert (await ask("manager").post(LIST, json=first)).json() == {"added": 0, "replaced": 0, "unchanged": 2}
    (before,) = (await ask("viewer").get(LIST, params={"q": "s1"})).json()["items"]
    second = collection(square("s1", 4, version="2", valid_from="2026-05-01T00:00:00Z"))
    assert (await ask("manager").post(LIST, json=second)).json() == {"added": 0, "replaced": 1, "unchanged": 0}

    versions = [(each["version"], each["valid_from"], each["valid_to"]) for each in
                (await ask("viewer").get(LIST, params={"q": "s1"})).json()["items"]]  # fmt: skip
    assert sorted(versions) == [("1", None, "2026-05-01T00:00:00Z"), ("2", "2026-05-01T00:00:00Z", None)]
    assert (await ask("viewer").get(f"{LIST}/s1")).json()["version"] == "2"
    old = {"valid_at": "2026-01-01T00:00:00Z"}
    assert (await ask("viewer").get(f"{LIST}/s1", params=old)).json()["version"] == "1"
    known = (await ask("viewer").get(LIST, params={"q": "s1", "known_at": before["recorded_at"]})).json()["items"]
    assert [each["version"] for each in known] == ["1"]
    # Over 180° and by list; as GeoJSON it can be imported again.
    over = await ask("viewer").get(LIST, params={"bbox": "179,49,-179,52"}, headers={"Accept": "application/geo+json"})
    assert [feature["id"] for feature in over.json()["features"]] == ["s2"]
    assert (await ask("manager").post(LIST, json=over.json())).json()["unchanged"] == 1
    assert [each["id"] for each in (await ask("viewer").get(LIST, params={"area_set": "list"})).json()["items"]] == ["s2"]
    assert (await ask("manager").post(f"{LIST}/s2/close", json={"at": "2026-05-01T00:00:00Z"})).status_code == 204
    assert (await ask("viewer").get(f"{LIST}/s2", params={"valid_at": "2026-06-01T00:00:00Z"})).status_code == 404


async def test_everybodys_areas_are_read_by_all_and_changed_by_none(ask: Asking, world: World) -> None:
    pool = await open_pool(world.url, "keelwing_worker", 2)
    async with pool.connection() as conn:
        entries, _ = entries_of_geojson(collection(square("NLRTM", 4, kind="port")))
        await areas.import_areas(conn, "_", entries, source="unlocode.csv")
    await pool.close()

    for key in ("viewer", "beta"):
        (seen,) = (await ask(key).get(LIST, params={"kind": "port"})).json()["items"]
        assert (seen["id"], seen["own"], seen["source"]) == ("NLRTM", False, "unlocode.csv")
    assert (await ask("manager").post(f"{LIST}/NLRTM/close", json={"at": "2026-05-01T00:00:00Z"})).status_code == 409
    assert (await ask("lessee").get(LIST)).status_code == 403
    # A tenant's own of the same id is found before it.
    assert (await ask("manager").post(LIST, json=collection(square("NLRTM", 4, kind="port", version="own")))).status_code == 200
    assert (await ask("viewer").get(f"{LIST}/NLRTM")).json()["version"] == "own"
    assert (await ask("beta").get(f"{LIST}/NLRTM")).json()["version"] == "1"
    wrong = await ask("manager").post(LIST, json=collection(square("x", 4), square("y", 4, kind="harbour")))
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "#/features/1/properties/kind")
    assert (await ask("viewer").get(f"{LIST}/x")).status_code == 404
