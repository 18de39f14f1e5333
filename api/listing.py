"""Lists: keyset cursors, the envelope, and the same rows as CSV when `Accept` asks for it.

A cursor is the sort key of the last row given, opaque to the client; a list read to its end with cursors holds every row
that was there throughout, once, whatever is inserted meanwhile.
"""

from __future__ import annotations

import base64
import binascii
import csv
import io
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from api.problem import invalid
from fleet.instants import from_datetime, to_rfc3339

CURSOR_CHARS_MAX = 512
JSON_TYPE = "application/json"
CSV_TYPE = "text/csv"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
KeyT = TypeVar("KeyT")

# Parts of sort keys, bounded by what a column and the calendar can hold: a forged cursor must not reach the database.
TimeKey = Annotated[int, msgspec.Meta(ge=-(2**55), le=7_258_118_400_000_000)]  # microseconds; below the year 828, up to 2200
NumberKey = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]  # bigint
RevisionKey = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]  # integer
TextKey = Annotated[str, msgspec.Meta(pattern=r"^[^\x00]*$")]


def encode_cursor(*key: Any) -> str:
    """The opaque text of a sort key (JSON values and datetimes)."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).rstrip(b"=").decode()


def decode_cursor(cursor: str | None, key_type: type[KeyT]) -> KeyT | None:
    """The sort key of a cursor, or None without one. Raises Problem 422 for a cursor that this list did not give."""
    if cursor is None:
        return None
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(raw, type=key_type)
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise invalid("query", "cursor", "not a cursor of this list") from None


def preferred(request: Request, *offered: str) -> str:
    """The offered media type that `Accept` weighs highest (RFC 9110 §12.5.1); the first offered when nothing decides."""
    weights: dict[str, float] = {}
    for part in request.headers.get("accept", "*/*").split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = next((_weight(each[2:]) for each in parameters if each.startswith("q=")), 1.0)
        weights[name] = max(weight, weights.get(name, 0.0))

    def weight_of(media_type: str) -> float:
        family = media_type.partition("/")[0] + "/*"
        return weights.get(media_type, weights.get(family, weights.get("*/*", 0.0)))

    best = max(offered, key=weight_of)  # max keeps the first of equals
    return best if weight_of(best) > 0 else offered[0]


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0


def json_response(value: Any, status: int = 200, *, headers: dict[str, str] | None = None) -> Response:
    """Any struct or plain value as JSON."""
    return Response(msgspec.json.encode(value), status, headers, JSON_TYPE)


def list_response(request: Request, shape: type[msgspec.Struct], items: Sequence[Any], next_cursor: str | None) -> Response:
    """A page of a list as JSON or CSV; `Link: …; rel="next"` in both, because CSV has no envelope."""
    headers = {"Vary": "Accept", **next_link(request, next_cursor)}
    if preferred(request, JSON_TYPE, CSV_TYPE) == CSV_TYPE:
        return Response(csv_of(shape, items), 200, headers, CSV_TYPE + "; charset=utf-8")
    return json_response({"items": items, "next_cursor": next_cursor}, headers=headers)


def next_link(request: Request, cursor: str | None) -> dict[str, str]:
    """The header that leads to the next page (RFC 8288), or none."""
    if cursor is None:
        return {}
    query = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    return {"Link": f'<{request.url.path}?{urlencode([*query, ("cursor", cursor)])}>; rel="next"'}


def csv_of(shape: type[msgspec.Struct], items: Sequence[Any]) -> str:
    """Rows of a shape as RFC 4180 text with a header line; what is itself an object or a list is a cell of JSON."""
    fields = msgspec.structs.fields(shape)
    lines = io.StringIO()
    writer = csv.writer(lines)
    writer.writerow(field.encode_name for field in fields)
    for item in items:
        writer.writerow(csv_cell(getattr(item, field.name)) for field in fields)
    return lines.getvalue()


def csv_cell(value: Any) -> str | float | int:
    """One cell. Text that a spreadsheet would run as a formula gets an apostrophe in front: names come from the air."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return to_rfc3339(from_datetime(value))
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, Decimal):  # money: a number to the accounting system, a negative one too
        return f"{value:f}"
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return "'" + text if text.startswith(FORMULA_STARTS) else text
