"""The web page at `/`: files that the page's build left in one folder, or a plain sentence where there was no build.

Files under `assets/` carry a hash in their name and may be kept for ever; the page itself is asked for anew each time.
"""

from __future__ import annotations

from pathlib import Path

from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.staticfiles import StaticFiles

NOT_BUILT = (
    "Keelwing is running, but its page was not built: run `npm ci && npm run build` in web/. "
    "The API is under /v1, its documentation at /docs.\n"
)
FOREVER = "public, max-age=31536000, immutable"  # one year: the longest caches promise (RFC 9111 leaves it open)


class HashedFiles(StaticFiles):
    """Files whose names change with their content."""

    def file_response(self, *args: object, **named: object) -> Response:
        """As Starlette's, with a year of caching."""
        response = super().file_response(*args, **named)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = FOREVER
        return response


class Site(StaticFiles):
    """The other files of the page: its icons, its map; asked for again when they changed."""

    def file_response(self, *args: object, **named: object) -> Response:
        """As Starlette's, revalidated each time."""
        response = super().file_response(*args, **named)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = "no-cache"
        return response


def front(directory: Path) -> Response:
    """The page, or a sentence that says how to build it."""
    page = directory / "index.html"
    if not page.is_file():
        return PlainTextResponse(NOT_BUILT, 200, {"Cache-Control": "no-store"})
    return FileResponse(page, headers={"Cache-Control": "no-cache"})


def page_file(path: Path) -> Response:
    """One file beside the page, revalidated each time."""
    return FileResponse(path, headers={"Cache-Control": "no-cache"})
