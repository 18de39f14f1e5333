"""From obligations to the agenda: titles, details that take more than one fact, and the calendar file. Pure but for libraries.

It knows no query and no clock: dossiers and the day are given.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

import icalendar
import msgspec

from api.return_shapes import Weighed, compensation_shape
from api.shapes import ObligationShape
from fleet.calendar_rules import reach_of
from fleet.instants import to_datetime
from fleet.obligation import Dossier, LeaseDossier, Obligation, obligations, start_us
from fleet.practice import Practice

PRODUCT = "-//Keelwing//agenda//EN"
DOMAIN = "keelwing"  # right of the @ of a UID, which must not change for a calendar program to know an entry again (RFC 5545)
DETAIL_LINES_MAX = 20

_TITLES = {
    "lease_terms": "Terms of the lease cannot be read",
    "delivery": "Delivery to the lessee",
    "redelivery": "Redelivery: the lease's term ends",
    "redelivery_notice": "Notice of redelivery ({notice}, {notice_days} days before)",
    "extension_option": "Option to extend by {period} lapses",
    "purchase_option": "Option to buy lapses",
    "insurance_end": "Cover ends: {cover}",
    "utilization_report": "Report of {month} due",
    "return_condition": "Condition of return: {requirement}",
    "maintenance": "Due: {item}",
    "planned_maintenance": "Planned: {work}",
    "life_limit": "End of life: {item}",
    "survey": "Survey: {survey}",
}


def agenda_of(dossiers: Iterable[Dossier], on: date, until: date, practice: Practice) -> list[ObligationShape]:
    """Everything overdue on a day or due before another, of all these assets, by (day, asset, id)."""
    found = [
        shape_of(dossier, one, on, practice)
        for dossier in dossiers
        for one in obligations(dossier, on, practice)
        if one.due_on < until
    ]
    return sorted(found, key=lambda shape: (shape.due_on, shape.asset_id, shape.id))


def shape_of(dossier: Dossier, one: Obligation, on: date, practice: Practice) -> ObligationShape:
    """One obligation as the agenda shows it."""
    lease = next((each for each in dossier.leases if each.lease_id == one.lease_id), None)
    detail = {name: value for name, value in one.detail.items() if name not in {"reference", "lessee"}}
    if one.kind == "redelivery" and lease is not None:
        detail |= redelivery_detail(dossier, lease, on, practice)
    reason = {} if one.window_from is not None else {"window_from": "no_window"}
    if lease is None:
        reason |= dict.fromkeys(("lease_id", "reference", "lessee"), "not_of_a_lease")
    elif lease.reference is None or lease.lessee is None:
        reason |= {name: "not_given" for name in ("reference", "lessee") if getattr(lease, name) is None}
    return ObligationShape(
        id=one.id(dossier.asset_id), due_on=one.due_on.isoformat(), days_left=(one.due_on - on).days, overdue=one.due_on < on,
        kind=one.kind, title=f"{_title(one)}: {dossier.title}", basis=one.basis, is_estimate=one.basis == "forecast",
        window_from=None if one.window_from is None else one.window_from.isoformat(), asset_id=dossier.asset_id,
        asset=dossier.name, asset_name=dossier.title, class_=dossier.asset_class, lease_id=one.lease_id,
        reference=None if lease is None else lease.reference, lessee=None if lease is None else lease.lessee, detail=detail,
        reason=reason,
    )  # fmt: skip


def redelivery_detail(dossier: Dossier, lease: LeaseDossier, on: date, practice: Practice) -> dict[str, Any]:
    """What one asks of a redelivery: how far from the range, which notices by when, which conditions are open.

    `range` is null with a reason where the position, the range's areas, the end or a speed is not known.
    """
    reach = reach_of(dossier, lease, on, practice)
    ends_us = lease.term_to_us or start_us(on)
    unknown = "position_unknown" if lease.return_places and dossier.position is None else "range_not_on_the_map"
    return {
        "range": reach, **({} if reach is not None else {"range_reason": unknown}),
        "notices": [
            {
                "notice": notice.kind, "notice_days": notice.days,
                "due_on": (to_datetime(ends_us).date() - timedelta(days=notice.days)).isoformat(),
            }
            for notice in lease.notices
        ],
        "notice_given_on": None if lease.notice_given_on is None else lease.notice_given_on.isoformat(),
        "checks": [
            {
                "id": check.id, "requirement": check.requirement, "status": check.status,
                "due_on": None if check.due_on is None else check.due_on.isoformat(),
            }
            for check in lease.checks
        ],
    }  # fmt: skip


def with_compensation(item: ObligationShape, weighed: Weighed) -> ObligationShape:
    """A redelivery with what condition would cost at the end of the term: totals by currency, items that nobody can price."""
    found = compensation_shape(weighed)
    told = {
        "basis": found.basis, "direction": found.direction, "items": len(found.lines), "unknown": found.unknown,
        "is_estimate": found.is_estimate, "totals": msgspec.to_builtins(found.totals),
    }  # fmt: skip
    return msgspec.structs.replace(item, detail={**item.detail, "compensation": told})


def _title(one: Obligation) -> str:
    named = {name: str(value).replace("_", " ") for name, value in one.detail.items()}
    return _TITLES[one.kind].format_map(named)


def calendar_file(items: Sequence[ObligationShape], on: date) -> bytes:
    """The agenda as iCalendar (RFC 5545): one all-day event each, which takes nobody's time, under a UID that stays."""
    calendar = icalendar.Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", "Keelwing agenda")
    calendar.add("refresh-interval", timedelta(days=1), parameters={"value": "DURATION"})
    for item in items:
        due_on = date.fromisoformat(item.due_on)
        event = icalendar.Event()
        event.add("uid", f"{item.id}@{DOMAIN}")
        event.add("dtstamp", to_datetime(start_us(on)))
        event.add("dtstart", due_on)
        event.add("dtend", due_on + timedelta(days=1))
        event.add("summary", ("Overdue. " if item.overdue else "") + item.title)
        event.add("description", _description(item))
        event.add("categories", [item.kind])
        event.add("transp", "TRANSPARENT")
        calendar.add_component(event)
    text: bytes = calendar.to_ical()
    return text


def _description(item: ObligationShape) -> str:
    lines = [f"asset: {item.asset_name} ({item.asset})"]
    if item.lease_id is not None:
        lines.append(f"lease: {item.reference or item.lease_id}" + ("" if item.lessee is None else f", {item.lessee}"))
    lines.append(f"basis: {item.basis}")
    plain = [(name, value) for name, value in item.detail.items() if isinstance(value, str | int | float)]
    lines += [f"{name}: {value}" for name, value in plain[:DETAIL_LINES_MAX]]
    return "\n".join(lines)
