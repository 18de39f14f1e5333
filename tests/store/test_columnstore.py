"""On TimescaleDB's WebAssembly build, which has all features: policies, the columnstore, and writes that come late into it."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import errors, sql
from psycopg.rows import dict_row

from store import timescale
from store.columns import COLUMNS
from store.migrate import migrate
from store.readings import insert_staged

pytestmark = pytest.mark.wasm

WRITE = (
    "INSERT INTO {table} (stream_id, time, source, seq, seq_given, received_at, lat_deg, lon_deg, sog_kn, channels, commit_no)"
    " SELECT stream, date_trunc('day', now()) - day * interval '1 day' + n * interval '1 minute', 'device', n, true, now(),"
    " 50 + n / 100.0, 3, 10, jsonb_build_object('rpm', n), 64"
    " FROM unnest(%s::int[]) AS stream, unnest(%s::int[]) AS day, generate_series(%s::int, %s::int) AS n"
)
TABLE = sql.Identifier("reading_vessel")


@pytest.fixture
def owner(wasm_url: str) -> Iterator[psycopg.Connection[Any]]:
    """The one connection, to tables without readings."""
    with psycopg.connect(wasm_url, autocommit=True, row_factory=dict_row) as connection:
        yield connection
        connection.execute("RESET ROLE")
        for job in jobs(connection, "policy_retention"):
            connection.execute("SELECT remove_retention_policy(%s::regclass)", (job["hypertable_name"],))
        for table in timescale.TABLES:
            connection.execute("SELECT drop_chunks(%s::regclass, older_than => now() + interval '1 day')", (table,))
        connection.execute("TRUNCATE tenant CASCADE")


def write(connection: psycopg.Connection[Any], streams: list[int], days: list[int], first: int = 0, last: int = 59) -> int:
    """Readings of each stream on each day so many days ago, one a minute."""
    return connection.execute(sql.SQL(WRITE).format(table=TABLE), (streams, days, first, last)).rowcount


def jobs(connection: psycopg.Connection[Any], kind: str) -> list[dict[str, Any]]:
    return connection.execute(
        "SELECT job_id, hypertable_name, config FROM timescaledb_information.jobs WHERE proc_name = %s ORDER BY hypertable_name",
        (kind,),
    ).fetchall()


def run(connection: psycopg.Connection[Any], kind: str) -> None:
    for job in jobs(connection, kind):
        connection.execute("CALL run_job(%s)", (job["job_id"],))


def ages(connection: psycopg.Connection[Any]) -> dict[int, bool]:
    """Of each chunk, how many days ago it began, and whether it is in the columnstore."""
    rows = connection.execute(
        "SELECT (date_trunc('day', now())::date - range_start::date) AS days, is_compressed FROM timescaledb_information.chunks"
        " WHERE hypertable_name = 'reading_vessel'"
    ).fetchall()
    return {row["days"]: row["is_compressed"] for row in rows}


def held(connection: psycopg.Connection[Any]) -> int:
    [row] = connection.execute("SELECT count(*) AS n, count(DISTINCT (stream_id, time, source, seq)) AS keys FROM reading_vessel")
    assert row["n"] == row["keys"]
    return int(row["n"])


def test_each_reading_table_has_a_columnstore_with_its_policy_and_no_retention(owner: psycopg.Connection[Any]) -> None:
    assert owner.execute("SELECT current_setting('timescaledb.license') AS edition").fetchone() == {"edition": "timescale"}
    found = jobs(owner, "policy_compression")
    assert {job["hypertable_name"] for job in found} == set(timescale.TABLES)
    assert {job["config"]["compress_after"] for job in found} == {f"{timescale.COLUMNSTORE_AFTER_DAYS} days"}
    assert jobs(owner, "policy_retention") == []
    settings = owner.execute(
        "SELECT hypertable::text AS name, segmentby, orderby FROM timescaledb_information.hypertable_columnstore_settings"
    ).fetchall()
    assert {row["name"] for row in settings} == set(timescale.TABLES)
    shown = {(row["segmentby"], row["orderby"].replace('"', "")) for row in settings}
    assert shown == {(timescale.SEGMENT_BY, timescale.ORDER_BY.replace(", ", ","))}


def test_the_policy_moves_what_the_horizon_left_and_nothing_younger(owner: psycopg.Connection[Any]) -> None:
    write(owner, [1, 2], [0, 1, 3, 4, 5, 6, 30])
    before = held(owner)
    run(owner, "policy_compression")
    assert {days for days, moved in ages(owner).items() if moved} == {5, 6, 30}
    assert held(owner) == before


def test_what_the_operator_set_stays_when_migrations_run_again(wasm_url: str) -> None:
    table = "reading_trainset"

    def choose(after: str, order_by: str) -> None:
        with psycopg.connect(wasm_url, autocommit=True) as connection:
            connection.execute("CALL remove_columnstore_policy(%s::regclass)", (table,))
            connection.execute("CALL add_columnstore_policy(%s::regclass, after => %s::interval)", (table, after))
            setting = sql.SQL("ALTER TABLE {} SET (timescaledb.orderby = {})")
            connection.execute(setting.format(sql.Identifier(table), sql.Literal(order_by)))

    choose("30 days", "time")
    try:
        migrate(wasm_url)
        with psycopg.connect(wasm_url, row_factory=dict_row) as connection:
            [job] = [job for job in jobs(connection, "policy_compression") if job["hypertable_name"] == table]
            settings = connection.execute(
                "SELECT orderby FROM timescaledb_information.hypertable_columnstore_settings WHERE hypertable = %s::regclass",
                (table,),
            ).fetchone()
    finally:
        choose(f"{timescale.COLUMNSTORE_AFTER_DAYS} days", timescale.ORDER_BY)
    assert job["config"]["compress_after"] == "30 days"
    assert settings == {"orderby": '"time"'}


def test_a_late_reading_goes_into_a_compressed_chunk_and_a_known_one_does_not(owner: psycopg.Connection[Any]) -> None:
    write(owner, [1, 2], [10])
    run(owner, "policy_compression")
    with pytest.raises(errors.UniqueViolation):
        write(owner, [1], [10], 30, 30)
    assert write(owner, [1, 3], [10], 60, 64) == 10
    assert held(owner) == 130
    run(owner, "policy_compression")
    assert ages(owner) == {10: True}
    assert owner.execute("SELECT count(*) AS n FROM _timescaledb_catalog.chunk WHERE status & 8 <> 0").fetchone() == {"n": 0}
    assert held(owner) == 130


def test_a_batch_with_duplicates_of_compressed_readings_returns_the_new_ones(owner: psycopg.Connection[Any]) -> None:
    """As `store.readings` does it when COPY met a duplicate, as the worker's role."""
    write(owner, [1, 2], [10, 11])
    run(owner, "policy_compression")
    owner.execute("SET ROLE keelwing_worker")
    with owner.transaction():
        owner.execute("CREATE TEMPORARY TABLE staged_reading (LIKE reading_vessel)")
        owner.execute(sql.SQL(WRITE).format(table=sql.Identifier("staged_reading")), ([1, 2, 3], [1, 10], 55, 64))
        new = owner.execute(insert_staged(COLUMNS["vessel"])).fetchall()
    days = {1: 30, 10: 20}  # of three streams ten new ones yesterday; ten days ago five of two, ten of the third
    assert len(new) == sum(days.values())
    assert held(owner) == 240 + 50


def test_a_retention_the_operator_chose_drops_readings_and_leaves_their_sums(owner: psycopg.Connection[Any]) -> None:
    write(owner, [1], [1, 10, 400])
    owner.execute(
        "INSERT INTO reading_day SELECT stream_id, date_trunc('day', time), count(*), 0, min(time), max(time), 0, NULL, NULL, 0"
        " FROM reading_vessel GROUP BY 1, 2"
    )
    run(owner, "policy_compression")
    owner.execute("SELECT add_retention_policy('reading_vessel', drop_after => interval '1 year')")
    run(owner, "policy_retention")
    assert set(ages(owner)) == {1, 10}
    assert owner.execute("SELECT sum(count)::int AS n FROM reading_day").fetchone() == {"n": 180}
    owner.execute("DELETE FROM reading_day")


def test_the_wall_stands_before_compressed_readings(owner: psycopg.Connection[Any]) -> None:
    for number, tenant in ((1, "a"), (2, "b")):
        owner.execute("INSERT INTO tenant VALUES (%s, %s)", (tenant, tenant))
        owner.execute(
            "WITH made AS (INSERT INTO asset (tenant, class, name, shard) VALUES (%s, 'vessel', 'x', 0)"
            " RETURNING asset_id, tenant),"
            " said AS (INSERT INTO stream (stream_id, tenant, origin, class, scheme, value) OVERRIDING SYSTEM VALUE"
            " VALUES (%s, %s, 'device', 'vessel', 'imo', %s) RETURNING stream_id)"
            " INSERT INTO attribution (stream_id, asset_id, tenant, valid)"
            " SELECT stream_id, asset_id, tenant, tstzrange(NULL, NULL) FROM made, said",
            (tenant, number, tenant, str(number)),
        )
    write(owner, [1, 2], [10])
    run(owner, "policy_compression")
    inner = owner.execute(
        "SELECT format('%I.%I', schema_name, table_name) AS name FROM _timescaledb_catalog.chunk WHERE NOT dropped"
    ).fetchall()
    assert len(inner) >= 2  # the chunk and what holds it compressed
    with owner.transaction():
        owner.execute("SET LOCAL ROLE keelwing_api")
        owner.execute("SELECT set_config('keelwing.tenant', 'a', true), set_config('keelwing.party', '*', true)")
        seen = owner.execute("SELECT tenant, count(*) AS n FROM asset_reading_vessel GROUP BY tenant").fetchall()
        allowed = owner.execute(
            "SELECT name FROM unnest(%s::text[]) AS name WHERE has_any_column_privilege('keelwing_api', name, 'SELECT')",
            ([row["name"] for row in inner],),
        ).fetchall()
    assert seen == [{"tenant": "a", "n": 60}]
    assert allowed == []
