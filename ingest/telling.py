"""What is told of a transaction's changes: incidents made anew, holds and budgets asked, decisions and events written.

`alerts.incident`, `alerts.hold`, `alerts.budget` and `alerts.telling` decide; this module brings them the rows that they need,
no more than a batch's findings call for, and writes what they say. It decides what leaves for webhooks and nothing else:
findings and alerts were written before, and are what they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from alerts import budget, hold, lifecycle
from alerts.incident import PAIRED, WINDOW_US, Incident, Member, incidents_of
from alerts.telling import TOLD, Candidate, Notice, decide, severities_told, told_later
from fleet.shards import shard_of
from ingest.ports import Transaction
from store.incidents import IncidentRevision
from store.rows import AlertRow, BudgetRow, EventRow, FindingRow, IncidentRow, MemberRow, NoticeRow, Stretch

Change = tuple[lifecycle.AlertChange, FindingRow]
About = tuple[str, str]
"""(tenant, asset id, or what a finding without an asset is about)."""


class Grouped(msgspec.Struct, kw_only=True):
    """What a batch's findings make of incidents: incident by finding, findings that moved, revisions to write.

    `is_loosened`: an incident lost something serious, so that what it spoke for may have to speak for itself.
    """

    of_finding: dict[str, str] = {}
    moved: dict[str, str] = {}
    revisions: list[IncidentRevision] = []
    is_loosened: bool = False


class Told(msgspec.Struct, kw_only=True):
    """Decisions and events to write."""

    notices: list[NoticeRow] = []
    events: list[EventRow] = []


async def regroup(tx: Transaction, rows: Sequence[FindingRow], changed: Collection[str]) -> Grouped:
    """The incidents that a batch's findings make with those that stand.

    Args:
        tx: after the findings were written.
        rows: emissions in their order, retractions too.
        changed: ids of findings that changed an alert.
    """
    last = {row.finding_id: row for row in rows}
    asked = [row for row in last.values() if row.rule in PAIRED or _is_serious(row) or row.retracted or row.finding_id in changed]
    paired = [row for row in asked if row.asset_id and row.rule in PAIRED]
    alone = [row for row in asked if not (row.asset_id and row.rule in PAIRED)]
    own = {incident.incident_id: row for row in alone for incident in _alone(row)}
    if not asked:
        return Grouped()
    stretches = _stretches(paired)
    stored = {
        one.row.incident_id: one for one in await tx.incidents_around(stretches, [row.finding_id for row in asked], list(own))
    }
    found: dict[str, tuple[Incident, FindingRow]] = {
        incident.incident_id: (incident, row) for row in alone for incident in _alone(row) if not row.retracted
    }
    if paired and (stored or any(_is_serious(row) for row in paired)):
        held_ids = [finding_id for one in stored.values() for finding_id in one.row.finding_ids]
        members = await tx.members_around(stretches, PAIRED, held_ids)
        found |= _components(paired, members, {*last, *held_ids})
    missing = found.keys() - stored.keys()
    if missing:
        stored |= {one.row.incident_id: one for one in await tx.incidents_around([], [], sorted(missing))}
    return _differences(stored, found)


def _components(
    paired: Sequence[FindingRow], stored: Iterable[MemberRow], concerned: Collection[str]
) -> dict[str, tuple[Incident, FindingRow]]:
    """The incidents of the batch's assets that hold one of the findings in question, by id, each with a row of its asset."""
    members: dict[About, dict[str, Member]] = defaultdict(dict)
    sample = {_about(row): row for row in reversed(paired)}
    for one in stored:
        members[one.tenant, one.asset_id][one.finding_id] = _member(one)
    for row in paired:
        if row.retracted:
            members[_about(row)].pop(row.finding_id, None)
        else:
            members[_about(row)][row.finding_id] = _member(row)
    found: dict[str, tuple[Incident, FindingRow]] = {}
    for about, row in sample.items():
        for incident in incidents_of(*about, members[about].values()):
            if any(one.finding_id in concerned for one in incident.members):
                found[incident.incident_id] = (incident, row)
    return found


def _differences(stored: Mapping[str, IncidentRevision], found: Mapping[str, tuple[Incident, FindingRow]]) -> Grouped:
    """Revisions that bring the stored incidents to those that were found."""
    grouped = Grouped(of_finding={one.finding_id: each for each, (incident, _) in found.items() for one in incident.members})
    for incident_id, (incident, row) in found.items():
        now, before = _incident_row(incident, row), stored.get(incident_id)
        if before is None:
            grouped.revisions.append(IncidentRevision(now, 1))
        elif msgspec.structs.replace(before.row, shard=now.shard, asset=now.asset) != now:
            grouped.revisions.append(IncidentRevision(now, before.revision + 1))
    for incident_id, before in stored.items():
        if before.row.retracted:
            continue
        moved = {one: grouped.of_finding[one] for one in before.row.finding_ids if one in grouped.of_finding}
        moved = {one: other for one, other in moved.items() if other != incident_id}
        grouped.moved |= moved
        grouped.is_loosened |= bool(moved) or any(one not in grouped.of_finding for one in before.row.finding_ids)
        if incident_id not in found:
            heir = next(iter(moved.values()), None)
            shard = shard_of(before.row.asset_id or before.row.asset)
            gone = msgspec.structs.replace(before.row, retracted=True, merged_into=heir, shard=shard)
            grouped.revisions.append(IncidentRevision(gone, before.revision + 1))
    return grouped


async def tell(
    tx: Transaction,
    changes: Sequence[Change],
    rows: Sequence[FindingRow],
    grouped: Grouped,
    numbers: Mapping[int, int],
    at_us: int,
) -> list[EventRow]:
    """Decide what is told of a batch's changes, write the decisions, and give the events in the order of the changes.

    Args:
        tx: after alerts and incidents were written.
        changes: of alerts, each with the finding that made it.
        rows: emissions of the batch, which may begin or end a hold.
        grouped: from `regroup`.
        numbers: the transaction's commit numbers by shard.
        at_us: wall time.
    """
    told = Told()
    heard = [(change, row) for change, row in changes if change.notify]
    if heard or grouped.is_loosened:
        await _decide(tx, heard, rows, grouped, told, at_us)
    ended = [row for row in {row.finding_id: row for row in rows}.values() if row.rule in hold.HOLDING_RULES]
    for cause in ended:
        if cause.retracted or cause.closed_us is not None:
            await _release(tx, cause, told, at_us)
    return await _written(tx, told, numbers)


async def _decide(
    tx: Transaction, heard: Sequence[Change], rows: Sequence[FindingRow], grouped: Grouped, told: Told, at_us: int
) -> None:
    """Announcements and ends, tenant by tenant in one order (a tenant's budget is locked)."""
    alert_ids = {change.alert.alert_id for change, _ in heard}
    about = await tx.notices_about(sorted(alert_ids), sorted(grouped.of_finding))
    notices: dict[str, list[Notice]] = defaultdict(list)
    for one in about:
        notices[one.alert_id].append(notice_of(one))
    candidates = await _candidates(tx, heard, rows, grouped, at_us)
    if grouped.is_loosened:
        candidates += await _left_alone(tx, notices, alert_ids, grouped)
    severities = severities_told([one for each in notices.values() for one in each], grouped.of_finding)
    for tenant in sorted({one.change.alert.tenant for one in candidates}):
        ours = [one for one in candidates if one.change.alert.tenant == tenant]
        account = await _account(tx, tenant, ours, told, at_us)
        decided, after = decide(ours, notices, severities, account)
        if after is not None and after != account:
            await tx.write_budget(BudgetRow(**msgspec.structs.asdict(after)))
        _note(ours, decided, told, at_us)


async def _candidates(
    tx: Transaction, heard: Sequence[Change], rows: Sequence[FindingRow], grouped: Grouped, at_us: int
) -> list[Candidate]:
    """The changes with what decides about them: what explains them, how improbable they are, what is exposed."""
    mayhap = [row for _, row in heard if row.asset_id and hold.may_be_held(row.rule, row.severity)]
    causes, origins = await _causes(tx, mayhap, rows)
    of_models = sorted({row.asset_id for _, row in heard if row.asset_id and _is_limited(row)})
    exposures = await tx.exposures_of(of_models, at_us) if of_models else {}
    return [
        Candidate(
            change=change,
            finding_id=row.finding_id,
            incident_id=grouped.of_finding.get(row.finding_id, change.alert.incident_id),
            p_value=budget.p_value_of(row) if _is_limited(row) else None,
            hold=hold.hold_of(row, causes, origins.get(row.asset_id)) if causes else None,
            exposure=exposures.get(row.asset_id, (False, 0.0)),
        )
        for change, row in heard
    ]


async def _causes(
    tx: Transaction, mayhap: Sequence[FindingRow], rows: Sequence[FindingRow]
) -> tuple[list[FindingRow], dict[str, str]]:
    """Open findings that may explain others, and who spoke last of those others where that matters."""
    if not mayhap:
        return [], {}
    stands = {one.finding_id: one for one in await tx.causes_of_holds({row.tenant for row in mayhap}, hold.HOLDING_RULES)}
    stands |= {row.finding_id: row for row in rows if row.rule in hold.HOLDING_RULES}
    causes = [one for one in stands.values() if one.closed_us is None and not one.retracted]
    if not any(one.rule == hold.FEED_SILENT for one in causes):
        return causes, {}
    return causes, await tx.origins_of(sorted({row.asset_id for row in mayhap}))


async def _left_alone(
    tx: Transaction, notices: Mapping[str, Sequence[Notice]], changing: Collection[str], grouped: Grouped
) -> list[Candidate]:
    """Alerts that nobody was told of because their incident was told, in case it does not speak for them any more."""
    silent = {
        alert_id: each[-1]
        for alert_id, each in notices.items()
        if each[-1].verdict == "same_incident" and alert_id not in changing and each[-1].finding_id in grouped.of_finding
    }
    return [
        Candidate(
            change=_opening(alert),
            finding_id=silent[alert.alert_id].finding_id,
            incident_id=grouped.of_finding[silent[alert.alert_id].finding_id],
        )
        for alert in (await tx.alerts_of(sorted(silent)) if silent else ())
        if alert.status == "open"
    ]


async def _account(
    tx: Transaction, tenant: str, candidates: Sequence[Candidate], told: Told, at_us: int
) -> budget.Account | None:
    """A tenant's week, locked, where a model's warning is among the candidates; a new one first lets through what waited."""
    if not any(one.p_value is not None and one.hold is None and one.change.alert.severity == "warning" for one in candidates):
        return None
    return await week_of(tx, tenant, told, at_us)


async def week_of(tx: Transaction, tenant: str, told: Told, at_us: int) -> budget.Account:
    """A tenant's week of an instant, locked until the transaction ends. When it begins, what waited is told while it lasts."""
    held = await tx.hold_budget(tenant)
    last = None if held is None else budget.Account(**msgspec.structs.asdict(held))
    if last is not None and last.week_us >= budget.week_of(at_us):
        return last
    fleet = await tx.fleet_of(tenant, at_us)
    rate = budget.WARNINGS_PER_ASSET_MONTH if fleet.rate is None else fleet.rate
    account = budget.opened(tenant, at_us, fleet.assets, rate, last)
    waiting = [] if last is None else await tx.over_budget(tenant)
    if waiting:
        account = await _let_through(tx, waiting, account, told, at_us)
    await tx.write_budget(BudgetRow(**msgspec.structs.asdict(account)))
    return account


async def open_week(tx: Transaction, tenant: str, numbers: Mapping[int, int], at_us: int) -> int:
    """Begin a tenant's week if it has not begun, and tell what waited for it; how many events left.

    Args:
        tx: inside a numbered transaction.
        tenant: whose.
        numbers: the transaction's commit numbers by shard.
        at_us: wall time.
    """
    told = Told()
    await week_of(tx, tenant, told, at_us)
    events = await _written(tx, told, numbers)
    if events:
        await tx.insert_events(events)
    return len(events)


async def _written(tx: Transaction, told: Told, numbers: Mapping[int, int]) -> list[EventRow]:
    """Write the decisions; the events with their commit's number."""
    await tx.write_notices(told.notices, numbers)
    default = next(iter(numbers.values()))
    return [msgspec.structs.replace(event, commit_no=numbers.get(event.commit_no or 0, default)) for event in told.events]


async def _let_through(
    tx: Transaction, waiting: Sequence[NoticeRow], account: budget.Account, told: Told, at_us: int
) -> budget.Account:
    """Of what waited for a new week: what stands still is told in order of exposure, what does not waits no more."""
    by_alert = {one.alert_id: one for one in waiting}
    alerts = await tx.alerts_of(sorted(by_alert))
    exposures = await tx.exposures_of(sorted({one.asset_id for one in alerts if one.asset_id}), at_us)
    candidates = [
        Candidate(
            change=_opening(alert),
            finding_id=by_alert[alert.alert_id].finding_id,
            incident_id=alert.incident_id,
            p_value=by_alert[alert.alert_id].why.get("p_value"),
            exposure=exposures.get(alert.asset_id, (False, 0.0)),
        )
        for alert in alerts
        if alert.status == "open"
    ]
    decided, account = told_later(candidates, await _told_of(tx, candidates), account)
    _note(candidates, decided, told, at_us)
    return account


async def _told_of(tx: Transaction, candidates: Sequence[Candidate]) -> dict[str, str]:
    """The severity at which the incidents of some alerts were told so far."""
    wanted = sorted({one.incident_id for one in candidates if one.incident_id is not None})
    incidents = await tx.incidents_around([], [], wanted)
    members = {finding_id: one.row.incident_id for one in incidents for finding_id in one.row.finding_ids}
    return severities_told([notice_of(one) for one in await tx.notices_about([], sorted(members))], members)


async def _release(tx: Transaction, cause: FindingRow, told: Told, at_us: int) -> None:
    """A hold is over: what it held and still stands is told in one summary, the rest to nobody."""
    held = await tx.held_by([cause.finding_id])
    waiting = {one.alert_id: one for one, is_waiting in held if is_waiting}
    if not waiting:
        return
    alerts = {one.alert_id: one for one in await tx.alerts_of(sorted(waiting))}
    standing = [lifecycle_alert(one) for one in alerts.values() if one.status == "open"]
    ended = len({one.alert_id for one, _ in held}) - len(standing)
    event = hold.summary_of(cause, standing, ended, at_us)
    if standing:
        severity = max((one.severity for one in standing), key=lifecycle.SEVERITY_RANK.__getitem__)
        told.events.append(
            EventRow(
                event_id=event["id"], tenant=cause.tenant, type=event["type"], subject=event["subject"], severity=severity,
                time_us=at_us, body=event, commit_no=cause.shard,
            )
        )  # fmt: skip
    stands = {one.alert_id for one in standing}
    for alert_id, one in waiting.items():
        is_told = alert_id in stands
        revision = alerts[alert_id].revision if alert_id in alerts else one.revision
        told.notices.append(
            msgspec.structs.replace(
                one, revision=revision, verdict="released" if is_told else "let_go", kind="opened", decided_us=at_us,
                event_id=event["id"] if is_told else None, why={"because": "hold_over", "about": cause.asset},
                shard=shard_of(one.asset_id or one.asset),
            )
        )  # fmt: skip


def _note(candidates: Sequence[Candidate], decided: Sequence[Notice], told: Told, at_us: int) -> None:
    """Decisions as rows, and the events that they send, in the order of the changes."""
    by_change = {(one.alert_id, one.revision): one for one in decided}
    for one in candidates:
        change, notice = one.change, by_change.get((one.change.alert.alert_id, one.change.alert.revision))
        if notice is None:
            continue
        shard = shard_of(change.alert.asset_id or change.alert.asset)
        if notice.verdict in TOLD:
            event = lifecycle.event_of(change)
            notice = msgspec.structs.replace(notice, event_id=event["id"])
            told.events.append(_event_row(change.alert, event, shard))
        told.notices.append(notice_row(notice, change.alert, shard, at_us))


def notice_row(notice: Notice, alert: lifecycle.Alert, shard: int, at_us: int) -> NoticeRow:
    """A decision about an alert as a row."""
    fields = msgspec.structs.asdict(notice)
    return NoticeRow(
        tenant=alert.tenant, shard=shard, asset_id=alert.asset_id or "", asset=alert.asset, decided_us=at_us, **fields
    )  # fmt: skip


def notice_of(row: NoticeRow) -> Notice:
    """A row as the decision it keeps."""
    return msgspec.convert(row, Notice, from_attributes=True)


def lifecycle_alert(row: AlertRow) -> lifecycle.Alert:
    """An alert's row as `alerts.lifecycle` knows it."""
    fields = msgspec.structs.asdict(row)
    return lifecycle.Alert(**fields | {"asset_id": row.asset_id or None})


def _event_row(alert: lifecycle.Alert, event: dict[str, object], shard: int) -> EventRow:
    """The event for the outbox; its commit is numbered by `_written`, which finds the shard in `commit_no`."""
    return EventRow(
        event_id=str(event["id"]), tenant=alert.tenant, type=str(event["type"]), subject=str(event["subject"]),
        severity=alert.severity, time_us=alert.updated_us, body=event, commit_no=shard,
    )  # fmt: skip


def _opening(alert: AlertRow) -> lifecycle.AlertChange:
    """The announcement of an alert that is open already, as it stands."""
    return lifecycle.AlertChange(
        kind="opened", alert=lifecycle_alert(alert), before_status=None, before_severity=None, notify=True
    )  # fmt: skip


def _is_serious(row: FindingRow) -> bool:
    return not row.retracted and lifecycle.SEVERITY_RANK[row.severity] >= lifecycle.SEVERITY_RANK["warning"]


def _is_limited(row: FindingRow) -> bool:
    """Whether the budget of models has a say in it."""
    return row.severity == "warning" and budget.is_of_a_model(row)


def _about(row: FindingRow) -> About:
    return (row.tenant, row.asset_id or row.asset)


def _member(one: FindingRow | MemberRow) -> Member:
    return Member(
        finding_id=one.finding_id, rule=one.rule, severity=one.severity, opened_us=one.opened_us, closed_us=one.closed_us
    )  # fmt: skip


def _alone(row: FindingRow) -> list[Incident]:
    """The incident that a finding is for itself; none for one of info."""
    return incidents_of(*_about(row), [_member(row)])


def _stretches(rows: Sequence[FindingRow]) -> list[Stretch]:
    """For each asset the time in which others may be tied to its findings."""
    spans: dict[str, tuple[int, int]] = {}
    for row in rows:
        from_us, to_us = spans.get(row.asset_id, (row.opened_us, row.opened_us))
        spans[row.asset_id] = (min(from_us, row.opened_us), max(to_us, row.opened_us, row.closed_us or row.opened_us))
    return [
        Stretch(asset_id=asset_id, from_us=from_us - WINDOW_US, to_us=to_us + WINDOW_US)
        for asset_id, (from_us, to_us) in spans.items()
    ]


def _incident_row(incident: Incident, row: FindingRow) -> IncidentRow:
    return IncidentRow(
        incident_id=incident.incident_id,
        tenant=row.tenant,
        shard=row.shard,
        asset_id=row.asset_id,
        asset=row.asset,
        severity=incident.severity,
        rules=tuple(sorted({one.rule for one in incident.members})),
        opened_us=incident.opened_us,
        closed_us=incident.closed_us,
        finding_ids=tuple(one.finding_id for one in incident.members),
    )
