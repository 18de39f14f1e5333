"""What a dismissal does to a threshold: a step, a bound, and nothing where nothing may be tuned."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.lifecycle import Alert
from alerts.verdict import TUNABLES, adjusted, tunable_of
from detect import behaviour_anomaly, channel_anomaly, vessel
from fleet.instants import MINUTE_US
from tests.alerts.test_lifecycle import opened


def of_channel(**evidence: Any) -> Alert:
    return opened(rule="channel_anomaly", subject="egt_c", score=8.0, evidence={"kind": "off", "open_z": 6.0} | evidence)


def dark(**evidence: Any) -> Alert:
    return opened(evidence={"verdict": "dark", "circumstance": "at_sea", "limit_min": 60.0} | evidence)


def test_the_defaults_are_the_rules_own() -> None:
    own = {
        ("channel_anomaly", "open_z"): channel_anomaly.OPEN_Z,
        ("behaviour_anomaly", "open_z"): behaviour_anomaly.OPEN_Z,
        ("gap", "heard_limit_min"): vessel.HEARD_US / MINUTE_US,
    }
    assert {(one.rule, one.name): one.default for one in TUNABLES} == own


@pytest.mark.parametrize(
    ("alert", "values"), [(of_channel(), [7.0, 8.0, 9.0, 9.0]), (dark(), [90.0, 120.0, 150.0, 180.0, 180.0])]
)
def test_each_dismissal_is_a_step_up_to_the_bound(alert: Alert, values: list[float]) -> None:
    tunable, held, found = tunable_of(alert), None, []
    assert tunable is not None
    for _ in values:
        one = adjusted(alert, tunable, None, held)
        held = (one.base, one.value)
        found.append(one.value)
    assert found == values
    assert one.at_bound


def test_it_starts_from_what_the_tenant_has_set_and_then_from_its_own_base() -> None:
    alert = of_channel(open_z=5.0)
    tunable = tunable_of(alert)
    assert tunable is not None
    assert adjusted(alert, tunable, None, None).value == 6.0
    assert adjusted(alert, tunable, 4.0, None).value == 5.0
    assert adjusted(of_channel(open_z=7.0), tunable, None, (6.0, 7.0)) == adjusted(alert, tunable, 4.0, (6.0, 7.0))


def test_nothing_is_tuned_where_it_would_not_matter_or_must_not() -> None:
    assert all(tunable_of(of_channel(kind=kind)) is None for kind in ("stuck", "dead", "noisy", "drift"))
    assert tunable_of(dark(verdict="unknown")) is None
    assert tunable_of(dark(circumstance="airborne")) is None
    assert tunable_of(msgspec.structs.replace(dark(), severity="critical")) is None
    assert tunable_of(msgspec.structs.replace(dark(), asset_id=None)) is None
    assert tunable_of(opened(rule="port_call_prohibited", severity="critical")) is None
    assert tunable_of(opened(rule="position_conflict")) is None


@settings(max_examples=25)
@given(st.integers(1, 30), st.floats(1.0, 20.0))
def test_no_number_of_dismissals_goes_beyond_the_bound(times: int, setting: float) -> None:
    alert = of_channel()
    tunable = tunable_of(alert)
    assert tunable is not None
    held = None
    for _ in range(times):
        one = adjusted(alert, tunable, setting, held)
        assert one.base < one.value <= one.base + tunable.most
        held = (one.base, one.value)
