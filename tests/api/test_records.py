"""Findings, webhooks, feeds and rejections."""

import base64

import psycopg
import pytest

from fleet.instants import HOUR_US, to_rfc3339
from fleet.shards import shard_of
from store import desk
from store.pool import open_pool
from store.rows import StepBatch
from tests.api.fix_world import NOON_US, Asking, World, commit, finding_row

CONTRACT = [
    "rule", "severity", "asset", "subject", "opened_at", "closed_at", "detected_at", "score", "evidence", "id", "revision",
    "rule_version",
]  # fmt: skip


async def write_findings(world: World, *rows: object) -> None:
    """Commit findings as the worker does."""
    pool = await open_pool(world.url, "keelwing_worker", 2)
    try:
        async with pool.connection() as conn:
            await commit(conn, world, StepBatch(findings=list(rows)), {shard_of(world.ship)})  # type: ignore[arg-type]
    finally:
        await pool.close()


async def test_a_finding_has_the_fields_of_the_contract_in_their_order(ask: Asking, world: World) -> None:
    (finding,) = (await ask("viewer").get("/v1/findings")).json()["items"]

    assert list(finding)[: len(CONTRACT)] == CONTRACT
    assert finding["asset_id"] == world.ship
    assert finding["opened_at"] == "2026-11-20T12:00:00Z"
    assert (await ask("viewer").get(f"/v1/findings/{world.finding}")).json() == finding


async def test_findings_are_sorted_paged_and_filtered(ask: Asking, world: World) -> None:
    more = [
        finding_row(world, finding_id=f"fnd_{n}", rule=rule, severity=severity, opened_us=NOON_US + n * HOUR_US, closed_us=None,
                    detected_us=NOON_US + n * HOUR_US, subject=f"s{n}")
        for n, (rule, severity) in enumerate((("gap", "info"), ("gap", "critical"), ("encounter", "warning")), start=1)
    ]  # fmt: skip
    await write_findings(world, *reversed(more))

    async def ids(**query: str) -> list[str]:
        answer = await ask("viewer").get("/v1/findings", params=query)
        assert answer.status_code == 200, answer.text
        return [each["id"] for each in answer.json()["items"]]

    assert await ids() == ["fnd_0001", "fnd_1", "fnd_2", "fnd_3"]
    assert await ids(order="desc") == ["fnd_3", "fnd_2", "fnd_1", "fnd_0001"]
    assert await ids(rule="gap") == ["fnd_1", "fnd_2"]
    assert await ids(severity="warning,critical") == ["fnd_0001", "fnd_2", "fnd_3"]
    assert await ids(**{"from": to_rfc3339(NOON_US + HOUR_US), "to": to_rfc3339(NOON_US + 2 * HOUR_US)}) == ["fnd_1"]
    assert await ids(valid_at=to_rfc3339(NOON_US + HOUR_US)) == ["fnd_1"]
    for order in ("asc", "desc"):
        seen, query = [], {"limit": "1", "order": order}
        while True:
            page = (await ask("viewer").get("/v1/findings", params=query)).json()
            seen += [each["id"] for each in page["items"]]
            if page["next_cursor"] is None:
                break
            query["cursor"] = page["next_cursor"]
        assert seen == await ids(order=order)


async def test_known_at_gives_the_revision_of_then_and_a_retraction_hides(ask: Asking, world: World) -> None:
    with psycopg.connect(world.url) as conn:
        conn.execute("SET ROLE keelwing_worker")
        conn.execute("UPDATE commits SET committed_at = committed_at - interval '1 hour'")
        row = conn.execute("SELECT max(committed_at) + interval '1 minute' FROM commits").fetchone()
    assert row is not None
    then = {"known_at": row[0].isoformat()}
    await write_findings(world, finding_row(world, severity="critical"))
    revised = (await ask("viewer").get("/v1/findings")).json()["items"]
    await write_findings(world, finding_row(world, severity="critical", retracted=True))

    assert [(each["revision"], each["severity"]) for each in revised] == [(2, "critical")]
    assert (await ask("viewer").get("/v1/findings")).json()["items"] == []
    (kept,) = (await ask("viewer").get("/v1/findings", params={"retracted": "true"})).json()["items"]
    assert (kept["revision"], kept["retracted"]) == (3, True)
    (known,) = (await ask("viewer").get("/v1/findings", params=then)).json()["items"]
    assert (known["revision"], known["severity"]) == (1, "warning")


async def test_a_webhooks_secret_is_shown_once(ask: Asking) -> None:
    body = {"url": "https://example.com/hook", "types": ["keelwing.alert.opened.v1"], "severity_min": "critical"}
    made = await ask("admin").post("/v1/webhooks", json=body, headers={"Idempotency-Key": "hook"})
    again = await ask("admin").post("/v1/webhooks", json=body, headers={"Idempotency-Key": "hook"})

    assert made.status_code == 201, made.text
    secret = made.json()["secret"]
    assert 24 <= len(base64.b64decode(secret.removeprefix("whsec_"))) <= 64
    assert (again.json()["id"], again.json()["secret"]) == (made.json()["id"], None)
    assert secret not in (await ask("admin").get("/v1/webhooks")).text
    assert (await ask("admin").get(made.headers["location"])).json()["reason"] == {"secret": "shown_once"}


async def test_a_webhook_is_changed_stopped_rotated_and_removed(ask: Asking, world: World) -> None:
    made = (await ask("admin").post("/v1/webhooks", json={"url": "https://example.com/hook", "severity_min": "info"})).json()
    path = f"/v1/webhooks/{made['id']}"

    stopped = (await ask("admin").patch(path, json={"status": "disabled", "severity_min": None})).json()
    rotated = (await ask("admin").post(f"{path}/rotate")).json()
    with psycopg.connect(world.url) as conn:
        conn.execute("SET ROLE keelwing_worker")
        stored = conn.execute("SELECT secret, secret_previous FROM webhook").fetchone()

    assert (stopped["status"], stopped["disabled_reason"], stopped["severity_min"]) == ("disabled", "by_request", None)
    assert stored == (rotated["secret"], made["secret"])
    assert rotated["previous_secret_until"] > rotated["created_at"]
    assert (await ask("admin").patch(path, json={"status": "enabled"})).json()["disabled_at"] is None
    assert (await ask("admin").delete(path)).status_code == 204
    assert (await ask("admin").get(path)).status_code == 404


@pytest.mark.parametrize(
    "url", ["ftp://x", "https://", "https://u:p@example.com/", "https://exa mple.com", "not", "https://a:x/"]
)
async def test_a_url_that_is_none_is_refused(ask: Asking, url: str) -> None:
    answer = await ask("admin").post("/v1/webhooks", json={"url": url})

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "#/url")


@pytest.mark.parametrize("role", ["manager", "viewer"])
async def test_webhooks_are_the_admins_to_change(ask: Asking, role: str) -> None:
    assert (await ask(role).post("/v1/webhooks", json={"url": "https://example.com/"})).status_code == 403
    assert (await ask(role).get("/v1/webhooks")).status_code == 200


async def test_a_delivery_that_ended_badly_is_put_in_line_again(ask: Asking, world: World) -> None:
    made = (await ask("admin").post("/v1/webhooks", json={"url": "https://example.com/hook"})).json()
    await ask("manager").post(f"/v1/alerts/{world.alert}/acknowledge")
    path = f"/v1/webhooks/{made['id']}"
    with psycopg.connect(world.url) as conn:
        conn.execute("SET ROLE keelwing_worker")
        row = conn.execute("UPDATE webhook_delivery SET state = 'exhausted', attempts = 9 RETURNING event_id").fetchone()
        conn.execute(
            "INSERT INTO webhook_attempt (webhook_id, event_id, tenant, attempt, trigger, started_at, duration_ms, status_code)"
            " SELECT webhook_id, event_id, tenant, 9, 'schedule', now(), 12, 500 FROM webhook_delivery"
        )
    assert row is not None
    assert (await ask("admin").get(path)).json()["failed"] == 1
    (attempt,) = (await ask("viewer").get(f"{path}/attempts")).json()["items"]
    assert (attempt["event_id"], attempt["status_code"], attempt["event_type"]) == (row[0], 500, "keelwing.alert.acknowledged.v1")

    answer = await ask("admin").post(f"{path}/replay", json={"from": "2026-01-01T00:00:00Z"})
    nothing = await ask("admin").post(f"{path}/replay", json={"event_id": row[0]})

    assert (answer.status_code, answer.json()["accepted"]) == (202, 1)
    assert (nothing.status_code, nothing.json()["reason"]) == (409, "nothing_to_replay")  # it is pending already
    with psycopg.connect(world.url) as conn:
        conn.execute("SET ROLE keelwing_worker")
        assert conn.execute("SELECT state, attempts FROM webhook_delivery").fetchall() == [("pending", 0)]


async def test_a_feed_says_when_it_was_heard_and_what_became_of_it(ask: Asking) -> None:
    (feed,) = (await ask("viewer").get("/v1/feeds")).json()["items"]

    assert (feed["name"], feed["owner"], feed["status"], feed["clock"]) == ("coast", "tenant", "online", "recording")
    assert feed["last_received_at"] == feed["clock_time"] == "2026-11-20T16:05:00Z"
    assert (feed["counts"]["received"], feed["counts"]["stored"], feed["counts"]["rejected"]) == (51, 49, 2)
    assert feed["assets_heard"] == 1


async def test_rejections_are_shown_counted_and_given_back(ask: Asking, world: World) -> None:
    rows = (await ask("viewer").get("/v1/rejections")).json()["items"]
    counts = (await ask("viewer").get("/v1/rejections/counts")).json()["items"]
    answer = await ask("manager").post("/v1/rejections/replay", json={"reason": "time_missing"})
    refused = await ask("viewer").post("/v1/rejections/replay", json={})

    assert [(row["reason"], row["payload_text"], base64.b64decode(row["payload_base64"])) for row in rows] == [
        ("not_json", None, b"\xff\x00"), ("time_missing", "{}", b"{}"),
    ]  # fmt: skip
    assert {row["reason"]: row["count"] for row in counts} == {"not_json": 1, "time_missing": 1}
    assert (answer.status_code, answer.json()["accepted"]) == (202, 1)
    assert refused.status_code == 403
    pool = await open_pool(world.url, "keelwing_worker", 2)
    try:
        async with pool.connection() as conn:
            (request,) = await desk.pending_replays(conn, 10)
            messages = await desk.replayable(conn, request, 0, 10)
            await desk.finish_replay(conn, request.request_id, [row["rejection_id"] for row in messages])
        async with pool.connection() as conn:
            assert await desk.pending_replays(conn, 10) == []
    finally:
        await pool.close()
    assert [bytes(row["payload"]) for row in messages] == [b"{}"]
    assert request.tenant == "alpha"
    replayed = (await ask("viewer").get("/v1/rejections", params={"reason": "time_missing"})).json()["items"]
    assert replayed[0]["replayed_at"] is not None
