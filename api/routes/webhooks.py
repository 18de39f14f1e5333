"""Webhooks: endpoints, their secrets (shown once), what was sent to them, sending again."""

from __future__ import annotations

import base64
import secrets
from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.responses import Response

from api import examples
from api.documents import answer, answer_list, problem_answers
from api.keys import Admin, Insider
from api.listing import NumberKey, decode_cursor, json_response, list_response
from api.once import Answer, IdempotencyKey, write_once
from api.paging import next_cursor, page_response
from api.parameters import Instant, PageQuery, Text, plain_text
from api.problem import Fault, Problem, not_found
from api.shapes import AttemptShape, ReplayShape, WebhookShape
from api.states import time_of
from fleet.instants import to_rfc3339
from store import desk, reads
from store.pool import Connection

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])
WebhookId = Annotated[UUID, Path(description="The endpoint's id.")]
SECRET_BYTES = 32  # Standard Webhooks 1.0.0: 24 to 64
ROTATION = timedelta(hours=24)  # chosen: a receiver's deployment fits into a day
WEBHOOKS_MAX = 50
TYPE_PATTERN = r"^keelwing(\.[a-z_]{1,32}){1,4}\.v[0-9]{1,3}$"
Severity = Literal["info", "warning", "critical"]


def _web_url(text: str) -> str:
    plain_text(text)
    try:
        parts = urlsplit(text)
        port_fault = parts.port == 0
    except ValueError:
        raise ValueError("is no URL") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or port_fault:
        raise ValueError("must be an http or https URL")
    if parts.username or parts.password:
        raise ValueError("must not hold a user or password; deliveries are signed")
    if not text.isascii() or any(char.isspace() for char in text):
        raise ValueError("must be ASCII without blanks")
    return text


WebUrl = Annotated[str, Field(max_length=2048, examples=["https://example.com/hooks/keelwing"]), AfterValidator(_web_url)]
EventTypes = Annotated[list[Annotated[str, Field(pattern=TYPE_PATTERN, max_length=120)]], Field(max_length=50)]


class NewWebhook(BaseModel):
    """An endpoint to make; `types` empty is all types."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{
        "url": "https://example.com/hooks/keelwing", "description": "operations desk", "types": ["keelwing.alert.opened.v1"],
        "severity_min": "warning",
    }]})  # fmt: skip

    url: WebUrl
    description: Text = Field(default="", max_length=500)
    types: EventTypes = []
    severity_min: Severity | None = None


class WebhookChange(BaseModel):
    """What is absent stays; `severity_min` null removes the bound; `status` enabled takes up deliveries again."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"status": "disabled"}]})

    url: WebUrl | None = None
    description: Text | None = Field(default=None, max_length=500)
    types: EventTypes | None = None
    severity_min: Severity | None = None
    status: Literal["enabled", "disabled"] | None = None


class ReplayOrder(BaseModel):
    """One event by its id, or everything that ended badly in [from, to) of event time."""

    model_config = ConfigDict(
        extra="forbid", populate_by_name=True, json_schema_extra={"examples": [{"from": "2026-11-21T00:00:00Z"}]}
    )  # fmt: skip

    event_id: Text | None = Field(default=None, max_length=64)
    from_us: Instant | None = Field(default=None, alias="from")
    to_us: Instant | None = Field(default=None, alias="to")


def webhook_shape(row: reads.Row, secret: str | None = None) -> WebhookShape:
    """A webhook row as the API shows it."""
    return WebhookShape(
        id=str(row["webhook_id"]),
        url=row["url"],
        description=row["description"],
        types=row["types"],
        severity_min=row["severity_min"],
        status="enabled" if row["disabled_at"] is None else "disabled",
        disabled_at=time_of(row["disabled_at"]),
        disabled_reason=row["disabled_reason"],
        created_at=to_rfc3339(row["created_at"]),
        previous_secret_until=time_of(row["secret_previous_until"]),
        pending=row["pending_count"],
        failed=row["failed_count"],
        secret=secret,
        reason={} if secret else {"secret": "shown_once"},
    )


async def _webhook(conn: Connection, webhook_id: UUID | str) -> reads.Row:
    rows = await reads.webhooks(conn, str(webhook_id), None, 1)
    if not rows:
        raise not_found("webhook")
    return rows[0]


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


@router.get("", responses=answer_list(WebhookShape, examples.WEBHOOK), response_model=None)
async def list_webhooks(request: Request, asker: Insider, page: PageQuery) -> Response:
    """Endpoints in order of their id, without secrets."""
    after = decode_cursor(page.cursor, tuple[UUID])
    async with asker.desk() as conn:
        rows = await reads.webhooks(conn, None, str(after[0]) if after else None, page.limit + 1)
    return page_response(request, WebhookShape, webhook_shape, rows, page, "webhook_id")


@router.post("", status_code=201, responses=answer(WebhookShape, examples.WEBHOOK, 201, 400, 409, 413), response_model=None)
async def create_webhook(request: Request, asker: Admin, body: NewWebhook, idempotency_key: IdempotencyKey = None) -> Response:
    """Make an endpoint. The answer holds its secret, this once; a repeat of the request does not."""

    async def work(conn: Connection) -> Answer:
        if len(await reads.webhooks(conn, None, None, WEBHOOKS_MAX)) == WEBHOOKS_MAX:
            raise Problem(409, f"There are {WEBHOOKS_MAX} endpoints already, as many as there may be.", reason="too_many")
        secret = _new_secret()
        webhook_id = await desk.create_webhook(
            conn, url=body.url, description=body.description, types=body.types, severity_min=body.severity_min, secret=secret
        )  # fmt: skip
        row = await _webhook(conn, webhook_id)
        headers = {"Location": f"/v1/webhooks/{webhook_id}"}
        return Answer(body=webhook_shape(row, secret), kept=webhook_shape(row), status=201, headers=headers)

    return await write_once(request, asker, idempotency_key, work)


@router.get("/{webhook_id}", responses=answer(WebhookShape, examples.WEBHOOK, 200, 404), response_model=None)
async def get_webhook(asker: Insider, webhook_id: WebhookId) -> Response:
    """One endpoint, without its secret."""
    async with asker.desk() as conn:
        return json_response(webhook_shape(await _webhook(conn, webhook_id)))


@router.patch("/{webhook_id}", responses=answer(WebhookShape, examples.WEBHOOK, 200, 400, 404, 409, 413), response_model=None)
async def change_webhook(
    request: Request, asker: Admin, webhook_id: WebhookId, body: WebhookChange, idempotency_key: IdempotencyKey = None
) -> Response:  # fmt: skip
    """Change an endpoint, stop it, or take it up again."""

    async def work(conn: Connection) -> Answer:
        await _webhook(conn, webhook_id)
        await desk.change_webhook(
            conn, str(webhook_id), url=body.url, description=body.description, types=body.types, severity_min=body.severity_min,
            severity_given="severity_min" in body.model_fields_set,
            enabled=None if body.status is None else body.status == "enabled",
        )  # fmt: skip
        return Answer(body=webhook_shape(await _webhook(conn, webhook_id)))

    return await write_once(request, asker, idempotency_key, work)


@router.delete(
    "/{webhook_id}", status_code=204, responses={204: {"description": "Gone."}, **problem_answers(401, 403, 404, 409, 422, 503)},
    response_model=None,
)  # fmt: skip
async def delete_webhook(
    request: Request, asker: Admin, webhook_id: WebhookId, idempotency_key: IdempotencyKey = None
) -> Response:  # fmt: skip
    """Remove an endpoint with its deliveries and attempts."""

    async def work(conn: Connection) -> Answer:
        if not await desk.delete_webhook(conn, str(webhook_id)):
            raise not_found("webhook")
        return Answer(body=None, status=204)

    return await write_once(request, asker, idempotency_key, work)


@router.post("/{webhook_id}/rotate", responses=answer(WebhookShape, examples.WEBHOOK, 200, 404, 409), response_model=None)
async def rotate(request: Request, asker: Admin, webhook_id: WebhookId, idempotency_key: IdempotencyKey = None) -> Response:
    """Give the endpoint a new secret, shown this once; the old one signs beside it for 24 h."""

    async def work(conn: Connection) -> Answer:
        secret = _new_secret()
        if not await desk.rotate_secret(conn, str(webhook_id), secret, ROTATION):
            raise not_found("webhook")
        row = await _webhook(conn, webhook_id)
        return Answer(body=webhook_shape(row, secret), kept=webhook_shape(row))

    return await write_once(request, asker, idempotency_key, work)


@router.get("/{webhook_id}/attempts", responses=answer_list(AttemptShape, examples.ATTEMPT, 404), response_model=None)
async def list_attempts(
    request: Request, asker: Insider, webhook_id: WebhookId, page: PageQuery,
    event_id: Annotated[Text | None, Query(max_length=64, description="For this event.")] = None,
) -> Response:  # fmt: skip
    """Requests made to the endpoint, newest first."""
    after = decode_cursor(page.cursor, tuple[NumberKey])
    async with asker.desk() as conn:
        await _webhook(conn, webhook_id)
        rows = await reads.webhook_attempts(conn, str(webhook_id), event_id, after[0] if after else None, page.limit + 1)
    shapes = [
        AttemptShape(
            id=str(row["webhook_attempt_id"]), event_id=row["event_id"], event_type=row["event_type"], attempt=row["attempt"],
            trigger=row["trigger"], started_at=to_rfc3339(row["started_at"]), duration_ms=row["duration_ms"],
            status_code=row["status_code"], error=row["error"], response_excerpt=row["response_excerpt"],
            delivery_state=row["delivery_state"],
        )
        for row in rows[: page.limit]
    ]  # fmt: skip
    return list_response(request, AttemptShape, shapes, next_cursor(rows, page, "webhook_attempt_id"))


@router.post(
    "/{webhook_id}/replay", status_code=202, responses=answer(ReplayShape, examples.REPLAY, 202, 400, 404, 409, 413),
    response_model=None,
)  # fmt: skip
async def replay(
    request: Request, asker: Admin, webhook_id: WebhookId, body: ReplayOrder, idempotency_key: IdempotencyKey = None
) -> Response:  # fmt: skip
    """Send again: one event whatever became of it, or everything that ended badly in a period.

    Same event ids, from the first attempt of the schedule on.
    """
    if body.event_id is None and body.from_us is None and body.to_us is None:
        fault = Fault(part="body", pointer="#/event_id", detail="give event_id, from or to")
        raise Problem(422, "The request was understood but is not valid.", reason="invalid", errors=[fault])

    async def work(conn: Connection) -> Answer:
        await _webhook(conn, webhook_id)
        count = await desk.replay_deliveries(conn, str(webhook_id), body.event_id, body.from_us, body.to_us)
        if body.event_id is not None and count == 0:
            raise Problem(409, "No delivery of that event to this endpoint has ended.", reason="nothing_to_replay")
        return Answer(body=ReplayShape(accepted=count), status=202)

    return await write_once(request, asker, idempotency_key, work)
