"""The notifier against a real database and a real receiver: retries, kills, outages, disabling, rotation."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from alerts.notifier import NotifierSettings, run
from tests.alerts.fix_receiver import SECRET, Receiver
from tests.fix_proxy import TcpProxy

OTHER_SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
OPENED = "keelwing.alert.opened.v1"
DEADLINE_S = 15.0

Row = dict[str, Any]


class Desk:
    """What the API and the ingester would write, and what an operator would look up."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.execute("INSERT INTO tenant (tenant, name) VALUES ('acme', 'Acme'), ('other', 'Other') ON CONFLICT DO NOTHING")

    def execute(self, statement: str, *binds: object) -> list[Row]:
        with psycopg.connect(self.url, row_factory=dict_row) as connection:
            cursor = connection.execute(statement, binds)
            return cursor.fetchall() if cursor.description else []

    def webhook(self, url: str, **columns: Any) -> str:
        made = {"tenant": "acme", "url": url, "secret": SECRET} | columns
        names, places = ", ".join(made), ", ".join(["%s"] * len(made))
        rows = self.execute(f"INSERT INTO webhook ({names}) VALUES ({places}) RETURNING webhook_id::text", *made.values())
        return str(rows[0]["webhook_id"])

    def event(self, tenant: str = "acme", event_type: str = OPENED, severity: str | None = "warning") -> str:
        event_id = f"evt_{uuid.uuid4().hex}"
        body = {
            "specversion": "1.0",
            "id": event_id,
            "source": f"/keelwing/{tenant}",
            "type": event_type,
            "data": {"revision": 1},
        }
        self.execute(
            "INSERT INTO outbox (event_id, tenant, type, severity, time, body) VALUES (%s, %s, %s, %s, now(), %s)",
            *(event_id, tenant, event_type, severity, Jsonb(body)),
        )
        return event_id

    def deliveries(self, webhook_id: str) -> list[Row]:
        return self.execute("SELECT * FROM webhook_delivery WHERE webhook_id = %s ORDER BY sequence", webhook_id)

    def attempts(self, webhook_id: str) -> list[Row]:
        return self.execute("SELECT * FROM webhook_attempt WHERE webhook_id = %s ORDER BY webhook_attempt_id", webhook_id)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until the tables say so; fails the test when they do not in time."""
        async with asyncio.timeout(DEADLINE_S):
            while not await asyncio.to_thread(condition):  # noqa: ASYNC110  tables raise no event
                await asyncio.sleep(0.02)

    async def until_states(self, webhook_id: str, *states: str) -> None:
        await self.until(lambda: [one["state"] for one in self.deliveries(webhook_id)] == list(states))


@pytest.fixture
def desk(database_url: str) -> Desk:
    return Desk(database_url)


@asynccontextmanager
async def notifier(url: str, **settings: Any) -> AsyncIterator[asyncio.Event]:
    """A notifier that runs beside the test; the event stops it, leaving the block does too and waits for its end."""
    stop = asyncio.Event()
    task = asyncio.create_task(run(NotifierSettings(database_url=url, allow_private=True, **settings), stop))
    try:
        yield stop
    finally:
        stop.set()
        async with asyncio.timeout(DEADLINE_S):
            await task


async def test_an_event_reaches_the_endpoints_of_its_tenant_that_want_it(desk: Desk, receiver: Receiver) -> None:
    everything = desk.webhook(receiver.url + "/everything")
    desk.webhook(receiver.url + "/critical", severity_min="critical")
    desk.webhook(receiver.url + "/resolved", types=["keelwing.alert.resolved.v1"])
    desk.webhook(receiver.url + "/stranger", tenant="other")
    async with notifier(desk.url):
        first = desk.event()
        await desk.until_states(everything, "sent")
        second = desk.event(event_type="keelwing.alert.resolved.v1", severity="critical")
        await desk.until_states(everything, "sent", "sent")
        await receiver.until(lambda one: len(one.received) == 4)
    paths = sorted((one.path.rsplit("/", 1)[1], one.event_id) for one in receiver.received)
    assert paths == sorted([("everything", first), ("everything", second), ("critical", second), ("resolved", second)])
    assert {one.path.rsplit("/", 1)[1]: one.event["sequence"] for one in receiver.received if one.event_id == second} == {
        "everything": 2,
        "critical": 1,
        "resolved": 1,
    }
    assert all(one.verified()["id"] == one.event_id for one in receiver.received)


async def test_events_that_waited_for_a_notifier_are_delivered_when_one_starts(desk: Desk, receiver: Receiver) -> None:
    webhook = desk.webhook(receiver.url)
    events = [desk.event() for _ in range(20)]
    async with notifier(desk.url, concurrency_max=3, endpoint_concurrency_max=2):
        await desk.until_states(webhook, *["sent"] * 20)
    assert sorted(receiver.ids) == sorted(events)
    assert {one.event_id: one.event["sequence"] for one in receiver.received} == {
        event: number for number, event in enumerate(events, start=1)
    }


async def test_a_failed_attempt_is_recorded_and_made_again_under_the_same_id(desk: Desk, receiver: Receiver) -> None:
    webhook = desk.webhook(receiver.url)
    receiver.status, receiver.body = 503, b"try later"
    async with notifier(desk.url):
        event = desk.event()
        await desk.until(lambda: len(desk.attempts(webhook)) == 1)
        row = desk.deliveries(webhook)[0]
        wait_s = (row["next_attempt_at"] - datetime.now(UTC)).total_seconds()
        assert (row["state"], row["attempts"], row["claimed_until"]) == ("pending", 1, None)
        assert 3 < wait_s < 5.6
        receiver.status = 204
        desk.execute("UPDATE webhook_delivery SET next_attempt_at = now()")  # five seconds later
        desk.execute("NOTIFY keelwing_outbox")
        await desk.until_states(webhook, "sent")
    attempts = desk.attempts(webhook)
    assert [(one["attempt"], one["status_code"], one["trigger"]) for one in attempts] == [
        (1, 503, "schedule"),
        (2, 204, "schedule"),
    ]
    assert attempts[0]["response_excerpt"] == "try later"
    assert receiver.ids == [event, event]
    assert receiver.received[0].body == receiver.received[1].body


async def test_a_retry_is_made_by_the_clock_without_any_notification(desk: Desk, receiver: Receiver) -> None:
    webhook = desk.webhook(receiver.url)
    desk.event()
    desk.execute("UPDATE webhook_delivery SET next_attempt_at = clock_timestamp() + interval '700 milliseconds', attempts = 1")
    async with notifier(desk.url):
        await desk.until_states(webhook, "sent")
    assert desk.attempts(webhook)[0]["attempt"] == 2


async def test_no_answer_at_all_is_recorded_with_its_reason(desk: Desk, receiver: Receiver) -> None:
    webhook = desk.webhook(receiver.url)
    await receiver.close()
    async with notifier(desk.url):
        desk.event()
        await desk.until(lambda: len(desk.attempts(webhook)) == 1)
    attempt = desk.attempts(webhook)[0]
    assert (attempt["status_code"], attempt["error"]) == (None, "connect_failed")


async def test_private_addresses_are_refused_unless_allowed(desk: Desk, receiver: Receiver) -> None:
    webhook = desk.webhook(receiver.url.replace("http:", "https:"))
    stop = asyncio.Event()
    task = asyncio.create_task(run(NotifierSettings(database_url=desk.url), stop))
    desk.event()
    await desk.until(lambda: len(desk.attempts(webhook)) == 1)
    stop.set()
    await task
    assert desk.attempts(webhook)[0]["error"] == "address_forbidden"
    assert receiver.received == []


async def test_the_tenth_failure_exhausts_the_delivery(desk: Desk, receiver: Receiver) -> None:
    webhook = desk.webhook(receiver.url)
    receiver.status = 500
    desk.event()
    desk.execute("UPDATE webhook_delivery SET attempts = 9")
    async with notifier(desk.url):
        await desk.until_states(webhook, "exhausted")
    assert desk.attempts(webhook)[0]["attempt"] == 10


async def test_gone_disables_the_endpoint_and_tells_the_others(desk: Desk, receiver: Receiver) -> None:
    other = Receiver()
    await other.start()
    gone, well = desk.webhook(receiver.url), desk.webhook(other.url)
    receiver.status = 410
    async with notifier(desk.url):
        event = desk.event()
        await other.until(lambda one: len(one.received) == 2)
        await desk.until_states(well, "sent", "sent")
        desk.event()
        await desk.until_states(well, "sent", "sent", "sent")
    await other.close()
    assert desk.execute("SELECT disabled_reason FROM webhook WHERE webhook_id = %s", gone) == [{"disabled_reason": "gone"}]
    assert receiver.ids == [event]
    told = next(one.verified() for one in other.received if one.event["type"] == "keelwing.webhook.disabled.v1")
    assert told["subject"] == f"webhook/{gone}"
    assert (told["data"]["status"], told["data"]["disabled_reason"]) == ("disabled", "gone")


async def test_an_endpoint_that_failed_for_the_grace_is_disabled_but_one_success_would_have_saved_it(
    desk: Desk, receiver: Receiver
) -> None:
    failing, saved = (desk.webhook(f"{receiver.url}/{name}", types=[OPENED]) for name in ("failing", "saved"))
    old = desk.event()
    insert = (
        "INSERT INTO webhook_attempt (webhook_id, event_id, tenant, attempt, trigger, started_at, duration_ms, status_code)"
        " VALUES (%s, %s, 'acme', %s, 'schedule', %s, 5, %s)"
    )
    six_days_ago = datetime.now(UTC) - timedelta(days=6)
    desk.execute("UPDATE webhook_delivery SET state = 'exhausted'")
    for webhook in (failing, saved):
        desk.execute(insert, webhook, old, 1, six_days_ago, 500)
    desk.execute(insert, saved, old, 2, six_days_ago + timedelta(days=1), 200)
    receiver.status = 500
    async with notifier(desk.url):
        desk.event()
        await desk.until(lambda: len(desk.attempts(failing)) == 2 and len(desk.attempts(saved)) == 3)
        rows = desk.execute("SELECT webhook_id::text FROM webhook WHERE disabled_reason = 'failing'")
        assert [row["webhook_id"] for row in rows] == [failing]
        # Enabled again by a person, it has the whole grace again.
        desk.execute("UPDATE webhook SET disabled_at = NULL, disabled_reason = NULL")
        desk.event()
        await desk.until(lambda: len(desk.attempts(failing)) >= 3)
    assert desk.execute("SELECT FROM webhook WHERE disabled_at IS NOT NULL") == []


async def test_during_a_rotation_both_secrets_sign_and_afterwards_the_new_one(desk: Desk, receiver: Receiver) -> None:
    webhook = desk.webhook(
        receiver.url, secret_previous=OTHER_SECRET, secret_previous_until=datetime.now(UTC) + timedelta(hours=1)
    )
    async with notifier(desk.url):
        desk.event()
        await desk.until_states(webhook, "sent")
        desk.execute("UPDATE webhook SET secret_previous_until = now()")
        desk.event()
        await desk.until_states(webhook, "sent", "sent")
    during, after = receiver.received
    assert during.verified(SECRET)
    assert during.verified(OTHER_SECRET)
    assert after.verified(SECRET)
    assert len(after.headers["webhook-signature"].split()) == 1


async def test_an_endpoint_that_hangs_delays_nobody_else(desk: Desk, receiver: Receiver) -> None:
    other = Receiver()
    await other.start()
    receiver.answering.clear()
    hanging = desk.webhook(receiver.url, types=[OPENED])
    well = desk.webhook(other.url, types=["keelwing.feed.silent.v1"])
    for _ in range(10):
        desk.event()
    async with notifier(desk.url, concurrency_max=3, endpoint_concurrency_max=2):
        await receiver.until(lambda one: len(one.received) == 2)
        for _ in range(5):
            desk.event(event_type="keelwing.feed.silent.v1")
        await desk.until_states(well, *["sent"] * 5)
        assert len(receiver.received) == 2
        receiver.answering.set()
        await desk.until_states(hanging, *["sent"] * 10)
    await other.close()


async def test_two_notifiers_share_the_work(desk: Desk, receiver: Receiver) -> None:
    webhook = desk.webhook(receiver.url)
    events = [desk.event() for _ in range(30)]
    async with notifier(desk.url), notifier(desk.url):
        await desk.until_states(webhook, *["sent"] * 30)
    assert sorted(receiver.ids) == sorted(events)


async def test_an_endpoint_deleted_under_way_leaves_nothing_and_breaks_nothing(desk: Desk, receiver: Receiver) -> None:
    other = Receiver()
    await other.start()
    deleted, well = desk.webhook(receiver.url), desk.webhook(other.url)
    receiver.answering.clear()
    async with notifier(desk.url):
        desk.event()
        await receiver.until(lambda one: len(one.received) == 1)
        desk.execute("DELETE FROM webhook WHERE webhook_id = %s", deleted)
        receiver.answering.set()
        desk.event()
        await desk.until_states(well, "sent", "sent")
    await other.close()
    assert desk.attempts(deleted) == []


async def test_told_to_stop_it_records_what_is_under_way(desk: Desk, receiver: Receiver) -> None:
    webhook = desk.webhook(receiver.url)
    receiver.answering.clear()
    async with notifier(desk.url) as stop:
        desk.event()
        await receiver.until(lambda one: len(one.received) == 1)
        stop.set()
        receiver.answering.set()
    assert [one["state"] for one in desk.deliveries(webhook)] == ["sent"]


async def test_what_a_drain_cuts_off_is_anybody_s_at_once(desk: Desk, receiver: Receiver) -> None:
    webhook = desk.webhook(receiver.url)
    receiver.answering.clear()
    async with notifier(desk.url, drain_s=0.05):
        event = desk.event()
        await receiver.until(lambda one: len(one.received) == 1)
    assert [(one["state"], one["claimed_until"]) for one in desk.deliveries(webhook)] == [("pending", None)]
    receiver.answering.set()
    async with notifier(desk.url):
        await desk.until_states(webhook, "sent")
    assert receiver.ids == [event, event]


async def test_a_database_that_goes_and_comes_back_loses_nothing(
    desk: Desk, receiver: Receiver, proxy: Callable[[str, int], TcpProxy]
) -> None:
    parts = psycopg.conninfo.conninfo_to_dict(desk.url)
    cable = proxy(str(parts["host"]), int(str(parts["port"])))
    through = psycopg.conninfo.make_conninfo(desk.url, host=cable.host, port=cable.port)
    webhook = desk.webhook(receiver.url)
    receiver.answering.clear()
    async with notifier(through, lease_s=1.0):
        first = desk.event()
        await receiver.until(lambda one: len(one.received) == 1)
        cable.cut()  # while an attempt is under way
        receiver.answering.set()
        second = desk.event()
        cable.restore()
        await desk.until_states(webhook, "sent", "sent")
        third = desk.event()  # heard again by notification or by poll
        await desk.until_states(webhook, "sent", "sent", "sent")
    assert set(receiver.ids) == {first, second, third}


async def test_it_waits_for_a_database_that_is_not_there_yet(
    desk: Desk, receiver: Receiver, proxy: Callable[[str, int], TcpProxy]
) -> None:
    parts = psycopg.conninfo.conninfo_to_dict(desk.url)
    cable = proxy(str(parts["host"]), int(str(parts["port"])))
    cable.cut()
    webhook = desk.webhook(receiver.url)
    desk.event()
    async with notifier(psycopg.conninfo.make_conninfo(desk.url, host=cable.host, port=cable.port)):
        cable.restore()
        await desk.until_states(webhook, "sent")


PROGRAM = """
import asyncio, json, signal, sys
from alerts.notifier import NotifierSettings, run

async def main() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await run(NotifierSettings(**json.loads(sys.argv[1])), stop)

asyncio.run(main())
"""


async def test_killed_at_any_moment_everything_arrives_under_its_own_id(desk: Desk, receiver: Receiver) -> None:
    settings = json.dumps({"database_url": desk.url, "allow_private": True, "lease_s": 1.0, "endpoint_concurrency_max": 8})

    async def start() -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-c", PROGRAM, settings, env={**os.environ, "PYTHONPATH": "."}
        )

    webhook = desk.webhook(receiver.url)
    events = [desk.event() for _ in range(40)]
    receiver.answering.clear()
    victim = await start()
    await receiver.until(lambda one: len(one.received) == 8)  # eight answers are waited for
    victim.kill()
    await victim.wait()
    receiver.answering.set()
    assert desk.attempts(webhook) == []
    victim = await start()
    await receiver.until(lambda one: len(one.received) >= 20)  # between requests, answers and records
    victim.kill()
    await victim.wait()
    last = await start()
    await desk.until_states(webhook, *["sent"] * 40)
    last.send_signal(signal.SIGTERM)
    assert await last.wait() == 0
    assert set(receiver.ids) == set(events)
    sent = {one.event_id: one.body for one in receiver.received}
    assert all(one.body == sent[one.event_id] for one in receiver.received)
    assert all(one.verified()["id"] == one.event_id for one in receiver.received)
