"""Rule `identity_changed`: the air says something about who an asset is that the records do not.

Unlike the rules of `detect.step` it does not see readings one by one. It judges the whole sequence of an asset's identity
reports against the records at once, so that the order of arrival makes no difference and a change of the records is judged by
asking again.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from detect.model import Finding, finding_id
from fleet.identifiers import FIELD_SCHEMES, check_digit_warning, identifier_fault
from fleet.instants import HOUR_US, to_datetime, to_rfc3339
from fleet.reading import StaticReport
from fleet.registration import country_of_mmsi, mmsi_mid

NAME = "identity_changed"
VERSION = 1
CLASSES = frozenset({"vessel", "aircraft"})
NAME_DISTANCE_MAX = 2  # design 4.6: by an edit distance > 2 after normalising
AIS_NAME_CHARS = 20  # ITU-R M.1371-5 table 52: a name is cut after twenty characters
APART_US = 6 * HOUR_US  # design 4.6: one ≥ 6 h after the last old value confirms
RETURNED_REPORTS = 2  # chosen: as many as confirm a change, so that two transmitters under one number are one episode
REPORTS_MAX = 2000  # looked at for one asset, thinned; chosen: some seven hundred changes of identity

_FIELDS: dict[str, tuple[str, ...]] = {
    "vessel": ("imo", "mmsi", "call_sign", "name"),
    "aircraft": ("registration", "icao24"),
}
"""What is compared, by class: design 4.6 and, for the address of an aircraft, domain.md 1.6. A call sign of a flight is none."""

_SCHEME_FIELDS = {scheme: field for field, scheme in FIELD_SCHEMES.items()}
_PREFIX = re.compile(r"^(?:MV|MT|MS|SS|MY|SY|FV|LNGC|LPGC)(?=[A-Z0-9]{3})")


class Record(NamedTuple):
    """A field of identity on record in [from_us, to_us), open ends None; `accepted_us` is when a person took it from the air."""

    field: str
    value: str
    from_us: int | None = None
    to_us: int | None = None
    accepted_us: int | None = None


class _Difference(msgspec.Struct):
    """A value that the records do not have, from its first report on; `back` counts reports of the old value since."""

    reported: str
    recorded: str
    first_us: int
    last_us: int
    confirmed_us: int | None
    back: int = 0


class _Episode(msgspec.Struct):
    """An episode as it grows: its differences by field, those that are over too."""

    report: StaticReport
    running: dict[str, _Difference] = {}
    over: dict[str, _Difference] = {}
    closed_us: int | None = None
    ended: str | None = None


def field_of(scheme: str) -> str | None:
    """The field of a report that an identifier's scheme or `name` stands for; None for one that is not compared."""
    return _SCHEME_FIELDS.get(scheme)


def said(report: StaticReport) -> dict[str, str]:
    """Who an asset is, by a report: the fields that are compared, its address among them; what cannot be a value is left out.

    A report under an MMSI that no ship can have (a transponder as the factory set it, which many are) says nothing of anybody,
    unless it gives an IMO number.
    """
    given: dict[str, Any] = dict(report.particulars)
    address = field_of(report.scheme)
    if address == "mmsi" and _value("mmsi", report.value) is None and "imo" not in given:
        return {}
    if address is not None:
        given.setdefault(address, report.value)
    found: dict[str, str] = {}
    for field in _FIELDS.get(report.asset_class, ()):
        value = given.get(field)
        if isinstance(value, str) and (kept := _value(field, value)) is not None:
            found[field] = kept
    return found


def differs(report: StaticReport, records: Sequence[Record]) -> bool:
    """Whether a report says anything else than what is on record at its time; what is not on record differs from nothing."""
    return any(
        (expected := _expected(records, field, report.time_us)) is not None and not _same(field, value, expected.value)
        for field, value in said(report).items()
    )


def thinned(reports: Iterable[StaticReport]) -> Iterator[StaticReport]:
    """The first two and the last report of each run that says the same: all that `judge` looks at."""
    run: list[StaticReport] = []
    for report in reports:
        if run and said(report) != said(run[0]):
            yield from run
            run = []
        run = [*run[:2], report]
    yield from run


def judge(asset_id: str, reports: Iterable[StaticReport], records: Sequence[Record]) -> list[Finding]:
    """The episodes of one asset in their final form.

    Args:
        asset_id: ours.
        reports: in order of time, thinned or not; those of other classes than `CLASSES` say nothing.
        records: as believed now, dated. Where there is none for a field, the first value heard stands for one.
    """
    old: dict[str, tuple[str, int]] = {}  # by field: the value taken for right, and when it was last heard
    episodes: list[_Episode] = []
    for report in reports:
        for field, value in said(report).items():
            expected = _expected(records, field, report.time_us)
            held = expected.value if expected is not None else old.get(field, (value, 0))[0]
            running = episodes[-1] if episodes and episodes[-1].closed_us is None else None
            if _same(field, value, held):
                old[field] = (value, report.time_us)
                if running is not None:
                    _agree(running, field, value, report.time_us, expected)
                continue
            if running is None:
                running = _Episode(report)
                episodes.append(running)
            _disagree(running, field, value, held, report.time_us, old.get(field))
    if episodes:
        _close_accepted(episodes[-1], records)
    return [_finding(asset_id, episode) for episode in episodes]


def _expected(records: Sequence[Record], field: str, at_us: int) -> Record | None:
    """What was on record at an instant: what a person took over later counts from then on, before that what it replaced."""
    hidden: Record | None = None
    for record in records:
        if record.field == field and _covers(record, at_us):
            if record.accepted_us is None or record.accepted_us <= at_us:
                return record
            hidden = record
    if hidden is None or hidden.from_us is None:
        return None
    return next((one for one in records if one.field == field and one.to_us == hidden.from_us), None)


def _covers(record: Record, at_us: int) -> bool:
    return (record.from_us is None or record.from_us <= at_us) and (record.to_us is None or at_us < record.to_us)


def _agree(episode: _Episode, field: str, value: str, time_us: int, expected: Record | None) -> None:
    """A value that is right again: after two reports the difference is over, or at once when the records took it over."""
    difference = episode.running.get(field)
    if difference is None:
        return
    accepted_us = expected.accepted_us if expected is not None and _same(field, value, difference.reported) else None
    difference.back += 1
    if accepted_us is None and difference.back < RETURNED_REPORTS:
        return
    episode.over[field] = episode.running.pop(field)
    if not episode.running:
        episode.closed_us = time_us if accepted_us is None else accepted_us
        episode.ended = "returned" if accepted_us is None else "accepted"


def _disagree(episode: _Episode, field: str, value: str, held: str, time_us: int, last_old: tuple[str, int] | None) -> None:
    """A value that is not on record: the first report of it, or one more, at a later time, that confirms it."""
    known = episode.running.get(field) or episode.over.pop(field, None)
    if known is None or not _same(field, value, known.reported):
        apart = last_old is not None and time_us - last_old[1] >= APART_US
        known = _Difference(value, held, time_us, time_us, time_us if apart else None)
    elif time_us > known.last_us:
        known.confirmed_us = time_us if known.confirmed_us is None else known.confirmed_us
        known.last_us = time_us
    known.back = 0
    episode.running[field] = known


def _close_accepted(episode: _Episode, records: Sequence[Record]) -> None:
    """Close an episode all of whose differences a person took over."""
    taken = [_accepted_us(records, field, one) for field, one in episode.running.items()]
    if episode.closed_us is None and taken and all(at_us is not None for at_us in taken):
        episode.closed_us, episode.ended = max(at_us for at_us in taken if at_us is not None), "accepted"


def _accepted_us(records: Sequence[Record], field: str, difference: _Difference) -> int | None:
    return next(
        (
            record.accepted_us
            for record in records
            if record.field == field and _covers(record, difference.last_us) and _same(field, difference.reported, record.value)
        ),
        None,
    )


def _finding(asset_id: str, episode: _Episode) -> Finding:
    differences = sorted({**episode.over, **episode.running}.items(), key=lambda entry: (entry[1].first_us, entry[0]))
    opened_us = min(difference.first_us for _, difference in differences)
    evidence: dict[str, Any] = {"changes": [_change(field, one) for field, one in differences], "source": episode.report.source}
    if episode.ended is not None:
        evidence["ended"] = episode.ended
    return Finding(
        id=finding_id(asset_id, NAME, None, episode.report.time_us),
        rule=NAME,
        rule_version=VERSION,
        severity="info" if all(difference.confirmed_us is None for _, difference in differences) else "warning",
        asset_id=asset_id,
        asset=f"{episode.report.scheme}:{episode.report.value}",
        subject=None,
        opened_at_us=min(opened_us, episode.report.time_us),
        closed_at_us=episode.closed_us,
        detected_at_us=episode.report.time_us,
        score=None,
        evidence=evidence,
    )


def _change(field: str, difference: _Difference) -> dict[str, Any]:
    change: dict[str, Any] = {
        "field": field,
        "recorded": difference.recorded,
        "reported": difference.reported,
        "first_reported_at": to_rfc3339(difference.first_us),
        "confirmed_at": None if difference.confirmed_us is None else to_rfc3339(difference.confirmed_us),
    }
    if field == "mmsi":
        on = to_datetime(difference.first_us).date()
        change["recorded_country"] = country_of_mmsi(difference.recorded, on)
        change["reported_country"] = country_of_mmsi(difference.reported, on)
    elif (warning := check_digit_warning(field, difference.reported)) is not None:
        change["warning"] = warning
    return change


def _value(field: str, value: str) -> str | None:
    """A reported value in the form in which it is kept; None for what cannot be one: a placeholder, no MID, no letters."""
    if field == "name":
        return " ".join(value.split()) if _letters(value) else None
    kept = value.strip().upper() if field in {"call_sign", "registration"} else value.strip().lower()
    scheme = FIELD_SCHEMES[field]
    if identifier_fault(scheme, kept) is not None or check_digit_warning(scheme, kept) == "placeholder":
        return None
    return None if field == "mmsi" and mmsi_mid(kept) is None else kept


def _same(field: str, one: str, other: str) -> bool:
    """Whether two values of a field name the same: an MMSI by its MID, a name within an edit distance of 2 once normalised."""
    if one == other:
        return True
    if field == "mmsi":
        return mmsi_mid(one) == mmsi_mid(other)
    if field != "name":
        return _letters(one) == _letters(other)
    first, second = _bare_name(one), _bare_name(other)
    cut = _bare_name(one[:AIS_NAME_CHARS]), _bare_name(other[:AIS_NAME_CHARS])
    return min(edit_distance(first, second), edit_distance(*cut)) <= NAME_DISTANCE_MAX


def _letters(text: str) -> str:
    """Letters and digits in capitals, accents gone."""
    plain = unicodedata.normalize("NFKD", text.upper())
    return "".join(character for character in plain if character.isalnum())


def _bare_name(name: str) -> str:
    """A ship's name without the letters for her kind, spaces and points."""
    return _PREFIX.sub("", _letters(name))


def edit_distance(one: str, other: str) -> int:
    """Levenshtein distance: the least number of characters put in, taken out or changed to make one text of the other."""
    row = list(range(len(other) + 1))
    for place, character in enumerate(one, 1):
        diagonal, row[0] = row[0], place
        for column, candidate in enumerate(other, 1):
            change = diagonal + (character != candidate)
            diagonal, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, change)
    return row[-1]
