"""The live stream: `state`, `finding` and `alert` as server-sent events, resumable by `Last-Event-ID`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import Response

from api.documents import problem_answers
from api.keys import Anyone
from api.live import HELLO, Audience, LiveHub
from api.problem import Problem, invalid

router = APIRouter(prefix="/v1", tags=["stream"])
PING_S = 15  # chosen: below the 60 s after which proxies and the page give a line up
SEND_TIMEOUT_S = 30.0  # a client that takes nothing for so long is gone
RETRY_MS = 2000
EXAMPLE = 'id: 41\r\nevent: alert\r\ndata: {"id":"…","status":"open"}\r\n\r\n'
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events until the client goes, or is dropped because it is too slow.",
        "content": {"text/event-stream": {"schema": {"type": "string"}, "example": EXAMPLE}},
    },
    **problem_answers(401, 403, 422, 503),
}


@router.get("/stream", responses=_ANSWERS, response_model=None, response_class=EventSourceResponse)
async def stream(
    request: Request,
    asker: Anyone,
    last_event_id: Annotated[
        str | None, Header(alias="Last-Event-ID", max_length=32, description="Resume after this id.")
    ] = None,
) -> Response:
    """Changes as they happen, in the key's scope; a lessee's key hears states alone.

    `state` is a state object, at most one a second an asset; `finding` and `alert` are theirs. With `Last-Event-ID` the findings
    and alerts missed since are told first, as far back as they are kept.
    """
    after = None
    if last_event_id:
        if not (last_event_id.isascii() and last_event_id.isdecimal() and len(last_event_id) <= 18):
            raise invalid("header", "Last-Event-ID", "must be an id of this stream")
        after = int(last_event_id)
    hub: LiveHub = request.app.state.hub
    if hub.stopping or hub.full:
        raise Problem(503, "No more streams are open to clients now.", reason="too_many_streams", headers={"Retry-After": "5"})
    audience = Audience(asker.tenant, asker.party)
    return EventSourceResponse(_events(hub, audience, after), ping=PING_S, send_timeout=SEND_TIMEOUT_S, cleanup_timeout=2.0)


async def _events(hub: LiveHub, audience: Audience, after: int | None) -> AsyncIterator[ServerSentEvent]:
    async with aclosing(hub.events(audience, after)) as events:
        async for event in events:
            if event is HELLO:
                yield ServerSentEvent(comment="connected", retry=RETRY_MS)
                continue
            yield ServerSentEvent(event.data.decode(), event=event.event, id=str(event.event_id))
