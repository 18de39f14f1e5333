"""The demo as somebody meets it: alerts within two minutes, a page, signed webhooks, an end that is clean."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import psycopg
import pytest
from standardwebhooks import Webhook

from keelwing.embedded.postgres import running_url
from tests.browser.page_check import check_page, chromium_path
from tests.fix_stack import Stack, wait_for

ROOT = Path(__file__).parents[2]


def has_kinds(stack: Stack, key: str, count: int) -> bool:
    return len({alert["rule"] for alert in stack.every("/v1/alerts", key)}) >= count


def test_two_lessors_each_have_ships_and_aircraft(demo_stack: Stack) -> None:
    counts = {"vessel": 0, "aircraft": 0}
    for key in demo_stack.keys[:2]:
        classes = [asset["class"] for asset in demo_stack.every("/v1/assets", key)]
        assert {"vessel", "aircraft"} <= set(classes)
        for name in counts:
            counts[name] += classes.count(name)
    assert counts["vessel"] >= 40
    assert counts["aircraft"] >= 20


def test_within_two_minutes_alerts_of_several_kinds_open_in_each_tenant(demo_stack: Stack) -> None:
    for key in demo_stack.keys[:2]:
        wait_for("alerts of three kinds", partial(has_kinds, demo_stack, key, 3), 120)


def test_the_fleet_moves_and_a_line_of_counters_appears(demo_stack: Stack) -> None:
    key = demo_stack.keys[0]
    before = {state["asset_id"]: state["time"] for state in demo_stack.every("/v1/states", key)}

    def moved() -> bool:
        now = {state["asset_id"]: state["time"] for state in demo_stack.every("/v1/states", key)}
        newer = [asset_id for asset_id, time in before.items() if now[asset_id] != time]
        return len(newer) > len(before) / 2

    wait_for("half the fleet has newer readings", moved, 60)
    wait_for("a line of counters", lambda: "readings/s" in demo_stack.output, 30)


@pytest.mark.chromium
@pytest.mark.skipif(chromium_path() is None, reason="no Chromium (CHROMIUM_PATH)")
def test_the_page_shows_ships_aircraft_and_an_alert(demo_stack: Stack) -> None:
    key = demo_stack.keys[0]
    wait_for("an alert to show", lambda: demo_stack.every("/v1/alerts", key, status="open"), 130)
    output = ROOT / "test-output"
    output.mkdir(exist_ok=True)
    check_page(demo_stack.url, key, output / "page.png")
    assert (output / "page.png").stat().st_size > 20_000


class Receiver(BaseHTTPRequestHandler):
    """An alerting system that keeps what it is sent."""

    got: list[tuple[dict[str, str], bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name for it
        """Say nothing: what matters is in `got`."""


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    got: list[tuple[dict[str, str], bytes]] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Kept", (Receiver,), {"got": got}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/hook", got
    server.shutdown()
    server.server_close()
    thread.join(5)


def test_an_alert_leaves_as_a_signed_event(demo_stack: Stack, receiver: tuple[str, list[tuple[dict[str, str], bytes]]]) -> None:
    url, got = receiver
    key = demo_stack.keys[1]
    headers = {"Authorization": f"Bearer {key}"}
    made = httpx.post(f"{demo_stack.url}/v1/webhooks", headers=headers, json={"url": url}, timeout=20)
    assert made.status_code == 201, made.text
    secret = made.json()["secret"]
    alert = wait_for("an open alert", lambda: demo_stack.every("/v1/alerts", key, status="open"), 130)[0]
    done = httpx.post(
        f"{demo_stack.url}/v1/alerts/{alert['id']}/acknowledge", headers=headers, json={"reason": "seen"}, timeout=20
    )
    assert done.status_code == 200, done.text
    acknowledged = "keelwing.alert.acknowledged.v1"
    wait_for("the event arrives", lambda: any(json.loads(body)["type"] == acknowledged for _, body in got), 60)
    sent, body = next((sent, body) for sent, body in got if json.loads(body)["type"] == acknowledged)
    verified = Webhook(secret).verify(body, sent)
    assert verified["specversion"] == "1.0"
    assert verified["data"]["id"] == alert["id"]
    assert verified["data"]["status"] == "acknowledged"
    assert verified["id"] == sent["webhook-id"]


def stored(stack: Stack) -> int:
    url = running_url(stack.directory / "data" / "postgres")
    assert url is not None
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT coalesce(sum(stored), 0) FROM ingest_count").fetchone()
    assert row is not None
    return int(row[0])


def test_killed_and_started_again_it_goes_on_and_ends_on_ctrl_c_within_10_s(stack_directory: Path) -> None:
    stack = Stack(stack_directory, "--demo")
    try:
        stack.start()
        keys = stack.keys
        wait_for("the history is stored", lambda: stored(stack) > 2000, 60)
        before = stored(stack)
        stack.kill()
        stack.start()
        assert stack.keys == keys
        assert stored(stack) >= before
        wait_for("new readings are stored", lambda: stored(stack) > before, 60)
        status, took_s = stack.interrupt()
        assert status == 0, stack.output
        assert took_s < 10
        assert running_url(stack.directory / "data" / "postgres") is None
    finally:
        if stack.process is not None and stack.process.poll() is None:
            stack.interrupt()
