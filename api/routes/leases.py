"""Leases: draft one, read it as of any instant, and tell what happened to it; its parties, rules, covenants and cover.

An event is judged on the asset's whole history; one that cannot have happened is refused with 409 and the guard that stands
against it. A correction or withdrawal closes what was believed and adds to it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue
from starlette.responses import Response

from api import lease_examples as examples
from api import leases as shaped
from api.documents import answer, answer_list
from api.keys import Anyone, Editor, Insider
from api.lease_shapes import (
    LeaseContractShape,
    LeaseEventShape,
    LeasePartyShape,
    LeaseTransitionShape,
)
from api.listing import NumberKey, TimeKey, decode_cursor, encode_cursor, json_response, list_response
from api.once import Answer, IdempotencyKey, write_once
from api.paging import next_cursor, page_response
from api.parameters import Dated, DatedQuery, Instant, PageQuery, Text
from api.problem import Fault, Problem, invalid, not_found
from api.routes.assets import asset_row, now_us
from fleet.instants import MINUTE_US
from fleet.lease import FORMS, parse_terms
from fleet.lease_phase import FOLLOWS, TRANSITIONS, LeaseEvent, Phase, Refusal, warnings
from store import leases, parties
from store.pool import Connection

router = APIRouter(prefix="/v1/leases", tags=["leases"])
LeaseId = Annotated[UUID, Path(description="The lease's own key.")]
FUTURE_US = 5 * MINUTE_US  # as for readings (design 4.1): what lies further ahead has not happened
MEMBERS_MAX = 100
Superseded = Annotated[bool, Query(description="Also events that were corrected or withdrawn.")]
Evidence = Annotated[dict[Text, JsonValue], Field(max_length=MEMBERS_MAX)]
Bounded = Annotated[Text, Field(min_length=1, max_length=200)]
ClauseId = Annotated[Text, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]


def _form(name: str) -> str:
    if name not in FORMS:
        raise ValueError(f"must be one of {', '.join(FORMS)}")
    return name


class Given(BaseModel):
    """Base of bodies: nothing unknown."""

    model_config = ConfigDict(extra="forbid")


class TermSpan(Given):
    """The promised term, half-open; `to` null for one without an end."""

    from_: Instant = Field(alias="from")
    to: Instant | None = None


class NewLease(Given):
    """A lease to draft. Parties by id; `terms` as in schema `Terms` (docs/leases.md names every member)."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{
            "asset_id": "0d3c7a52-6f0e-4f1e-9a53-6d1d3c1f5b11", "form": "time_charter", "reference": "NB-2026-01",
            "lessee": "6a1f5e0c-12f4-4a1b-8a6e-0a4b4a1f2c33",
            "term": {"from": "2026-01-01T00:00:00Z", "to": "2028-01-01T00:00:00Z"}, "terms": examples.TERMS,
        }]},
    )  # fmt: skip

    asset_id: UUID
    form: Annotated[Text, AfterValidator(_form)]
    lessee: UUID
    lessor: UUID | None = None
    operator: UUID | None = None
    parent_lease_id: UUID | None = None
    reference: Bounded | None = None
    term: TermSpan
    terms: dict[Text, JsonValue] = Field(default_factory=dict, max_length=MEMBERS_MAX)


class LeaseChange(Given):
    """A JSON merge patch (RFC 7396) of the paper: what is absent stays, null removes. It becomes another revision."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"terms": {"rent": {"amount": "318000.00"}, "storage_preset": "lessor"}}]}
    )  # fmt: skip

    reference: Bounded | None = None
    term: TermSpan | None = None
    terms: dict[Text, JsonValue] = Field(default_factory=dict, max_length=MEMBERS_MAX)


class NewLeaseEvent(Given):
    """Something that happened to a lease. `corrects` names the event whose place it takes."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{
            "kind": "lease_delivery", "at": "2026-01-03T06:00:00Z",
            "evidence": {"acceptance_certificate": "AC-17", "insurance_certificate": "HM-2026-331", "place": "NLRTM"},
        }]},
    )  # fmt: skip

    kind: Literal[*(kind for kind in TRANSITIONS if kind not in FOLLOWS)]  # type: ignore[valid-type]
    at: Instant
    evidence: Evidence = Field(default_factory=dict)
    corrects: UUID | None = None


class NewLeaseParty(Given):
    """A party in a role of a lease, in a period; null bounds are open. Lessees come by signature and novation."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"party": "0d3c7a52-6f0e-4f1e-9a53-6d1d3c1f5b11", "role": "guarantor"}]},
    )

    party: UUID
    role: Literal["lessor", "operator", "sub_lessee", "manager", "insurer", "mortgagee", "guarantor"]
    valid_from: Instant | None = None
    valid_to: Instant | None = None


def _phases(text: Any) -> tuple[str, ...]:
    known = Phase.__args__  # type: ignore[attr-defined]
    names = tuple(dict.fromkeys(part.strip() for part in str(text).split(",") if part.strip()))
    if not names or any(name not in known for name in names):
        raise ValueError(f"must be one or more of {', '.join(known)}, separated by commas")
    return names


def ordered(from_us: int | None, to_us: int | None, name: str) -> None:
    """422 where a period ends before it begins."""
    if from_us is not None and to_us is not None and from_us >= to_us:
        raise invalid("body", name, "must be after the beginning")


async def owner_of(conn: Connection, lease_id: UUID | str) -> tuple[str, str]:
    """(tenant, asset_id) of a lease. Raises Problem 404 where the key cannot see its paper."""
    found = await leases.asset_of(conn, str(lease_id))
    if found is None:
        raise not_found("lease")
    return found


async def lease_shown(conn: Connection, lease_id: UUID | str, dated: Dated) -> leases.ShownLease:
    """A lease as known at `known_at`, where it stood at `valid_at`. Raises Problem 404."""
    found = await leases.find(conn, leases.LeaseFilter(lease_id=str(lease_id), known_us=dated.known_us), None, 1)
    if not found:
        raise not_found("lease")
    return (await leases.shown(conn, found, now_us() if dated.at_us is None else dated.at_us, dated.known_us))[0]


async def refuse_unknown_party(conn: Connection, **named: UUID | None) -> None:
    """422 for a party that is not there, with the pointer to where it was named."""
    for name, party_id in named.items():
        if party_id is not None and await parties.get(conn, str(party_id)) is None:
            raise invalid("body", name, "no such party")


@router.get("", responses=answer_list(LeaseContractShape, examples.LEASE_CONTRACT), response_model=None)
async def list_leases(
    request: Request, asker: Anyone, page: PageQuery, dated: DatedQuery,
    asset_id: Annotated[UUID | None, Query(description="Of this asset.")] = None,
    party: Annotated[UUID | None, Query(description="With this party in any role.")] = None,
    phase: Annotated[Text | None, Query(max_length=200, description="In one of these phases: `active,holdover`.")] = None,
    ends_before: Annotated[Instant | None, Query(description="Whose term ends before this instant.")] = None,
) -> Response:  # fmt: skip
    """Leases in order of their id, as known at `known_at`, in the phase of `valid_at`. A lessee sees its own tenure."""
    after = decode_cursor(page.cursor, tuple[UUID])
    try:
        phases = None if phase is None else _phases(phase)
    except ValueError as error:
        raise invalid("query", "phase", str(error)) from None
    which = leases.LeaseFilter(
        asset_id=None if asset_id is None else str(asset_id), party_id=None if party is None else str(party), phases=phases,
        ends_before_us=ends_before, at_us=dated.at_us, known_us=dated.known_us,
    )  # fmt: skip
    at_us, since = now_us() if dated.at_us is None else dated.at_us, str(after[0]) if after else None
    async with asker.desk() as conn:
        if asker.party is not None:
            own = await _own(conn, which, at_us, since)
            more = encode_cursor(own[page.limit - 1].id) if len(own) > page.limit else None
            return list_response(request, LeaseContractShape, own[: page.limit], more)
        rows = await leases.find(conn, which, since, page.limit + 1)
        shapes = [shaped.contract_shape(each) for each in await leases.shown(conn, rows[: page.limit], at_us, dated.known_us)]
    return list_response(request, LeaseContractShape, shapes, next_cursor(rows, page, "lease_id"))


async def _own(
    conn: Connection, which: leases.LeaseFilter, at_us: int, after: str | None = None
) -> list[LeaseContractShape]:  # fmt: skip
    """A lessee's own leases in order of their id, at most as many as a page may hold."""
    by_lease: dict[str, list[leases.Row]] = {}
    for row in await leases.own_tenures(conn, which, after, leases.LEASES_MAX):
        by_lease.setdefault(row["lease_id"], []).append(row)
    shapes = [shaped.own_lease_shape(rows, at_us) for rows in by_lease.values()]
    return [each for each in shapes if which.phases is None or each.phase in which.phases]


@router.post(
    "",
    status_code=201,
    responses=answer(LeaseContractShape, examples.LEASE_CONTRACT, 201, 400, 404, 409, 413),
    response_model=None,
)
async def create_lease(request: Request, asker: Editor, body: NewLease, idempotency_key: IdempotencyKey = None) -> Response:
    """Draft a lease. Nothing happens to the asset until its events are told."""
    terms = parse_terms(body.terms, "/terms")
    if isinstance(terms, list):
        raise shaped.unfit(terms)
    ordered(body.term.from_, body.term.to, "term")
    if (body.form == "sublease") != (body.parent_lease_id is not None):
        raise invalid("body", "parent_lease_id", "goes with form sublease, and only with it")

    async def work(conn: Connection) -> Answer:
        await asset_row(conn, body.asset_id)
        await refuse_unknown_party(conn, lessee=body.lessee, lessor=body.lessor, operator=body.operator)
        if body.parent_lease_id is not None and (await owner_of(conn, body.parent_lease_id))[1] != str(body.asset_id):
            raise invalid("body", "parent_lease_id", "is a lease of another asset")
        roles = (("lessor", body.lessor), ("operator", body.operator))
        wanted = leases.NewLease(
            tenant=asker.tenant, asset_id=str(body.asset_id), form=body.form, lessee_party_id=str(body.lessee),
            from_us=body.term.from_, to_us=body.term.to, terms=terms, reference=body.reference, actor=asker.name,
            parent_lease_id=None if body.parent_lease_id is None else str(body.parent_lease_id),
            parties=tuple((str(party), role) for role, party in roles if party is not None),
        )  # fmt: skip
        lease_id = await leases.draft(conn, wanted)
        made = shaped.contract_shape(await lease_shown(conn, lease_id, Dated()))
        return Answer(body=made, status=201, headers={"Location": f"/v1/leases/{lease_id}"})

    return await write_once(request, asker, idempotency_key, work)


@router.get("/{lease_id}", responses=answer(LeaseContractShape, examples.LEASE_CONTRACT, 200, 404), response_model=None)
async def get_lease(asker: Anyone, lease_id: LeaseId, dated: DatedQuery) -> Response:
    """One lease as known at `known_at`, in the phase of `valid_at`; a lessee sees its own tenure."""
    async with asker.desk() as conn:
        if asker.party is None:
            return json_response(shaped.contract_shape(await lease_shown(conn, lease_id, dated)))
        at_us = now_us() if dated.at_us is None else dated.at_us
        own = await _own(conn, leases.LeaseFilter(lease_id=str(lease_id)), at_us)
    if not own:
        raise not_found("lease")
    return json_response(own[0])


@router.patch(
    "/{lease_id}", responses=answer(LeaseContractShape, examples.LEASE_CONTRACT, 200, 400, 404, 409, 413), response_model=None
)  # fmt: skip
async def change_lease(
    request: Request, asker: Editor, lease_id: LeaseId, body: LeaseChange, idempotency_key: IdempotencyKey = None
) -> Response:  # fmt: skip
    """Another revision of the paper: reference, promised term, terms. What was believed before stays on record."""
    given = body.model_fields_set
    if body.term is not None:
        ordered(body.term.from_, body.term.to, "term")

    async def work(conn: Connection) -> Answer:
        shown = await lease_shown(conn, lease_id, Dated())
        merged = merge(shown.row["terms"], body.terms)  # also onto what cannot be read: so it is mended
        terms = parse_terms(merged, "/terms")
        if isinstance(terms, list):
            raise shaped.unfit(terms)
        revision = leases.Revision(
            reference=body.reference if "reference" in given else shown.row["reference"], terms=terms,
            from_us=shown.row["promise_from"] if body.term is None else body.term.from_,
            to_us=shown.row["promise_to"] if body.term is None else body.term.to,
        )  # fmt: skip
        found = await leases.revise(conn, str(lease_id), revision, asker.name, now_us())
        if isinstance(found, Refusal):
            raise shaped.refused(found)
        return Answer(body=shaped.contract_shape(await lease_shown(conn, lease_id, Dated())))

    return await write_once(request, asker, idempotency_key, work)


def merge(target: Any, patch: Any) -> Any:
    """A JSON merge patch (RFC 7396) laid over a value; nulls remove."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), value)
    return merged


@router.get("/{lease_id}/events", responses=answer_list(LeaseEventShape, examples.LEASE_EVENT, 404), response_model=None)
async def list_lease_events(
    request: Request, asker: Insider, lease_id: LeaseId, page: PageQuery, dated: DatedQuery, superseded: Superseded = False,
) -> Response:  # fmt: skip
    """What happened to a lease, earliest first, up to `valid_at`, as known at `known_at`."""
    after = decode_cursor(page.cursor, tuple[TimeKey, UUID])
    async with asker.desk() as conn:
        await owner_of(conn, lease_id)
        rows = await leases.events(
            conn, str(lease_id), dated.at_us, dated.known_us, superseded=superseded,
            after=(after[0], str(after[1])) if after else None, limit=page.limit + 1,
        )  # fmt: skip
    return page_response(request, LeaseEventShape, shaped.event_shape, rows, page, "at", "lease_event_id")


@router.post(
    "/{lease_id}/events", status_code=201,
    responses=answer(LeaseTransitionShape, examples.LEASE_TRANSITION, 201, 400, 404, 409, 413), response_model=None,
)  # fmt: skip
async def tell_lease_event(
    request: Request, asker: Editor, lease_id: LeaseId, body: NewLeaseEvent, idempotency_key: IdempotencyKey = None
) -> Response:  # fmt: skip
    """Tell what happened. An event that cannot have happened is refused with its guard (`illegal-transition`)."""
    if body.at > now_us() + FUTURE_US:
        raise invalid("body", "at", "lies in the future: an event has happened")

    async def work(conn: Connection) -> Answer:
        await owner_of(conn, lease_id)
        if body.kind == "novation":
            await _refuse_bad_novation(conn, body.evidence)
        told = leases.Told(
            lease_id=str(lease_id), kind=body.kind, at_us=body.at, evidence=body.evidence, actor=asker.name,
            corrects=None if body.corrects is None else str(body.corrects),
        )  # fmt: skip
        try:
            found = await leases.record(conn, told, now_us())
        except KeyError:
            raise invalid("body", "corrects", "no such event of the asset") from None
        return Answer(body=await transition(conn, lease_id, found, told), status=201)

    return await write_once(request, asker, idempotency_key, work)


@router.delete(
    "/{lease_id}/events/{event_id}", responses=answer(LeaseTransitionShape, examples.LEASE_TRANSITION, 200, 404, 409),
    response_model=None,
)  # fmt: skip
async def withdraw_lease_event(
    request: Request, asker: Editor, lease_id: LeaseId,
    event_id: Annotated[UUID, Path(description="The event's id.")], idempotency_key: IdempotencyKey = None,
) -> Response:  # fmt: skip
    """Believe an event no longer, with what followed from it. It stays on record (`superseded`, `known_at`)."""

    async def work(conn: Connection) -> Answer:
        tenant, asset_id = await owner_of(conn, lease_id)
        history = (await leases.histories(conn, [asset_id]))[asset_id]
        own = {event.event_id for event in history.lease_events if event.lease_id == str(lease_id)}
        if str(event_id) not in own:
            raise not_found("event")
        found = await leases.withdraw(conn, tenant, asset_id, str(event_id), asker.name, now_us())
        return Answer(body=await transition(conn, lease_id, found, None))

    return await write_once(request, asker, idempotency_key, work)


async def _refuse_bad_novation(conn: Connection, evidence: dict[str, Any]) -> None:
    fault = Fault(part="body", pointer="#/evidence/lessee_party_id", detail="must be the id of a party, who takes the lease over")
    problem = Problem(422, "The request was understood but is not valid.", reason="invalid", errors=[fault])
    try:
        party_id = UUID(str(evidence.get("lessee_party_id")))
    except ValueError:
        raise problem from None
    if await parties.get(conn, str(party_id)) is None:
        raise problem
    evidence["lessee_party_id"] = str(party_id)


async def transition(
    conn: Connection, lease_id: UUID, found: leases.Entered | Refusal, told: leases.Told | None
) -> LeaseTransitionShape:  # fmt: skip
    """What came of an event, or the problem that says why nothing did."""
    if isinstance(found, Refusal):
        raise shaped.refused(found)
    shown = await lease_shown(conn, lease_id, Dated())
    asset = await asset_row(conn, shown.row["asset_id"])
    event = None if told is None else LeaseEvent(event_id="", lease_id=told.lease_id, kind=told.kind, at_us=told.at_us)
    return LeaseTransitionShape(
        event_id=found.event_id, lease=shaped.contract_shape(shown), stage=asset["stage"],
        following=[f"{each.kind} of lease {each.lease_id}" for each in found.following],
        warnings=[] if event is None else warnings(leases.paper_of(shown.row, ()), event), restated_months=found.restated,
    )  # fmt: skip


@router.get("/{lease_id}/parties", responses=answer_list(LeasePartyShape, examples.LEASE_PARTY, 404), response_model=None)
async def list_lease_parties(
    request: Request, asker: Insider, lease_id: LeaseId, page: PageQuery, dated: DatedQuery
) -> Response:  # fmt: skip
    """Who stands behind a lease in which role: all there ever were, or those at `valid_at`."""
    after = decode_cursor(page.cursor, tuple[NumberKey])
    async with asker.desk() as conn:
        await owner_of(conn, lease_id)
        rows = await leases.parties(
            conn, str(lease_id), dated.at_us, dated.known_us, after[0] if after else None, page.limit + 1
        )  # fmt: skip
    return page_response(
        request, LeasePartyShape, lambda row: shaped.lease_party_shape(row, str(lease_id)), rows, page, "lease_party_id"
    )


@router.post(
    "/{lease_id}/parties", status_code=201, responses=answer(LeasePartyShape, examples.LEASE_PARTY, 201, 400, 404, 409, 413),
    response_model=None,
)  # fmt: skip
async def add_lease_party(
    request: Request, asker: Editor, lease_id: LeaseId, body: NewLeaseParty, idempotency_key: IdempotencyKey = None
) -> Response:  # fmt: skip
    """A party in a role, in a period; what was believed of the same party and role in that period is closed."""
    ordered(body.valid_from, body.valid_to, "valid_to")

    async def work(conn: Connection) -> Answer:
        tenant, _ = await owner_of(conn, lease_id)
        await refuse_unknown_party(conn, party=body.party)
        await leases.add_party(
            conn, tenant, str(lease_id), str(body.party), body.role, body.valid_from, body.valid_to, source="contract",
            actor=asker.name,
        )  # fmt: skip
        rows = await leases.parties(conn, str(lease_id), None, None, None, leases.LEASES_MAX)
        mine = [row for row in rows if (row["party_id"], row["role"]) == (str(body.party), body.role)]
        return Answer(body=shaped.lease_party_shape(mine[-1], str(lease_id)), status=201)

    return await write_once(request, asker, idempotency_key, work)
