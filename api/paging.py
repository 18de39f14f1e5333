"""A page of a list out of rows that were read with one row too many: the shapes of the rows, and the cursor behind the last."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from api.listing import encode_cursor, list_response
from api.parameters import Page

Row = Mapping[str, Any]


def page_response(
    request: Request, shape: type[msgspec.Struct], shape_of: Callable[[Any], Any], rows: Sequence[Row], page: Page, *columns: str
) -> Response:  # fmt: skip
    """A page as JSON or CSV.

    Args:
        request: says which of the two.
        shape: of an item.
        shape_of: from a row to its item.
        rows: of the page, and one more where another page follows.
        page: its limit.
        columns: the list's sort key.
    """
    shapes = [shape_of(row) for row in rows[: page.limit]]
    return list_response(request, shape, shapes, next_cursor(rows, page, *columns))


def next_cursor(rows: Sequence[Row], page: Page, *columns: str) -> str | None:
    """The cursor behind the last row of a page that was read with one row too many; None where there was none."""
    if len(rows) <= page.limit:
        return None
    last = rows[page.limit - 1]
    return encode_cursor(*(last[name] for name in columns))
