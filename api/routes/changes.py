"""Changes: what became known, was restated or retracted since an instant, and what people did about it."""

from __future__ import annotations

import re
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api import examples
from api.documents import answer_list
from api.keys import Insider
from api.listing import RevisionKey, TextKey, TimeKey, decode_cursor
from api.paging import page_response
from api.parameters import ChangeKinds, Changes, Instant, PageQuery
from api.shapes import ChangeShape
from fleet.instants import to_rfc3339
from store import changes

router = APIRouter(prefix="/v1", tags=["calendar"])
UTC_TEXT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?\+00:00")


def change_shape(row: changes.Row) -> ChangeShape:
    """A change as the API shows it."""
    reason = {name: "not_about_one" for name in ("asset_id", "lease_id") if row[name] is None}
    return ChangeShape(
        at=to_rfc3339(row["at"]),
        change=row["change"],
        kind=row["kind"],
        key=row["key"],
        revision=row["revision"],
        asset_id=None if row["asset_id"] is None else str(row["asset_id"]),
        asset_name=row["asset_name"],
        lease_id=None if row["lease_id"] is None else str(row["lease_id"]),
        actor=row["actor"],
        detail=_with_z(row["told"] or {}),
        reason=reason | ({"asset_name": "not_about_one"} if row["asset_name"] is None else {}),
    )


def _with_z(value: Any) -> Any:
    """Times as the database writes them inside an object (UTC, `+00:00`) in the form of every other time."""
    if isinstance(value, dict):
        return {name: _with_z(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_with_z(each) for each in value]
    return value[:-6] + "Z" if isinstance(value, str) and UTC_TEXT.fullmatch(value) else value


@router.get("/changes", responses=answer_list(ChangeShape, examples.CHANGE), response_model=None)
async def list_changes(
    request: Request, asker: Insider, page: PageQuery,
    since: Annotated[Instant, Query(description="Recorded at or after this instant.")],
    until: Annotated[Instant | None, Query(description="Recorded before this instant.")] = None,
    kind: Annotated[ChangeKinds | None, Query(description="Of these kinds.")] = None,
    change: Annotated[Changes | None, Query(description="Only these changes.")] = None,
    asset_id: Annotated[UUID | None, Query(description="About this asset or one of its leases.")] = None,
) -> Response:  # fmt: skip
    """What was recorded since an instant, the earliest first: new, restated and retracted facts, steps about alerts; by whom.

    `actor` is `keelwing`, a key, or the source that said so. What merely goes on (a flight that lands, an episode that ends) and
    findings of severity info are left out; new journeys are the list of journeys.
    """
    after = decode_cursor(page.cursor, tuple[TimeKey, TextKey, TextKey, RevisionKey])
    which = changes.ChangeFilter(
        since_us=since, until_us=until, kinds=kind, changes=change, asset_id=None if asset_id is None else str(asset_id)
    )
    async with asker.desk() as conn:
        rows = await changes.since(conn, which, after, page.limit + 1)
    return page_response(request, ChangeShape, change_shape, rows, page, "at", "kind", "key", "revision")
