"""Health, readiness, metrics, documentation and the page: everything that needs no key and shows no tenant's row."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from api import examples, manual
from api.documents import REF
from api.listing import JSON_TYPE, json_response
from api.shapes import HealthShape
from api.site import front
from store import reads
from store.walled import DatabaseAway, unscoped

router = APIRouter(tags=["service"])


def _health_answer(description: str, example: Any) -> dict[str, Any]:
    schema = {"$ref": REF.format(name="HealthShape")}
    return {"description": description, "content": {JSON_TYPE: {"schema": schema, "example": example}}}


UNREADY: dict[str, Any] = {**examples.HEALTH, "status": "unavailable", "checks": {"database": "away", "migrations": "unknown"}}


@router.get("/healthz", responses={200: _health_answer("The process answers.", examples.HEALTH)}, response_model=None)
async def health(request: Request) -> Response:
    """Whether the process runs; asks nothing of the database."""
    return json_response(HealthShape(status="ok", version=request.app.state.settings.version, checks={}), headers=_FRESH)


@router.get(
    "/readyz",
    responses={
        200: _health_answer("The database answers and is current.", examples.HEALTH),
        503: _health_answer("Something is missing; `checks` says what.", UNREADY),
    },
    response_model=None,
)
async def ready(request: Request) -> Response:
    """Whether requests can be served: the database is reachable and has every migration of this version."""
    checks = {"database": "away", "migrations": "unknown"}
    try:
        async with unscoped(request.app.state.pool()) as conn:
            checks["database"] = "ok"
            missing = await reads.missing_migrations(conn)
            checks["migrations"] = f"missing: {', '.join(missing)}" if missing else "ok"
    except DatabaseAway:
        checks["database"] = "away"
    well = all(found == "ok" for found in checks.values())
    shape = HealthShape(status="ok" if well else "unavailable", version=request.app.state.settings.version, checks=checks)
    return json_response(shape, 200 if well else 503, headers=_FRESH)


_FRESH = {"Cache-Control": "no-store"}
_METRICS_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Prometheus text format.",
        "content": {"text/plain": {"schema": {"type": "string"}, "example": "keelwing_api_stream_clients 2.0\n"}},
    }
}


@router.get("/metrics", responses=_METRICS_ANSWER, response_model=None, response_class=PlainTextResponse)
async def metrics(request: Request) -> Response:
    """Counters of this process for Prometheus; no tenant's data. Names: `keelwing_api_requests_total`,
    `keelwing_api_request_seconds`, `keelwing_api_stream_clients`, `keelwing_api_stream_dropped_total`,
    `keelwing_api_stream_events_total`, `keelwing_api_listener_connected`.
    """  # noqa: D205 - the names belong into the description
    return Response(request.app.state.metrics.text(), headers=_FRESH, media_type=CONTENT_TYPE_LATEST)


@router.get("/docs", include_in_schema=False, response_model=None)
async def documentation(request: Request) -> Response:
    """The documentation for people, made from the OpenAPI document."""
    return HTMLResponse(manual.page(request.app.openapi()), headers={"Cache-Control": "no-cache"})


@router.get("/", include_in_schema=False, response_model=None)
async def web_page(request: Request) -> Response:
    """The web page."""
    return front(request.app.state.settings.page_directory)
