"""Rule `parked_long`: an aircraft has stood for longer than its preset allows in service."""

from __future__ import annotations

from detect.parking import Parking

RULE = Parking("parked_long", "parked", "info", next_name="stored", next_word="stored").rule
