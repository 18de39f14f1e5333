"""Tracks as documents: cut at 180°, one instant, any fixes."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from api.tracks import Fix, cut_at_antimeridian, feature, moving_feature
from fleet.instants import SECOND_US


def test_a_line_over_180_degrees_is_cut_where_it_crosses() -> None:
    """Golden: from 170°E to 170°W is 20° the short way; the cut is half way in latitude and time."""
    fixes = [Fix(0, 170.0, 10.0), Fix(3600 * SECOND_US, -170.0, 20.0), Fix(7200 * SECOND_US, -160.0, 20.0)]

    document = feature("a", fixes, 3, None, None)

    assert document["geometry"] == {
        "type": "MultiLineString",
        "coordinates": [[(170.0, 10.0), (180.0, 15.0)], [(-180.0, 15.0), (-170.0, 20.0), (-160.0, 20.0)]],
    }
    assert document["properties"]["times"][0][1] == document["properties"]["times"][1][0] == "1970-01-01T00:30:00Z"


def test_a_single_instant_is_no_moving_point() -> None:
    document = moving_feature("a", [Fix(0, 1.0, 2.0), Fix(0, 1.5, 2.0)], 2, None, None)

    assert document["temporalGeometry"] is None
    assert document["properties"]["reason"] == {"temporalGeometry": "fewer_than_two_instants"}


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10**12), st.floats(-180, 180), st.floats(-90, 90)), max_size=12))
def test_no_piece_crosses_180_and_no_fix_is_lost(raw: list[tuple[int, float, float]]) -> None:
    fixes = [Fix(*each) for each in sorted(raw)]

    pieces = cut_at_antimeridian(fixes)

    for piece in pieces:
        assert all(abs(after.lon_deg - before.lon_deg) <= 180 for before, after in pairwise(piece))
        assert all(-180 <= fix.lon_deg <= 180 and -90 <= fix.lat_deg <= 90 for fix in piece)
    kept = [fix for piece in pieces for fix in piece]
    rest = iter(kept)
    assert all(fix in rest for fix in fixes)  # each in its order among what was added
    assert [fix.time_us for fix in kept] == sorted(fix.time_us for fix in kept)
