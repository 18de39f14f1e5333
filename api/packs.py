"""A month of an asset as a printable page: rows in, HTML out. Pure but for the template, which escapes everything.

Money stays Decimal from the ledger to the page. It knows no query and no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import jinja2
import msgspec
from markupsafe import Markup

from api.drawings import Bar, days_svg, track_svg
from api.shapes import LifecycleShape, ObligationShape, UseFiguresShape
from api.tracks import Fix
from fleet.instants import DAY_US, to_datetime
from fleet.lease import UNREADABLE
from fleet.maintenance_reserve import Entry, balances
from fleet.practice import Practice
from fleet.reconciliation import LeaseMonth

Row = dict[str, Any]
JOURNEYS_SHOWN = 40
HOURS_SHOWN_MIN = 0.05  # less would be shown as 0.0
AGENDA_D = 90
UNITS = {"flight_h": "FH", "cycles": "FC", "distance_nm": "nm", "car_km": "car-km"}
"""Measures that a report is judged by, with the word for people."""

_pages = jinja2.Environment(
    loader=jinja2.PackageLoader("api"), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


class Line(NamedTuple):
    """One row of a table on the page; `mark` colours its last cell."""

    cells: Sequence[str]
    mark: str = ""


class MonthFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a pack is made of: the life up to the month's end, the month's bounds, and its own rows of `store.months`.

    `inside` are places in `life.lease_periods` of tenures that meet the month; `whole` is use over the month;
    `agenda` as of the month's last day or today.
    """

    life: LifecycleShape
    from_us: int
    to_us: int
    zone: str
    running: bool
    asked_us: int
    known_us: int | None
    inside: frozenset[int]
    whole: UseFiguresShape | None
    lease_months: Sequence[LeaseMonth]
    practice: Practice
    reserves: Sequence[Row]
    days: Sequence[Row]
    journeys: Sequence[Row]
    fixes: Sequence[Fix]
    agenda: Sequence[ObligationShape]
    on: date


def month_page(facts: MonthFacts) -> str:
    """The page. Every text of it is escaped; the drawings are made of numbers and escaped words."""
    return _pages.get_template("month.html").render(pack=pack_of(facts))


def pack_of(facts: MonthFacts) -> dict[str, Any]:
    """What the template shows, in words."""
    life, asset_class = facts.life, facts.life.class_
    first = to_datetime(facts.from_us + DAY_US // 2)
    unit = "FH" if asset_class == "aircraft" else "nm"
    journeys = [_journey(row) for row in facts.journeys]
    known = "now" if facts.known_us is None else _instant(facts.known_us)
    return {
        "asset": life.name, "type": (life.type or asset_class).replace("_", " "),
        "month": f"{first:%Y-%m}", "month_words": f"{first:%B %Y}",
        "identifiers": [
            f"{each.scheme.upper()} {each.value}" for each in life.identifiers
            if each.valid_to is None or each.valid_to > life.valid_at
        ],
        "period": f"{_instant(facts.from_us)} to {_instant(facts.to_us)} ({facts.zone})"
        + (", still running" if facts.running else ""),
        "facts": _facts(facts), "map": Markup(track_svg(facts.fixes)),  # noqa: S704 - numbers and escaped words, see drawings
        "use_columns": _columns(
            "Lease", "Measure", "Observed#", "Reported#", "Difference#", "Tolerance#", "Coverage#", "Verdict"
        ),
        "use": _use_lines(facts), "use_note": _use_note(facts),
        "days": Markup(days_svg([_bar(row, asset_class) for row in facts.days], unit)),  # noqa: S704 - as above
        "days_note": ("Flight hours" if unit == "FH" else "Nautical miles")
        + " by UTC day; hatched: observed for less than nine tenths of the day.",
        "state_columns": _columns("State", "Hours#", "Share#"), "states": _states(facts.whole),
        "journey_columns": _columns("Kind", "From", "To", "Began", "Ended", "Quality"), "journeys": journeys[:JOURNEYS_SHOWN],
        "journeys_more": max(0, len(journeys) - JOURNEYS_SHOWN),
        "reserve_columns": _columns("Bucket", "Component", "Accrued#", "Paid in#", "Paid out#", "Owed#", "Held#"),
        "effect_columns": _columns("Bucket", "Component", "By report#", "By observation#", "Difference#"),
        "effects": _effect_lines(facts), "reserves": _reserve_lines(facts.reserves), "entries": _entry_lines(facts.reserves),
        "entry_columns": _columns("Day", "Bucket", "Component", "Kind", "Month", "Amount#"),
        "agenda_columns": _columns("Due", "Days#", "What", "Basis"), "agenda": _agenda(facts),
        "alert_columns": _columns("Opened", "Rule", "Status", "Severity"), "alerts": _alerts(facts),
        "gap_columns": _columns("From", "To", "Verdict"), "gaps": _gaps(facts),
        "footer": f"Made {_instant(facts.asked_us)} from what was known {known}. Use: {_method(facts.whole)}.",
    }  # fmt: skip


def _columns(*names: str) -> list[tuple[str, bool]]:
    """Columns' names and whether they hold numbers (`#`)."""
    return [(name.rstrip("#"), name.endswith("#")) for name in names]


def _instant(time_us: int) -> str:
    return f"{to_datetime(time_us):%Y-%m-%d %H:%MZ}"


def _text_instant(text: str | None) -> str:
    return "lasts" if text is None else f"{text[:10]} {text[11:16]}Z"


def _number(value: float | Decimal | None, places: int = 1) -> str:
    return "–" if value is None else f"{value:,.{places}f}"


def _facts(facts: MonthFacts) -> list[tuple[str, str]]:
    life, state = facts.life, facts.life.state
    lessees = [each.lessee_name or "" for n, each in enumerate(life.lease_periods) if n in facts.inside and each.head]
    place = "unknown"
    if state.position is not None:
        lon, lat = state.position.coordinates
        place = f"{abs(lat):.3f}° {'S' if lat < 0 else 'N'}, {abs(lon):.3f}° {'W' if lon < 0 else 'E'}"
    days = "–" if life.days_to_redelivery is None else f"{life.days_to_redelivery:,.0f}"
    found = [
        ("Lessee", ", ".join(dict.fromkeys(lessees)) or "off lease"), ("Stage", (life.stage or "unknown").replace("_", " ")),
        ("Status at the end", (state.operating_status or "unknown").replace("_", " ")), ("Days to redelivery", days),
        ("Last position", place), ("Heard", _text_instant(state.time) if state.time else "never"),
        ("Coverage of the month", "–" if facts.whole is None else f"{facts.whole.coverage:.3f}"),
        ("Open alerts", str(sum(1 for each in life.alerts or () if each.status in {"open", "acknowledged"}))),
    ]  # fmt: skip
    if state.weight is not None:
        found.append(("Displacement", f"{state.weight.displacement_t:,.0f} t ({state.weight.method.replace('_', ' ')})"))
    if state.draught_m is not None:
        found.append(("Draught", f"{state.draught_m:.1f} m"))
    return found


def _use_lines(facts: MonthFacts) -> list[Line]:
    """Every measure of every lease of the month, judged as the lease's reconciliation judges it."""
    unread = [
        Line([_named(lease), *["–"] * 6, UNREADABLE.replace("_", " ")])
        for lease in facts.lease_months
        if lease.unreadable is not None
    ]
    return unread + [
        Line(
            [
                _named(lease), UNITS.get(one.measure, one.measure), _number(one.observed),
                _number(one.reported),
                _number(one.difference) + ("" if one.difference_pct is None else f" ({one.difference_pct:+.1f} %)"),
                "–" if one.tolerance is None else f"± {_number(one.tolerance)}",
                "–" if one.coverage is None else f"{one.coverage:.3f}",
                one.verdict.replace("_", " ") + (f": {one.reason.replace('_', ' ')}" if one.reason else ""),
            ],
            one.verdict,
        )
        for lease in facts.lease_months
        for one in lease.judged(facts.practice)
    ]  # fmt: skip


def _named(lease: LeaseMonth) -> str:
    return lease.reference or lease.lessee or lease.lease_id[:8]


def _effect_lines(facts: MonthFacts) -> list[Line]:
    """What the difference comes to in each bucket whose two prices are known."""
    return [
        Line(
            [one.account.bucket.replace("_", " "), lease.names.get(one.account.asset_id, ("", ""))[1],
             *(f"{amount:,.2f} {one.account.currency}" for amount in (one.reported.amount, one.observed.amount, one.difference)
               if amount is not None)]
        )
        for lease in facts.lease_months
        for one in lease.effects()
        if one.difference is not None
    ]  # fmt: skip


def _use_note(facts: MonthFacts) -> str:
    whole = facts.whole
    if whole is None:
        return "Nothing was observed in this month."
    words = f"Observed in {whole.coverage:.1%} of the month"
    total_s = sum(whole.sources.values())
    if total_s > 0:
        shares = (f"{name} {seconds / total_s:.0%}" for name, seconds in sorted(whole.sources.items()))
        words += ", by " + ", ".join(shares)
    return words + ("; an estimate." if whole.is_estimate else ".")


def _method(whole: UseFiguresShape | None) -> str:
    return "nothing observed" if whole is None else whole.method


def _bar(row: Row, asset_class: str) -> Bar:
    hours = sum(seconds for name, seconds in row["state_s"].items() if name == "airborne") / 3600
    value = hours if asset_class == "aircraft" else row["distance_m"] / 1852
    return Bar(f"{row['day']:%d}", value, row["observed_s"] / 86_400)


def _states(whole: UseFiguresShape | None) -> list[Line]:
    if whole is None:
        return []
    rows = sorted(whole.state_h.items(), key=lambda pair: -pair[1])
    shown = [(name, hours) for name, hours in rows if hours >= HOURS_SHOWN_MIN]
    return [Line([name.replace("_", " "), _number(hours), f"{hours / whole.period_h:.1%}"]) for name, hours in shown]


def _journey(row: Row) -> Line:
    ended = "lasts" if row["ended_at"] is None else _instant(row["ended_at"])
    quality = row["quality"] or ("" if row["confidence"] is None else f"confidence {row['confidence']}")
    return Line(
        [row["kind"].replace("_", " "), row["from_place"] or "unknown", row["to_place"] or "unknown", _instant(row["started_at"]),
         ended, quality.replace("_", " ")]
    )  # fmt: skip


def _reserve_lines(rows: Sequence[Row]) -> list[Line]:
    """A line a bucket, each by its own entries: buckets cannot fund each other (domain.md 1.4)."""
    components = {_bucket(row): row for row in rows}
    found = balances(Entry(bucket=_bucket(row), kind=row["kind"], amount=row["amount"]) for row in rows)
    return [
        Line(
            [row["bucket"].replace("_", " "), row["component"],
             *(f"{value:,.2f} {row['currency']}" for value in (
                 found[key].accrued, found[key].paid_in, found[key].paid_out, found[key].owed, found[key].held))]
        )
        for key, row in sorted(components.items())
    ]  # fmt: skip


def _bucket(row: Row) -> str:
    return f"{row['bucket']}\x1f{row['component']}\x1f{row['currency']}\x1f{row['lease_id']}"


def _entry_lines(rows: Sequence[Row]) -> list[Line]:
    return [
        Line(
            [_instant(row["at"])[:10], row["bucket"].replace("_", " "), row["component"], row["kind"].replace("_", " "),
             "" if row["month"] is None else f"{row['month']:%Y-%m}", f"{row['amount']:,.2f} {row['currency']}"]
        )
        for row in rows
        if row["inside"]
    ]  # fmt: skip


def _agenda(facts: MonthFacts) -> list[Line]:
    return [
        Line(
            [each.due_on, str(each.days_left), each.title.removesuffix(f": {facts.life.name}"),
             each.basis + (", overdue" if each.overdue else "")],
            "overdue" if each.overdue else "",
        )
        for each in facts.agenda
    ]  # fmt: skip


def _alerts(facts: MonthFacts) -> list[Line]:
    first, last = to_datetime(facts.from_us), to_datetime(facts.to_us)
    inside = _inside(facts.life.alerts or (), first.isoformat(), last.isoformat())
    return [
        Line(
            [_text_instant(each.opened_at), each.rule.replace("_", " ") + (f" · {each.subject}" if each.subject else ""),
             each.status, each.severity],
            each.severity,
        )
        for each in inside
    ]  # fmt: skip


def _gaps(facts: MonthFacts) -> list[Line]:
    first, last = to_datetime(facts.from_us), to_datetime(facts.to_us)
    return [
        Line(
            [_text_instant(each.opened_at), _text_instant(each.closed_at), (each.verdict or "unknown").replace("_", " ")],
            each.severity,
        )
        for each in _inside(facts.life.gaps or (), first.isoformat(), last.isoformat())
    ]  # fmt: skip


def _inside(items: Iterable[Any], first: str, last: str) -> list[Any]:
    """Those that were open at some instant of the month, by their RFC 3339 texts, which sort as instants do to the second."""
    return [
        each
        for each in items
        if each.opened_at[:19] < last[:19] and (each.closed_at is None or each.closed_at[:19] >= first[:19])
    ]
