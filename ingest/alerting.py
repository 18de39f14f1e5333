"""From emissions of findings to rows, alerts and events, inside the batch's transaction.

`alerts.lifecycle` decides what an emission does to an alert; this module brings it the alerts that stand, emission by emission,
and writes what it says: the alert and its history, the events that `ingest.telling` lets leave, and a line for the open pages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from alerts import lifecycle
from detect.model import Finding
from fleet.instants import to_rfc3339
from fleet.shards import shard_of
from ingest.ports import Transaction
from ingest.telling import Grouped, lifecycle_alert, regroup, tell
from ingest.watch import Watch
from store.rows import AlertChangeRow, AlertRow, FindingRow, LiveRow


class Raised(msgspec.Struct, frozen=True, kw_only=True):
    """What a batch's findings did to the alerts: how many changes were written, and the alerts opened by severity."""

    changes: int = 0
    opened: Counter[str] = msgspec.field(default_factory=Counter)


def rows_of(findings: Sequence[Finding], watch: Watch) -> list[FindingRow]:
    """Each emission as a row of its asset's tenant, under the id by which the episode is stored."""
    return [
        row_of(finding, watch[finding.asset_id].tenant, watch[finding.asset_id].stored_id(finding.id)) for finding in findings
    ]


def row_of(finding: Finding, tenant: str, finding_id: str, *, retracted: bool = False) -> FindingRow:
    """One emission as a row."""
    return FindingRow(
        finding_id=finding_id,
        tenant=tenant,
        asset_id=finding.asset_id,
        shard=shard_of(finding.asset_id),
        asset=finding.asset,
        rule=finding.rule,
        rule_version=finding.rule_version,
        severity=finding.severity,
        subject=finding.subject,
        opened_us=finding.opened_at_us,
        closed_us=finding.closed_at_us,
        detected_us=finding.detected_at_us,
        score=finding.score,
        evidence=finding.evidence,
        retracted=retracted,
    )


async def raise_alerts(tx: Transaction, rows: Sequence[FindingRow], commit_nos: Mapping[int, int], at_us: int) -> Raised:
    """Let each emission do to the alerts what it does, and write the changes.

    Args:
        tx: inside the numbered transaction that wrote the findings.
        rows: emissions in their order, retractions too.
        commit_nos: by shard.
        at_us: wall time, when we learned it.

    Returns: how many changes were written, and what was opened.
    """
    if not rows:
        return Raised()
    standing = [lifecycle_alert(row) for row in await tx.open_alerts(rows)]
    changes: list[tuple[lifecycle.AlertChange, FindingRow]] = []
    for row in rows:
        known = lifecycle.holding(standing, row)
        asks = known is None and row.severity != "info" and row.asset_id  # a feed or a region is under no lease
        lease_id = await tx.lease_at(row.asset_id, row.opened_us) if asks else None
        change = lifecycle.tell(standing, row, at_us, lease_id)
        if change is None:
            continue
        standing = [known for known in standing if known.alert_id != change.alert.alert_id] + [change.alert]
        changes.append((change, row))
    grouped = await regroup(tx, rows, {row.finding_id for _, row in changes})
    changes = [(_in_incident(change, row, grouped), row) for change, row in changes]
    await tx.write_alerts([_change_row(change, row) for change, row in changes], commit_nos)
    await tx.write_incidents(grouped.revisions, commit_nos)
    await tx.assign_incidents(grouped.moved)
    events = await tell(tx, changes, rows, grouped, commit_nos, at_us)
    if events:
        await tx.insert_events(events)
    pages = [LiveRow(tenant=row.tenant, kind="finding", asset_id=row.asset_id, body=finding_body(row)) for row in _last(rows)]
    pages += [
        LiveRow(tenant=row.tenant, kind="alert", asset_id=row.asset_id, body=lifecycle.body_of(change.alert))
        for change, row in changes
    ]
    await tx.insert_live(pages)
    opened = Counter(change.alert.severity for change, _ in changes if change.kind == "opened")
    return Raised(changes=len(changes), opened=opened)


def finding_body(row: FindingRow) -> dict[str, object]:
    """A finding in the shape of the contract's finding lines, with RFC 3339 times."""
    return {
        "rule": row.rule,
        "severity": row.severity,
        "asset": row.asset,
        "subject": row.subject,
        "opened_at": to_rfc3339(row.opened_us),
        "closed_at": None if row.closed_us is None else to_rfc3339(row.closed_us),
        "detected_at": to_rfc3339(row.detected_us),
        "score": row.score,
        "evidence": row.evidence,
        "id": row.finding_id,
        "rule_version": row.rule_version,
        "retracted": row.retracted,
        "asset_id": row.asset_id or None,
    }


def _last(rows: Sequence[FindingRow]) -> list[FindingRow]:
    return list({row.finding_id: row for row in rows}.values())


def _in_incident(change: lifecycle.AlertChange, row: FindingRow, grouped: Grouped) -> lifecycle.AlertChange:
    incident_id = grouped.of_finding.get(row.finding_id)
    if incident_id is None:
        return change
    return msgspec.structs.replace(change, alert=msgspec.structs.replace(change.alert, incident_id=incident_id))


def _change_row(change: lifecycle.AlertChange, row: FindingRow) -> AlertChangeRow:
    fields = msgspec.structs.asdict(change.alert)
    return AlertChangeRow(
        alert=AlertRow(**fields | {"asset_id": change.alert.asset_id or ""}),
        shard=row.shard,
        change=change.kind,
        actor=change.who or "keelwing",
        reason=change.reason,
        before_status=change.before_status,
        before_severity=change.before_severity,
    )
