"""The whole way: a finding opens an alert in the tables, and a signed event of every change leaves."""

from __future__ import annotations

import asyncio

import psycopg
from psycopg.rows import dict_row

from alerts.notifier import NotifierSettings, run
from ingest.alerting import raise_alerts
from store import commits
from store.pool import open_pool
from store.transaction import PostgresTransaction
from tests.alerts.fix_findings import HOUR_US, OPENED_US, finding
from tests.alerts.fix_receiver import SECRET, Receiver


async def test_every_change_of_an_alert_leaves_as_a_signed_event_with_the_whole_of_it(
    database_url: str, receiver: Receiver
) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("INSERT INTO tenant (tenant, name) VALUES ('acme', 'Acme') ON CONFLICT DO NOTHING")
        connection.execute("INSERT INTO webhook (tenant, url, secret) VALUES ('acme', %s, %s)", (receiver.url, SECRET))
    emissions = [
        [finding()],
        [finding(evidence={"silent_h": 7.5})],  # told to nobody
        [finding(severity="critical"), finding(severity="critical", closed_us=OPENED_US + HOUR_US)],
        [finding(retracted=True)],
    ]
    stop = asyncio.Event()
    sending = asyncio.create_task(run(NotifierSettings(database_url=database_url, allow_private=True), stop))
    pool = await open_pool(database_url, "keelwing_worker", 2)
    async with pool.connection() as conn:
        ownership = await commits.claim(conn, range(64), "test")
    for at_us, rows in enumerate(emissions, start=OPENED_US + 2 * HOUR_US):
        async with pool.connection() as conn:
            await raise_alerts(PostgresTransaction(conn), rows, await commits.begin(conn, ownership, {rows[0].shard}), at_us)
    await receiver.until(lambda one: len(one.received) == 3)
    stop.set()
    await sending
    await pool.close()
    told = sorted((one.verified() for one in receiver.received), key=lambda event: event["sequence"])
    assert [event["type"].split(".")[2] for event in told] == ["opened", "updated", "retracted"]
    assert [event["data"]["revision"] for event in told] == [1, 3, 5]
    assert [event["data"]["severity"] for event in told] == ["warning", "critical", "critical"]
    assert told[0]["data"]["evidence"]["silent_h"] == 6.5
    with psycopg.connect(database_url, row_factory=dict_row) as connection:
        rows_left = connection.execute("SELECT alert_id::text, status, revision FROM alert").fetchall()
    assert rows_left == [{"alert_id": told[0]["data"]["id"], "status": "retracted", "revision": 5}]
