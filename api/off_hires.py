"""From tenures, decisions and stops to off-hire as the API tells it. Pure: rows in, shapes out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from api.carbon import Window, held_within
from api.shapes import LesseeDaysShape, OffHireShape, OffHireStatementShape, Reasons
from fleet import off_hire
from fleet.instants import from_datetime, to_datetime, to_rfc3339
from fleet.lease import FORMS, UNREADABLE, Rent, Terms, stored_terms
from fleet.money import cents, total
from fleet.off_hire import Basis, LostTime, Stretch
from fleet.practice_book import HOUSE
from store.off_hires import candidate_id

Row = dict[str, Any]


class Rule(NamedTuple):
    """How a lease counts lost time; `applies` False where it knows no off-hire, `basis` None where its paper is silent.

    Without `readable` the paper cannot be read: time may be lost, and nobody can say how it counts.
    """

    applies: bool
    basis: Basis | None
    deminimis_h: float | None
    rent: Rent | None
    readable: bool = True

    @property
    def unsaid(self) -> str:
        """Why it is not known how lost time counts."""
        return "no_off_hire_rule" if self.readable else UNREADABLE

    @property
    def daily_hire(self) -> Decimal | None:
        """Hire a day, where the rent is a daily one."""
        return self.rent.amount if self.rent is not None and self.rent.frequency == "daily" else None


class Event(NamedTuple):
    """One event with where it came from: a decision's row, or None for a candidate."""

    off_hire_id: str
    tenure: Row
    state: str | None
    lost: LostTime
    row: Row | None

    @property
    def status(self) -> str:
        """`candidate`, `confirmed` or `rejected`."""
        return "candidate" if self.row is None else str(self.row["status"])


class Facts(NamedTuple):
    """What off-hire is told from: tenures that meet the window, decisions of their leases, runs of stops by asset id."""

    tenures: Sequence[Row]
    decided: Sequence[Row]
    stops: Mapping[str, Sequence[Stretch]]


def rule_of(row: Row) -> Rule:
    """A tenure's rule: its paper's; without one its form says whether there is off-hire at all (domain.md 2.6 [K])."""
    terms = stored_terms(row["terms"])
    if not isinstance(terms, Terms):
        return Rule(applies=True, basis=None, deminimis_h=None, rent=None, readable=False)
    given = terms.off_hire_rule
    form = FORMS.get(row["form"])
    return Rule(
        applies=given is not None or form is None or form.off_hire, basis=None if given is None else given.basis,
        deminimis_h=None if given is None else given.deminimis_h, rent=terms.rent,
    )  # fmt: skip


def events_of(facts: Facts, window: Window) -> list[Event]:
    """Decisions and candidates that meet a window, in order of begin; a candidate is told only of time that nobody judged.

    A stop that reaches over the edge of a tenure is cut there: what lies outside is another lessee's, or nobody's.
    """
    found = [_decided(row, _tenure_of(row, facts.tenures)) for row in facts.decided]
    judged: dict[str, list[LostTime]] = {}
    for event in found:
        judged.setdefault(str(event.tenure["lease_id"]), []).append(event.lost)
    for row in facts.tenures:
        if not rule_of(row).applies:
            continue
        begin, end = (None if row[name] is None else to_datetime(row[name]) for name in ("valid_from", "valid_to"))
        stops = [
            Stretch(
                state=each.state, started_at=each.started_at if begin is None else max(begin, each.started_at),
                ended_at=each.ended_at if end is None else min(end, each.ended_at),
            )
            for each in facts.stops.get(str(row["asset_id"]), ())
        ]  # fmt: skip
        for stop in off_hire.candidates(stops, to_datetime(window.from_us).date(), HOUSE):
            lost = LostTime(started_at=stop.started_at, ended_at=stop.ended_at)
            if not any(_meet(lost, each) for each in judged.get(str(row["lease_id"]), ())):
                key = candidate_id(str(row["lease_id"]), stop.state, stop.started_at)
                found.append(Event(key, row, stop.state, lost, None))
    inside = LostTime(started_at=to_datetime(window.from_us), ended_at=to_datetime(window.to_us))
    return sorted((each for each in found if _meet(each.lost, inside)), key=lambda each: (each.lost.started_at, each.off_hire_id))


def _meet(one: LostTime, other: LostTime) -> bool:
    return one.started_at < other.ended_at and other.started_at < one.ended_at


def _tenure_of(row: Row, tenures: Sequence[Row]) -> Row:
    """The tenure in which a decision's time begins, else the lease's last: a novation makes several."""
    own = [each for each in tenures if each["lease_id"] == row["lease_id"]]
    begun = [each for each in own if each["valid_from"] is None or each["valid_from"] <= row["from_time"]]
    return begun[-1] if begun else own[-1]


def _decided(row: Row, tenure: Row) -> Event:
    net_h = row["evidence"].get("net_loss_h")
    lost = LostTime(
        started_at=to_datetime(row["from_time"]), ended_at=to_datetime(row["to_time"]),
        net_loss_h=float(net_h) if isinstance(net_h, int | float) and not isinstance(net_h, bool) else None,
    )  # fmt: skip
    return Event(str(row["off_hire_id"]), tenure, row["evidence"].get("state"), lost, row)


def event_shape(event: Event) -> OffHireShape:
    """An event as the API shows it."""
    rule = rule_of(event.tenure)
    reason: Reasons = {}
    counts_h = None
    if event.status != "confirmed":
        reason["counts_h"] = "not_confirmed"
    elif rule.basis is None or rule.deminimis_h is None:
        reason["counts_h"] = rule.unsaid
    else:
        counts_h = off_hire.counted_h([event.lost], rule.basis, rule.deminimis_h)
    row = event.row
    return OffHireShape(
        id=event.off_hire_id, revision=None if row is None else row["revision"], lease_id=str(event.tenure["lease_id"]),
        asset_id=str(event.tenure["asset_id"]), lessee=str(event.tenure["lessee_party_id"]),
        lessee_name=event.tenure["lessee_name"], status=event.status,  # type: ignore[arg-type]
        cause=str(event.state) if row is None else row["reason"], from_=to_rfc3339(from_datetime(event.lost.started_at)),
        to=to_rfc3339(from_datetime(event.lost.ended_at)), lost_h=off_hire.lost_h(event.lost, rule.basis or "net"),
        counts_h=counts_h, net_loss_h=event.lost.net_loss_h,
        evidence={"state": event.state, "source": "activity"} if row is None else row["evidence"],
        actor=None if row is None else row["actor"], recorded_at=None if row is None else to_rfc3339(row["recorded_at"]),
        reason=reason,
    )  # fmt: skip


class Counted(NamedTuple):
    """Off-hire of one tenure in a window; hours and money None with a reason where they cannot be said."""

    held: Window
    sums: off_hire.OffHire | None
    currency: str | None
    reason: str | None


def counted(row: Row, events: Iterable[Event], window: Window) -> Counted:
    """The confirmed events of a tenure, counted by its rule inside a window."""
    rule = rule_of(row)
    held = held_within(row, window)
    currency = None if rule.rent is None else rule.rent.currency
    if rule.applies and (rule.basis is None or rule.deminimis_h is None):
        return Counted(held, None, currency, rule.unsaid)
    sums = off_hire.of_period(
        [each.lost for each in events if each.status == "confirmed"], to_datetime(held.from_us), to_datetime(held.to_us),
        basis=rule.basis or "net", deminimis_h=rule.deminimis_h or 0.0, daily_hire=rule.daily_hire, currency=currency or "USD",
        applies=rule.applies,
    )  # fmt: skip
    return Counted(held, sums, currency, sums.reason)


def statement_shape(row: Row, events: Sequence[Event], window: Window) -> OffHireStatementShape:
    """What a tenure's hire is reduced by in a window, with every event behind it."""
    rule = rule_of(row)
    found = counted(row, events, window)
    sums = found.sums
    reason: Reasons = {}
    if sums is None:
        reason |= dict.fromkeys(("off_hire_h", "on_hire_h", "utilization", "deduction"), found.reason or "")
    elif sums.deduction is None:
        reason["deduction"] = sums.reason or ""
    if rule.daily_hire is None:
        silent = "no_hire" if rule.readable else UNREADABLE
        reason["daily_hire"] = silent if rule.rent is None else "not_a_daily_hire"
    return OffHireStatementShape(
        lease_id=str(row["lease_id"]), asset_id=str(row["asset_id"]), from_=to_rfc3339(found.held.from_us),
        to=to_rfc3339(found.held.to_us), basis=rule.basis, deminimis_h=rule.deminimis_h,
        lost_h=0.0 if sums is None else sums.lost_h, off_hire_h=None if sums is None else sums.off_hire_h,
        on_hire_h=None if sums is None else sums.on_hire_h, utilization=None if sums is None else sums.utilization,
        daily_hire=None if rule.daily_hire is None else str(cents(rule.daily_hire, rule.rent.currency if rule.rent else "USD")),
        currency=found.currency, deduction=None if sums is None or sums.deduction is None else str(sums.deduction),
        confirmed=sum(each.status == "confirmed" for each in events),
        candidates=sum(each.status == "candidate" for each in events),
        events=[event_shape(each) for each in events], method="confirmed_by_person", reason=reason,
    )  # fmt: skip


def lessee_shapes(
    facts: Facts, still: Mapping[str, Sequence[date]], window: Window
) -> list[LesseeDaysShape]:  # fmt: skip
    """Days lost and laid up by lessee, in order of their name; `still` are days without moving, by asset id."""
    events = events_of(facts, window)
    by_lessee: dict[str, list[Row]] = {}
    for row in facts.tenures:
        by_lessee.setdefault(str(row["lessee_party_id"]), []).append(row)
    found = [_lessee(tenures, events, still, window) for tenures in by_lessee.values()]
    return sorted(found, key=lambda each: (each.lessee_name, each.lessee))


def _lessee(
    tenures: Sequence[Row], events: Sequence[Event], still: Mapping[str, Sequence[date]], window: Window
) -> LesseeDaysShape:
    own = [each for each in events if any(each.tenure is row for row in tenures)]
    off_h = candidate_h = 0.0
    lay_up = 0
    owed: dict[str, list[Decimal]] = {}
    reason: Reasons = {}
    for row in tenures:
        mine = [each for each in own if each.tenure is row]
        result = counted(row, mine, window)
        if result.sums is None:
            reason["off_hire_d"] = result.reason or ""
        else:
            off_h += result.sums.off_hire_h
            if result.sums.deduction:
                owed.setdefault(result.currency or "USD", []).append(result.sums.deduction)
        candidate_h += sum(_inside_h(each.lost, result.held) for each in mine if each.status == "candidate")
        days = off_hire.lay_up_days(still.get(str(row["asset_id"]), ()), to_datetime(window.from_us).date(), HOUSE)
        begin, end = to_datetime(result.held.from_us), to_datetime(result.held.to_us)
        lay_up += sum(begin.date() <= day < end.date() for day in days)
    return LesseeDaysShape(
        lessee=str(tenures[0]["lessee_party_id"]), lessee_name=tenures[0]["lessee_name"],
        leases=len({row["lease_id"] for row in tenures}), assets=len({row["asset_id"] for row in tenures}),
        off_hire_d=off_h / 24, candidate_d=candidate_h / 24, lay_up_d=lay_up,
        deductions={currency: str(total(amounts)) for currency, amounts in sorted(owed.items())},
        events=[event_shape(each) for each in own], reason=reason,
    )  # fmt: skip


def _inside_h(lost: LostTime, window: Window) -> float:
    begin, end = max(lost.started_at, to_datetime(window.from_us)), min(lost.ended_at, to_datetime(window.to_us))
    return max(0.0, (end - begin) / timedelta(hours=1))
