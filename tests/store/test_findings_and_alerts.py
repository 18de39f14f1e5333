"""Findings are append-only, one alert is open per key, and events leave in commit order to whom they concern."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import msgspec
import psycopg
import pytest

from store import alerts, commits, findings, live, outbox, registry
from store.pool import Connection, Pool
from store.rows import AlertChangeRow, AlertRow, EventRow, FindingRow, LiveRow


@pytest.fixture
async def asset_id(pool: Pool) -> str:
    async with pool.connection() as conn:
        await registry.create_tenant(conn, "demo", "Demo")
        return await registry.register_asset(conn, "demo", "vessel", "It", None, [("mmsi", "244660000")])


async def write(pool: Pool, ownership: commits.Ownership, rows: Sequence[FindingRow]) -> list[findings.FindingRevision]:
    async with pool.connection() as conn:
        return await findings.write(conn, rows, await commits.begin(conn, ownership, {row.shard for row in rows}))


async def history(pool: Pool) -> list[tuple[int, bool, bool]]:
    async with pool.connection() as conn:
        cursor = await conn.execute("SELECT revision, retracted, superseded_by IS NULL AS now FROM finding ORDER BY revision")
        return [(row["revision"], row["retracted"], row["now"]) for row in await cursor.fetchall()]


async def test_the_same_finding_again_writes_nothing(pool: Pool, ownership: Any, say: Any, asset_id: str) -> None:
    row = say.finding(asset_id, evidence={"silence_h": 6.0, "track": (1, 2.5), "reachable": None})
    assert [one.revision for one in await write(pool, ownership, [row, row])] == [1]
    later = msgspec.structs.replace(row, detected_us=row.detected_us + 1)
    assert await write(pool, ownership, [row, later]) == []
    assert await history(pool) == [(1, False, True)]


async def test_a_difference_is_a_revision_and_a_retraction_too(pool: Pool, ownership: Any, say: Any, asset_id: str) -> None:
    row = say.finding(asset_id)
    closed = msgspec.structs.replace(row, closed_us=row.opened_us + 5)
    gone = msgspec.structs.replace(closed, retracted=True)
    await write(pool, ownership, [row])
    written = await write(pool, ownership, [closed, gone])
    assert [(one.revision, one.previous) for one in written] == [(2, row), (3, closed)]
    assert await history(pool) == [(1, False, False), (2, False, False), (3, True, True)]
    async with pool.connection() as conn:
        assert await findings.current(conn, asset_id, 0) == []
    assert [one.revision for one in await write(pool, ownership, [closed])] == [4]


async def test_a_retraction_of_nothing_writes_nothing(pool: Pool, ownership: Any, say: Any, asset_id: str) -> None:
    assert await write(pool, ownership, [say.finding(asset_id, retracted=True)]) == []


async def test_the_current_findings_of_a_time_reach_into_it(pool: Pool, ownership: Any, say: Any, asset_id: str) -> None:
    ended = say.finding(asset_id, "ended", closed_us=say.NOON_US + 1, detected_us=say.NOON_US)
    lasting = say.finding(asset_id, "lasting", detected_us=say.NOON_US)
    await write(pool, ownership, [ended, lasting])
    async with pool.connection() as conn:
        assert [one.row for one in await findings.current(conn, asset_id, say.NOON_US + 10)] == [lasting]
        assert len(await findings.current(conn, asset_id, say.NOON_US)) == 2


def opened(finding: FindingRow, **fields: Any) -> AlertChangeRow:
    known: dict[str, Any] = {
        "alert_id": str(uuid4()), "tenant": finding.tenant, "asset_id": finding.asset_id, "asset": finding.asset,
        "lease_id": None, "rule": finding.rule, "subject": finding.subject, "severity": finding.severity, "status": "open",
        "opened_us": finding.opened_us, "updated_us": finding.detected_us, "closed_us": None, "revision": 1,
        "evidence": finding.evidence, "finding_ids": (finding.finding_id,),
    }  # fmt: skip
    return AlertChangeRow(alert=AlertRow(**{**known, **fields}), shard=0, change="opened", actor="keelwing")


def changed(change: AlertChangeRow, kind: str, **fields: Any) -> AlertChangeRow:
    alert = msgspec.structs.replace(change.alert, revision=change.alert.revision + 1, **fields)
    before = {"before_status": change.alert.status, "before_severity": change.alert.severity}
    return AlertChangeRow(alert=alert, shard=0, change=kind, actor="somebody", reason="seen", **before)


async def test_one_key_has_one_open_alert_and_another_after_it_closed(
    pool: Pool, ownership: Any, say: Any, asset_id: str
) -> None:
    finding = say.finding(asset_id)
    first = opened(finding)
    resolved = changed(first, "resolved", status="resolved", closed_us=say.NOON_US)
    async with pool.connection() as conn:
        await alerts.write(conn, [first], await commits.begin(conn, ownership, [0]))
        assert await alerts.open_for(conn, [finding]) == [first.alert]
    with pytest.raises(psycopg.errors.UniqueViolation, match="alert_one_open"):
        async with pool.connection() as conn:
            await alerts.write(conn, [opened(finding)], await commits.begin(conn, ownership, [0]))
    async with pool.connection() as conn:
        await alerts.write(conn, [resolved, opened(finding)], await commits.begin(conn, ownership, [0]))
    async with pool.connection() as conn:
        found = {alert.status for alert in await alerts.open_for(conn, [finding])}
        cursor = await conn.execute(
            "SELECT change, before, after ->> 'closed_at' AS closed FROM alert_revision ORDER BY revision DESC"
        )
        last = await cursor.fetchone()
    assert found == {"resolved", "open"}  # the resolved one still holds the finding
    assert last == {"change": "resolved", "before": {"status": "open", "severity": "warning"}, "closed": "2025-10-09T12:00:00Z"}


async def test_alerts_of_a_feed_have_a_key_too(pool: Pool, ownership: Any, say: Any, asset_id: str) -> None:
    finding = say.finding("", asset="feed:ais", rule="feed_silent")
    first = opened(finding)
    async with pool.connection() as conn:
        await findings.write(conn, [finding], numbers := await commits.begin(conn, ownership, [0]))
        await alerts.write(conn, [first], numbers)
        assert await alerts.open_for(conn, [finding]) == [first.alert]
        assert await alerts.open_for(conn, [say.finding("", "other", asset="feed:satellite", rule="feed_silent")]) == []
    with pytest.raises(psycopg.errors.UniqueViolation):
        async with pool.connection() as conn:
            await alerts.write(conn, [opened(finding)], await commits.begin(conn, ownership, [0]))


async def test_a_change_of_an_alert_that_moved_on_is_refused(pool: Pool, ownership: Any, say: Any, asset_id: str) -> None:
    first = opened(say.finding(asset_id))
    async with pool.connection() as conn:
        await alerts.write(
            conn, [first, changed(first, "acknowledged", status="acknowledged")], await commits.begin(conn, ownership, [0])
        )
    with pytest.raises(alerts.StaleAlert):
        async with pool.connection() as conn:
            await alerts.write(conn, [changed(first, "resolved", status="resolved")], await commits.begin(conn, ownership, [0]))
    async with pool.connection() as conn:
        alert = await alerts.get(conn, first.alert.alert_id, lock=True)
    assert alert is not None
    assert alert.status == "acknowledged"


def event(name: str, **fields: Any) -> EventRow:
    known: dict[str, Any] = {
        "event_id": f"evt_{name:0>8}", "tenant": "demo", "type": "keelwing.alert.opened.v1", "subject": None,
        "severity": "warning", "time_us": 1_760_000_000_000_000, "body": {"id": name},
    }  # fmt: skip
    return EventRow(**{**known, **fields})


async def endpoint(conn: Connection, **fields: Any) -> str:
    known = {"tenant": "demo", "types": [], "severity_min": None, **fields}
    cursor = await conn.execute(
        "INSERT INTO webhook (tenant, url, types, severity_min, secret)"
        " VALUES (%(tenant)s, 'https://example.org', %(types)s, %(severity_min)s, 's') RETURNING webhook_id::text",
        known,
    )
    row = await cursor.fetchone()
    assert row is not None
    return str(row["webhook_id"])


async def test_an_event_goes_to_the_endpoints_that_want_it_numbered_per_endpoint(pool: Pool, asset_id: str) -> None:
    async with pool.connection() as conn:
        await registry.create_tenant(conn, "other", "Other")
        everything = await endpoint(conn)
        critical = await endpoint(conn, severity_min="critical")
        resolved = await endpoint(conn, types=["keelwing.alert.resolved.v1"])
        await endpoint(conn, tenant="other")
        grave = event("b", severity="critical", type="keelwing.alert.resolved.v1")
        await outbox.insert(conn, [event("a"), grave])
    async with pool.connection() as conn:
        await outbox.insert(conn, [grave])  # the same event once more
        cursor = await conn.execute("SELECT webhook_id::text, event_id, sequence FROM webhook_delivery")
        found = {(row["webhook_id"], row["event_id"], row["sequence"]) for row in await cursor.fetchall()}
    assert found == {
        (everything, "evt_0000000a", 1), (everything, "evt_0000000b", 2), (critical, "evt_0000000b", 1),
        (resolved, "evt_0000000b", 1),
    }  # fmt: skip


async def test_events_become_visible_in_the_order_of_their_numbers(pool: Pool, asset_id: str) -> None:
    page = LiveRow(tenant="demo", kind="finding", asset_id=asset_id, body={})

    async def seen(conn: Connection) -> list[int]:
        return [row["event_id"] for row in await (await conn.execute("SELECT event_id FROM live_event ORDER BY 1")).fetchall()]

    async with pool.connection() as slow, pool.connection() as quick, pool.connection() as reader:
        await live.insert(slow, [page])
        waiting = asyncio.create_task(live.insert(quick, [page, page]))
        async with asyncio.timeout(10):
            while True:
                row = await (await reader.execute("SELECT count(*) AS n FROM pg_locks WHERE NOT granted")).fetchone()
                assert row is not None
                if row["n"]:
                    break
        assert await seen(reader) == []
        await slow.commit()
        await waiting
        assert await seen(reader) == [1]
        await quick.commit()
        assert await seen(reader) == [1, 2, 3]
