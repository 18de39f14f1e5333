"""Parties: companies a tenant deals with, who controls whom, and everything that hangs on one with its corporate group."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from starlette.responses import Response

from api import lease_examples as examples
from api import leases as shaped
from api.documents import answer, answer_list
from api.keys import Asker, Editor, Insider
from api.lease_shapes import (
    DepositHeldShape,
    ExposedAssetShape,
    ExposureShape,
    ExposureTotalShape,
    PartyControlShape,
    PartyShape,
    ReserveHeldShape,
)
from api.listing import NumberKey, decode_cursor, json_response
from api.once import Answer, IdempotencyKey, write_once
from api.paging import page_response
from api.parameters import Dated, DatedQuery, Instant, PageQuery, Text
from api.problem import invalid, not_found
from api.routes.assets import now_us, states_of
from api.routes.leases import ordered, refuse_unknown_party
from api.shapes import StateShape
from api.states import time_of
from fleet.instants import DAY_US, to_rfc3339
from fleet.lease import Terms, stored_terms
from fleet.lease_phase import BOUND
from fleet.maintenance_reserve import Entry, balances
from store import clauses, leases, parties, reads
from store.pool import Connection

router = APIRouter(prefix="/v1/parties", tags=["leases"])
PartyId = Annotated[UUID, Path(description="The party's own key.")]
Country = Annotated[Text, Field(pattern=r"^[A-Z]{2}$", examples=["NL"])]
Lei = Annotated[Text, Field(pattern=r"^[A-Z0-9]{18}[0-9]{2}$", examples=["724500VKKSH9QOLTFR81"])]
PARTICULARS_MAX = 100
ZERO = Decimal("0.00")


class NewParty(BaseModel):
    """A company to deal with; its name is its own within a tenant."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "Northern Bulk", "country": "NL", "lei": "724500VKKSH9QOLTFR81"}]},
    )

    name: Text = Field(min_length=1, max_length=200)
    country: Country | None = None
    lei: Lei | None = None
    particulars: dict[Text, JsonValue] = Field(default_factory=dict, max_length=PARTICULARS_MAX)


class PartyChange(BaseModel):
    """A JSON merge patch (RFC 7396): what is absent stays, null removes. A name stays: it is how papers know the party."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"country": "NL", "particulars": {"screening": "clear 2026-11-01"}}]}
    )  # fmt: skip

    country: Country | None = None
    lei: Lei | None = None
    particulars: dict[Text, JsonValue] = Field(default_factory=dict, max_length=PARTICULARS_MAX)


class NewControl(BaseModel):
    """The company that controls a party in a period (null bounds are open); `parent` null: nobody does."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"parent": "6a1f5e0c-12f4-4a1b-8a6e-0a4b4a1f2c33", "valid_from": "2024-01-01T00:00:00Z"}]
        },
    )

    parent: UUID | None
    valid_from: Instant | None = None
    valid_to: Instant | None = None
    source: Text = Field(default="registration", min_length=1, max_length=100)


async def _party(conn: Connection, party_id: UUID | str, dated: Dated | None = None) -> parties.Row:
    row = await parties.get(conn, str(party_id), None if dated is None else dated.known_us)
    if row is None:
        raise not_found("party")
    return row


@router.get("", responses=answer_list(PartyShape, examples.PARTY), response_model=None)
async def list_parties(
    request: Request, asker: Insider, page: PageQuery, dated: DatedQuery,
    q: Annotated[Text | None, Query(min_length=1, max_length=100, description="Part of a name or LEI.")] = None,
) -> Response:  # fmt: skip
    """Parties in order of their id."""
    after = decode_cursor(page.cursor, tuple[UUID])
    async with asker.desk() as conn:
        rows = await parties.find(conn, q, dated.known_us, str(after[0]) if after else None, page.limit + 1)
    return page_response(request, PartyShape, shaped.party_shape, rows, page, "party_id")


@router.post("", status_code=201, responses=answer(PartyShape, examples.PARTY, 201, 400, 409, 413), response_model=None)
async def create_party(request: Request, asker: Editor, body: NewParty, idempotency_key: IdempotencyKey = None) -> Response:
    """A company to deal with."""

    async def work(conn: Connection) -> Answer:
        party_id = await parties.create(
            conn, asker.tenant, body.name, country=body.country, lei=body.lei, particulars=body.particulars
        )  # fmt: skip
        made = shaped.party_shape(await _party(conn, party_id))
        return Answer(body=made, status=201, headers={"Location": f"/v1/parties/{party_id}"})

    return await write_once(request, asker, idempotency_key, work)


@router.get("/{party_id}", responses=answer(PartyShape, examples.PARTY, 200, 404), response_model=None)
async def get_party(asker: Insider, party_id: PartyId, dated: DatedQuery) -> Response:
    """One party."""
    async with asker.desk() as conn:
        return json_response(shaped.party_shape(await _party(conn, party_id, dated)))


@router.patch("/{party_id}", responses=answer(PartyShape, examples.PARTY, 200, 400, 404, 409, 413), response_model=None)
async def change_party(
    request: Request, asker: Editor, party_id: PartyId, body: PartyChange, idempotency_key: IdempotencyKey = None
) -> Response:  # fmt: skip
    """Change country, LEI or particulars."""

    async def work(conn: Connection) -> Answer:
        await _party(conn, party_id)
        await parties.change(conn, str(party_id), body.model_dump(exclude_unset=True))
        return Answer(body=shaped.party_shape(await _party(conn, party_id)))

    return await write_once(request, asker, idempotency_key, work)


@router.get("/{party_id}/control", responses=answer_list(PartyControlShape, examples.PARTY_CONTROL, 404), response_model=None)
async def list_control(
    request: Request, asker: Insider, party_id: PartyId, page: PageQuery, dated: DatedQuery
) -> Response:  # fmt: skip
    """Which companies control a party: all there ever were, or the one at `valid_at`."""
    after = decode_cursor(page.cursor, tuple[NumberKey])
    async with asker.desk() as conn:
        await _party(conn, party_id)
        rows = await parties.parents(
            conn, str(party_id), dated.at_us, dated.known_us, after[0] if after else None, page.limit + 1
        )  # fmt: skip
    return page_response(request, PartyControlShape, shaped.control_shape, rows, page, "party_group_id")


@router.post(
    "/{party_id}/control", responses=answer_list(PartyControlShape, examples.PARTY_CONTROL, 400, 404, 409, 413),
    response_model=None,
)  # fmt: skip
async def tell_control(
    request: Request, asker: Editor, party_id: PartyId, body: NewControl, idempotency_key: IdempotencyKey = None
) -> Response:  # fmt: skip
    """Who controls a party in a period, from now on record; answers all that is believed of it."""
    ordered(body.valid_from, body.valid_to, "valid_to")
    if body.parent == party_id:
        raise invalid("body", "parent", "is the party itself")

    async def work(conn: Connection) -> Answer:
        await _party(conn, party_id)
        await refuse_unknown_party(conn, parent=body.parent)
        if body.parent is not None and await _under(conn, str(body.parent), str(party_id), body.valid_from):
            raise invalid("body", "parent", "is controlled by the party itself")
        await parties.control(
            conn, asker.tenant, str(party_id), None if body.parent is None else str(body.parent), body.valid_from, body.valid_to,
            source=body.source, actor=asker.name,
        )  # fmt: skip
        rows = await parties.parents(conn, str(party_id), None, None, None, leases.LEASES_MAX)
        return Answer(body={"items": [shaped.control_shape(row) for row in rows], "next_cursor": None})

    return await write_once(request, asker, idempotency_key, work)


async def _under(conn: Connection, party_id: str, top_id: str, at_us: int | None) -> bool:
    """Whether a company stands under another one in its group."""
    group = await parties.group_of(conn, top_id, now_us() if at_us is None else at_us, None)
    parent_of = {row["party_id"]: row["parent_party_id"] for row in group}
    seen: set[str] = set()
    while party_id in parent_of and party_id not in seen:
        if party_id == top_id:
            return True
        seen.add(party_id)
        party_id = parent_of[party_id] or ""
    return False


@router.get("/{party_id}/exposure", responses=answer(ExposureShape, examples.EXPOSURE, 200, 404), response_model=None)
async def get_exposure(asker: Insider, party_id: PartyId, dated: DatedQuery) -> Response:
    """Everything there is with a party and its corporate group at `valid_at`, as known at `known_at`.

    Assets its companies have or are bound to take and where those are, reserves and deposits held, leases by their end, cover.
    """
    at_us = now_us() if dated.at_us is None else dated.at_us
    async with asker.desk() as conn:
        row = await _party(conn, party_id, dated)
        group = await parties.group_of(conn, str(party_id), at_us, dated.known_us)
        found = await parties.leases_of(conn, [each["party_id"] for each in group], at_us, dated.known_us)
        shown = [each for each in await leases.shown(conn, found, at_us, dated.known_us) if _counts(each)]
        lease_ids = [each.row["lease_id"] for each in shown]
        states = await _states(conn, asker, [each.row["asset_id"] for each in shown], dated)
        reserves = _reserves(await parties.reserves_of(conn, lease_ids, at_us, dated.known_us))
        cover = await clauses.insurances(conn, lease_ids, at_us, dated.known_us, limit=leases.LEASES_MAX)
    deposits = [each for lease in shown for each in _deposit(lease)]
    ending = sorted(shown, key=lambda each: (each.state.term.to_us is None, each.state.term.to_us or 0, each.row["lease_id"]))
    contracts = [shaped.contract_shape(each) for each in ending]
    return json_response(
        ExposureShape(
            party=shaped.party_shape(row), as_of=to_rfc3339(at_us), known_at=time_of(dated.known_us),
            group=[shaped.party_shape(each) for each in group], assets=[_exposed(each, states, at_us) for each in shown],
            leases_ending=contracts, reserves=reserves, deposits=deposits,
            totals=_totals(reserves, deposits), insurances=[shaped.insurance_shape(each) for each in cover],
            complete=len(group) < parties.GROUP_MAX and max(len(found), len(cover)) < leases.LEASES_MAX
            and all(each.terms is not None for each in contracts),
        )
    )  # fmt: skip


def _counts(shown: leases.ShownLease) -> bool:
    """Whether a lease is still a matter between the two: bound, or ended by default with the asset not back."""
    return shown.state.phase in BOUND or (shown.state.phase == "terminated_default" and not shown.state.repossessed)


async def _states(
    conn: Connection, asker: Asker, asset_ids: Sequence[str], dated: Dated
) -> dict[str, tuple[reads.Row, StateShape]]:  # fmt: skip
    rows = await reads.assets_of(conn, [UUID(each) for each in dict.fromkeys(asset_ids)])
    states = await states_of(conn, asker, rows, dated)
    return {state.asset_id: (row, state) for row, state in zip(rows, states, strict=True)}


def _exposed(shown: leases.ShownLease, states: dict[str, tuple[reads.Row, StateShape]], at_us: int) -> ExposedAssetShape:
    row, state = shown.row, shown.state
    asset, said = states[row["asset_id"]]
    lease = shaped.contract_shape(shown)
    end_us = state.term.to_us
    parts: dict[str, Any] = {
        "position": said.position, "position_time": said.position_time, "operating_status": said.operating_status,
        "stage": said.stage, "held_since": time_of(state.delivered_us), "term_to": time_of(end_us),
        "days_to_term_end": None if end_us is None else round((end_us - at_us) / DAY_US, 1),
    }  # fmt: skip
    why = {"held_since": "not_delivered", "term_to": "open", "days_to_term_end": "open", "stage": "not_derived"}
    reason = {name: why.get(name, said.reason.get(name, "never_heard")) for name, value in parts.items() if value is None}
    return ExposedAssetShape(
        asset_id=row["asset_id"], name=asset["name"], class_=asset["class"], lease_id=row["lease_id"], phase=state.phase,
        lessee=lease.lessee, lessee_name=lease.lessee_name, form=row["form"], reason=reason, **parts,
    )  # fmt: skip


def _reserves(rows: Sequence[parties.Row]) -> list[ReserveHeldShape]:
    """Balances of accounts from the sums of their entries by kind; a sum of sums is the same sum."""
    accounts: dict[str, parties.Row] = {}
    entries = []
    for row in rows:
        accounts.setdefault(row["reserve_account_id"], row)
        if row["kind"] is not None:
            entries.append(Entry(bucket=row["reserve_account_id"], kind=row["kind"], amount=row["amount"]))
    found = balances(entries)
    return [
        ReserveHeldShape(
            account_id=account_id, lease_id=row["lease_id"], asset_id=row["asset_id"], asset_name=row["asset_name"],
            bucket=row["bucket"], currency=row["currency"],
            held=str(found[account_id].held + ZERO if account_id in found else ZERO),
            owed=str(found[account_id].owed + ZERO if account_id in found else ZERO),
        )
        for account_id, row in accounts.items()
    ]  # fmt: skip


def _deposit(shown: leases.ShownLease) -> list[DepositHeldShape]:
    terms = stored_terms(shown.row["terms"])
    deposit = terms.security_deposit if isinstance(terms, Terms) else None
    if deposit is None:
        return []
    return [
        DepositHeldShape(
            lease_id=shown.row["lease_id"], amount=str(deposit.amount + ZERO), currency=deposit.currency, held_as=deposit.held_as,
            expires_on=None if deposit.expires_on is None else deposit.expires_on.isoformat(),
        )
    ]  # fmt: skip


def _totals(reserves: Sequence[ReserveHeldShape], deposits: Sequence[DepositHeldShape]) -> list[ExposureTotalShape]:
    currencies = sorted({each.currency for each in reserves} | {each.currency for each in deposits})
    return [
        ExposureTotalShape(
            currency=currency,
            reserves_held=str(sum((Decimal(each.held) for each in reserves if each.currency == currency), ZERO)),
            reserves_owed=str(sum((Decimal(each.owed) for each in reserves if each.currency == currency), ZERO)),
            deposits=str(sum((Decimal(each.amount) for each in deposits if each.currency == currency), ZERO)),
        )
        for currency in currencies
    ]
