"""What the simulator says, the ingester understands: every field known, none refused, only the corrupted rejected."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from ingest.decode import decode
from simulators.publish import outgoing
from simulators.world import World


def test_every_field_of_the_demo_is_understood(demo: World) -> None:
    found: Counter[str] = Counter()
    begin, end = demo.start - timedelta(minutes=10), demo.start + timedelta(minutes=8)
    for element in demo.elements(begin, end):
        message = outgoing(element)
        decoded = decode(message.topic, message.payload, element.send_at_us)
        if element.raw is not None:
            found["corrupt"] += 1
            assert len(decoded.rejections) == 1
            continue
        assert decoded.rejections == []
        assert (decoded.nulled, decoded.warnings, decoded.unknown_fields) == (Counter(), Counter(), 0)
        found["reading"] += len(decoded.readings)
        found["static"] += len(decoded.statics)
    assert found["corrupt"] >= 2
    assert found["reading"] > 4000
    assert found["static"] >= len(demo.assets())
