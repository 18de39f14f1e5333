"""Trials of clauses: what a covenant or a territory rule would have raised over stored readings, switched on or not."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from pydantic import ConfigDict, Field
from starlette.responses import Response

from api import lease_examples as examples
from api.documents import answer
from api.keys import Insider
from api.lease_shapes import TrialShape
from api.leases import trial_shape
from api.listing import json_response
from api.parameters import Instant, Text
from api.problem import Problem, invalid, not_found
from api.routes.leases import Given, LeaseId, ordered, owner_of
from api.trials import AREAS_MAX, READINGS_MAX, TRIAL_DAYS_MAX, Trial, TrialCase
from fleet.area_entry import AreaEntry
from fleet.clause import Clause, tried
from fleet.dated import Span
from fleet.instants import DAY_US
from fleet.lease import Covenant, TermFault, TerritoryRule, parse_covenant, parse_territory_rule
from store import areas, clauses, leases, reads, trials
from store.areas import AreaFilter
from store.pool import Connection

router = APIRouter(prefix="/v1/leases", tags=["leases"])
ClauseKey = Annotated[Text, Path(min_length=1, max_length=64, description="The clause's id within its lease.")]
END_US = 1 << 53  # after every event of a lease


class TrialPeriod(Given):
    """The readings to judge: [`from`, `to`), at most 31 days."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"from": "2026-11-01T00:00:00Z", "to": "2026-11-20T00:00:00Z"}]},
    )  # fmt: skip

    from_: Instant = Field(alias="from")
    to: Instant


@router.post(
    "/{lease_id}/covenants/{covenant_id}/trial", responses=answer(TrialShape, examples.TRIAL, 200, 400, 404, 413),
    response_model=None,
)  # fmt: skip
async def try_covenant(
    request: Request, asker: Insider, lease_id: LeaseId, covenant_id: ClauseKey, body: TrialPeriod
) -> Response:  # fmt: skip
    """What a covenant would have raised over stored readings while its lease was in force; nothing is written."""
    async with asker.desk() as conn:
        rows = await clauses.covenants(conn, str(lease_id), None, None, covenant_id=covenant_id, limit=1)
        return await _tried(request, conn, lease_id, "covenant", rows, body)


@router.post(
    "/{lease_id}/territory-rules/{rule_id}/trial", responses=answer(TrialShape, examples.TRIAL, 200, 400, 404, 413),
    response_model=None,
)  # fmt: skip
async def try_territory_rule(
    request: Request, asker: Insider, lease_id: LeaseId, rule_id: ClauseKey, body: TrialPeriod
) -> Response:  # fmt: skip
    """What a territory rule would have raised over stored readings while its lease was in force; nothing is written."""
    async with asker.desk() as conn:
        rows = await clauses.territory_rules(conn, str(lease_id), None, None, rule_id=rule_id, limit=1)
        return await _tried(request, conn, lease_id, "territory rule", rows, body)


async def _tried(
    request: Request, conn: Connection, lease_id: LeaseId, what: str, rows: list[dict[str, Any]], body: TrialPeriod
) -> Response:  # fmt: skip
    ordered(body.from_, body.to, "to")
    if body.to - body.from_ > TRIAL_DAYS_MAX * DAY_US:
        raise invalid("body", "to", f"is more than {TRIAL_DAYS_MAX} days after from")
    _, asset_id = await owner_of(conn, lease_id)
    if not rows:
        raise not_found(what)
    judge: Trial | None = request.app.state.trial
    if judge is None:
        raise Problem(503, "This server judges no clauses.", reason="no_trials")
    case = await _case(conn, str(lease_id), asset_id, rows[0], body)
    lines = await asyncio.to_thread(judge, case)
    return json_response(trial_shape(case, lines))


async def _case(
    conn: Connection, lease_id: str, asset_id: str, row: Mapping[str, Any], body: TrialPeriod
) -> TrialCase:  # fmt: skip
    asset = await reads.asset(conn, asset_id)
    if asset is None:
        raise not_found("asset")
    readings = await trials.readings_of(conn, asset["class"], asset_id, body.from_, body.to, READINGS_MAX + 1)
    if len(readings) > READINGS_MAX:
        raise invalid("body", "to", f"holds more than {READINGS_MAX} readings; ask for less")
    found = await areas.areas(conn, AreaFilter(), None, AREAS_MAX)
    return TrialCase(
        clause=await _clause(conn, lease_id, row), asset_id=asset_id, asset_class=asset["class"], from_us=body.from_,
        to_us=body.to, readings=readings, areas=[_area(one) for one in found],
        others=await trials.others_of(conn, asset_id, body.from_, body.to),
    )  # fmt: skip


async def _clause(conn: Connection, lease_id: str, row: Mapping[str, Any]) -> Clause:
    """The clause as tried: bound to all of the tenure that its lease came to."""
    found = await leases.find(conn, leases.LeaseFilter(lease_id=lease_id), None, 1)
    shown = (await leases.shown(conn, found, END_US, None))[0]
    held = [Span(tenure["valid_from"], tenure["valid_to"]) for tenure in shown.tenures]
    term = shown.state.term
    return tried(_given(row), lease_id, held, head=shown.row["parent_lease_id"] is None, term_to_us=term.to_us)


def _given(row: Mapping[str, Any]) -> Covenant | TerritoryRule:
    """The clause of a row, as it was checked when it was put."""
    if "covenant_id" in row:
        said = {"id": row["covenant_id"], "clause": row["clause"], "predicate": row["predicate"], "severity": row["severity"]}
        given: Covenant | TerritoryRule | TermFault = parse_covenant(said)
    else:
        names = ("kind", "event_scope", "area_set", "area_set_version", "prior_notice_h", "carve_outs", "severity")
        given = parse_territory_rule({"id": row["territory_rule_id"], **{name: row[name] for name in names}})
    if isinstance(given, TermFault):
        raise Problem(422, f"The clause cannot be judged: {given.detail}.", reason="invalid")
    return given


def _area(row: Mapping[str, Any]) -> AreaEntry:
    same = ("area_id", "name", "kind", "issuer", "version", "severity", "geometry", "radius_m", "area_set")
    sides = ("west_deg", "south_deg", "east_deg", "north_deg")
    return AreaEntry(
        **{name: row[name] for name in (*same, *sides)}, applies_to=tuple(row["applies_to"]), valid_from_us=row["valid_from"],
        valid_to_us=row["valid_to"],
    )  # fmt: skip
