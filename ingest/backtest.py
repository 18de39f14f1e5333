"""Recordings through the same decoding and the same `detect`, without broker and database.

Every identifier in the files is an asset of one tenant; all files together are one unnamed feed whose clock is the largest
reading time so far. What comes out is what a replay of the same files ends with for a tenant that has the same areas: the same
walk, the same scenes as of each tick, the same priors by hour.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import msgspec

from detect.covenant import breach_of_encounter
from detect.covenant_use import use_findings
from detect.drive import walk
from detect.identity_changed import judge, said
from detect.model import ALWAYS_LISTENING, EMPTY_DOCKET, Bucket, Context, Docket, Finding, Fix, SceneContext
from detect.said import hear
from detect.scene import scene
from detect.scene_watch import SceneState
from detect.scene_watch import run as run_scene
from detect.sighting import BUCKET_US, Sighting, bucket_of
from detect.step import initial_state
from fleet.area_index import AreaIndex
from fleet.asset_class import AnyReading, class_of
from fleet.instants import DAY_US, to_datetime, to_rfc3339
from fleet.reading import Reading, StaticReport
from fleet.use import Journey, Places, UseDay
from fleet.use_machines import MACHINES
from ingest.decode import decode_record
from ingest.land import world_land
from ingest.places import KNOWN
from ingest.priors import PriorBook, hour_of
from ingest.recordings.model import Item, Malformed
from ingest.roster import Filed, docket_of
from ingest.scene_world import SceneWorld
from ingest.use_contexts import use_context
from ingest.watch import REPORTS_MAX, Watch, Watched, order_key

CLOCK = ("", "recording")
TENANT = ""


class Tallied(msgspec.Struct):
    """What became of the records: received = stepped + duplicate + rejected + static; fields made null, by `field:reason`."""

    received: int = 0
    stepped: int = 0
    duplicate: int = 0
    rejected: int = 0
    static: int = 0
    nulled: dict[str, int] = {}


class Backtest:
    """One run over records in order of time; `findings` and `journeys` (with their assets) hold the last form of each."""

    def __init__(
        self,
        now_us: int,
        settings: dict[str, dict[str, float]] | None = None,
        places: Places = KNOWN,
        areas: AreaIndex | None = None,
        filed: Mapping[str, Sequence[Filed]] | None = None,
        asset_id: str | None = None,
    ) -> None:
        """Begin a run.

        Args:
            now_us: wall time, for what is stamped ahead of it.
            settings: thresholds by rule and name.
            places: the world that assets call at.
            areas: what rules watch and clauses name.
            filed: what is on file of single assets, by `scheme:value` as the readings name them, or by `asset_id`.
            asset_id: whose readings they all are, under whatever name; None: every name is an asset.
        """
        self.tally = Tallied()
        self.findings: dict[str, Finding] = {}
        self.journeys: dict[tuple[str, str, int], tuple[str, Journey]] = {}
        self._places = places
        self._areas = areas
        self._now_us = now_us
        self._settings = settings or {}
        self._watch = Watch()
        self._book = PriorBook()
        self._fixes: dict[str, Fix] = {}
        self._clock_us = 0
        self._reports: dict[str, list[StaticReport]] = {}
        self._unheard: dict[str, deque[StaticReport]] = {}
        self._filed: dict[str, list[Filed]] = {}
        self._on_file = filed or {}
        self._asset_id = asset_id
        self._days: dict[str, list[UseDay]] = {}
        self._between = SceneState()
        self._buckets: dict[int, list[Sighting]] = {}
        self._compared_us = 0
        self._world = SceneWorld(places)

    def run(self, items: Iterable[Item]) -> None:
        """Take every record and finish."""
        for _, together in groupby(self._readings(items), key=lambda reading: reading.time_us):
            self._take(list(together))
        self.finish()

    def run_readings(self, readings: Iterable[AnyReading]) -> None:
        """Take readings that were decoded before, in order of time, and finish."""
        for _, together in groupby(readings, key=lambda reading: reading.time_us):
            self._take(list(together))
        self.finish()

    def finish(self) -> None:
        """Fire the ticks due before the last reading; the clock never passes it. Judge what static reports said."""
        self._fire(self._clock_us)
        for watched in self._watch.assets.values():
            self._note_journeys(watched)
            self._judge_use(watched)
        for asset_id, reports in self._reports.items():
            for finding in judge(asset_id, reports, ()):
                self.findings[finding.id] = finding

    def _judge_use(self, watched: Watched) -> None:
        """What clauses on use say of the days that are over."""
        seen, filed = watched.state.seen, self._filed.get(watched.asset_id, ())
        clauses = [one.value for one in filed if one.field == "covenant"]
        if seen is None or not clauses:
            return
        on = to_datetime(self._clock_us).date()
        for finding in use_findings(clauses, watched.asset_id, seen.name, self._days.get(watched.asset_id, ()), on):
            self.findings[finding.id] = finding

    def _note_journeys(self, watched: Watched) -> None:
        """Those that are still under way where the recording ends, as far as they can be told."""
        machine, use, seen = MACHINES.get(watched.asset_class), watched.state.use, watched.state.seen
        told = None if seen is None else self._context(watched, seen.time_us, None).use
        if machine is None or use is None or seen is None or told is None:
            return
        for fact in machine.standing(use) if machine.at_end is None else machine.at_end(use, told):
            if isinstance(fact, Journey):
                self.journeys[watched.asset_id, fact.kind, fact.started_us] = (seen.name, fact)

    def _readings(self, items: Iterable[Item]) -> Iterator[AnyReading]:
        for item in items:
            self.tally.received += 1
            if isinstance(item, Malformed):
                self.tally.rejected += 1
                continue
            decoded = decode_record(item, self._now_us)
            self.tally.rejected += len(decoded.rejections)
            self.tally.static += len(decoded.statics)
            for name, times in decoded.nulled.items():
                self.tally.nulled[name] = self.tally.nulled.get(name, 0) + times
            for _, report in decoded.statics:
                self._hear(report)
            for _, reading in decoded.readings:
                yield reading

    def _hear(self, report: StaticReport) -> None:
        """Keep a static report newer than the last of its asset; of a run that says the same the first two and the last."""
        asset_id = f"{report.asset_class}/{report.scheme}:{report.value}"
        if asset_id in self._watch:
            self._watch[asset_id].take_reports((report,))
        else:
            self._unheard.setdefault(asset_id, deque(maxlen=REPORTS_MAX)).append(report)
        reports = self._reports.setdefault(asset_id, [])
        if reports and report.time_us <= reports[-1].time_us:
            return
        if len(reports) > 2 and all(said(one) == said(report) for one in reports[-3:]):
            reports.pop()
        reports.append(report)

    def _take(self, together: list[AnyReading]) -> None:
        """Step the readings of one instant, each asset's in canonical order, after the ticks before it."""
        time_us = together[0].time_us
        self._fire(time_us)
        self._compare(time_us)
        self._clock_us = time_us
        seen: set[tuple[object, ...]] = set()
        for reading in sorted(together, key=lambda reading: (class_of(reading), *order_key(reading))):
            key = (class_of(reading), *order_key(reading))
            if key in seen:
                self.tally.duplicate += 1
                continue
            seen.add(key)
            self.tally.stepped += 1
            watched = self._watched(reading)
            while watched.reports and watched.reports[0].time_us <= time_us:
                hear(watched.state, watched.reports.pop(0))
            self._walk(watched, (reading,), None)
            self._note_fix(watched, reading)

    def _watched(self, reading: AnyReading) -> Watched:
        asset_class = class_of(reading)
        asset_id = self._asset_id or f"{asset_class}/{reading.name}"
        if asset_id not in self._watch:
            watched = Watched(
                asset_id=asset_id,
                tenant=TENANT,
                asset_class=asset_class,
                asset_type=None,
                state=initial_state(asset_id, asset_class),
                clock=CLOCK,
            )
            watched.take_reports(self._unheard.pop(asset_id, ()))
            name = reading.name if self._asset_id is None else asset_id
            if name in self._on_file:
                self._filed[asset_id] = list(self._on_file[name])
            self._watch.add(watched)
        return self._watch[asset_id]

    def _fire(self, before_us: int) -> None:
        """Fire every tick strictly before an instant, the earliest first over all assets: a scene sees what came by then."""
        while due := self._watch.due(CLOCK, before_us):
            ticks = [(self._watch[asset_id].state.wake_at_us or 0, asset_id) for asset_id in due]
            heapq.heapify(ticks)
            while ticks:
                tick_us, asset_id = heapq.heappop(ticks)
                watched = self._watch[asset_id]
                self._walk(watched, (), tick_us + 1)
                wake_us = watched.state.wake_at_us
                if wake_us is not None and wake_us < before_us:
                    heapq.heappush(ticks, (wake_us, asset_id))

    def _compare(self, until_us: int) -> None:
        """Let the scene judge the buckets that are over: what compares assets."""
        if until_us < bucket_of(self._clock_us) + BUCKET_US or (not self._buckets and self._between.is_idle):
            return  # a meeting ends in a bucket in which nobody was seen, too
        for end_us, found in run_scene(self._between, self._compared_us, until_us, self._buckets, self._world):
            self._compared_us = end_us
            self._buckets.pop(end_us - BUCKET_US, None)
            for finding in found:
                self._note_scene(finding)

    def _note_scene(self, finding: Finding) -> None:
        """Keep what a scene found, and what clauses say of it."""
        self.findings[finding.id] = finding
        if finding.rule != "encounter" or finding.asset_id not in self._filed:
            return
        clauses = self._docket(finding.asset_id, finding.opened_at_us).covenants
        for breach in breach_of_encounter(clauses, finding, self._areas):
            self.findings[breach.id] = breach

    def _note_sightings(self, watched: Watched) -> None:
        for sighting in watched.state.take_sightings():
            start_us = bucket_of(sighting.time_us)
            self._compared_us = self._compared_us or start_us
            self._buckets.setdefault(start_us, []).append(sighting)

    def _walk(self, watched: Watched, readings: tuple[Reading, ...], until_us: int | None) -> None:
        steps = walk(watched.state, readings, until_us, lambda _, reading: self._context(watched, reading.time_us, None))
        try:
            tick_us = next(steps)
            while True:
                tick_us = steps.send(self._context(watched, tick_us, self._scene(watched, tick_us)))
        except StopIteration as end:
            for finding in end.value:
                self.findings[finding.id] = finding
        if readings:
            self._note_sightings(watched)
            self._book.take(watched, hour_of(readings[-1].time_us))
            for fact in watched.state.take_facts():
                if isinstance(fact, Journey):
                    self.journeys[watched.asset_id, fact.kind, fact.started_us] = (readings[-1].name, fact)
                elif isinstance(fact, UseDay) and watched.asset_id in self._filed:
                    self._days.setdefault(watched.asset_id, []).append(fact)
        self._watch.ask(watched.asset_id, watched.state.wake_at_us, CLOCK)

    def _context(self, watched: Watched, time_us: int, said: SceneContext | None) -> Context:
        prior = self._book.prior_at(watched.group, hour_of(time_us))
        use = use_context(watched.asset_class, None, time_us, self._settings, self._places)
        return Context(
            listening=ALWAYS_LISTENING,
            scene=said,
            prior=prior,
            settings=self._settings,
            use=use,
            docket=self._docket(watched.asset_id, time_us),
            areas=self._areas,
            land=world_land(),
        )

    def _docket(self, asset_id: str, time_us: int) -> Docket:
        """What is on file of an asset at an instant."""
        filed = self._filed.get(asset_id)
        return EMPTY_DOCKET if filed is None else docket_of(one for one in filed if one.covers(time_us))

    def _scene(self, watched: Watched, tick_us: int) -> SceneContext:
        recent = [fix for fix in self._fixes.values() if fix.time_us > tick_us - DAY_US]
        bucket = Bucket(time_us=tick_us, subjects=(watched.asset_id,))
        return scene(bucket, recent).context.get(watched.asset_id, SceneContext())

    def _note_fix(self, watched: Watched, reading: AnyReading) -> None:
        if reading.lat_deg is not None and reading.lon_deg is not None:
            self._fixes[watched.asset_id] = Fix(
                asset_id=watched.asset_id,
                name=reading.name,
                asset_class=watched.asset_class,
                origin="recording",
                time_us=reading.time_us,
                lat_deg=reading.lat_deg,
                lon_deg=reading.lon_deg,
                speed_kn=reading.speed_kn,
                course_deg=reading.course_deg,
            )


def finding_lines(findings: Iterable[Finding]) -> Iterator[dict[str, Any]]:
    """Findings as the lines of `backtest --out`: the contract's fields, sorted by (detected_at, asset, rule, subject)."""
    ordered = sorted(findings, key=lambda one: (one.detected_at_us, one.asset, one.rule, one.subject or ""))
    for finding in ordered:
        yield {
            "rule": finding.rule,
            "severity": finding.severity,
            "asset": finding.asset,
            "subject": finding.subject,
            "opened_at": to_rfc3339(finding.opened_at_us),
            "closed_at": None if finding.closed_at_us is None else to_rfc3339(finding.closed_at_us),
            "detected_at": to_rfc3339(finding.detected_at_us),
            "score": finding.score,
            "evidence": finding.evidence,
            "id": finding.id,
            "revision": 1,
            "rule_version": finding.rule_version,
        }


def journey_lines(journeys: Iterable[tuple[str, Journey]]) -> Iterator[dict[str, Any]]:
    """Journeys as the lines of `backtest --journeys`: the contract's fields, in order of begin, asset and kind."""
    for asset, journey in sorted(journeys, key=lambda one: (one[1].started_us, one[0], one[1].kind)):
        yield {
            "asset": asset,
            "kind": journey.kind,
            "started_at": to_rfc3339(journey.started_us),
            "ended_at": None if journey.ended_us is None else to_rfc3339(journey.ended_us),
            "from": journey.from_place,
            "to": journey.to_place,
            "quality": journey.quality,
            "coverage": journey.coverage,
            "method": journey.method,
        }
