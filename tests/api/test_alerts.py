"""Alerts: what a person may do with one, and what is told of it."""

import asyncio

import psycopg
import pytest

from tests.api.fix_world import Asking, World


async def test_an_open_alert_is_listed_in_the_shape_of_the_contract(ask: Asking, world: World) -> None:
    answer = await ask("viewer").get("/v1/alerts", params={"status": "open", "severity": "warning,critical"})

    (alert,) = answer.json()["items"]
    assert alert["id"] == world.alert
    assert (alert["rule"], alert["severity"], alert["status"], alert["revision"]) == ("position_jump", "warning", "open", 1)
    assert (alert["asset_id"], alert["asset"], alert["opened_at"]) == (world.ship, "imo:9074729", "2026-11-20T12:00:00Z")
    assert alert["evidence"]["implied_speed_kn"] == 212.4
    assert (await ask("viewer").get(f"/v1/alerts/{world.alert}")).json() == alert
    assert (await ask("viewer").get("/v1/alerts", params={"status": "resolved"})).json()["items"] == []


async def test_acknowledge_then_resolve_and_no_step_back(ask: Asking, world: World) -> None:
    base = f"/v1/alerts/{world.alert}"

    acknowledged = await ask("manager").post(f"{base}/acknowledge", json={"reason": "calling the master"})
    twice = await ask("manager").post(f"{base}/acknowledge")
    resolved = await ask("manager").post(f"{base}/resolve", json={"reason": "answered"})
    late = await ask("manager").post(f"{base}/dismiss", json={"reason": "x"})

    assert (acknowledged.status_code, acknowledged.json()["status"], acknowledged.json()["revision"]) == (200, "acknowledged", 2)
    assert (twice.status_code, twice.headers["content-type"]) == (409, "application/problem+json")
    assert twice.json()["reason"] == "already_acknowledged"
    assert (resolved.json()["status"], resolved.json()["revision"]) == ("resolved", 3)
    assert resolved.json()["closed_at"] is not None
    assert (late.status_code, late.json()["reason"]) == (409, "not_open")
    history = (await ask("viewer").get(f"{base}/revisions")).json()["items"]
    assert [(each["change"], each["status_after"]) for each in history] == [
        ("opened", "open"), ("acknowledged", "acknowledged"), ("resolved", "resolved"),
    ]  # fmt: skip
    assert history[1]["comment"] == "calling the master"
    assert history[1]["actor"].startswith("key:")


async def test_a_dismissal_without_a_reason_is_refused(ask: Asking, world: World) -> None:
    answer = await ask("manager").post(f"/v1/alerts/{world.alert}/dismiss", json={})

    assert (answer.status_code, answer.json()["reason"]) == (409, "reason_missing")


async def test_a_step_writes_its_event_for_webhooks_and_pages_once(ask: Asking, world: World) -> None:
    for _ in range(2):
        answer = await ask("manager").post(f"/v1/alerts/{world.alert}/acknowledge", headers={"Idempotency-Key": "once"})
        assert answer.status_code == 200

    with psycopg.connect(world.url) as conn:
        conn.execute("SET ROLE keelwing_worker")
        told = conn.execute("SELECT type, body -> 'data' ->> 'status', commit_no FROM outbox ORDER BY position").fetchall()
        live = conn.execute("SELECT kind, body ->> 'status' FROM live_event ORDER BY event_id").fetchall()
    assert [row[:2] for row in told] == [("keelwing.alert.opened.v1", "open"), ("keelwing.alert.acknowledged.v1", "acknowledged")]
    assert told[0][2] != told[1][2]
    assert live == [("alert", "open"), ("alert", "acknowledged")]


async def test_comments_are_kept_in_order(ask: Asking, world: World) -> None:
    base = f"/v1/alerts/{world.alert}/comments"
    for text in ("first", "second"):
        assert (await ask("manager").post(base, json={"text": text})).status_code == 201

    page = (await ask("viewer").get(base, params={"limit": 1})).json()
    rest = (await ask("viewer").get(base, params={"limit": 1, "cursor": page["next_cursor"]})).json()

    assert [each["text"] for each in page["items"] + rest["items"]] == ["first", "second"]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize("step", ["acknowledge", "resolve", "dismiss", "comments"])
async def test_a_viewer_may_not_act(ask: Asking, world: World, step: str) -> None:
    answer = await ask("viewer").post(f"/v1/alerts/{world.alert}/{step}", json={"text": "x"})

    assert answer.status_code == 403
    assert (await ask("viewer").get(f"/v1/alerts/{world.alert}")).json()["revision"] == 1


async def test_two_people_at_once_take_one_step_together(ask: Asking, world: World) -> None:
    path = f"/v1/alerts/{world.alert}/acknowledge"

    answers = await asyncio.gather(*(ask("manager").post(path) for _ in range(4)))

    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert (await ask("viewer").get(f"/v1/alerts/{world.alert}")).json()["revision"] == 2


async def test_one_intention_sent_four_times_at_once_is_done_once(ask: Asking, world: World) -> None:
    path, headers = f"/v1/alerts/{world.alert}/comments", {"Idempotency-Key": "storm"}

    answers = await asyncio.gather(*(ask("manager").post(path, json={"text": "x"}, headers=headers) for _ in range(4)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len((await ask("viewer").get(path)).json()["items"]) == 1
