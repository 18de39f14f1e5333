"""From what is known of an asset's life to the lifecycle object. Pure: rows in, shapes out.

Tenures, papers and events come as rows of `store.lifecycle`; what is derived from them (milestones side by side, stages) comes
from `fleet`. It knows no query and no clock: the instant the life is told up to is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, tzinfo
from typing import Any, NamedTuple

from api.shapes import (
    GapShape,
    LeasePeriodShape,
    LifeAlertShape,
    MaintenanceShape,
    MilestoneShape,
    Reasons,
    SaidShape,
    StagePeriodShape,
    UseFiguresShape,
)
from api.states import time_of
from fleet.instants import DAY_US, to_datetime, to_rfc3339
from fleet.lease import UNREADABLE, Terms, attribution_at, stored_terms
from fleet.milestone import SHOWS, Milestone, Said
from fleet.practice import Practice
from fleet.practice_book import HOUSE
from fleet.stage import STATUS_STAGES
from fleet.stage_history import Happened, Held, StagePeriod
from fleet.use import BILLABLE_COVERAGE
from store.lifecycle import UseSpan

Row = dict[str, Any]
HOUR_S = 3600.0
NM_M = 1852.0  # domain.md 0: 1 nm = 1852 m
METHOD = "whole UTC days, edges cut in proportion to time"


class Span(NamedTuple):
    """A stretch of the life: a tenure's (`tenure` its place in the list of tenures), or what lies between head tenures (None).

    Without `readable` the lease's terms cannot be read, and its flights count as those of a lease that does not say.
    """

    tenure: int | None
    use: UseSpan
    readable: bool = True

    @property
    def attribution(self) -> str | None:
        """How flights over its end count; None where the lease may say otherwise and cannot be read."""
        return self.use.attribution if self.readable else None


def use_span(from_us: int, to_us: int, terms: Terms, practice: Practice, zone: tzinfo = UTC) -> UseSpan:
    """A stretch with the attribution of each of its edges: as the lease says, else the tenant's of the day that ends there."""
    begins, ends = (attribution_at(terms, edge_us, zone, practice) for edge_us in (from_us, to_us))
    return UseSpan(from_us, to_us, ends, begins)


def spans_of(
    tenures: Sequence[Row], contracts: dict[Any, Row], heard_from_us: int | None, at_us: int, practice: Practice
) -> list[Span]:  # fmt: skip
    """The stretches whose use is asked for: every tenure, and what no head tenure covers since the asset was first heard.

    Head tenures and the stretches between them lie end to end, so their sums are the asset's.
    """
    silent = Terms()
    found: list[Span] = []
    free_from = heard_from_us
    for n, row in enumerate(tenures):
        start = row["valid_from"] if row["valid_from"] is not None else heard_from_us
        end = at_us if row["valid_to"] is None else min(row["valid_to"], at_us)
        if start is not None and start < end:
            paper = contracts.get(row["lease_id"])
            terms = stored_terms(None if paper is None else paper["terms"])
            readable = isinstance(terms, Terms)
            found.append(Span(n, use_span(start, end, terms if isinstance(terms, Terms) else silent, practice), readable))
        if row["head"] and free_from is not None:
            if start is not None and free_from < start:
                found.append(Span(None, use_span(free_from, start, silent, practice)))
            free_from = max(free_from, end)
    if free_from is not None and free_from < at_us:
        found.append(Span(None, use_span(free_from, at_us, silent, practice)))
    return found


def use_shape(
    rows: Sequence[Row], asset_class: str, attribution: str | None, at_us: int, practice: Practice = HOUSE
) -> UseFiguresShape | None:  # fmt: skip
    """The sum of rows of `store.lifecycle.use_of`; None of no rows. What no activity covers is `unknown`.

    `attribution` None: what the lease says of it cannot be read. Estimate: domain.md 0, coverage under `use.billable_coverage`.
    """
    if not rows:
        return None
    period_s = sum(row["period_s"] for row in rows)
    states: dict[str, float] = {}
    sources: dict[str, float] = {}
    figures: dict[str, float] = {}
    for row in rows:
        for name, seconds in (row["state_s"] or {}).items():
            states[name] = states.get(name, 0.0) + seconds
        for name, count in (row["sources"] or {}).items():
            sources[name] = sources.get(name, 0.0) + count
        for name, amount in (row["figures"] or {}).items():
            figures[name] = figures.get(name, 0.0) + amount
    states["unknown"] = states.get("unknown", 0.0) + max(0.0, period_s - sum(states.values()))
    coverage = min(1.0, sum(row["observed_s"] or 0.0 for row in rows) / period_s)
    aircraft = asset_class == "aircraft"
    reason: Reasons = {}
    if not aircraft:
        reason = dict.fromkeys(("flight_h", "cycles", "attribution"), "not_of_class")
    elif attribution is None:
        reason = {"attribution": UNREADABLE}
    if asset_class != "vessel":
        reason |= dict.fromkeys(("laden_nm", "ballast_nm"), "not_of_class")
    observed = any(row["observed_s"] is not None for row in rows)
    if not observed:
        reason |= {"distance_nm": "no_use_observed"}
        reason |= {} if asset_class != "vessel" else dict.fromkeys(("laden_nm", "ballast_nm"), "no_use_observed")
    limit = practice.number(BILLABLE_COVERAGE, to_datetime(at_us).date())
    return UseFiguresShape(
        period_h=period_s / HOUR_S,
        state_h={name: seconds / HOUR_S for name, seconds in sorted(states.items()) if seconds > 0},
        distance_nm=_sum_nm(rows, "distance_m") if observed else None,
        laden_nm=_sum_nm(rows, "laden_m") if observed and asset_class == "vessel" else None,
        ballast_nm=_sum_nm(rows, "ballast_m") if observed and asset_class == "vessel" else None,
        flight_h=sum(row["flight_s"] or 0.0 for row in rows) / HOUR_S if aircraft else None,
        cycles=sum(row["cycles"] or 0 for row in rows) if aircraft else None,
        attribution=attribution if aircraft else None,
        coverage=coverage, is_estimate=coverage < limit, method=METHOD, sources=sources, figures=figures,
        reason=reason,
    )  # fmt: skip


def _sum_nm(rows: Iterable[Row], name: str) -> float:
    return float(sum(row[name] or 0.0 for row in rows)) / NM_M


def said_in(events: Iterable[Row], contracts: Iterable[Row], tenures: Sequence[Row]) -> list[Said]:
    """Everything that gives an instant for a milestone: events, what papers promise, and tenures no event speaks of.

    A tenure that began without an event of delivery is one by itself; one that ended without an event is a redelivery, unless the
    lease goes on (novation).
    """
    found = [_said(row) for row in events]
    told = {(each.kind, each.lease_id) for each in found if each.basis == "reported"}
    promised = {(each.kind, each.lease_id) for each in found if each.basis == "contract"}
    for row in contracts:
        if row["void"] or row["signed_on"] is None:
            continue
        for kind, at_us in (("lease_delivery", row["term_from"]), ("redelivery", row["term_to"])):
            if at_us is not None and (kind, str(row["lease_id"])) not in promised:
                found.append(
                    Said(
                        kind=kind, basis="contract", at_us=at_us, lease_id=str(row["lease_id"]), source="contract",
                        recorded_us=row["recorded_at"],
                    )
                )  # fmt: skip
    for lease_id in dict.fromkeys(row["lease_id"] for row in tenures):
        rows = [row for row in tenures if row["lease_id"] == lease_id]
        for kind, row, edge in (("lease_delivery", rows[0], "valid_from"), ("redelivery", rows[-1], "valid_to")):
            if row[edge] is not None and (kind, str(lease_id)) not in told:
                found.append(
                    Said(
                        kind=kind, basis="reported", at_us=row[edge], lease_id=str(lease_id), source="tenure",
                        recorded_us=row["recorded_at"],
                    )
                )  # fmt: skip
    return found


def _said(row: Row) -> Said:
    """An event as it is said; an observed one that shows another milestone is a side of that one."""
    kind, movement, place = row["kind"], None, (row["evidence"] or {}).get("place")
    if row["basis"] == "observed" and kind in SHOWS:
        kind, movement, somewhere = SHOWS[kind]
        place = place or somewhere
    return Said(
        kind=kind, basis=row["basis"], at_us=row["at"], lease_id=_text(row["lease_id"]), source=row["actor"],
        recorded_us=row["recorded_at"], place=place, movement=movement,
    )  # fmt: skip


def said_shape(said: Said | None) -> SaidShape | None:
    """One instant of a milestone as the API shows it."""
    if said is None:
        return None
    return SaidShape(
        at=to_rfc3339(said.at_us), source=said.source, place=said.place, movement=said.movement,
        recorded_at=time_of(said.recorded_us),
    )  # fmt: skip


def milestone_shape(found: Milestone) -> MilestoneShape:
    """A milestone as the API shows it, each missing side with its reason."""
    reason = {
        name: why
        for name, said, why in (
            ("contract", found.contract, "not_promised"), ("reported", found.reported, "not_reported"),
            ("observed", found.observed, "not_observed"),
        )
        if said is None
    }  # fmt: skip
    if found.days_late is None:
        reason["days_late"] = "one_side_missing"
    if found.lease_id is None:
        reason["lease_id"] = "of_the_asset"
    return MilestoneShape(
        kind=found.kind, lease_id=found.lease_id, at=to_rfc3339(found.at_us), contract=said_shape(found.contract),
        reported=said_shape(found.reported), observed=said_shape(found.observed), days_late=found.days_late, words=found.words,
        reason=reason,
    )  # fmt: skip


def stage_shape(period: StagePeriod) -> StagePeriodShape:
    """A stage as the API shows it."""
    return StagePeriodShape(
        stage=period.stage, valid_from=time_of(period.from_us), valid_to=time_of(period.to_us), because=period.because,
        basis=period.basis, source=period.source, recorded_at=time_of(period.recorded_us),  # type: ignore[arg-type]
    )  # fmt: skip


def happened_in(events: Iterable[Row]) -> list[Happened]:
    """Ownership events that were reported, of rows of the asset's own events: nothing else moves the axis (docs/leases.md)."""
    return [
        Happened(kind=row["kind"], at_us=row["at"], basis=row["basis"], source=row["actor"], recorded_us=row["recorded_at"])
        for row in events
        if row["lease_id"] is None and row["basis"] == "reported"
    ]


def statuses_in(events: Sequence[Row]) -> list[Held]:
    """Stretches of maintenance, storage and lay-up out of the events that begin and end them; one without an end lasts."""
    found: list[Held] = []
    for status, stage in STATUS_STAGES.items():
        open_row: Row | None = None
        for row in events:
            if row["lease_id"] is not None or row["basis"] != "reported":
                continue
            if row["kind"] == f"{status}_started" and open_row is None:
                open_row = row
            elif row["kind"] == f"{status}_ended" and open_row is not None:
                found.append(_status(status, stage, open_row, row["at"]))
                open_row = None
        if open_row is not None:
            found.append(_status(status, stage, open_row, None))
    return found


def _status(status: str, stage: str, row: Row, to_us: int | None) -> Held:
    return Held(
        stage=stage, from_us=row["at"], to_us=to_us, began=f"{status}_started", ended=f"{status}_ended", source=row["actor"],
        recorded_us=row["recorded_at"],
    )  # fmt: skip


def held_in(tenures: Iterable[Row], maintenance: Iterable[Row]) -> list[Held]:
    """Stretches of head tenures and of maintenance that took place."""
    found = [
        Held(
            stage="on_lease", from_us=row["valid_from"], to_us=row["valid_to"], began="lease_delivery", ended="redelivery",
            source="tenure", recorded_us=row["recorded_at"],
        )
        for row in tenures
        if row["head"]
    ]  # fmt: skip
    return found + [
        Held(
            stage="in_maintenance", from_us=row["actual_from"], to_us=row["actual_to"], began="maintenance_started",
            ended="maintenance_ended", source=row["actor"], recorded_us=row["recorded_at"],
        )
        for row in maintenance
        if row["actual_from"] is not None
    ]  # fmt: skip


def lease_period(
    row: Row | None, paper: Row | None, use: UseFiguresShape | None, at_us: int, *, insider: bool
) -> LeasePeriodShape:
    """A tenure and its paper as the API shows them; one of the two may be missing."""
    known = row or paper
    assert known is not None  # noqa: S101 - called with one of them at least
    in_force = row is not None and _holds(row, at_us)
    due_us = paper["term_to"] if paper is not None else None if row is None else row["valid_to"]
    days = (due_us - at_us) / DAY_US if in_force and due_us is not None else None
    no_paper = "no_paper" if insider else "not_shared"
    reason: Reasons = {}
    if paper is None:
        reason |= dict.fromkeys(("reference", "signed_on", "term_from", "term_to"), no_paper)
    elif paper["signed_on"] is None:
        reason["signed_on"] = "draft"
    if row is None:
        gone = "cancelled_before_delivery" if paper is not None and paper["void"] else "not_delivered"
        reason |= dict.fromkeys(("valid_from", "valid_to", "lessee", "lessee_name", "use"), gone)
    elif row["valid_to"] is None:
        reason["valid_to"] = "running"
    if days is None:
        reason["days_to_redelivery"] = "not_in_force" if not in_force else no_paper
    if use is None and row is not None:
        reason["use"] = "never_heard"
    return LeasePeriodShape(
        lease_id=str(known["lease_id"]), form=known["form"], head=known["head"],
        reference=None if paper is None else paper["reference"],
        parent_lease_id=None if paper is None else _text(paper["parent_lease_id"]),
        signed_on=None if paper is None or paper["signed_on"] is None else paper["signed_on"].isoformat(),
        term_from=None if paper is None else time_of(paper["term_from"]),
        term_to=None if paper is None else time_of(paper["term_to"]),
        lessee=None if row is None else str(row["lessee_party_id"]), lessee_name=None if row is None else row["lessee_name"],
        valid_from=None if row is None else time_of(row["valid_from"]),
        valid_to=None if row is None else time_of(row["valid_to"]),
        in_force=in_force, days_to_redelivery=days, use=use,
        source="tenure" if row is not None else "contract", recorded_at=time_of(known["recorded_at"]), reason=reason,
    )  # fmt: skip


def maintenance_shape(row: Row) -> MaintenanceShape:
    """A maintenance event as the API shows it."""
    return MaintenanceShape(
        id=str(row["maintenance_event_id"]), kind=row["kind"], planned_from=time_of(row["planned_from"]),
        planned_to=time_of(row["planned_to"]), actual_from=time_of(row["actual_from"]), actual_to=time_of(row["actual_to"]),
        place=row["place"], use_at=row["use_at"], cost_amount=_text(row["cost_amount"]), currency=row["currency"],
        source=row["actor"], recorded_at=time_of(row["recorded_at"]),
    )  # fmt: skip


def gap_shape(row: Row) -> GapShape:
    """A silence as the API shows it."""
    return GapShape(
        id=row["finding_id"], severity=row["severity"], verdict=row["evidence"].get("verdict"),
        opened_at=to_rfc3339(row["opened_at"]),
        closed_at=time_of(row["closed_at"]), source="finding", recorded_at=time_of(row["recorded_at"]),
    )  # fmt: skip


def alert_shape(row: Row) -> LifeAlertShape:
    """An alert as it stood, as the API shows it in a life."""
    return LifeAlertShape(
        id=str(row["alert_id"]), rule=row["rule"], subject=row["subject"], severity=row["severity"], status=row["status"],
        lease_id=_text(row["lease_id"]), opened_at=to_rfc3339(row["opened_at"]), closed_at=time_of(row["closed_at"]),
        source=f"alert revision {row['revision']}", recorded_at=time_of(row["recorded_at"]),
    )  # fmt: skip


def observed_said(found: Milestone, row: Row) -> Said:
    """What a row of `store.lifecycle.movements_near` shows of a milestone."""
    return Said(
        kind=found.kind, basis="observed", at_us=row["at"], lease_id=found.lease_id, source=row["method"],
        recorded_us=row["recorded_at"], movement=row["movement"], place=row["place"],
    )  # fmt: skip


def _holds(row: Row, at_us: int) -> bool:
    return (row["valid_from"] is None or row["valid_from"] <= at_us) and (row["valid_to"] is None or at_us < row["valid_to"])


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
