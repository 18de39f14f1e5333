"""What stands beside a lease's terms: territory rules, covenants and cover, each by revisions.

Writing one of an id that is there closes what was believed of it; `known_at` gives it back.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import ConfigDict, Field, JsonValue
from starlette.responses import Response

from api import lease_examples as examples
from api import leases as shaped
from api.documents import answer, answer_list
from api.keys import Editor, Insider
from api.lease_shapes import CovenantShape, InsuranceShape, TerritoryRuleShape
from api.listing import TextKey, decode_cursor
from api.once import Answer, IdempotencyKey, write_once
from api.paging import page_response
from api.parameters import DatedQuery, Instant, PageQuery, Text
from api.problem import invalid
from api.routes.leases import MEMBERS_MAX, Bounded, ClauseId, Given, LeaseId, ordered, owner_of
from fleet.dated import Span
from fleet.instants import to_datetime
from fleet.lease import Covenant, TermFault, TerritoryRule, parse_predicate
from store import clauses
from store.pool import Connection

router = APIRouter(prefix="/v1/leases", tags=["leases"])


class Period(Given):
    """When something holds; null bounds are open, `valid_to` is exclusive."""

    valid_from: Instant | None = None
    valid_to: Instant | None = None


class NewTerritoryRule(Period):
    """A territory rule; one whose `id` is there becomes another revision of it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{
            "id": "excluded", "kind": "prohibited", "event_scope": "port_call", "area_set": "JWLA-032",
            "carve_outs": ["force_majeure"], "severity": "critical",
        }]},
    )  # fmt: skip

    id: ClauseId
    kind: Literal["permitted", "prohibited", "notify", "insured_excluded"]
    event_scope: Literal["any_presence", "port_call", "landing", "overflight", "flag", "ownership"] = "any_presence"
    area_set: Bounded
    area_set_version: Bounded | None = None
    prior_notice_h: float | None = Field(default=None, ge=0, le=8784)
    carve_outs: list[Literal["force_majeure", "overflight"]] = Field(default_factory=list, max_length=2)
    severity: Literal["info", "warning", "critical"] | None = None
    is_active: bool = True


class NewCovenant(Period):
    """A covenant; one whose `id` is there becomes another revision of it. `predicate` is of a closed set, by its `kind`."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{
            "id": "ais", "clause": "12(b)", "predicate": {"kind": "ais_on", "silence_h_max": 6}, "severity": "warning",
        }]},
    )  # fmt: skip

    id: ClauseId
    clause: Bounded
    predicate: dict[Text, JsonValue] = Field(max_length=MEMBERS_MAX)
    severity: Literal["info", "warning", "critical"] = "warning"
    is_active: bool = True


class NewInsurance(Given):
    """Cover of a lease; with the `id` of one that is there, another revision of it. `agreed_value` is money as text."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{
            "kind": "hull", "insurer": "Harbour Mutual", "agreed_value": "41500000.00", "currency": "USD",
            "cover_from": "2026-01-01T00:00:00Z", "cover_to": "2027-01-01T00:00:00Z", "cancellation_notice_days": 7,
        }]},
    )  # fmt: skip

    id: UUID | None = None
    kind: Literal["hull", "war", "p_and_i", "liability", "spares"]
    insurer: Bounded
    agreed_value: Text | None = Field(default=None, pattern=r"^[0-9]{1,16}(\.[0-9]{1,2})?$")
    currency: Text | None = Field(default=None, pattern=r"^[A-Z]{3}$")
    cover_from: Instant | None = None
    cover_to: Instant | None = None
    area_set: Bounded | None = None
    cancellation_notice_days: int | None = Field(default=None, ge=0, le=3650)
    loss_payee: Bounded | None = None
    certificates: list[Text] = Field(default_factory=list, max_length=MEMBERS_MAX)


@router.get(
    "/{lease_id}/territory-rules", responses=answer_list(TerritoryRuleShape, examples.TERRITORY_RULE, 404), response_model=None
)  # fmt: skip
async def list_territory_rules(
    request: Request, asker: Insider, lease_id: LeaseId, page: PageQuery, dated: DatedQuery
) -> Response:  # fmt: skip
    """Where the lease lets its asset go: all rules, or those in force at `valid_at`."""
    after = decode_cursor(page.cursor, tuple[TextKey])
    async with asker.desk() as conn:
        await owner_of(conn, lease_id)
        rows = await clauses.territory_rules(
            conn, str(lease_id), dated.at_us, dated.known_us, after=after[0] if after else None, limit=page.limit + 1
        )  # fmt: skip
    return page_response(request, TerritoryRuleShape, shaped.territory_rule_shape, rows, page, "territory_rule_id")


@router.post(
    "/{lease_id}/territory-rules", status_code=201,
    responses=answer(TerritoryRuleShape, examples.TERRITORY_RULE, 201, 400, 404, 409, 413), response_model=None,
)  # fmt: skip
async def put_territory_rule(
    request: Request, asker: Editor, lease_id: LeaseId, body: NewTerritoryRule, idempotency_key: IdempotencyKey = None
) -> Response:  # fmt: skip
    """A territory rule, or another revision of the one of its `id`."""
    ordered(body.valid_from, body.valid_to, "valid_to")
    rule = TerritoryRule(
        id=body.id, kind=body.kind, event_scope=body.event_scope, area_set=body.area_set, severity=body.severity,
        area_set_version=body.area_set_version, prior_notice_h=body.prior_notice_h,
        carve_outs=tuple(dict.fromkeys(body.carve_outs)), valid_from=_moment(body.valid_from), valid_to=_moment(body.valid_to),
        is_active=body.is_active,
    )  # fmt: skip

    async def work(conn: Connection) -> Answer:
        tenant, _ = await owner_of(conn, lease_id)
        await clauses.put_territory_rule(conn, tenant, str(lease_id), rule, asker.name)
        rows = await clauses.territory_rules(conn, str(lease_id), None, None, rule_id=body.id, limit=1)
        return Answer(body=shaped.territory_rule_shape(rows[0]), status=201)

    return await write_once(request, asker, idempotency_key, work)


@router.get("/{lease_id}/covenants", responses=answer_list(CovenantShape, examples.COVENANT, 404), response_model=None)
async def list_covenants(
    request: Request, asker: Insider, lease_id: LeaseId, page: PageQuery, dated: DatedQuery
) -> Response:  # fmt: skip
    """Clauses that can be judged by what is heard: all of them, or those in force at `valid_at`."""
    after = decode_cursor(page.cursor, tuple[TextKey])
    async with asker.desk() as conn:
        await owner_of(conn, lease_id)
        rows = await clauses.covenants(
            conn, str(lease_id), dated.at_us, dated.known_us, after=after[0] if after else None, limit=page.limit + 1
        )  # fmt: skip
    return page_response(request, CovenantShape, shaped.covenant_shape, rows, page, "covenant_id")


@router.post(
    "/{lease_id}/covenants", status_code=201, responses=answer(CovenantShape, examples.COVENANT, 201, 400, 404, 409, 413),
    response_model=None,
)  # fmt: skip
async def put_covenant(
    request: Request, asker: Editor, lease_id: LeaseId, body: NewCovenant, idempotency_key: IdempotencyKey = None
) -> Response:  # fmt: skip
    """A covenant, or another revision of the one of its `id`."""
    ordered(body.valid_from, body.valid_to, "valid_to")
    predicate = parse_predicate(body.predicate, "/predicate")
    if isinstance(predicate, TermFault):
        raise shaped.unfit([predicate])
    covenant = Covenant(
        id=body.id, clause=body.clause, predicate=predicate, severity=body.severity, valid_from=_moment(body.valid_from),
        valid_to=_moment(body.valid_to), is_active=body.is_active,
    )  # fmt: skip

    async def work(conn: Connection) -> Answer:
        tenant, _ = await owner_of(conn, lease_id)
        await clauses.put_covenant(conn, tenant, str(lease_id), covenant, asker.name)
        rows = await clauses.covenants(conn, str(lease_id), None, None, covenant_id=body.id, limit=1)
        return Answer(body=shaped.covenant_shape(rows[0]), status=201)

    return await write_once(request, asker, idempotency_key, work)


@router.get("/{lease_id}/insurances", responses=answer_list(InsuranceShape, examples.INSURANCE, 404), response_model=None)
async def list_insurances(
    request: Request, asker: Insider, lease_id: LeaseId, page: PageQuery, dated: DatedQuery
) -> Response:  # fmt: skip
    """Cover of a lease: all of it, or what is in force at `valid_at`."""
    after = decode_cursor(page.cursor, tuple[UUID])
    async with asker.desk() as conn:
        await owner_of(conn, lease_id)
        rows = await clauses.insurances(
            conn, [str(lease_id)], dated.at_us, dated.known_us, after=str(after[0]) if after else None, limit=page.limit + 1
        )  # fmt: skip
    return page_response(request, InsuranceShape, shaped.insurance_shape, rows, page, "insurance_id")


@router.post(
    "/{lease_id}/insurances", status_code=201, responses=answer(InsuranceShape, examples.INSURANCE, 201, 400, 404, 409, 413),
    response_model=None,
)  # fmt: skip
async def put_insurance(
    request: Request, asker: Editor, lease_id: LeaseId, body: NewInsurance, idempotency_key: IdempotencyKey = None
) -> Response:  # fmt: skip
    """Cover of a lease, or another revision of the one of its `id`."""
    ordered(body.cover_from, body.cover_to, "cover_to")
    if (body.agreed_value is None) != (body.currency is None):
        raise invalid("body", "currency", "goes with agreed_value, and only with it")
    wanted = clauses.Insurance(
        kind=body.kind, insurer=body.insurer, cover=Span(body.cover_from, body.cover_to), currency=body.currency,
        insurance_id=None if body.id is None else str(body.id), area_set=body.area_set, loss_payee=body.loss_payee,
        agreed_value_amount=None if body.agreed_value is None else Decimal(body.agreed_value), certificates=body.certificates,
        cancellation_notice_days=body.cancellation_notice_days,
    )  # fmt: skip

    async def work(conn: Connection) -> Answer:
        tenant, _ = await owner_of(conn, lease_id)
        made = await clauses.put_insurance(conn, tenant, str(lease_id), wanted, asker.name)
        if made is None:
            raise invalid("body", "id", "no such insurance of the lease")
        rows = await clauses.insurances(conn, [str(lease_id)], None, None, insurance_id=made, limit=1)
        return Answer(body=shaped.insurance_shape(rows[0]), status=201)

    return await write_once(request, asker, idempotency_key, work)


def _moment(time_us: int | None) -> Any:
    return None if time_us is None else to_datetime(time_us)
