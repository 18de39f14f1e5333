"""Who is it, does the air say: each batch's static reports laid beside the records, by the rule `identity_changed`.

The rule judges all that was ever said of an asset at once (`store.identity_runs` keeps it short), so it needs no state and no
order of arrival, and is asked again when the records change (`ingest.rederive`). Only who says something new is looked at.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

from detect.identity_changed import NAME, differs, judge, said
from fleet.reading import StaticReport
from ingest.alerting import Raised, raise_alerts, row_of
from ingest.loading import BEGINNING_US
from ingest.ports import Transaction
from ingest.roster import Roster
from store.rows import StepBatch

KNOWN_MAX = 1_000_000  # assets remembered; chosen: as many as a worker may hold
SETTLED_REPORTS = 3  # chosen: two confirm whatever was said, a third says nothing new


class Heard(msgspec.Struct, frozen=True):
    """What was last said of an asset under one identifier, and how often in a row (at most `SETTLED_REPORTS`)."""

    identity: dict[str, str]
    times: int


class Identities:
    """Which assets' identity reports are in question. Remembers what was committed; forgetting only costs a question."""

    def __init__(self) -> None:
        self._heard: dict[tuple[str, str], Heard] = {}
        self._quiet: set[str] = set()

    async def in_question(
        self, tx: Transaction, roster: Roster, reports: Mapping[str, Iterable[StaticReport]]
    ) -> tuple[set[str], dict[tuple[str, str], Heard]]:
        """The assets to judge, and what is to be remembered once the batch is committed (`keep`).

        Args:
            tx: asked for the findings of an asset that says what is on record, once.
            roster: for the records.
            reports: new ones of this batch by asset.
        """
        wanted: set[str] = set()
        heard: dict[tuple[str, str], Heard] = {}
        for asset_id, given in reports.items():
            records = roster.records(asset_id)
            is_new = False
            for report in sorted(given, key=lambda one: one.time_us):
                key = (asset_id, f"{report.scheme}:{report.value}")
                before, identity = heard.get(key) or self._heard.get(key), said(report)
                times = before.times + 1 if before is not None and before.identity == identity else 1
                heard[key] = Heard(identity, min(times, SETTLED_REPORTS))
                is_new |= times < SETTLED_REPORTS
                is_other = before is not None and times == 1
                is_unrecorded = before is None and bool(identity.keys() - {record.field for record in records})
                if times < SETTLED_REPORTS and (is_other or is_unrecorded or differs(report, records)):
                    wanted.add(asset_id)
            if asset_id in wanted:
                self._quiet.discard(asset_id)
            elif is_new and asset_id not in self._quiet:
                standing = await tx.current_findings(asset_id, BEGINNING_US)
                if any(one.row.rule == NAME and one.row.closed_us is None for one in standing):
                    wanted.add(asset_id)
                else:
                    self._quiet.add(asset_id)
        return wanted, heard

    def keep(self, heard: Mapping[tuple[str, str], Heard]) -> None:
        """Remember what a committed batch said."""
        if len(self._heard) > KNOWN_MAX:
            self._heard.clear()
            self._quiet.clear()
        self._heard |= heard


async def judge_identities(
    tx: Transaction, roster: Roster, asset_ids: Collection[str], commit_nos: Mapping[int, int], at_us: int
) -> Raised:
    """Judge assets by all that was said of them, and write what that changes: findings and what they do to alerts.

    Args:
        tx: inside a numbered transaction, after its static reports were written.
        roster: for the records.
        asset_ids: of the roster; others are left out.
        commit_nos: by shard, for the assets' shards.
        at_us: wall time.
    """
    known = [asset_id for asset_id in sorted(asset_ids) if asset_id in roster.assets]
    if not known:
        return Raised()
    reports = await tx.identity_reports(known)
    rows = []
    for asset_id in known:
        findings = judge(asset_id, reports.get(asset_id, ()), roster.records(asset_id))
        tenant = roster.assets[asset_id].tenant
        rows += [row_of(finding, tenant, finding.id) for finding in findings]
        derived = {finding.id for finding in findings}
        standing = await tx.current_findings(asset_id, BEGINNING_US)
        gone = [one.row for one in standing if one.row.rule == NAME and one.row.finding_id not in derived]
        rows += [msgspec.structs.replace(row, retracted=True) for row in gone]
    if not rows:
        return Raised()
    written = await tx.write(StepBatch(findings=rows), commit_nos)
    return await raise_alerts(tx, [revision.row for revision in written.findings], commit_nos, at_us)
