"""The papers of the demo's past: parties, contracts, tenures, milestones, cover and covenants, as rows of `store`'s tables. Pure.

Every fact was recorded a day after it happened, so that asking what was known on a day of the past gives an answer.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from keelwing.portfolio import stories
from keelwing.portfolio.lives import Life
from keelwing.portfolio.stories import Story, Tenancy
from keelwing.portfolio.terms import insurance_kinds, terms_of
from simulators.motion import hash64, uniform

SPACE = UUID("6f1c2a5e-7a0b-5d0e-9a61-6b65656c7769")  # ours: names of the demo become keys under it
TENANT = "demo"
LESSOR = "Demo Lease Partners"
ACTOR = "demo"
Row = dict[str, Any]
Rows = dict[str, list[Row]]
"""Rows by table; values as the COPY text of their column: ranges as `[from,to)`, JSON as text."""


class Held(NamedTuple):
    """One asset with what is told of it: its row's key, its laid-out life and its story."""

    asset_id: str
    life: Life
    story: Story

    @property
    def plan(self) -> str:
        """Its name in the scenario."""
        return self.life.asset.plan


def key_of(*parts: object) -> str:
    """The key of something of the demo by its name: the same in every demo."""
    return str(uuid5(SPACE, "/".join(str(part) for part in parts)))


def span(begin: datetime | None, end: datetime | None) -> str:
    """A half-open range as PostgreSQL reads it."""
    return f"[{'' if begin is None else begin.isoformat()},{'' if end is None else end.isoformat()})"


def recorded(at: datetime, start: datetime) -> str:
    """Known from a day after it happened, and no later than the demo's start."""
    return span(min(at + timedelta(days=1), start - timedelta(hours=1)), None)


def ago(start: datetime, days: float) -> datetime:
    """An instant so many days before the start; negative days lie ahead. Whole minutes."""
    return (start - timedelta(days=days)).replace(second=0, microsecond=0)


def papers(fleet: list[Held], parties: dict[str, str], start: datetime, seed: int) -> Rows:
    """All rows of the paper side. `parties` maps a party's name to its key."""
    rows: Rows = {name: [] for name in TABLES}
    _groups(rows, parties, start)
    for held in fleet:
        _milestones(rows, held, start)
        _surveys(rows, held, start)
        _identity(rows, held, start)
        for number, tenancy in enumerate(held.story.tenancies):
            _lease(rows, held, number, tenancy, parties, start, seed)
        _sublease(rows, held, parties, start)
    return {name: found for name, found in rows.items() if found}


TABLES = (
    "party_group", "lease_contract", "lease", "lease_party", "lease_event", "asset_event", "maintenance_event", "insurance",
    "territory_rule", "covenant", "return_condition", "off_hire", "identifier_end",
)  # fmt: skip


def party_names() -> dict[str, str]:
    """Every party's name and country."""
    return stories.COUNTRIES


def _groups(rows: Rows, parties: dict[str, str], start: datetime) -> None:
    long_ago = ago(start, 10.5 * stories.YEAR_D)
    for name, parent in stories.GROUPS.items():
        rows["party_group"].append(
            {"tenant": TENANT, "party_id": parties[name], "parent_party_id": parties[parent], "valid": span(long_ago, None),
             "recorded": span(long_ago, None), "source": "demo"}
        )  # fmt: skip


def _milestone(rows: Rows, held: Held, kind: str, basis: str, at: datetime, start: datetime, **evidence: Any) -> None:
    rows["asset_event"].append(
        {"asset_event_id": key_of("event", held.plan, kind, basis), "tenant": TENANT, "asset_id": held.asset_id, "kind": kind,
         "basis": basis, "at": at.isoformat(), "evidence": json.dumps(evidence), "actor": ACTOR,
         "recorded": recorded(at if basis != "contract" else ago(start, held.story.built_d + 900), start)}
    )  # fmt: skip


def _milestones(rows: Rows, held: Held, start: datetime) -> None:
    """From the order, or the purchase, to the delivery; dry-dockings, checks and lay-ups since."""
    story, ship = held.story, held.life.asset.asset_class == "vessel"
    delivered = ago(start, story.acquired_d)
    if story.origin == "newbuild":
        keel_kind, keel_before_d, order_before_d = ("keel_laid", 420, 900) if ship else ("assembly_started", 120, 1100)
        promised = delivered + timedelta(days=2 if held.plan == stories.NEWBUILD else 21 * uniform(hash64("slip", held.plan)) - 4)
        yard = {"yard": "Ulsan" if ship else "Toulouse"}
        _milestone(rows, held, "order_placed", "reported", delivered - timedelta(days=order_before_d), start, **yard)
        _milestone(rows, held, keel_kind, "reported", delivered - timedelta(days=keel_before_d), start, **yard)
        trial = "sea_trial" if ship else "first_flight"
        _milestone(rows, held, trial, "reported", delivered - timedelta(days=24), start, **yard)
        built_on = (delivered - timedelta(days=12)).date().isoformat()
        _milestone(rows, held, "completed", "reported", delivered - timedelta(days=12), start, built_on=built_on)
        _milestone(rows, held, "manufacturer_delivery", "contract", promised, start, clause="4.1")
        _milestone(rows, held, "manufacturer_delivery", "reported", delivered, start, title_document="bill of sale")
        _milestone(rows, held, "departed_yard", "observed", delivered + timedelta(hours=3), start, method="first readings")
    else:
        paper = "memorandum of agreement" if ship else "bill of sale"
        _milestone(rows, held, "purchased", "reported", delivered, start, title_document=paper)
    for pause in held.life.pauses:
        begin, end = start + timedelta(seconds=pause.from_s), start + timedelta(seconds=pause.to_s)
        if pause.kind in {"drydock", "heavy_check", "repair"}:
            kind = {"drydock": "drydock", "heavy_check": "airframe_6y", "repair": "repair"}[pause.kind]
            days = (pause.to_s - pause.from_s) / 86_400
            rows["maintenance_event"].append(
                {"maintenance_event_id": key_of("maintenance", held.plan, kind, begin.date()), "tenant": TENANT,
                 "asset_id": held.asset_id, "kind": kind, "actual": span(begin, end), "place": "in port" if ship else "on base",
                 "cost_amount": f"{(95_000 if ship else 41_000) * days:.2f}", "currency": "USD", "evidence": "{}",
                 "actor": ACTOR, "recorded": recorded(end, start)}
            )  # fmt: skip
        if pause.kind == "drydock":
            _survey(rows, held, "bottom_survey", end, start)
        name = {"layup": "layup", "drydock": "maintenance", "heavy_check": "maintenance", "repair": "maintenance"}[pause.kind]
        for word, at in (("started", begin), ("ended", end)):
            rows["asset_event"].append(
                {"asset_event_id": key_of("event", held.plan, name, word, begin.date()), "tenant": TENANT,
                 "asset_id": held.asset_id, "kind": f"{name}_{word}", "basis": "reported", "at": at.isoformat(),
                 "evidence": "{}", "actor": ACTOR, "recorded": recorded(at, start)}
            )  # fmt: skip


def _survey(rows: Rows, held: Held, kind: str, at: datetime, start: datetime) -> None:
    rows["maintenance_event"].append(
        {"maintenance_event_id": key_of("survey", held.plan, kind, at.date()), "tenant": TENANT, "asset_id": held.asset_id,
         "kind": kind, "actual": span(at - timedelta(hours=20), at), "place": "by class", "evidence": "{}", "actor": ACTOR,
         "recorded": recorded(at, start)}
    )  # fmt: skip


def _surveys(rows: Rows, held: Held, start: datetime) -> None:
    """Class looked at each ship every year, and under water whenever two and a half years had passed without a dock."""
    if held.life.asset.asset_class != "vessel":
        return
    renewed = certificate_of(held.story, start)
    _survey(rows, held, "renewal_survey", renewed, start)
    docked = sorted(start + timedelta(seconds=pause.to_s) for pause in held.life.pauses if pause.kind == "drydock")
    bottom = max([renewed, *docked])
    if (start - bottom).days > 900:
        _survey(rows, held, "in_water_survey", bottom + timedelta(days=880), start)
    for year in range(1, 5):
        at = renewed + timedelta(days=round(year * stories.YEAR_D) - 20)
        if at < start:
            _survey(rows, held, "intermediate_survey" if year == 3 else "annual_survey", at, start)


def certificate_of(story: Story, start: datetime) -> datetime:
    """When class last renewed the certificate: every fifth year from the delivery by the yard on."""
    built = ago(start, story.built_d)
    return built + timedelta(days=round((start - built).days // 1827 * 5 * stories.YEAR_D))


def _identity(rows: Rows, held: Held, start: datetime) -> None:
    """The reflagged ship bore another MMSI and call sign until then."""
    if held.story.reflagged_d is None:
        return
    at = ago(start, held.story.reflagged_d)
    for scheme, value in (("mmsi", "636019999"), ("callsign", "A8XY9")):
        rows["identifier_end"].append({"scheme": scheme, "value": value, "asset_id": held.asset_id, "until": at.isoformat()})


def _event(rows: Rows, lease_id: str, held: Held, kind: str, at: datetime, start: datetime, **evidence: Any) -> None:
    rows["lease_event"].append(
        {"lease_event_id": key_of("lease_event", lease_id, kind, at.isoformat()), "tenant": TENANT, "lease_id": lease_id,
         "asset_id": held.asset_id, "kind": kind, "at": at.isoformat(), "evidence": json.dumps(evidence), "actor": ACTOR,
         "recorded": recorded(at, start)}
    )  # fmt: skip


def _lease(rows: Rows, held: Held, number: int, tenancy: Tenancy, parties: dict[str, str], start: datetime, seed: int) -> None:
    """One lease: contract, tenure, parties, events, cover, rules, covenants, and what its end asks for."""
    lease_id = key_of("lease", held.plan, number)
    delivered = ago(start, tenancy.delivered_d)
    ended = None if tenancy.ended_d is None else ago(start, tenancy.ended_d)
    promised = ago(start, -tenancy.promised_end_d)
    signed = delivered - timedelta(days=110)
    terms = terms_of(held.life.asset, tenancy, delivered, promised, hash64(seed, held.plan, number))
    term_end = promised if ended is None else min(promised, ended)
    rows["lease_contract"].append(
        {"lease_id": lease_id, "revision": 1, "tenant": TENANT, "asset_id": held.asset_id,
         "reference": f"DLP-{signed:%Y}-{hash64(held.plan, number) % 9000 + 1000}", "form": tenancy.form, "head": True,
         "signed_on": signed.date().isoformat(), "term": span(delivered, term_end), "terms": json.dumps(terms), "actor": ACTOR,
         "lessee_party_id": parties[tenancy.lessee], "promise": span(delivered, promised),
         "recorded": recorded(signed, start)}
    )  # fmt: skip
    _tenures(rows, held, lease_id, tenancy, delivered, ended, parties, start)
    for role, name in (("lessor", LESSOR), ("lessee", tenancy.lessee), ("guarantor", stories.GROUPS.get(tenancy.lessee))):
        if name is not None:
            rows["lease_party"].append(
                {"tenant": TENANT, "lease_id": lease_id, "party_id": parties[name], "role": role,
                 "valid": span(delivered, ended), "recorded": recorded(signed, start), "source": "contract"}
            )  # fmt: skip
    _event(rows, lease_id, held, "lease_signed", signed, start, document="lease agreement")
    _event(rows, lease_id, held, "lease_delivery", delivered, start, acceptance_certificate=f"acceptance {held.plan.title()}")
    if ended is not None:
        _event(rows, lease_id, held, "redelivery_notice", ended - timedelta(days=120), start, document="notice")
        _event(rows, lease_id, held, "redelivery", ended, start, redelivery_certificate=f"redelivery {held.plan.title()}")
    if tenancy.in_default:
        _event(rows, lease_id, held, "default_notice", ago(start, 12), start, document="notice of default", clause="17.2")
    _cover(rows, held, lease_id, delivered, ended, start)
    if ended is None:
        _duties(rows, held, lease_id, tenancy, start, promised)


def _tenures(
    rows: Rows, held: Held, lease_id: str, tenancy: Tenancy, delivered: datetime, ended: datetime | None, parties: dict[str, str],
    start: datetime,
) -> None:  # fmt: skip
    """Who had it: one row, or two around a novation."""
    novated = None if tenancy.novated_d is None else ago(start, tenancy.novated_d)
    parts = [(tenancy.lessee, delivered, ended if novated is None else novated)]
    if novated is not None and tenancy.novated_to is not None:
        parts.append((tenancy.novated_to, novated, ended))
        _event(rows, lease_id, held, "novation", novated, start, lessee_party_id=parties[tenancy.novated_to],
               novation_agreement="novation agreement")  # fmt: skip
    for revision, (lessee, begin, end) in enumerate(parts, 1):
        rows["lease"].append(
            {"lease_id": lease_id, "revision": revision, "tenant": TENANT, "asset_id": held.asset_id,
             "lessee_party_id": parties[lessee], "form": tenancy.form, "head": True, "valid": span(begin, end),
             "recorded": recorded(begin, start)}
        )  # fmt: skip


def _cover(rows: Rows, held: Held, lease_id: str, delivered: datetime, ended: datetime | None, start: datetime) -> None:
    """Cover while the lease lasts; the running one ends within the year, of one ship in three weeks."""
    ship = held.life.asset.asset_class == "vessel"
    for kind in insurance_kinds(ship=ship):
        begin = delivered - timedelta(days=2)
        if ended is None:
            left_d = 21 if held.plan == stories.IN_DEFAULT else 40 + 300 * uniform(hash64(held.plan, kind))
            begin = start + timedelta(days=left_d) - timedelta(days=365)
            begin = min(begin, delivered - timedelta(days=2))
        end = ended if ended is not None else start + timedelta(days=left_d)
        value = (38 if ship else 46) * 1_000_000 * (0.6 + uniform(hash64("value", held.plan)))
        rows["insurance"].append(
            {"insurance_id": key_of("insurance", lease_id, kind), "revision": 1, "tenant": TENANT, "lease_id": lease_id,
             "kind": kind, "insurer": "Skagerrak Marine" if ship else "Aviation Pool North",
             "agreed_value_amount": f"{value:.2f}", "currency": "USD", "cover": span(begin, end),
             "cancellation_notice_days": 7 if kind == "war" else 30, "loss_payee": LESSOR,
             "certificates": json.dumps([f"certificate {kind} {held.plan.title()}"]), "recorded": recorded(delivered, start)}
        )  # fmt: skip
    if ended is None:
        rows["territory_rule"].append(
            {"territory_rule_id": "excluded", "revision": 1, "tenant": TENANT, "lease_id": lease_id, "kind": "insured_excluded",
             "event_scope": "port_call" if ship else "landing", "area_set": "demo-excluded", "carve_outs": "{force_majeure}",
             "severity": "critical", "valid": span(delivered, None), "recorded": recorded(delivered, start)}
        )  # fmt: skip
        if ship:
            rows["covenant"].append(
                {"covenant_id": "ais-on", "revision": 1, "tenant": TENANT, "lease_id": lease_id, "clause": "9.4",
                 "predicate": json.dumps({"kind": "ais_on", "silence_h_max": 24}), "severity": "warning",
                 "valid": span(delivered, None), "recorded": recorded(delivered, start)}
            )  # fmt: skip


def _duties(rows: Rows, held: Held, lease_id: str, tenancy: Tenancy, start: datetime, promised: datetime) -> None:
    """What the end of a running lease asks for, and the time lost under it."""
    if held.plan in stories.REDELIVERED_SOON:
        _event(rows, lease_id, held, "redelivery_notice", ago(start, 30), start, document="definite notice")
        items = ("fresh_check", "records", "borescope", "export_certificate") if held.life.asset.asset_class == "aircraft" else (
            "diver_inspection", "class_certificates", "records", "bunkers")  # fmt: skip
        for n, item in enumerate(items):
            rows["return_condition"].append(
                {"return_condition_id": item, "revision": 1, "tenant": TENANT, "lease_id": lease_id,
                 "requirement": item.replace("_", " "), "status": "met" if n == 1 else "open", "evidence": "{}",
                 "due_on": (promised - timedelta(days=10 * (n + 1))).date().isoformat(), "actor": ACTOR,
                 "recorded": recorded(ago(start, 40), start)}
            )  # fmt: skip
    if held.plan == stories.OFF_HIRED and tenancy.form == "time_charter":
        for pause in held.life.pauses:
            if pause.kind == "repair":
                begin, end = start + timedelta(seconds=pause.from_s), start + timedelta(seconds=pause.to_s)
                rows["off_hire"].append(
                    {"off_hire_id": key_of("off_hire", lease_id), "revision": 1, "tenant": TENANT, "lease_id": lease_id,
                     "asset_id": held.asset_id, "period": span(begin, end), "status": "confirmed",
                     "reason": "main engine breakdown", "evidence": json.dumps({"report": "master's statement of facts"}),
                     "actor": ACTOR, "recorded": recorded(end, start)}
                )  # fmt: skip


def sublet_at(held: Held, start: datetime) -> datetime:
    """When the sublease began."""
    return ago(start, min(300.0, held.story.tenancies[-1].delivered_d - 30))


def _sublease(rows: Rows, held: Held, parties: dict[str, str], start: datetime) -> None:
    """One aircraft is flown by another airline under a sublease."""
    if held.plan != stories.SUBLEASED:
        return
    number, parent = len(held.story.tenancies) - 1, held.story.tenancies[-1]
    begin = sublet_at(held, start)
    lease_id = key_of("lease", held.plan, "sub")
    lessee = parties["Tramontana" if parent.lessee != "Tramontana" else "Danube Air"]
    rows["lease_contract"].append(
        {"lease_id": lease_id, "revision": 1, "tenant": TENANT, "asset_id": held.asset_id, "reference": "SUB-1",
         "lessee_party_id": lessee,
         "form": "sublease", "head": False, "parent_lease_id": key_of("lease", held.plan, number),
         "signed_on": (begin - timedelta(days=20)).date().isoformat(),
         "term": span(begin, ago(start, -min(90.0, parent.promised_end_d))), "terms": "{}", "actor": ACTOR,
         "recorded": recorded(begin, start)}
    )  # fmt: skip
    rows["lease"].append(
        {"lease_id": lease_id, "revision": 1, "tenant": TENANT, "asset_id": held.asset_id,
         "lessee_party_id": lessee, "form": "sublease",
         "head": False, "valid": span(begin, None), "recorded": recorded(begin, start)}
    )  # fmt: skip
    _cover(rows, held, lease_id, begin, None, start)
    _event(rows, lease_id, held, "lease_signed", begin - timedelta(days=20), start, document="sublease")
    _event(rows, lease_id, held, "lease_delivery", begin, start, acceptance_certificate="sublease acceptance")
