"""Late readings stand behind live ones: in a batch, and when what they touched is derived again."""

from __future__ import annotations

import pytest

from fleet.instants import SECOND_US
from ingest import rederive
from ingest.mqtt import BrokerAddress, Delivery, Inbox, Receiver
from ingest.wire import feed_topic
from store import registry
from tests.fix_bench import Bench, sailing

FEED = feed_topic("demo", "satellite")


def waits_in(receiver: Receiver, word: str, count: int) -> None:
    """Messages that came over a session and were not taken yet."""
    for number in range(count):
        delivery = Delivery(
            topic=word, payload=b"%d" % number, received_us=SECOND_US, connection=0, mids=[number], receiver=receiver
        )
        receiver._queue.append(delivery)


async def taken(devices: int, feeds: int, backfill: int, count_max: int) -> dict[str, int]:
    inbox = Inbox(BrokerAddress(url="mqtt://127.0.0.1:1", client_id="lanes"))
    for receiver, word, count in (
        (inbox._devices, "device", devices),
        (inbox._feeds, "feed", feeds),
        (inbox._backfill, "backfill", backfill),
    ):
        waits_in(receiver, word, count)
    words = [delivery.topic for delivery in await inbox.take(count_max, 0)]
    assert words == sorted(words, key=("feed", "device", "backfill").index), "backfill comes last"
    return {word: words.count(word) for word in ("device", "feed", "backfill")}


@pytest.mark.parametrize(
    ("waiting", "wanted"),
    [
        ((500, 0, 26_000), (100, 0, 0)),  # live readings fill the batch: the buffer waits
        ((60, 0, 26_000), (60, 0, 20)),  # half of what live ones left free
        ((0, 0, 26_000), (0, 0, 50)),  # alone it takes half, so that a live one finds room in the batch under way
        ((500, 500, 26_000), (50, 50, 0)),
    ],
)
async def test_a_batch_takes_live_messages_first(waiting: tuple[int, int, int], wanted: tuple[int, int, int]) -> None:
    assert tuple((await taken(*waiting, count_max=100)).values()) == wanted


async def late_for_all(bench: Bench, ships: int) -> None:
    """A fleet that sailed an hour, and then one position of each ship out of the midst of it."""
    async with bench.pool.connection() as conn:
        await registry.set_feed(conn, "demo", "satellite", "recording")
        for ship in range(ships):
            await registry.register_asset(conn, "demo", "vessel", f"S{ship}", None, [("mmsi", f"5380030{ship:02d}")])

    def element(ship: int, second: float) -> dict[str, object]:
        return {**sailing(second), "class": "vessel", "scheme": "mmsi", "value": f"5380030{ship:02d}"}

    await bench.send((FEED, [element(ship, second) for second in range(0, 3600, 120) for ship in range(ships)]))
    outcome = await bench.send((FEED, [element(ship, 1830) for ship in range(ships)]))
    assert outcome.late == ships


async def test_a_round_derives_a_bounded_number_of_assets_again(bench: Bench) -> None:
    ships = rederive.ASSETS_PER_ROUND_MAX + 5
    await late_for_all(bench, ships)
    rounds = []
    while done := await rederive.rederive_due(bench.pipeline, 0):
        rounds.append(len(done))
    assert max(rounds) <= rederive.ASSETS_PER_ROUND_MAX
    assert sum(rounds) >= ships
    assert await bench.rows("SELECT 1 FROM dirty") == []


async def test_a_round_that_took_long_begins_no_further_asset(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """So a live batch waits for two turns at the most, however many are marked."""
    monkeypatch.setattr(rederive, "ROUND_S_MAX", -1.0)
    await late_for_all(bench, 5)
    assert len(await rederive.rederive_due(bench.pipeline, 0)) == rederive.TURNS_MIN == 2
    assert len(await bench.rows("SELECT 1 FROM dirty")) == 3
