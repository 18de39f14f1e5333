"""One fault at a time between a real broker and a real database, and what survives it."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import psycopg_pool.base
import pytest

from ingest.mqtt import RECONNECT_S_MAX, Receiver
from keelwing.cli import FENCED_STATUS
from tests.faults.fix_fleet import Fleet, Running, WorkerProcess, until, workers
from tests.fix_broker import Broker
from tests.fix_proxy import TcpProxy

NEED_ROOM = """
CREATE FUNCTION need_room() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM room WHERE left_for = TG_NAME) THEN
        RAISE disk_full USING MESSAGE = 'could not extend file: No space left on device';
    END IF;
    RETURN NULL;
END $$
"""

DAWDLE = (
    "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.8); RETURN NULL; END $$",
    "CREATE TRIGGER dawdle AFTER INSERT ON reading_vessel FOR EACH STATEMENT EXECUTE FUNCTION dawdle()",
)
_OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
WORKING = f"SELECT pid {_OTHERS} AND wait_event = 'PgSleep'"
WAITING = f"SELECT pid {_OTHERS} AND wait_event_type = 'Lock'"
END_IDLE = f"SELECT pg_terminate_backend(pid) {_OTHERS} AND state = 'idle in transaction'"

Through = Callable[[str], tuple[TcpProxy, str]]


@asynccontextmanager
async def running(fleet: Fleet, broker_url: str, **fields: object) -> AsyncIterator[Running]:
    """A worker as a task of the test, ended in order."""
    worker = await Running.begin(fleet.config(broker_url, **fields))
    yield worker
    await worker.end()


@pytest.fixture
def processes(fleet: Fleet, nats_broker: Broker, tmp_path: Path):  # type: ignore[no-untyped-def]  # noqa: ANN201  a generator of a maker
    """Makes `keelwing worker` processes of one client id."""
    environment = {
        "KEELWING_DATABASE_URL": fleet.url,
        "KEELWING_MQTT_URL": nats_broker.url,
        "KEELWING_MQTT_CLIENT_ID": fleet.client_id,
        "KEELWING_MQTT_RESEND_S": "3",
    }
    with workers(tmp_path, environment) as make:
        yield make


# -- half-open connections ------------------------------------------------------------------------------------------------


async def test_a_broker_that_hears_no_more_is_left_and_found_again(fleet: Fleet, broker: Broker, through: Through) -> None:
    """Everything sent meanwhile waits in the broker; the ping that is not answered ends the dead connection."""
    cable, url = through(broker.url)
    async with running(fleet, url, keepalive_s=2) as worker:
        await fleet.publish(broker.url, fleet.readings(0, 100))
        await fleet.stores(100)
        cable.deaf()
        await fleet.publish(broker.url, fleet.readings(100, 400))
        # Its three sessions give up what is not answered, and knock again.
        await until("the worker knocks anew", lambda: asyncio.sleep(0, cable.connections > 3))
        assert await fleet.stored() == 100
        assert not worker.task.done()
        cable.restore()
        await fleet.stores(500)
    await fleet.holds_each_once(500)


async def test_a_database_that_hears_no_more_holds_nothing_but_its_own_readings(
    fleet: Fleet, nats_broker: Broker, through: Through
) -> None:
    """The broker is answered all the while, what waits is bounded by the window, and a lost reply is not taken for a failure."""
    cable, url = through(fleet.url)
    broker_cable, broker_url = through(nats_broker.url)
    async with running(fleet, broker_url, database_url=url, keepalive_s=2) as worker:
        await fleet.publish(nats_broker.url, fleet.readings(0, 100))
        await fleet.stores(100)
        made = broker_cable.accepted
        cable.deaf()
        deaf_s = time.monotonic()
        await fleet.publish(nats_broker.url, fleet.readings(100, 2600))
        await until("two keep-alives pass", lambda: asyncio.sleep(0, time.monotonic() - deaf_s > 5))
        assert await fleet.stored() == 100
        assert worker.held <= 2048 + 10  # what NATS gives unacknowledged, and probes
        assert not worker.task.done()
        assert broker_cable.accepted == made, "a ping was not answered"
        cable.cut()
        cable.restore()
        await fleet.stores(2700)
    await fleet.holds_each_once(2700)


async def test_a_worker_with_a_deaf_database_still_ends_when_told(
    fleet: Fleet, nats_broker: Broker, through: Through, tmp_path: Path
) -> None:
    """Nothing of what it held was acknowledged: the next worker stores it."""
    cable, url = through(fleet.url)
    environment = {
        "KEELWING_DATABASE_URL": url,
        "KEELWING_MQTT_URL": nats_broker.url,
        "KEELWING_MQTT_CLIENT_ID": fleet.client_id,
    }
    with workers(tmp_path, environment) as make:
        worker = make("worker")
        worker.start()
        await until("it is subscribed", worker.subscribed)
        cable.deaf()
        await fleet.publish(nats_broker.url, fleet.readings(0, 50))
        assert await worker.terminate() == 1
        assert "left as in a crash" in worker.log()
    assert await fleet.stored() == 0
    async with running(fleet, nats_broker.url):
        await fleet.stores(50)
    await fleet.holds_each_once(50)


async def test_a_worker_that_waits_for_its_database_to_start_ends_when_told(
    fleet: Fleet, nats_broker: Broker, through: Through, tmp_path: Path
) -> None:
    """It has nothing yet, so there is nothing to lose."""
    cable, url = through(fleet.url)
    cable.cut()
    environment = {"KEELWING_DATABASE_URL": url, "KEELWING_MQTT_URL": nats_broker.url, "KEELWING_MQTT_CLIENT_ID": fleet.client_id}
    with workers(tmp_path, environment) as make:
        worker = make("worker")
        worker.start()
        await until("it misses its database", lambda: asyncio.sleep(0, "database.away" in worker.log()))
        assert await worker.terminate() == 0


# -- refusals -------------------------------------------------------------------------------------------------------------


async def test_a_broker_that_refuses_for_a_minute_is_asked_again_within_seconds(
    fleet: Fleet, broker: Broker, through: Through
) -> None:
    """The pause between two knocks doubles, up to its bound; here the doubling has gone on as in a minute of refusals."""
    cable, url = through(broker.url)
    async with running(fleet, url) as worker:
        await fleet.publish(broker.url, fleet.readings(0, 10))
        await fleet.stores(10)
        cable.cut()
        await fleet.publish(broker.url, fleet.readings(10, 500))
        await until("it was refused", lambda: asyncio.sleep(0, all(_pause_s(one) is not None for one in worker.receivers)))
        for receiver in worker.receivers:
            receiver._running()._reconnect_delay = 64
        cut_s = time.monotonic()
        await until("they have knocked again", lambda: asyncio.sleep(0, time.monotonic() - cut_s > RECONNECT_S_MAX))
        assert not worker.task.done()
        cable.restore()
        await fleet.stores(510, 3 * RECONNECT_S_MAX)
    await fleet.holds_each_once(510)


def _pause_s(receiver: Receiver) -> int | None:
    return receiver._running()._reconnect_delay


async def test_a_database_that_was_away_for_long_is_back_within_seconds(
    fleet: Fleet, nats_broker: Broker, through: Through, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pool's pause between attempts must not grow with the outage: here a third attempt would be minutes away."""
    monkeypatch.setattr(psycopg_pool.base.AttemptWithBackoff, "DELAY_BACKOFF", 200.0)
    cable, url = through(fleet.url)
    async with running(fleet, nats_broker.url, database_url=url):
        await fleet.publish(nats_broker.url, fleet.readings(0, 10))
        await fleet.stores(10)
        cable.cut()
        await fleet.publish(nats_broker.url, fleet.readings(10, 200))
        cut_s = time.monotonic()
        await until("the second attempt has failed", lambda: asyncio.sleep(0, time.monotonic() - cut_s > 3))
        cable.restore()
        await fleet.stores(210, 30)
    await fleet.holds_each_once(210)


# -- a database that is full or slow --------------------------------------------------------------------------------------


async def test_a_full_disk_is_waited_out(fleet: Fleet, nats_broker: Broker) -> None:
    """What PostgreSQL says when a file cannot grow (SQLSTATE 53100), at the insert and, by a deferred trigger, at COMMIT."""
    await _as_owner(
        fleet.url,
        "CREATE TABLE room (left_for text PRIMARY KEY)",
        "GRANT SELECT ON room TO PUBLIC",
        NEED_ROOM,
        "CREATE TRIGGER the_insert AFTER INSERT ON reading_vessel FOR EACH STATEMENT EXECUTE FUNCTION need_room()",
        "CREATE CONSTRAINT TRIGGER the_commit AFTER INSERT ON commits DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
        " EXECUTE FUNCTION need_room()",
        "INSERT INTO room VALUES ('the_commit')",
    )
    async with running(fleet, nats_broker.url) as worker:
        await fleet.publish(nats_broker.url, fleet.readings(0, 500))
        await _refused(fleet, worker)
        await _as_owner(fleet.url, "UPDATE room SET left_for = 'the_insert'")
        await _refused(fleet, worker)
        await _as_owner(fleet.url, "INSERT INTO room VALUES ('the_commit')")
        await fleet.stores(500)
    await fleet.holds_each_once(500)


async def _refused(fleet: Fleet, worker: Running) -> None:
    """The database refuses for some attempts; nothing is stored, nothing acknowledged, nobody gives up."""
    before = worker.refusals
    await until("three more refusals", lambda: asyncio.sleep(0, worker.refusals >= before + 3))
    assert await fleet.stored() == 0
    assert not worker.task.done()


async def test_a_slow_database_grows_the_batches_and_loses_nothing(fleet: Fleet, nats_broker: Broker, through: Through) -> None:
    """Each commit takes almost a second: batches grow to what is in flight, and pings go on."""
    await _as_owner(fleet.url, *DAWDLE)
    cable, url = through(nats_broker.url)
    async with running(fleet, url, keepalive_s=2) as worker:
        accepted = cable.accepted
        await fleet.publish(nats_broker.url, fleet.readings(0, 3000))
        held = 0

        async def all_stored() -> bool:
            nonlocal held
            held = max(held, worker.held)
            return await fleet.stored() >= 3000

        await until("3000 readings stored", all_stored)
        assert held <= 2 * 2048  # what NATS gives unacknowledged, and what it sent again while the acknowledgement was on its way
        assert cable.accepted == accepted, "a ping was not answered"
    commits = await fleet.rows("SELECT count(DISTINCT xmin::text) FROM reading_vessel")
    assert commits[0]["count"] <= 12, "batches did not grow"
    await fleet.holds_each_once(3000)


async def _as_owner(url: str, *statements: str) -> None:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as conn:
        for statement in statements:
            await conn.execute(statement.encode())


async def _owner_sees(url: str, query: str) -> bool:
    """Whether a query of the owner, who sees everybody's sessions, gives a row."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as conn:
        return await (await conn.execute(query.encode())).fetchone() is not None


# -- two workers ----------------------------------------------------------------------------------------------------------


async def test_of_two_workers_with_one_client_id_the_later_survives(
    fleet: Fleet, nats_broker: Broker, processes: Callable[[str], WorkerProcess]
) -> None:
    """The broker lets one of them in, the shards belong to one: it is the same one, and every reading is stored once."""
    earlier, later = processes("earlier"), processes("later")
    earlier.start()
    await until("the earlier is subscribed", earlier.subscribed)
    publishing = asyncio.create_task(fleet.publish(nats_broker.url, fleet.readings(0, 4000)))
    await fleet.stores(200)
    later.start()
    assert await earlier.wait() == FENCED_STATUS, earlier.log()[-2000:]
    assert "another worker took over" in earlier.log()
    await publishing
    await fleet.stores(4000)
    await fleet.publish(nats_broker.url, fleet.readings(4000, 100))
    await fleet.stores(4100)
    assert await later.terminate() == 0, later.log()[-2000:]
    await fleet.holds_each_once(4100)


async def test_two_idle_workers_do_not_take_the_session_from_each_other_for_ever(
    fleet: Fleet, processes: Callable[[str], WorkerProcess]
) -> None:
    """No reading comes that would tell the earlier that it is fenced: that its session was taken makes it look."""
    earlier, later = processes("earlier"), processes("later")
    earlier.start()
    await until("the earlier is subscribed", earlier.subscribed)
    later.start()
    assert await earlier.wait() == FENCED_STATUS, earlier.log()[-2000:]
    await until("the later is subscribed", later.subscribed)
    assert await later.terminate() == 0, later.log()[-2000:]


@pytest.mark.parametrize("paused_in", ["its sleep", "a transaction"])
async def test_a_paused_worker_that_wakes_after_its_replacement_writes_nothing(
    fleet: Fleet, nats_broker: Broker, processes: Callable[[str], WorkerProcess], paused_in: str
) -> None:
    """Its epoch is over when it wakes: it says so, and what it had in hand is stored by the other."""
    paused, replacement = processes("paused"), processes("replacement")
    paused.start()
    await until("it is subscribed", paused.subscribed)
    await fleet.publish(nats_broker.url, fleet.readings(0, 100))
    await fleet.stores(100)
    if paused_in == "a transaction":
        await _as_owner(fleet.url, *DAWDLE)
        await fleet.publish(nats_broker.url, fleet.readings(100, 100))
        await until("it is in a transaction", lambda: _owner_sees(fleet.url, WORKING))
    paused.signal(signal.SIGSTOP)
    count = 200 if paused_in == "a transaction" else 100
    await fleet.publish(nats_broker.url, fleet.readings(count, 500))
    replacement.start()
    if paused_in == "a transaction":
        await until("its replacement waits for the lock", lambda: _owner_sees(fleet.url, WAITING))
        await _as_owner(fleet.url, END_IDLE, "DROP TRIGGER dawdle ON reading_vessel")  # the server does the first after a minute
    await until("its replacement is subscribed", replacement.subscribed)
    await fleet.stores(count + 500)
    owner = await fleet.rows("SELECT DISTINCT owner, epoch FROM shard_owner")
    paused.signal(signal.SIGCONT)
    assert await paused.wait() == FENCED_STATUS, paused.log()[-2000:]
    assert "another worker took over" in paused.log()
    assert await fleet.rows("SELECT DISTINCT owner, epoch FROM shard_owner") == owner
    await fleet.publish(nats_broker.url, fleet.readings(count + 500, 100))
    await fleet.stores(count + 600)
    assert await replacement.terminate() == 0, replacement.log()[-2000:]
    await fleet.holds_each_once(count + 600)
