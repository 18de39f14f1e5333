"""The schema: how it gets there, that it says what `fleet` says, and that every named query fits it."""

import re
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from fleet.asset_class import ASSET_CLASSES
from store.columns import COLUMNS
from store.migrate import migrate, set_role_password
from store.pool import Pool
from store.queries import load
from tests.fix_postgres import PostgresServer

MIGRATIONS = sorted(entry.name for entry in (files("store") / "migrations").iterdir() if entry.name.endswith(".sql"))
NOUNS = sorted(entry.name.removesuffix(".sql") for entry in (files("store") / "sql").iterdir())
POSTGRES_TYPES = {"number": "double precision", "integer": "integer", "boolean": "boolean", "text": "text"}


def test_migrating_twice_does_it_once(empty_database_url: str) -> None:
    assert [f"{name}.sql" for name in migrate(empty_database_url)] == MIGRATIONS
    assert migrate(empty_database_url) == []


@pytest.mark.parametrize(
    ("rule", "value", "kept"), [("practice", "takeoff", True), ("practice", "touchdown", False), ("gap", 7, True)]
)
def test_a_setting_for_flights_over_a_months_end_is_one_of_the_three_words(
    database_url: str, rule: str, value: object, kept: bool
) -> None:
    said = "INSERT INTO setting (tenant, rule, name, value) VALUES ('_', %s, 'lease.period_attribution', %s)"
    with psycopg.connect(database_url) as connection:
        try:
            connection.execute(said, [rule, Jsonb(value)])
        except psycopg.errors.CheckViolation:
            assert not kept
        else:
            assert kept


def test_two_processes_may_migrate_at_once(empty_database_url: str) -> None:
    with ThreadPoolExecutor(2) as both:
        applied = list(both.map(migrate, [empty_database_url] * 2))
    assert sorted(len(names) for names in applied) == [0, len(MIGRATIONS)]


def test_an_owner_that_is_no_superuser_can_migrate_and_serve(postgres_server: PostgresServer, template_database: str) -> None:
    owner, password = f"keelwing_owner_{template_database[-8:]}", "owner"
    name = f"{owner}_db"
    parts = urlsplit(postgres_server.url_of(name))
    url = urlunsplit(parts._replace(netloc=f"{owner}:{password}@{parts.netloc.rpartition('@')[2]}"))
    role = sql.Identifier(owner)
    postgres_server.execute(
        sql.SQL("CREATE ROLE {} LOGIN CREATEROLE PASSWORD {}").format(role, sql.Literal(password)),
        sql.SQL("GRANT keelwing_worker, keelwing_api, keelwing_view, keelwing_gate TO {} WITH ADMIN OPTION").format(role),
        sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), role),
    )
    try:
        assert len(migrate(url)) == len(MIGRATIONS)
        with psycopg.connect(url) as connection:
            connection.execute("SET ROLE keelwing_worker")
            connection.execute("INSERT INTO tenant (tenant, name) VALUES ('demo', 'Demo')")
            connection.execute("SET ROLE keelwing_api")
            connection.execute("SELECT set_config('keelwing.tenant', 'demo', true), set_config('keelwing.party', '*', true)")
            assert connection.execute("SELECT tenant FROM tenant").fetchall() == [("demo",)]
    finally:
        postgres_server.drop_database(name)
        postgres_server.execute(sql.SQL("DROP ROLE {}").format(role))


def test_a_killed_migration_does_not_lock_the_next_one_out(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("INSERT INTO yoyo_lock (locked, ctime, pid) VALUES (1, now(), 1)")
    assert migrate(database_url) == []


@pytest.mark.parametrize("name", MIGRATIONS)
def test_migrations_are_numbered_and_hold_no_percent_sign(name: str) -> None:
    assert re.fullmatch(r"\d{4}_[a-z0-9_]+\.sql", name)
    assert "%" not in (files("store") / "migrations" / name).read_text(encoding="utf-8")  # the driver's placeholder


@pytest.mark.parametrize("asset_class", ASSET_CLASSES)
def test_reading_tables_have_the_fields_of_their_class(database_url: str, asset_class: str) -> None:
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s ORDER BY ordinal_position",
            (f"reading_{asset_class}",),
        ).fetchall()
    assert [name for name, _ in rows] == list(COLUMNS[asset_class].columns)
    types: dict[str, str] = dict(rows)
    for field in ASSET_CLASSES[asset_class].fields:
        assert types[field.name] == POSTGRES_TYPES[field.kind], field.name


def test_every_table_says_what_it_is(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        silent = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'p')"
            " AND obj_description(oid, 'pg_class') IS NULL AND relname !~ 'yoyo'"
        ).fetchall()
    assert silent == []


def test_the_schema_page_names_every_table(database_url: str) -> None:
    page = (files("store") / "schema.md").read_text(encoding="utf-8")
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')"
            " AND relname !~ 'yoyo'"
        ).fetchall()
    assert [name for (name,) in rows if f"`{name}`" not in page] == []


def queries() -> list[tuple[str, str]]:
    """Every named query but those that are put together in code (they hold braces)."""
    return [(noun, name) for noun in NOUNS for name, query in load(noun).items() if "{" not in query]


async def test_every_named_query_is_planned_by_the_server(pool: Pool) -> None:
    async with pool.connection() as conn:
        await conn.execute("SET LOCAL ROLE NONE")  # as the owner: some queries are the API's alone
        for noun, name in queries():
            query = load(noun)[name]
            if not re.search(r"(?m)^(SELECT|INSERT|UPDATE|DELETE|WITH)", query):
                continue  # definitions of temporary tables: the pool has run them
            numbers: dict[str, str] = {}
            text = re.sub(r"%\((\w+)\)s", lambda bind: numbers.setdefault(bind[1], f"${len(numbers) + 1}"), query)  # noqa: B023
            plan = await conn.execute(sql.SQL("EXPLAIN (GENERIC_PLAN) ") + sql.SQL(text))
            assert await plan.fetchall(), f"{noun}.{name}"


def test_every_named_query_is_used_and_every_used_one_exists() -> None:
    sources = [entry.read_text(encoding="utf-8") for entry in files("store").iterdir() if entry.name.endswith(".py")]
    for noun in NOUNS:
        users = [source for source in sources if re.search(rf'load(_queries)?\("{noun}"\)', source)]
        used = {name for source in users for name in re.findall(r'"(\w+)"', source)}
        assert set(load(noun)) <= used or noun == "staging", noun
    for source in sources:
        loaded = {name for noun in re.findall(r'load(?:_queries)?\("(\w+)"\)', source) for name in load(noun)}
        assert set(re.findall(r'SQL\["(\w+)"\]', source)) <= loaded


def test_a_password_is_given_to_the_two_roles_that_log_in(database_url: str) -> None:
    set_role_password(database_url, "keelwing_api", "correct horse battery staple")
    with psycopg.connect(database_url) as connection:
        stored = connection.execute("SELECT rolcanlogin, rolpassword FROM pg_authid WHERE rolname = 'keelwing_api'").fetchone()
    assert stored is not None
    assert stored[0] is True
    assert stored[1].startswith("SCRAM-SHA-256$")
    with pytest.raises(ValueError, match="keelwing_view"):
        set_role_password(database_url, "keelwing_view", "x")
