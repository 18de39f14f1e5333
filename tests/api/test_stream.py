"""The live stream over a real server: order, resuming, scopes, slow clients, stopping."""

import asyncio
import json
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager

import httpx
import psycopg
import pytest

from api.live import HELLO, Audience, Client, LiveEvent, LiveHub
from api.metrics import Metrics
from api.settings import ApiSettings
from fleet.aircraft import AircraftReading
from fleet.instants import HOUR_US, MINUTE_US
from fleet.shards import shard_of
from store import live, registry
from store.pool import Pool, open_pool
from store.rows import LiveRow, ReadingRow, StepBatch
from tests.api.fix_served import START_S, Served, serving
from tests.api.fix_world import NOON_US, World, commit, ship_reading

DEADLINE_S = 10.0


@pytest.fixture
def served(world: World) -> Iterator[Served]:
    """The API of this test's world on a port."""
    settings = ApiSettings(database_url=world.url, port=0, pool_max=4, state_interval_s=0.1, stream_clients_max=3)
    with serving(settings) as running:
        yield running


@pytest.fixture
async def worker(world: World) -> AsyncIterator[Pool]:
    """Connections of the worker."""
    pool = await open_pool(world.url, "keelwing_worker", 2)
    yield pool
    await pool.close()


class Events:
    """An open stream, read event by event."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.lines = response.aiter_lines()

    async def next(self, *kinds: str) -> tuple[str, int, dict[str, object]]:
        """The next event of one of these kinds: (kind, id, data)."""
        async with asyncio.timeout(DEADLINE_S):
            found: dict[str, str] = {}
            async for line in self.lines:
                name, _, value = line.partition(": ")
                if line == "" and "data" in found:
                    if found["event"] in kinds:
                        return found["event"], int(found["id"]), json.loads(found["data"])
                    found = {}
                elif name in {"event", "id", "data"}:
                    found[name] = value
        raise AssertionError("the stream ended")


@asynccontextmanager
async def listening(served: Served, key: str, last: int | None = None) -> AsyncIterator[Events]:
    """An open stream of a key."""
    headers = {"Authorization": f"Bearer {key}"} | ({} if last is None else {"Last-Event-ID": str(last)})
    async with (
        httpx.AsyncClient(timeout=DEADLINE_S) as client,
        client.stream("GET", f"{served.url}/v1/stream", headers=headers) as response,
    ):
        assert response.status_code == 200, await response.aread()
        assert response.headers["content-type"].startswith("text/event-stream")
        events = Events(response)
        assert await anext(events.lines) == ": connected"
        yield events


async def tell(worker: Pool, *numbers: int, tenant: str = "alpha") -> None:
    """Write live events, each in its own transaction."""
    for number in numbers:
        async with worker.connection() as conn:
            await live.insert(conn, [LiveRow(tenant=tenant, kind="finding", asset_id="", body={"n": number})])


async def test_findings_come_in_order_with_growing_ids(served: Served, world: World, worker: Pool) -> None:
    async with listening(served, world.keys["viewer"]) as events:
        await tell(worker, 1, 2, 3)
        got = [await events.next("finding") for _ in range(3)]

    assert [data["n"] for _, _, data in got] == [1, 2, 3]
    assert [event_id for _, event_id, _ in got] == sorted({event_id for _, event_id, _ in got})


async def test_a_stream_resumes_behind_its_last_event(served: Served, world: World, worker: Pool) -> None:
    async with listening(served, world.keys["viewer"]) as events:
        await tell(worker, 1)
        _, last, _ = await events.next("finding")
    await tell(worker, 2, 3)

    async with listening(served, world.keys["viewer"], last) as events:
        await tell(worker, 4)
        got = [await events.next("finding") for _ in range(3)]

    assert [data["n"] for _, _, data in got] == [2, 3, 4]


async def test_without_a_last_event_only_what_comes_is_told(served: Served, world: World, worker: Pool) -> None:
    await tell(worker, 1)

    async with listening(served, world.keys["viewer"]) as events:
        await tell(worker, 2)
        _, _, data = await events.next("finding", "alert")

    assert data["n"] == 2


async def test_an_acknowledged_alert_reaches_open_pages(served: Served, world: World) -> None:
    async with listening(served, world.keys["viewer"]) as events, httpx.AsyncClient() as client:
        headers = {"Authorization": f"Bearer {world.keys['manager']}"}
        answer = await client.post(f"{served.url}/v1/alerts/{world.alert}/acknowledge", headers=headers)
        _, _, data = await events.next("alert")

    assert answer.status_code == 200
    assert (data["id"], data["status"]) == (world.alert, "acknowledged")


async def hear(worker: Pool, world: World, time_us: int, received_us: int, speed_kn: float) -> None:
    """Commit one more reading of alpha's ship."""
    async with worker.connection() as conn:
        key = ("alpha", "device", "vessel", "imo", "9074729")
        stream_id = (await registry.resolve_streams(conn, [key]))[key]
        said = ship_reading(time_us, speed_kn=speed_kn)
        row = ReadingRow(stream_id=stream_id, shard=shard_of(world.ship), received_us=received_us, reading=said)
        await commit(conn, world, StepBatch(readings=[row]), {row.shard})


async def test_a_reading_becomes_a_state_and_is_told_once(served: Served, world: World, worker: Pool) -> None:
    now_us = time.time_ns() // 1000
    async with listening(served, world.keys["viewer"]) as events:
        await hear(worker, world, NOON_US + 5 * HOUR_US, now_us, 13.5)
        _, _, first = await events.next("state")
        await hear(worker, world, NOON_US + 6 * HOUR_US, now_us + MINUTE_US, 14.5)
        _, _, second = await events.next("state")

    assert (first["asset_id"], first["speed"]) == (world.ship, {"value": 13.5, "unit": "kn"})
    assert second["speed"] == {"value": 14.5, "unit": "kn"}


async def test_more_states_than_one_pull_tells_come_with_the_next(
    served: Served, world: World, worker: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.live.STATES_MAX", 1)
    now_us = time.time_ns() // 1000
    rows = []
    async with worker.connection() as conn:
        wanted = [("alpha", "device", "vessel", "imo", "9074729"), ("alpha", "device", "aircraft", "icao24", "4840d6")]
        streams = await registry.resolve_streams(conn, wanted)
        plane = AircraftReading(scheme="icao24", value="4840d6", time_us=now_us, seq=1, gs_kn=140.0)
        for key, asset, said in ((wanted[0], world.ship, ship_reading(now_us)), (wanted[1], world.plane, plane)):
            rows.append(ReadingRow(stream_id=streams[key], shard=shard_of(asset), received_us=now_us, reading=said))
    async with listening(served, world.keys["viewer"]) as events:
        async with worker.connection() as conn:
            await commit(conn, world, StepBatch(readings=rows), {row.shard for row in rows})
        told = {str((await events.next("state"))[2]["asset_id"]) for _ in range(2)}

    assert told == {world.ship, world.plane}


async def test_streams_do_not_cross_tenants_and_a_lessee_hears_no_findings(
    served: Served, world: World, worker: Pool
) -> None:  # fmt: skip
    async with (
        listening(served, world.keys["beta"]) as theirs,
        listening(served, world.keys["lessee"]) as lessee,
        listening(served, world.keys["viewer"]) as ours,
    ):
        await tell(worker, 1)
        await ours.next("finding")
        await tell(worker, 2, tenant="beta")
        _, _, data = await theirs.next("finding")
        assert data["n"] == 2
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await lessee.next("finding", "alert")


async def test_more_streams_than_there_may_be_are_refused(served: Served, world: World) -> None:
    headers = {"Authorization": f"Bearer {world.keys['viewer']}"}
    async with (
        listening(served, world.keys["viewer"]),
        listening(served, world.keys["viewer"]),
        listening(served, world.keys["viewer"]),
        httpx.AsyncClient() as client,
    ):
        answer = await client.get(f"{served.url}/v1/stream", headers=headers)

    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")


async def test_a_bad_last_event_id_and_a_missing_key_are_refused(served: Served, world: World) -> None:
    async with httpx.AsyncClient() as client:
        headers = {"Authorization": f"Bearer {world.keys['viewer']}", "Last-Event-ID": "x"}
        bad = await client.get(f"{served.url}/v1/stream", headers=headers)
        keyless = await client.get(f"{served.url}/v1/stream")

    assert (bad.status_code, bad.json()["errors"][0]["pointer"]) == (422, "#/Last-Event-ID")
    assert keyless.status_code == 401


async def test_the_server_stops_in_time_with_streams_open(served: Served, world: World) -> None:
    async with listening(served, world.keys["viewer"]):
        seconds = await asyncio.to_thread(served.stop)

    assert seconds < 5


async def test_the_process_stops_cleanly_at_sigterm_with_a_stream_open(world: World) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = "import sys; from api.serve import run; from api.settings import ApiSettings;"
    code += "run(ApiSettings(database_url=sys.argv[1], port=int(sys.argv[2])))"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, world.url, str(port))
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=DEADLINE_S) as client:
            async with asyncio.timeout(START_S):
                while not await answers(client):  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.05)
            headers = {"Authorization": f"Bearer {world.keys['viewer']}"}
            async with client.stream("GET", "/v1/stream", headers=headers) as response:
                assert await anext(response.aiter_lines()) == ": connected"
                began_s = time.monotonic()
                process.send_signal(signal.SIGTERM)
                async with asyncio.timeout(DEADLINE_S):
                    status = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()

    assert (status, time.monotonic() - began_s < 5) == (0, True)


async def test_a_fault_in_the_task_that_feeds_streams_ends_the_process_with_its_trace(world: World) -> None:
    code = "import sys; from api.live import LiveHub; from api.serve import run; from api.settings import ApiSettings\n"
    code += "async def broken(hub): 1 / 0\n"
    code += "LiveHub._pull = broken; run(ApiSettings(database_url=sys.argv[1], port=0))"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, world.url, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(START_S):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()

    assert process.returncode not in {0, None}
    assert b"ZeroDivisionError" in said


async def answers(client: httpx.AsyncClient) -> bool:
    """Whether the server is there."""
    try:
        return (await client.get("/healthz")).status_code == 200
    except (httpx.ConnectError, httpx.TimeoutException):
        return False


async def test_a_stream_goes_on_after_the_listener_lost_its_connection(served: Served, world: World, worker: Pool) -> None:
    async with listening(served, world.keys["viewer"]) as events:
        with psycopg.connect(world.url) as conn:
            cut = conn.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'keelwing_live' AND datname = current_database()"
            ).fetchall()
        await tell(worker, 1)
        _, _, data = await events.next("finding")

    assert cut == [(True,)]
    assert data["n"] == 1


async def test_a_slow_client_is_ended_and_counted(world: World, worker: Pool) -> None:
    metrics = Metrics()
    settings = ApiSettings(database_url=world.url, stream_queue_max=3, state_interval_s=0.1)
    pool = await open_pool(world.url, "keelwing_api", 2)
    hub = LiveHub(settings, pool, metrics)
    try:
        async with hub.running(), aclosing(hub.events(Audience("alpha", None), None)) as events:
            assert await anext(events) is HELLO
            (client,) = hub._groups[Audience("alpha", None)].clients
            await tell(worker, 0)
            async with asyncio.timeout(DEADLINE_S):
                assert json.loads((await anext(events)).data) == {"n": 0}  # taken; from here on nobody takes
                await tell(worker, *range(1, 9))
                while not client.dropped:  # noqa: ASYNC110 - the hub has no event for what only a test waits for
                    await asyncio.sleep(0.01)
                taken = [json.loads(event.data)["n"] async for event in events]
    finally:
        await pool.close()

    assert taken == list(range(1, 9))[: len(taken)]  # in order, without a hole
    assert 2 <= len(taken) <= 4  # one may have been in hand already
    assert metrics.registry.get_sample_value("keelwing_api_stream_dropped_total") == 1
    assert metrics.registry.get_sample_value("keelwing_api_stream_clients") == 0


def test_a_client_that_takes_nothing_is_dropped_at_its_bound() -> None:
    client = Client(2)
    event = LiveEvent("state", 1, b"{}")

    assert [client.offer(event) for _ in range(4)] == [True, True, False, False]
    assert client.dropped
    assert [client.queue.get_nowait() for _ in range(3)] == [event, event, None]
