"""An asset's life in one answer: as an object, as one table of what happened, and as a workbook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import examples, lives
from api.documents import answer
from api.keys import Anyone, Asker
from api.life_tables import life_csv, life_sheets
from api.listing import CSV_TYPE, JSON_TYPE, json_response, preferred
from api.parameters import AssetId, Dated, DatedQuery
from api.routes.assets import asset_row, now_us, said_parts, states_of
from api.shapes import LifecycleShape, UseFiguresShape
from api.states import identifier_shape, installation_shape, lease_shape, time_of
from api.workbook import XLSX_TYPE, workbook
from fleet.asset_class import ASSET_CLASSES
from fleet.instants import to_datetime, to_rfc3339
from fleet.milestone import OBSERVED_WITHIN_D, Milestone, handovers, milestones
from fleet.practice import Practice
from fleet.practice_book import HOUSE
from fleet.stage_history import StagePeriod, stage_history
from store import identities, lifecycle, reads
from store.dossiers import practice_of
from store.lifecycle import Sought, Told
from store.pool import Connection

router = APIRouter(prefix="/v1", tags=["assets"])
Row = dict[str, Any]
FILES = {
    CSV_TYPE: {"schema": {"type": "string"}, "example": "from,to,section,what,lease_id,words,source,recorded_at\r\n"},
    XLSX_TYPE: {"schema": {"type": "string", "format": "binary"}, "example": "a workbook with a sheet for each list"},
}


class Life(NamedTuple):
    """Rows of one life as `store.lifecycle` gives them, and when it was first and last heard."""

    asset: Row
    told: Told
    insider: bool
    heard: Row
    names: Sequence[Row]
    tenures: Sequence[Row]
    papers: Sequence[Row]
    events: Sequence[Row]
    maintenance: Sequence[Row]
    gaps: Sequence[Row]
    alerts: Sequence[Row]
    installations: Sequence[Row]

    @property
    def paper_of(self) -> dict[Any, Row]:
        """Papers by their lease."""
        return {row["lease_id"]: row for row in self.papers}


async def read_life(conn: Connection, asker: Asker, asset_id: Any, dated: Dated) -> Life:
    """Everything but use, state and what was observed, one set query a list. Raises Problem 404."""
    row = await asset_row(conn, asset_id, dated)
    told = Told(str(asset_id), now_us() if dated.at_us is None else dated.at_us, dated.known_us)
    insider = asker.party is None
    return Life(
        row, told, insider, await _heard(conn, row), await lifecycle.identifiers(conn, told),
        await lifecycle.tenures(conn, told), await lifecycle.contracts(conn, told), await lifecycle.events(conn, told),
        await lifecycle.maintenance(conn, told), await lifecycle.gaps(conn, told) if insider else (),
        await lifecycle.alerts(conn, told) if insider else (),
        await identities.installations(conn, told.asset_id, None, told.known_us, None, lifecycle.NAMES_MAX) if insider else (),
    )  # fmt: skip


async def _heard(conn: Connection, asset: Row) -> Row:
    """When an asset was first and last heard; a component never is."""
    if asset["class"] not in ASSET_CLASSES:
        return {"first_time": None, "last_time": None, "streams": 0}
    return await reads.heard(conn, str(asset["asset_id"]), asset["class"])


async def milestones_of(conn: Connection, life: Life) -> list[Milestone]:
    """Milestones side by side; where nobody observed a handover, the departure or arrival nearest to it is looked for."""
    said = lives.said_in(life.events, life.papers, life.tenures)
    found = milestones(said)
    wanted = handovers(found)
    within_d = HOUSE.number(OBSERVED_WITHIN_D, to_datetime(life.told.at_us).date())
    rows = await lifecycle.movements_near(conn, life.told, [Sought(movement, near) for _, movement, near in wanted], within_d)
    return milestones([*said, *(lives.observed_said(wanted[row["n"] - 1][0], row) for row in rows)])


class LifeUse(NamedTuple):
    """Use of a life: inside each tenure by its place in the list, in no head tenure, and over all of it."""

    of_tenure: dict[int, UseFiguresShape | None]
    off_lease: UseFiguresShape | None
    whole: UseFiguresShape | None


async def use_in(conn: Connection, life: Life, practice: Practice) -> LifeUse:
    """Use inside every tenure and between them, of one set query; flights as the leases or the tenant's practice say."""
    told, asset_class = life.told, life.asset["class"]
    heard_from = life.heard["first_time"]
    spans = lives.spans_of(life.tenures, life.paper_of, heard_from if life.insider else None, told.at_us, practice)
    rows = await lifecycle.use_of(conn, told, [each.use for each in spans])
    of_tenure, head, free = {}, [], []
    free_attribution = None
    for span, row in zip(spans, rows, strict=True):
        if span.tenure is None:
            free.append(row)
            free_attribution = span.attribution
            continue
        of_tenure[span.tenure] = lives.use_shape([row], asset_class, span.attribution, told.at_us)
        if life.tenures[span.tenure]["head"]:
            head.append(row)
    return LifeUse(
        of_tenure, lives.use_shape(free, asset_class, free_attribution, told.at_us),
        lives.use_shape([*head, *free], asset_class, "by_lease", told.at_us),
    )  # fmt: skip


def stages_of(life: Life) -> list[StagePeriod]:
    """The stages of a life; of a lessee's only its own tenures."""
    held = [*lives.held_in(life.tenures, life.maintenance), *lives.statuses_in(life.events)]
    found = stage_history(lives.happened_in(life.events), held, life.told.at_us)
    return found if life.insider else [period for period in found if period.stage == "on_lease"]


async def life_shape(conn: Connection, asker: Asker, asset_id: Any, dated: Dated) -> LifecycleShape:
    """The life of an asset as the API shows it. Raises Problem 404."""
    life = await read_life(conn, asker, asset_id, dated)
    found = await milestones_of(conn, life)
    use = await use_in(conn, life, await practice_of(conn, asker.tenant, HOUSE, dated.known_us))
    state = (await states_of(conn, asker, [life.asset], dated))[0]
    parts, unsaid = await said_parts(conn, asker, asset_id, dated)
    at_us, stages = life.told.at_us, stages_of(life)
    current = stages[-1] if stages and stages[-1].to_us is None else None
    stage = current.stage if current is not None else life.asset["stage"]
    periods = [
        lives.lease_period(row, life.paper_of.get(row["lease_id"]), use.of_tenure.get(n), at_us, insider=life.insider)
        for n, row in enumerate(life.tenures)
    ]
    leased = {row["lease_id"] for row in life.tenures}
    periods += [
        lives.lease_period(None, paper, None, at_us, insider=True) for paper in life.papers if paper["lease_id"] not in leased
    ]
    days = next((each.days_to_redelivery for each in periods if each.head and each.days_to_redelivery is not None), None)
    row = life.asset
    return LifecycleShape(
        asset_id=str(row["asset_id"]), class_=row["class"], name=row["name"], type=row["type"], stage=stage,
        registered_at=to_rfc3339(row["created_at"]), first_heard_at=time_of(life.heard["first_time"]),
        last_heard_at=time_of(life.heard["last_time"]), streams=life.heard["streams"], valid_at=to_rfc3339(at_us),
        known_at=time_of(dated.known_us), days_to_redelivery=days, stages=[lives.stage_shape(each) for each in stages],
        lease_periods=periods, milestones=[lives.milestone_shape(each) for each in found],
        maintenance=[lives.maintenance_shape(each) for each in life.maintenance] if life.insider else None,
        identifiers=[identifier_shape(each) for each in life.names],
        installations=[installation_shape(each) for each in life.installations] if life.insider else None,
        leases=[lease_shape(each) for each in life.tenures if each["head"]], use=use.whole, use_off_lease=use.off_lease,
        gaps=[lives.gap_shape(each) for each in life.gaps] if life.insider else None,
        alerts=[lives.alert_shape(each) for each in life.alerts] if life.insider else None,
        state=state, operating_status=state.operating_status, truncated=_truncated(life),
        reason=_reasons(life, stage, days, use) | unsaid
        | {name: why for name, why in state.reason.items() if name == "operating_status"}, **parts,
    )  # fmt: skip


def _truncated(life: Life) -> list[str]:
    bounds = (
        ("lease_periods", life.tenures, lifecycle.LEASES_MAX), ("milestones", life.events, lifecycle.EVENTS_MAX),
        ("maintenance", life.maintenance, lifecycle.EVENTS_MAX), ("identifiers", life.names, lifecycle.NAMES_MAX),
        ("installations", life.installations, lifecycle.NAMES_MAX),
        ("gaps", life.gaps, lifecycle.GAPS_MAX), ("alerts", life.alerts, lifecycle.ALERTS_MAX),
    )  # fmt: skip
    return [name for name, rows, most in bounds if len(rows) >= most]


def _reasons(life: Life, stage: str | None, days: float | None, use: LifeUse) -> dict[str, str]:
    """Why each null part is null; one word a part."""
    reason: dict[str, str] = {}
    if life.asset["type"] is None:
        reason["type"] = "not_given"
    if stage is None:
        reason["stage"] = "not_derived"
    if life.heard["first_time"] is None:
        reason |= {"first_heard_at": "never_heard", "last_heard_at": "never_heard"}
    if days is None:
        reason["days_to_redelivery"] = "no_promised_redelivery"
    if life.told.known_us is None:
        reason["known_at"] = "now"
    if use.whole is None:
        reason["use"] = "never_heard"
    if use.off_lease is None:
        reason["use_off_lease"] = "always_on_lease" if life.insider else "not_shared"
    if not life.insider:
        reason |= dict.fromkeys(("maintenance", "installations", "gaps", "alerts"), "not_shared")
    return reason


@router.get(
    "/assets/{asset_id}/lifecycle", response_model=None,
    responses=answer(LifecycleShape, examples.LIFECYCLE, 200, 404, also=FILES),
)  # fmt: skip
async def get_lifecycle(request: Request, asker: Anyone, asset_id: AssetId, dated: DatedQuery) -> Response:
    """An asset's life up to `valid_at`, as known at `known_at`; as an object, as CSV of what happened, or as an XLSX workbook.

    It holds stages, tenures with the use inside them, milestones as promised, as reported and as observed, maintenance, names,
    silences, alerts and the state. The form follows `Accept`.
    """
    async with asker.desk() as conn:
        shape = await life_shape(conn, asker, asset_id, dated)
    wanted = preferred(request, JSON_TYPE, CSV_TYPE, XLSX_TYPE)
    headers = {"Vary": "Accept"}
    if wanted == CSV_TYPE:
        return Response(life_csv(shape), 200, headers, CSV_TYPE + "; charset=utf-8")
    if wanted == XLSX_TYPE:
        headers["Content-Disposition"] = f'attachment; filename="life-{shape.asset_id}.xlsx"'
        return Response(workbook(life_sheets(shape)), 200, headers, XLSX_TYPE)
    return json_response(shape, headers=headers)
