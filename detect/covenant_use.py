"""Breaches of covenants on use as findings, from an asset's closed days of use."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from detect.covenant import NAME, VERSION
from detect.model import Finding, finding_id
from fleet.clause import Clause
from fleet.covenant_use import breaches, months_of, passed_us
from fleet.lease import MaxUse, MinUse
from fleet.obligation import start_us
from fleet.practice_book import HOUSE
from fleet.use import UseDay


def use_findings(clauses: Iterable[Clause], asset_id: str, asset: str, days: Sequence[UseDay], on: date) -> list[Finding]:
    """What clauses on use say of closed days: a most is an episode from the day that passed it to the period's end.

    A least is a point, where the period ends.

    Args:
        clauses: others than `min_use` and `max_use` are passed over.
        asset_id: of the asset.
        asset: `scheme:value` as the readings name it.
        days: in any order.
        on: the day after the last one that is known.
    """
    found = []
    for clause in clauses:
        if not isinstance(clause.demand, MinUse | MaxUse):
            continue
        for breach in breaches(clause.demand, months_of(days, clause), on, HOUSE):
            end_us = start_us(breach.following)
            at_us = end_us if isinstance(clause.demand, MinUse) else passed_us(clause.demand, days, clause, breach)
            found.append(Finding(
                id=finding_id(asset_id, NAME, clause.subject, at_us), rule=NAME, rule_version=VERSION, severity=clause.severity,
                asset_id=asset_id, asset=asset, subject=clause.subject, opened_at_us=at_us,
                closed_at_us=end_us if breach.is_over else None, detected_at_us=at_us, score=None,
                evidence=breach.evidence(clause),
            ))  # fmt: skip
    return found
