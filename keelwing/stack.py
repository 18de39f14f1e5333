"""What `keelwing up` holds together: database, broker, migrations, worker, notifier, API with the page, and the demo's fleet.

Each is a process of its own under one supervisor; embedded servers only where no URL names another. Everything binds
127.0.0.1. One Ctrl-C stops all of it; data stays in the data directory.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

from keelwing import demo
from keelwing.embedded.nats import EmbeddedNats
from keelwing.embedded.postgres import EmbeddedPostgres
from keelwing.embedded.process import free_port, port_is_free
from keelwing.embedded.supervise import ChildProcess, Supervisor
from keelwing.settings import Settings
from store import migrate as migration
from store.figures import Figures, read_figures

TICK_S = 5.0
PORTS_TRIED = 20  # after the wanted one; chosen: a machine with more stacks than that has other troubles


class Stack:
    """One run of `keelwing up`. `say` gets each line meant for the person who started it."""

    def __init__(self, settings: Settings, *, with_demo: bool, say: Callable[[str], None]) -> None:
        self._settings = settings
        self._with_demo = with_demo
        self._say = say
        self._port = settings.http_port
        self._owner_url = ""
        self._before: Figures | None = None
        self._began_s = time.monotonic()

    def run(self) -> int:
        """Start, watch and stop; the exit status.

        Raises:
            EmbeddedServerError: a part did not become ready; everything is stopped again.
        """
        self._settings.data_dir.mkdir(parents=True, exist_ok=True)
        supervisor = Supervisor(self._settings.data_dir)
        return supervisor.run(self._compose, on_tick=self._tick, tick_s=TICK_S)

    def _compose(self, stack: Supervisor) -> None:
        settings = self._settings
        database_url, mqtt_url = settings.database_url, settings.mqtt_url
        if database_url is None:
            postgres = EmbeddedPostgres(settings.data_dir / "postgres")
            stack.start(postgres)
            database_url = postgres.url
        self._owner_url = database_url
        applied = migration.migrate(database_url)
        if applied:
            self._say(f"database: {len(applied)} migrations applied")
        if mqtt_url is None:
            nats = EmbeddedNats(settings.data_dir / "nats")
            stack.start(nats)
            mqtt_url = nats.url
        environment = self._environment(database_url, mqtt_url)
        keys = asyncio.run(demo.prepare(database_url, settings.data_dir, self._say)) if self._with_demo else []
        self._start_children(stack, environment)
        self._greet(keys)

    def _environment(self, database_url: str, mqtt_url: str) -> dict[str, str]:
        """The children's: our own with the servers' URLs, and for an embedded database a log-in of its own for each role."""
        settings = self._settings.with_servers(database_url=database_url, mqtt_url=mqtt_url)
        if self._settings.database_url is None:
            worker_url, api_url = (_log_in(database_url, role) for role in migration.ROLES)
            # The owner's log-in stays with us: no child needs it.
            update = {"database_url": None, "database_worker_url": worker_url, "database_api_url": api_url}
            settings = settings.model_copy(update=update)
        self._port = self._free_port(settings.http_port)
        return {**os.environ, **settings.model_copy(update={"http_port": self._port}).environment()}

    def _free_port(self, wanted: int) -> int:
        """The wanted port or the next free one: a demo must start beside whatever else listens on 8080."""
        if wanted == 0:
            return free_port()
        return next((port for port in range(wanted, wanted + PORTS_TRIED) if port_is_free(port)), wanted)

    def _start_children(self, stack: Supervisor, environment: dict[str, str]) -> None:
        command = [sys.executable, "-m", "keelwing.cli"]
        subscribed = self._settings.data_dir / "worker-ready"
        subscribed.unlink(missing_ok=True)
        children: list[tuple[str, list[str], Callable[[], bool] | None]] = [
            # Before the first subscription nobody keeps a message for us, so the fleet waits for it.
            ("worker", ["worker", "--ready-file", str(subscribed)], subscribed.exists),
            ("notifier", ["notifier"], None),
            ("api", ["serve"], self._api_is_ready),
        ]
        if self._with_demo:
            children.append(("simulator", ["simulate", demo.SCENARIO, "--seed", str(demo.SEED), "--resume"], None))
        for name, arguments, ready in children:
            stack.start(
                ChildProcess(name, [*command, *arguments], log_directory=stack.log_directory, env=environment, ready=ready)
            )

    def _api_is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/readyz", timeout=2) as answer:
                return bool(json.load(answer)) and answer.status == 200
        except (OSError, urllib.error.URLError, ValueError):
            return False

    def _greet(self, keys: list[str]) -> None:
        took_s = time.monotonic() - self._began_s
        self._say(f"Keelwing is up after {took_s:.1f} s: http://127.0.0.1:{self._port}/ (data in {self._settings.data_dir})")
        if keys:
            self._say("keys, one per demo tenant, the admin of `demo` first:")
            for key in keys:
                self._say(key)
            self._say(f"open http://127.0.0.1:{self._port}/#key={keys[0]}")
        else:
            self._say("make a key with: keelwing key create --tenant TENANT --role admin")
        self._say("Ctrl-C stops everything")

    def _tick(self) -> None:
        """A line of counters."""
        now = read_figures(self._owner_url)
        if now is None:
            self._say("database is away")
            return
        before, self._before = self._before, now
        rate = 0.0 if before is None else (now.stored - before.stored) / max(now.at_s - before.at_s, 0.001)
        lag = "-" if now.lag_ms is None else f"{now.lag_ms:.0f} ms"
        self._say(
            f"{rate:7.1f} readings/s   {now.stored:9,} stored   lag {lag:>7}   {now.rejected} rejections"
            f"   {now.alerts_open} alerts open ({now.alerts_critical} critical)"
        )


def _log_in(owner_url: str, role: str) -> str:
    """Give a role a new password and return the URL with it."""
    password = secrets.token_urlsafe(24)
    migration.set_role_password(owner_url, role, password)
    parts = urlsplit(owner_url)
    return urlunsplit(parts._replace(netloc=f"{role}:{password}@{parts.netloc.rpartition('@')[2]}"))
