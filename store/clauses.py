"""What stands beside a lease's terms: territory rules, covenants and insurance, each by revisions and dated twice.

Writing one of an id that is there closes what was believed of it and adds a revision; nothing is updated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from fleet.dated import Span
from fleet.lease import Covenant, TerritoryRule
from store import staging
from store.moments import moment
from store.pool import Connection
from store.queries import load

SQL = load("clauses")
Row = dict[str, Any]


class Insurance(msgspec.Struct, frozen=True, kw_only=True):
    """Cover that a lease asks for; `insurance_id` names the one of which this is another revision."""

    kind: str
    insurer: str
    cover: Span
    insurance_id: str | None = None
    agreed_value_amount: Decimal | None = None
    currency: str | None = None
    area_set: str | None = None
    cancellation_notice_days: int | None = None
    loss_payee: str | None = None
    certificates: Sequence[Any] = ()


async def put_territory_rule(conn: Connection, tenant: str, lease_id: str, rule: TerritoryRule, actor: str) -> None:
    """A territory rule of a lease, or another revision of the one of its id."""
    binds = {
        "tenant": tenant, "lease_id": lease_id, "id": rule.id, "kind": rule.kind, "event_scope": rule.event_scope,
        "area_set": rule.area_set, "area_set_version": rule.area_set_version, "prior_notice_h": rule.prior_notice_h,
        "carve_outs": list(rule.carve_outs), "severity": rule.severity,
        "is_active": rule.is_active, "from": rule.valid_from, "to": rule.valid_to,
        "actor": actor,
    }  # fmt: skip
    await conn.execute(SQL["put_territory_rule"], binds)


async def put_covenant(conn: Connection, tenant: str, lease_id: str, covenant: Covenant, actor: str) -> None:
    """A covenant of a lease, or another revision of the one of its id."""
    binds = {
        "tenant": tenant, "lease_id": lease_id, "id": covenant.id, "clause": covenant.clause,
        "predicate": staging.json(covenant.predicate), "severity": covenant.severity,
        "is_active": covenant.is_active, "from": covenant.valid_from,
        "to": covenant.valid_to, "actor": actor,
    }  # fmt: skip
    await conn.execute(SQL["put_covenant"], binds)


async def put_insurance(conn: Connection, tenant: str, lease_id: str, wanted: Insurance, actor: str) -> str | None:
    """Cover of a lease, or another revision of it. Returns its id; None where the one to revise is not there."""
    binds = {
        "tenant": tenant, "lease_id": lease_id, "id": wanted.insurance_id, "kind": wanted.kind, "insurer": wanted.insurer,
        "agreed_value_amount": wanted.agreed_value_amount, "currency": wanted.currency, "from": moment(wanted.cover.from_us),
        "to": moment(wanted.cover.to_us), "area_set": wanted.area_set,
        "cancellation_notice_days": wanted.cancellation_notice_days, "loss_payee": wanted.loss_payee,
        "certificates": staging.json(list(wanted.certificates)), "actor": actor,
    }  # fmt: skip
    rows = await _rows(conn, "put_insurance", binds)
    return str(rows[0]["insurance_id"]) if rows else None


async def territory_rules(
    conn: Connection, lease_id: str, at_us: int | None, known_us: int | None, *, rule_id: str | None = None,
    after: str | None = None, limit: int,
) -> list[Row]:  # fmt: skip
    """Territory rules of a lease; all that are believed, or those in force at an instant."""
    binds = {
        "lease_id": lease_id, "id": rule_id, "at": moment(at_us), "known": moment(known_us), "after": after, "limit": limit
    }  # fmt: skip
    return await _rows(conn, "territory_rules", binds)


async def covenants(
    conn: Connection, lease_id: str, at_us: int | None, known_us: int | None, *, covenant_id: str | None = None,
    after: str | None = None, limit: int,
) -> list[Row]:  # fmt: skip
    """Covenants of a lease; all that are believed, or those in force at an instant."""
    binds = {
        "lease_id": lease_id, "id": covenant_id, "at": moment(at_us), "known": moment(known_us), "after": after, "limit": limit
    }  # fmt: skip
    return await _rows(conn, "covenants", binds)


async def insurances(
    conn: Connection, lease_ids: Sequence[str], at_us: int | None, known_us: int | None, *, insurance_id: str | None = None,
    after: str | None = None, limit: int,
) -> list[Row]:  # fmt: skip
    """Cover of leases; all that is believed, or what is in force at an instant."""
    binds = {
        "lease_ids": list(lease_ids), "id": insurance_id, "at": moment(at_us), "known": moment(known_us), "after": after,
        "limit": limit,
    }  # fmt: skip
    return await _rows(conn, "insurances", binds)


async def _rows(conn: Connection, query: str, binds: Mapping[str, Any]) -> list[Row]:
    return await (await conn.execute(SQL[query], binds)).fetchall()
