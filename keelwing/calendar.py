"""What `keelwing daily-pass` does: one pass over lessors' calendars, or a look at what one said of a day. Decides nothing."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from fleet.instants import from_datetime, to_rfc3339
from fleet.obligation import day_of
from ingest.daily_pass import look_back, now_us, run_pass
from store import daily_passes
from store.pool import Pool, open_pool


async def judge_today(database_url: str, tenant: str | None) -> list[dict[str, Any]]:
    """Judge today's calendar of a tenant, or of all, and write what changed; a line for each tenant.

    Raises:
        ValueError: a tenant that has no assets.
    """
    pool = await open_pool(database_url, "keelwing_worker", 2)
    try:
        lines = []
        for name in await _tenants(pool, tenant):
            done = (await run_pass(pool, name, day_of(now_us()), actor="keelwing daily-pass")).done
            lines.append(
                {
                    "tenant": name, "day": done.day.isoformat(), "assets": done.assets, "conditions": done.conditions,
                    "written": done.written,
                }
            )  # fmt: skip
        return lines
    finally:
        await pool.close()


async def say_past(database_url: str, tenant: str | None, day: date, known: datetime | None) -> list[dict[str, Any]]:
    """What was true on a day, as known when it was first judged or at an instant; a line for each condition.

    Raises:
        ValueError: a day that has not come, or a tenant that has no assets.
    """
    if day > day_of(now_us()):
        raise ValueError(f"{day.isoformat()} has not come")
    pool = await open_pool(database_url, "keelwing_worker", 2)
    try:
        known_us = None if known is None else from_datetime(known)
        return [
            {
                "tenant": name, "asset": dossier.name, "rule": one.rule, "severity": one.severity, "subject": one.subject,
                "since": to_rfc3339(one.since_us), "due_on": None if one.due_on is None else one.due_on.isoformat(),
                "evidence": one.evidence,
            }
            for name in await _tenants(pool, tenant)
            for dossier, conditions in await look_back(pool, name, day, known_us)
            for one in conditions
        ]  # fmt: skip
    finally:
        await pool.close()


def sentence_of(line: dict[str, Any]) -> str:
    """A line of either for eyes: what a pass came to, or one condition without its evidence."""
    if "rule" not in line:
        return (
            f"{line['tenant']}: {line['assets']} assets judged for {line['day']}, {line['conditions']} conditions hold, "
            f"{line['written']} revisions written"
        )
    due = "" if line["due_on"] is None else f", due on {line['due_on']}"
    return f"{line['severity']:8}  {line['asset']}  {line['rule']}: {line['subject']} (since {line['since']}{due})"


async def _tenants(pool: Pool, wanted: str | None) -> list[str]:
    async with pool.connection() as conn:
        there = await daily_passes.tenants(conn)
    if wanted is not None and wanted not in there:
        raise ValueError(f"{wanted} has no assets")
    return there if wanted is None else [wanted]
