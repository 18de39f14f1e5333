"""Trials of clauses for the API: the same judging as a backtest, over one asset's stored readings and for one clause alone."""

from __future__ import annotations

from typing import Any

from api.trials import TrialCase
from detect.covenant import EXPLAINED, NAME, breach_of_encounter
from detect.model import Finding
from fleet.area_index import AreaIndex
from fleet.lease import AisOn, NoSts
from ingest.backtest import Backtest, finding_lines
from ingest.places import place_area, places_of, watched_area
from ingest.roster import Filed


def run_trial(case: TrialCase) -> list[dict[str, Any]]:
    """What the clause of a case would have raised, as the lines of `backtest --out`; nothing is read or written.

    What others said of the asset is taken from what is stored: a silence that is explained there breaches nothing, and meetings
    are those that were found.
    """
    places, watched = [], []
    for one in case.areas:
        place = place_area(one.area_id, one.kind, one.name, one.geometry, one.radius_m, one.valid_from_us, one.valid_to_us)
        places.append(place)
        area = watched_area(place, one)
        if area is not None:
            watched.append(area)
    index = AreaIndex(watched) if watched else None
    run = Backtest(case.to_us, places=places_of(places), areas=index, filed={case.asset_id: [Filed("covenant", case.clause)]},
                   asset_id=case.asset_id)  # fmt: skip
    run.run_readings(case.readings)
    found = [one for one in run.findings.values() if one.rule == NAME]
    others = [_finding(case, row) for row in case.others]
    if isinstance(case.clause.demand, AisOn):
        found = _unexplained(found, others)
    if isinstance(case.clause.demand, NoSts):
        met = [one for one in others if one.rule == "encounter"]
        found += [breach for one in met for breach in breach_of_encounter([case.clause], one, index)]
    return list(finding_lines(found))


def _unexplained(found: list[Finding], others: list[Finding]) -> list[Finding]:
    """Silences but those whose stored gap has a reason."""
    told = {one.opened_at_us: one.evidence.get("verdict") for one in others if one.rule == "gap"}
    kept = [one for one in found if told.get(one.opened_at_us) not in EXPLAINED]
    for one in kept:
        one.evidence["verdict"] = told.get(one.opened_at_us, one.evidence["verdict"])
    return kept


def _finding(case: TrialCase, row: dict[str, Any]) -> Finding:
    return Finding(
        id=row["finding_id"], rule=row["rule"], rule_version=row["rule_version"], severity=row["severity"],
        asset_id=case.asset_id, asset=row["asset"], subject=row["subject"], opened_at_us=row["opened_at"],
        closed_at_us=row["closed_at"], detected_at_us=row["detected_at"], score=None, evidence=row["evidence"],
    )  # fmt: skip
