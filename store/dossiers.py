"""What is known of assets on a day, as `fleet.obligation.Dossier`: one set query a noun for a page of assets, whoever asks.

The daily pass asks as the worker, the agenda as the API; each query names the tenant, and the wall stands behind it. `known_us`
asks what was known then; None is as believed now. Where an asset is, is asked elsewhere: it depends on the role.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, LiteralString

import msgspec

from fleet.area import GeometryError, shape_of
from fleet.clause import Clause, clause_of
from fleet.dated import Span
from fleet.forecast import WornLimit
from fleet.geodesy import NM_M
from fleet.instants import DAY_US, to_datetime
from fleet.lease import FORMS, TermFault, Terms, UnreadableTerms, insurances_required, parse_covenant, stored_terms
from fleet.months import add_months
from fleet.obligation import (
    Check,
    Cover,
    Dossier,
    LeaseDossier,
    MonthOfUse,
    Notice,
    Option,
    ReserveBucket,
    ReturnPlace,
    Work,
    day_of,
    start_us,
)
from fleet.practice import Figure, Practice
from fleet.return_condition import ReturnTerms
from fleet.utilization import DRIVERS, quantity
from store import wear
from store.pool import Connection
from store.queries import load

SQL = load("dossiers")
Row = dict[str, Any]
PAGE_MAX = 500  # assets whose facts are read at once; chosen: a few thousand rows
MONTHS_BACK = 13
SECONDS_PER_H = 3600


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Whose assets, of which day, as known when. `practice` is the tenant's."""

    tenant: str
    on: date
    known_us: int | None
    practice: Practice

    @property
    def at_us(self) -> int:
        """The last instant of the day: what happens on it has happened."""
        return start_us(self.on) + DAY_US - 1

    def binds(self, **more: Any) -> dict[str, Any]:
        """The parameters that every query has."""
        return {
            "tenant": self.tenant, "at": to_datetime(self.at_us),
            "known": None if self.known_us is None else to_datetime(self.known_us), **more,
        }  # fmt: skip


async def practice_of(conn: Connection, tenant: str, house: Practice, known_us: int | None = None) -> Practice:
    """The house's figures of practice with the operator's and the tenant's own laid over them."""
    rows = await _rows(conn, SQL["figures"], {"tenant": tenant, "known": None if known_us is None else to_datetime(known_us)})
    return house.overlaid(
        Figure(
            name=row["name"], value=row["value"], source=f"setting of {tenant}",
            valid_from=None if row["from_time"] is None else day_of(row["from_time"]),
            valid_to=None if row["to_time"] is None else day_of(row["to_time"]),
        )
        for row in rows
    )  # fmt: skip


async def dossiers(
    conn: Connection, question: Question, asset_ids: Sequence[str] | None = None, after: str | None = None, limit: int = PAGE_MAX
) -> list[Dossier]:
    """Dossiers of a tenant's assets (or of these) in order of id, a page of them."""
    binds = question.binds(assets=None if asset_ids is None else list(asset_ids), after=after, limit=limit)
    assets = await _rows(conn, SQL["assets"], binds)
    ids = [row["asset_id"] for row in assets]
    if not ids:
        return []
    of_assets = question.binds(assets=ids)
    limits: dict[str, list[WornLimit]] = {}
    for worn in await wear.worn(conn, ids, start_us(question.on), question.known_us):
        limits.setdefault(worn.asset_id, []).append(worn)
    works = _grouped(await _rows(conn, SQL["works"], of_assets), "asset_id")
    leases = await lease_dossiers(conn, question, ids)
    reserves = await _reserves(conn, question, ids)
    return [
        Dossier(
            asset_id=row["asset_id"], name=row["addressed"] or f"local:{row['asset_id']}", asset_class=row["class"],
            title=row["name"], type=row["type"], particulars=row["particulars"],
            limits=tuple(limits.get(row["asset_id"], ())),
            works=tuple(_work(each) for each in works.get(row["asset_id"], ())),
            leases=tuple(leases.get(row["asset_id"], ())), reserves=tuple(reserves.get(row["asset_id"], ())),
        )
        for row in assets
    ]  # fmt: skip


async def lease_dossiers(conn: Connection, question: Question, asset_ids: Sequence[str]) -> dict[str, list[LeaseDossier]]:
    """What is known of the leases of assets, by asset id: those to come, those that run, and those that ended in a year or so."""
    rows = await _rows(conn, SQL["leases"], question.binds(assets=list(asset_ids)))
    about = question.binds(leases=[row["lease_id"] for row in rows], assets=list(asset_ids))
    first = add_months(question.on.replace(day=1), -MONTHS_BACK)
    spans = {"from_day": min(first, date(question.on.year - 1, 1, 1)), "to_day": question.on}
    queries = {name: SQL[name] for name in ("covers", "checks", "events", "reports", "months", "use_clauses")}
    parts = {name: _grouped(await _rows(conn, query, about | spans), "lease_id") for name, query in queries.items()}
    terms = {row["lease_id"]: stored_terms(row["terms"]) for row in rows}
    readable = {lease_id: one for lease_id, one in terms.items() if isinstance(one, Terms)}
    places = await _return_places(conn, question, readable)
    found: dict[str, list[LeaseDossier]] = {}
    for row in rows:
        held = {name: grouped.get(row["lease_id"], []) for name, grouped in parts.items()}
        shaped = _lease(row, terms[row["lease_id"]], held, places.get(row["lease_id"], ()), question)
        found.setdefault(row["asset_id"], []).append(shaped)
    return found


def _use_clause(row: Row, lease: Row) -> Clause | None:
    """A covenant on use that binds for the tenure; None for one that this version cannot read."""
    given = parse_covenant(row["said"])
    if isinstance(given, TermFault):
        return None
    edges = [None if time_us is None else to_datetime(time_us) for time_us in (row["from_time"], row["to_time"])]
    held = [Span(lease["held_from"], lease["held_to"])]
    dated = msgspec.structs.replace(given, valid_from=edges[0], valid_to=edges[1])
    return clause_of(dated, lease["lease_id"], held, head=lease["head"], term_to_us=lease["term_to"])


def _lease(
    row: Row, kept: Terms | UnreadableTerms, held: Mapping[str, list[Row]], places: Sequence[ReturnPlace], question: Question
) -> LeaseDossier:  # fmt: skip
    """A lease; of terms that cannot be read nothing is owed but that they be mended."""
    terms, unreadable = (kept, None) if isinstance(kept, Terms) else (Terms(), kept.words)
    form = FORMS.get(row["form"])
    has_paper, notices = row["has_paper"], None if terms.redelivery is None else terms.redelivery.notice_days
    reported = {each["month"]: each["figures"] for each in held["reports"]}
    told = [each["at"] for each in held["events"] if each["kind"] == "redelivery_notice"]
    return LeaseDossier(
        lease_id=row["lease_id"], reference=row["reference"], form=row["form"], lessee=row["lessee"],
        term_from_us=row["term_from"] if has_paper else row["held_from"],
        term_to_us=row["term_to"] if has_paper else row["held_to"],
        signed=not has_paper or row["signed_on"] is not None,
        tenure_from_us=row["held_from"],
        tenure_to_us=row["held_to"] if row["held_to"] is not None and row["held_to"] <= question.at_us else None,
        options=tuple(_options(terms, held["events"])),
        notices=() if notices is None else tuple(
            Notice(kind=kind, days=days)
            for kind, each in (("approximate", notices.approximate), ("definite", notices.definite)) for days in each
        ),
        notice_given_on=day_of(told[-1]) if told else None,
        return_places=tuple(places),
        covers=tuple(
            Cover(kind=each["kind"], insurer=each["insurer"], from_us=each["from_time"], to_us=each["to_time"])
            for each in held["covers"]
        ),
        covers_required=insurances_required(terms, question.on, question.practice) if has_paper and unreadable is None else (),
        unreadable=unreadable,
        reports_monthly=has_paper and _owes_reports(row, terms, crewed=form is not None and form.lessor_crews),
        reported=tuple(sorted(reported)),
        checks=tuple(
            Check(id=each["return_condition_id"], requirement=each["requirement"], status=each["status"], due_on=each["due_on"])
            for each in held["checks"]
        ),
        use_clauses=tuple(one for each in held["use_clauses"] if (one := _use_clause(each, row)) is not None),
        minimum=terms.min_utilization,
        months=_months(held["months"], reported, row, question.on),
        return_terms=terms.return_terms or ReturnTerms(),
        agreed_cii=tuple(
            {name: value for name, value in msgspec.to_builtins(each).items() if value is not None} for each in terms.agreed_cii
        ),
    )  # fmt: skip


def _owes_reports(row: Row, terms: Terms, *, crewed: bool) -> bool:
    """Whether a lessee owes a report of use a month: who operates does, where something is billed from it."""
    billed = bool(terms.reserve_terms) or terms.min_utilization is not None
    return row["head"] and not crewed and billed


def _options(terms: Terms, events: Sequence[Row]) -> Iterable[Option]:
    used = {n for n, option in enumerate(terms.extension_options) if option.exercised}
    for event in events:
        if event["kind"] == "extension_exercised":
            named = event["evidence"].get("option")
            open_ones = [n for n in range(len(terms.extension_options)) if n not in used]
            used |= {named} if isinstance(named, int) else set(open_ones[:1])
    for n, option in enumerate(terms.extension_options):
        detail = {"period": option.period}
        yield Option(kind="extension_option", number=n, notice_by=option.notice_by, exercised=n in used, detail=detail)
    bought, purchase = any(event["kind"] == "purchase_option_exercised" for event in events), terms.purchase_option
    if purchase is not None and purchase.notice_by is not None:
        detail = {} if purchase.price is None else msgspec.to_builtins(purchase.price)
        yield Option(
            kind="purchase_option", number=0, notice_by=purchase.notice_by, exercised=bought or purchase.exercised,
            detail={**detail, "obligation": purchase.obligation},
        )  # fmt: skip


def _months(rows: Sequence[Row], reported: Mapping[str, Row], lease: Row, on: date) -> dict[str, MonthOfUse]:
    """Use of each month inside the lease; days of it that the lease covers, up to the day before `on`."""
    found = {}
    for row in rows:
        first = date.fromisoformat(row["month"] + "-01")
        begun = max(first, first if lease["held_from"] is None else day_of(lease["held_from"]))
        ended = min(add_months(first, 1), on, add_months(first, 1) if lease["held_to"] is None else day_of(lease["held_to"]))
        days = max(1, (ended - begun).days)
        used = _used(row)
        used["nm"] = Decimal(str(round((row["distance_m"] or 0) / NM_M, 3)))
        used["at_sea_h"] = Decimal(str(round((row["at_sea_s"] or 0) / SECONDS_PER_H, 3)))
        found[row["month"]] = MonthOfUse(
            days=days, days_known=row["days"], coverage=min(1.0, (row["observed_s"] or 0) / (days * 86_400)), used=used,
            reported=_reported(reported.get(row["month"], {})),
        )  # fmt: skip
    for month, figures in reported.items():
        if month not in found:
            days = (add_months(date.fromisoformat(month + "-01"), 1) - date.fromisoformat(month + "-01")).days
            found[month] = MonthOfUse(days=days, days_known=0, coverage=0.0, reported=_reported(figures))
    return found


def _reported(figures: Mapping[str, Any]) -> dict[str, Decimal]:
    each = {driver: quantity(figures, driver) for driver, traits in DRIVERS.items() if traits.figure is not None}
    return {driver: value for driver, value in each.items() if value is not None}


def _used(row: Row) -> dict[str, Decimal]:
    """Use by driver; a driver that the class does not count is absent."""
    found = {
        "fh": Decimal(str(round((row["flight_s"] or 0) / SECONDS_PER_H, 6))), "fc": Decimal(row["cycles"] or 0),
    }  # fmt: skip
    for driver, column in (("car_km", "car_km"), ("door_cycle", "door_cycles")):
        if row[column] is not None:
            found[driver] = Decimal(str(round(row[column], 3)))
    return found


def _work(row: Row) -> Work:
    days = {
        name: None if row[name] is None else day_of(row[name]) for name in ("planned_from", "planned_to", "done_from", "done_to")
    }
    return Work(id=row["maintenance_event_id"], kind=row["kind"], in_water=row["in_water"], **days)


async def _reserves(conn: Connection, question: Question, ids: Sequence[str]) -> dict[str, list[ReserveBucket]]:
    lately = add_months(question.on.replace(day=1), -6)
    rows = await _rows(conn, SQL["reserves"], question.binds(assets=list(ids), lately=lately))
    wanted = sorted({row["lease_id"] for row in rows})
    ends = {row["lease_id"]: row["term_to"] for row in await _rows(conn, SQL["terms_of"], question.binds(leases=wanted))}
    found: dict[str, list[ReserveBucket]] = {}
    for row in rows:
        months, ends_us = row["months_lately"], ends.get(row["lease_id"])
        found.setdefault(row["asset_id"], []).append(
            ReserveBucket(
                bucket=row["bucket"], lease_id=row["lease_id"], currency=row["currency"],
                held=row["paid_in"] - row["paid_out"] - row["retained"], owed=row["accrued"] - row["paid_in"],
                per_month=(row["accrued_lately"] / months).quantize(Decimal("0.01")) if months else None,
                ends_on=None if ends_us is None else day_of(ends_us),
            )
        )  # fmt: skip
    return found


async def _return_places(
    conn: Connection, question: Question, terms: Mapping[str, Terms]
) -> dict[str, list[ReturnPlace]]:  # fmt: skip
    """The areas of each lease's range of return that are on the map; codes that no area bears are left out."""
    ranges = {
        lease_id: each.redelivery.place_range
        for lease_id, each in terms.items()
        if each.redelivery is not None and each.redelivery.place_range is not None
    }
    if not ranges:
        return {}
    ids = sorted({code for one in ranges.values() for code in (*one.areas, *one.places)})
    sets = sorted({one.area_set for one in ranges.values() if one.area_set is not None})
    rows = await _rows(conn, SQL["areas"], question.binds(ids=ids, sets=sets))
    found: dict[str, list[ReturnPlace]] = {}
    for lease_id, one in ranges.items():
        for row in rows:
            if row["area_id"] not in {*one.areas, *one.places} and (one.area_set is None or row["area_set"] != one.area_set):
                continue
            try:
                shape = shape_of(row["geometry"], row["radius_m"] or 1.0)
            except GeometryError:
                continue  # what was stored by an older import and cannot be measured is no place to aim at
            found.setdefault(lease_id, []).append(ReturnPlace(name=row["name"], shape=shape))
    return found


def _grouped(rows: Iterable[Row], key: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row[key], []).append(row)
    return found


async def _rows(conn: Connection, query: LiteralString, binds: Mapping[str, Any]) -> list[Row]:
    return await (await conn.execute(query, binds)).fetchall()
