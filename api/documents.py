"""OpenAPI: schemas from the shapes, an example for every answer, one description of every error. It knows no route."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from api import lease_shapes, money_shapes, shapes
from api.listing import CSV_TYPE, JSON_TYPE
from api.problem import MEDIA_TYPE, ProblemDocument

REF = "#/components/schemas/{name}"
SHAPES: tuple[type[msgspec.Struct], ...] = tuple(
    dict.fromkeys(
        each
        for module in (shapes, lease_shapes, money_shapes)
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, shapes.Shape) and each is not shapes.Shape
    )
)
ERRORS = {
    400: "The request cannot be read.", 401: "No key, or an unknown or revoked one.", 403: "The key's role may not do this.",
    404: "Not there, or not in the key's scope.", 409: "Contradicts what is there.", 413: "The body is too large.",
    422: "Understood, but not valid; `errors` points at what.", 503: "The database is away; ask again later.",
}  # fmt: skip
EXAMPLE_ID = "0d3c7a52-6f0e-4f1e-9a53-6d1d3c1f5b11"
TAGS = [
    {"name": "assets", "description": "What a tenant owns: identity, state, track, telemetry, life."},
    {"name": "leases", "description": "Parties, leases, what happened to them, and what stands beside their terms."},
    {
        "name": "compliance",
        "description": "Carbon, fuel and hull of ships, time lost under leases: with coverage, method, sources.",
    },
    {"name": "money", "description": "Use that is billed: reports against telemetry, reserves, return conditions, forecasts."},
    {"name": "areas", "description": "Lines on the map: ports and anchorages, prohibited and notified areas; who was inside."},
    {"name": "findings", "description": "What detection concluded, with evidence; facts, revised when later readings differ."},
    {"name": "alerts", "description": "What a person is asked to look at, and what people did about it."},
    {"name": "incidents", "description": "Alerts that tell one story, and what webhooks were told of them and why not."},
    {"name": "calendar", "description": "What is due, what changed, and one row an asset over all of them."},
    {"name": "webhooks", "description": "Signed events to other systems (Standard Webhooks 1.0.0)."},
    {"name": "feeds", "description": "Where readings come from, and what was rejected."},
    {"name": "stream", "description": "Changes as they happen, as server-sent events."},
    {"name": "imports", "description": "Assets, parties, leases and reports from CSV and XLSX."},
    {"name": "service", "description": "Health, readiness, metrics; outside any tenant."},
]


def problem_answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI answers for errors, each a problem document with an example."""
    found: dict[int | str, dict[str, Any]] = {}
    for status in statuses:
        example = {"type": "about:blank", "title": "…", "status": status, "detail": ERRORS[status], "instance": "/v1/…"}
        content = {MEDIA_TYPE: {"schema": {"$ref": REF.format(name="ProblemDocument")}, "example": example}}
        found[status] = {"description": ERRORS[status], "content": content}
    return found


def answer(shape: type[msgspec.Struct], example: Any, status: int = 200, *errors: int, also: Any = None) -> Any:
    """`responses=` of a route that answers one object, with the errors every keyed route has and `errors` beside them."""
    content = {JSON_TYPE: {"schema": {"$ref": REF.format(name=shape.__name__)}, "example": example}, **(also or {})}
    return {status: {"description": _headline(shape), "content": content}, **problem_answers(401, 403, 422, 503, *errors)}


def answer_list(shape: type[msgspec.Struct], example: Any, *errors: int) -> Any:
    """`responses=` of a route that answers a page of a list, as JSON or CSV."""
    schema = {
        "type": "object",
        "required": ["items", "next_cursor"],
        "properties": {
            "items": {"type": "array", "items": {"$ref": REF.format(name=shape.__name__)}},
            "next_cursor": {"type": ["string", "null"], "description": "`cursor` of the next page; null on the last."},
        },
    }
    names = ",".join(field.encode_name for field in msgspec.structs.fields(shape))
    content = {
        JSON_TYPE: {"schema": schema, "example": {"items": [example], "next_cursor": None}},
        CSV_TYPE: {"schema": {"type": "string"}, "example": names + "\r\n"},
    }
    link = {"Link": {"description": 'The next page (`rel="next"`).', "schema": {"type": "string"}}}
    described = {"description": f"A page: {_headline(shape)}", "content": content, "headers": link}
    return {200: described, **problem_answers(401, 403, 422, 503, *errors)}


def _headline(shape: type[msgspec.Struct]) -> str:
    return (shape.__doc__ or shape.__name__).partition("\n")[0]


def _restore_nulls(routers: Iterable[APIRouter], document: dict[str, Any]) -> None:
    """Put the answers' contents back as they were written: FastAPI drops every null, in examples too."""
    for route in (route for router in routers for route in router.routes):
        if not isinstance(route, APIRoute) or not route.include_in_schema:
            continue
        for method in route.methods or ():
            answers = document["paths"][route.path][method.lower()]["responses"]
            for status, written in route.responses.items():
                if "content" in written:
                    answers[str(status)]["content"] = written["content"]


def describe(app: FastAPI, routers: Iterable[APIRouter], version: str) -> dict[str, Any]:
    """The OpenAPI document: FastAPI's, with our shapes as components and without its own error schema."""
    document = get_openapi(
        title="Keelwing", version=version, routes=app.routes, tags=TAGS, license_info={"name": "Apache-2.0"},
        description="Leased ships and aircraft: where they are, who has them, what happened, with the evidence. "
        "Unknown is null and `reason` says why. Times are RFC 3339 `Z`, intervals half-open. Lists are paged by `cursor`; "
        "`Accept: text/csv` gives any list as CSV. Errors are RFC 9457 problem documents.",
    )  # fmt: skip
    _restore_nulls(routers, document)
    _, components = msgspec.json.schema_components((*SHAPES, ProblemDocument), ref_template=REF)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas.update(components)
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    return document
