"""What `step` notes of an asset for the scene: its first accepted fix of each ten minutes, and how well it knows its position.

The scene compares assets, so it may not depend on how often each reports: one fix a bucket is enough, and costs one comparison a
reading. A degraded aircraft is noted once more in a bucket that saw it well before, so that a short spell is not lost between.
"""

from __future__ import annotations

import msgspec

from fleet.aircraft import AircraftReading
from fleet.instants import MINUTE_US
from fleet.reading import Reading

BUCKET_US = 10 * MINUTE_US  # detection.md S6: GFW resamples encounters at 10 min
NIC_MIN = 7  # detection.md A2: NIC < 7 is degraded (14 CFR 91.227(c): NIC < 0.2 nm)
NAC_P_MIN = 8  # detection.md A2: NACp < 8 is degraded (14 CFR 91.227(c): NACp < 0.05 nm)
DEGRADED_REPORTS = 3  # detection.md A2: three consecutive reports


def bucket_of(time_us: int) -> int:
    """The start of the bucket that holds an instant, microseconds."""
    return time_us // BUCKET_US * BUCKET_US


class Sighting(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Where one asset or a piece of traffic was at an instant, as the scene takes it.

    `asset_id` is "" for traffic; `name` is `scheme:value`. `degraded` is of airborne aircraft that say how well they know their
    position (None: it does not say, or is not in the air), `was_well` whether it ever reported well. `kind` is the ship's type in
    words where known (`tug`, `tanker`).
    """

    asset_id: str
    name: str
    asset_class: str
    time_us: int
    lat_deg: float
    lon_deg: float
    speed_kn: float | None = None
    course_deg: float | None = None
    nav_status: int | None = None
    degraded: bool | None = None
    was_well: bool = False
    kind: str | None = None

    @property
    def key(self) -> str:
        """Who it is: the asset where we know it, else the name."""
        return self.asset_id or self.name


class Sighted(msgspec.Struct, kw_only=True, array_like=True):
    """What is remembered between sightings: from when the next is due (`degraded_due_us`: the next of a degraded aircraft).

    `nic` and `nac_p` are as last reported, `degraded_run` counts degraded reports in a row, `was_well` says that a report was
    ever good.
    """

    due_us: int = 0
    degraded_due_us: int = 0
    degraded_run: int = 0
    nic: int | None = None
    nac_p: int | None = None
    was_well: bool = False


def note_integrity(sighted: Sighted, reading: AircraftReading) -> bool:
    """Take in how well an aircraft knows its position; whether a sighting is due because it has just become degraded.

    Degraded is a report with NIC below 7 or NACp below 8, each as last reported (detection.md A2): a receiver hears them in
    different messages.
    """
    nic, nac_p = reading.nic, reading.nac_p
    if nic is None:
        if nac_p is None:
            return False
        nic = sighted.nic
    if nac_p is None:
        nac_p = sighted.nac_p
    if nic == sighted.nic and nac_p == sighted.nac_p and sighted.was_well and not sighted.degraded_run:
        return False  # as well as before: nearly every report
    sighted.nic, sighted.nac_p = nic, nac_p
    if (nic is None or nic >= NIC_MIN) and (nac_p is None or nac_p >= NAC_P_MIN):
        sighted.was_well, sighted.degraded_run = True, 0
        return False
    sighted.degraded_run = min(sighted.degraded_run + 1, DEGRADED_REPORTS)
    return sighted.degraded_run >= DEGRADED_REPORTS and reading.time_us >= sighted.degraded_due_us


def degraded(sighted: Sighted, airborne: bool | None) -> bool | None:
    """Whether an aircraft's position is degraded now; None when it is not known to be in the air or does not say."""
    if not airborne or (sighted.nic is None and sighted.nac_p is None):
        return None
    return sighted.degraded_run >= DEGRADED_REPORTS


def next_due(sighted: Sighted, reading: Reading, is_degraded: bool | None) -> None:
    """A sighting was noted: the next is due in the next bucket."""
    sighted.due_us = bucket_of(reading.time_us) + BUCKET_US
    if is_degraded:
        sighted.degraded_due_us = sighted.due_us
