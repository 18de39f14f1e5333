"""Leases out of a file: read whole, or refused with every fault and its pointer; and what of them is on file of each asset."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from fleet.clause import Clause, clauses_of, tried
from fleet.dated import Span
from fleet.lease import Covenant, Lease, TermFault, TerritoryRule, parse_lease
from ingest.roster import Filed

LEASES_MAX = 10_000  # of one file; chosen: more assets than any lessor has


def read_leases(path: Path) -> tuple[list[Lease], list[TermFault]]:
    """The leases of a file (a JSON array, contract 4.2) and everything that is wrong with it. Raises OSError."""
    try:
        given = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        return [], [TermFault("", f"no JSON: {error}")]
    if not isinstance(given, list) or len(given) > LEASES_MAX:
        return [], [TermFault("", f"must be an array of at most {LEASES_MAX} leases")]
    leases: list[Lease] = []
    faults: list[TermFault] = []
    ids: set[str] = set()
    for number, each in enumerate(given):
        lease = parse_lease(each, f"/{number}")
        if not isinstance(lease, Lease):
            faults += lease
            continue
        if lease.id in ids:
            faults.append(TermFault(f"/{number}/id", "names another lease of the file"))
        if lease.asset.partition(":")[2] == "":
            faults.append(TermFault(f"/{number}/asset", "must be scheme:value, as the readings name it"))
        faults += _twice(lease, f"/{number}")
        ids.add(lease.id)
        leases.append(lease)
    return leases, faults


def filed_of(leases: Sequence[Lease], covenant_id: str | None) -> dict[str, list[Filed]]:
    """What is on file of each asset, by `scheme:value`: the clauses of its leases, or one alone, and how long it may stand.

    Args:
        leases: from a file.
        covenant_id: of the covenant or territory rule that is tried, switched on or not, for as long as its lease is in force;
            None: all that bind.

    Raises:
        KeyError: no lease has one of that id.
    """
    found: dict[str, list[Filed]] = {}
    tries = 0
    for lease in leases:
        clauses = clauses_of(lease) if covenant_id is None else _tried(lease, covenant_id)
        tries += len(clauses)
        kept = found.setdefault(lease.asset, [])
        kept += [Filed("covenant", clause) for clause in clauses]
        if lease.terms.storage_preset is not None:
            kept.append(Filed("storage_preset", lease.terms.storage_preset, lease.from_us, lease.to_us))
    if covenant_id is not None and not tries:
        raise KeyError(covenant_id)
    return found


def _tried(lease: Lease, covenant_id: str) -> list[Clause]:
    given: tuple[Covenant | TerritoryRule, ...] = (*lease.covenants, *lease.territory_rules)
    held, head = (Span(lease.from_us, lease.to_us),), lease.parent_lease_id is None
    return [tried(one, lease.id, held, head=head, term_to_us=lease.to_us) for one in given if one.id == covenant_id]


def _twice(lease: Lease, at: str) -> list[TermFault]:
    faults: list[TermFault] = []
    ids: set[str] = set()
    covenants = [(f"{at}/covenants/{number}/id", one.id) for number, one in enumerate(lease.covenants)]
    rules = [(f"{at}/territory_rules/{number}/id", one.id) for number, one in enumerate(lease.territory_rules)]
    for pointer, one_id in covenants + rules:
        if one_id in ids:
            faults.append(TermFault(pointer, "names another clause of the lease"))
        ids.add(one_id)
    return faults
