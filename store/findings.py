"""Findings as append-only revisions: a difference is a new row, a retraction is a new row, nothing is edited."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from fleet.instants import to_datetime
from fleet.shards import SHARDS
from store import staging
from store.pool import Connection
from store.queries import load
from store.rows import FindingRow

SQL = load("findings")


class FindingRevision(msgspec.Struct, frozen=True):
    """A finding as one commit left it; `previous` is what it was before (when this commit wrote it: None for a new one)."""

    row: FindingRow
    revision: int
    commit_no: int
    previous: FindingRow | None = None


async def write(conn: Connection, rows: Sequence[FindingRow], commit_nos: Mapping[int, int]) -> list[FindingRevision]:
    """Write what differs from the current revisions, in the order given; several rows of one finding are several revisions.

    A row that says the same as the current revision writes nothing; `detected_at` is not compared (design 4.2: the same
    finding may be decided at another instant). A retraction of a finding that was never written writes nothing.

    Args:
        conn: inside the transaction that `commits.begin` numbered.
        rows: as `detect` emitted them.
        commit_nos: the commit number of each row's shard.

    Returns:
        The revisions written, in order.
    """
    if not rows:
        return []
    cursor = await conn.execute(SQL["hold"], {"finding_ids": sorted({row.finding_id for row in rows})})
    held = {row["finding_id"]: revision_of(row) for row in await cursor.fetchall()}
    current = dict(held)
    written: list[FindingRevision] = []
    for row in rows:
        before = current.get(row.finding_id)
        if row.retracted if before is None else same(row, before.row):
            continue
        revision = FindingRevision(
            row, 1 if before is None else before.revision + 1, commit_nos[row.shard], None if before is None else before.row
        )
        current[row.finding_id] = revision
        written.append(revision)
    await _supersede(conn, [(held[one.row.finding_id], one) for one in _first_of_each(written) if one.row.finding_id in held])
    if written:
        last = {id(one) for one in current.values()}
        await conn.execute(SQL["insert"], _binds(written, [None if id(one) in last else one.commit_no for one in written]))
    return written


async def current(conn: Connection, asset_id: str, from_us: int) -> list[FindingRevision]:
    """An asset's findings that reach into the time from an instant on (open, closed or detected there), not retracted."""
    cursor = await conn.execute(SQL["current"], {"asset_id": asset_id, "from": to_datetime(from_us)})
    return [revision_of(row) for row in await cursor.fetchall()]


def same(one: FindingRow, other: FindingRow) -> bool:
    """Whether two rows say the same of a finding: all fields but `detected_us` (and the shard, which follows the asset)."""
    return _comparable(one) == _comparable(other)


async def _supersede(conn: Connection, pairs: Sequence[tuple[FindingRevision, FindingRevision]]) -> None:
    if not pairs:
        return
    binds = {
        "finding_id": [held.row.finding_id for held, _ in pairs],
        "revision": [held.revision for held, _ in pairs],
        "commit_no": [following.commit_no for _, following in pairs],
    }
    await conn.execute(SQL["supersede"], binds)


def _first_of_each(written: Iterable[FindingRevision]) -> list[FindingRevision]:
    first: dict[str, FindingRevision] = {}
    for one in written:
        first.setdefault(one.row.finding_id, one)
    return list(first.values())


def _comparable(row: FindingRow) -> FindingRow:
    evidence = msgspec.json.decode(msgspec.json.encode(row.evidence))  # tuples become lists, as the table gives them back
    return msgspec.structs.replace(row, detected_us=0, shard=0, evidence=evidence)


def _binds(written: Sequence[FindingRevision], superseded_by: Sequence[int | None]) -> dict[str, list[Any]]:
    rows = [one.row for one in written]
    return {
        "finding_id": [row.finding_id for row in rows],
        "revision": [one.revision for one in written],
        "tenant": [row.tenant for row in rows],
        "asset_id": [row.asset_id or None for row in rows],
        "asset": [row.asset for row in rows],
        "rule": [row.rule for row in rows],
        "rule_version": [row.rule_version for row in rows],
        "severity": [row.severity for row in rows],
        "subject": [row.subject for row in rows],
        "opened_at": [to_datetime(row.opened_us) for row in rows],
        "closed_at": [None if row.closed_us is None else to_datetime(row.closed_us) for row in rows],
        "detected_at": [to_datetime(row.detected_us) for row in rows],
        "score": [row.score for row in rows],
        "evidence": [staging.json(row.evidence) for row in rows],
        "retracted": [row.retracted for row in rows],
        "commit_no": [one.commit_no for one in written],
        "superseded_by": list(superseded_by),
    }


def revision_of(row: Mapping[str, Any]) -> FindingRevision:
    """A row of the table, with all its columns, as a revision."""
    finding = FindingRow(
        finding_id=row["finding_id"],
        tenant=row["tenant"],
        asset_id=row["asset_id"] or "",
        shard=row["commit_no"] % SHARDS,
        asset=row["asset"],
        rule=row["rule"],
        rule_version=row["rule_version"],
        severity=row["severity"],
        subject=row["subject"],
        opened_us=row["opened_at"],
        closed_us=row["closed_at"],
        detected_us=row["detected_at"],
        score=row["score"],
        evidence=row["evidence"],
        retracted=row["retracted"],
    )
    return FindingRevision(finding, row["revision"], row["commit_no"])
