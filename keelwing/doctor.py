"""`keelwing doctor`: looks at everything a Keelwing stands on, and says of each what was found and what to do.

One line a check, in the order in which things depend on each other; what cannot be looked at because something before it failed
is left out. It judges; `store.diagnosis` and `ingest.broker_check` find out. Nothing is changed, and no password is printed.
"""

from __future__ import annotations

import json
import shutil
import ssl
import stat
import urllib.error
import urllib.request
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec
from pydantic import ValidationError

from alerts.notifier import POOL_MAX as NOTIFIER_POOL_MAX
from ingest import broker_check
from ingest.mqtt import BrokerAddress
from ingest.wire import MESSAGE_BYTES_MAX
from keelwing.embedded import nats, postgres
from keelwing.embedded.process import port_is_free
from keelwing.settings import PREFIX, Settings, unknown_variables
from store import diagnosis

State = Literal["ok", "warning", "error"]

SPACE_BYTES_LOW = 1024**3  # chosen: an hour of 1,000 readings a second with their indexes
SPACE_BYTES_GONE = 200 * 1024**2
CLOCK_S_MAX = 2.0  # chosen: lag is told to the tenth of a second, and readings 5 min ahead are rejected
COMMIT_MS_LEAST = 1.0  # taken where the database could not be asked
COMMIT_MS_SLOW = 100.0  # chosen: three times the wait of a batch
LOSES_S_MAX = 60.0  # chosen: what a broker may forget in a crash without anybody noticing the hole
WORKER_POOL_MAX = 4  # of `ingest.worker.WorkerConfig`
STEP_POOL_MAX = 2  # of `ingest.step_process.StepConfig`
OTHER_CONNECTIONS = 4  # the notifier's listener, migrations, a command, a person
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
TO_EVERYBODY = 0o077


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing looked at: `found` is a sentence about it, `advice` what to do, None when nothing is to be done."""

    check: str
    state: State
    found: str
    advice: str | None = None


def ok(check: str, found: str) -> Check:
    """It is well."""
    return Check(check=check, state="ok", found=found)


def warning(check: str, found: str, advice: str) -> Check:
    """It works, and will hurt one day."""
    return Check(check=check, state="warning", found=found, advice=advice)


def error(check: str, found: str, advice: str) -> Check:
    """It does not work."""
    return Check(check=check, state="error", found=found, advice=advice)


def diagnose(environment: Mapping[str, str], *, probe: bool = True, broker_configuration: Path | None = None) -> Iterator[Check]:
    """Look at everything, in order; each check as soon as it is made.

    Args:
        environment: the variables, for those that are no setting.
        probe: also try the broker's window and queue (some 2,000 small messages on a topic of our own).
        broker_configuration: the broker's own file, for what no client can see.
    """
    try:
        settings = Settings()
    except ValidationError as invalid:
        for one in invalid.errors():
            name = PREFIX + "_".join(str(part) for part in one["loc"]).upper()
            yield error("settings.values", f"{name}: {one['msg']}", "see the table of settings in docs/operate.md")
        return
    except OSError as unreadable:
        yield error("settings.values", f"a file of settings: {unreadable}", "let this user read it, or take it away")
        return
    yield ok("settings.values", "every value has a meaning")
    for name in unknown_variables(environment):
        yield warning("settings.names", f"{name} is no setting", "most likely misspelled: see docs/operate.md")
    yield from _together(settings)
    yield from _directory(settings)
    yield from _ports(settings)
    commit_ms = yield from _database(settings)
    yield from _broker(settings, commit_ms, probe=probe, configuration=broker_configuration)


# -- settings, files, ports -------------------------------------------------------------------------------------------


def _together(settings: Settings) -> Iterator[Check]:
    """Values that each have a meaning and contradict each other."""
    urls = {
        name: urlsplit(url)
        for name, url in (
            ("DATABASE_URL", settings.database_url),
            ("DATABASE_WORKER_URL", settings.database_worker_url),
            ("DATABASE_API_URL", settings.database_api_url),
        )
        if url is not None
    }
    places = {f"{parts.hostname}:{parts.port or 5432}{parts.path}" for parts in urls.values()}
    if len(places) > 1:
        yield warning("settings.together", f"{', '.join(urls)} name different databases", "let all of them name one database")
    ports = [settings.http_port, settings.worker_metrics_port, settings.notifier_metrics_port]
    taken = [port for port in ports if port]
    if len(set(taken)) != len(taken):
        yield error("settings.together", f"two ports are the same: {taken}", "give the API, the worker and the notifier one each")
    if settings.mqtt_ca_file is not None:
        if urlsplit(settings.mqtt_url or "").scheme != "mqtts":
            yield warning("settings.together", "MQTT_CA_FILE is set and MQTT_URL is not mqtts://", "use mqtts://, or unset it")
        try:
            ssl.create_default_context(cafile=str(settings.mqtt_ca_file))
        except OSError as unreadable:
            yield error("settings.together", f"MQTT_CA_FILE: {unreadable}", "name a PEM file of certificates that can be read")
    if settings.mqtt_url is None and settings.mqtt_protocol == "5":
        yield error("settings.together", "the embedded broker speaks MQTT 3.1.1 alone", "unset MQTT_PROTOCOL, or name a broker")
    if settings.webhook_allow_private and settings.http_host not in LOOPBACK:
        found = f"webhooks may go to private addresses, and the API listens on {settings.http_host}"
        yield warning("settings.together", found, "unset WEBHOOK_ALLOW_PRIVATE: who may make a webhook reaches your network")


def _directory(settings: Settings) -> Iterator[Check]:
    """The data directory: whether it can be written, what is in it that others may read, and how much room there is."""
    directory = settings.data_dir
    nearest = next(path for path in (directory, *directory.parents) if path.exists())
    if directory.exists() and not directory.is_dir():
        yield error("data.directory", f"{directory} is no directory", f"move it, or set {PREFIX}DATA_DIR")
        return
    if nearest.stat().st_mode & stat.S_IWOTH and not nearest.stat().st_mode & stat.S_ISVTX:
        yield warning("data.directory", f"everybody may write to {nearest}", f"chmod o-w {nearest}")
    else:
        yield ok("data.directory", f"{directory}" + ("" if directory.exists() else " (made at the first start)"))
    for path in (directory / "demo-keys", directory / "postgres" / "password"):
        if path.exists() and path.stat().st_mode & TO_EVERYBODY:
            yield warning("data.secrets", f"others may read {path}", f"chmod 600 {path}; make new keys if somebody did")
    free = shutil.disk_usage(nearest).free
    found = f"{free / 1024**3:.1f} GiB free"
    if free < SPACE_BYTES_GONE:
        yield error("data.space", found, "make room: embedded servers stop when their disk is full")
    elif free < SPACE_BYTES_LOW:
        yield warning("data.space", found, "make room before the disk is full")
    else:
        yield ok("data.space", found)


def _ports(settings: Settings) -> Iterator[Check]:
    """Ports that are chosen: free, or taken by the process they are for."""
    wanted = {
        "http.port": (settings.http_host, settings.http_port),
        "worker.metrics_port": (settings.metrics_host, settings.worker_metrics_port),
        "notifier.metrics_port": (settings.metrics_host, settings.notifier_metrics_port),
    }
    for check, (host, port) in wanted.items():
        if not port:
            continue
        if _answers(host, port):
            yield ok(check, f"{port}: Keelwing answers there")
        elif port_is_free(port):
            yield ok(check, f"{port} is free")
        else:
            yield warning(check, f"{port} is taken by something else", "stop that, or choose another port")


def _answers(host: str, port: int) -> bool:
    """Whether a process of ours answers on a port: the API says its status as JSON, the others say a word."""
    name = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104  compared with, not listened on
    try:
        with urllib.request.urlopen(f"http://{name}:{port}/healthz", timeout=2) as answer:
            text = answer.read(1000)
    except (OSError, urllib.error.URLError, ValueError):
        return False
    if text == b"ok\n":
        return True
    try:
        return "checks" in json.loads(text)
    except ValueError:
        return False


# -- the database -----------------------------------------------------------------------------------------------------


def _database(settings: Settings) -> Generator[Check, None, float | None]:
    """Everything about the database; gives the milliseconds of a commit, None when nothing could be asked."""
    embedded = settings.database_url is None and settings.database_worker_url is None and settings.database_api_url is None
    owner = settings.database_url or (postgres.running_url(settings.data_dir / "postgres") if embedded else None)
    url = owner or settings.database_worker_url or settings.database_api_url
    if url is None:
        found = "no database is named, and no stack runs in the data directory"
        yield warning("database.reachable", found, f"run `keelwing up`, or set {PREFIX}DATABASE_URL")
        return None
    parts = urlsplit(url)
    where = f"{parts.hostname}:{parts.port or 5432}{parts.path} as {parts.username}"
    try:
        found_there = diagnosis.examine(url)
    except diagnosis.Unreachable as away:
        advice = f"is the server up, and do host, port, user and password of {PREFIX}DATABASE_URL fit?"
        yield error("database.reachable", f"{where}: {away}", advice)
        return None
    yield ok("database.reachable", f"{where}, {found_there.round_trip_ms} ms away{', embedded' if embedded else ''}")
    yield from _logins(settings, owner)
    yield from _server(found_there)
    yield from _schema(found_there)
    yield from _wall(found_there)
    yield from _promises(found_there)
    yield _connections(settings, found_there)
    return found_there.commit_ms


def _logins(settings: Settings, owner: str | None) -> Iterator[Check]:
    """Each log-in that is named, and whether it may do what it is for."""
    for name, role, url in (
        ("worker", "keelwing_worker", settings.database_worker_url or owner),
        ("api", "keelwing_api", settings.database_api_url or owner),
    ):
        if url is None:
            continue
        check = f"database.login_{name}"
        try:
            login = diagnosis.log_in(url, role)
        except diagnosis.Unreachable as away:
            yield error(
                check, str(away), f"is the password in {PREFIX}DATABASE_{name.upper()}_URL the one that {role} was given?"
            )
            continue
        if not login.may_act:
            yield error(check, f"{login.user} may not act as {role}", "run `keelwing migrate` as the owner, who makes the roles")
        elif name == "api" and settings.database_url is not None and login.passes_wall:
            found = f"the API logs in as {login.user}, who sees every tenant, and takes on {role} afterwards"
            yield warning(check, found, f"give {role} a password and set {PREFIX}DATABASE_API_URL (docs/operate.md)")
        else:
            yield ok(check, f"{login.user}" + ("" if login.user == role else f" acts as {role}"))


def _server(found: diagnosis.Database) -> Iterator[Check]:
    """Version, edition, clock, speed."""
    major = found.version // 10_000
    if major > 18:
        yield warning("database.version", f"PostgreSQL {found.version_text}", "16 to 18 are tried")
    else:
        yield ok("database.version", f"PostgreSQL {found.version_text}")
    if found.available:
        yield warning(
            "database.edition", "TimescaleDB is loaded and not created here", "run `keelwing migrate`, which creates it"
        )
    elif found.edition is None:
        yield ok("database.edition", "without TimescaleDB: everything works, in plain tables that nothing compresses")
    elif found.edition == "apache":
        yield ok(
            "database.edition",
            f"TimescaleDB {found.edition_version}, Apache edition: hypertables, and no columnstore or policies",
        )
    else:
        yield ok("database.edition", f"TimescaleDB {found.edition_version}, all features: hypertables, columnstore, policies")
    ahead_s = found.clock_ahead_s
    if abs(ahead_s) > CLOCK_S_MAX + found.round_trip_ms / 2000:
        yield warning(
            "database.clock", f"{ahead_s:+.1f} s against this machine", "let both follow NTP: lag and lateness are told by both"
        )
    else:
        yield ok("database.clock", f"{ahead_s:+.2f} s against this machine")
    if found.commit_ms > COMMIT_MS_SLOW:
        advice = "a commit waits for the disk of the database: look there"
        yield warning("database.commit", f"{found.commit_ms} ms for a commit that writes nothing", advice)
    else:
        yield ok("database.commit", f"{found.commit_ms} ms for a commit that writes nothing")


def _schema(found: diagnosis.Database) -> Iterator[Check]:
    """Whether the migrations of this version are there."""
    if found.pending is None:
        yield error(
            "database.migrations", "none was ever run, or this log-in may not see them", "run `keelwing migrate` as the owner"
        )
    elif found.pending:
        yield error(
            "database.migrations", f"{len(found.pending)} are missing, from {found.pending[0]} on", "run `keelwing migrate`"
        )
    elif found.unknown:
        found_there = f"the database knows {found.unknown[-1]}, which this version does not"
        yield error("database.migrations", found_there, "run the newer version: a schema is not taken back")
    else:
        yield ok("database.migrations", "all are there")


def _wall(found: diagnosis.Database) -> Iterator[Check]:
    """The roles between tenants: they own nothing, and nothing lets them see more than their scope."""
    roles = {role.name: role for role in found.roles}
    missing = [name for name in diagnosis.ROLES if name not in roles]
    if missing:
        yield error("database.wall", f"roles are missing: {', '.join(missing)}", "run `keelwing migrate` as the owner")
        return
    broken = [f"{name} passes row security" for name in diagnosis.ROLES if roles[name].passes_wall]
    broken += [f"{name} owns {roles[name].owns} tables" for name in diagnosis.ROLES[1:] if roles[name].owns]
    broken += [f"{table} has no row security" for table in found.unwalled]
    if broken:
        advice = "ALTER ROLE … NOSUPERUSER NOBYPASSRLS; give tables back to the owner: until then a tenant may see another's"
        yield error("database.wall", "; ".join(broken), advice)
    else:
        yield ok("database.wall", "the API's role owns nothing, and row security holds for it")


def _promises(found: diagnosis.Database) -> Iterator[Check]:
    """What a commit of this server is worth."""
    off = [name for name, value in (("fsync", found.fsync), ("full_page_writes", found.full_page_writes)) if not value]
    if off:
        advice = f"set {' and '.join(off)} to on: what was acknowledged is lost, or the database, when the machine crashes"
        yield error("database.durability", f"{', '.join(off)} off", advice)
    elif found.synchronous_commit == "off":
        advice = "set synchronous_commit to on: a crash takes the last commits, and their messages were acknowledged"
        yield warning("database.durability", "synchronous_commit is off", advice)
    else:
        yield ok("database.durability", "a commit is on disk before a message is acknowledged")


def _connections(settings: Settings, found: diagnosis.Database) -> Check:
    worker = min(WORKER_POOL_MAX, settings.database_pool_max)
    needed = settings.database_pool_max + worker + NOTIFIER_POOL_MAX + OTHER_CONNECTIONS
    text = (
        f"{found.connections_max} may connect, one of each process takes up to {needed} and each step process "
        f"{STEP_POOL_MAX} more, {found.connections_now} are there now"
    )
    if needed > found.connections_max:
        return error("database.connections", text, f"raise max_connections, or lower {PREFIX}DATABASE_POOL_MAX")
    if found.connections_now > found.connections_max * 0.8:
        return warning("database.connections", text, "raise max_connections, or see who else is connected")
    return ok("database.connections", text)


# -- the broker -------------------------------------------------------------------------------------------------------


def _broker(settings: Settings, commit_ms: float | None, *, probe: bool, configuration: Path | None) -> Iterator[Check]:
    """Everything about the broker."""
    embedded = settings.mqtt_url is None
    url = settings.mqtt_url or nats.running_url(settings.data_dir / "nats")
    if url is None:
        found = "no broker is named, and no stack runs in the data directory"
        yield warning("broker.reachable", found, f"run `keelwing up`, or set {PREFIX}MQTT_URL")
        return
    parts = urlsplit(url)
    where = f"{parts.scheme}://{parts.hostname}:{parts.port or ''}".rstrip(":")
    address = BrokerAddress(
        url=url,
        protocol=settings.mqtt_protocol,
        ca_file=None if settings.mqtt_ca_file is None else str(settings.mqtt_ca_file),
        in_flight_max=settings.mqtt_in_flight_max,
    )
    try:
        broker = broker_check.examine(address, probe=probe)
    except (broker_check.NotConnected, OSError) as away:
        advice = f"is the broker up, and do host, port, user, password and {PREFIX}MQTT_PROTOCOL fit?"
        yield error("broker.reachable", f"{where}, MQTT {settings.mqtt_protocol}: {away}", advice)
        return
    there = ", ".join(filter(None, (where, broker.version, "embedded" if embedded else None)))
    yield ok("broker.reachable", there if broker.round_trip_ms is None else f"{there}, {broker.round_trip_ms} ms there and back")
    if broker.refused is not None:
        advice = "let the worker's user do it, or try --no-probe: without it window and queue stay unknown"
        yield warning("broker.permissions", f"the broker did not allow {broker.refused}", advice)
    yield from _protocol(broker)
    yield from _window(settings, broker, commit_ms)
    if broker.kept is not None:
        yield _queue(broker)
    yield _durability(settings.data_dir if embedded else None, configuration)


def _protocol(broker: broker_check.Broker) -> Iterator[Check]:
    speaks = " and ".join(broker.speaks)
    takes = "" if broker.receive_maximum is None else f", takes {broker.receive_maximum} unacknowledged of one publisher"
    yield ok("broker.protocol", f"MQTT {speaks}{takes}")
    if broker.takes_largest:
        yield ok("broker.message_size", f"a message of {MESSAGE_BYTES_MAX // 1024} KiB passes")
    elif broker.takes_largest is not None:
        yield warning(
            "broker.message_size",
            f"a message of {MESSAGE_BYTES_MAX // 1024} KiB, the largest that the contract allows, does not pass",
            "NATS: max_payload; Mosquitto: max_packet_size, message_size_limit",
        )


def _window(settings: Settings, broker: broker_check.Broker, commit_ms: float | None) -> Iterator[Check]:
    """Messages in flight, and what they make of the rate: no more than a window can be acknowledged in the time of a commit.

    A batch is full with half of the window that the worker wants (decision 88); one that is not full waits for more.
    """
    if broker.window is None:
        return
    full = max(1, min(settings.batch_readings_max, settings.mqtt_in_flight_max // 2))
    window = broker.window if broker.window < broker.window_tried else settings.mqtt_in_flight_max
    interval_ms = round((settings.batch_wait_ms if window < full else 0) + max(commit_ms or 0.0, COMMIT_MS_LEAST), 1)
    rate = round(min(window, full) / interval_ms * 1000)
    found = (
        f"{window:,} messages in flight, at most {min(window, full):,} a commit, which takes {interval_ms:g} ms and the judging: "
        f"at most {rate:,} messages/s a session"
    )
    if broker.window < broker.window_tried:
        advice = (
            f"the broker stops at {broker.window}, {PREFIX}MQTT_IN_FLIGHT_MAX is {settings.mqtt_in_flight_max}: Mosquitto "
            "max_inflight_messages (or MQTT 5), NATS mqtt.max_ack_pending; feeds that send arrays need less"
        )
        yield warning("broker.window", found, advice)
    else:
        yield ok("broker.window", found)


def _queue(broker: broker_check.Broker) -> Check:
    tried = broker_check.QUEUE_TRIED
    if broker.kept is not None and broker.kept < tried:
        return warning(
            "broker.queue",
            f"of {tried:,} messages for a session that was absent it kept {broker.kept:,} and dropped the others silently",
            "while the worker is away readings are lost: Mosquitto max_queued_messages 0 with max_queued_bytes (docs/mqtt.md)",
        )
    return ok("broker.queue", f"all of {tried:,} messages for a session that was absent came")


def _durability(data_dir: Path | None, configuration: Path | None) -> Check:
    """Whether the broker's disk is part of its promise; only its configuration says so."""
    path = configuration if data_dir is None else data_dir / "nats" / "nats.conf"
    if path is None:
        return warning(
            "broker.durability",
            "no client can see whether the broker keeps messages on disk",
            "give its configuration (--broker-config FILE), and see docs/mqtt.md, The broker",
        )
    try:
        said = broker_check.read_configuration(path.read_text(errors="replace"))
    except OSError as unreadable:
        return error("broker.durability", f"{path}: {unreadable.strerror}", "name a file that can be read")
    if not said.keeps_on_disk:
        return warning("broker.durability", f"{said.product} keeps nothing on disk", "persistence true, autosave_interval 5")
    if said.loses_s > LOSES_S_MAX:
        found = f"{said.product} writes to its disk every {said.loses_s:g} s: a crash loses what it acknowledged since"
        return warning("broker.durability", found, "Mosquitto: autosave_interval 5; NATS: jetstream sync_interval 1s")
    return ok(
        "broker.durability", f"{said.product} keeps messages on disk; a crash of the machine loses at most {said.loses_s:g} s"
    )
