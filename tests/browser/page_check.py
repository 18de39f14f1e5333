"""The web page, seen by a real Chromium against a running stack.

Knows the page's `data-testid` attributes and the marks that the map leaves on the document. Knows nothing of how the stack
was started: `check_page` takes an address and a key, so an end-to-end test calls it with its own.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Locator, Page, Request, expect, sync_playwright

CHROMIUM_ARGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""WebGL by software, and a browser that speaks to nobody on its own account."""

READY_MS = 60_000
"""Until the first fleet is drawn: software WebGL on two shared cores takes seconds, not milliseconds (chosen)."""

SEEN_MS = 130_000
"""Until an alert is seen: the demo promises several kinds within two minutes."""

PICTURE_BYTES_MIN = 20_000
"""A map that was not drawn is one colour and packs into a few kilobytes of PNG (tried: 3 kB empty, 90 kB drawn)."""

DRIVER_CHATTER = re.compile(r"GL Driver Message .*GPU stall due to ReadPixels")
"""Chromium's own word about its software renderer when a picture of the page is taken; no script of ours caused it."""


def chromium_path() -> str | None:
    """The system's Chromium: `CHROMIUM_PATH`, else the first of the usual names on the path, else None."""
    return os.environ.get("CHROMIUM_PATH") or shutil.which("chromium") or shutil.which("google-chrome")


class Witness:
    """What a page said and whom it asked, gathered from before its first request."""

    def __init__(self, page: Page, base_url: str) -> None:
        self.complaints: list[str] = []
        self.strangers: list[str] = []
        self._host = urlsplit(base_url).netloc
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        page.on("request", self._asked)

    def assert_clean(self) -> None:
        """Raises AssertionError when there was an error or a warning, or a request left the host."""
        assert self.complaints == [], "the console has complaints"
        assert self.strangers == [], "requests left the host"

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not DRIVER_CHATTER.search(message.text):
            self.complaints.append(f"{message.type}: {message.text} {message.location}")

    def _asked(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in {"data", "blob"} and address.netloc != self._host:
            self.strangers.append(request.url)


@contextmanager
def opened_page(base_url: str) -> Iterator[tuple[Page, Witness]]:
    """A fresh Chromium with one empty page and its witness. Raises playwright's Error when the browser does not start."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM_ARGS)
        try:
            page = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme="dark")
            yield page, Witness(page, base_url)
        finally:
            browser.close()


def check_page(base_url: str, key: str, screenshot: Path) -> None:
    """Signs in with `key` and asserts that ships, aircraft and an alert are seen, and the page is clean and live.

    Saves the fleet as `screenshot` (PNG) and the detail of an alert's asset beside it as `…-detail.png`. Raises
    AssertionError or playwright's Error with what was missing.
    """
    screenshot.parent.mkdir(parents=True, exist_ok=True)
    with opened_page(base_url) as (page, witness):
        page.goto(f"{base_url.rstrip('/')}/#key={key}")
        page.wait_for_selector('html[data-map-ready="1"]', state="attached", timeout=READY_MS)
        assert key not in page.url, "the key stayed in the address bar"
        expect(page.get_by_test_id("stream-state")).to_have_attribute("data-state", "live", timeout=READY_MS)
        _assert_fleet(page)
        alerts = page.get_by_test_id("alert-row")
        expect(alerts.first).to_be_visible(timeout=SEEN_MS)
        picture = page.get_by_test_id("map").screenshot()
        assert len(picture) > PICTURE_BYTES_MIN, "the map was not drawn"
        page.screenshot(path=screenshot)
        _assert_detail(page, alerts)
        page.screenshot(path=screenshot.with_name(f"{screenshot.stem}-detail.png"))
        witness.assert_clean()


def _assert_fleet(page: Page) -> None:
    """Ships and aircraft are on the map, counted above it, and listed beside it."""
    for name in ("vessel", "aircraft"):
        plural = "vessels" if name == "vessel" else name
        page.wait_for_function(f"Number(document.documentElement.dataset.{plural}OnMap) > 0", timeout=READY_MS)
        expect(page.get_by_test_id(f"fleet-count-{name}")).to_have_text(re.compile(r"^[1-9][\d,]*$"))
        expect(page.locator(f'[data-testid="asset-row"][data-class="{name}"]').first).to_be_attached()
    size = page.get_by_test_id("map").bounding_box()
    assert size is not None, "the map is not laid out"
    assert min(size["width"], size["height"]) > 400, f"the map has no room: {size}"


def _assert_life(detail: Locator) -> None:
    """The drawer turns to the asset's life, which says what is known of it or that nothing is, and back."""
    toggle = detail.get_by_test_id("life-toggle")
    toggle.click()
    life = detail.get_by_test_id("life")
    expect(life).to_be_visible()
    expect(life.get_by_text("Reading…")).to_have_count(0, timeout=READY_MS)
    expect(life.get_by_text("Could not be read.")).to_have_count(0)
    expect(life.get_by_role("button", name="Monthly pack")).to_be_visible()
    toggle.click()
    expect(life).to_be_hidden()


def _assert_detail(page: Page, alerts: Locator) -> None:
    """The worst alert opens its detail, which shares its address, and shows a chart or says why not."""
    worst = alerts.first
    assert worst.get_attribute("data-rule"), "an alert row names no rule"
    assert worst.get_attribute("data-severity") in {"critical", "warning", "info"}
    worst.get_by_role("button").click()
    detail = page.get_by_test_id("detail")
    expect(detail).to_be_visible()
    expect(detail.get_by_role("heading", level=2)).not_to_be_empty()
    assert "alert=" in page.url, "the selection is not in the address bar"
    expect(detail.get_by_text("Reading…")).to_have_count(0, timeout=READY_MS)
    expect(detail.get_by_test_id("alert-card").first).to_be_visible()
    _assert_life(detail)
    page.wait_for_selector('html[data-map-settled="1"]', state="attached", timeout=READY_MS)
