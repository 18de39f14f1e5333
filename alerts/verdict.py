"""What people's dismissals do to thresholds: which, by how much, and how far at most. Pure.

A dismissal as `false_alarm` says that nothing had happened. It makes the threshold of that rule for that asset alone a little
wider, each one a step, never beyond a bound, and is kept as a row that can be read and withdrawn. The asset is then derived
again with the threshold as it is now; the finding may fall away. Other reasons say that something had happened, and change
nothing. A critical alert changes nothing either: what concerns title, sanctions, insurance or safety is not tuned away.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal

import msgspec

from alerts.lifecycle import Alert

ReasonKind = Literal["false_alarm", "expected", "dealt_with", "not_relevant", "other"]
"""Why an alert was dismissed. `false_alarm`: nothing had happened. `expected`: it had, and was planned (a dry dock, a
calibration). `dealt_with`: it had, and somebody sees to it. `not_relevant`: it had, and does not matter to us. `other`: as the
words say."""

REASON_KINDS: tuple[str, ...] = ("false_alarm", "expected", "dealt_with", "not_relevant", "other")


class Tunable(msgspec.Struct, frozen=True, kw_only=True):
    """A threshold that dismissals widen: the rule's setting `name`, one `step` each, `most` above the base at most.

    `default` is the rule's own, `evidence` the member of its evidence that says which was used (None: none does). `only` narrows
    it to alerts whose evidence says so: values by member.
    """

    rule: str
    name: str
    default: float
    evidence: str | None
    step: float
    most: float
    only: Mapping[str, Collection[str]] = {}

    def is_for(self, evidence: Mapping[str, Any]) -> bool:
        """Whether this threshold decided about a finding with this evidence."""
        return all(evidence.get(member) in values for member, values in self.only.items())


TUNABLES: tuple[Tunable, ...] = (
    Tunable(
        rule="channel_anomaly", name="open_z", default=6.0, evidence="open_z", step=1.0, most=3.0,
        only={"kind": ("off", "spikes")},
    ),
    Tunable(rule="behaviour_anomaly", name="open_z", default=6.0, evidence="open_z", step=1.0, most=3.0),
    Tunable(
        rule="gap", name="heard_limit_min", default=60.0, evidence=None, step=30.0, most=120.0,
        only={"verdict": ("dark",), "circumstance": ("at_sea",)},
    ),
)  # fmt: skip
"""Chosen. Of models one standard deviation each and three at most: at nine deviations a fault still shows, later. Of a ship's
silence among ships that are heard half the limit each and three times the limit at most: a ship whose receiver is weak is heard
within three hours. Of other rules nothing is tuned: a definition is not wrong for one ship."""


class Adjustment(msgspec.Struct, frozen=True, kw_only=True):
    """A threshold of one asset after a dismissal: `value` in place of `base`; `at_bound` when it cannot go further."""

    rule: str
    name: str
    base: float
    value: float
    at_bound: bool


def tunable_of(alert: Alert) -> Tunable | None:
    """The threshold that a dismissal of this alert widens; None where there is none."""
    if alert.severity != "warning" or alert.asset_id is None:
        return None
    return next((one for one in TUNABLES if one.rule == alert.rule and one.is_for(alert.evidence)), None)


def adjusted(alert: Alert, tunable: Tunable, setting: float | None, held: tuple[float, float] | None) -> Adjustment:
    """What a dismissal as a false alarm makes of a threshold.

    Args:
        alert: dismissed.
        tunable: of the alert (`tunable_of`).
        setting: what the tenant has set for all its assets, None where it has not.
        held: base and value that the dismissal before gave this asset, None for the first.
    """
    stated = None if tunable.evidence is None else alert.evidence.get(tunable.evidence)
    used = float(stated) if isinstance(stated, int | float) and not isinstance(stated, bool) else tunable.default
    base = held[0] if held is not None else used if setting is None else setting
    top = base + tunable.most
    value = min(top, (base if held is None else held[1]) + tunable.step)
    return Adjustment(rule=tunable.rule, name=tunable.name, base=base, value=value, at_bound=value >= top)
