"""Feeds under watch: each minute it is asked of every live feed whether it still speaks, and those it speaks to are told.

Beside the worker's loop and over a connection of its own, like the daily pass: it reads from the tables when each feed was heard
and when we listened, lets `detect.feed_silent` judge, and writes what changed as findings, alerts and events. Nothing is kept in
memory, so a restart forgets nothing. A recording has no silence of its own (design 4.6) and is never asked about.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime

import structlog

from detect.feed_silent import FeedWord, Silent, judge
from detect.model import Listening
from detect.scene import FEED_QUIET_US
from fleet.instants import DAY_US, MINUTE_US, from_datetime
from ingest.alerting import raise_alerts, row_of
from store import commits, feeds, findings, listening
from store.faults import AWAY
from store.feeds import HeardFeed, SilentFeed
from store.pool import Connection, Pool
from store.rows import FindingRow
from store.transaction import PostgresTransaction

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 20.0  # chosen: a feed's silence is judged by the minute
LISTENING_KEPT_US = 30 * DAY_US  # as the worker looks back
LISTENER = ("_", "device")  # the worker listens to every live origin at once
HELD_SINCE_US = 3 * DAY_US  # chosen: the longest that a gap is asked about
Clock = Callable[[], int]


def now_us() -> int:
    """Wall time in microseconds."""
    return time.time_ns() // 1000


async def watch_feeds(
    pool: Pool, told: Callable[[Mapping[str, int]], None], failed: Callable[[], None], clock: Clock = now_us
) -> None:
    """Look at every live feed once a minute, until cancelled.

    Args:
        pool: of the worker's role.
        told: called with the alerts that a look opened, by severity.
        failed: called for a look that ended in a fault of ours, which is logged with its trace.
        clock: wall time in microseconds.
    """
    looked_us = 0
    while True:
        at_us = clock() // MINUTE_US * MINUTE_US
        if at_us > looked_us:
            try:
                told(await look(pool, at_us))
                looked_us = at_us
            except AWAY as error:
                log.warning("feed_watch.database_away", error=str(error)[:200])
            except Exception:
                log.exception("feed_watch.failed")  # readings go on, the next look tries again, and an alert rule tells of it
                failed()
        await asyncio.sleep(LOOK_EVERY_S)


async def look(pool: Pool, at_us: int) -> Counter[str]:
    """Judge every live feed as of an instant and write what changed; the alerts that it opened, by severity.

    Raises:
        store.faults.AWAY: the database is away; the next look says the same.
    """
    async with pool.connection() as conn:
        heard = Listening(tuple(await listening.during(conn, *LISTENER, at_us - LISTENING_KEPT_US, at_us)))
        stands = await feeds.silent(conn)
        rows: list[FindingRow] = []
        for feed in await feeds.heard(conn, at_us):
            for tenant in feed.audience:
                row = await _judge(conn, tenant, feed, stands.get((tenant, f"feed:{feed.feed}")), heard, at_us)
                if row is not None:
                    rows.append(row)
        if not rows:
            return Counter()
        numbers = await commits.begin_unowned(conn, {row.shard for row in rows})
        written = [one.row for one in await findings.write(conn, rows, numbers)]
        raised = await raise_alerts(PostgresTransaction(conn), written, numbers, at_us)
        log.info("feed_watch.told", feeds=[row.asset for row in written], opened=dict(raised.opened))
        return raised.opened


async def _judge(
    conn: Connection, tenant: str, feed: HeardFeed, stands: SilentFeed | None, heard: Listening, at_us: int
) -> FindingRow | None:  # fmt: skip
    """What one tenant is to be told of one feed."""
    name = f"feed:{feed.feed}"
    back_us, gaps_held = None, 0
    if stands is not None:
        silent_us = from_datetime(datetime.fromisoformat(stands.evidence["last_received_at"]))
        back_us = await feeds.back_us(conn, feed.tenant, name, stands.opened_us, silent_us)
    if stands is not None or at_us - feed.received_us >= MINUTE_US:
        gaps_held = await feeds.gaps_held(conn, tenant, name, feed.last_us - HELD_SINCE_US)
    word = FeedWord(
        name=name, last_us=feed.last_us, received_us=feed.received_us, assets_heard=feed.assets, offline_us=feed.offline_us,
        back_us=back_us,
    )  # fmt: skip
    silent = None
    if stands is not None:
        silent = Silent(opened_us=stands.opened_us, detected_us=stands.detected_us, evidence=stands.evidence)
    limit_us = await feeds.quiet_us(conn, tenant, at_us)
    found = judge(tenant, word, silent, heard, at_us, gaps_held, FEED_QUIET_US if limit_us is None else limit_us)
    if found is None:
        return None
    return row_of(found, tenant, found.id)
