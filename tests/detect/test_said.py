"""What an asset says of itself: what adds up, since when, and what of it the rules see."""

from __future__ import annotations

from typing import Any

import pytest

from detect.checkpoint import from_checkpoint, to_checkpoint
from detect.model import Context
from detect.said import hear, says_otherwise
from detect.step import initial_state, step
from fleet.reading import StaticReport


def report(bench: Any, second: float, **particulars: str | float) -> StaticReport:
    return StaticReport(
        asset_class="vessel", scheme="mmsi", value="244660000", time_us=bench.at(second), particulars=dict(particulars)
    )


def test_a_report_of_some_fields_leaves_the_others_as_last_said(bench: Any) -> None:
    state = initial_state("ship", "vessel")
    hear(state, report(bench, 0, type="cargo", length_m=180.0, draught_m=9.5))
    hear(state, report(bench, 60, destination="NLRTM"))
    said = state.said
    assert said is not None
    assert (said.type, said.length_m, said.draught_m, said.destination) == ("cargo", 180.0, 9.5, "NLRTM")
    assert (said.draught_us, said.destination_us, said.time_us) == (bench.at(0), bench.at(60), bench.at(60))


def test_a_draught_said_again_is_as_old_as_its_first_report(bench: Any) -> None:
    state = initial_state("ship", "vessel")
    for second, draught_m in [(0, 9.5), (360, 9.5), (720, 7.0), (1080, 7.0)]:
        hear(state, report(bench, second, draught_m=draught_m))
    assert state.said is not None
    assert state.said.draught_us == bench.at(720)


@pytest.mark.parametrize("spoke_first", [True, False])
def test_a_draught_said_is_the_draught_known_of_the_motion(bench: Any, spoke_first: bool) -> None:
    state = initial_state("ship", "vessel")
    events = [report(bench, 0, draught_m=9.5), bench.ship(0, sog_kn=12.0)]
    for event in events if spoke_first else reversed(events):
        if isinstance(event, StaticReport):
            hear(state, event)
        else:
            step(state, event, Context())
    assert state.seen is not None
    assert state.seen.draught_m == 9.5


def test_an_older_report_is_passed_over(bench: Any) -> None:
    state = initial_state("ship", "vessel")
    hear(state, report(bench, 60, draught_m=7.0))
    hear(state, report(bench, 0, draught_m=9.5))
    assert state.said is not None
    assert state.said.draught_m == 7.0


def test_only_another_value_says_otherwise(bench: Any) -> None:
    state = initial_state("ship", "vessel")
    assert not says_otherwise(state.said, report(bench, 0, draught_m=7.0))
    hear(state, report(bench, 0, draught_m=7.0))
    assert not says_otherwise(state.said, report(bench, 60, draught_m=7.0, name="OTHER"))
    assert says_otherwise(state.said, report(bench, 60, draught_m=7.1))


def test_what_was_said_survives_a_cut(bench: Any) -> None:
    state = initial_state("ship", "vessel")
    hear(state, report(bench, 0, type="tug", destination="NLRTM"))
    restored = from_checkpoint(to_checkpoint(state))
    assert restored is not None
    assert restored.said == state.said
