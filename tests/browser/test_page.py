"""The built page by itself: what it does before it has a key. With a fleet behind it, see the end-to-end tests."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.page_check import chromium_path, opened_page

PAGE = Path(__file__).parents[2] / "api" / "page"
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; worker-src 'self' blob:; "
    "style-src 'self' 'unsafe-inline'; connect-src 'self'"
)

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(chromium_path() is None, reason="no Chromium: set CHROMIUM_PATH"),
    pytest.mark.skipif(not (PAGE / "index.html").exists(), reason="the page is not built: npm run build in web/"),
]


class _Files(SimpleHTTPRequestHandler):
    """The built files under the policy that the API sends with them."""

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's own name)
        """Keep the test's output quiet."""


@pytest.fixture
def base_url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Files, directory=str(PAGE))) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


def test_without_a_key_the_page_asks_for_one_and_speaks_to_nobody_else(base_url: str) -> None:
    with opened_page(base_url) as (page, witness):
        page.goto(base_url)
        expect(page.get_by_test_id("signin-key")).to_be_focused()
        expect(page.get_by_test_id("signin-submit")).to_be_enabled()
        witness.assert_clean()
