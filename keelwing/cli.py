"""The command line. Each command makes its settings, imports its room and hands values over; no rule lives here."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer
from pydantic import ValidationError

from keelwing import journal
from keelwing.settings import PREFIX, Settings, unknown_variables

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

app = typer.Typer(
    name="keelwing",
    help="Watches leased ships and aircraft for the company that owns them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
key_app = typer.Typer(help="Keys of the API.", no_args_is_help=True)
app.add_typer(key_app, name="key")
tenant_app = typer.Typer(help="Lessors.", no_args_is_help=True)
app.add_typer(tenant_app, name="tenant")
feed_app = typer.Typer(help="Feeds of the operator.", no_args_is_help=True)
app.add_typer(feed_app, name="feed")

Files = Annotated[list[Path], typer.Argument(help="Recordings, told by content.", exists=True, dir_okay=False)]
STOP_S_MAX, CANCEL_S_MAX = 8.0, 1.0  # together within the ten seconds that `docker stop` and systemd units grant
FENCED_STATUS = 3  # of a worker that was replaced: started again it would in turn replace the one that took over
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a script.")]


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"keelwing {_version()}")
        raise typer.Exit


@app.callback()
def _root(
    _version_asked: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", is_eager=True, callback=_say_version)
    ] = False,
) -> None:
    """Watches leased ships and aircraft for the company that owns them."""


def main() -> None:
    """Entry of the `keelwing` command."""
    app()


def _read_settings() -> Settings:
    """The settings, or a line for each that has no meaning. Without its value: that may hold a password."""
    try:
        return Settings()
    except ValidationError as error:
        _fail("\n".join(f"{PREFIX}{'.'.join(map(str, one['loc'])).upper()}: {one['msg']}" for one in error.errors()))
    except OSError as error:
        _fail(f"a file of settings cannot be read: {error}")


def _settings(service: str) -> Settings:
    settings = _read_settings()
    journal.configure(settings.log_format, settings.log_level, service)
    for name in unknown_variables(os.environ):
        typer.echo(f"warning: {name} is no setting", err=True)
    return settings


def _fail(message: str, status: int = 1) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(status)


def _database_url(settings: Settings) -> str:
    """The configured database, or the one of a stack that runs in the data directory."""
    from keelwing.embedded import postgres

    url = settings.database_url or postgres.running_url(settings.data_dir / "postgres")
    if url is None:
        _fail(f"no database: set KEELWING_DATABASE_URL, or run `keelwing up` (data directory {settings.data_dir})")
    return url


def _worker_url(settings: Settings) -> str:
    return settings.database_worker_url or _database_url(settings)


def _mqtt_url(settings: Settings) -> str:
    from keelwing.embedded import nats

    url = settings.mqtt_url or nats.running_url(settings.data_dir / "nats")
    if url is None:
        _fail(f"no broker: set KEELWING_MQTT_URL, or run `keelwing up` (data directory {settings.data_dir})")
    return url


def _run_until_stopped(work: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run until it ends by itself or SIGINT or SIGTERM asks it to.

    What has not ended `STOP_S_MAX` after that is cancelled, and what cannot be cancelled is left as in a crash, which loses
    nothing: psycopg waits for a server that does not answer whoever cancels it.
    """

    async def guarded() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        working = asyncio.ensure_future(work(stop))
        stopping = asyncio.create_task(stop.wait(), name="stop")
        await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        await asyncio.wait((working,), timeout=STOP_S_MAX)
        if not working.done():
            working.cancel()
            await asyncio.wait((working,), timeout=CANCEL_S_MAX)
            typer.echo(f"did not end within {STOP_S_MAX:g} s: left as in a crash, which loses nothing", err=True)
            os._exit(1)
        await working

    asyncio.run(guarded())


def _run_exposed(
    work: Callable[[asyncio.Event], Coroutine[Any, Any, None]], registry: CollectorRegistry, host: str, port: int | None
) -> None:
    """As `_run_until_stopped`, with metrics and liveness served meanwhile where a port was chosen for them."""
    from keelwing.exposition import NotExposedError, while_exposed

    try:
        _run_until_stopped(lambda stop: while_exposed(work(stop), registry, host, port))
    except NotExposedError as error:
        _fail(str(error))


@app.command()
def up(
    demo: Annotated[bool, typer.Option("--demo/--no-demo", help="With a fleet of two lessors, moving.")] = False,
) -> None:
    """Run everything here: database, broker, worker, notifier, API and page; one Ctrl-C stops it."""
    settings = _read_settings()
    journal.configure("console", "warning", "up")
    from keelwing.embedded.process import EmbeddedServerError
    from keelwing.stack import Stack

    try:
        status = Stack(settings, with_demo=demo, say=lambda line: print(line, flush=True)).run()  # noqa: T201  its output
    except EmbeddedServerError as error:
        _fail(str(error))
    raise typer.Exit(status)


@app.command()
def migrate() -> None:
    """Bring the database to today's schema."""
    settings = _settings("migrate")
    from store.migrate import migrate as run

    for name in run(_database_url(settings)):
        typer.echo(name)


@app.command("import")
def import_files(
    files: Annotated[
        list[Path], typer.Argument(help="CSV or XLSX of parties, assets, leases, reports.", exists=True, dir_okay=False)
    ],
    tenant: Annotated[str, typer.Option(help="Whose rows they become.")],
    what: Annotated[str | None, typer.Option(help="What the tables hold; else told by sheet names or columns.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Try every row, write none, name every bad one.")] = False,
    as_json: Json = False,
) -> None:
    """Import assets, parties, leases and reports, each file whole or not at all; a second time changes nothing."""
    settings = _settings("import")
    from keelwing.importing import import_all, lines_of

    outcomes = asyncio.run(import_all(_database_url(settings), tenant, files, what, dry_run=dry_run))
    if as_json:
        typer.echo(json.dumps(outcomes))
    else:
        for outcome in outcomes:
            for line in lines_of(outcome):
                typer.echo(line)
    if any(outcome["faults"] for outcome in outcomes):
        raise typer.Exit(1)


@app.command()
def worker(
    ready_file: Annotated[Path | None, typer.Option(help="Made once the broker keeps everything for us.", dir_okay=False)] = None,
    processes: Annotated[
        int, typer.Option(min=0, max=16, help="Step processes beside the one that receives; 0: that one does everything.")
    ] = 0,
) -> None:
    """Take readings from the broker, judge and commit them."""
    settings = _settings("worker")
    from fleet.instants import HOUR_US
    from ingest.metrics import WorkerMetrics
    from ingest.mqtt import BrokerAddress
    from ingest.pipeline import PipelineConfig
    from ingest.worker import WorkerConfig, owner_name, run
    from store.commits import Fenced
    from store.pruning import Limits

    broker = BrokerAddress(
        url=_mqtt_url(settings),
        protocol=settings.mqtt_protocol,
        ca_file=None if settings.mqtt_ca_file is None else str(settings.mqtt_ca_file),
        client_id=settings.mqtt_client_id,
        in_flight_max=settings.mqtt_in_flight_max,
        held_bytes_max=settings.mqtt_in_flight_bytes_max,
    )
    pipeline = PipelineConfig(
        owner=owner_name(),
        horizon_us=int(settings.horizon_h * HOUR_US),
        checkpoint_age_max_s=settings.checkpoint_age_max_s,
    )
    config = WorkerConfig(
        database_url=_worker_url(settings),
        broker=broker,
        pipeline=pipeline,
        pool_max=min(4, settings.database_pool_max),
        batch_readings_max=settings.batch_readings_max,
        batch_wait_s=settings.batch_wait_ms / 1000,
        rederive_quiet_s=settings.rederive_quiet_s,
        broker_resend_s=settings.mqtt_resend_s,
        limits=Limits(
            rejection_days=round(settings.rejections_retention_d),
            rejection_bytes_max=settings.rejections_bytes_max,
            traffic_rows_max=settings.traffic_max,
            horizon_h=round(settings.horizon_h),
        ),
        processes=processes,
        daily_pass_hour_utc=settings.daily_pass_hour_utc,
    )
    on_subscribed = None if ready_file is None else ready_file.touch
    metrics = WorkerMetrics(settings.data_dir)
    work = partial(run, config, on_subscribed=on_subscribed, metrics=metrics, spawn=_spawn_step_process)
    try:
        _run_exposed(work, metrics.registry, settings.metrics_host, settings.worker_metrics_port)
    except Fenced as error:
        _fail(f"another worker took over: {error}. What this one did not acknowledge, the broker gives to it.", FENCED_STATUS)


def _spawn_step_process(end: socket.socket) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "keelwing.cli", "step-process", str(end.fileno())]
    return subprocess.Popen(command, pass_fds=(end.fileno(),), stdin=subprocess.DEVNULL)  # noqa: S603  our own program


@app.command("step-process", hidden=True)
def step_process(
    channel: Annotated[int, typer.Argument(help="Number of the open socket to the receiver.")],
) -> None:
    """Step what a `worker --processes` hands over; started by it, never by hand."""
    _settings("step-process")
    from ingest.step_process import run

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the receiver says when it is over, after what is under way was committed
    asyncio.run(run(socket.socket(fileno=channel)))


@app.command("import-areas")
def import_areas(
    paths: Annotated[
        list[Path], typer.Argument(help="GeoJSON, or CSV as UN/LOCODE or the World Port Index.", exists=True, dir_okay=False)
    ],
    tenant: Annotated[str, typer.Option(help="Whose areas; _ is everybody's.")] = "_",
    issuer: Annotated[str | None, typer.Option(help="Where the file does not say who issued them.")] = None,
    version: Annotated[str | None, typer.Option(help="Where the file does not say which version.")] = None,
    kind: Annotated[str | None, typer.Option(help="Where the file does not say which kind.")] = None,
    area_set: Annotated[str | None, typer.Option(help="The list they belong to.")] = None,
    valid_from: Annotated[datetime | None, typer.Option(help="In force from then on (UTC); before that what was stays.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and name what is wrong; write nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Import ports, anchorages and other areas: all of them, or none with every fault named."""
    settings = _settings("import-areas")
    from fleet.area_entry import Defaults
    from fleet.instants import from_datetime
    from keelwing.area_files import import_entries, read_areas

    from_us = None if valid_from is None else from_datetime(valid_from.replace(tzinfo=UTC))
    entries, faults = read_areas(paths, Defaults(issuer, version, kind, area_set, from_us))
    for fault in faults:
        typer.echo(f"{fault.pointer}: {fault.detail}", err=True)
    if faults:
        _fail(f"{len(faults)} faults, nothing imported")
    if dry_run:
        typer.echo(json.dumps({"areas": len(entries)}) if as_json else f"{len(entries)} areas, nothing written")
        return
    source = ", ".join(path.name for path in paths)[:200]
    done = asyncio.run(import_entries(_database_url(settings), tenant, entries, source=source))
    if as_json:
        typer.echo(json.dumps(done._asdict()))
    else:
        typer.echo(f"{done.added} areas added, {done.replaced} replaced, {done.unchanged} unchanged")


@app.command()
def serve() -> None:
    """Serve the API and the page."""
    settings = _settings("api")
    from api.serve import run
    from api.settings import ApiSettings
    from keelwing.trials import run_trial

    run(
        ApiSettings(
            database_url=settings.database_api_url or _database_url(settings),
            host=settings.http_host,
            port=settings.http_port,
            pool_max=settings.database_pool_max,
            version=_version(),
        ),
        run_trial,
    )


@app.command()
def notifier() -> None:
    """Deliver events to webhooks."""
    settings = _settings("notifier")
    from alerts.metrics import NotifierMetrics
    from alerts.notifier import NotifierSettings, run

    wanted = NotifierSettings(database_url=_worker_url(settings), allow_private=settings.webhook_allow_private)
    metrics = NotifierMetrics()
    host, port = settings.metrics_host, settings.notifier_metrics_port
    _run_exposed(lambda stop: run(wanted, stop, metrics=metrics), metrics.registry, host, port)


@app.command()
def simulate(
    scenario: Annotated[str, typer.Argument(help="Name of a scenario that ships with Keelwing, or a TOML file.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same world.")] = 1,
    record: Annotated[Path | None, typer.Option(help="Write a recording instead of publishing.", dir_okay=False)] = None,
    labels: Annotated[Path | None, typer.Option(help="Write truth labels of injected faults here.", dir_okay=False)] = None,
    hours: Annotated[float, typer.Option(help="How long a recording is.", min=0.01)] = 1.0,
    start: Annotated[datetime | None, typer.Option(help="First instant of a recording (UTC); default: hours ago.")] = None,
    resume: Annotated[bool, typer.Option(help="Go on where the last run in the data directory stopped.")] = False,
) -> None:
    """Publish a simulated fleet, or record it."""
    settings = _settings("simulator")
    from simulators.scenario import ScenarioError, load_scenario

    try:
        loaded = load_scenario(scenario)
    except ScenarioError as error:
        _fail(str(error))
    if record is not None:
        from keelwing.simulation import write_recording

        begin = datetime.now(UTC) - timedelta(hours=hours) if start is None else start.replace(tzinfo=UTC)
        count = write_recording(loaded, seed=seed, start=begin, hours=hours, path=record, labels=labels)
        typer.echo(f"{count} records in {record}")
        return
    from keelwing.simulation import play

    url = _mqtt_url(settings)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    _run_until_stopped(
        lambda stop: play(loaded, url=url, seed=seed, data_dir=settings.data_dir, labels=labels, resume=resume, stop=stop)
    )


@app.command()
def replay(
    files: Files,
    speed: Annotated[str, typer.Option(help="How many times faster than recorded, or `max`.")] = "max",
    register: Annotated[bool, typer.Option("--register", help="Make every identifier in the files an asset.")] = False,
    tenant: Annotated[str, typer.Option(help="Whose feed and assets.")] = "demo",
    feed: Annotated[str, typer.Option(help="Name of the feed.")] = "replay",
    rebase: Annotated[bool, typer.Option("--rebase", help="Shift the recording so that it ends now.")] = False,
    as_json: Json = False,
) -> None:
    """Publish recordings over MQTT, on a feed."""
    settings = _settings("replay")
    from ingest.recordings import UnknownRecording
    from keelwing.bookkeeping import known_error
    from keelwing.progress import Bar
    from keelwing.replay import declare_feed, publish_recording, register_identifiers

    factor = _factor(speed)
    database_url, url = _worker_url(settings), _mqtt_url(settings)

    async def run() -> Any:
        await declare_feed(database_url, tenant, feed)
        registered = 0
        if register:
            with Bar("registering") as bar:
                registered = await register_identifiers(database_url, tenant, files, bar.update)
        with Bar("publishing") as bar:
            shift_to_us = time.time_ns() // 1000 if rebase else None
            done = await publish_recording(
                files,
                url=url,
                tenant=tenant,
                feed=feed,
                speed=factor,
                shift_to_us=shift_to_us,
                progress=bar.update,
                on_sent=bar.note,
            )
        done.registered = registered
        return done

    try:
        done = asyncio.run(run())
    except UnknownRecording as error:
        _fail(str(error))
    except known_error() as error:
        _fail(f"not replayed: {str(error).splitlines()[0]}")
    _report(
        as_json,
        {"readings": done.readings, "statics": done.statics, "malformed": done.malformed, "registered": done.registered},
        f"{done.readings} readings and {done.statics} static reports published on feed {feed} of {tenant}, "
        f"{done.malformed} malformed, {done.registered} assets registered",
    )


def _factor(speed: str) -> float | None:
    if speed == "max":
        return None
    try:
        factor = float(speed)
    except ValueError:
        _fail(f"--speed {speed}: a number, or `max`")
    if not factor > 0:
        _fail(f"--speed {speed}: must be above 0")
    return factor


@app.command()
def backtest(
    files: Files,
    out: Annotated[Path, typer.Option(help="Findings, one JSON object a line.", dir_okay=False)],
    journeys: Annotated[
        Path | None, typer.Option(help="Flights, port calls, voyages and runs, one JSON object a line.", dir_okay=False)
    ] = None,
    areas: Annotated[
        list[Path] | None,
        typer.Option(
            help="Ports and other places that ships call at, and areas to watch; may be given again.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    leases: Annotated[
        Path | None,
        typer.Option(
            help="Leases (a JSON array) whose covenants and territory rules are judged while in force.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    covenant: Annotated[
        str | None, typer.Option(help="Judge this covenant or territory rule of the leases alone, switched on or not.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Run recordings through the same detection, without broker and database."""
    _settings("backtest")
    from ingest.backtest import Backtest, finding_lines, journey_lines
    from ingest.recordings import UnknownRecording, merge
    from ingest.wire import encode_json
    from keelwing.progress import Bar

    places, watched = _world(areas or [])
    run = Backtest(time.time_ns() // 1000, places=places, areas=watched, filed=_filed(leases, covenant))
    try:
        with Bar("judging") as bar:
            run.run(merge(files, bar.update))
    except UnknownRecording as error:
        _fail(str(error))
    written = [(out, finding_lines(run.findings.values()))]
    if journeys is not None:
        written.append((journeys, journey_lines(run.journeys.values())))
    try:
        for path, lines in written:
            path.write_bytes(b"".join(encode_json(line) + b"\n" for line in lines))
    except OSError as error:
        _fail(str(error))
    tally = run.tally
    said = {"stepped": tally.stepped, "duplicate": tally.duplicate, "rejected": tally.rejected, "findings": len(run.findings)}
    _report(
        as_json,
        said | {"journeys": len(run.journeys), "nulled": tally.nulled},
        f"{tally.stepped} readings stepped, {tally.duplicate} duplicates, {tally.rejected} rejected; "
        f"{len(run.findings)} findings in {out}" + ("" if journeys is None else f", {len(run.journeys)} journeys in {journeys}"),
    )


def _filed(path: Path | None, covenant: str | None) -> dict[str, Any]:
    """What a file of leases puts on file of each asset. Exits where it holds what is no lease, or not that covenant."""
    from fleet.clause import clauses_of
    from keelwing.lease_files import filed_of, read_leases

    if path is None:
        if covenant is not None:
            _fail("--covenant names one of the leases in --leases")
        return {}
    leases, faults = read_leases(path)
    for fault in faults:
        typer.echo(f"{path}: {fault.pointer or '/'}: {fault.detail}", err=True)
    if faults:
        _fail(f"{len(faults)} faults in the leases")
    try:
        return filed_of(leases, covenant)
    except KeyError:
        known = sorted({one.id for each in leases for one in clauses_of(each)})
        _fail(f"no lease has a covenant or territory rule {covenant}; there are {', '.join(known) or 'none'}")


def _world(paths: list[Path]) -> tuple[Any, Any]:
    """The world that files of areas describe: its places, airports included, and the areas that rules watch.

    Exits where a file holds what is no area.
    """
    from fleet.area_entry import Defaults
    from fleet.area_index import AreaIndex
    from ingest.places import place_area, places_of, watched_area
    from keelwing.area_files import read_areas

    entries, faults = read_areas(paths, Defaults(issuer="file", version="1"))
    for fault in faults:
        typer.echo(f"{fault.pointer}: {fault.detail}", err=True)
    if faults:
        _fail(f"{len(faults)} faults in the areas")
    places = [
        place_area(one.area_id, one.kind, one.name, one.geometry, one.radius_m, one.valid_from_us, one.valid_to_us)
        for one in entries
    ]
    watched = [area for place, one in zip(places, entries, strict=True) if (area := watched_area(place, one)) is not None]
    return places_of(places), AreaIndex(watched) if watched else None


@app.command()
def reconcile(as_json: Json = False) -> None:
    """Compare what was received with what became of it, per feed and stream; exit status 1 where books do not balance."""
    settings = _settings("reconcile")
    from keelwing.bookkeeping import balances

    rows = asyncio.run(balances(_worker_url(settings)))
    off = [row for row in rows if not row.is_balanced]
    if as_json:
        from keelwing.bookkeeping import as_lines

        typer.echo(json.dumps(as_lines(rows)))
    else:
        from keelwing.bookkeeping import table

        table(rows)
    raise typer.Exit(1 if off else 0)


@app.command()
def doctor(
    probe: Annotated[
        bool,
        typer.Option(
            "--probe/--no-probe", help="Try the broker's window and queue, with some 2,000 messages to a topic of our own."
        ),
    ] = True,
    broker_config: Annotated[
        Path | None, typer.Option(help="The broker's configuration, for what no client sees.", dir_okay=False)
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit status 1 for warnings too.")] = False,
    as_json: Json = False,
) -> None:
    """Look at settings, database, broker and directory, and say what to do; exit status 1 where something does not work."""
    journal.configure("console", "error", "doctor")
    from keelwing.doctor import diagnose

    checks = []
    for one in diagnose(os.environ, probe=probe, broker_configuration=broker_config):
        checks.append(one)
        if not as_json:
            typer.echo(f"{one.state:8}{one.check:24}{one.found}")
            if one.advice is not None:
                typer.echo(f"{'':32}→ {one.advice}")
    if as_json:
        fields = ("check", "state", "found", "advice")
        typer.echo(json.dumps([{name: getattr(one, name) for name in fields} for one in checks]))
    bad = {"error", "warning"} if strict else {"error"}
    raise typer.Exit(1 if any(one.state in bad for one in checks) else 0)


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="Where to; a file that is not there yet.", dir_okay=False)],
) -> None:
    """Write everything the database holds into one file, while others go on."""
    settings = _settings("backup")
    from keelwing.backup import BackupError
    from keelwing.backup import backup as run
    from keelwing.progress import Bar

    try:
        with Bar("dumping"):
            size = run(settings, file)
    except BackupError as error:
        _fail(f"no backup: {error}")
    typer.echo(f"{size:,} bytes in {file}")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file of `keelwing backup`.", exists=True, dir_okay=False)],
) -> None:
    """Fill an empty database from a backup and bring it to today's schema."""
    settings = _settings("restore")
    from keelwing.backup import BackupError
    from keelwing.backup import restore as run
    from keelwing.progress import Bar

    try:
        with Bar("restoring"):
            applied = run(settings, file)
    except BackupError as error:
        _fail(f"not restored: {error}")
    typer.echo(f"restored; {len(applied)} migrations since" + (f": {', '.join(applied)}" if applied else ""))


@app.command("daily-pass")
def daily_pass(
    tenant: Annotated[str | None, typer.Option(help="Whose calendar; default: every lessor's.")] = None,
    date: Annotated[datetime | None, typer.Option(help="A day of the past (UTC): say what was true then, write nothing.")] = None,
    known_at: Annotated[
        datetime | None, typer.Option(help="With --date: as known at this instant (UTC); default: when that day was judged.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Judge the calendar: today's, and write what changed, or say what was true on a day of the past."""
    settings = _settings("daily-pass")
    from keelwing.calendar import judge_today, say_past, sentence_of

    try:
        if date is None:
            lines = asyncio.run(judge_today(_worker_url(settings), tenant))
        else:
            known = None if known_at is None else known_at.replace(tzinfo=UTC)
            lines = asyncio.run(say_past(_worker_url(settings), tenant, date.date(), known))
    except ValueError as error:
        _fail(str(error))
    for line in lines:
        typer.echo(json.dumps(line) if as_json else sentence_of(line))


@app.command()
def rederive(
    asset: Annotated[str | None, typer.Option(help="An asset's id; default: all of a tenant.")] = None,
    tenant: Annotated[str, typer.Option(help="Whose assets.")] = "demo",
    since: Annotated[datetime | None, typer.Option(help="From when on (UTC); default: the first reading.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Do it; without, say what would be done.")] = False,
) -> None:
    """Derive findings again from stored readings, with today's rules."""
    settings = _settings("rederive")
    from keelwing.bookkeeping import mark_for_rederivation

    since_utc = None if since is None else since.replace(tzinfo=UTC)
    count = asyncio.run(mark_for_rederivation(_worker_url(settings), tenant, asset, since_utc, apply=apply))
    typer.echo(
        f"{count} assets {'marked; the worker derives them again' if apply else 'would be derived again (--apply does it)'}"
    )


@key_app.command("create")
def key_create(
    tenant: Annotated[str, typer.Option(help="Whose key.")],
    role: Annotated[Literal["admin", "manager", "viewer", "lessee"], typer.Option(help="What it may do.")],
    party: Annotated[str | None, typer.Option(help="Party id of a lessee.")] = None,
) -> None:
    """Make a key (and its tenant, if there is none) and print it; it is never shown again."""
    settings = _settings("key")
    from keelwing.bookkeeping import create_key, known_error

    try:
        typer.echo(asyncio.run(create_key(_worker_url(settings), tenant, role, party)))
    except known_error() as error:
        _fail(f"no key: {str(error).splitlines()[0]}")


@tenant_app.command("create")
def tenant_create(
    tenant: Annotated[str, typer.Argument(help="Its word in topics: lower-case letters, digits, - and _.")],
    name: Annotated[str | None, typer.Option(help="The lessor's name; default: the word.")] = None,
) -> None:
    """Make a tenant; nothing happens when it is there."""
    settings = _settings("tenant")
    from keelwing.bookkeeping import create_tenant, known_error

    try:
        asyncio.run(create_tenant(_worker_url(settings), tenant, name or tenant))
    except known_error() as error:
        _fail(f"no tenant: {str(error).splitlines()[0]}")


@feed_app.command("grant")
def feed_grant(
    feed: Annotated[str, typer.Argument(help="A feed of the operator (tenant `_`).")],
    tenant: Annotated[str, typer.Option(help="Who may use it.")],
    since: Annotated[datetime | None, typer.Option(help="From when on (UTC); default: always.")] = None,
    until: Annotated[datetime | None, typer.Option(help="Until when (UTC); default: for ever.")] = None,
) -> None:
    """Let a tenant use a feed of the operator, for a dated period."""
    settings = _settings("feed")
    from keelwing.bookkeeping import grant_feed, known_error

    dated = tuple(None if moment is None else moment.replace(tzinfo=UTC) for moment in (since, until))
    try:
        asyncio.run(grant_feed(_worker_url(settings), feed, tenant, dated[0], dated[1]))
    except known_error() as error:
        _fail(f"no grant: {str(error).splitlines()[0]}")


def _report(as_json: bool, figures: dict[str, Any], sentence: str) -> None:
    typer.echo(json.dumps(figures) if as_json else sentence)


def _version() -> str:
    from importlib.metadata import version

    return version("keelwing")


if __name__ == "__main__":
    main()
