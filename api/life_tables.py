"""An asset's life as tables: one list of what happened in order, and one sheet for each list. Pure: the object in, rows out."""

from __future__ import annotations

import csv
import io
from typing import Any, NamedTuple

import msgspec

from api import shapes
from api.listing import csv_cell
from api.shapes import LifecycleShape
from api.workbook import Sheet, sheet_of


class Happening(NamedTuple):
    """One line of a life: when, in which section, what, under which lease, in words, and who says so since when."""

    from_: str | None
    to: str | None
    section: str
    what: str
    lease_id: str | None
    words: str
    source: str
    recorded_at: str | None


COLUMNS = ("from", "to", "section", "what", "lease_id", "words", "source", "recorded_at")


def happenings(life: LifecycleShape) -> list[Happening]:
    """Everything dated in a life, earliest first; what has no beginning comes before all."""
    found = [
        Happening(each.valid_from, each.valid_to, "stage", each.stage, None, each.because, f"{each.basis}: {each.source}",
                  each.recorded_at)
        for each in life.stages
    ]  # fmt: skip
    found += [
        Happening(each.valid_from or each.term_from, each.valid_to, "lease", each.form, each.lease_id, _tenure_words(each),
                  each.source, each.recorded_at)
        for each in life.lease_periods
    ]  # fmt: skip
    for each in life.milestones:
        said = each.reported or each.observed or each.contract
        found.append(
            Happening(each.at, None, "milestone", each.kind, each.lease_id, each.words, said.source if said else "",
                      said.recorded_at if said else None)
        )  # fmt: skip
    found += [
        Happening(each.actual_from or each.planned_from, each.actual_to or each.planned_to, "maintenance", each.kind, None,
                  " ".join(filter(None, ("done" if each.actual_from else "planned", each.place))), each.source, each.recorded_at)
        for each in life.maintenance or ()
    ]  # fmt: skip
    found += [
        Happening(
            each.valid_from, each.valid_to, "identifier", each.scheme, None, each.value, each.source or "", each.recorded_at
        )
        for each in life.identifiers
    ]
    found += [
        Happening(each.valid_from, each.valid_to, "installation", each.class_, None,
                  f"{each.name} on {each.parent_name}, position {each.position}", each.source, each.recorded_at)
        for each in life.installations or ()
    ]  # fmt: skip
    found += [
        Happening(each.opened_at, each.closed_at, "gap", each.verdict or "unknown", None, each.severity, each.source,
                  each.recorded_at)
        for each in life.gaps or ()
    ]  # fmt: skip
    found += [
        Happening(each.opened_at, each.closed_at, "alert", each.rule, each.lease_id,
                  " ".join(filter(None, (each.severity, each.status, each.subject))), each.source, each.recorded_at)
        for each in life.alerts or ()
    ]  # fmt: skip
    return sorted(found, key=lambda each: (each.from_ or "", each.section, each.what))


def _tenure_words(each: shapes.LeasePeriodShape) -> str:
    words = each.lessee_name or each.reason.get("lessee", "")
    if each.use is None:
        return words
    hours = f", {each.use.flight_h:.2f} FH, {each.use.cycles} FC" if each.use.flight_h is not None else ""
    distance = f", {each.use.distance_nm:.1f} nm" if each.use.distance_nm is not None else ""
    estimate = " (estimate)" if each.use.is_estimate else ""
    return f"{words}{hours}{distance}, coverage {each.use.coverage:.3f}{estimate}"


def life_csv(life: LifecycleShape) -> str:
    """What happened as RFC 4180 text with a header line."""
    lines = io.StringIO()
    writer = csv.writer(lines)
    writer.writerow(COLUMNS)
    for each in happenings(life):
        writer.writerow([csv_cell(value) for value in each])
    return lines.getvalue()


def life_sheets(life: LifecycleShape) -> list[Sheet]:
    """A sheet for what happened in order, one for the asset itself, and one for each list."""
    alone = {
        "stages",
        "lease_periods",
        "milestones",
        "maintenance",
        "identifiers",
        "installations",
        "leases",
        "gaps",
        "alerts",
        "state",
    }
    facts = [[name, value] for name, value in _encoded(life).items() if name not in alone]
    state = [[name, value] for name, value in _encoded(life.state).items()]
    return [
        Sheet("Life", COLUMNS, happenings(life)),
        Sheet("Asset", ("what", "value"), facts),
        Sheet("State", ("what", "value"), state),
        sheet_of("Stages", shapes.StagePeriodShape, life.stages),
        sheet_of("Leases", shapes.LeasePeriodShape, life.lease_periods),
        sheet_of("Milestones", shapes.MilestoneShape, life.milestones),
        sheet_of("Maintenance", shapes.MaintenanceShape, life.maintenance or ()),
        sheet_of("Identifiers", shapes.IdentifierShape, life.identifiers),
        sheet_of("Installations", shapes.InstallationShape, life.installations or ()),
        sheet_of("Gaps", shapes.GapShape, life.gaps or ()),
        sheet_of("Alerts", shapes.LifeAlertShape, life.alerts or ()),
    ]


def _encoded(shape: msgspec.Struct) -> dict[str, Any]:
    return {field.encode_name: getattr(shape, field.name) for field in msgspec.structs.fields(type(shape))}
