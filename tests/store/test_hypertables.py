"""On a native TimescaleDB: the reading tables are hypertables, COPY fills chunks, and the wall stands before each of them."""

from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import errors, sql
from psycopg.rows import dict_row

from store import commits, readings, registry, timescale
from store.migrate import migrate, set_role_password
from store.pool import Pool, open_pool
from store.rows import ReadingRow
from tests.fix_postgres import PostgresServer, new_database

pytestmark = pytest.mark.timescale

DAY_S = 86_400.0
KEY = ("demo", "device", "vessel", "mmsi", "244660000")


@pytest.fixture
async def pool(timescale_url: str) -> AsyncIterator[Pool]:
    """Connections as the worker, to hypertables."""
    opened = await open_pool(timescale_url, "keelwing_worker", 4)
    yield opened
    await opened.close()


async def insert(pool: Pool, ownership: commits.Ownership, rows: list[ReadingRow]) -> list[ReadingRow]:
    async with pool.connection() as conn:
        return await readings.insert(conn, rows, await commits.begin(conn, ownership, {row.shard for row in rows}))


def ask(url: str, query: Any, *binds: Any) -> list[Any]:
    with psycopg.connect(url, row_factory=dict_row) as connection:
        return connection.execute(query, binds).fetchall()


def chunks(url: str, table: str = "reading_vessel") -> list[str]:
    rows = ask(url, "SELECT format('%%I.%%I', chunk_schema, chunk_name) AS name FROM timescaledb_information.chunks"
               " WHERE hypertable_name = %s ORDER BY range_start", table)  # fmt: skip
    return [row["name"] for row in rows]


def test_each_reading_table_is_a_hypertable_of_one_day_with_its_key_as_only_index(timescale_url: str) -> None:
    dimensions = ask(
        timescale_url,
        "SELECT hypertable_name, column_name, time_interval FROM timescaledb_information.dimensions ORDER BY 1",
    )
    assert {row["hypertable_name"] for row in dimensions} == set(timescale.TABLES)
    assert {(row["column_name"], row["time_interval"].total_seconds()) for row in dimensions} == {("time", DAY_S)}
    indexes = ask(timescale_url, "SELECT indexname FROM pg_indexes WHERE tablename = ANY (%s)", list(timescale.TABLES))
    assert {row["indexname"] for row in indexes} == {f"{table}_pkey" for table in timescale.TABLES}


def test_the_edition_is_detected_and_decides_what_is_set_up(timescale_url: str) -> None:
    with psycopg.connect(timescale_url, autocommit=True) as connection:
        found = timescale.edition(connection)
        jobs = connection.execute(
            "SELECT proc_name FROM timescaledb_information.jobs WHERE hypertable_name IS NOT NULL"
        ).fetchall()
    assert found in {"apache", "timescale"}
    assert {name for (name,) in jobs} == ({"policy_compression"} if found == "timescale" else set())


def test_a_past_of_years_is_written_in_long_chunks_and_what_follows_as_before(timescale_url: str) -> None:
    def lengths_d() -> set[float]:
        rows = ask(timescale_url, "SELECT time_interval FROM timescaledb_information.dimensions")
        return {row["time_interval"].total_seconds() / DAY_S for row in rows}

    with timescale.long_chunks(timescale_url):
        assert lengths_d() == {timescale.PAST_CHUNK_DAYS}
    assert lengths_d() == {timescale.CHUNK_DAYS}


def test_an_interval_that_the_operator_chose_stays(timescale_url: str) -> None:
    with psycopg.connect(timescale_url, autocommit=True) as connection:
        connection.execute("SELECT set_chunk_time_interval('reading_vessel', interval '6 hours')")
    migrate(timescale_url)
    [row] = ask(
        timescale_url,
        "SELECT time_interval FROM timescaledb_information.dimensions WHERE hypertable_name = 'reading_vessel'",
    )
    assert row["time_interval"].total_seconds() == DAY_S / 4


async def test_plain_tables_with_readings_become_hypertables_and_lose_none(
    timescale_server: PostgresServer, say: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with new_database(timescale_server) as url:
        with monkeypatch.context() as without:
            without.setattr(timescale, "_installable", lambda _: False)
            migrate(url)
        opened = await open_pool(url, "keelwing_worker", 2)
        async with opened.connection() as conn:
            ownership = await commits.claim(conn, commits.ALL_SHARDS, "test")
        rows = [say.ship(1, day * DAY_S, sog_kn=float(day)) for day in range(3)]
        await insert(opened, ownership, rows)
        assert ask(url, "SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'") == []
        migrate(url)
        assert len(chunks(url)) == 3
        late = say.ship(1, DAY_S / 2)
        assert await insert(opened, ownership, [*rows, late]) == [late]
        await opened.close()
        assert ask(url, "SELECT count(*) AS n FROM reading_vessel") == [{"n": 4}]


async def test_a_batch_over_many_days_falls_back_on_a_duplicate_and_loses_nothing(
    pool: Pool, ownership: Any, say: Any, timescale_url: str
) -> None:
    days = [say.ship(1, day * DAY_S, seq=day) for day in range(10)]
    assert await insert(pool, ownership, days) == days
    assert len(chunks(timescale_url)) == 10
    new = [say.ship(2, day * DAY_S) for day in range(20)] + [say.aircraft(3, day * DAY_S) for day in range(3)]
    assert await insert(pool, ownership, [*days[::3], *new]) == new
    assert len(chunks(timescale_url)) == 20
    counted = "SELECT (SELECT count(*) FROM reading_vessel) AS held, (SELECT sum(count)::int FROM reading_hour) AS rolled_up"
    assert ask(timescale_url, counted) == [{"held": 30, "rolled_up": 33}]


async def test_a_reading_of_years_ago_gets_a_chunk_of_its_own(pool: Pool, ownership: Any, say: Any, timescale_url: str) -> None:
    now, old = say.ship(1, 0), say.ship(1, -2000 * DAY_S)
    assert await insert(pool, ownership, [now]) == [now]
    assert await insert(pool, ownership, [old, now]) == [old]
    assert len(chunks(timescale_url)) == 2
    async with pool.connection() as conn:
        assert await readings.duplicates(conn, [readings.key_of(old)]) == {readings.key_of(old)}


async def test_a_rolled_back_batch_leaves_no_row_in_any_chunk(pool: Pool, ownership: Any, say: Any, timescale_url: str) -> None:
    async with pool.connection() as conn:
        numbers = await commits.begin(conn, ownership, [0])
        await readings.insert(conn, [say.ship(1, day * DAY_S) for day in range(3)], numbers)
        await conn.rollback()
    assert ask(timescale_url, "SELECT count(*) AS n FROM reading_vessel") == [{"n": 0}]


@pytest.fixture
async def track(pool: Pool, ownership: Any, say: Any) -> str:
    """An asset with a reading on each of thirty days, and one of another tenant; the first one's id."""
    async with pool.connection() as conn:
        for tenant in ("demo", "other"):
            await registry.create_tenant(conn, tenant, tenant)
        asset_id = await registry.register_asset(conn, "demo", "vessel", "It", None, [("mmsi", say.MMSI)])
        await registry.register_asset(conn, "other", "vessel", "Same hull", None, [("mmsi", say.MMSI)])
        streams = await registry.resolve_streams(conn, [KEY, ("other", *KEY[1:])])
    rows = [say.ship(stream, day * DAY_S, lat_deg=float(day)) for stream in streams.values() for day in range(30)]
    await insert(pool, ownership, rows)
    return asset_id


@pytest.fixture
def api(timescale_url: str, track: str) -> Iterator[psycopg.Connection[Any]]:
    """A log-in of the API's role, seeing tenant demo."""
    set_role_password(timescale_url, "keelwing_api", "climb")
    parts = urlsplit(timescale_url)
    url = urlunsplit(parts._replace(netloc=f"keelwing_api:climb@{parts.netloc.rpartition('@')[2]}"))
    with psycopg.connect(url, row_factory=dict_row) as connection:
        connection.execute("SELECT set_config('keelwing.tenant', 'demo', false), set_config('keelwing.party', '*', false)")
        yield connection
        connection.rollback()


def test_the_wall_shows_a_tenants_rows_of_every_chunk_and_nobody_elses(api: Any, track: str) -> None:
    rows = api.execute("SELECT tenant, asset_id::text, lat_deg FROM asset_reading_vessel").fetchall()
    assert {(row["tenant"], row["asset_id"]) for row in rows} == {("demo", track)}
    assert sorted(row["lat_deg"] for row in rows) == list(range(30))


def test_the_role_cannot_reach_a_chunk_around_the_wall(api: Any, timescale_url: str) -> None:
    api.commit()
    for chunk in chunks(timescale_url):
        with pytest.raises(errors.InsufficientPrivilege):
            api.execute(sql.SQL("SELECT 1 FROM {}").format(sql.SQL(chunk)))
        api.rollback()


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT drop_chunks('reading_vessel', older_than => interval '0 s')",
        "SELECT set_chunk_time_interval('reading_vessel', interval '1 h')",
        "SELECT create_hypertable('finding', by_range('detected_at'))",
        "SELECT * FROM approximate_row_count('reading_vessel'), reading_vessel",
        "DROP EXTENSION timescaledb CASCADE",
    ],
)
def test_the_role_may_not_touch_hypertables_by_the_extensions_functions(api: Any, statement: str) -> None:
    with pytest.raises((errors.InsufficientPrivilege, errors.FeatureNotSupported)) as refused:
        api.execute(statement)
    assert isinstance(refused.value, errors.InsufficientPrivilege)


def test_a_day_of_a_track_is_read_from_its_chunk_by_its_index(api: Any, track: str) -> None:
    plan = api.execute(
        "EXPLAIN (FORMAT JSON) SELECT time, lat_deg FROM asset_reading_vessel"
        " WHERE asset_id = %s AND time >= '2025-10-12Z' AND time < '2025-10-13Z' ORDER BY time",
        (track,),
    ).fetchone()

    def scans(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if "_hyper_" in node.get("Relation Name", ""):
            yield node
        for part in node.get("Plans", []):
            yield from scans(part)

    [scan] = scans(plan["QUERY PLAN"][0]["Plan"])
    assert "stream_id" in scan.get("Index Cond", "")


def test_dropping_old_chunks_is_the_owners_choice_and_the_sums_stay(api: Any, track: str, timescale_url: str) -> None:
    with psycopg.connect(timescale_url, autocommit=True) as owner:
        owner.execute("SELECT drop_chunks('reading_vessel', older_than => '2025-10-19Z'::timestamptz)")
    seen = api.execute("SELECT min(lat_deg) AS first, count(*) AS n FROM asset_reading_vessel").fetchone()
    assert seen == {"first": 10.0, "n": 20}
    assert api.execute("SELECT sum(count)::int AS n FROM asset_reading_day").fetchone() == {"n": 30}
