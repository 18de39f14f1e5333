"""Which changes of alerts are told to webhooks: holds, incidents and the budget of models, in this order. Pure.

`alerts.lifecycle` says what a receiver would have to hear if it heard of every alert; this module says which of it is told,
which is not, and why. It never touches a finding, an alert or a severity, and each decision is kept with its reason.

A duty is announced when its alert opens or rises; it ends when its episode ends or is no more. An end is told to those who were
told of the beginning. What continues a story that was told (an alert that opens again) is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

from alerts.budget import Account, examined, spent
from alerts.hold import Hold
from alerts.lifecycle import SEVERITY_RANK, AlertChange

Verdict = Literal["told", "same_incident", "held", "not_significant", "over_budget", "never_told", "released", "let_go"]
"""`told`: an event left. `same_incident`: its incident was told at this severity or above. `held`: a region or a feed explains
it. `not_significant`, `over_budget`: the budget of models held it back. `never_told`: the end of what nobody was told of.
`released`: told in the summary of a hold. `let_go`: it was held and ended before it was told."""

WAITING: frozenset[str] = frozenset({"held", "over_budget"})
"""Verdicts that may still be followed by telling, while the alert stands."""

TOLD: frozenset[str] = frozenset({"told", "released"})


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided about one revision of an alert.

    `kind` is what the change was; `finding_id` the finding that made it; `hold_id` the finding that holds it, if any; `why`
    names the numbers behind the verdict; `event_id` the event that left, None where none did.
    """

    alert_id: str
    revision: int
    finding_id: str
    incident_id: str | None
    rule: str
    severity: str
    kind: str
    verdict: Verdict
    event_id: str | None = None
    hold_id: str | None = None
    why: dict[str, Any] = {}


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A change of an alert that a receiver would hear, with what decides about it.

    `finding_id` and `p_value` (None for a plain rule) are of the finding that made it; `hold` says what explains it, None where
    nothing does; `exposure` ranks models' warnings: (on lease, agreed value of the hull), larger first.
    """

    change: AlertChange
    finding_id: str
    incident_id: str | None
    p_value: float | None = None
    hold: Hold | None = None
    exposure: tuple[bool, float] = (False, 0.0)


def severities_told(notices: Iterable[Notice], members: Mapping[str, str]) -> dict[str, str]:
    """The highest severity at which each incident was told, of what still stands.

    Args:
        notices: everything decided about alerts of these incidents, in order of decision.
        members: incident by finding; a finding that is no more is in none.
    """
    by_alert: dict[str, list[Notice]] = {}
    for one in notices:
        if one.verdict in TOLD:
            by_alert.setdefault(one.alert_id, []).append(one)
    found: dict[str, str] = {}
    for told in by_alert.values():
        if told[-1].kind == "retracted":
            continue  # who heard of it also heard that it was nothing
        for one in told:
            incident_id = members.get(one.finding_id)
            if incident_id is not None:
                found[incident_id] = _higher(found.get(incident_id), one.severity)
    return found


def decide(
    candidates: Sequence[Candidate],
    earlier: Mapping[str, Sequence[Notice]],
    severities: Mapping[str, str],
    account: Account | None,
) -> tuple[list[Notice], Account | None]:
    """What is told of the changes of one transaction, in the order in which it was decided.

    Args:
        candidates: of one tenant.
        earlier: what was decided about their alerts before, by alert, in order.
        severities: what each incident was told at so far (see `severities_told`).
        account: the tenant's week; needed where a candidate is a model's warning.

    Returns: one notice for each candidate, and the account afterwards.
    """
    told_at = dict(severities)
    notices: list[Notice] = []
    for one in sorted((one for one in candidates if not _is_end(one)), key=_rank):
        alert, before = one.change.alert, earlier.get(one.change.alert.alert_id, ())
        known = told_at.get(one.incident_id or "")
        if _goes_on(one, before):
            notice = _notice(one, "told", why={"because": "goes_on"})
        elif one.hold is not None:
            held = {"because": one.hold.reason, "about": one.hold.about, "rule": one.hold.rule}
            notice = _notice(one, "held", hold_id=one.hold.finding_id, why=held)
        elif known is not None and SEVERITY_RANK[known] >= SEVERITY_RANK[alert.severity]:
            notice = _notice(one, "same_incident", why={"because": "told_at", "severity": known})
        elif one.p_value is not None and alert.severity == "warning" and account is not None:
            judged, account = examined(account, one.p_value)
            notice = _notice(one, judged.verdict, why=_numbers(one, msgspec.structs.asdict(judged)))
        else:
            notice = _notice(one, "told")
        if notice.verdict == "told" and one.incident_id is not None:
            told_at[one.incident_id] = _higher(known, alert.severity)
        notices.append(notice)
    for one in candidates:
        if _is_end(one):
            own = [each for each in notices if each.alert_id == one.change.alert.alert_id]
            notices.append(_ended(one, (*earlier.get(one.change.alert.alert_id, ()), *own)))
    return notices, account


def told_later(waiting: Sequence[Candidate], severities: Mapping[str, str], account: Account) -> tuple[list[Notice], Account]:
    """What the allowance of a new week lets through of what waited for it, the most exposed first.

    Args:
        waiting: of one tenant, alerts that stand and whose last verdict is `over_budget`.
        severities: what each incident was told at so far.
        account: the tenant's week.
    """
    told_at = dict(severities)
    notices: list[Notice] = []
    for one in sorted(waiting, key=_rank):
        known = told_at.get(one.incident_id or "")
        if known is not None and SEVERITY_RANK[known] >= SEVERITY_RANK[one.change.alert.severity]:
            notices.append(_notice(one, "same_incident", why={"because": "told_at", "severity": known}))
            continue
        after = spent(account)
        if after is None:
            break
        numbers = {"because": "new_week", "p_value": one.p_value, "left": account.left}
        notices.append(_notice(one, "told", why=_numbers(one, numbers)))
        account = after
        if one.incident_id is not None:
            told_at[one.incident_id] = _higher(known, one.change.alert.severity)
    return notices, account


def _is_end(one: Candidate) -> bool:
    """Whether the change ends a duty that was there before."""
    return one.change.kind in {"resolved", "retracted"} and one.change.before_status is not None


def _ended(one: Candidate, before: Sequence[Notice]) -> Notice:
    """The end of a duty is told to whoever was told of it, and where nothing is on record of it, which is older than records."""
    if not before or any(each.verdict in TOLD for each in before):
        return _notice(one, "told")
    return _notice(one, "never_told", why={"because": before[-1].verdict})


def _goes_on(one: Candidate, before: Sequence[Notice]) -> bool:
    """Whether an alert that a receiver heard the end of opens again."""
    told = [each for each in before if each.verdict in TOLD]
    return one.change.kind == "opened" and one.change.before_status is not None and bool(told) and told[-1].kind in _ENDS


_ENDS = frozenset({"resolved", "retracted", "dismissed"})


def _rank(one: Candidate) -> tuple[int, bool, bool, tuple[bool, float], float, datetime, int, str, str, str]:
    """The most severe first; what nothing explains before what is held, plain rules before models, the most exposed first.

    Among equals what was known first, as it comes when each is a transaction of its own; what one reading showed by rule. Ids
    decide last: they are of the asset's id, which is drawn.
    """
    alert, (leased, value) = one.change.alert, one.exposure
    return (
        -SEVERITY_RANK[alert.severity],
        one.hold is not None,
        one.p_value is not None,
        (not leased, -value),
        one.p_value or 0.0,
        datetime.fromisoformat(alert.evidence["detected_at"]),
        alert.opened_us,
        alert.rule,
        alert.subject or "",
        alert.alert_id,
    )


def _notice(one: Candidate, verdict: Verdict, *, hold_id: str | None = None, why: dict[str, Any] | None = None) -> Notice:
    alert = one.change.alert
    return Notice(
        alert_id=alert.alert_id,
        revision=alert.revision,
        finding_id=one.finding_id,
        incident_id=one.incident_id,
        rule=alert.rule,
        severity=alert.severity,
        kind=one.change.kind,
        verdict=verdict,
        hold_id=hold_id,
        why=why or {},
    )


def _numbers(one: Candidate, judged: dict[str, Any]) -> dict[str, Any]:
    judged.pop("verdict", None)
    return judged | {"on_lease": one.exposure[0], "agreed_value": one.exposure[1]}


def _higher(one: str | None, other: str) -> str:
    return other if one is None or SEVERITY_RANK[other] > SEVERITY_RANK[one] else one
