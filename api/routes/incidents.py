"""Incidents and what was told of them: one story of one asset, and why webhooks heard of it or did not."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from pydantic import BeforeValidator
from starlette.responses import Response

from api import examples
from api.documents import answer, answer_list
from api.keys import Insider
from api.listing import NumberKey, TimeKey, decode_cursor, json_response, list_response
from api.paging import next_cursor, page_response
from api.parameters import KnownAt, PageQuery, Severities, SpanQuery, names_of, text_schema
from api.problem import not_found
from api.routes.alerts import alert_shape
from api.routes.assets import now_us
from api.routes.findings import finding_shape
from api.shapes import BudgetWeekShape, IncidentShape, IncidentStoryShape, NoticeShape
from api.states import time_of
from fleet.instants import DAY_US, to_rfc3339
from store import budgets, reads, told

router = APIRouter(prefix="/v1", tags=["incidents"])
LISTED_MAX = 1000  # findings, alerts and decisions of one incident that are shown
MEASURED_US = 30 * DAY_US  # chosen: a month, which the budget is counted in
MONTH_US = 30.436875 * DAY_US
Status = Literal["open", "over", "merged", "retracted"]
VERDICTS = ("told", "same_incident", "held", "not_significant", "over_budget", "never_told", "released", "let_go")
Verdicts = Annotated[Any, BeforeValidator(names_of(VERDICTS)), text_schema("held,over_budget")]
IncidentId = Annotated[UUID, Path(description="The incident's id, as alerts and events carry it.")]


def incident_shape(row: told.Row) -> IncidentShape:
    """An incident row as the API shows it."""
    status: Status = "open" if row["alerts_open"] else "over"
    if row["retracted"]:
        status = "merged" if row["merged_into"] else "retracted"
    reason = {} if row["asset_id"] is not None else {"asset_id": "not_about_an_asset"}
    if row["told_at_severity"] is None:
        reason["told_at_severity"] = "held_back" if row["silent"] else "nothing_was_decided"
    return IncidentShape(
        id=str(row["incident_id"]), revision=row["revision"], status=status, severity=row["severity"], rules=row["rules"],
        asset_id=None if row["asset_id"] is None else str(row["asset_id"]), asset=row["asset"],
        opened_at=to_rfc3339(row["opened_at"]), closed_at=time_of(row["closed_at"]), findings=len(row["finding_ids"]),
        alerts=row["alerts"], alerts_open=row["alerts_open"], told_at_severity=row["told_at_severity"],
        merged_into=None if row["merged_into"] is None else str(row["merged_into"]), reason=reason,
    )  # fmt: skip


def notice_shape(row: told.Row) -> NoticeShape:
    """A decision row as the API shows it."""
    return NoticeShape(
        id=str(row["notice_id"]), alert_id=str(row["alert_id"]), revision=row["revision"], change=row["kind"],
        rule=row["rule"], severity=row["severity"], asset_id=None if row["asset_id"] is None else str(row["asset_id"]),
        asset=row["asset"], finding_id=row["finding_id"],
        incident_id=None if row["incident_id"] is None else str(row["incident_id"]), verdict=row["verdict"], waits=row["waits"],
        why=row["why"], hold_finding_id=row["hold_id"], event_id=row["event_id"], decided_at=to_rfc3339(row["decided_at"]),
    )  # fmt: skip


@router.get("/incidents", responses=answer_list(IncidentShape, examples.INCIDENT), response_model=None)
async def list_incidents(
    request: Request, asker: Insider, page: PageQuery, span: SpanQuery, known_at: KnownAt = None,
    asset_id: Annotated[UUID | None, Query(description="Of this asset.")] = None,
    severity: Annotated[Severities | None, Query(description="Of these severities.")] = None,
    retracted: Annotated[bool, Query(description="Also those that went into others or came to nothing.")] = False,
) -> Response:  # fmt: skip
    """Incidents with `opened_at` in [from, to), the latest begun first. An incident is told once, at its highest severity."""
    after = decode_cursor(page.cursor, tuple[TimeKey, UUID])
    which = told.IncidentFilter(
        asset_id=None if asset_id is None else str(asset_id), severities=severity, from_us=span.from_us, to_us=span.to_us,
        known_us=known_at, retracted=retracted,
    )  # fmt: skip
    async with asker.desk() as conn:
        rows = await told.incidents(conn, which, (after[0], str(after[1])) if after else None, page.limit + 1)
    return page_response(request, IncidentShape, incident_shape, rows, page, "opened_at", "incident_id")


@router.get(
    "/incidents/{incident_id}", responses=answer(IncidentStoryShape, examples.INCIDENT_STORY, 200, 404), response_model=None
)  # fmt: skip
async def get_incident(asker: Insider, incident_id: IncidentId, known_at: KnownAt = None) -> Response:
    """One incident: its findings, its alerts, and every decision about telling of it with its reason.

    An id that went into another is found, with `merged_into`.
    """
    which = told.IncidentFilter(incident_id=str(incident_id), known_us=known_at, retracted=True)
    async with asker.desk() as conn:
        rows = await told.incidents(conn, which, None, 1)
        if not rows:
            raise not_found("incident")
        finding_ids = tuple(rows[0]["finding_ids"])
        findings = await told.findings(conn, finding_ids, known_at)
        alerts = await reads.alerts(conn, reads.AlertFilter(incident_id=str(incident_id)), None, LISTED_MAX)
        decided = await told.notices(conn, told.NoticeFilter(finding_ids=finding_ids), None, LISTED_MAX)
    story = IncidentStoryShape(
        incident=incident_shape(rows[0]), findings=[finding_shape(row) for row in findings],
        alerts=[alert_shape(row) for row in alerts], notices=[notice_shape(row) for row in reversed(decided)],
    )  # fmt: skip
    return json_response(story)


@router.get("/notices", responses=answer_list(NoticeShape, examples.NOTICE), response_model=None)
async def list_notices(
    request: Request, asker: Insider, page: PageQuery, span: SpanQuery,
    verdict: Annotated[Verdicts | None, Query(description=f"With these verdicts, by commas: {', '.join(VERDICTS)}.")] = None,
    waiting: Annotated[bool, Query(description="Those alone that are held or wait for a new week.")] = False,
    alert_id: Annotated[UUID | None, Query(description="About this alert.")] = None,
    asset_id: Annotated[UUID | None, Query(description="About this asset.")] = None,
) -> Response:  # fmt: skip
    """Decisions about telling webhooks of alerts, with `decided_at` in [from, to), the newest first: told, or not and why."""
    after = decode_cursor(page.cursor, tuple[NumberKey])
    which = told.NoticeFilter(
        verdicts=verdict, waiting=waiting, alert_id=None if alert_id is None else str(alert_id),
        asset_id=None if asset_id is None else str(asset_id), from_us=span.from_us, to_us=span.to_us,
    )  # fmt: skip
    async with asker.desk() as conn:
        rows = await told.notices(conn, which, after[0] if after else None, page.limit + 1)
    return page_response(request, NoticeShape, notice_shape, rows, page, "notice_id")


@router.get("/alert-budget", responses=answer_list(BudgetWeekShape, examples.BUDGET_WEEK), response_model=None)
async def list_weeks(request: Request, asker: Insider, page: PageQuery) -> Response:
    """Weeks of the budget of models' warnings, the newest first; a week appears with its first decision.

    `measured_per_asset_month` is of the last 30 days, the same in every line; `rate` is what it is held against.
    """
    after = decode_cursor(page.cursor, tuple[TimeKey])
    async with asker.desk() as conn:
        rows = await told.weeks(conn, after[0] if after else None, page.limit + 1)
        measured = await budgets.measured(conn, now_us() - MEASURED_US, asker.tenant)
    assets, count = (measured[0].assets, measured[0].told) if measured else (0, 0)
    rate = count / assets / (MEASURED_US / MONTH_US) if assets else None
    shapes = [
        BudgetWeekShape(
            week=to_rfc3339(row["week"]), assets=row["assets"], warnings_per_asset_month=row["rate"], allowance=row["allowance"],
            carried=row["carried"], told=row["told"], held_back=row["held_back"],
            left=max(0.0, row["allowance"] + row["carried"] - row["told"]), tests=row["tests"], passed=row["passed"],
            measured_per_asset_month=rate, reason={} if rate is not None else {"measured_per_asset_month": "no_assets"},
        )
        for row in rows[: page.limit]
    ]  # fmt: skip
    return list_response(request, BudgetWeekShape, shapes, next_cursor(rows, page, "week"))
