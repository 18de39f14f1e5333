"""Which findings of one asset explain each other, and so are one incident. Pure.

A silence, the jump on return, the draught changed across it and the clause that forbids going dark are four findings of four
rules and one story: whoever is told of one need not be told of the others. What belongs together is a stated table of pairs of
rules and a stated distance in time, so that anybody can work it out again from the findings alone. Nothing here decides which
findings exist or how severe they are.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence

import msgspec

from alerts.lifecycle import SEVERITY_RANK
from fleet.instants import HOUR_US

SILENCE_SLACK_US = 6 * HOUR_US
"""How far apart in time what tells of one movement may lie. Chosen: the silence after which a ship at sea has a gap (design
4.6), so what the first hours after a return bring (static reports come every 6 min, but a changed draught is believed the
second time) is part of it."""

EMERGENCY_SLACK_US = HOUR_US
"""The same for an emergency in flight. Chosen: a descent, a turn back and a landing follow a squawk within the hour."""

CONDITION_SLACK_US = 6 * HOUR_US
"""How far apart two sensors may begin to be off and still be one fault. Chosen: a watch and a half; a fault spreads in hours,
and episodes of condition last for days, so that their overlap alone says nothing."""

REACH_US = 72 * HOUR_US
"""How long after its beginning an episode still explains what begins while it goes on. Chosen: the horizon within which
findings are derived again (design 5.7); an episode of weeks must not swallow every later one."""

_WHERE = ("area_entered", "area_exited", "port_call_prohibited", "landing_prohibited", "covenant_breach")
_MOVES = ("position_jump", "position_conflict", "spoofed_track")

_EXPLAINS: dict[str, tuple[str, ...]] = {
    "gap": (*_MOVES, "draught_change", "encounter", "loitering", "drifting", "identity_changed", *_WHERE),
    "position_jump": (
        "position_jump",
        *_MOVES[1:],
        "draught_change",
        "speed_anomaly",
        "route_anomaly",
        "identity_changed",
        *_WHERE,
    ),
    "position_conflict": ("position_conflict", "spoofed_track", "identity_changed", *_WHERE),
    "spoofed_track": ("spoofed_track", "identity_changed", *_WHERE),
    "encounter": ("draught_change", "loitering", "drifting", "unexpected_stop", "covenant_breach"),
    "loitering": ("draught_change", "drifting", "unexpected_stop", "covenant_breach"),
    "unexpected_stop": ("drifting", "speed_anomaly", "route_anomaly"),
    "draught_change": ("covenant_breach",),
    "area_entered": ("area_exited", "port_call_prohibited", "landing_prohibited", "covenant_breach"),
    "area_exited": ("covenant_breach",),
    "port_call_prohibited": ("covenant_breach",),
    "landing_prohibited": ("covenant_breach",),
}
_EMERGENCY: dict[str, tuple[str, ...]] = {
    "squawk_emergency": ("rapid_descent", "diversion", "holding", "go_around"),
    "rapid_descent": ("diversion",),
    "diversion": ("landing_prohibited", "holding", "go_around"),
}
_CONDITION: dict[str, tuple[str, ...]] = {
    "channel_anomaly": ("channel_anomaly", "behaviour_anomaly", "performance_drift"),
    "behaviour_anomaly": ("behaviour_anomaly", "performance_drift"),
}


def _pairs(table: dict[str, tuple[str, ...]], slack_us: int) -> dict[frozenset[str], int]:
    return {frozenset((one, other)): slack_us for one, others in table.items() for other in others}


SLACK_US: dict[frozenset[str], int] = (
    _pairs(_EXPLAINS, SILENCE_SLACK_US) | _pairs(_EMERGENCY, EMERGENCY_SLACK_US) | _pairs(_CONDITION, CONDITION_SLACK_US)
)
"""Pairs of rules (a set of one: the rule with itself) that explain each other, each with its distance in time."""

PAIRED: frozenset[str] = frozenset(rule for pair in SLACK_US for rule in pair)
"""Rules that may share an incident with another finding; every other finding is an incident of its own."""

CONDITION_RULES: frozenset[str] = frozenset({"channel_anomaly", "behaviour_anomaly", "performance_drift"})

WINDOW_US = REACH_US + max(SILENCE_SLACK_US, CONDITION_SLACK_US)
"""How far around a finding others can be that it is directly tied to, when they are over."""

_NAMESPACE = uuid.UUID("2f9a5a3c-41d9-5d0e-8f0b-6b5f6a1f9c44")  # chosen once; changing it would rename every incident


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A finding as far as incidents are concerned; instants are microseconds UTC, `closed_us` is None while it is open."""

    finding_id: str
    rule: str
    severity: str
    opened_us: int
    closed_us: int | None


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """Findings that are told once. `members` are in order of time; `closed_us` is None while one of them is open."""

    incident_id: str
    severity: str
    opened_us: int
    closed_us: int | None
    members: tuple[Member, ...]


def incident_id_of(tenant: str, about: str, first: Member) -> str:
    """Id of the incident that begins with a finding: UUID version 5 (RFC 9562). The same on every run and in every order."""
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join((tenant, about, first.finding_id))))


def explains(one: Member, other: Member) -> bool:
    """Whether two findings of one asset tell of one thing: a pair of the table, close enough in time.

    The later one must begin no later than the slack after the end of the earlier one; and within `REACH_US` of the earlier
    one's beginning, or around its end. Two of condition must begin within the slack of each other. Symmetric.
    """
    slack_us = SLACK_US.get(frozenset((one.rule, other.rule)))
    if slack_us is None:
        return False
    first, then = sorted((one, other), key=_order)
    apart_us = then.opened_us - first.opened_us
    if {one.rule, other.rule} <= CONDITION_RULES:
        return apart_us <= slack_us
    if first.closed_us is None:
        return apart_us <= REACH_US + slack_us
    after_us = then.opened_us - first.closed_us
    return after_us <= slack_us and (apart_us <= REACH_US + slack_us or after_us >= -slack_us)


def incidents_of(tenant: str, about: str, members: Collection[Member]) -> list[Incident]:
    """The incidents that an asset's findings make, in order of time.

    Every finding of warning or critical belongs to exactly one; those that explain each other, directly or over others, share
    it. A finding of info is listed with the first incident that it explains, and joins no two: a routine remark must not tie
    what is serious on both sides of it. The result does not depend on the order of `members`.
    """
    ordered = sorted(members, key=_order)
    serious = [one for one in ordered if SEVERITY_RANK[one.severity] >= SEVERITY_RANK["warning"]]
    groups = _components(serious)
    for one in ordered:
        if one.severity != "info":
            continue
        home = next((group for group in groups if any(explains(one, other) for other in group if other.severity != "info")), None)
        if home is not None:
            home.append(one)
    return sorted((_incident(tenant, about, group) for group in groups), key=lambda each: (each.opened_us, each.incident_id))


def _components(serious: Sequence[Member]) -> list[list[Member]]:
    """Connected groups, each in order of time, in order of their first."""
    groups: list[list[Member]] = []
    for one in serious:
        tied = [group for group in groups if any(explains(one, other) for other in group)]
        merged = [other for group in tied for other in group] + [one]
        groups = [group for group in groups if group not in tied] + [merged]
    return sorted((sorted(group, key=_order) for group in groups), key=lambda group: _order(group[0]))


def _incident(tenant: str, about: str, group: Sequence[Member]) -> Incident:
    serious = [one for one in group if one.severity != "info"]
    ends = [one.closed_us for one in group]
    return Incident(
        incident_id=incident_id_of(tenant, about, min(serious, key=_order)),
        severity=max((one.severity for one in serious), key=SEVERITY_RANK.__getitem__),
        opened_us=min(one.opened_us for one in group),
        closed_us=None if None in ends else max(end for end in ends if end is not None),
        members=tuple(sorted(group, key=_order)),
    )


def _order(member: Member) -> tuple[int, str]:
    return (member.opened_us, member.finding_id)
