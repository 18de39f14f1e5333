"""Who knows the truth: every reading that was published, and what an undisturbed run of the same world ends with."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from fleet.instants import HOUR_US
from tests.simulation.run import Run
from tests.simulation.tables import raised
from tests.simulation.world import FLEET, Identity

RECORDED = {f"{scheme}:{value}" for _, _, scheme, value in FLEET if scheme == "mmsi"}


def audit(run: Run, undisturbed: Run) -> list[str]:
    """Everything that is not as it must be, in words; empty when all is well."""
    return [
        *_readings(run),
        *_books(run),
        *_counted_once(run),
        *_numbers(run),
        *_rollups(run),
        *_rejections(run),
        *_alerts(run),
        *_findings(run, undisturbed),
        *_alerts_alike(run, undisturbed),
        *_uses_alike(run, undisturbed),
        *_sightings_alike(run, undisturbed),
    ]


def _some(them: Iterable[Any]) -> str:
    listed = sorted(map(str, them))
    return f"{len(listed)}, the first is {listed[0]}"


def _identity(run: Run, stored: Any) -> Identity:
    _, origin, *_ = run.tables.table("stream_key")[stored.stream_id]
    reading = stored.reading
    return (origin, reading.name, reading.time_us, reading.source, reading.lat_deg)


def _readings(run: Run) -> Iterator[str]:
    """Each published reading is stored exactly once, and nothing else is."""
    stored = Counter(_identity(run, one) for one in run.tables.table("reading").values())
    published = run.world.readings()
    if lost := published - stored.keys():
        yield f"lost: readings that the broker took are not stored: {_some(lost)}"
    if twice := [identity for identity, count in stored.items() if count > 1]:
        yield f"stored twice: {_some(twice)}"
    if invented := stored.keys() - published:
        yield f"invented: {_some(invented)}"


def _books(run: Run) -> Iterator[str]:
    """received = stored + duplicate + rejected + traffic, and what is counted as stored is there."""
    held: Counter[tuple[str, str]] = Counter()
    for stored in run.tables.table("reading").values():
        tenant, origin, _, scheme, value = run.tables.table("stream_key")[stored.stream_id]
        held[tenant, f"{scheme}:{value}" if origin == "device" else origin] += 1
    sums: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for row in run.tables.table("count").values():
        for name in ("received", "stored", "duplicate", "rejected", "traffic"):
            sums[row.tenant, row.origin][name] += getattr(row, name)
    for origin in sorted(sums.keys() | held.keys()):
        count = sums[origin]
        accounted = count["stored"] + count["duplicate"] + count["rejected"] + count["traffic"]
        if count["received"] != accounted:
            yield f"books: {origin} received {count['received']}, accounted for {accounted}"
        if count["stored"] != held[origin]:
            yield f"books: {origin} counted {count['stored']} as stored, holds {held[origin]}"


def _counted_once(run: Run) -> Iterator[str]:
    """What a worker committed as received is what it was handed, each message once.

    A worker that crashed may have committed its last batch or not; one that ended well has committed everything.
    """
    received: Counter[int] = Counter()
    for committed in run.database.committed:
        for row in committed.counts:
            received[committed.worker] += row.received
    for incarnation in run.incarnations:
        inbox, counted = incarnation.inbox, received[incarnation.number]
        who = f"worker {incarnation.number}"
        if counted > inbox.taken or (incarnation.ended_well and counted > inbox.acknowledged):
            yield f"a transaction was applied twice: {who} counted {counted} elements, was handed {inbox.taken}"
        if counted < inbox.acknowledged:
            yield f"acknowledged before the commit: {who} acknowledged {inbox.acknowledged} elements, committed {counted}"


def _numbers(run: Run) -> Iterator[str]:
    """Commit numbers of a shard have no holes, and its epochs only grow."""
    by_shard: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for shard, epoch, n, _ in run.tables.table("commit").values():
        by_shard[shard].append((n, epoch))
    for shard, numbered in sorted(by_shard.items()):
        numbered.sort()
        if [n for n, _ in numbered] != list(range(1, len(numbered) + 1)):
            yield f"numbers: those of shard {shard} have holes"
        epochs = [epoch for _, epoch in numbered]
        if epochs != sorted(epochs):
            yield f"fence: shard {shard} was written by a worker that had lost it"


def _rollups(run: Run) -> Iterator[str]:
    """The hours are what the stored readings add up to."""
    hours: dict[tuple[int, int], Any] = {}
    for stored in run.tables.table("reading").values():
        hour = (stored.stream_id, stored.reading.time_us // HOUR_US * HOUR_US)
        hours[hour] = raised(hours.get(hour), stored.reading)
    if hours != run.tables.table("hour"):
        yield "rollups: the hours are not what the readings add up to"


def _rejections(run: Run) -> Iterator[str]:
    """Bad input is kept as a rejection, at least once (a message may come again after a crash)."""
    kept = Counter(row.topic for row in run.tables.table("rejection").values())
    expected: Counter[str] = Counter()
    for publication in {(one.topic, one.payload): one for one in run.world.publications}.values():
        expected[publication.topic] += publication.rejected
    if missing := [topic for topic, count in expected.items() if kept[topic] < count]:
        yield f"rejections are missing: {_some(missing)}"
    if more := [topic for topic in kept if not expected[topic]]:
        yield f"rejected although well: {_some(more)}"


def _alerts(run: Run) -> Iterator[str]:
    """An alert's history has no holes; each revision is told at most once; whoever stands is covered, whoever is gone is not."""
    history = run.tables.table("alert_history")
    for alert_id, alert in run.tables.table("alert").items():
        if any((alert_id, revision) not in history for revision in range(1, alert.revision + 1)):
            yield f"alert history: {alert.rule} of {alert.asset} has holes"
    told = Counter((row.body["data"]["id"], row.body["data"]["revision"]) for row in run.tables.table("outbox").values())
    if twice := [key for key, count in told.items() if count > 1]:
        yield f"told twice: {_some(twice)}"
    covered = {one: alert for alert in run.tables.table("alert").values() for one in alert.finding_ids}
    for finding_id, held in run.tables.table("finding").items():
        row, alert = held.row, covered.get(finding_id)
        if row.severity != "info" and not row.retracted and (alert is None or alert.status == "retracted"):
            yield f"no alert: {row.rule} of {row.asset} at {row.opened_us} stands and nobody is told"


def _said(run: Run) -> set[tuple[Any, ...]]:
    """Findings that stand, without id, revision and detected_at, which may differ; a live silence depends on when we listened."""
    said = set()
    for held in run.tables.table("finding").values():
        row = held.row
        if not row.retracted and (row.rule != "gap" or row.asset in RECORDED):
            evidence = msgspec.json.encode(row.evidence, order="deterministic")
            said.add((row.asset, row.rule, row.subject, row.severity, row.opened_us, row.closed_us, row.score, evidence))
    return said


def _findings(run: Run, undisturbed: Run) -> Iterator[str]:
    mine, theirs = _said(run), _said(undisturbed)
    if missing := theirs - mine:
        yield f"findings of the undisturbed run are missing: {_some(missing)}"
    if more := mine - theirs:
        yield f"findings that the undisturbed run has not: {_some(more)}"
    live_gaps = [
        held.row
        for held in run.tables.table("finding").values()
        if held.row.rule == "gap" and held.row.asset not in RECORDED and not held.row.retracted
    ]
    if live_gaps:  # nobody live was silent for as long as any rule asks
        yield f"a silence that was none: {_some((row.asset, row.opened_us, row.evidence) for row in live_gaps)}"


def _duties(run: Run) -> set[tuple[Any, ...]]:
    """Alerts that stand: of whom, what, how grave, since when, until when."""
    return {
        (alert.asset, alert.rule, alert.subject, alert.severity, alert.status, alert.opened_us, alert.closed_us)
        for alert in run.tables.table("alert").values()
        if alert.status != "retracted"
    }


def _alerts_alike(run: Run, undisturbed: Run) -> Iterator[str]:
    mine, theirs = _duties(run), _duties(undisturbed)
    if mine != theirs:
        yield f"alerts differ from the undisturbed run's: {_some(mine ^ theirs)}"


def _used(run: Run) -> set[tuple[Any, ...]]:
    """Journeys, activities and days as they stand, whatever ids and revisions they went through."""
    standing = [held.row for held in run.tables.table("journey").values() if not held.row.retracted]
    standing += [*run.tables.table("activity").values(), *run.tables.table("use_day").values()]
    return {(row.asset_id, type(row.fact).__name__, msgspec.json.encode(row.fact, order="deterministic")) for row in standing}


def _uses_alike(run: Run, undisturbed: Run) -> Iterator[str]:
    mine, theirs = _used(run), _used(undisturbed)
    if mine != theirs:
        yield f"use differs from the undisturbed run's: {_some(mine ^ theirs)}"


def _sightings_alike(run: Run, undisturbed: Run) -> Iterator[str]:
    """What the scene is given depends on the readings alone."""
    mine, theirs = ({(*key, row.noted) for key, row in one.tables.table("sighting").items()} for one in (run, undisturbed))
    if mine != theirs:
        yield f"sightings differ from the undisturbed run's: {_some(mine ^ theirs)}"
