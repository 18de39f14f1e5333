"""What a month of a lease is billed from: leases with their tenure, components installed meanwhile, use that was observed.

Rows as the queries name them, instants in microseconds UTC; `known_us` asks what was known then. Observed use comes as
`fleet.reconciliation.Observation` by asset id: flights by the lease's attribution, sums of whole days, edges cut from activities.
The attribution of a lease that agrees none is the tenant's, whose practice every asker gives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from fleet import flight, noon_report, use
from fleet.geodesy import NM_M
from fleet.instants import DAY_US, HOUR_US, from_datetime, to_datetime
from fleet.lease import Terms, UnreadableTerms, attribution_at, stored_terms
from fleet.maintenance_reserve import RateTerms
from fleet.months import add_months
from fleet.practice import Practice
from fleet.reconciliation import AccountOfMonth, LeaseMonth, Month, Observation, Reported, figures_of, month_of
from fleet.utilization import mismatch_evidence
from store import reserves, uses, utilization_reports
from store.moments import moment
from store.pool import Connection
from store.queries import load

SQL = load("billing")
Row = dict[str, Any]
AttributionAt = Callable[[int], flight.Attribution]
"""Where a flight over an instant, microseconds UTC, counts."""
ACCOUNTS_MAX = 20_000  # chosen: a thousand leases with twenty buckets
REPORTS_MAX = 50_000  # chosen: a thousand ships with a noon report a day and more
INSTALLED_MAX = 5000  # chosen: components of a page of leases over a month, swaps included
FIGURES_OF_USE = ("car_km", "door_cycles")  # counted by a class's machine under these names


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """A component on its parent in [from_us, to_us)."""

    asset_id: str
    asset_class: str
    name: str
    parent_id: str
    position: str
    from_us: int
    to_us: int


async def leases(
    conn: Connection, lease_id: str | None, from_us: int | None, to_us: int | None, known_us: int | None, *,
    after: str | None = None, limit: int = 1,
) -> list[Row]:  # fmt: skip
    """Leases in order of id: one, or those whose tenure meets [from, to); with asset, terms, term, tenure and latest lessee."""
    binds = {
        "leases": None if lease_id is None else [lease_id], "from": moment(from_us), "to": moment(to_us),
        "known": moment(known_us), "after": after, "limit": limit,
    }  # fmt: skip
    return await (await conn.execute(SQL["leases"], binds)).fetchall()


async def installed(
    conn: Connection, asset_ids: Sequence[str], from_us: int, to_us: int, known_us: int | None
) -> list[Stretch]:  # fmt: skip
    """Stretches of components on these assets, and of these assets on others, cut to [from, to)."""
    binds = {
        "assets": list(asset_ids), "from": moment(from_us), "to": moment(to_us), "known": moment(known_us),
        "limit": INSTALLED_MAX,
    }  # fmt: skip
    rows = await (await conn.execute(SQL["installed"], binds)).fetchall()
    return [
        Stretch(
            asset_id=str(row["asset_id"]), asset_class=row["class"], name=row["name"], parent_id=str(row["parent_asset_id"]),
            position=row["position"], from_us=row["from_time"], to_us=row["to_time"],
        )
        for row in rows
    ]  # fmt: skip


async def classes(conn: Connection, asset_ids: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Class and name of assets by id; those that the scope does not show are absent."""
    rows = await (await conn.execute(SQL["classes"], {"assets": sorted(asset_ids)})).fetchall()
    return {str(row["asset_id"]): (row["class"], row["name"]) for row in rows}


class Observed(msgspec.Struct, frozen=True):
    """Rows of use of several assets, to be summed over any part of the time they were read for."""

    flights: dict[str, list[tuple[int, int, int]]]
    days: dict[str, list[use.UseDay]]
    edges: dict[str, list[use.Activity]]


async def observed(
    conn: Connection, asset_ids: Sequence[str], from_us: int, to_us: int, known_us: int | None, cuts_us: Iterable[int] = ()
) -> Observed:  # fmt: skip
    """Use of assets in [from, to), as known: three set queries. `cuts_us`: instants inside at which it will be cut."""
    edge_days = sorted({at // DAY_US for at in (from_us, to_us, *cuts_us) if at % DAY_US})
    binds = {
        "assets": list(asset_ids), "from": moment(from_us), "to": moment(to_us), "known": moment(known_us),
        "from_day": _day(-(-from_us // DAY_US)), "to_day": _day(to_us // DAY_US), "edge_days": [_day(day) for day in edge_days],
    }  # fmt: skip
    found = Observed({}, {}, {})
    for row in await (await conn.execute(SQL["flights"], binds)).fetchall():
        flown = (row["started_at"], row["ended_at"], int(row["cycles"]))
        found.flights.setdefault(str(row["asset_id"]), []).append(flown)
    for row in await (await conn.execute(SQL["days"], binds)).fetchall():
        found.days.setdefault(str(row["asset_id"]), []).append(uses.day_of(row))
    for row in await (await conn.execute(SQL["edges"], binds)).fetchall():
        found.edges.setdefault(str(row["asset_id"]), []).append(uses.activity_of(row))
    return found


def observation(
    found: Observed, asset_id: str, asset_class: str, from_us: int, to_us: int, rule_at: AttributionAt
) -> Observation:  # fmt: skip
    """What an asset was observed to do in [from, to), flights over an edge by its attribution; without any use row: not observed.

    Time in the air without a single flight leaves hours and cycles out: they are unknown, not zero.
    """
    days, edges = found.days.get(asset_id, []), found.edges.get(asset_id, [])
    if not days and not edges:
        return Observation(figures={}, coverage=None, reason="not_observed")
    total = use.used(days, edges, from_us, to_us)
    figures = {name: _exact(total.figures[name]) for name in FIGURES_OF_USE if name in total.figures}
    if asset_class == "aircraft":
        flights = [each for each in found.flights.get(asset_id, ()) if each[0] < to_us and each[1] >= from_us]
        if flights or not total.states_us.get("airborne"):
            flown = flight.flown(flights, from_us, to_us, rule_at(to_us), rule_at(from_us))
            figures |= {"flight_h": Decimal(flown.flight_us) / HOUR_US, "cycles": Decimal(flown.cycles)}
    if asset_class == "vessel":
        figures["distance_nm"] = _exact(total.distance_m / NM_M)
    return Observation(figures=figures, coverage=total.coverage, methods=total.methods, sources=total.source_shares())


def component_observation(
    found: Observed, stretches: Sequence[Stretch], classes: Mapping[str, str], from_us: int, to_us: int, rule_at: AttributionAt
) -> Observation:  # fmt: skip
    """What a component did in [from, to): what its parents did while it sat on them.

    Time off a parent counts as not observed: nobody knows whether it ran elsewhere, and coverage falls by it. An APU's hours
    are nobody's to observe. `classes` are of the parents, by asset id.
    """
    parts = [
        (stretch, observation(found, stretch.parent_id, classes[stretch.parent_id], stretch.from_us, stretch.to_us, rule_at))
        for stretch in stretches
        if stretch.parent_id in classes
    ]
    seen = [(stretch.to_us - stretch.from_us, part) for stretch, part in parts if part.coverage is not None]
    if not seen:
        return Observation(figures={}, coverage=None, reason="not_observed" if parts else "not_installed")
    return _together(seen, to_us - from_us)


def _together(parts: Sequence[tuple[int, Observation]], over_us: int) -> Observation:
    """Parts of a time, each (its length, what was observed in it), as one; coverage is of `over_us`."""
    figures: dict[str, Decimal] = {}
    for _, part in parts:
        for name, value in part.figures.items():
            figures[name] = figures.get(name, Decimal(0)) + value
    return Observation(
        figures=figures, coverage=sum((part.coverage or 0.0) * length_us for length_us, part in parts) / over_us,
        methods=tuple(sorted({each for _, part in parts for each in part.methods})),
    )  # fmt: skip


def _exact(value: float) -> Decimal:
    return Decimal(str(round(value, 6)))


def _day(number: int) -> date:
    return date(1970, 1, 1) + timedelta(days=number)


def month_in_zone(
    first: date, zone: str, held: Sequence[tuple[int | None, int | None]] = ((None, None),)
) -> Month | None:  # fmt: skip
    """A month that begins at midnight of an IANA zone, cut to tenures; None where none meets it."""
    return month_of(first, ZoneInfo(zone), held)


async def months(
    conn: Connection, of: Sequence[Row], firsts: Sequence[date], known_us: int | None, practice: Practice, *, priced: bool = True
) -> list[LeaseMonth]:  # fmt: skip
    """Months of leases, by lease and then month; those in which a lease did not hold its asset are left out. A few set queries.

    Of a lease whose terms cannot be read the month is one of UTC, and says so: it can be listed, neither judged nor billed.

    Args:
        conn: inside a scope, or the worker's.
        of: rows of `leases`.
        firsts: the months' first days; when one begins is each lease's own matter (its billing zone).
        known_us: what was known then.
        practice: the tenant's figures, as known then.
        priced: with the reserve accounts; without them the months can be judged but not billed.
    """
    held = [
        (row, terms, month)
        for row in of
        for terms in (stored_terms(row["terms"]),)
        for first in firsts
        if (month := month_in_zone(first, _readable(terms).billing_time_zone, tenures_of(row))) is not None
    ]
    if not held:
        return []
    lease_ids = tuple({str(row["lease_id"]): None for row, _, _ in held})
    from_us, to_us = min(month.from_us for *_, month in held), max(month.to_us for *_, month in held)
    accounts: dict[tuple[str, date], list[Row]] = {}
    for first in sorted({month.first for *_, month in held}) if priced else ():
        which = reserves.AccountFilter(lease_ids=lease_ids, known_us=known_us, priced_on=first)
        for row in await reserves.accounts(conn, which, None, ACCOUNTS_MAX):
            accounts.setdefault((str(row["lease_id"]), first), []).append(row)
    wanted = {str(row["asset_id"]) for row, *_ in held}
    wanted |= {str(row["asset_id"]) for rows in accounts.values() for row in rows}
    stretches = await installed(conn, sorted(wanted), from_us, to_us, known_us)
    wanted_reports = utilization_reports.ReportFilter(lease_ids=lease_ids, from_us=from_us, to_us=to_us, known_us=known_us)
    reports: dict[str, list[Row]] = {}
    for row in await utilization_reports.reports(conn, wanted_reports, None, REPORTS_MAX):
        reports.setdefault(str(row["lease_id"]), []).append(row)
    told = [
        _reported([each for each in reports.get(str(row["lease_id"]), ()) if _meets(each, month)], str(row["asset_id"]), month)
        for row, _, month in held
    ]
    cuts = [at for *_, month in held for at in (month.from_us, month.to_us)]
    cuts += [at for each in told for part in each.spoken or () for at in part]
    cuts += [at for each in stretches for at in (each.from_us, each.to_us)]
    parents = sorted(wanted | {each.parent_id for each in stretches})
    seen = await observed(conn, parents, from_us, to_us, known_us, cuts)
    gathered = _Gathered(accounts, stretches, seen)
    return [
        _lease_month(row, month, terms, gathered, said, practice) for (row, terms, month), said in zip(held, told, strict=True)
    ]


def _readable(terms: Terms | UnreadableTerms) -> Terms:
    """Terms, or those of a silent paper in place of what cannot be read."""
    return terms if isinstance(terms, Terms) else Terms()


def tenures_of(row: Row) -> list[tuple[int | None, int | None]]:
    """When a row of `leases` held its asset: one stretch, or none before delivery."""
    return [(row["held_from"], row["held_to"])] if row["delivered"] else []


async def mismatches(
    conn: Connection, lease_ids: Sequence[str], on: date, known_us: int | None, practice: Practice
) -> dict[str, dict[str, dict[str, Any]]]:  # fmt: skip
    """What `utilization_mismatch` says, by lease and month (`2026-05`): reports out of tolerance in the months before a day.

    Looks back `utilization.mismatch_months`; what is corrected, was judged on too little, or is of a lease whose terms cannot be
    read, is not among them.
    """
    if not lease_ids:
        return {}
    back = int(practice.number("utilization.mismatch_months", on))
    firsts = [add_months(on.replace(day=1), -n) for n in range(back, 0, -1)]
    binds = {
        "leases": list(lease_ids),
        "from": None,
        "to": None,
        "known": moment(known_us),
        "after": None,
        "limit": len(lease_ids),
    }
    of = await (await conn.execute(SQL["leases"], binds)).fetchall()
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for month in await months(conn, of, firsts, known_us, practice, priced=False):
        if month.unreadable is not None:
            continue
        evidence = mismatch_evidence(month.judged(practice), month.month.name)
        if evidence is not None:
            own = month.observed[month.asset_id]
            told = {"reports": sorted({each.row_id for each in month.reported.values()}), "methods": list(own.methods)}
            found.setdefault(month.lease_id, {})[month.month.name] = evidence | told
    return found


class _Gathered(NamedTuple):
    """Rows of many leases, out of which each takes its own: accounts by lease and month."""

    accounts: dict[tuple[str, date], list[Row]]
    stretches: list[Stretch]
    seen: Observed


def _lease_month(
    row: Row, month: Month, kept: Terms | UnreadableTerms, rows: _Gathered, told: _Told, practice: Practice
) -> LeaseMonth:  # fmt: skip
    terms = _readable(kept)
    lease_id, asset_id = str(row["lease_id"]), str(row["asset_id"])
    zone = ZoneInfo(terms.billing_time_zone)

    def rule_at(edge_us: int) -> flight.Attribution:
        return attribution_at(terms, edge_us, zone, practice)

    mine = rows.accounts.get((lease_id, month.first), [])
    names = {asset_id: (row["class"], row["asset_name"])}
    names |= {str(each["asset_id"]): (each["class"], each["asset_name"]) for each in mine}
    cut = [
        clipped(each, month.from_us, month.to_us)
        for each in rows.stretches
        if each.from_us < month.to_us and each.to_us > month.from_us
    ]
    reported = dict(told.reported)
    observed_by_asset = {}
    for each in names:
        if each == asset_id:
            observed_by_asset[each] = observation(rows.seen, each, row["class"], month.from_us, month.to_us, rule_at)
            continue
        own = [stretch for stretch in cut if stretch.asset_id == each]
        classes = {asset_id: row["class"]}  # what sat on another lease's asset is not this lease's to bill
        observed_by_asset[each] = component_observation(rows.seen, own, classes, month.from_us, month.to_us, rule_at)
        whole = any(
            stretch.parent_id == asset_id and (stretch.from_us, stretch.to_us) == (month.from_us, month.to_us) for stretch in own
        )
        if each not in reported and whole and asset_id in reported:
            reported[each] = msgspec.structs.replace(reported[asset_id], taken_from=asset_id)
    spoken = [
        (to_us - from_us, observation(rows.seen, asset_id, row["class"], from_us, to_us, rule_at))
        for from_us, to_us in told.spoken or ()
    ]
    spoken = [part for part in spoken if part[1].coverage is not None]
    return LeaseMonth(
        lease_id=lease_id, reference=row["reference"], lessee=row["lessee_name"], asset_id=asset_id, month=month, terms=terms,
        accounts=tuple(_account(each) for each in mine), reported=reported, observed=observed_by_asset, names=names,
        report_coverage=told.coverage, fuel_gaps=told.fuel_gaps,
        unreadable=kept if isinstance(kept, UnreadableTerms) else None,
        observed_when_reported=_together(spoken, sum(length_us for length_us, _ in spoken)) if spoken else None,
    )  # fmt: skip


def clipped(stretch: Stretch, from_us: int, to_us: int) -> Stretch:
    """The part of a stretch in [from, to), which it meets."""
    return msgspec.structs.replace(
        stretch, from_us=max(stretch.from_us, from_us), to_us=min(stretch.to_us, to_us)
    )  # fmt: skip


def _meets(row: Row, month: Month) -> bool:
    return bool(row["from_time"] < month.to_us and row["to_time"] > month.from_us)


def _account(row: Row) -> AccountOfMonth:
    terms = None if row["terms"] is None else msgspec.convert(row["terms"], RateTerms, strict=False)
    return AccountOfMonth(
        account_id=str(row["reserve_account_id"]), asset_id=str(row["asset_id"]), bucket=row["bucket"],
        currency=row["currency"], terms=terms,
    )  # fmt: skip


class _Told(NamedTuple):
    """What reports say of a month: by asset, the share that a master's cover (None: one report), tanks that do not add up.

    `spoken` is the time that a master's reports speak of, [from, to) in microseconds UTC; None: all of the month.
    """

    reported: dict[str, Reported]
    coverage: float | None = None
    fuel_gaps: tuple[noon_report.BalanceFinding, ...] = ()
    spoken: tuple[tuple[int, int], ...] | None = None


def _reported(told: Sequence[Row], asset_id: str, month: Month) -> _Told:
    """Monthly reports by asset; for a ship without one, the sum of its master's reports."""
    found = {
        str(row["asset_id"]): Reported(
            figures=figures_of(row["figures"]), row_id=f"{row['utilization_report_id']}/{row['revision']}"
        )
        for row in told
        if row["kind"] == "monthly"
    }  # fmt: skip
    noons = [row for row in told if row["kind"] != "monthly" and str(row["asset_id"]) == asset_id]
    if not noons:
        return _Told(found)
    read = [noon_report.read(row["figures"]) for row in noons]
    kept = [each for each in read if isinstance(each, noon_report.NoonReport)]
    gaps = tuple(noon_report.balance_findings(kept))
    if asset_id in found:
        return _Told(found, None, gaps)
    period = to_datetime(month.from_us), to_datetime(month.to_us)
    sums, silent = noon_report.summed(kept, *period), noon_report.gaps(kept, *period)
    figures = {} if sums.distance_og_nm is None else {"distance_nm": _exact(sums.distance_og_nm)}
    last = noons[-1]
    found[asset_id] = Reported(figures=figures, row_id=f"{last['utilization_report_id']}/{last['revision']}")
    edges_us = [month.from_us, *(from_datetime(at) for silence in silent for at in silence), month.to_us]
    spoken = tuple(part for part in zip(edges_us[::2], edges_us[1::2], strict=True) if part[0] < part[1])
    return _Told(found, sums.coverage, gaps, spoken if silent else None)
