"""Bulk import: assets, parties, leases and reports from CSV or XLSX, tried first, then all or nothing."""

from __future__ import annotations

import csv
import io
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api import examples
from api.documents import answer, problem_answers
from api.imports.columns import KINDS
from api.imports.run import ImportOutcome, import_file
from api.imports.tables import ABOUT, RowFault
from api.keys import Editor, Insider
from api.listing import CSV_TYPE, preferred
from api.once import Answer, IdempotencyKey, write_once
from api.problem import Fault, Problem, not_found, pointer_of
from api.shapes import ImportFaultShape, ImportShape, ImportTableShape
from api.workbook import XLSX_TYPE, Sheet, workbook
from store.pool import Connection

router = APIRouter(prefix="/v1", tags=["imports"])
What = Literal["parties", "assets", "leases", "reports"]
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The file itself; CSV (UTF-8; comma, semicolon or tab) or XLSX, told by content.",
        "content": {
            CSV_TYPE: {"schema": {"type": "string"}, "examples": {"parties": {"value": "name,country\r\nNorthern Bulk,NL\r\n"}}},
            XLSX_TYPE: {"schema": {"type": "string", "format": "binary"}, "examples": {"workbook": {"value": "PK"}}},
        },
    }
}  # fmt: skip


@router.post(
    "/imports", responses=answer(ImportShape, examples.IMPORT, 200, 400, 409, 413), response_model=None, openapi_extra=BODY
)  # fmt: skip
async def import_rows(
    request: Request, asker: Editor,
    what: Annotated[What | None, Query(description="What the tables hold; else told by sheet or columns.")] = None,
    dry_run: Annotated[bool, Query(description="Try every row, write none, name every bad one.")] = False,
    idempotency_key: IdempotencyKey = None,
) -> Response:  # fmt: skip
    """Import a file, all of it or nothing. Twice is once: rows are known by their natural keys.

    A dry run answers 200 with every fault by sheet, row and column. A real one with a fault writes nothing and answers 422 with
    the faults.
    """
    payload = await request.body()

    async def work(conn: Connection) -> Answer:
        outcome = await import_file(conn, asker.tenant, asker.name, payload, what=what, dry_run=dry_run)
        if outcome.faults and not dry_run:
            errors = [
                Fault(part="body", pointer=pointer_of(_path(each)), detail=_words(each)) for each in outcome.faults
            ]  # fmt: skip
            raise Problem(422, f"{len(outcome.faults)} faults; nothing was written.", reason="invalid_rows", errors=errors)
        return Answer(body=import_shape(outcome))

    return await write_once(request, asker, idempotency_key, work)


def import_shape(outcome: ImportOutcome) -> ImportShape:
    """What became of a file as the API shows it."""
    return ImportShape(
        dry_run=outcome.dry_run, applied=outcome.applied,
        tables=[msgspec.convert(each, ImportTableShape, from_attributes=True) for each in outcome.tables],
        faults=[msgspec.convert(each, ImportFaultShape, from_attributes=True) for each in outcome.faults],
        warnings=[msgspec.convert(each, ImportFaultShape, from_attributes=True) for each in outcome.warnings],
    )  # fmt: skip


def _path(fault: RowFault) -> list[str | int]:
    return [part for part in (fault.sheet, fault.row, fault.column) if part is not None]


def _words(fault: RowFault) -> str:
    parts = (("sheet", fault.sheet), ("row", fault.row), ("column", fault.column))
    where = " ".join(f"{name} {part}" for name, part in parts if part is not None)
    return f"{where}: {fault.detail}" if where else fault.detail


TEMPLATE = {
    200: {"description": "A header row and an example row.", "content": {
        CSV_TYPE: {"schema": {"type": "string"}, "example": "name,country,lei,parent,parent_from\r\n"},
        XLSX_TYPE: {"schema": {"type": "string", "format": "binary"}, "example": "a workbook"},
    }},
    **problem_answers(401, 403, 404, 422, 503),
}  # fmt: skip


@router.get("/imports/templates/{what}", responses=TEMPLATE, response_model=None)
async def get_template(request: Request, asker: Insider, what: str) -> Response:
    """A file to fill in, as CSV or XLSX by `Accept`: the header row, and an example row to be replaced."""
    del asker
    kind = KINDS.get(what)
    if kind is None:
        raise not_found("template")
    names, example = list(kind.columns), [column.example for column in kind.columns.values()]
    media = preferred(request, CSV_TYPE, XLSX_TYPE)
    headers = {"Vary": "Accept", "Content-Disposition": f'attachment; filename="{what}.{"csv" if media == CSV_TYPE else "xlsx"}"'}
    if media == CSV_TYPE:
        lines = io.StringIO()
        csv.writer(lines).writerows([names, example])
        return Response(lines.getvalue(), 200, headers, CSV_TYPE + "; charset=utf-8")
    says = [[name, "yes" if column.needed else "no", column.says] for name, column in kind.columns.items()]
    sheets = [Sheet(what, names, [example]), Sheet(ABOUT, ("column", "needed", "says"), says)]
    return Response(workbook(sheets), 200, headers, XLSX_TYPE)
