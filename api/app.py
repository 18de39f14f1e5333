"""The application: routes, error handlers, middleware, and what lives as long as it does (pool, live hub).

It knows how the parts are put together. What a route does is in `routes/`; who may ask is in `keys`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response

from api import documents
from api.live import LiveHub
from api.metrics import Metrics
from api.middleware import BodyBound, Envelope
from api.problem import Problem, on_crash, on_http_exception, on_invalid_request, on_problem, problem_response
from api.routes import (
    adjustments,
    agenda,
    alerts,
    areas,
    assets,
    changes,
    cii,
    clauses,
    coverage,
    feeds,
    findings,
    forecasts,
    history,
    identities,
    imports,
    incidents,
    leases,
    lifecycle,
    milestones,
    months,
    off_hire,
    parties,
    portfolio,
    presence,
    rejections,
    reserves,
    return_conditions,
    service,
    stays,
    stream,
    train_use,
    trials,
    usage,
    utilization,
    webhooks,
)
from api.settings import ApiSettings
from api.site import HashedFiles, Site, page_file
from api.trials import Trial
from store.pool import Pool, open_pool
from store.walled import Conflict, DatabaseAway, UnfitValue

RETRY_AFTER_S = "2"
COMPRESS_BYTES_MIN = 1400  # what fits into one packet gains nothing
COMPRESS_LEVEL = 4  # chosen: a megabyte in about 15 ms, a fifth of its size
ROUTERS = tuple(
    module.router
    for module in (
        assets,
        lifecycle,
        identities,
        months,
        areas,
        presence,
        imports,
        milestones,
        parties,
        leases,
        clauses,
        trials,
        history,
        stays,
        train_use,
        coverage,
        cii,
        off_hire,
        findings,
        alerts,
        adjustments,
        incidents,
        agenda,
        changes,
        usage,
        utilization,
        reserves,
        return_conditions,
        forecasts,
        portfolio,
        webhooks,
        feeds,
        rejections,
        stream,
        service,
    )
)


async def _on_database_away(request: Request, error: Exception) -> Response:  # noqa: ARG001 - its text may name hosts
    detail = "The database is away or too busy; ask again in a moment."
    return problem_response(
        503, detail, request.url.path, reason="database_away", headers={"Retry-After": RETRY_AFTER_S}
    )  # fmt: skip


async def _on_unfit(request: Request, error: Exception) -> Response:  # noqa: ARG001 - its text is the database's
    return problem_response(422, "A value of the request cannot be stored.", request.url.path, reason="invalid")


async def _on_conflict(request: Request, error: Exception) -> Response:  # noqa: ARG001 - a constraint's name says nothing to a client
    return problem_response(409, "This contradicts what is there already.", request.url.path, reason="conflict")


def create_app(settings: ApiSettings, trial: Trial | None = None) -> FastAPI:
    """The API as an ASGI application; opens its pool when it starts and closes it when it ends.

    Args:
        settings: see `ApiSettings`.
        trial: judges a clause over readings (`api.trials`); None: the API offers no trials.

    Returns:
        The application. Starting it raises `psycopg_pool.PoolTimeout` when the database does not come within 30 s.
    """
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        pool = await open_pool(settings.database_url, "keelwing_api", settings.pool_max)
        hub = LiveHub(settings, pool, metrics)
        app.state.pool_open, app.state.hub = pool, hub
        try:
            async with hub.running():
                yield
        finally:
            app.state.pool_open = None
            await pool.close()

    app = FastAPI(title="Keelwing", version=settings.version, lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.settings, app.state.metrics, app.state.pool_open = settings, metrics, None
    app.state.trial = trial

    def pool_of() -> Pool:
        if app.state.pool_open is None:
            raise DatabaseAway("not started")
        found: Pool = app.state.pool_open
        return found

    app.state.pool = pool_of
    _handle_errors(app)
    app.state.routers = ROUTERS
    for router in ROUTERS:
        app.include_router(router)
    _serve_page(app, settings)
    app.add_middleware(GZipMiddleware, minimum_size=COMPRESS_BYTES_MIN, compresslevel=COMPRESS_LEVEL)
    app.add_middleware(BodyBound, bytes_max=settings.body_bytes_max, by_path={"/v1/imports": settings.import_bytes_max})
    app.add_middleware(Envelope, metrics=metrics)
    _describe_once(app, settings.version)
    return app


def _handle_errors(app: FastAPI) -> None:
    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(RequestValidationError, on_invalid_request)
    app.add_exception_handler(HTTPException, on_http_exception)
    app.add_exception_handler(DatabaseAway, _on_database_away)
    app.add_exception_handler(UnfitValue, _on_unfit)
    app.add_exception_handler(Conflict, _on_conflict)
    app.add_exception_handler(Exception, on_crash)


def _serve_page(app: FastAPI, settings: ApiSettings) -> None:
    """One mount a folder and one route a file: a mount at `/` would answer 404 where a route means 405."""
    if not settings.page_directory.is_dir():
        return
    for entry in sorted(settings.page_directory.iterdir()):
        if entry.is_dir():
            files = HashedFiles if entry.name == "assets" else Site
            app.mount(f"/{entry.name}", files(directory=entry), name=f"page-{entry.name}")
        elif entry.name != "index.html":
            app.add_api_route(f"/{entry.name}", partial(page_file, entry), include_in_schema=False, response_model=None)


def _describe_once(app: FastAPI, version: str) -> None:
    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = documents.describe(app, ROUTERS, version)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
