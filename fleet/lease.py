"""A lease as the paper has it: its form, its parties' roles, and every term that something is computed or watched from.

Names are those of the domain (domain.md 5.1). What comes from outside (a request, a file, a sheet's row) is turned into these
structs by `parse_terms`, `parse_lease` and `parse_covenant`, which return every fault with its JSON pointer and raise nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from fleet.flight import ATTRIBUTIONS, Attribution
from fleet.instants import from_datetime, to_datetime
from fleet.maintenance_reserve import RateTerms, terms_faults
from fleet.practice import Figure, Practice
from fleet.return_condition import ReturnTerms
from fleet.utilization import MinimumUse

InsuranceKind = Literal["hull", "war", "p_and_i", "liability", "spares"]
Severity = Literal["info", "warning", "critical"]
UseUnit = Literal["fh", "fc", "apuh", "car_km", "nm", "at_sea_h", "door_cycle"]
Currency = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$", description="ISO 4217")]
Amount = Annotated[Decimal, msgspec.Meta(description="money as text")]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Period = Annotated[
    str, msgspec.Meta(pattern="^P([0-9]{1,3}Y)?([0-9]{1,3}M)?([0-9]{1,4}D)?$", min_length=3, description="ISO 8601")
]
Days = Annotated[int, msgspec.Meta(ge=0, le=3650)]
LIST_MAX = 200
AMOUNT_MAX = Decimal(10) ** 16  # what numeric(18, 2) holds
FIRST_US = -62_135_500_000_000_000  # a day into year 1: every time zone has a date there
UNREADABLE = "terms_not_readable"
"""What the API's reasons and the agenda call terms that cannot be read."""

FIGURES = (
    Figure(
        name="lease.period_attribution", value="landing",
        source="domain.md 1.1 [D]: a flight over a month's end counts where it lands, unless the lease says otherwise",
    ),
    Figure(
        name="lease.insurances_required", value=["hull"],
        source="domain.md 5.2: insurance in force at delivery; hull cover is the least that every form asks for (chosen)",
    ),
)  # fmt: skip


class Form(msgspec.Struct, frozen=True):
    """What a form of lease means: who crews and pays, and whether time lost is the lessee's to deduct."""

    says: str
    lessor_crews: bool
    off_hire: bool


FORMS: dict[str, Form] = {
    "operating": Form("the lessee operates and maintains; the asset comes back (aircraft: dry lease)", False, False),
    "finance": Form("the lessee carries the risk and usually buys at the end", False, False),
    "bareboat": Form("the charterer has full control and pays crew, fuel, maintenance and cover", False, False),
    "time_charter": Form("the owner crews; the charterer directs and pays fuel", True, True),
    "voyage": Form("the owner performs one voyage", True, True),
    "sale_leaseback": Form("bought from the one who leases it back", False, False),
    "sublease": Form("out of a lease by its lessee", False, False),
    "wet_lease": Form("with crew, maintenance and insurance of the lessor (ACMI)", True, True),
    "dry_lease": Form("rolling stock: the lessee maintains", False, False),
    "soggy_lease": Form("rolling stock: the lessor does the heavy overhaul", False, False),
}
"""Forms of lease (domain.md 2.1, 4 and 5.1). Off-hire is contractual; by default it exists where the lessor crews (2.6 [K])."""

ROLES = ("lessor", "lessee", "operator", "sub_lessee", "manager", "insurer", "mortgagee", "guarantor")
"""Roles of parties in a lease (domain.md 5.1)."""


class Term(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the structs of this module: immutable, by name, nothing unknown."""


class Money(Term, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An amount of a currency."""

    amount: Amount
    currency: Currency


class Rent(Money, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rent or hire: so much every `frequency`, paid `in_advance` or in `arrears`; `index` names what it follows."""

    frequency: Literal["daily", "monthly", "quarterly", "semi_annual", "annual"] = "monthly"
    payable: Literal["in_advance", "arrears"] = "in_advance"
    index: Name | None = None


class Deposit(Money, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Security held against the lessee's duties; a letter of credit ends on `expires_on`."""

    held_as: Literal["cash", "letter_of_credit", "guarantee"] = "cash"
    expires_on: date | None = None


class Delivery(Term, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where and when the lease begins: as planned; the actual day is an event. `condition_report` names the document."""

    planned: date | None = None
    actual: date | None = None
    place: Name | None = None
    condition_report: Name | None = None


class ExtensionOption(Term, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The lessee may add `period` (`P1Y`, `P6M`) to the term if it says so by `notice_by`."""

    period: Period
    notice_by: date
    exercised: bool = False


class PurchaseOption(Term, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The lessee may buy (`obligation`: must) on `on` for `price` if it says so by `notice_by`."""

    price: Money | None = None
    on: date | None = None
    notice_by: date | None = None
    obligation: bool = False
    exercised: bool = False


class Window(Term, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """Days from `from` to `to`, both included, as charters write them."""

    from_: date
    to: date


class PlaceRange(Term, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where an asset may be handed back: areas of a set or by id, or places by their code (UN/LOCODE, ICAO)."""

    name: Name
    area_set: Name | None = None
    areas: Annotated[tuple[Name, ...], msgspec.Meta(max_length=LIST_MAX)] = ()
    places: Annotated[tuple[Name, ...], msgspec.Meta(max_length=LIST_MAX)] = ()


class NoticeDays(Term, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many days before redelivery notices are due, approximate ones and definite ones (BARECON 2017)."""

    approximate: Annotated[tuple[Days, ...], msgspec.Meta(max_length=20)] = ()
    definite: Annotated[tuple[Days, ...], msgspec.Meta(max_length=20)] = ()


class Redelivery(Term, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When, where and how an asset is handed back; `condition_ref` names the clause or schedule of its condition."""

    window: Window | None = None
    place_range: PlaceRange | None = None
    notice_days: NoticeDays = NoticeDays()
    condition_ref: Name | None = None


class OffHireRule(Term, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Time lost counts by `net` loss or by `period`, all of it once `deminimis_h` is passed (domain.md 2.6)."""

    basis: Literal["net", "period"]
    deminimis_h: Annotated[float, msgspec.Meta(ge=0, le=8784)] = 0.0


class ReserveTerm(Term, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One bucket of maintenance reserves: for which part, in which currency, and how its rate comes about.

    `component` is the position or serial number it saves for, None for the airframe or hull itself.
    """

    bucket: Annotated[str, msgspec.Meta(pattern="^[a-z0-9][a-z0-9_]{0,39}$")]
    component: Name | None = None
    currency: Currency
    rate: RateTerms


class AgreedCii(Term, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the charter agrees on (BIMCO CII clause 2022): an attained CII not to be passed or a rating, of a year or of all."""

    year: Annotated[int, msgspec.Meta(ge=2023, le=2100)] | None = None
    attained_max: Annotated[float, msgspec.Meta(gt=0)] | None = None
    rating_worst: Literal["A", "B", "C", "D", "E"] | None = None


class SpeedConsumption(Term, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Warranted: at `speed_kn` no more than `fuel_t_d`, laden or in ballast, up to a wind; `about_pct` is the tolerance."""

    speed_kn: Annotated[float, msgspec.Meta(gt=0, le=60)]
    fuel_t_d: Annotated[float, msgspec.Meta(gt=0, le=1000)]
    loading: Literal["laden", "ballast"] | None = None
    wind_bft_max: Annotated[int, msgspec.Meta(ge=0, le=12)] = 4
    about_pct: Annotated[float, msgspec.Meta(ge=0, le=20)] = 0.0


class Terms(Term, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a lease agrees (domain.md 5.1). None: the paper is silent; an empty list: it was asked for and there is none.

    Money is Decimal and text in JSON; days are dates. `assumed_ratio` is FH per FC, `excess_cycle_rate` the price of a cycle
    beyond it. `billing_time_zone` is the IANA zone in which months begin. `storage_preset` says after how long without use an
    asset counts as parked and stored (design 4.6). `return_terms` says how condition is compensated at the end (1.5).
    """

    rent: Rent | None = None
    security_deposit: Deposit | None = None
    delivery: Delivery | None = None
    extension_options: Annotated[tuple[ExtensionOption, ...], msgspec.Meta(max_length=20)] = ()
    purchase_option: PurchaseOption | None = None
    redelivery: Redelivery | None = None
    off_hire_rule: OffHireRule | None = None
    min_utilization: MinimumUse | None = None
    assumed_ratio: Decimal | None = None
    excess_cycle_rate: Money | None = None
    reserve_terms: Annotated[tuple[ReserveTerm, ...], msgspec.Meta(max_length=LIST_MAX)] = ()
    period_attribution: Attribution | None = None
    billing_time_zone: Name = "UTC"
    agreed_cii: Annotated[tuple[AgreedCii, ...], msgspec.Meta(max_length=50)] = ()
    speed_consumption_warranty: Annotated[tuple[SpeedConsumption, ...], msgspec.Meta(max_length=50)] = ()
    insurances_required: Annotated[tuple[InsuranceKind, ...], msgspec.Meta(max_length=5)] | None = None
    return_terms: ReturnTerms | None = None
    storage_preset: Literal["cirium", "lessor"] | None = None
    governing_law: Name | None = None
    clause_refs: Annotated[tuple[Name, ...], msgspec.Meta(max_length=LIST_MAX)] = ()


class Predicate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """Base of what a covenant may demand: a closed set, no language of its own."""


class TradingLimits(Predicate, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="trading_limits"):
    """Stays inside a set of areas (`inside` false: outside it); a version, or whatever holds at the time."""

    area_set: Name
    version: Name | None = None
    inside: bool = True


class ProhibitedCountries(Predicate, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="prohibited_countries"):
    """Calls at, lands in and flies the flag of none of these (ISO 3166-1 alpha-2)."""

    countries: Annotated[
        tuple[Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")], ...], msgspec.Meta(min_length=1, max_length=250)
    ]


class AisOn(Predicate, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="ais_on"):
    """Is never silent for longer than this without a reason it may have (SOLAS)."""

    silence_h_max: Annotated[float, msgspec.Meta(gt=0, le=8784)]


class NoSts(Predicate, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="no_sts"):
    """No transfer from ship to ship without consent; `area_set` where it may."""

    area_set: Name | None = None


class MinUse(Predicate, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="min_use"):
    """Is used at least so much in every calendar month or year."""

    unit: UseUnit
    per: Literal["month", "year"] = "month"
    amount: Decimal


class MaxUse(Predicate, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="max_use"):
    """Is used at most so much in any calendar month or year."""

    unit: UseUnit
    per: Literal["month", "year"] = "month"
    amount: Decimal


class RedeliveryRange(Predicate, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="redelivery_range"):
    """Is within reach of its redelivery range when the time comes."""

    place_range: PlaceRange


AnyPredicate = TradingLimits | ProhibitedCountries | AisOn | NoSts | MinUse | MaxUse | RedeliveryRange


class Covenant(Term, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A clause that can be judged by what is heard. `clause` is the paper's own reference.

    One that is not `is_active` is on record and judged by nobody until it is switched on; it can be tried.
    """

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    clause: Name
    predicate: AnyPredicate
    severity: Severity = "warning"
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    is_active: bool = True


class TerritoryRule(Term, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a lease lets its asset go, over a versioned set of areas (`area_set_version` None: whatever holds at the time)."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    kind: Literal["permitted", "prohibited", "notify", "insured_excluded"]
    event_scope: Literal["any_presence", "port_call", "landing", "overflight", "flag", "ownership"] = "any_presence"
    area_set: Name
    area_set_version: Name | None = None
    prior_notice_h: Annotated[float, msgspec.Meta(ge=0, le=8784)] | None = None
    carve_outs: tuple[Literal["force_majeure", "overflight"], ...] = ()
    severity: Severity | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    is_active: bool = True


class Lease(Term, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole lease out of a file: who, what, when, and its terms, rules and covenants.

    `asset` is `scheme:value` or an asset's own key; parties are names or keys; the term is in microseconds, `to_us` None for
    one without an end.
    """

    id: str
    asset: str
    form: str
    lessee: str
    lessor: str | None
    operator: str | None
    parent_lease_id: str | None
    signed_on: date | None
    from_us: int
    to_us: int | None
    terms: Terms
    territory_rules: tuple[TerritoryRule, ...]
    covenants: tuple[Covenant, ...]


class TermFault(msgspec.Struct, frozen=True):
    """One thing wrong with what was given: where (JSON pointer, RFC 6901), and what."""

    pointer: str
    detail: str


StructT = TypeVar("StructT", bound=msgspec.Struct)
_AT = re.compile(r" - at `(?:key in )?(\$[^`]*)`$")
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")
_TERMS = frozenset(Terms.__struct_fields__)
_PAPER = ("id", "asset", "form", "lessee", "lessor", "operator", "parent_lease_id", "signed_on", "term")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d))?")


def period_attribution(terms: Terms, on: date, practice: Practice) -> Attribution:
    """Where a flight over the end of a day counts: as the lease says, else the figure of that day (domain.md 1.1, golden AC2).

    Raises TypeError (a programmer's error: the database refuses such a setting) where the figure is no attribution.
    """
    found: Attribution = terms.period_attribution or practice.figure("lease.period_attribution", on).value
    if found not in ATTRIBUTIONS:
        raise TypeError(f"lease.period_attribution is not one of {', '.join(ATTRIBUTIONS)}")
    return found


def attribution_at(terms: Terms, edge_us: int, zone: tzinfo, practice: Practice) -> Attribution:
    """Where a flight over the edge of a period counts, by what holds on the day of a time zone that ends with the edge.

    Asked of the edge and not of the period, so that two periods that share it agree, and a flight over the midnight on which a
    setting changes counts once (DECISIONS 198).
    """
    ended_us = max(edge_us - 1, FIRST_US)
    return period_attribution(terms, to_datetime(ended_us).astimezone(zone).date(), practice)


class UnreadableTerms(msgspec.Struct, frozen=True):
    """What is kept of a lease as its terms and cannot be read as such by this version: every fault, at least one."""

    faults: tuple[TermFault, ...]

    @property
    def words(self) -> str:
        """The faults in a sentence: `rent/amount must be a number that is not negative; colour is no term of a lease`."""
        return "; ".join(f"{fault.pointer.removeprefix('/')} {fault.detail}".lstrip() for fault in self.faults)


def stored_terms(kept: Any) -> Terms | UnreadableTerms:
    """What a lease's row holds as its terms, whoever asks; None, where there is no paper, agrees nothing.

    What cannot be read (an older version wrote it, or a hand) is a value: the asker decides whether to go without, and says so as
    `UNREADABLE`.
    """
    if kept is None or isinstance(kept, Terms):
        return kept or Terms()
    found = parse_terms(kept)
    return found if isinstance(found, Terms) else UnreadableTerms(tuple(found))


def insurances_required(terms: Terms, on: date, practice: Practice) -> tuple[str, ...]:
    """Kinds of cover that must be in force at delivery: as the lease says, else the house's figure."""
    if terms.insurances_required is not None:
        return terms.insurances_required
    return tuple(practice.figure("lease.insurances_required", on).value)


def parse_terms(given: Any, at: str = "") -> Terms | list[TermFault]:
    """Terms out of plain objects (JSON), or every fault: at least one a member, pointers beginning with `at`."""
    if not isinstance(given, Mapping):
        return [TermFault(at, "must be an object")]
    faults = [TermFault(f"{at}/{_escaped(str(name))}", "is no term of a lease") for name in given if name not in _TERMS]
    parts: dict[str, Any] = {}
    for field in msgspec.structs.fields(Terms):
        if field.name in given:
            found = _converted(given[field.name], field.type, f"{at}/{field.name}")
            if isinstance(found, TermFault):
                faults.append(found)
            else:
                parts[field.name] = found
    if faults:
        return faults
    terms = Terms(**parts)
    return _cross_faults(terms, at) or terms


def parse_covenant(given: Any, at: str = "") -> Covenant | TermFault:
    """A covenant out of plain objects, its predicate of the closed set; or the first fault."""
    found = _converted(given, Covenant, at)
    if isinstance(found, Covenant) and isinstance(found.predicate, MinUse | MaxUse) and not _countable(found.predicate.amount):
        return TermFault(f"{at}/predicate/amount", "must be a number that is not negative")
    return found if isinstance(found, TermFault) else _zoned(found, at)


def parse_territory_rule(given: Any, at: str = "") -> TerritoryRule | TermFault:
    """A territory rule out of plain objects, or the first fault."""
    if isinstance(given, Mapping) and "area_set_id" in given and "area_set" not in given:  # domain.md 5.1's name for it
        given = {("area_set" if name == "area_set_id" else name): value for name, value in given.items()}
    found = _converted(given, TerritoryRule, at)
    return found if isinstance(found, TermFault) else _zoned(found, at)


def parse_predicate(given: Any, at: str = "") -> Any:
    """What a covenant demands, out of plain objects: one struct of `AnyPredicate`, or a `TermFault`."""
    found = _converted(given, AnyPredicate, at)
    if isinstance(found, MinUse | MaxUse) and not _countable(found.amount):
        return TermFault(f"{at}/amount", "must be a number that is not negative")
    return found


def parse_lease(given: Any, at: str = "") -> Lease | list[TermFault]:
    """A lease with its terms, territory rules and covenants out of plain objects, or every fault with its pointer.

    Members are those of `Lease` with `term` (`{"from": …, "to": …}` of RFC 3339 instants, or days, which begin at 00:00 UTC) and
    those of `Terms` beside them, `territory_rules` and `covenants` inside, as the contract for leases in files has it.
    """
    if not isinstance(given, Mapping):
        return [TermFault(at, "must be an object")]
    if "asset_id" in given and "asset" not in given:  # domain.md 5.1's name for it
        given = {("asset" if name == "asset_id" else name): value for name, value in given.items()}
    faults: list[TermFault] = []
    terms = parse_terms({name: value for name, value in given.items() if name in _TERMS}, at)
    faults += terms if isinstance(terms, list) else []
    known = {*_PAPER, *_TERMS, "territory_rules", "covenants"}
    faults += [TermFault(f"{at}/{_escaped(str(name))}", "is no member of a lease") for name in given if name not in known]
    texts = {name: _text(given, name, at, faults, needed=name in _PAPER[:4]) for name in (*_PAPER[:7],)}
    if texts["form"] is not None and texts["form"] not in FORMS:
        faults.append(TermFault(f"{at}/form", f"must be one of {', '.join(FORMS)}"))
    if (texts["form"] == "sublease") != (texts["parent_lease_id"] is not None):
        faults.append(TermFault(f"{at}/parent_lease_id", "goes with form sublease, and only with it"))
    signed = _converted(given.get("signed_on"), date | None, f"{at}/signed_on")
    span = _parse_term(given.get("term"), f"{at}/term")
    rules = _each(given.get("territory_rules"), parse_territory_rule, f"{at}/territory_rules", faults)
    covenants = _each(given.get("covenants"), parse_covenant, f"{at}/covenants", faults)
    faults += [found for found in (signed, span) if isinstance(found, TermFault)]
    if faults or isinstance(terms, list) or isinstance(span, TermFault):
        return faults
    parts: dict[str, Any] = {**texts, "signed_on": signed}
    return Lease(**parts, from_us=span[0], to_us=span[1], terms=terms, territory_rules=tuple(rules), covenants=tuple(covenants))


def parse_instant(given: Any) -> int | None:
    """Microseconds UTC of an RFC 3339 text with an offset, or of a day (00:00 UTC); None for anything else."""
    if not isinstance(given, str) or _INSTANT.fullmatch(given) is None:
        return None
    try:
        moment = datetime.fromisoformat(given)
        return from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None


def _parse_term(given: Any, at: str) -> tuple[int, int | None] | TermFault:
    if not isinstance(given, Mapping) or not set(given) <= {"from", "to"}:
        return TermFault(at, "must be an object with from and to")
    begin, end = parse_instant(given.get("from")), parse_instant(given.get("to"))
    if begin is None:
        return TermFault(f"{at}/from", "must be an RFC 3339 date-time with an offset, or a day")
    if given.get("to") is not None and (end is None or end <= begin):
        return TermFault(f"{at}/to", "must be a date-time or a day after from, or null")
    return begin, end


def _text(given: Mapping[str, Any], name: str, at: str, faults: list[TermFault], *, needed: bool) -> str | None:
    value = given.get(name)
    if value is None and not needed:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= 200:
        faults.append(TermFault(f"{at}/{name}", "must be text of 1 to 200 characters"))
        return None
    return value


def _each(given: Any, parse: Any, at: str, faults: list[TermFault]) -> list[Any]:
    if given is None:
        return []
    if not isinstance(given, list | tuple) or len(given) > LIST_MAX:
        faults.append(TermFault(at, f"must be a list of at most {LIST_MAX}"))
        return []
    found = [parse(each, f"{at}/{n}") for n, each in enumerate(given)]
    faults += [one for one in found if isinstance(one, TermFault)]
    return [one for one in found if not isinstance(one, TermFault)]


def _converted(value: Any, wanted: Any, at: str) -> Any:
    """The value as the type wanted (text may stand for numbers of money and days), or a fault."""
    try:
        return msgspec.convert(value, wanted)
    except msgspec.ValidationError as error:
        text = str(error)
        found = _AT.search(text)
        steps = "" if found is None else "".join(f"/{_escaped(one or two)}" for one, two in _STEP.findall(found[1]))
        return TermFault(at + steps, _AT.sub("", text))


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")


def _countable(amount: Decimal) -> bool:
    return amount.is_finite() and 0 <= amount < AMOUNT_MAX


def _zoned(found: Any, at: str) -> Any:
    for name in ("valid_from", "valid_to"):
        moment = getattr(found, name)
        if moment is not None and moment.tzinfo is None:
            return TermFault(f"{at}/{name}", "must have an offset")
    if found.valid_from is not None and found.valid_to is not None and found.valid_from >= found.valid_to:
        return TermFault(f"{at}/valid_to", "must be after valid_from")
    return found


def _cross_faults(terms: Terms, at: str) -> list[TermFault]:
    """What no type can say: zones that exist, windows the right way round, amounts that are not negative."""
    faults: list[TermFault] = []
    try:
        ZoneInfo(terms.billing_time_zone)
    except (LookupError, ValueError, OSError):
        faults.append(TermFault(f"{at}/billing_time_zone", "is no IANA time zone"))
    window = terms.redelivery.window if terms.redelivery else None
    if window is not None and window.to < window.from_:
        faults.append(TermFault(f"{at}/redelivery/window/to", "is before from"))
    money = {
        "rent": terms.rent, "security_deposit": terms.security_deposit, "excess_cycle_rate": terms.excess_cycle_rate,
    }  # fmt: skip
    faults += [
        TermFault(f"{at}/{name}/amount", "must be a number that is not negative")
        for name, held in money.items()
        if held is not None and not _countable(held.amount)
    ]
    if terms.min_utilization is not None and not _countable(terms.min_utilization.amount):
        faults.append(TermFault(f"{at}/min_utilization/amount", "must be a number that is not negative"))
    if terms.assumed_ratio is not None and not (_countable(terms.assumed_ratio) and terms.assumed_ratio > 0):
        faults.append(TermFault(f"{at}/assumed_ratio", "must be a positive number"))
    faults += [
        TermFault(f"{at}/reserve_terms/{n}/rate/{fault.member}", fault.detail)
        for n, reserve in enumerate(terms.reserve_terms)
        for fault in terms_faults(reserve.rate)
    ]
    faults += [
        TermFault(f"{at}/agreed_cii/{n}", "give attained_max or rating_worst")
        for n, agreed in enumerate(terms.agreed_cii)
        if (agreed.attained_max is None) == (agreed.rating_worst is None)
    ]
    return faults
