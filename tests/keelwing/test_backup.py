"""A restored database is the one that was, and an older one becomes today's: every row and right, and all goes on from there."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, LiteralString
from urllib.parse import urlsplit, urlunsplit

import httpx
import psycopg
import pytest
import yoyo
from psycopg import sql

from api.settings import ApiSettings
from ingest.mqtt import BrokerAddress
from ingest.wire import encode_json
from ingest.worker import WorkerConfig, run
from keelwing.backup import BackupError, backup, restore
from keelwing.embedded.place import known_place
from keelwing.embedded.postgres import EmbeddedPostgres
from keelwing.settings import Settings
from simulators.publish import Outgoing, Publisher
from store import counts, keys
from store.migrate import migrate
from store.pool import open_pool
from tests.api.fix_served import serving
from tests.fix_bench import FEED, PLANE, SHIP, Bench, at, sailing
from tests.fix_broker import Broker
from tests.fix_postgres import PostgresServer, reachable_directory
from tests.fix_timescale import has_timescale

CATALOGUE: dict[str, LiteralString] = {
    "relations": """SELECT relname, relkind, pg_get_userbyid(relowner), relrowsecurity, relforcerowsecurity, reloptions,
            (SELECT array_agg(acl ORDER BY acl) FROM unnest(coalesce(relacl, acldefault(
                (CASE relkind WHEN 'S' THEN 's' ELSE 'r' END)::"char", relowner))::text[]) AS acl)
        FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'S', 'p') ORDER BY 1""",
    "columns": """SELECT attrelid::regclass::text, attname, format_type(atttypid, atttypmod), attnotnull, attidentity,
            attgenerated, (SELECT array_agg(acl ORDER BY acl) FROM unnest(attacl::text[]) AS acl)
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'p') AND attnum > 0 AND NOT attisdropped
        ORDER BY 1, attnum""",
    # Without parentheses: a body that is kept parsed comes back with fewer of them.
    "functions": """SELECT proname, pg_get_userbyid(proowner), prosecdef, proconfig,
            translate(pg_get_functiondef(pg_proc.oid), '()', ''),
            (SELECT array_agg(acl ORDER BY acl) FROM unnest(coalesce(proacl, acldefault('f', proowner))::text[]) AS acl)
        FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'
            AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e') ORDER BY 1, 5""",
    "policies": "SELECT tablename, policyname, permissive, roles, cmd, qual, with_check FROM pg_policies ORDER BY 1, 2",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2",
    "constraints": """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2""",
    "triggers": "SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal"
    " ORDER BY 1, 2",
    "sequences": "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1",
    "comments": "SELECT relname, obj_description(oid, 'pg_class') FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    " AND obj_description(oid, 'pg_class') IS NOT NULL ORDER BY 1",
    "schema": "SELECT has_schema_privilege(role, 'public', 'CREATE'), role"
    " FROM unnest(ARRAY['keelwing_view', 'keelwing_gate']) AS role",
}
"""Everything by which two databases of ours may differ beside their rows."""


def told(url: str) -> dict[str, Any]:
    """A database's catalogue and the digest of every table's rows."""
    with psycopg.connect(url) as connection:
        found: dict[str, Any] = {what: connection.execute(query).fetchall() for what, query in CATALOGUE.items()}
        for table, kind, *_ in found["relations"]:
            if kind == "r":
                query = sql.SQL("SELECT count(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {} AS t").format(
                    sql.Identifier(table)
                )
                found[f"rows of {table}"] = connection.execute(query).fetchone()
    return found


def settings(url: str, directory: Path) -> Settings:
    return Settings(database_url=url, data_dir=directory)


@pytest.fixture
async def lived(bench: Bench) -> str:
    """The key to a database in which something happened: readings, a late one, findings, an alert, rejections, deliveries."""
    bench.listen()
    async with bench.pool.connection() as conn:
        key = await keys.create(conn, "demo", "admin")
        await conn.execute("INSERT INTO webhook (tenant, url, secret) VALUES ('demo', 'https://example.org', 'whsec_x')")
    squawking = [at(second, squawk="7700", lat_deg=50.0, lon_deg=8.0, gs_kn=400, on_ground=False) for second in range(10)]
    traffic = {"class": "vessel", "scheme": "imo", "value": "7625811", **at(5, lat_deg=1.0, lon_deg=2.0)}
    await bench.send((SHIP, [sailing(number * 60, channels={"oil_pressure_psi": 40.0 + number}) for number in range(40)]))
    await bench.send((PLANE, squawking), (FEED, [traffic]), (SHIP, {"sog_kn": 1}), (SHIP, sailing(30)))
    await bench.settle()
    await bench.pipeline.process([], None, drain=True)
    return key


async def test_a_restored_database_is_the_same_and_everything_goes_on(
    bench: Bench, lived: str, database_url: str, empty_database_url: str, nats_broker: Broker, tmp_path: Path
) -> None:
    size = backup(settings(database_url, tmp_path), tmp_path / "one.dump")
    assert size == (tmp_path / "one.dump").stat().st_size
    assert (tmp_path / "one.dump").stat().st_mode & 0o077 == 0
    before = told(database_url)
    filled = {name for name, row in before.items() if name.startswith("rows of") and row[0]}
    assert {
        f"rows of {table}" for table in ("reading_vessel", "finding", "alert", "api_key", "webhook_delivery", "rejection")
    } <= filled
    assert restore(settings(empty_database_url, tmp_path), tmp_path / "one.dump") == []
    after = told(empty_database_url)
    assert {what for what in before if before[what] != after.get(what)} == set()
    assert before.keys() == after.keys()

    pool = await open_pool(empty_database_url, "keelwing_worker", 2)
    async with pool.connection() as conn:
        assert all(row.is_balanced for row in await counts.reconcile(conn))
    again = Bench(pool)
    await again.pipeline.start()
    outcome = await again.send(
        (SHIP, [sailing(number * 60, channels={"oil_pressure_psi": 40.0 + number}) for number in range(41)])
    )
    assert (outcome.duplicate, outcome.stored) == (40, 1)
    await pool.close()
    await goes_on(empty_database_url, nats_broker)
    await asyncio.to_thread(reads, empty_database_url, lived)


def reads(url: str, key: str) -> None:
    """The API answers from a restored database, and the key of before opens it."""
    with serving(ApiSettings(database_url=url)) as served:

        def items(path: str) -> list[dict[str, Any]]:
            answer = httpx.get(f"{served.url}{path}", headers={"Authorization": f"Bearer {key}"}, timeout=20)
            found: list[dict[str, Any]] = answer.json()["items"]
            return found

        assert httpx.get(f"{served.url}/readyz").status_code == 200
        assert [one["rule"] for one in items("/v1/alerts")] == ["squawk_emergency"]
        assert len(items("/v1/assets")) == 2


async def goes_on(url: str, broker: Broker) -> None:
    """A worker takes up a restored database: what it is sent is stored, and judged, and in the books."""
    stop, subscribed = asyncio.Event(), asyncio.Event()
    config = WorkerConfig(database_url=url, broker=BrokerAddress(url=broker.url, client_id=f"w-{secrets.token_hex(4)}"))
    working = asyncio.create_task(run(config, stop, subscribed.set))
    await asyncio.wait_for(subscribed.wait(), 30)
    now_ms = time.time_ns() // 1_000_000
    async with Publisher(broker.url, tenant="demo") as publisher:
        for number in range(10):
            payload = encode_json({"time": now_ms - number * 1000, "sog_kn": 5.0, "source": "restored"})
            await publisher.send(Outgoing(SHIP, payload, False, 1, now_ms * 1000, ""))
        await publisher.settled()
    deadline_s = time.monotonic() + 30
    with psycopg.connect(url, autocommit=True) as connection:
        while connection.execute("SELECT count(*) FROM reading_vessel WHERE source = 'restored'").fetchone() != (10,):
            assert time.monotonic() < deadline_s, "the worker did not store"
            await asyncio.sleep(0.05)
    stop.set()
    await asyncio.wait_for(working, 20)


def test_the_embedded_stack_is_restored_into_a_new_directory(lived: str, database_url: str, tmp_path: Path) -> None:
    backup(settings(database_url, tmp_path), tmp_path / "one.dump")
    directory = reachable_directory("keelwing-test-restore-")
    try:
        own = Settings(data_dir=directory)
        if has_timescale(database_url):
            with pytest.raises(BackupError, match="timescaledb"):  # which the embedded server has not
                restore(own, tmp_path / "one.dump")
            return
        restore(own, tmp_path / "one.dump")  # a server without our roles
        with EmbeddedPostgres(directory / "postgres") as server:
            before, after = told(database_url), told(server.url)
            differing = {what for what in before if before[what] != after.get(what)}
            assert {what for what in differing if what.startswith("rows of")} == set()
            backup(own, tmp_path / "two.dump")  # beside a server that runs
            with pytest.raises(BackupError, match="tables already"):
                restore(own, tmp_path / "two.dump")
    finally:
        place = known_place(directory / "postgres")
        shutil.rmtree(directory)
        if place is not None:
            shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def owners(postgres_server: PostgresServer, template_database: str) -> Iterator[tuple[str, str, str]]:
    """URLs of two databases of an owner that is no superuser, and of the first one for a log-in that may read everything."""
    stem = f"keelwing_{secrets.token_hex(4)}"
    owner, saver, one, two = (sql.Identifier(f"{stem}_{word}") for word in ("owner", "saver", "one", "two"))
    postgres_server.execute(
        sql.SQL("CREATE ROLE {} LOGIN CREATEROLE PASSWORD 'x'").format(owner),
        sql.SQL("CREATE ROLE {} LOGIN BYPASSRLS PASSWORD 'x' IN ROLE pg_read_all_data").format(saver),
        sql.SQL("GRANT keelwing_worker, keelwing_api, keelwing_view, keelwing_gate TO {} WITH ADMIN OPTION").format(owner),
        sql.SQL("CREATE DATABASE {} OWNER {}").format(one, owner),
        sql.SQL("CREATE DATABASE {} OWNER {}").format(two, owner),
    )

    def url(role: str, database: str) -> str:
        parts = urlsplit(postgres_server.url_of(f"{stem}_{database}"))
        return urlunsplit(parts._replace(netloc=f"{stem}_{role}:x@{parts.netloc.rpartition('@')[2]}"))

    try:
        yield url("owner", "one"), url("owner", "two"), url("saver", "one")
    finally:
        postgres_server.drop_database(f"{stem}_one")
        postgres_server.drop_database(f"{stem}_two")
        postgres_server.execute(sql.SQL("DROP ROLE {}").format(owner), sql.SQL("DROP ROLE {}").format(saver))


def test_an_owner_that_is_no_superuser_restores_and_lends_no_right_for_longer(
    owners: tuple[str, str, str], tmp_path: Path
) -> None:
    one, two, one_for_saver = owners
    migrate(one)
    with psycopg.connect(one) as connection:
        connection.execute("SET ROLE keelwing_worker")
        connection.execute("INSERT INTO tenant (tenant, name) VALUES ('demo', 'Demo')")
    with pytest.raises(BackupError, match="BYPASSRLS"):
        backup(settings(one, tmp_path), tmp_path / "one.dump")
    assert list(tmp_path.glob("*.dump*")) == []
    backup(settings(one_for_saver, tmp_path), tmp_path / "one.dump")
    if has_timescale(one):  # its restoring mode is a superuser's to set
        with pytest.raises(BackupError, match="permission denied"):
            restore(settings(two, tmp_path), tmp_path / "one.dump")
        return
    restore(settings(two, tmp_path), tmp_path / "one.dump")
    first, second = (told(url.replace("_owner:", "_saver:")) for url in (one, two))
    assert {what for what in first if first[what] != second[what]} == set()
    with psycopg.connect(two) as connection:
        inherits = "SELECT bool_or(inherit_option) FROM pg_auth_members WHERE member = current_user::regrole AND grantor = member"
        assert connection.execute(inherits).fetchone() == (False,)


def test_what_cannot_be_restored_is_refused_in_a_sentence_and_leaves_nothing(
    database_url: str, empty_database_url: str, tmp_path: Path
) -> None:
    junk = tmp_path / "junk"
    junk.write_text("not a dump\n")
    whole = tmp_path / "one.dump"
    backup(settings(database_url, tmp_path), whole)
    with pytest.raises(BackupError, match="is there already"):
        backup(settings(database_url, tmp_path), whole)
    broken = tmp_path / "broken.dump"
    broken.write_bytes(whole.read_bytes()[: whole.stat().st_size * 9 // 10])
    with psycopg.connect(database_url) as connection:
        connection.execute("INSERT INTO _yoyo_migration (migration_hash, migration_id) VALUES ('x', '9999_later')")
    newer = tmp_path / "newer.dump"
    backup(settings(database_url, tmp_path), newer)
    for path, word in ((junk, "archive"), (newer, "9999_later"), (broken, ".")):
        with pytest.raises(BackupError, match=word):
            restore(settings(empty_database_url, tmp_path), path)
        with psycopg.connect(empty_database_url) as connection:
            tables = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
            left = connection.execute(tables).fetchone()
            assert left == (0,) or (path == broken and has_timescale(empty_database_url)), path
            assert connection.execute(CATALOGUE["schema"]).fetchall()[0][0] is False
    with pytest.raises(BackupError, match="tables already"):
        restore(settings(database_url, tmp_path), whole)
    gone = subprocess.run(
        [sys.executable, "-m", "keelwing.cli", "restore", str(junk)], capture_output=True, text=True, timeout=60, check=False
    )
    assert gone.returncode == 1
    assert "Traceback" not in gone.stderr


MIGRATIONS = sorted(entry.name.removesuffix(".sql") for entry in (files("store") / "migrations").iterdir())


def migrate_until(url: str, last: str) -> None:
    """A database as an older version left it: the migrations up to one of them, and nothing after."""
    backend = yoyo.get_backend(urlunsplit(urlsplit(url)._replace(scheme="postgresql+psycopg")))
    backend.copy = lambda: nullcontext(backend)
    try:
        with as_file(files("store") / "migrations") as folder, backend.lock():
            older = yoyo.read_migrations(str(folder)).filter(lambda migration: migration.id <= last)
            backend.apply_migrations(backend.to_apply(older))
    finally:
        backend.connection.close()


def columns_of(connection: psycopg.Connection[Any]) -> dict[str, list[str]]:
    """The columns of every table of ours that hold what was written, not what is computed."""
    query = """SELECT relname::text, array_agg(attname::text ORDER BY attnum)
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
            AND relname !~ 'yoyo' GROUP BY relname"""
    return dict(connection.execute(query).fetchall())


def carry_over(source: psycopg.Connection[Any], target: psycopg.Connection[Any]) -> dict[str, list[str]]:
    """Fill an older schema with the rows of a newer database, as far as it has columns for them; those columns by table."""
    target.execute("SET session_replication_role = replica")  # the rows are whole already: no trigger, no order
    newer, older = columns_of(source), columns_of(target)
    shared = {table: [name for name in names if name in newer.get(table, ())] for table, names in older.items()}
    for table, names in shared.items():
        target.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
        listed = sql.SQL(", ").join(map(sql.Identifier, names))
        read = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(listed, sql.Identifier(table))
        write = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), listed)
        with source.cursor().copy(read) as out, target.cursor().copy(write) as into:
            for block in out:
                into.write(block)
    for name, last in source.execute("SELECT sequencename, last_value FROM pg_sequences WHERE last_value IS NOT NULL").fetchall():
        if target.execute("SELECT to_regclass(%s) IS NOT NULL", (name,)).fetchone() == (True,):
            target.execute("SELECT setval(%s::regclass, %s)", (name, last))
    target.execute("SET session_replication_role = DEFAULT")
    return shared


def rows_of(connection: psycopg.Connection[Any], columns: dict[str, list[str]]) -> dict[str, Any]:
    found = {}
    for table, names in columns.items():
        query = sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(map(sql.Identifier, names)), sql.Identifier(table))
        found[table] = sorted(map(repr, connection.execute(query).fetchall()))
    return found


@pytest.mark.parametrize("last", ["0110_dispatch", MIGRATIONS[-2]])
async def test_a_database_of_an_older_version_keeps_its_rows_and_goes_on(
    last: str, bench: Bench, lived: str, database_url: str, empty_database_url: str
) -> None:
    migrate_until(empty_database_url, last)
    with psycopg.connect(database_url) as source, psycopg.connect(empty_database_url) as target:
        columns = carry_over(source, target)
        before = rows_of(source, columns)
    assert migrate(empty_database_url) == [name for name in MIGRATIONS if name > last]
    with psycopg.connect(empty_database_url) as target:
        after = rows_of(target, columns)
        assert {table for table in columns if before[table] != after[table]} == set()
    pool = await open_pool(empty_database_url, "keelwing_worker", 2)
    again = Bench(pool)
    await again.pipeline.start()
    outcome = await again.send(
        (SHIP, [sailing(number * 60, channels={"oil_pressure_psi": 40.0 + number}) for number in range(41)])
    )
    assert (outcome.duplicate, outcome.stored) == (40, 1)
    async with pool.connection() as conn:
        assert all(row.is_balanced for row in await counts.reconcile(conn))
    await pool.close()
    await asyncio.to_thread(reads, empty_database_url, lived)
