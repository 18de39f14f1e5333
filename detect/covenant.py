"""Rule `covenant_breach`: an asset does what a clause of its lease forbids, while that lease is in force.

Clauses are data over a closed set of predicates (`fleet.lease`); each kind has one function here, and none reads more than the
state, the reading and the dated context. What is judged over whole months (`min_use`, `max_use`) is `fleet.covenant_use`'s, what
lies between two ships (`no_sts`) is asked of their encounter: `breach_of_encounter`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from detect.area_passage import PLAIN
from detect.classes import TRAITS
from detect.episodes import Episode
from detect.landing_prohibited import Landing, LandingMemory
from detect.model import Finding, Severity, finding_id
from detect.port_call_prohibited import Call, PortCallMemory, berthed, call_of
from detect.rule import ALL_CLASSES, NOTHING, Moment, Rule, minute_after
from detect.state import WakingMemory
from fleet.area import AreaWatch, Passage, Placement, pass_area
from fleet.area_index import AreaIndex, WatchedArea
from fleet.clause import Clause, in_set
from fleet.geodesy import NM_M
from fleet.instants import HOUR_US, to_datetime, to_rfc3339
from fleet.lease import AisOn, NoSts, ProhibitedCountries, RedeliveryRange, TerritoryRule, TradingLimits
from fleet.places import country_of_port
from fleet.practice import NotDefinedError
from fleet.presence import detour_m
from fleet.registration import country_of_icao24, country_of_mmsi
from fleet.vessel_use import VesselUse

NAME = "covenant_breach"
VERSION = 1
EXPLAINED = frozenset({"feed_down", "no_coverage", "parked"})  # design 4.6: verdicts of a silence that nobody is to blame for
KNOWN_MIN = 3  # design 4.6: so many others known near by that none of them heard means no coverage
ASK_EVERY_US = HOUR_US  # as `gap` asks: what explains a silence may change while it lasts
ASK_UNTIL_US = 72 * HOUR_US  # as `gap` asks
REDELIVERY_WITHIN_H = 90 * 24.0  # as `redelivery_risk` judges (figure calendar.redelivery_within_d, DECISIONS 139)
SPEEDS_KN = {"vessel": 14.0, "aircraft": 430.0}  # figures calendar.speed_vessel_kn and calendar.speed_aircraft_kn


class CovenantMemory(WakingMemory, kw_only=True):
    """Open breaches and how the asset lies to the areas of clauses, by the clause's subject.

    `landed_us` is the last ON event that was judged, `flag` the name and country under which the asset was judged last (`flagged`
    the clauses that it breaches), `away` counts looks elsewhere since a call, `ranged_us` is when reach was judged last.
    """

    episodes: dict[str, Episode] = msgspec.field(default_factory=dict)
    watches: dict[str, AreaWatch] = msgspec.field(default_factory=dict)
    away: dict[str, int] = msgspec.field(default_factory=dict)
    landed_us: int | None = None
    flag: tuple[str, str | None] | None = None
    ranged_us: int = 0
    flagged: list[str] = msgspec.field(default_factory=list)


def at_row(memory: CovenantMemory, moment: Moment) -> Sequence[Finding]:
    """Judge each clause in force once a minute; an asset without clauses costs nothing."""
    clauses: Sequence[Clause] = moment.docket.covenants
    if not clauses and not memory.episodes and not memory.watches:
        return NOTHING
    found = _ended(memory, moment, clauses)
    memory.wake_at_us = None
    for clause in clauses:
        judge = _JUDGES.get(type(clause.demand))
        if judge is not None and clause.holds(moment.time_us):
            found += judge(memory, moment, clause)
    landing = _new_landing(memory, moment)
    if landing is not None:
        for clause in clauses:
            if clause.holds(landing.on_us):
                found += _judge_landing(memory, moment, clause, landing)
    return found


def at_tick(memory: CovenantMemory, moment: Moment) -> Sequence[Finding]:
    """Judge silences, and single fixes that have stood for ten minutes."""
    memory.wake_at_us = None
    found: list[Finding] = []
    for clause in moment.docket.covenants:
        if not clause.holds(moment.time_us):
            continue
        if isinstance(clause.demand, AisOn):
            found += _judge_silence(memory, moment, clause, clause.demand)
        elif clause.subject in memory.watches:
            found += _pass(memory, moment, clause, None)
    return found


# -- where it may be --------------------------------------------------------------------------------------------------


def _presence(memory: CovenantMemory, moment: Moment, clause: Clause) -> Sequence[Finding]:
    """How this fix lies to the clause's areas; nothing can be said where none of them is known."""
    now, areas = moment.now, moment.context.areas
    if areas is None or now.fix_time_us != moment.time_us or now.lat_deg is None or now.lon_deg is None:
        return NOTHING
    if not _set_of(clause, areas, moment):
        return NOTHING
    if clause.subject not in memory.watches:
        memory.watches[clause.subject] = AreaWatch(inside=_stays_inside(clause))
    if memory.watches[clause.subject].since_us == moment.time_us:
        return NOTHING
    return _pass(memory, moment, clause, _placement(clause, moment, areas, now.lat_deg, now.lon_deg))


def _set_of(clause: Clause, areas: AreaIndex, moment: Moment) -> list[WatchedArea]:
    """The areas that a clause names, in force now and meant for this class."""
    demand = clause.demand
    named = areas.of_set(demand.area_set) if isinstance(demand, TradingLimits | TerritoryRule) else ()
    return [area for area in named if _is_one(clause, area, moment)]


def _is_one(clause: Clause, area: WatchedArea, moment: Moment) -> bool:
    return _named_by(clause, area) and area.in_force(moment.time_us) and area.concerns(moment.state.asset_class)


def _named_by(clause: Clause, area: WatchedArea) -> bool:
    demand = clause.demand
    if isinstance(demand, TerritoryRule):
        return in_set(demand, area)
    if isinstance(demand, TradingLimits):
        return area.is_of(demand.area_set) and demand.version in {None, area.version}
    return False


def _stays_inside(clause: Clause) -> bool:
    demand = clause.demand
    return (
        demand.inside if isinstance(demand, TradingLimits) else isinstance(demand, TerritoryRule) and demand.kind == "permitted"
    )


def _placement(clause: Clause, moment: Moment, areas: AreaIndex, lat_deg: float, lon_deg: float) -> Placement:
    """Inside any area of the set, within a mile of one, or outside of all; a flight over it as the clause counts it."""
    if not _counts(clause, moment):
        return "inside" if _stays_inside(clause) else "outside"
    near = [one for one in areas.around(lat_deg, lon_deg) if _is_one(clause, one.area, moment)]
    if any(one.contains(lat_deg, lon_deg) for one in near):
        return "inside"
    away_m = (one.shape.distance_m(lat_deg, lon_deg) for one in near if one.shape is not None)
    return "buffer" if any(metres <= PLAIN.exit_buffer_m for metres in away_m) else "outside"


def _counts(clause: Clause, moment: Moment) -> bool:
    """Whether being there is what the clause is about: in the air for `overflight`, on the ground where that is carved out."""
    demand = clause.demand
    if moment.state.asset_class != "aircraft" or not isinstance(demand, TerritoryRule):
        return not isinstance(demand, TerritoryRule) or demand.event_scope == "any_presence"
    aloft = moment.now.airborne is True
    return aloft if demand.event_scope == "overflight" else not (aloft and "overflight" in demand.carve_outs)


def _pass(memory: CovenantMemory, moment: Moment, clause: Clause, at: Placement | None) -> Sequence[Finding]:
    watch = memory.watches[clause.subject]
    passage = pass_area(watch, PLAIN, moment.time_us, at)
    wake_us = watch.wake_at_us(PLAIN)
    if wake_us is not None:
        _ask(memory, minute_after(wake_us - 1))
    if passage is None:
        return NOTHING
    if (passage.kind == "exited") == _stays_inside(clause):
        return _open(memory, moment, clause, passage.at_us, _where(clause, moment, passage))
    return _close(memory, moment, clause.subject, passage.at_us, "returned")


def _where(clause: Clause, moment: Moment, passage: Passage) -> dict[str, Any]:
    """Where it was when the breach was certain, beside the areas of the clause."""
    now, areas, demand = moment.now, moment.context.areas, clause.demand
    evidence: dict[str, Any] = {
        "lat_deg": now.lat_deg, "lon_deg": now.lon_deg, "speed_kn": now.speed_kn, "first_fix_at": to_rfc3339(passage.at_us),
    }  # fmt: skip
    if isinstance(demand, TradingLimits | TerritoryRule):
        evidence |= {"area_set": demand.area_set, "must_be_inside": _stays_inside(clause)}
    if isinstance(demand, TerritoryRule):
        evidence |= {"territory_kind": demand.kind, "event_scope": demand.event_scope, "prior_notice_h": demand.prior_notice_h}
    if areas is None or now.lat_deg is None or now.lon_deg is None:
        return evidence
    known = _set_of(clause, areas, moment)
    here = [area for area in known if area.shape.contains(now.lat_deg, now.lon_deg)]
    evidence["area_versions"] = sorted({area.version for area in here or known})
    if here:
        evidence |= {"areas": [area.id for area in here], "area_names": [area.name for area in here]}
    elif known:
        nearest_m = min(detour_m(area.shape, [(now.lat_deg, now.lon_deg)]) for area in known)
        evidence |= {"distance_outside_nm": round(nearest_m / NM_M, 2), "exit_buffer_nm": PLAIN.exit_buffer_m / NM_M}
    return evidence


# -- where it may call, land and be at home ---------------------------------------------------------------------------


def _territory(memory: CovenantMemory, moment: Moment, clause: Clause) -> Sequence[Finding]:
    demand = clause.demand
    if not isinstance(demand, TerritoryRule):
        return NOTHING
    if demand.event_scope == "any_presence" or (demand.event_scope == "overflight" and moment.state.asset_class == "aircraft"):
        return _presence(memory, moment, clause)
    if demand.event_scope != "port_call" or moment.state.asset_class != "vessel":
        return NOTHING  # landings come as events; whose flag and whose property it is, no area says
    call, now, areas = _call(moment), moment.now, moment.context.areas
    if areas is None or now.lat_deg is None or now.lon_deg is None or now.fix_time_us != moment.time_us:
        return NOTHING
    if call is None and clause.subject not in memory.episodes:
        return NOTHING
    known = _set_of(clause, areas, moment)
    here = [area for area in known if area.shape.contains(now.lat_deg, now.lon_deg)]
    is_breach = bool(known) and bool(here) != (demand.kind == "permitted")
    evidence = {"area_set": demand.area_set, "territory_kind": demand.kind, "event_scope": "port_call",
                "areas": [area.id for area in here], "prior_notice_h": demand.prior_notice_h}  # fmt: skip
    stays = bool(here) != (demand.kind == "permitted")
    return _follow_call(memory, moment, clause, call if is_breach else None, evidence, stays=stays)


def _countries(memory: CovenantMemory, moment: Moment, clause: Clause) -> Sequence[Finding]:
    demand = clause.demand
    if not isinstance(demand, ProhibitedCountries):
        return NOTHING
    found: list[Finding] = []
    if moment.state.asset_class == "vessel":
        call = _call(moment)
        is_breach = call is not None and call.country in demand.countries
        under_way = moment.state.use.ports.call if isinstance(moment.state.use, VesselUse) else None
        stays = under_way is not None and country_of_port(under_way.port_id) in demand.countries
        found += _follow_call(memory, moment, clause, call if is_breach else None, {}, stays=stays)
    country = _flag(memory, moment)
    if country is None or country not in demand.countries:
        if clause.subject in memory.flagged:
            memory.flagged.remove(clause.subject)
    elif clause.subject not in memory.flagged and clause.subject not in memory.episodes:
        memory.flagged.append(clause.subject)
        evidence = {"what": "flag", "country": country, "identifier": moment.now.name, "countries": list(demand.countries)}
        found.append(_point(moment, clause, moment.time_us, evidence, clause.severity))
    return found


def _call(moment: Moment) -> Call | None:
    memory = moment.state.memories.get("port_call_prohibited")
    return call_of(moment, memory.stopped_us if isinstance(memory, PortCallMemory) else None)


def _follow_call(
    memory: CovenantMemory, moment: Moment, clause: Clause, call: Call | None, evidence: dict[str, Any], *, stays: bool
) -> Sequence[Finding]:  # fmt: skip
    """Open with a call that breaches, close at the second look elsewhere: shifting berth is the same call (`stays`)."""
    subject = clause.subject
    if call is not None:
        memory.away[subject] = 0
        if subject in memory.episodes:
            return berthed(memory.episodes[subject], call, moment, NAME, VERSION)
        now = moment.now
        told = {"what": "port_call", "port": call.port_id, "country": call.country, "confidence": call.confidence,
                "lat_deg": now.lat_deg, "lon_deg": now.lon_deg, "sog_kn": now.speed_kn}  # fmt: skip
        return _open(memory, moment, clause, call.since_us, {**told, **evidence})
    if subject not in memory.episodes:
        return NOTHING
    if stays:
        memory.away[subject] = 0
        return NOTHING
    memory.away[subject] = memory.away.get(subject, 0) + 1
    return NOTHING if memory.away[subject] < 2 else _close(memory, moment, subject, moment.time_us, "left")


def _flag(memory: CovenantMemory, moment: Moment) -> str | None:
    """The country whose number the asset bears (MID of an MMSI, block of a 24-bit address); looked up once a name."""
    name = moment.now.name
    if memory.flag is None or memory.flag[0] != name:
        scheme, _, value = name.partition(":")
        lookup = {"mmsi": country_of_mmsi, "icao24": country_of_icao24}.get(scheme)
        try:
            memory.flag = (name, None if lookup is None else lookup(value, to_datetime(moment.time_us).date()))
        except NotDefinedError:
            memory.flag = (name, None)
    return memory.flag[1]


def _new_landing(memory: CovenantMemory, moment: Moment) -> Landing | None:
    known = moment.state.memories.get("landing_prohibited")
    landing = known.landing if isinstance(known, LandingMemory) else None
    if landing is None or landing.on_us == memory.landed_us:
        return None
    memory.landed_us = landing.on_us
    return landing


def _judge_landing(memory: CovenantMemory, moment: Moment, clause: Clause, landing: Landing) -> Sequence[Finding]:
    demand = clause.demand
    evidence: dict[str, Any]
    if clause.subject in memory.episodes:
        return NOTHING
    if isinstance(demand, ProhibitedCountries):
        if landing.country not in demand.countries:
            return NOTHING
        evidence = {"countries": list(demand.countries)}
    elif isinstance(demand, TerritoryRule) and demand.event_scope == "landing" and moment.context.areas is not None:
        known = _set_of(clause, moment.context.areas, moment)
        here = [area.id for area in known if area.shape.contains(landing.lat_deg, landing.lon_deg)]
        if not known or bool(here) == (demand.kind == "permitted"):
            return NOTHING
        evidence = {"area_set": demand.area_set, "territory_kind": demand.kind, "event_scope": "landing", "areas": here,
                    "prior_notice_h": demand.prior_notice_h}  # fmt: skip
    else:
        return NOTHING
    forced = landing.mayday_before_min is not None
    carved_out = forced and isinstance(demand, TerritoryRule) and "force_majeure" in demand.carve_outs
    severity: Severity = "info" if carved_out or not landing.seen else clause.severity
    told = {"what": "landing", "airport": landing.airport, "country": landing.country, "lat_deg": landing.lat_deg,
            "lon_deg": landing.lon_deg, "possible": not landing.seen, "force_majeure_candidate": forced,
            "carved_out": carved_out}  # fmt: skip
    return (_point(moment, clause, landing.on_us, {**told, **evidence}, severity),)


def _redelivery(memory: CovenantMemory, moment: Moment, clause: Clause) -> Sequence[Finding]:
    """Near the end of the term: is its range of return still within reach, by the straight way, which no way there undercuts."""
    now, areas, demand, end_us = moment.now, moment.context.areas, clause.demand, clause.term_to_us
    if not isinstance(demand, RedeliveryRange) or areas is None or end_us is None or now.lat_deg is None or now.lon_deg is None:
        return NOTHING
    left_h = (end_us - moment.time_us) / HOUR_US
    if not 0.0 <= left_h <= REDELIVERY_WITHIN_H or moment.time_us // HOUR_US == memory.ranged_us // HOUR_US:
        return NOTHING
    memory.ranged_us = moment.time_us
    wanted = [areas.named(name, moment.time_us) for name in (*demand.place_range.areas, *demand.place_range.places)]
    named = () if demand.place_range.area_set is None else areas.of_set(demand.place_range.area_set)
    known = [area for area in (*wanted, *named) if area is not None and area.in_force(moment.time_us)]
    if not known:
        return NOTHING
    away_m, nearest = min(((detour_m(area.shape, [(now.lat_deg, now.lon_deg)]), area) for area in known), key=lambda one: one[0])
    speed_kn = moment.setting(NAME, "redelivery_speed_kn", SPEEDS_KN.get(moment.state.asset_class, 0.0))
    if speed_kn <= 0.0 or away_m / NM_M <= speed_kn * left_h:
        return _close(memory, moment, clause.subject, moment.time_us, "within_reach")
    evidence = {
        "what": "redelivery", "place_range": demand.place_range.name, "nearest": nearest.id, "redelivery_at": to_rfc3339(end_us),
        "distance_nm": round(away_m / NM_M, 1), "speed_kn": speed_kn, "hours_left": round(left_h, 1),
        "hours_needed_min": round(away_m / NM_M / speed_kn, 1), "lat_deg": now.lat_deg, "lon_deg": now.lon_deg,
    }  # fmt: skip
    return _open(memory, moment, clause, moment.time_us, evidence)


# -- silence ----------------------------------------------------------------------------------------------------------


def _silence(memory: CovenantMemory, moment: Moment, clause: Clause) -> Sequence[Finding]:
    """A reading ends a silence; the next one is to be judged when it has lasted too long."""
    demand = clause.demand
    if not isinstance(demand, AisOn) or moment.state.asset_class != "vessel":
        return NOTHING
    found: Sequence[Finding] = NOTHING
    episode = memory.episodes.get(clause.subject)
    if episode is not None:
        returned = getattr(moment.state.memories.get("gap"), "returned", None)
        if returned is not None and returned.episode.opened_at_us == episode.opened_at_us:
            episode.evidence["verdict"] = returned.episode.evidence.get("verdict", episode.evidence["verdict"])
        episode.evidence["silent_h"] = round((moment.time_us - episode.opened_at_us) / HOUR_US, 2)
        if episode.evidence["verdict"] in EXPLAINED:
            episode.severity = "info"
        found = _close(memory, moment, clause.subject, moment.time_us, "heard_again")
    reached_us = moment.context.listening.reached_at_us(moment.time_us, round(demand.silence_h_max * HOUR_US) + 1)
    _ask(memory, minute_after(reached_us - 1))
    return found


def _judge_silence(memory: CovenantMemory, moment: Moment, clause: Clause, demand: AisOn) -> Sequence[Finding]:
    seen, listening = moment.now, moment.context.listening
    if clause.subject in memory.episodes or moment.state.asset_class != "vessel":
        return NOTHING
    listened_us, limit_us = listening.listened_us(seen.time_us, moment.time_us), round(demand.silence_h_max * HOUR_US)
    if listened_us <= limit_us:
        _ask(memory, minute_after(listening.reached_at_us(moment.time_us, limit_us + 1 - listened_us) - 1))
        return NOTHING
    verdict = _verdict(moment)
    if verdict in EXPLAINED:
        if moment.time_us - seen.time_us < limit_us + ASK_UNTIL_US:
            _ask(memory, minute_after(listening.reached_at_us(moment.time_us, ASK_EVERY_US) - 1))
        return NOTHING
    evidence = {
        "what": "silence", "silence_h_max": demand.silence_h_max, "listened_h": round(listened_us / HOUR_US, 2),
        "verdict": verdict, "last_lat_deg": seen.lat_deg, "last_lon_deg": seen.lon_deg, "last_speed_kn": seen.speed_kn,
        "nav_status": seen.nav_status,
    }  # fmt: skip
    return _open(memory, moment, clause, seen.time_us, evidence)


def _verdict(moment: Moment) -> str:
    """What rule `gap` says of this silence; where it says nothing yet, what the scene explains, else `unknown`."""
    gap = getattr(moment.state.memories.get("gap"), "episode", None)
    if gap is not None:
        return str(gap.evidence.get("verdict", "unknown"))
    scene, allowed = moment.context.scene, TRAITS[moment.state.asset_class].silence(moment.now, moment.state.use)
    if scene is not None and scene.feed_down:
        return "feed_down"
    if allowed is not None and allowed.parked:
        return "parked"
    return (
        "no_coverage" if scene is not None and scene.neighbours_heard == 0 and scene.neighbours_known >= KNOWN_MIN else "unknown"
    )


# -- between two ships ------------------------------------------------------------------------------------------------


def breach_of_encounter(clauses: Iterable[Clause], encounter: Finding, areas: AreaIndex | None) -> list[Finding]:
    """What an encounter of two ships says of the clauses of one of them: a breach for each `no_sts` that was in force then.

    Args:
        clauses: those of the asset that the encounter is a finding of.
        encounter: with `lat_deg` and `lon_deg` in its evidence; a breach opens and closes with it.
        areas: where a clause allows transfers, by the name of its set; an encounter in one of them is no breach.
    """
    found: list[Finding] = []
    for clause in clauses:
        if not isinstance(clause.demand, NoSts) or not clause.holds(encounter.opened_at_us) or encounter.severity == "info":
            continue
        if _is_allowed(clause.demand, encounter, areas):
            continue
        evidence = {
            **_about(clause), "what": "encounter", "counterpart": encounter.subject, "encounter_id": encounter.id,
            "allowed_area_set": clause.demand.area_set,
            **{name: encounter.evidence.get(name) for name in ("lat_deg", "lon_deg", "lasted_min")},
        }  # fmt: skip
        found.append(Finding(
            id=finding_id(encounter.asset_id, NAME, clause.subject, encounter.opened_at_us), rule=NAME, rule_version=VERSION,
            severity=clause.severity, asset_id=encounter.asset_id, asset=encounter.asset, subject=clause.subject,
            opened_at_us=encounter.opened_at_us, closed_at_us=encounter.closed_at_us, detected_at_us=encounter.detected_at_us,
            score=None, evidence=evidence,
        ))  # fmt: skip
    return found


def _is_allowed(demand: NoSts, encounter: Finding, areas: AreaIndex | None) -> bool:
    lat_deg, lon_deg = encounter.evidence.get("lat_deg"), encounter.evidence.get("lon_deg")
    if demand.area_set is None or areas is None or lat_deg is None or lon_deg is None:
        return False
    inside = areas.inside(lat_deg, lon_deg, encounter.opened_at_us, "vessel")
    return any(area.is_of(demand.area_set) for area in inside)


# -- episodes ---------------------------------------------------------------------------------------------------------


def _about(clause: Clause) -> dict[str, Any]:
    return {"lease_id": clause.lease_id, "clause": clause.clause, "covenant": clause.id, "predicate": clause.kind}


def _open(
    memory: CovenantMemory, moment: Moment, clause: Clause, opened_at_us: int, evidence: dict[str, Any]
) -> Sequence[Finding]:  # fmt: skip
    if clause.subject in memory.episodes:
        return NOTHING
    episode = Episode(
        subject=clause.subject, asset=moment.now.name, opened_at_us=opened_at_us, detected_at_us=moment.time_us,
        severity=clause.severity, evidence={**_about(clause), **evidence},
    )  # fmt: skip
    memory.episodes[clause.subject] = episode
    return (episode.finding(moment.state, NAME, VERSION),)


def _point(moment: Moment, clause: Clause, at_us: int, evidence: dict[str, Any], severity: Severity) -> Finding:
    episode = Episode(
        subject=clause.subject, asset=moment.now.name, opened_at_us=at_us, detected_at_us=moment.time_us, severity=severity,
        evidence={**_about(clause), **evidence},
    )  # fmt: skip
    return episode.finding(moment.state, NAME, VERSION, closed_at_us=at_us)


def _close(memory: CovenantMemory, moment: Moment, subject: str, at_us: int, ended: str) -> Sequence[Finding]:
    episode = memory.episodes.pop(subject, None)
    memory.away.pop(subject, None)
    if episode is None:
        return NOTHING
    closed_at_us = max(at_us, episode.opened_at_us)
    episode.evidence |= {"lasted_h": round((closed_at_us - episode.opened_at_us) / HOUR_US, 4), "ended": ended}
    return (episode.finding(moment.state, NAME, VERSION, closed_at_us=closed_at_us),)


def _ended(memory: CovenantMemory, moment: Moment, clauses: Sequence[Clause]) -> list[Finding]:
    """What is open of clauses that do not bind any more closes where they ended."""
    known = {clause.subject: clause for clause in clauses}
    binding = {subject for subject, clause in known.items() if clause.holds(moment.time_us)}
    found: list[Finding] = []
    for subject in [one for one in memory.episodes if one not in binding]:
        ended_us = known[subject].ended_us(moment.time_us) if subject in known else None
        found += _close(memory, moment, subject, moment.time_us if ended_us is None else ended_us, "clause_over")
    memory.watches = {subject: watch for subject, watch in memory.watches.items() if subject in binding}
    memory.flagged = [subject for subject in memory.flagged if subject in binding]
    return found


def _ask(memory: CovenantMemory, wake_us: int) -> None:
    memory.wake_at_us = wake_us if memory.wake_at_us is None else min(memory.wake_at_us, wake_us)


_Judge = Callable[[CovenantMemory, Moment, Clause], Sequence[Finding]]
_JUDGES: dict[type, _Judge] = {
    TradingLimits: _presence,
    TerritoryRule: _territory,
    ProhibitedCountries: _countries,
    AisOn: _silence,
    RedeliveryRange: _redelivery,
}
"""Which function judges which demand at a reading; those that are absent are judged elsewhere."""

RULE = Rule(NAME, VERSION, ALL_CLASSES, CovenantMemory, at_tick=at_tick, at_row=at_row)
