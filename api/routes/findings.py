"""Findings: what detection concluded, one object per episode in its final state or as it was known at an instant."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api import examples
from api.documents import answer, answer_list
from api.keys import Insider
from api.listing import TextKey, TimeKey, decode_cursor, encode_cursor, json_response, list_response
from api.parameters import DatedQuery, KnownAt, PageQuery, Severities, SpanQuery, Text
from api.problem import not_found
from api.shapes import FindingShape
from api.states import time_of
from fleet.instants import to_rfc3339
from store import reads

router = APIRouter(prefix="/v1", tags=["findings"])


def finding_shape(row: reads.Row) -> FindingShape:
    """A finding row as the API shows it."""
    return FindingShape(
        rule=row["rule"],
        severity=row["severity"],
        asset=row["asset"],
        subject=row["subject"],
        opened_at=to_rfc3339(row["opened_at"]),
        closed_at=time_of(row["closed_at"]),
        detected_at=to_rfc3339(row["detected_at"]),
        score=row["score"],
        evidence=row["evidence"],
        id=row["finding_id"],
        revision=row["revision"],
        rule_version=row["rule_version"],
        asset_id=None if row["asset_id"] is None else str(row["asset_id"]),
        retracted=row["retracted"],
    )


@router.get("/findings", responses=answer_list(FindingShape, examples.FINDING), response_model=None)
async def list_findings(
    request: Request, asker: Insider, page: PageQuery, dated: DatedQuery, span: SpanQuery,
    asset_id: Annotated[UUID | None, Query(description="About this asset.")] = None,
    rule: Annotated[Text | None, Query(max_length=64, description="Of this rule.")] = None,
    severity: Annotated[Severities | None, Query(description="Of these severities.")] = None,
    order: Annotated[Literal["asc", "desc"], Query(description="By (detected_at, asset, rule, subject).")] = "asc",
    retracted: Annotated[bool, Query(description="Also those that later readings took back.")] = False,
) -> Response:  # fmt: skip
    """Findings with `detected_at` in [from, to), sorted by (detected_at, asset, rule, subject).

    `valid_at`: the episodes running then.
    """
    after = decode_cursor(page.cursor, tuple[TimeKey, TextKey, TextKey, TextKey, TextKey])
    which = reads.FindingFilter(
        asset_id=None if asset_id is None else str(asset_id), rule=rule, severities=severity,
        from_us=span.from_us, to_us=span.to_us,
        at_us=dated.at_us, known_us=dated.known_us, retracted=retracted, descending=order == "desc",
    )  # fmt: skip
    async with asker.desk() as conn:
        rows = await reads.findings(conn, which, after, page.limit + 1)
    cursor = None
    if len(rows) > page.limit:
        last = rows[page.limit - 1]
        cursor = encode_cursor(last["detected_at"], last["asset"], last["rule"], last["subject"] or "", last["finding_id"])
    return list_response(request, FindingShape, [finding_shape(row) for row in rows[: page.limit]], cursor)


@router.get("/findings/{finding_id}", responses=answer(FindingShape, examples.FINDING, 200, 404), response_model=None)
async def get_finding(asker: Insider, finding_id: Annotated[Text, Path(max_length=128)], known_at: KnownAt = None) -> Response:
    """One finding in its last revision, retracted or not, or as it was known at `known_at`."""
    async with asker.desk() as conn:
        rows = await reads.findings(
            conn, reads.FindingFilter(finding_id=finding_id, known_us=known_at, retracted=True), None, 1
        )  # fmt: skip
    if not rows:
        raise not_found("finding")
    return json_response(finding_shape(rows[0]))
