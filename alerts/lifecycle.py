"""What opens, updates, resolves and retracts an alert. Pure.

Knows findings and people's decisions, and the event that tells of a change. Does not know tables, clocks or receivers:
`ingest` and `api` call it inside their transaction and write what it returns, `alerts.notifier` sends it.

An alert is the duty of a person to look; a finding is a fact. So facts may resolve or retract a warning, but never resolve
a critical one, and a person's decision is not undone by the same fact told again.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, Literal

import msgspec

from fleet.instants import to_rfc3339
from store.rows import FindingRow

Status = Literal["open", "acknowledged", "resolved", "dismissed", "retracted"]
ChangeKind = Literal["opened", "updated", "acknowledged", "resolved", "dismissed", "retracted"]

ACTIVE_STATUSES: frozenset[str] = frozenset({"open", "acknowledged"})
"""Statuses of which one (tenant, asset, rule, subject) has at most one alert."""

SEVERITY_RANK: dict[str, int] = {"info": 0, "warning": 1, "critical": 2}
"""Order of severities; warning and critical open alerts (design, rules and severities)."""

FINDING_IDS_MAX = 100
"""Findings one alert remembers: the one that opened it, and the newest. Chosen: an alert nobody closes must not grow for ever."""

RETRACTED_IDS = "retracted_finding_ids"
"""Member of an alert's evidence that names those of its findings that are no more; absent when all stand."""

EVIDENCE_BYTES_MAX = 16_000
"""Evidence an event carries. Standard Webhooks 1.0.0: body below 20 kB; the rest of the envelope stays below 4 kB."""

FEED_EVENTS = {"opened": "silent", "resolved": "recovered"}
"""What becomes of the alert of a silent feed by itself, in the words of the contract's event types (4.4)."""

_NAMESPACE = uuid.UUID("7b0c1f0e-6d0c-5b52-9a51-0f6f2f2d6c11")  # chosen once; changing it would rename every alert


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One duty to look, after a change. Instants are microseconds UTC.

    `opened_us` is when the first episode began (event time), `updated_us` when we learned the latest, `closed_us` when the
    episode ended or the person decided. `revision` starts at 1 and grows by one with every change. `finding_ids` are the
    unretracted findings behind it, the latest last, at most `FINDING_IDS_MAX`. `asset_id` is None for a rule about a feed or
    a region, which `asset` then names. `incident_id` is that of its latest finding (`alerts.incident`), None before it has one.
    """

    alert_id: str
    tenant: str
    asset_id: str | None
    asset: str
    lease_id: str | None
    rule: str
    subject: str | None
    severity: str
    status: Status
    opened_us: int
    updated_us: int
    closed_us: int | None
    revision: int
    evidence: dict[str, Any]
    finding_ids: tuple[str, ...]
    incident_id: str | None = None


class AlertChange(msgspec.Struct, frozen=True, kw_only=True):
    """One change of one alert: write `alert` over the row of its id, and its event to the outbox when `notify`.

    `notify` is true when a receiver must hear it: opened, severity risen, decided by a person, closed, retracted; false when
    only the evidence grew. `who` and `reason` are a person's, else None.
    """

    kind: ChangeKind
    alert: Alert
    before_status: Status | None
    before_severity: str | None
    notify: bool
    who: str | None = None
    reason: str | None = None


class IllegalTransition(msgspec.Struct, frozen=True, kw_only=True):
    """What a person asked for cannot be done; the alert is as it was. `code` is for machines, `detail` for people."""

    alert_id: str
    status: Status
    code: Literal["not_open", "already_acknowledged", "reason_missing"]
    detail: str


def alert_id_of(finding: FindingRow) -> str:
    """Id of the alert this finding opens: UUID version 5 (RFC 9562) of its key and its first finding. The same on every run."""
    key = (finding.tenant, finding.asset_id or finding.asset, finding.rule, finding.subject or "", finding.finding_id)
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join(key)))


def tell(standing: Sequence[Alert], finding: FindingRow, at_us: int, lease_id: str | None = None) -> AlertChange | None:
    """What one emission does to the alerts that stand: finds the one it concerns, and applies it there (see `apply`).

    What is said of a finding is the matter of the alert that holds it, also when that is closed and another of its key is open: a
    late word about an episode that is over must not end a later duty. Only where it would open the closed one again, it joins
    the open one, for there is never a second.

    Args:
        standing: the active alert of the finding's (tenant, asset, rule, subject) and those that hold it; others do not matter.
        finding: one emission or retraction.
        at_us: when we learned it.
        lease_id: the lease the asset was under at `finding.opened_us`, for an alert that opens.
    """
    known = holding(standing, finding)
    key = _key(finding)
    active = next((one for one in standing if one.status in ACTIVE_STATUSES and _key(one) == key), None)
    change = apply(known or active, finding, at_us, lease_id)
    if known is None or active is None or known is active or change is None or change.alert.status not in ACTIVE_STATUSES:
        return change
    return apply(active, finding, at_us)


def holding(standing: Sequence[Alert], finding: FindingRow) -> Alert | None:
    """The alert that holds a finding, an active one before a closed one; None when none does."""
    held = [one for one in standing if finding.finding_id in one.finding_ids and _key(one) == _key(finding)]
    return min(held, key=lambda one: one.status not in ACTIVE_STATUSES, default=None)


def apply(alert: Alert | None, finding: FindingRow, at_us: int, lease_id: str | None = None) -> AlertChange | None:
    """What one emission of a finding does to the alerts of its key; None when nothing changes.

    Call it once per emission in the order of emission, each time with the result of the one before, then the cut into batches
    makes no difference. An emission told twice changes nothing the second time.

    - warning and critical open; another finding of the key joins the open alert, there is never a second one;
    - severity never falls; a rise notifies again and takes an acknowledgement back (the re-arm rule of SignalK notifications);
    - the end of the latest episode resolves a warning; a critical alert, and a point event (closed = opened), wait for a person,
      with `closed_at` in the evidence;
    - a finding retracted, or revised below warning, retracts the alert if it was its only one;
    - an episode that was over when first told makes a resolved alert at once, so a late reading ends in the same state; also
      beside an open alert that began after it was over, which is not its duty and must not end with it;
    - after a person resolved or dismissed it, only a rise in severity opens the alert again; one that the end of the episode
      resolved also opens again when the end turns out to be wrong.

    Args:
        alert: the one that `tell` found, None to open another.
        finding: one emission or retraction.
        at_us: when we learned it; becomes `updated_us` (which never goes back).
        lease_id: the lease the asset was under at `finding.opened_us`, for an alert that opens.
    """
    mine = alert is not None and finding.finding_id in alert.finding_ids
    stands = not finding.retracted and SEVERITY_RANK[finding.severity] >= SEVERITY_RANK["warning"]
    if alert is None or (not mine and (alert.status not in ACTIVE_STATUSES or _was_over(finding, alert.opened_us))):
        return _open(finding, at_us, lease_id) if stands else None
    if not stands:
        return _withdraw(alert, finding, at_us) if mine else None
    if alert.status in ACTIVE_STATUSES:
        return _renew(alert, finding, at_us)
    return _reconsider(alert, finding, at_us)


def acknowledge(alert: Alert, who: str, reason: str | None, at_us: int) -> AlertChange | IllegalTransition:
    """Somebody looks at it: open → acknowledged. Anything else is an IllegalTransition."""
    if alert.status == "acknowledged":
        return _illegal(alert, "already_acknowledged", "the alert is acknowledged already")
    if alert.status != "open":
        return _illegal(alert, "not_open", f"the alert is {alert.status}")
    return _change("acknowledged", alert, at_us, notify=True, who=who, reason=reason, status="acknowledged")


def resolve(alert: Alert, who: str, reason: str | None, at_us: int) -> AlertChange | IllegalTransition:
    """It was dealt with: open or acknowledged → resolved. Anything else is an IllegalTransition."""
    if alert.status not in ACTIVE_STATUSES:
        return _illegal(alert, "not_open", f"the alert is {alert.status}")
    return _change("resolved", alert, at_us, notify=True, who=who, reason=reason, status="resolved", closed_us=at_us)


def dismiss(alert: Alert, who: str, reason: str | None, at_us: int) -> AlertChange | IllegalTransition:
    """It was false or does not matter: open or acknowledged → dismissed. A reason is due, because lessees and lawyers read it."""
    if alert.status not in ACTIVE_STATUSES:
        return _illegal(alert, "not_open", f"the alert is {alert.status}")
    if not (reason or "").strip():
        return _illegal(alert, "reason_missing", "a dismissal needs a reason")
    return _change("dismissed", alert, at_us, notify=True, who=who, reason=reason, status="dismissed", closed_us=at_us)


def body_of(alert: Alert) -> dict[str, Any]:
    """The alert in the API's shape: plain JSON values, times RFC 3339."""
    return {
        "id": alert.alert_id,
        "rule": alert.rule,
        "subject": alert.subject,
        "severity": alert.severity,
        "status": alert.status,
        "asset_id": alert.asset_id,
        "asset": alert.asset,
        "lease_id": alert.lease_id,
        "incident_id": alert.incident_id,
        "opened_at": to_rfc3339(alert.opened_us),
        "updated_at": to_rfc3339(alert.updated_us),
        "closed_at": None if alert.closed_us is None else to_rfc3339(alert.closed_us),
        "revision": alert.revision,
        "evidence": alert.evidence,
    }


def event_of(change: AlertChange) -> dict[str, Any]:
    """The change as a CloudEvents 1.0 structured JSON object, below 20 kB; the sender adds the endpoint's `sequence`.

    `id` is a hash of alert and revision: the same event however often it is made, and without dots (Standard Webhooks 1.0.0
    forbids them). A dismissal is told as `resolved` with status `dismissed` in its data: to a receiver both end the duty.
    A feed that falls silent and speaks again is told as such, a person's word on it as of any alert.
    Evidence beyond `EVIDENCE_BYTES_MAX` loses its largest members and says so (`truncated`, and `omitted` names).
    """
    alert = change.alert
    kind = "resolved" if change.kind == "dismissed" else change.kind
    feed = FEED_EVENTS.get(kind) if alert.rule == "feed_silent" and change.who is None else None
    return {
        "specversion": "1.0",
        "id": event_id(alert.alert_id, alert.revision),
        "source": f"/keelwing/{alert.tenant}",
        "type": f"keelwing.alert.{kind}.v1" if feed is None else f"keelwing.feed.{feed}.v1",
        "subject": f"asset/{alert.asset_id}" if alert.asset_id else alert.asset,
        "time": to_rfc3339(alert.updated_us),
        "datacontenttype": "application/json",
        "data": body_of(alert) | {"evidence": bounded_evidence(alert.evidence)},
    }


def event_id(key: str, revision: int) -> str:
    """Id of the event that tells of one revision of one thing: `evt_` and 32 hex digits of BLAKE2b."""
    return "evt_" + blake2b(f"{key}\x1f{revision}".encode(), digest_size=16).hexdigest()


def bounded_evidence(evidence: dict[str, Any]) -> dict[str, Any]:
    """The evidence as it is, or its smallest members that fit `EVIDENCE_BYTES_MAX` as JSON, with what was left out."""
    if len(msgspec.json.encode(evidence)) <= EVIDENCE_BYTES_MAX:
        return evidence
    sizes = {name: len(msgspec.json.encode({name: member})) for name, member in evidence.items()}
    left_bytes, kept = EVIDENCE_BYTES_MAX - 2_500, set[str]()  # 2,500: the flag and up to 20 names of 100 characters
    for name in sorted(sizes, key=lambda name: (sizes[name], name)):
        if sizes[name] > left_bytes:
            break
        left_bytes -= sizes[name]
        kept.add(name)
    omitted = [name[:100] for name in evidence if name not in kept][:20]
    return {name: member for name, member in evidence.items() if name in kept} | {"truncated": True, "omitted": omitted}


def _open(finding: FindingRow, at_us: int, lease_id: str | None) -> AlertChange:
    over = _ends_by_itself(finding.severity, finding)
    alert = Alert(
        alert_id=alert_id_of(finding),
        tenant=finding.tenant,
        asset_id=finding.asset_id or None,
        asset=finding.asset,
        lease_id=lease_id,
        rule=finding.rule,
        subject=finding.subject,
        severity=finding.severity,
        status="resolved" if over else "open",
        opened_us=finding.opened_us,
        updated_us=at_us,
        closed_us=finding.closed_us if over else None,
        revision=1,
        evidence=_evidence_of(finding),
        finding_ids=(finding.finding_id,),
    )
    kind: ChangeKind = "resolved" if over else "opened"
    return AlertChange(kind=kind, alert=alert, before_status=None, before_severity=None, notify=True)


def _renew(alert: Alert, finding: FindingRow, at_us: int) -> AlertChange | None:
    """An emission that stands meets the active alert of its key."""
    now = _with_finding(alert, finding)
    rises = SEVERITY_RANK[now.severity] > SEVERITY_RANK[alert.severity]
    if _live_ids(now)[-1] == finding.finding_id and _ends_by_itself(now.severity, finding):
        return _change("resolved", alert, at_us, notify=True, now=now, status="resolved", closed_us=finding.closed_us)
    if rises:
        return _change("updated", alert, at_us, notify=True, now=now, status="open")
    return None if now == alert else _change("updated", alert, at_us, notify=False, now=now)


def _reconsider(alert: Alert, finding: FindingRow, at_us: int) -> AlertChange | None:
    """An emission that stands meets the closed alert it once belonged to."""
    now = _with_finding(alert, finding)
    over = _ends_by_itself(now.severity, finding)
    by_episode = alert.status == "resolved" and "closed_at" in alert.evidence
    if alert.status == "retracted" and over:
        return _change("resolved", alert, at_us, notify=True, now=now, status="resolved", closed_us=finding.closed_us)
    rises = SEVERITY_RANK[now.severity] > SEVERITY_RANK[alert.severity]
    if rises or alert.status == "retracted" or (by_episode and finding.closed_us is None):
        return _change("opened", alert, at_us, notify=True, now=now, status="open", closed_us=None)
    if by_episode and over and now != alert:
        return _change("updated", alert, at_us, notify=False, now=now, closed_us=finding.closed_us)
    return None


def _withdraw(alert: Alert, finding: FindingRow, at_us: int) -> AlertChange | None:
    """A finding of this alert is no more. A person's dismissal stands: it said the same."""
    if alert.status in {"dismissed", "retracted"} or finding.finding_id not in _live_ids(alert):
        return None
    gone = [*alert.evidence.get(RETRACTED_IDS, []), finding.finding_id]
    now = msgspec.structs.replace(alert, evidence={**alert.evidence, RETRACTED_IDS: gone})
    if _live_ids(now):
        return _change("updated", alert, at_us, notify=False, now=now)
    return _change("retracted", alert, at_us, notify=True, now=now, status="retracted", closed_us=at_us)


def _live_ids(alert: Alert) -> tuple[str, ...]:
    """The findings of the alert that are not retracted, the latest last."""
    gone = alert.evidence.get(RETRACTED_IDS, [])
    return tuple(one for one in alert.finding_ids if one not in gone)


def _with_finding(alert: Alert, finding: FindingRow) -> Alert:
    """The alert as this emission has it, its status and revision untouched.

    Its severity is the highest it ever had: a critical alert is a person's to end, even when its finding is revised to warning.
    The evidence is that of the finding that joined last of those not retracted.
    """
    ids = alert.finding_ids
    if finding.finding_id not in ids:
        ids = (*ids[:1], *(*ids[1:], finding.finding_id)[-(FINDING_IDS_MAX - 1) :])
    gone = [one for one in alert.evidence.get(RETRACTED_IDS, []) if one != finding.finding_id and one in ids]
    live = [one for one in ids if one not in gone]
    evidence = _evidence_of(finding) if live[-1] == finding.finding_id else dict(alert.evidence)
    evidence.pop(RETRACTED_IDS, None)
    return msgspec.structs.replace(
        alert,
        severity=max(alert.severity, finding.severity, key=SEVERITY_RANK.__getitem__),
        opened_us=finding.opened_us if live == [finding.finding_id] else min(alert.opened_us, finding.opened_us),
        finding_ids=ids,
        evidence=evidence | ({RETRACTED_IDS: gone} if gone else {}),
    )


def _ends_by_itself(severity: str, finding: FindingRow) -> bool:
    """Whether the end of this episode ends the duty: a warning's that lasted; not a critical one's, not a point event's."""
    return severity == "warning" and finding.closed_us is not None and finding.closed_us != finding.opened_us


def _key(one: Alert | FindingRow) -> tuple[str, str, str, str | None]:
    return (one.tenant, one.asset_id or one.asset, one.rule, one.subject)


def _was_over(finding: FindingRow, before_us: int) -> bool:
    """Whether an episode's duty had ended by itself before an instant."""
    return _ends_by_itself(finding.severity, finding) and finding.closed_us is not None and finding.closed_us <= before_us


def _evidence_of(finding: FindingRow) -> dict[str, Any]:
    """The finding's evidence with what makes it traceable. JSON values only, so that a stored copy compares equal."""
    evidence = {
        **finding.evidence,
        "finding_id": finding.finding_id,
        "rule_version": finding.rule_version,
        "detected_at": to_rfc3339(finding.detected_us),
    }
    if finding.score is not None:
        evidence["score"] = finding.score
    if finding.closed_us is not None:
        evidence["closed_at"] = to_rfc3339(finding.closed_us)
    return msgspec.json.decode(msgspec.json.encode(evidence), type=dict[str, Any])


def _change(
    kind: ChangeKind,
    before: Alert,
    at_us: int,
    *,
    notify: bool,
    now: Alert | None = None,
    who: str | None = None,
    reason: str | None = None,
    **fields: Any,
) -> AlertChange:
    """`now` (or `before`) with `fields`, one revision on."""
    alert = msgspec.structs.replace(
        now or before, revision=before.revision + 1, updated_us=max(before.updated_us, at_us), **fields
    )
    return AlertChange(
        kind=kind,
        alert=alert,
        before_status=before.status,
        before_severity=before.severity,
        notify=notify,
        who=who,
        reason=reason,
    )


def _illegal(alert: Alert, code: Literal["not_open", "already_acknowledged", "reason_missing"], detail: str) -> IllegalTransition:
    return IllegalTransition(alert_id=alert.alert_id, status=alert.status, code=code, detail=detail)
