"""Rows of leases, parties and clauses as the API shows them, and refusals as problems. Pure: it knows no query."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from api.lease_shapes import (
    AssetEventShape,
    BreachShape,
    CovenantShape,
    InsuranceShape,
    LeaseContractShape,
    LeaseEventShape,
    LeasePartyShape,
    MaintenanceShape,
    PartyControlShape,
    PartyShape,
    TenureShape,
    TerritoryRuleShape,
    TrialShape,
)
from api.problem import Fault, Problem
from api.states import time_of
from api.trials import TrialCase
from fleet.instants import to_rfc3339
from fleet.lease import UNREADABLE, TermFault, Terms, stored_terms
from fleet.lease_phase import LeaseState, Refusal
from store.leases import ShownLease

Row = dict[str, Any]


def refused(refusal: Refusal) -> Problem:
    """409 for an event that cannot have happened: the reason in words, the guard by name (domain.md 5.2)."""
    where = "" if refusal.lease_id is None else f" of lease {refusal.lease_id}"
    detail = f"{refusal.kind}{where} at {to_rfc3339(refusal.at_us)} is not possible: {refusal.reason}."
    pointer = "#/evidence" if refusal.reason.startswith("evidence needs") else "#/kind"
    return Problem(
        409, detail, reason="illegal-transition", guard=refusal.guard,
        errors=[Fault(part="body", pointer=pointer, detail=f"guard {refusal.guard}: {refusal.reason}")],
    )  # fmt: skip


def unfit(faults: Iterable[TermFault]) -> Problem:
    """422 for terms that do not read, each fault with its pointer into the body."""
    errors = [Fault(part="body", pointer=f"#{fault.pointer}", detail=fault.detail) for fault in faults]
    return Problem(422, "The request was understood but is not valid.", reason="invalid", errors=errors)


def party_shape(row: Row) -> PartyShape:
    """A party."""
    return PartyShape(
        id=str(row["party_id"]), name=row["name"], country=row["country"], lei=row["lei"], particulars=row["particulars"],
        created_at=to_rfc3339(row["created_at"]),
        reason={name: "not_given" for name in ("country", "lei") if row[name] is None},
    )  # fmt: skip


def control_shape(row: Row) -> PartyControlShape:
    """Who controls a party."""
    return PartyControlShape(
        id=str(row["party_group_id"]), party=row["party_id"], parent=row["parent_party_id"], parent_name=row["parent_name"],
        source=row["source"], actor=row["actor"], **_dates(row),
    )  # fmt: skip


def contract_shape(shown: ShownLease) -> LeaseContractShape:
    """A lease as the tenant's own people see it."""
    row, state = shown.row, shown.state
    tenures = [_tenure(each) for each in shown.tenures]
    held = tenures[-1] if tenures else None
    terms = stored_terms(row["terms"])
    parts = {
        "delivered_at": time_of(state.delivered_us), "ended_at": time_of(state.ended_us), "term_to": time_of(state.term.to_us),
        "signed_on": _signed_on(row, state), "reference": row["reference"],
        "parent_lease_id": row["parent_lease_id"], "terms": terms if isinstance(terms, Terms) else None,
    }  # fmt: skip
    return LeaseContractShape(
        id=row["lease_id"], asset_id=row["asset_id"], form=row["form"], head=row["head"], phase=state.phase,
        lessee=held.lessee if held else row["lessee_party_id"], lessee_name=held.lessee_name if held else row["lessee_name"],
        term_from=time_of(state.term.from_us), tenures=tenures, revision=row["revision"],
        recorded_at=to_rfc3339(row["recorded_at"]), actor=row["actor"], reason=_reasons(parts), **parts,
    )  # fmt: skip


def _signed_on(row: Row, state: LeaseState) -> str | None:
    if state.signed_us is not None:
        return to_rfc3339(state.signed_us)[:10]
    return row["signed_on"].isoformat() if row["signed_by_paper"] else None


def own_lease_shape(rows: Sequence[Row], at_us: int) -> LeaseContractShape:
    """A lease as its lessee sees it: its own tenure, no paper. `rows` are its tenures of one lease, earliest first."""
    first, last = rows[0], rows[-1]
    begun = first["valid_from"] is None or first["valid_from"] <= at_us
    ended = last["valid_to"] is not None and last["valid_to"] <= at_us
    hidden = ("reference", "terms", "signed_on", "term_from", "term_to", "revision", "actor", "parent_lease_id")
    parts: dict[str, Any] = dict.fromkeys(hidden)
    return LeaseContractShape(
        id=first["lease_id"], asset_id=first["asset_id"], form=first["form"], head=first["head"],
        phase="redelivered" if ended else "active" if begun else "signed", lessee=first["lessee_party_id"],
        lessee_name=first["lessee_name"], delivered_at=time_of(first["valid_from"]),
        ended_at=time_of(last["valid_to"]) if ended else None, tenures=[_tenure({**row, "revision": 1}) for row in rows],
        recorded_at=to_rfc3339(last["recorded_at"]), reason=dict.fromkeys(hidden, "not_shared"), **parts,
    )  # fmt: skip


def _tenure(row: Row) -> TenureShape:
    return TenureShape(
        lessee=row["lessee_party_id"], lessee_name=row["lessee_name"] or "", revision=row["revision"], **_dates(row)
    )  # fmt: skip


def _reasons(parts: dict[str, Any]) -> dict[str, str]:
    why = {
        "delivered_at": "not_delivered", "ended_at": "not_ended", "term_to": "open", "signed_on": "not_signed",
        "reference": "not_given", "parent_lease_id": "head_lease",
        "terms": UNREADABLE,
    }  # fmt: skip
    return {name: why[name] for name, value in parts.items() if value is None}


def event_shape(row: Row) -> LeaseEventShape:
    """An event of a lease."""
    return LeaseEventShape(
        id=row["lease_event_id"], lease_id=row["lease_id"], asset_id=row["asset_id"], kind=row["kind"],
        at=to_rfc3339(row["at"]), evidence=row["evidence"], actor=row["actor"], corrects=row["corrects"],
        recorded_at=to_rfc3339(row["recorded_at"]), superseded_at=time_of(row["superseded_at"]),
    )  # fmt: skip


def asset_event_shape(row: Row) -> AssetEventShape:
    """A milestone of an asset."""
    return AssetEventShape(
        id=row["asset_event_id"], asset_id=row["asset_id"], kind=row["kind"], basis=row["basis"], at=to_rfc3339(row["at"]),
        evidence=row["evidence"], actor=row["actor"], corrects=row["corrects"], recorded_at=to_rfc3339(row["recorded_at"]),
        superseded_at=time_of(row["superseded_at"]),
    )  # fmt: skip


def lease_party_shape(row: Row, lease_id: str) -> LeasePartyShape:
    """A party of a lease."""
    return LeasePartyShape(
        id=str(row["lease_party_id"]), lease_id=lease_id, party=row["party_id"], party_name=row["name"], country=row["country"],
        role=row["role"], source=row["source"], actor=row["actor"], **_dates(row),
    )  # fmt: skip


def territory_rule_shape(row: Row) -> TerritoryRuleShape:
    """A territory rule."""
    same = (
        "lease_id",
        "revision",
        "kind",
        "event_scope",
        "area_set",
        "area_set_version",
        "prior_notice_h",
        "severity",
        "is_active",
        "actor",
    )
    return TerritoryRuleShape(
        id=row["territory_rule_id"], carve_outs=list(row["carve_outs"]), **{name: row[name] for name in same}, **_dates(row)
    )


def covenant_shape(row: Row) -> CovenantShape:
    """A covenant."""
    same = ("lease_id", "revision", "clause", "predicate", "severity", "is_active", "actor")
    return CovenantShape(id=row["covenant_id"], **{name: row[name] for name in same}, **_dates(row))


def trial_shape(case: TrialCase, lines: Sequence[dict[str, Any]]) -> TrialShape:
    """What came of a trial."""
    names = BreachShape.__struct_fields__
    return TrialShape(
        lease_id=case.clause.lease_id, clause_id=case.clause.id, predicate=case.clause.kind, from_=to_rfc3339(case.from_us),
        to=to_rfc3339(case.to_us), readings=len(case.readings),
        breaches=[BreachShape(**{name: line[name] for name in names}) for line in lines],
    )  # fmt: skip


def insurance_shape(row: Row) -> InsuranceShape:
    """Cover of a lease."""
    same = (
        "lease_id", "revision", "kind", "insurer", "currency", "area_set", "cancellation_notice_days", "loss_payee",
        "certificates", "actor",
    )  # fmt: skip
    why = {
        "agreed_value_amount": "agreed_value", "currency": "currency", "cancellation_notice_days": "cancellation_notice_days",
        "loss_payee": "loss_payee",
    }  # fmt: skip
    reason = {shown: "not_given" for name, shown in why.items() if row[name] is None}
    if row["area_set"] is None:
        reason["area_set"] = "worldwide_or_not_given"
    return InsuranceShape(
        id=row["insurance_id"], agreed_value=_money(row["agreed_value_amount"]), cover_from=time_of(row["cover_from"]),
        cover_to=time_of(row["cover_to"]), recorded_at=to_rfc3339(row["recorded_at"]), reason=reason,
        **{name: row[name] for name in same},
    )  # fmt: skip


def maintenance_shape(row: Row) -> MaintenanceShape:
    """A shop visit."""
    times = {name: time_of(row[name]) for name in ("planned_from", "planned_to", "actual_from", "actual_to")}
    reason = {name: "not_given" for name in ("place", "currency") if row[name] is None}
    reason |= {name: "open_or_not_given" for name, value in times.items() if value is None}
    if row["cost_amount"] is None:
        reason["cost"] = "not_given"
    return MaintenanceShape(
        id=row["maintenance_event_id"], asset_id=row["asset_id"], kind=row["kind"], place=row["place"], use_at=row["use_at"],
        cost=_money(row["cost_amount"]), currency=row["currency"], evidence=row["evidence"],
        recorded_at=to_rfc3339(row["recorded_at"]), actor=row["actor"], reason=reason, **times,
    )  # fmt: skip


def _money(amount: Any) -> str | None:
    return None if amount is None else str(amount)


def _dates(row: Row) -> dict[str, Any]:
    return {
        "valid_from": time_of(row["valid_from"]), "valid_to": time_of(row["valid_to"]),
        "recorded_at": to_rfc3339(row["recorded_at"]),
    }  # fmt: skip
