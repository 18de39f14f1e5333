"""What the API must be told to run; the composition root fills it from the environment."""

from __future__ import annotations

from pathlib import Path

import msgspec

PAGE_DIRECTORY = Path(__file__).with_name("page")


class ApiSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of one API process.

    `pool_max` bounds connections to the database, one of which is taken by LISTEN; `body_bytes_max` bounds a request's
    body (chosen: 256 KiB, the same as a message on the broker), `import_bytes_max` that of an imported file (chosen: 4 MiB,
    ten times a full one); `stream_clients_max` bounds open event streams and `stream_queue_max` the events waiting for
    one of them (chosen: a minute of a busy fleet; who is slower is dropped and comes back with `Last-Event-ID`); `stop_s` is
    how long open requests may take after a stop was asked for.
    """

    database_url: str
    version: str = "0"
    host: str = "127.0.0.1"
    port: int = 8080
    page_directory: Path = PAGE_DIRECTORY
    pool_max: int = 10
    body_bytes_max: int = 256 * 1024
    import_bytes_max: int = 4 * 1024 * 1024
    stream_clients_max: int = 200
    stream_queue_max: int = 1000
    state_interval_s: float = 1.0
    stop_s: float = 4.0
