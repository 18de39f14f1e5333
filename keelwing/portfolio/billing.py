"""Engines, life limits, reports and reserves of the demo's aircraft, and the noon reports of its ships, as rows. Pure.

What lessees report is what the laid-out lives say, but for the two stories of May: one month under-reported, one missing.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from fleet import cii
from fleet.maintenance_reserve import MonthUse, RateTerms, accrue
from fleet.shards import shard_of
from keelwing.portfolio import stories
from keelwing.portfolio.heard import day_sums, midnights
from keelwing.portfolio.lives import DAY_S
from keelwing.portfolio.paper import ACTOR, TENANT, Held, Row, Rows, ago, certificate_of, key_of, recorded, span, sublet_at
from keelwing.portfolio.terms import terms_of
from simulators.motion import hash64, uniform

MONTHS_REPORTED = 26
NOON_REPORTS_D, RATED_D = 420, 1150  # a ship's reports of this year and the last; those of the rated ship since three Januaries
DEADWEIGHT_T = {
    "container": 112_000, "bulk_carrier": 81_600, "tanker": 158_000, "product_tanker": 50_000, "lng_carrier": 95_000,
    "general_cargo": 12_500, "ro_ro": 15_000,
}  # fmt: skip
GROSS_T = {"ro_ro": 48_000}
HFO_CF, AUXILIARY_T, LAST_REQUIRED = 3.114, 3.0, 2030
RATED_SHARES = (0.80, 0.90, 0.98)
"""Attained CII of the rated ship (golden SH1's) at sea in the three years of its story, as a share of what each year requires:
A, B and C of a bulk carrier, whose lines lie at 0.86, 0.94 and 1.06 (MEPC.354(78)). Weeks in port raise it by up to 0.05."""


class Component(NamedTuple):
    """An engine or APU: its row's key, class, serial number and where it sat: (parent's plan, position, from, to)."""

    asset_id: str
    asset_class: str
    serial: str
    sat: tuple[tuple[str, str, datetime, datetime | None], ...]


CII_TYPES = {"product_tanker": "tanker", "container": "container_ship", "ro_ro": "roro_cargo"}
"""The ship type that CII goes by, where it has another word for the demo's."""


def particulars_of(held: Held, start: datetime) -> Row:
    """What formulas ask for beside length and beam."""
    asset = held.life.asset
    built = ago(start, held.story.built_d)
    told: Row = {"built_on": built.date().isoformat(), "build_no": str(hash64("yard", held.plan) % 9000 + 1000)}
    if asset.asset_class != "vessel":
        single_aisle = asset.type.startswith(("A32", "A21", "B73", "E19"))
        return {**told, "engine_type": "twin turbofan", "mtow_kg": 78_000 if single_aisle else 240_000}
    summer_m = max(hop.draught_m or 0.0 for hop in held.life.round.hops) * 1.02
    miles_a_day = 24 * 13.5
    return {
        **told, "ship_type": CII_TYPES.get(asset.type, asset.type), "dwt_t": deadweight_t(held),
        "gt": gross_tonnage(held), "summer_draught_m": round(summer_m, 2),
        "block_coefficient": 0.84, "lightship_t": round(deadweight_t(held) * 0.16), "main_fuel": "HFO", "service_speed_kn": 13.5,
        "service_fuel_t_d": round(fuel_t(held, start, miles_a_day, start), 1), "port_fuel_t_d": 3.0,
        "certificate_issued_on": certificate_of(held.story, start).date().isoformat(),
    }  # fmt: skip


def components_of(fleet: list[Held], start: datetime) -> list[Component]:
    """Two engines and an APU of each aircraft; one engine changed wings."""
    found: list[Component] = []
    swapped = ago(start, 400)
    begins = {held.plan: ago(start, held.story.acquired_d) for held in fleet if held.life.asset.asset_class == "aircraft"}
    for plan, begin in begins.items():
        for position in ("1", "2"):
            serial = str(700_000 + hash64("esn", plan, position) % 99_999)
            sat: tuple[tuple[str, str, datetime, datetime | None], ...] = ((plan, position, begin, None),)
            if (plan, position) == (stories.ENGINE_FROM, "1"):
                spare = Component(key_of("engine", "spare"), "engine", "700001", ((plan, position, swapped, None),))
                found.append(spare)
                serial = stories.ENGINE_ESN
                sat = ((plan, position, begin, swapped), (stories.ENGINE_TO, "2", swapped + timedelta(days=3), None))
            if (plan, position) == (stories.ENGINE_TO, "2"):
                sat = ((plan, position, begin, swapped + timedelta(days=2)),)
            found.append(Component(key_of("engine", plan, position), "engine", serial, sat))
        found.append(
            Component(key_of("apu", plan), "apu", f"P{hash64('apu', plan) % 9000 + 1000}", ((plan, "tail", begin, None),))
        )
    return found


def component_rows(rows: Rows, components: list[Component], ids: dict[str, str], start: datetime) -> None:
    """Their rows of `asset`, `identifier` and `installation`."""
    for one in components:
        name = f"{'Engine ESN' if one.asset_class == 'engine' else 'APU'} {one.serial}"
        rows.setdefault("asset", []).append(
            {"asset_id": one.asset_id, "tenant": TENANT, "class": one.asset_class, "name": name, "particulars": "{}",
             "shard": shard_of(one.asset_id)}
        )  # fmt: skip
        rows.setdefault("identifier", []).append(
            {"asset_id": one.asset_id, "tenant": TENANT, "class": one.asset_class, "scheme": "msn", "value": one.serial,
             "source": "demo"}
        )  # fmt: skip
        for plan, position, begin, end in one.sat:
            rows.setdefault("installation", []).append(
                {"tenant": TENANT, "asset_id": one.asset_id, "parent_asset_id": ids[plan], "position": position,
                 "valid": span(begin, end), "recorded": recorded(begin, start), "source": "demo"}
            )  # fmt: skip


class Month(NamedTuple):
    """A month under a lease, or the part of one: begin, end, flight hours and cycles of the flights that landed in it."""

    begin: datetime
    end: datetime
    flight_h: Decimal
    cycles: int

    @property
    def is_whole(self) -> bool:
        """Whether it is a whole month: from midnight to midnight, not from a delivery later on the first day."""
        return all(at == at.replace(day=1, hour=0, minute=0, second=0, microsecond=0) for at in (self.begin, self.end))


def leases_of(held: Held, start: datetime) -> list[tuple[str, datetime, datetime | None]]:
    """Keys of an asset's head leases with delivery and redelivery (None: running)."""
    return [
        (key_of("lease", held.plan, n), ago(start, one.delivered_d), None if one.ended_d is None else ago(start, one.ended_d))
        for n, one in enumerate(held.story.tenancies)
    ]


def months_of(held: Held, start: datetime, since: datetime, until: datetime | None) -> list[Month]:
    """Months of flying within [since, until), the latest first, the one under way left out."""
    journeys = held.life.journeys()
    flown_s = journeys.arrives_s - journeys.leaves_s
    found = []
    end = start.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for _ in range(MONTHS_REPORTED):
        begin = (end - timedelta(days=1)).replace(day=1)
        first, last = max(begin, since), end if until is None else min(end, until)
        if first < last:
            landed = (journeys.arrives_s >= (first - start).total_seconds()) & (
                journeys.arrives_s < (last - start).total_seconds()
            )
            flight_h = (Decimal(float(flown_s[landed].sum())) / 3600).quantize(Decimal("0.01"))
            found.append(Month(first, last, flight_h, int(landed.sum())))
        end = begin
    return found


def aircraft_rows(rows: Rows, held: Held, components: list[Component], start: datetime, seed: int) -> None:
    """Reports, reserve accounts with their ledger, and life limits of one aircraft under its running lease."""
    number = len(held.story.tenancies) - 1
    tenancy, lease_id = held.story.tenancies[-1], key_of("lease", held.plan, number)
    delivered = ago(start, tenancy.delivered_d)
    terms = terms_of(held.life.asset, tenancy, delivered, ago(start, -tenancy.promised_end_d), hash64(seed, held.plan, number))
    seated = {position: one.asset_id for one in components for plan, position, _, end in one.sat
              if plan == held.plan and end is None}  # fmt: skip
    months = months_of(held, start, delivered, None)
    for of_lease, since, until in leases_of(held, start):
        _reports(rows, held, of_lease, months_of(held, start, since, until), start)
    if held.plan == stories.SUBLEASED:
        _reports(rows, held, key_of("lease", held.plan, "sub"), months_of(held, start, sublet_at(held, start), None), start)
    for term in terms["reserve_terms"]:
        about = held.asset_id if "component" not in term else seated[term["component"]]
        _account(rows, lease_id, about, term, months, start)
    _limits(rows, held, components, start)


def _reports(rows: Rows, held: Held, lease_id: str, months: list[Month], start: datetime) -> None:
    may = (start - timedelta(days=stories.days_ago(start, 5, 1))).year
    for begin, end, flight_h, cycles in months:
        is_may = (begin.year, begin.month) == (may, 5)
        due = end + timedelta(days=5 + 4 * uniform(hash64(held.plan, begin.isoformat())))
        if due > start or (is_may and held.plan == stories.REPORT_MISSING):
            continue
        told_h = flight_h
        if is_may and held.plan == stories.UNDER_REPORTED:
            told_h = (flight_h * Decimal("0.896")).quantize(Decimal("0.01"))
        rows.setdefault("utilization_report", []).append(
            {"utilization_report_id": key_of("report", lease_id, begin.date()), "revision": 1, "tenant": TENANT,
             "lease_id": lease_id, "asset_id": held.asset_id, "kind": "monthly", "period": span(begin, end),
             "figures": json.dumps({"flight_h": float(told_h), "cycles": cycles, "days_in_service": (end - begin).days}),
             "signed_by": "technical records", "received_at": due.isoformat(), "actor": ACTOR, "recorded": span(due, None)}
        )  # fmt: skip


def _account(
    rows: Rows, lease_id: str, asset_id: str, term: dict[str, Any], months: list[Month],
    start: datetime,
) -> None:  # fmt: skip
    """One bucket: its price, an accrual for each month and the lessee's payment three weeks later."""
    account = key_of("account", lease_id, asset_id, term["bucket"])
    rate = msgspec.convert(term["rate"], RateTerms, strict=False)
    opened = min([month.begin for month in months], default=start)
    rows.setdefault("reserve_account", []).append(
        {"reserve_account_id": account, "tenant": TENANT, "lease_id": lease_id, "asset_id": asset_id, "bucket": term["bucket"],
         "currency": term["currency"], "opened_at": opened.isoformat()}
    )  # fmt: skip
    rows.setdefault("reserve_rate", []).append(
        {"tenant": TENANT, "reserve_account_id": account, "terms": json.dumps(term["rate"]),
         "valid": f"[{opened.date().replace(day=1)},)", "actor": ACTOR, "recorded": span(opened, None)}
    )  # fmt: skip
    _opening(rows, account, rate, opened)
    for begin, end, flight_h, cycles in (month for month in months if month.is_whole):
        use = MonthUse(
            quantities={"fh": flight_h, "fc": Decimal(cycles), "month": Decimal(1)},
            ratio_h=flight_h,
            ratio_cycles=Decimal(cycles),
        )
        line = accrue(rate, use, begin.date(), term["currency"])
        if line.amount is None:
            continue
        booked = end + timedelta(days=10)
        for kind, at in (("accrual", booked), ("payment", booked + timedelta(days=21))):
            if at < start:
                rows.setdefault("reserve_entry", []).append(
                    {"tenant": TENANT, "reserve_account_id": account, "kind": kind,
                     "month": begin.date().isoformat() if kind == "accrual" else None, "amount": str(line.amount),
                     "workings": json.dumps({**line.workings, "rate": str(line.rate), "quantity": str(line.quantity)})
                     if kind == "accrual" else "{}", "actor": ACTOR, "at": at.isoformat(), "entered_at": at.isoformat()}
                )  # fmt: skip


def _opening(rows: Rows, account: str, rate: RateTerms, opened: datetime) -> None:
    """What the bucket held when its ledger begins here: two fifths of the event it saves for."""
    cost = rate.event_cost or (Decimal(4_250_000) if rate.ratio_table is not None else Decimal(2_100_000))
    amount = str((cost * Decimal("0.4")).quantize(Decimal("0.01")))
    for kind in ("adjustment", "payment"):
        rows.setdefault("reserve_entry", []).append(
            {"tenant": TENANT, "reserve_account_id": account, "kind": kind, "month": None, "amount": amount,
             "workings": json.dumps({"balance_brought_forward": True}), "actor": ACTOR, "at": opened.isoformat(),
             "entered_at": opened.isoformat()}
        )  # fmt: skip


def _limit(rows: Rows, asset_id: str, item: str, driver: str, limit: int, used: float, cost: int, start: datetime,
           serial: str | None = None) -> None:  # fmt: skip
    counted = ago(start, 20)
    rows.setdefault("life_limit", []).append(
        {"tenant": TENANT, "asset_id": asset_id, "item": item, "serial_no": serial, "kind": "life" if serial else "interval",
         "driver": driver, "limit_value": str(limit), "used_value": f"{used:.2f}", "counted_at": counted.isoformat(),
         "cost_amount": f"{cost}.00", "currency": "USD", "recorded": span(counted, None)}
    )  # fmt: skip


def _limits(rows: Rows, held: Held, components: list[Component], start: datetime) -> None:
    """Intervals of airframe and gear, restoration and parts of the engines that sit on it now."""
    age_months = held.story.built_d / 30.4375
    for item, months, cost in (("airframe_6y", 72, 850_000), ("airframe_12y", 144, 1_050_000), ("landing_gear", 120, 480_000)):
        _limit(rows, held.asset_id, item, "month", months, age_months % months, cost, start)
    journeys = held.life.journeys()
    flown_h = float((journeys.arrives_s - journeys.leaves_s).sum()) / 3600.0
    cycles = len(journeys.hop)
    for one in components:
        if one.sat[-1][0] != held.plan or one.sat[-1][3] is not None:
            continue
        if one.asset_class == "apu":
            _limit(rows, one.asset_id, "apu", "apuh", 7_500, flown_h * 0.6 % 7_500, 420_000, start)
            continue
        near = one.serial == stories.ENGINE_ESN
        _limit(
            rows, one.asset_id, "performance_restoration", "fh", 18_000, 16_900 if near else flown_h % 18_000, 4_250_000, start
        )
        for part, limit, cost in (("fan booster", 30_000, 1_200_000), ("core", 20_000, 1_900_000), ("lpt", 25_000, 1_100_000)):
            used = (0.93 if near and part == "core" else 0.2 + 0.5 * uniform(hash64(one.serial, part))) * limit
            _limit(rows, one.asset_id, part, "fc", limit, min(used, limit * 0.99) + cycles % 50, cost, start,
                   f"{one.serial}-{part[:3].upper()}")  # fmt: skip


def ship_rows(rows: Rows, held: Held, start: datetime) -> None:
    """A report a day at 12:00 UTC: distance and fuel; of the rated ship since three Januaries, of the others since last year."""
    leases = leases_of(held, start)
    noons_s = midnights(held, start) + DAY_S / 2
    noons_s = noons_s[noons_s < held.life.until_s]
    if len(noons_s) < 2:
        return
    found = day_sums(held, noons_s)
    since_d = RATED_D if held.plan == stories.RATED else NOON_REPORTS_D
    at_sea = list(held.life.stretches().names).index("at_sea")
    rob_t = 1_800.0
    for n in range(max(0, len(noons_s) - 1 - since_d), len(noons_s) - 1):
        begin = (start + timedelta(seconds=float(noons_s[n]))).replace(microsecond=0)
        lease_id = next((one for one, since, until in leases if since <= begin and (until is None or begin < until)), None)
        if lease_id is not None:
            miles, sea_h = float(found.distance_m[n]) / 1852.0, float(found.state_s[at_sea][n]) / 3_600.0
            rob_t = _noon(rows, held, lease_id, begin, miles, sea_h, rob_t, start)


def _noon(
    rows: Rows, held: Held, lease_id: str, begin: datetime, miles: float, sea_h: float, rob_t: float, start: datetime
) -> float:
    """One day's report; what remained on board after it."""
    burnt_t = round(fuel_t(held, begin, miles, start), 2)
    bunkered_t = 1_500.0 if rob_t - burnt_t < 250 else 0.0
    left_t = round(rob_t - burnt_t - AUXILIARY_T + bunkered_t, 2)
    end = begin + timedelta(days=1)
    figures: dict[str, Any] = {
        "report_type": "noon", "utc_from": _text(begin), "utc_to": _text(end), "distance_og_nm": round(miles, 1),
        "hours_underway": round(sea_h, 2), "wind_bft": 2 + hash64(held.plan, begin.toordinal()) % 4,
        "fuel": [{"type": "HFO", "me_t": burnt_t, "ae_t": AUXILIARY_T, "rob_t": left_t, "bunkered_t": bunkered_t}],
    }  # fmt: skip
    rows.setdefault("utilization_report", []).append(
        {"utilization_report_id": key_of("noon", held.plan, begin.date()), "revision": 1, "tenant": TENANT, "lease_id": lease_id,
         "asset_id": held.asset_id, "kind": "noon", "period": span(begin, end), "figures": json.dumps(figures),
         "signed_by": "master", "received_at": (end + timedelta(hours=1)).isoformat(), "actor": ACTOR,
         "recorded": span(min(end + timedelta(hours=1), start), None)}
    )  # fmt: skip
    return left_t


def fuel_t(held: Held, at: datetime, miles: float, start: datetime) -> float:
    """Main engine's fuel of a day, after what the auxiliaries burn: as much as gives the ship its CII."""
    attained = attained_of(held, at, start)
    return max(0.0, miles * attained * capacity_of(held) / (HFO_CF * 1e6) - AUXILIARY_T)


def attained_of(held: Held, at: datetime, start: datetime) -> float:
    """The CII that a ship's fuel is made from: a share of what the year requires, the rated ship's another by year."""
    kind = held.life.asset.type
    share = 0.78 + 0.42 * uniform(hash64("burn", held.plan))
    if held.plan == stories.RATED:
        share = RATED_SHARES[min(max(at.year - (stories.rated_year(start) - 2), 0), 2)]
    return share * cii.required(CII_TYPES.get(kind, kind), capacity_of(held), min(at.year, LAST_REQUIRED))


def deadweight_t(held: Held) -> int:
    """A ship's deadweight."""
    if held.plan == stories.RATED:
        return 81_600
    return round(DEADWEIGHT_T[held.life.asset.type] * (0.9 + 0.2 * uniform(hash64("dwt", held.plan))))


def gross_tonnage(held: Held) -> int:
    """A ship's gross tonnage."""
    return GROSS_T.get(held.life.asset.type, round(deadweight_t(held) * 0.55))


def capacity_of(held: Held) -> float:
    """What a ship's CII divides by."""
    kind = held.life.asset.type
    measure = cii.measure_of(CII_TYPES.get(kind, kind))
    return float(deadweight_t(held) if measure == "dwt" else gross_tonnage(held))


def _text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
