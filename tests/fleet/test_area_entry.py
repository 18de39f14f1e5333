"""Areas as people exchange them: what a file says, and what is wrong with it, named by its place."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.area_entry import Defaults, entries_of_csv, entries_of_geojson
from fleet.instants import to_rfc3339

SQUARE = {"type": "Polygon", "coordinates": [[[10, 50], [11, 50], [11, 51], [10, 51], [10, 50]]]}


def feature(geometry: Any = SQUARE, **properties: Any) -> dict[str, Any]:
    said = {"id": "a1", "name": "Square", "kind": "prohibited", "issuer": "JWC", "version": "032", **properties}
    return {"type": "Feature", "geometry": geometry, "properties": said}


def collection(*features: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


def test_a_feature_is_an_area_in_the_contracts_words() -> None:
    (entry,), faults = entries_of_geojson(collection(feature(applies_to=["vessel"], valid_from="2026-05-01T00:00:00+02:00")))
    assert faults == []
    assert (entry.area_id, entry.kind, entry.severity, entry.applies_to) == ("a1", "prohibited", "warning", ("vessel",))
    assert (entry.west_deg, entry.south_deg, entry.east_deg, entry.north_deg) == (10, 50, 11, 51)
    assert to_rfc3339(entry.valid_from_us or 0) == "2026-04-30T22:00:00Z"
    assert entry.shape.contains(50.5, 10.5)


def test_an_area_over_180_is_kept_cut_and_with_its_own_box() -> None:
    ring = [[177, -19], [-178, -19], [-178, -15], [177, -15], [177, -19]]
    (entry,), _ = entries_of_geojson(feature({"type": "Polygon", "coordinates": [ring]}, kind="watch"))
    assert (entry.west_deg, entry.east_deg, entry.severity) == (177, -178, "info")
    assert entry.geometry["type"] == "MultiPolygon"


def test_a_point_is_a_circle_of_a_ports_radius_unless_it_says_otherwise() -> None:
    point = {"type": "Point", "coordinates": [4.05, 51.95]}
    entries, _ = entries_of_geojson(collection(feature(point, id="a"), feature(point, id="b", radius_m=500)))
    assert [entry.radius_m for entry in entries] == [3000.0, 500.0]
    assert entries[0].geometry == point
    assert entries[0].shape.contains(51.97, 4.05)


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ([], ""),
        (collection(feature(), {"type": "Point"}), "/features/1"),
        (collection(feature(kind="harbour")), "/features/0/properties/kind"),
        (collection(feature(id=None)), "/features/0/properties/id"),
        (collection(feature(issuer="")), "/features/0/properties/issuer"),
        (collection(feature(applies_to=["balloon"])), "/features/0/properties/applies_to"),
        (collection(feature(valid_from="2026-05-01")), "/features/0/properties/valid_from"),
        (
            collection(feature(valid_from="2026-05-01T00:00:00Z", valid_to="2026-05-01T00:00:00Z")),
            "/features/0/properties/valid_to",
        ),
        (collection(feature({"type": "Polygon", "coordinates": [[[0, 0]]]})), "/features/0/geometry/coordinates/0"),
        (collection(feature({"type": "Point", "coordinates": [0, 0]}, radius_m=-1)), "/features/0/properties/radius_m"),
        (collection(feature(), feature()), "/features/1/properties/id"),
        (feature(severity="bad"), "/properties/severity"),
    ],
)
def test_what_is_wrong_is_named_by_its_place(document: Any, pointer: str) -> None:
    assert [fault.pointer for fault in entries_of_geojson(document)[1]] == [pointer]


def test_two_versions_of_one_area_may_follow_each_other() -> None:
    earlier, later = feature(valid_to="2026-05-01T00:00:00Z"), feature(valid_from="2026-05-01T00:00:00Z", version="033")
    assert [len(part) for part in entries_of_geojson(collection(earlier, later))] == [2, 0]


UNLOCODE = """Change,Country,Location,Name,NameWoDiacritics,Subdivision,Status,Function,Date,IATA,Coordinates,Remarks
,NL,RTM,Rotterdam,Rotterdam,ZH,AF,12345---,0501,,5155N 00430E,
,BR,SSZ,Santos,Santos,SP,AI,1--45---,0001,,2357S 04620W,
,NL,AMS,Amsterdam Schiphol,Amsterdam,NH,AF,---4----,0501,,5218N 00446E,
,NL,NOW,Nowhere,Nowhere,NH,AF,1-------,0501,,,
,NL,YYY,Wrong,Wrong,NH,AF,1-------,0501,,52N 4E,
"""

INDEX = """World Port Index Number,Main Port Name,UN/LOCODE,Latitude,Longitude
60170.0,Santos,BR SSZ,-23.95,-46.33333
14210.0,Nameless,,10.5,20.25
1.0,Wrong,,north,east
"""


def test_the_ports_of_un_locode_are_those_with_function_1_and_a_place() -> None:
    entries, faults = entries_of_csv(UNLOCODE)
    assert [(entry.area_id, entry.name, entry.geometry["coordinates"]) for entry in entries] == [
        ("NLRTM", "Rotterdam", [4.5, 51.916667]), ("BRSSZ", "Santos", [-46.333333, -23.95]),
    ]  # fmt: skip
    assert {(entry.kind, entry.issuer, entry.radius_m, entry.applies_to) for entry in entries} == {
        ("port", "UNECE", 3000.0, ("vessel",))
    }
    assert [fault.pointer for fault in faults] == ["line 6"]


def test_the_ports_of_the_world_port_index_bear_their_number_where_they_have_no_code() -> None:
    entries, faults = entries_of_csv(INDEX, Defaults(version="2026-03"))
    assert [(entry.area_id, entry.version, entry.issuer) for entry in entries] == [
        ("BRSSZ", "2026-03", "NGA"), ("WPI-14210", "2026-03", "NGA"),
    ]  # fmt: skip
    assert [fault.pointer for fault in faults] == ["line 4"]


def test_a_table_of_something_else_is_refused() -> None:
    assert entries_of_csv("a,b\n1,2\n") == ([], [("line 1", "neither UN/LOCODE's nor the World Port Index's columns")])


def test_the_demos_areas_are_areas() -> None:
    from keelwing.area_files import demo_entries

    entries = demo_entries()
    assert sum(entry.kind == "port" for entry in entries) == 40
    assert {entry.kind for entry in entries} >= {"port", "anchorage", "yard", "prohibited", "notify", "watch"}
