"""Every error as RFC 9457 `application/problem+json`. It knows statuses and wording, not who raised what.

`Problem` is an exception because FastAPI's dependencies leave a request by raising; inside a route it is raised too, at
the one place that decided. `errors` holds one entry a fault: `in` says which part of the request (`body`, `query`, `path`,
`header`), `pointer` is a JSON pointer (RFC 6901, as a fragment) into that part.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

MEDIA_TYPE = "application/problem+json"
PARTS = frozenset({"body", "query", "path", "header", "cookie"})
ERRORS_MAX = 100


class Fault(msgspec.Struct, frozen=True, kw_only=True, rename={"part": "in"}):
    """One thing wrong with a request: in which part, where in it, and what."""

    part: str
    pointer: str
    detail: str


class ProblemDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The document of RFC 9457 §3.1; `reason` is a stable code for machines, `detail` a sentence for people.

    `guard` names what stands against an event of a lease or an asset (`fleet.lease_phase`, `fleet.stage`).
    """

    type: str
    title: str
    status: int
    detail: str | None = None
    reason: str | None = None
    instance: str | None = None
    guard: str | None = None
    errors: list[Fault] | None = None


class Problem(Exception):  # noqa: N818 - the word of RFC 9457
    """A request that ends with a problem document.

    Args:
        status: HTTP status code.
        detail: one sentence for a person; never anything about another tenant's data.
        reason: stable code for machines (`not_found`, `illegal_step`, …).
        errors: the faults, each with its pointer.
        guard: of an illegal transition, what stands against it.
        headers: extra response headers (`WWW-Authenticate`, `Allow`).
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        reason: str | None = None,
        errors: Sequence[Fault] = (),
        headers: dict[str, str] | None = None,
        guard: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.reason = reason
        self.errors = tuple(errors)
        self.headers = headers or {}
        self.guard = guard

    def response(self, instance: str) -> Response:
        """The answer; `instance` is the request's path."""
        return problem_response(
            self.status, self.detail, instance, reason=self.reason, errors=self.errors, headers=self.headers, guard=self.guard
        )


def problem_response(
    status: int,
    detail: str | None,
    instance: str,
    *,
    reason: str | None = None,
    errors: Sequence[Fault] = (),
    headers: dict[str, str] | None = None,
    guard: str | None = None,
) -> Response:
    """A problem document as a response; `type` is `about:blank`, so the title is the status's own phrase (§4.2.1)."""
    document = ProblemDocument(
        type="about:blank",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        reason=reason,
        instance=instance,
        guard=guard,
        errors=list(errors[:ERRORS_MAX]) or None,
    )
    return Response(msgspec.json.encode(document), status, {**(headers or {}), "Cache-Control": "no-store"}, MEDIA_TYPE)


def not_found(what: str) -> Problem:
    """404: not there, or not in the caller's scope; the two are deliberately the same answer."""
    return Problem(404, f"No such {what}.", reason="not_found")


def invalid(part: str, name: str, detail: str) -> Problem:
    """422 for one fault that only the route could see."""
    return Problem(
        422, "The request was understood but is not valid.", reason="invalid",
        errors=[Fault(part=part, pointer=pointer_of([name]), detail=detail)],
    )  # fmt: skip


def pointer_of(path: Sequence[str | int]) -> str:
    """JSON pointer of a path as a URI fragment (RFC 6901 §6): `#/identifiers/0/scheme`."""
    return "#" + "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def _fault(error: dict[str, Any]) -> Fault:
    location = list(error["loc"])
    part = str(location.pop(0)) if location and location[0] in PARTS else "body"
    if error["type"] == "json_invalid":
        location = []
    return Fault(part=part, pointer=pointer_of(location), detail=str(error["msg"]))


async def on_problem(request: Request, problem: Exception) -> Response:
    """Exception handler of `Problem`."""
    assert isinstance(problem, Problem)  # noqa: S101 - registered for this type alone
    return problem.response(request.url.path)


async def on_invalid_request(request: Request, error: Exception) -> Response:
    """Exception handler of FastAPI's validation: 400 where the body is no JSON, else 422, one fault an entry."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type alone
    entries = error.errors()
    faults = [_fault(entry) for entry in entries[:ERRORS_MAX]]
    if any(entry["type"] == "json_invalid" for entry in entries):
        return problem_response(400, "The body is not JSON.", request.url.path, reason="not_json", errors=faults)
    detail = "The request was understood but is not valid."
    return problem_response(422, detail, request.url.path, reason="invalid", errors=faults)


async def on_http_exception(request: Request, error: Exception) -> Response:
    """Exception handler of the framework's own errors: unknown route, wrong method, unreadable body."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type alone
    status = error.status_code
    detail = {404: "There is nothing at this address.", 405: "This address does not take that method."}.get(status, error.detail)
    reason = HTTPStatus(status).name.lower()
    headers = dict(error.headers or {})
    if status == 405:
        headers["Allow"] = ", ".join(_methods_of(request)) or headers.get("Allow", "GET, HEAD")
    return problem_response(status, detail, request.url.path, reason=reason, headers=headers)


def _methods_of(request: Request) -> list[str]:
    """Methods of every route at the address (RFC 9110 §15.5.6); the framework names those of the first route alone."""
    there = (*request.app.routes, *(route for router in request.app.state.routers for route in router.routes))
    found = (route for route in there if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE)
    return sorted({method for route in found for method in route.methods or ()})


async def on_crash(request: Request, error: Exception) -> Response:  # noqa: ARG001 - Starlette logs the error itself
    """500 for a programmer's error; says nothing of the inside."""
    return problem_response(500, "The server failed; the fault was logged.", request.url.path, reason="internal")
