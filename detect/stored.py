"""Rule `stored`: an aircraft has stood for so long that its preset calls it stored."""

from __future__ import annotations

from detect.parking import Parking

RULE = Parking("stored", "stored", "warning").rule
