"""Coverage: who speaks of an asset, how much of it was kept, and what was lost on the way."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from api import examples
from api.documents import answer
from api.keys import Anyone
from api.listing import json_response
from api.parameters import AssetId
from api.routes.assets import sending_row
from api.shapes import AssetCoverageShape, OriginShape
from api.states import device_status_shape, nulled_shapes, time_of
from store import reads

router = APIRouter(prefix="/v1", tags=["assets"])
COUNTS = ("received", "stored", "late", "duplicate", "rejected")


def origin_shape(row: reads.Row, status: reads.Row | None) -> OriginShape:
    """An origin row as the API shows it. A device that was counted nothing yet has zeros; a feed has nulls and the reason."""
    reason = {}
    if not row["device"]:
        reason = dict.fromkeys((*COUNTS, "nulled"), "counted_by_feed")
    if status is None:
        reason["device_status"] = "never_said" if row["device"] else "not_a_device"
    counts = {name: (row[name] or 0) if row["device"] else None for name in COUNTS}
    return OriginShape(
        origin=row["origin"],
        readings=row["readings"],
        positions=row["positions"],
        **counts,
        nulled=nulled_shapes(row["nulled"] or ()) if row["device"] else None,
        device_status=None if status is None else device_status_shape(status),
        reason=reason,
    )


@router.get(
    "/assets/{asset_id}/coverage", responses=answer(AssetCoverageShape, examples.COVERAGE, 200, 404), response_model=None
)  # fmt: skip
async def get_coverage(asker: Anyone, asset_id: AssetId) -> Response:
    """How well an asset is heard: readings and positions kept, by whom they came, what was refused or made null.

    Readings are counted by whole hours: at the edge of a lease or an attribution, the hour it cuts is left out.
    """
    async with asker.desk() as conn:
        row = await sending_row(conn, asset_id)
        heard = await reads.heard(conn, str(asset_id), row["class"])
        origins = await reads.coverage(conn, str(asset_id))
        statuses = {each["origin"]: each for each in await reads.device_statuses(conn, str(asset_id))}
    reason = {} if heard["first_time"] is not None else {"first_time": "never_heard", "last_time": "never_heard"}
    if asker.party is not None:
        reason["origins"] = "not_shared"
    return json_response(
        AssetCoverageShape(
            asset_id=str(asset_id),
            first_time=time_of(heard["first_time"]),
            last_time=time_of(heard["last_time"]),
            readings=sum(each["readings"] for each in origins),
            positions=sum(each["positions"] for each in origins),
            origins=None
            if asker.party is not None
            else [origin_shape(each, statuses.get(each["origin"]) if each["device"] else None) for each in origins],
            reason=reason,
        )
    )
