"""Clauses of leases as they are judged: what is demanded, how grave a breach is, and exactly when it binds. Pure.

A covenant and a territory rule are both clauses. One binds while its lease is in force (a file's term; in the registry the
tenure, which events make) and while it holds itself; one that is not switched on binds never, and can be tried all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from fleet.area_index import WatchedArea
from fleet.dated import Span
from fleet.instants import from_datetime
from fleet.lease import AnyPredicate, Covenant, Lease, Severity, TerritoryRule

Demand = AnyPredicate | TerritoryRule
BANS = frozenset({"prohibited", "insured_excluded"})
"""Kinds of territory rule that say where an asset may not be."""


class Clause(msgspec.Struct, frozen=True, kw_only=True):
    """One clause of one lease: `id` within the lease, `clause` the paper's own reference, and when it binds.

    `subject` names it among all clauses of the asset: its id, of a sublease `LEASE/ID`. `term_to_us` is the end that the paper
    promises, which an event may move (None: not known).
    """

    id: str
    subject: str
    lease_id: str
    clause: str
    demand: Demand
    severity: Severity
    binds: tuple[Span, ...]
    term_to_us: int | None = None

    @property
    def kind(self) -> str:
        """The predicate's word, `territory_rule` for a rule of territory."""
        return "territory_rule" if isinstance(self.demand, TerritoryRule) else str(self.demand.__struct_config__.tag)

    def holds(self, time_us: int) -> bool:
        """Whether it binds at an instant."""
        return any(span.holds(time_us) for span in self.binds)

    def ended_us(self, time_us: int) -> int | None:
        """When it bound last before an instant; None where it never did."""
        return max((span.to_us for span in self.binds if span.to_us is not None and span.to_us <= time_us), default=None)


def clause_of(
    given: Covenant | TerritoryRule, lease_id: str, held: Sequence[Span], *, head: bool = True, term_to_us: int | None = None
) -> Clause:  # fmt: skip
    """A covenant or territory rule as a clause that binds where its lease is in force, it holds, and it is switched on.

    Args:
        given: as the lease has it.
        lease_id: of its lease.
        held: when the lease is in force.
        head: of a sublease False.
        term_to_us: the end of the lease's term.
    """
    binds = parts(held, Span(_us(given.valid_from), _us(given.valid_to))) if given.is_active else ()
    return msgspec.structs.replace(_clause(given, lease_id, binds, head=head), term_to_us=term_to_us)


def tried(
    given: Covenant | TerritoryRule, lease_id: str, held: Sequence[Span], *, head: bool = True, term_to_us: int | None = None
) -> Clause:  # fmt: skip
    """The same as though it were switched on for as long as its lease is in force: what is tried before it is believed."""
    return msgspec.structs.replace(_clause(given, lease_id, tuple(held), head=head), term_to_us=term_to_us)


def clauses_of(lease: Lease) -> list[Clause]:
    """All clauses of a lease from a file, each in force as it says."""
    held, head = (Span(lease.from_us, lease.to_us),), lease.parent_lease_id is None
    given: tuple[Covenant | TerritoryRule, ...] = (*lease.covenants, *lease.territory_rules)
    return [clause_of(one, lease.id, held, head=head, term_to_us=lease.to_us) for one in given]


def parts(held: Iterable[Span], valid: Span) -> tuple[Span, ...]:
    """What of some stretches lies in another one."""
    found = []
    for span in held:
        begins = [edge for edge in (span.from_us, valid.from_us) if edge is not None]
        ends = [edge for edge in (span.to_us, valid.to_us) if edge is not None]
        begin, end = max(begins, default=None), min(ends, default=None)
        if begin is None or end is None or begin < end:
            found.append(Span(begin, end))
    return tuple(found)


def overflight_ban(clauses: Iterable[Clause], area: WatchedArea, time_us: int) -> Clause | None:
    """The clause that bans flying over an area at an instant: scope `overflight`, or any presence without that carve-out."""
    for one in clauses:
        rule = one.demand
        if not isinstance(rule, TerritoryRule) or rule.kind not in BANS or not one.holds(time_us) or not in_set(rule, area):
            continue
        if rule.event_scope == "overflight" or (rule.event_scope == "any_presence" and "overflight" not in rule.carve_outs):
            return one
    return None


def in_set(rule: TerritoryRule, area: WatchedArea) -> bool:
    """Whether an area belongs to a rule's set, in the version it names."""
    return area.is_of(rule.area_set) and rule.area_set_version in {None, area.version}


def severity_of(rule: TerritoryRule) -> Severity:
    """As the rule says, else by its kind: calls and landings where none may be are critical (domain.md 5.4), others warnings."""
    if rule.severity is not None:
        return rule.severity
    return "critical" if rule.kind in BANS and rule.event_scope in {"port_call", "landing"} else "warning"


def _clause(given: Covenant | TerritoryRule, lease_id: str, binds: tuple[Span, ...], *, head: bool) -> Clause:
    subject = given.id if head else f"{lease_id}/{given.id}"
    if isinstance(given, Covenant):
        paper, demand, severity = given.clause, given.predicate, given.severity
        return Clause(
            id=given.id, subject=subject, lease_id=lease_id, clause=paper, demand=demand, severity=severity, binds=binds
        )  # fmt: skip
    return Clause(
        id=given.id, subject=subject, lease_id=lease_id, clause=given.id, demand=given, severity=severity_of(given), binds=binds
    )  # fmt: skip


def _us(moment: datetime | None) -> int | None:
    return None if moment is None else from_datetime(moment)
