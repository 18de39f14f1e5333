"""Emergency codes: how often or how long they must be seen, and what ends them."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize(("squawk", "severity"), [("7500", "critical"), ("7600", "warning"), ("7700", "critical")])
def test_two_decodes_open_with_the_severity_of_the_code(bench: Any, squawk: str, severity: str) -> None:
    (finding,) = bench.run([bench.plane(0, squawk="1000"), bench.plane(1, squawk=squawk), bench.plane(2, squawk=squawk)])
    assert (finding.severity, finding.subject, finding.opened_at_us, finding.detected_at_us) == (
        severity,
        squawk,
        bench.at(1),
        bench.at(2),
    )


def test_one_decode_is_a_momentary_selection(bench: Any) -> None:
    assert (
        bench.run([bench.plane(0, squawk="1000"), bench.plane(1, squawk="7700"), bench.plane(2, squawk="1000")], until=99) == []
    )


def test_two_copies_of_one_instant_are_one_decode(bench: Any) -> None:
    assert bench.run([bench.plane(1, squawk="7700"), bench.plane(1, squawk="7700"), bench.plane(3, squawk="2000")]) == []


def test_a_code_not_contradicted_for_5_s_opens_and_4_s_do_not(bench: Any) -> None:
    assert bench.run([bench.plane(0, squawk="7600"), bench.plane(4.9)]) == []
    assert len(bench.run([bench.plane(0, squawk="7600"), bench.plane(5)])) == 1


def test_another_code_closes_and_the_next_emergency_is_another_episode(bench: Any) -> None:
    codes = ["7600", "7600", "7700", "7700", "1000", "7700", "7700"]
    findings = bench.run([bench.plane(i, squawk=code) for i, code in enumerate(codes)])
    assert [(f.subject, f.closed_at_us is None) for f in findings] == [
        ("7600", True),
        ("7600", False),
        ("7700", True),
        ("7700", False),
        ("7700", True),
    ]
    assert findings[1].closed_at_us == bench.at(2)
    assert len({finding.id for finding in findings}) == 3
