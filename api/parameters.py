"""What queries and paths may hold, as annotated types: instants, durations, pages, boxes. Everything has a bound.

Instants are RFC 3339 with an offset and become microseconds UTC. A `+` that a client forgot to escape arrives as a space and
is read as the plus it was.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Path, Query
from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from api.listing import CURSOR_CHARS_MAX
from fleet.asset_class import ASSET_CLASSES
from fleet.component import COMPONENT_CLASSES
from fleet.identifiers import SCHEME_FORMS
from fleet.instants import from_datetime
from fleet.obligation import KINDS
from store.changes import CHANGES
from store.changes import KINDS as CHANGE_KINDS

RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d(?:\.\d{1,9})?)([Zz]|[+ -]\d\d:\d\d)")
ISO_DURATION = re.compile(r"P(?:(\d{1,3})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,6})M)?(?:(\d{1,8})S)?)?")
YEARS = (1900, 2200)  # outside: a typing error, and offsets could leave the calendar
MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
BUCKET_S_MAX = 31 * 86_400
LIMIT_MAX = 1000
SEVERITIES = ("info", "warning", "critical")


def instant_us(text: Any) -> int:
    """Microseconds of an RFC 3339 text. Raises ValueError with a sentence for the client."""
    found = RFC3339.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError("must be an RFC 3339 date-time with an offset, such as 2026-11-22T07:00:00Z")
    day, clock, offset = found.groups()
    whole, _, fraction = clock.partition(".")
    if not YEARS[0] <= int(day[:4]) < YEARS[1]:
        raise ValueError(f"must lie in the years {YEARS[0]} to {YEARS[1] - 1}")
    zone = "+00:00" if offset in {"Z", "z"} else offset.replace(" ", "+")
    moment = datetime.fromisoformat(
        f"{day}T{whole}{'.' if fraction else ''}{fraction[:6].ljust(6, '0') if fraction else ''}{zone}"
    )
    return from_datetime(moment)


def duration_s(text: Any) -> int:
    """Seconds of an ISO 8601 duration of days, hours, minutes and whole seconds. Raises ValueError with a sentence."""
    found = ISO_DURATION.fullmatch(text) if isinstance(text, str) else None
    if found is None or not any(found.groups()) or text.endswith("T"):
        raise ValueError("must be an ISO 8601 duration such as PT15M, PT1H or P1D")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    total = int(timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds())
    if not 1 <= total <= BUCKET_S_MAX:
        raise ValueError("must be from PT1S to P31D")
    return total


def month_first(text: Any) -> date:
    """First day of a month written `2026-05`. Raises ValueError with a sentence."""
    found = MONTH.fullmatch(text) if isinstance(text, str) else None
    if found is None or not YEARS[0] <= int(found[1]) < YEARS[1] - 1:
        raise ValueError("must be a month such as 2026-05")
    return date(int(found[1]), int(found[2]), 1)


def plain_text(text: str) -> str:
    """Text without NUL, which no table can hold. Raises ValueError."""
    if "\x00" in text:
        raise ValueError("must not hold the character NUL")
    return text


def identifier_pair(text: Any) -> tuple[str, str]:
    """(scheme, value) of `scheme:value`. Raises ValueError."""
    scheme, _, value = plain_text(text).partition(":")
    form = SCHEME_FORMS.get(scheme)
    if form is None:
        raise ValueError(f"must begin with one of {', '.join(f'{name}:' for name in SCHEME_FORMS)}")
    if not form.fullmatch(value):
        raise ValueError(f"is no {scheme}")
    return scheme, value


def box(text: Any) -> tuple[float, float, float, float]:
    """(west, south, east, north) in degrees; west > east crosses 180° (RFC 7946 §5.2). Raises ValueError."""
    try:
        west, south, east, north = (float(part) for part in str(text).split(","))
    except ValueError:
        raise ValueError("must be west,south,east,north in degrees") from None
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):
        raise ValueError("must be west,south,east,north within ±180 and ±90, south not above north")
    return west, south, east, north


def names_of(allowed: tuple[str, ...]) -> Any:
    """A validator of words by commas, each one of those allowed; gives a tuple. Raises ValueError with a sentence."""

    def split(text: Any) -> tuple[str, ...]:
        names = tuple(dict.fromkeys(part.strip() for part in str(text).split(",") if part.strip()))
        unknown = [name for name in names if name not in allowed]
        if unknown or not names:
            raise ValueError(f"must be one or more of {', '.join(allowed)}, separated by commas")
        return names

    return split


def text_schema(example: str, **more: Any) -> WithJsonSchema:
    """The schema of a text, for what is parsed from one."""
    return WithJsonSchema({"type": "string", "examples": [example], **more})


STAY_KINDS = ("port_call", "moored", "anchored", "drydock", "ground", "stabled")
STATUSES = ("open", "acknowledged", "resolved", "dismissed", "retracted")
_INSTANT_SCHEMA = text_schema("2026-11-22T07:00:00Z", format="date-time")

# What becomes a tuple is annotated Any: FastAPI would read a tuple as a parameter that may be repeated.
Instant = Annotated[int, BeforeValidator(instant_us), _INSTANT_SCHEMA]
Duration = Annotated[int, BeforeValidator(duration_s), text_schema("PT1H", pattern=ISO_DURATION.pattern)]
Text = Annotated[str, AfterValidator(plain_text)]
MonthName = Annotated[date, BeforeValidator(month_first), text_schema("2026-05", pattern=f"^{MONTH.pattern}$")]
IdentifierPair = Annotated[Any, BeforeValidator(identifier_pair), text_schema("imo:9074729")]
Box = Annotated[Any, BeforeValidator(box), text_schema("170,-50,-170,-30")]
Severities = Annotated[Any, BeforeValidator(names_of(SEVERITIES)), text_schema("warning,critical")]
Statuses = Annotated[Any, BeforeValidator(names_of(STATUSES)), text_schema("open,acknowledged")]
ObligationKinds = Annotated[Any, BeforeValidator(names_of(tuple(KINDS))), text_schema("insurance_end,survey")]
ChangeKinds = Annotated[Any, BeforeValidator(names_of(CHANGE_KINDS)), text_schema("lease_event,finding")]
Changes = Annotated[Any, BeforeValidator(names_of(CHANGES)), text_schema("restated,retracted")]
StayKinds = Annotated[Any, BeforeValidator(names_of((*STAY_KINDS, "drifting"))), text_schema("port_call,drydock"),
                      Query(description="Of these kinds; `drifting` is given only where it is asked for.")]  # fmt: skip
ClassName = Annotated[str, AfterValidator(lambda name: names_of(tuple(ASSET_CLASSES))(name)[0]),
                      WithJsonSchema({"type": "string", "enum": list(ASSET_CLASSES)})]  # fmt: skip

AssetClassName = Annotated[str, AfterValidator(lambda name: names_of((*ASSET_CLASSES, *COMPONENT_CLASSES))(name)[0]),
                           WithJsonSchema({"type": "string", "enum": [*ASSET_CLASSES, *COMPONENT_CLASSES]})]  # fmt: skip

LeaseId = Annotated[UUID, Path(description="The lease's id, as given by the list of leases.")]
AssetId = Annotated[UUID, Path(description="The asset's own key, as given by the list of assets.")]
Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX, description="Items on one page.")]
Cursor = Annotated[
    Text | None, Query(max_length=CURSOR_CHARS_MAX, description="`next_cursor` of the page before; none: the first page.")
]
ValidAt = Annotated[
    Instant | None,
    Query(description="Instant the answer is meant at: identifiers and leases in force then, state and positions up to then."),
]
KnownAt = Annotated[
    Instant | None,
    Query(
        description="What was known then: dated rows as recorded then, readings and findings of commits up to then. "
        "Resolves to commits, not to a clock."
    ),
]


class Dated:
    """`valid_at` and `known_at` of one read, in microseconds; None is now."""

    def __init__(self, valid_at: ValidAt = None, known_at: KnownAt = None) -> None:
        self.at_us = valid_at
        self.known_us = known_at


class Span:
    """`from` (inclusive) and `to` (exclusive) of one read, in microseconds; None is open."""

    def __init__(
        self,
        from_: Annotated[Instant | None, Query(alias="from", description="Inclusive beginning.")] = None,
        to: Annotated[Instant | None, Query(description="Exclusive end.")] = None,
    ) -> None:
        self.from_us = from_
        self.to_us = to


class Page:
    """`limit` and `cursor` of one page."""

    def __init__(self, limit: Limit = 100, cursor: Cursor = None) -> None:
        self.limit = limit
        self.cursor = cursor


DatedQuery = Annotated[Dated, Depends()]
SpanQuery = Annotated[Span, Depends()]
PageQuery = Annotated[Page, Depends()]
