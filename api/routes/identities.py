"""Who an asset is and what sits on what: identifiers, names and flags over time, components on their parents."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from api import examples
from api.documents import answer, answer_list, problem_answers
from api.keys import Editor, Insider
from api.listing import NumberKey, decode_cursor
from api.once import Answer, IdempotencyKey, write_once
from api.paging import page_response
from api.parameters import AssetId, DatedQuery, Instant, PageQuery, Text, instant_us
from api.problem import Fault, Problem, not_found, pointer_of
from api.routes.assets import asset_row
from api.shapes import AcceptedShape, IdentifierShape, InstallationShape
from api.states import identifier_shape, installation_shape
from fleet.component import installation_fault
from fleet.identifiers import FIELD_SCHEMES, identity_fault
from store import identities, reads
from store.pool import Connection

router = APIRouter(prefix="/v1", tags=["assets"])
PAPER = "paper"
IDENTITY_CHANGED = "identity_changed"
DONE: dict[int | str, dict[str, Any]] = {
    204: {"description": "Done."},
    **problem_answers(400, 401, 403, 404, 409, 413, 422, 503),
}


class Period(BaseModel):
    """When something holds; null bounds are open, `valid_to` is exclusive."""

    model_config = ConfigDict(extra="forbid")

    valid_from: Instant | None = None
    valid_to: Instant | None = None


class BorneIdentifier(Period):
    """An identifier, a name (`scheme` = `name`) or a flag (`flag`, ISO 3166-1 alpha-2) that an asset bears from now on record."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"scheme": "name", "value": "Blue Heron II", "valid_from": "2026-05-01T00:00:00Z"}]},
    )

    scheme: Text = Field(max_length=20)
    value: Text = Field(min_length=1, max_length=120)


class EndedIdentifier(BaseModel):
    """An identifier, name or flag that an asset does not bear from an instant on."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"scheme": "mmsi", "value": "244660000", "at": "2026-05-01T00:00:00Z"}]}
    )

    scheme: Text = Field(max_length=20)
    value: Text = Field(min_length=1, max_length=120)
    at: Instant


class NewInstallation(Period):
    """Where a component sits: the parent asset and the position on it (`1`, `left_main`, `car 3`)."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"parent_id": examples.ID, "position": "1", "valid_from": examples.AT}]}
    )

    parent_id: UUID
    position: Text = Field(min_length=1, max_length=40)


class Removal(BaseModel):
    """When a component came off its parent."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"at": examples.LATER}]})

    at: Instant


def refuse(status: int, detail: str, reason: str, *path: str | int, fault: str) -> Problem:
    """A problem with one fault in the body."""
    faults = [Fault(part="body", pointer=pointer_of(list(path)), detail=fault)]
    return Problem(status, detail, reason=reason, errors=faults)


def check_period(period: Period) -> None:
    """422 for a period that ends before it begins."""
    if period.valid_from is not None and period.valid_to is not None and period.valid_from >= period.valid_to:
        raise refuse(
            422, "The request was understood but is not valid.", "invalid", "valid_to", fault="valid_from must be before valid_to"
        )


@router.post(
    "/assets/{asset_id}/identifiers", status_code=201,
    responses=answer(IdentifierShape, examples.NAME, 201, 400, 404, 409, 413), response_model=None,
)  # fmt: skip
async def bear_identifier(
    request: Request, asker: Editor, asset_id: AssetId, body: BorneIdentifier, idempotency_key: IdempotencyKey = None
) -> Response:  # fmt: skip
    """Say what the asset bears in a period. Another value of the scheme ends for it; streams follow, past readings included."""
    check_period(body)
    fault = identity_fault(body.scheme, body.value)
    if fault is not None:
        raise refuse(422, "The request was understood but is not valid.", "invalid", "value", fault=fault)

    async def work(conn: Connection) -> Answer:
        await asset_row(conn, asset_id)
        await refuse_borne(conn, str(asset_id), body.scheme, body.value, body.valid_from, body.valid_to)
        await identities.bear(
            conn, str(asset_id), body.scheme, body.value, body.valid_from, body.valid_to, source=PAPER
        )  # fmt: skip
        return Answer(body=await borne(conn, asset_id, body.scheme, body.value, body.valid_from), status=201)

    return await write_once(request, asker, idempotency_key, work)


async def refuse_borne(
    conn: Connection, asset_id: str, scheme: str, value: str, from_us: int | None, to_us: int | None
) -> None:  # fmt: skip
    """409 where another asset of the tenant bears an identifier in that period: its own must end first."""
    other = await identities.bearer(conn, asset_id, scheme, value, from_us, to_us)
    if other is not None:
        detail = "Another asset bears this identifier in that period."
        raise refuse(409, detail, "identifier_borne", "value", fault=f"borne by asset {other}")


async def borne(conn: Connection, asset_id: Any, scheme: str, value: str, from_us: int | None) -> IdentifierShape:
    """The row that a write left, as the API shows it."""
    rows = await reads.identifiers(conn, [asset_id], from_us, None)
    found = [row for row in rows if (row["scheme"], row["value"]) == (scheme, value)]
    return identifier_shape(found[0])


@router.post(
    "/assets/{asset_id}/identifiers/close", responses=DONE, response_model=None, status_code=204
)  # fmt: skip
async def end_identifier(
    request: Request, asker: Editor, asset_id: AssetId, body: EndedIdentifier, idempotency_key: IdempotencyKey = None
) -> Response:  # fmt: skip
    """Say that the asset does not bear this from an instant on; what was believed stays readable by `known_at`."""

    async def work(conn: Connection) -> Answer:
        await asset_row(conn, asset_id)
        if not await identities.end(conn, str(asset_id), body.scheme, body.value, body.at):
            raise refuse(409, "The asset does not bear this then.", "not_borne", "value", fault="not borne at or after `at`")
        return Answer(body=None, status=204)

    return await write_once(request, asker, idempotency_key, work)


class Acceptance(BaseModel):
    """Which finding of `identity_changed` to take over (none: the open one), which of its fields (none: all), and from when."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"fields": ["mmsi", "name"]}]})

    finding_id: Text | None = Field(default=None, max_length=64)
    fields: list[Text] | None = Field(default=None, min_length=1, max_length=10)
    valid_from: Instant | None = None


@router.post(
    "/assets/{asset_id}/identifiers/accept", responses=answer(AcceptedShape, examples.ACCEPTED, 200, 400, 404, 409, 413),
    response_model=None,
)  # fmt: skip
async def accept_identity(
    request: Request, asker: Editor, asset_id: AssetId, body: Acceptance, idempotency_key: IdempotencyKey = None
) -> Response:  # fmt: skip
    """Take over what the air says: from its first report on the asset bears it, and a new MMSI brings its flag. Streams follow.

    The finding closes as `accepted`, its alert is resolved, once the asset has been derived again, seconds later.
    """

    async def work(conn: Connection) -> Answer:
        await asset_row(conn, asset_id)
        finding = await _open_change(conn, str(asset_id), body.finding_id)
        changes = [each for each in finding["evidence"]["changes"] if body.fields is None or each["field"] in body.fields]
        if not changes:
            raise refuse(
                409, "The finding says nothing of these fields.", "nothing_to_accept", "fields", fault="not among its changes"
            )
        taken = [each for change in changes for each in _borne_by(change, body.valid_from)]
        for scheme, value, from_us in taken:
            await refuse_borne(conn, str(asset_id), scheme, value, from_us, None)
            await identities.bear(conn, str(asset_id), scheme, value, from_us, None, source=f"accepted:{finding['finding_id']}")
        rows = [await borne(conn, asset_id, *each) for each in taken]
        return Answer(body=AcceptedShape(finding_id=finding["finding_id"], identifiers=rows))

    return await write_once(request, asker, idempotency_key, work)


async def _open_change(conn: Connection, asset_id: str, finding_id: str | None) -> reads.Row:
    """The finding to take over. Raises Problem 409 where there is none, or it is over."""
    which = reads.FindingFilter(asset_id=asset_id, rule=IDENTITY_CHANGED, finding_id=finding_id, descending=True)
    rows = await reads.findings(conn, which, None, 100)
    found = next((row for row in rows if row["closed_at"] is None), None)
    if found is None:
        raise refuse(
            409, "No change of identity is open.", "nothing_to_accept", "finding_id", fault="no open finding of identity_changed"
        )
    return found


def _borne_by(change: dict[str, Any], valid_from: int | None) -> list[tuple[str, str, int]]:
    """What an asset bears when a change is taken over: scheme, value, from when; an MMSI brings its flag."""
    from_us = instant_us(change["first_reported_at"]) if valid_from is None else valid_from
    taken = [(FIELD_SCHEMES[change["field"]], change["reported"], from_us)]
    if change.get("reported_country"):
        taken.append(("flag", change["reported_country"], from_us))
    return taken


@router.get(
    "/assets/{asset_id}/installations", responses=answer_list(InstallationShape, examples.INSTALLATION, 404), response_model=None
)  # fmt: skip
async def list_installations(request: Request, asker: Insider, asset_id: AssetId, page: PageQuery, dated: DatedQuery) -> Response:
    """Where a component sat over time, or what sat on an asset; with `valid_at` what held then. The latest recorded first."""
    after = decode_cursor(page.cursor, tuple[NumberKey])
    async with asker.desk() as conn:
        await asset_row(conn, asset_id, dated)
        rows = await identities.installations(
            conn, str(asset_id), dated.at_us, dated.known_us, after[0] if after else None, page.limit + 1
        )
    return page_response(request, InstallationShape, installation_shape, rows, page, "installation_id")


@router.post(
    "/assets/{asset_id}/installations", status_code=201,
    responses=answer(InstallationShape, examples.INSTALLATION, 201, 400, 404, 409, 413), response_model=None,
)  # fmt: skip
async def install(
    request: Request, asker: Editor, asset_id: AssetId, body: NewInstallation, idempotency_key: IdempotencyKey = None
) -> Response:  # fmt: skip
    """Say where a component sits in a period; where else it was in it ends. The address is the component's."""
    check_period(body)

    async def work(conn: Connection) -> Answer:
        component, parent = await asset_row(conn, asset_id), await reads.asset(conn, str(body.parent_id))
        if parent is None:
            raise not_found("parent asset")
        fault = installation_fault(component["class"], parent["class"])
        if fault is not None:
            sentence = f"a {component['class']} does not sit on a {parent['class']}"
            raise refuse(409, "These two do not fit together.", fault, "parent_id", fault=sentence)
        there = (str(body.parent_id), body.position, body.valid_from, body.valid_to)
        other = await identities.occupant(conn, str(asset_id), *there)
        if other is not None:
            detail = "Another component sits in this position in that period."
            raise refuse(409, detail, "position_taken", "position", fault=f"taken by asset {other}")
        await identities.install(conn, str(asset_id), *there, source=PAPER)
        rows = await identities.installations(conn, str(asset_id), body.valid_from, None, None, 1)
        return Answer(body=installation_shape(rows[0]), status=201)

    return await write_once(request, asker, idempotency_key, work)


@router.post(
    "/assets/{asset_id}/installations/remove", responses=DONE, response_model=None, status_code=204
)  # fmt: skip
async def remove_installation(
    request: Request, asker: Editor, asset_id: AssetId, body: Removal, idempotency_key: IdempotencyKey = None
) -> Response:  # fmt: skip
    """Say that a component came off its parent and sits nowhere from an instant on."""

    async def work(conn: Connection) -> Answer:
        await asset_row(conn, asset_id)
        if not await identities.remove(conn, str(asset_id), body.at):
            raise refuse(409, "The component sits nowhere then.", "not_installed", "at", fault="not installed at or after `at`")
        return Answer(body=None, status=204)

    return await write_once(request, asker, idempotency_key, work)
