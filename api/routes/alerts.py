"""Alerts: what a person is asked to look at. The steps a person may take are decided by `alerts.lifecycle`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from alerts import lifecycle, verdict
from alerts.verdict import ReasonKind
from api import examples
from api.documents import answer, answer_list
from api.keys import Asker, Editor, Insider
from api.listing import NumberKey, RevisionKey, TimeKey, decode_cursor, json_response, list_response
from api.once import Answer, IdempotencyKey, write_once
from api.paging import next_cursor, page_response
from api.parameters import PageQuery, Severities, SpanQuery, Statuses, Text
from api.problem import Problem, not_found
from api.routes.assets import now_us
from api.shapes import AlertRevisionShape, AlertShape, CommentShape
from api.states import time_of
from fleet.instants import to_rfc3339
from fleet.shards import shard_of
from store import adjustments, commits, desk, live, notices, outbox, reads
from store import alerts as store_alerts
from store.pool import Connection
from store.rows import AlertChangeRow, AlertRow, EventRow, LiveRow, NoticeRow

router = APIRouter(prefix="/v1/alerts", tags=["alerts"])
AlertId = Annotated[UUID, Path(description="The alert's id.")]
Step = Callable[[lifecycle.Alert, str, str | None, int], lifecycle.AlertChange | lifecycle.IllegalTransition]


class Decision(BaseModel):
    """Why; a dismissal needs it, because others read it later."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "Called the master, all well."}]})

    reason: Text | None = Field(default=None, max_length=2000)


class Dismissal(Decision):
    """Why an alert is dismissed: in words, and in a word of a closed set. A `false_alarm` widens the threshold of this asset."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "Crew was calibrating it.", "kind": "false_alarm"}]}
    )

    kind: ReasonKind | None = None


class NewComment(BaseModel):
    """A comment under an alert."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"text": "Master called; answer tomorrow."}]})

    text: Text = Field(min_length=1, max_length=10_000)


def alert_shape(row: reads.Row) -> AlertShape:
    """An alert row as the API shows it."""
    reason = {}
    if row["lease_id"] is None:
        reason["lease_id"] = "no_lease_in_force"
    if row["asset_id"] is None:
        reason["asset_id"] = "not_about_an_asset"
    if row["incident_id"] is None:
        reason["incident_id"] = "older_than_incidents"
    return AlertShape(
        id=str(row["alert_id"]),
        rule=row["rule"],
        subject=row["subject"],
        severity=row["severity"],
        status=row["status"],
        asset_id=None if row["asset_id"] is None else str(row["asset_id"]),
        asset=row["asset"],
        lease_id=None if row["lease_id"] is None else str(row["lease_id"]),
        incident_id=None if row["incident_id"] is None else str(row["incident_id"]),
        opened_at=to_rfc3339(row["opened_at"]),
        updated_at=to_rfc3339(row["updated_at"]),
        closed_at=time_of(row["closed_at"]),
        revision=row["revision"],
        evidence=row["evidence"],
        reason=reason,
    )


async def _alert(conn: Connection, alert_id: UUID) -> reads.Row:
    rows = await reads.alerts(conn, reads.AlertFilter(alert_id=str(alert_id)), None, 1)
    if not rows:
        raise not_found("alert")
    return rows[0]


@router.get("", responses=answer_list(AlertShape, examples.ALERT), response_model=None)
async def list_alerts(
    request: Request, asker: Insider, page: PageQuery, span: SpanQuery,
    status: Annotated[Statuses | None, Query(description="In these statuses.")] = None,
    severity: Annotated[Severities | None, Query(description="Of these severities.")] = None,
    asset_id: Annotated[UUID | None, Query(description="About this asset.")] = None,
    rule: Annotated[Text | None, Query(max_length=64, description="Of this rule.")] = None,
    incident_id: Annotated[UUID | None, Query(description="Of this incident.")] = None,
) -> Response:  # fmt: skip
    """Alerts with `opened_at` in [from, to), the latest opened first."""
    after = decode_cursor(page.cursor, tuple[TimeKey, UUID])
    which = reads.AlertFilter(
        statuses=status, severities=severity, asset_id=None if asset_id is None else str(asset_id), rule=rule,
        incident_id=None if incident_id is None else str(incident_id), from_us=span.from_us, to_us=span.to_us,
    )  # fmt: skip
    async with asker.desk() as conn:
        rows = await reads.alerts(conn, which, (after[0], str(after[1])) if after else None, page.limit + 1)
    return page_response(request, AlertShape, alert_shape, rows, page, "opened_at", "alert_id")


@router.get("/{alert_id}", responses=answer(AlertShape, examples.ALERT, 200, 404), response_model=None)
async def get_alert(asker: Insider, alert_id: AlertId) -> Response:
    """One alert as it stands."""
    async with asker.desk() as conn:
        return json_response(alert_shape(await _alert(conn, alert_id)))


@router.get("/{alert_id}/revisions", responses=answer_list(AlertRevisionShape, examples.ALERT_REVISION, 404), response_model=None)
async def list_revisions(request: Request, asker: Insider, alert_id: AlertId, page: PageQuery) -> Response:
    """What changed an alert, oldest first."""
    after = decode_cursor(page.cursor, tuple[RevisionKey])
    async with asker.desk() as conn:
        await _alert(conn, alert_id)
        rows = await reads.alert_revisions(conn, str(alert_id), after[0] if after else None, page.limit + 1)
    shapes = [
        AlertRevisionShape(
            revision=row["revision"], change=row["change"], actor=row["actor"], status_before=row["status_before"],
            status_after=row["status_after"], severity_after=row["severity_after"], at=to_rfc3339(row["changed_at"]),
            comment=row["reason"], kind=row["reason_kind"],
        )
        for row in rows[: page.limit]
    ]  # fmt: skip
    return list_response(request, AlertRevisionShape, shapes, next_cursor(rows, page, "revision"))


async def _take(
    conn: Connection, asker: Asker, alert_id: UUID, step: Step, reason: str | None, kind: ReasonKind | None = None
) -> Answer:
    """One step of a person in one numbered transaction: the alert, its history, its events.

    The shard's row is locked before the alert's, in the order in which the worker locks them.
    """
    seen = await _alert(conn, alert_id)
    key = str(seen["asset_id"] or seen["asset"])
    shard, commit_no = shard_of(key), await commits.begin_for(conn, key)
    row = await store_alerts.get(conn, str(alert_id), lock=True)
    if row is None:
        raise not_found("alert")
    change = step(msgspec.convert(row, lifecycle.Alert, from_attributes=True), asker.name, reason, now_us())
    if isinstance(change, lifecycle.IllegalTransition):
        raise Problem(409, f"This cannot be done: {change.detail}.", reason=change.code)
    after = msgspec.convert(change.alert, AlertRow, from_attributes=True)
    written = AlertChangeRow(
        alert=after, shard=shard, change=change.kind, actor=asker.name, reason=reason,
        before_status=change.before_status, before_severity=change.before_severity, reason_kind=kind,
    )  # fmt: skip
    await store_alerts.write(conn, [written], {shard: commit_no})
    event = lifecycle.event_of(change)
    told = EventRow(
        event_id=event["id"], tenant=asker.tenant, type=event["type"], subject=event["subject"], severity=after.severity,
        time_us=after.updated_us, body=event, commit_no=commit_no,
    )  # fmt: skip
    await outbox.insert(conn, [told])
    decided = NoticeRow(
        tenant=asker.tenant, shard=shard, alert_id=after.alert_id, revision=after.revision, asset_id=after.asset_id,
        asset=after.asset, finding_id=after.finding_ids[-1], incident_id=after.incident_id, rule=after.rule,
        severity=after.severity, kind=change.kind, verdict="told", decided_us=after.updated_us, event_id=told.event_id,
        why={"because": "a_person_acted"},
    )  # fmt: skip
    await notices.write(conn, [decided], {shard: commit_no})
    told_live = LiveRow(tenant=asker.tenant, kind="alert", asset_id=after.asset_id, body=lifecycle.body_of(change.alert))
    await live.insert(conn, [told_live])
    if kind == "false_alarm":
        await _widen(conn, asker, change.alert, reason)
    return Answer(body=alert_shape(await _alert(conn, alert_id)))


async def _widen(conn: Connection, asker: Asker, alert: lifecycle.Alert, reason: str | None) -> None:
    """What a false alarm does to the threshold of its rule for its asset, on record with whose word it was."""
    tunable = verdict.tunable_of(alert)
    if tunable is None or alert.asset_id is None:
        return
    made_of = await adjustments.held(conn, alert.asset_id, tunable.rule, tunable.name, alert.opened_us)
    one = verdict.adjusted(alert, tunable, made_of.setting, made_of.held)
    new = adjustments.NewAdjustment(
        tenant=alert.tenant, asset_id=alert.asset_id, rule=one.rule, name=one.name, base=one.base, value=one.value,
        at_bound=one.at_bound, alert_id=alert.alert_id, finding_id=alert.finding_ids[-1], reason=reason, actor=asker.name,
        from_us=alert.opened_us,
    )  # fmt: skip
    await adjustments.add(conn, new)


_STEP_ANSWERS = answer(AlertShape, examples.ALERT, 200, 400, 404, 409, 413)


@router.post("/{alert_id}/acknowledge", responses=_STEP_ANSWERS, response_model=None)
async def acknowledge(
    request: Request, asker: Editor, alert_id: AlertId, body: Decision | None = None, idempotency_key: IdempotencyKey = None
) -> Response:  # fmt: skip
    """Somebody looks at it: open → acknowledged; anything else is 409 with the reason."""
    reason = None if body is None else body.reason
    return await write_once(
        request, asker, idempotency_key, lambda conn: _take(conn, asker, alert_id, lifecycle.acknowledge, reason)
    )  # fmt: skip


@router.post("/{alert_id}/resolve", responses=_STEP_ANSWERS, response_model=None)
async def resolve(
    request: Request, asker: Editor, alert_id: AlertId, body: Decision | None = None, idempotency_key: IdempotencyKey = None
) -> Response:  # fmt: skip
    """It was dealt with: open or acknowledged → resolved; anything else is 409 with the reason."""
    reason = None if body is None else body.reason
    return await write_once(
        request, asker, idempotency_key, lambda conn: _take(conn, asker, alert_id, lifecycle.resolve, reason)
    )  # fmt: skip


@router.post("/{alert_id}/dismiss", responses=_STEP_ANSWERS, response_model=None)
async def dismiss(
    request: Request, asker: Editor, alert_id: AlertId, body: Dismissal | None = None, idempotency_key: IdempotencyKey = None
) -> Response:  # fmt: skip
    """It was false or does not matter: open or acknowledged → dismissed. Needs a reason; anything else is 409.

    As a `false_alarm` a warning widens the rule's threshold for this asset, where it has one (see adjustments), and the asset is
    derived again.
    """
    reason, kind = (None, None) if body is None else (body.reason, body.kind)
    return await write_once(
        request, asker, idempotency_key, lambda conn: _take(conn, asker, alert_id, lifecycle.dismiss, reason, kind)
    )  # fmt: skip


@router.get("/{alert_id}/comments", responses=answer_list(CommentShape, examples.COMMENT, 404), response_model=None)
async def list_comments(request: Request, asker: Insider, alert_id: AlertId, page: PageQuery) -> Response:
    """Comments under an alert, oldest first."""
    after = decode_cursor(page.cursor, tuple[NumberKey])
    async with asker.desk() as conn:
        await _alert(conn, alert_id)
        rows = await reads.alert_comments(conn, str(alert_id), after[0] if after else None, page.limit + 1)
    shapes = [
        CommentShape(
            id=str(row["alert_comment_id"]), alert_id=str(alert_id), at=to_rfc3339(row["written_at"]), author=row["author"],
            text=row["comment"],
        )
        for row in rows[: page.limit]
    ]  # fmt: skip
    return list_response(request, CommentShape, shapes, next_cursor(rows, page, "alert_comment_id"))


@router.post(
    "/{alert_id}/comments", status_code=201, responses=answer(CommentShape, examples.COMMENT, 201, 400, 404, 409, 413),
    response_model=None,
)  # fmt: skip
async def add_comment(
    request: Request, asker: Editor, alert_id: AlertId, body: NewComment, idempotency_key: IdempotencyKey = None
) -> Response:  # fmt: skip
    """Write under an alert; the alert itself does not change."""

    async def work(conn: Connection) -> Answer:
        written = await desk.add_comment(conn, str(alert_id), asker.name, body.text)
        if written is None:
            raise not_found("alert")
        shape = CommentShape(
            id=str(written["alert_comment_id"]), alert_id=str(alert_id), at=to_rfc3339(written["written_at"]),
            author=asker.name, text=body.text,
        )  # fmt: skip
        return Answer(body=shape, status=201)

    return await write_once(request, asker, idempotency_key, work)
