"""Three databases, one truth: every read query gives the same on plain PostgreSQL, on hypertables, and from the columnstore.

One world is built by the store's own code on the session's server, copied row by row into a native TimescaleDB and into the
WebAssembly build with all features, where the readings are moved to the columnstore; then late ones come, and everybody is asked.
"""

import asyncio
import hashlib
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from store import spreads, timescale
from store.pool import open_pool
from tests.api.fix_world import World, populate
from tests.fix_postgres import PostgresServer, new_database
from tests.store import questions
from tests.store.lives import LIFE

OWN = ("_yoyo_log", "_yoyo_migration", "_yoyo_version", "yoyo_lock")
THE_REST = """
INSERT INTO static_report (stream_id, time, source, particulars, received_at, commit_no)
    SELECT stream_id, '2026-11-20 11:00Z', 'device', '{"name": "BLUE HERON"}', '2026-11-20 11:00Z', 64 FROM stream;
INSERT INTO alert_comment (alert_id, tenant, author, comment) SELECT alert_id, tenant, 'x', 'y' FROM alert;
INSERT INTO webhook (tenant, url, secret) VALUES ('alpha', 'https://example.org', 'whsec_x');
INSERT INTO outbox (event_id, tenant, type, time, body) VALUES ('evt_0000alpha', 'alpha', 'keelwing.x', now(), '{}');
INSERT INTO webhook_attempt (webhook_id, event_id, tenant, attempt, trigger, started_at, duration_ms, status_code)
    SELECT webhook_id, event_id, tenant, 1, 'schedule', now(), 5, 500 FROM webhook_delivery;
INSERT INTO scene_context SELECT 'alpha', asset_id, '2026-11-20 11:30Z', 1, 1, false, 64 FROM asset WHERE tenant = 'alpha';
INSERT INTO listening VALUES ('alpha', 'feed:coast', '[2026-11-20 08:00Z, 2026-11-20 16:00Z)');
INSERT INTO idempotency_key (tenant, key, request_hash) VALUES ('alpha', 'k', '');
INSERT INTO checkpoint SELECT asset_id, '2026-11-20 11:00Z', shard, '2026-11-20 18:00Z', '\\x01', 64 FROM asset;
INSERT INTO dirty (asset_id, shard, from_time, marked_at, commit_no)
    SELECT asset_id, shard, '2026-11-20 11:00Z', now(), 64 FROM asset;
INSERT INTO prior_contribution SELECT asset_id, '2026-11-20 11:00Z', '\\x02', 64 FROM asset;
INSERT INTO finding_alias SELECT asset_id, 'derived', 'fnd_0001' FROM asset;
INSERT INTO traffic VALUES ('alpha', 'feed:coast', 'vessel', 'mmsi', '211000000', '2026-11-20 11:59Z', 51, 3, 10);
INSERT INTO feed (tenant, feed) VALUES ('_', 'ais');
INSERT INTO feed (tenant, feed) VALUES ('alpha', 'live');
INSERT INTO traffic VALUES ('alpha', 'feed:live', 'vessel', 'mmsi', '211000001', '2026-11-20 11:58Z', 51, 3, 10);
INSERT INTO ingest_count (tenant, origin, hour, received, stored) VALUES ('alpha', 'feed:live', '2026-11-20 11:00Z', 1, 1),
    ('alpha', 'imo:9074729', '2026-11-20 11:00Z', 2, 2);
INSERT INTO ingest_nulled VALUES ('alpha', 'feed:coast', '2026-11-20 11:00Z', 'sog_kn', 'sentinel', 3);
INSERT INTO feed_grant (feed, tenant) VALUES ('ais', 'alpha');
INSERT INTO status_report (tenant, origin, online, received_at, commit_no) VALUES
    ('alpha', 'imo:9074729', true, '2026-11-20 10:00Z', 64), ('_', 'feed:ais', false, '2026-11-20 10:00Z', 64);
INSERT INTO setting (tenant, rule, name, value, valid) VALUES ('alpha', 'gap', 'silence_min', '1', tstzrange(NULL, NULL));
INSERT INTO setting (tenant, rule, name, value, valid) VALUES ('alpha', 'feed_silent', 'quiet_min', '30', tstzrange(NULL, NULL));
INSERT INTO finding (finding_id, revision, tenant, asset, rule, rule_version, severity, opened_at, detected_at, evidence,
    commit_no) VALUES ('fnd_feed', 1, 'alpha', 'feed:coast', 'feed_silent', 1, 'warning', '2026-11-20 12:00Z',
    '2026-11-20 12:10Z', '{}', 64);
INSERT INTO sighting SELECT 'alpha', 'live', '2026-11-20 12:00Z', asset_id::text, asset_id,
    '\\x01', 64 FROM asset WHERE tenant = 'alpha';
INSERT INTO scene_mark (tenant, clock, from_time, commit_no) VALUES ('alpha', 'live', '2026-11-20 12:00Z', 64);
INSERT INTO scene_cut VALUES ('alpha', 'live', '2026-11-20 11:00Z', '\\x01');
INSERT INTO rejection_replay (tenant, reason, requested_by) VALUES ('alpha', 'not_json', 'x');
"""
LATE = """
INSERT INTO reading_vessel (stream_id, time, source, seq, seq_given, received_at, lat_deg, lon_deg, sog_kn, nav_status, channels,
    commit_no)
SELECT stream_id, '2026-11-20 11:11:11Z', 'late', 7, true, '2026-11-26 12:00Z', 51.5, 3.5, 9.5, 0, '{"me_exhaust_temp_c": 99.5}',
    (SELECT min(commit_no) FROM commits)
FROM stream WHERE class = 'vessel'
ON CONFLICT DO NOTHING;
UPDATE reading_hour SET count = count + 1 WHERE hour = '2026-11-20 11:00Z';
"""


def written(url: str, text: str) -> None:
    with psycopg.connect(url) as connection:
        for statement in text.split(";\n"):
            connection.execute(statement)


@pytest.fixture(scope="module")
def known(postgres_server: PostgresServer, template_database: str) -> Any:
    """The world on the session's server, and what there is to ask for."""
    with new_database(postgres_server, template=template_database) as url:
        world = asyncio.run(populate(url))
        world.url = url
        written(url, THE_REST)
        asyncio.run(closed(url))
        written(url, LIFE)
        yield knowledge(url, world)


async def closed(url: str) -> None:
    pool = await open_pool(url, "keelwing_worker", 1)
    async with pool.connection() as conn:
        assert await spreads.close_hours(conn, open_s=0.0, quiet_s=0.0) > 0
    await pool.close()


def knowledge(url: str, world: World) -> questions.Known:
    with psycopg.connect(url) as connection:
        streams = [row[0] for row in connection.execute("SELECT stream_id FROM stream").fetchall()]
        numbers = [row[0] for row in connection.execute("SELECT commit_no FROM commits").fetchall()]
        [(webhook,)] = connection.execute("SELECT webhook_id::text FROM webhook").fetchall()
    key_hash = hashlib.sha256(world.keys["viewer"].encode()).digest()
    return questions.Known(world, webhook, tuple(streams), tuple(numbers), key_hash)


def copy_world(source: str, target: str) -> None:
    """Every row of every table of ours, by INSERT."""
    with psycopg.connect(source, row_factory=dict_row) as giving:
        tables = giving.execute(
            "SELECT relname AS name, (SELECT array_agg(attname ORDER BY attnum) FROM pg_attribute WHERE attrelid = pg_class.oid"
            " AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS columns"
            " FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> ALL (%s)",
            (list(OWN),),
        ).fetchall()
        rows = {
            table["name"]: [row["row"] for row in giving.execute(
                sql.SQL("SELECT to_jsonb(t) AS row FROM {} AS t").format(sql.Identifier(table["name"]))
            ).fetchall()]
            for table in tables
        }  # fmt: skip
    with psycopg.connect(target) as taking:
        taking.execute("SET LOCAL session_replication_role = replica")  # as the rows are: no trigger, no order of tables
        for table in tables:
            name, columns = sql.Identifier(table["name"]), sql.SQL(", ").join(map(sql.Identifier, table["columns"]))
            taking.execute(sql.SQL("DELETE FROM {}").format(name))
            insert = sql.SQL(
                "INSERT INTO {name} ({columns}) OVERRIDING SYSTEM VALUE"
                " SELECT {columns} FROM jsonb_populate_recordset(NULL::{name}, %s)"
            ).format(name=name, columns=columns)
            taking.execute(insert, (Jsonb(rows[table["name"]]),))


def differences(one: questions.Answers, other: questions.Answers) -> list[str]:
    assert one.keys() == other.keys()
    return [key for key in one if one[key] != other[key] and not questions.OF_THE_SERVER.search(key)]


async def test_every_read_query_answers_something_in_this_world(known: questions.Known) -> None:
    """A comparison of empty answers would prove nothing."""
    found = await questions.answers(known.world.url, known)
    asked = set(questions.read_queries()) | {name for name in questions.templates() if any(f": {name} " in key for key in found)}
    silent = asked - {name for name in asked for key, told in found.items() if f": {name} " in key and told}
    assert {name for name in silent if not questions.OF_THE_SERVER.search(name)} == set()


def test_every_query_put_together_in_code_is_asked_through_its_function() -> None:
    assert questions.templates() == questions.TEMPLATES


@pytest.mark.timescale
async def test_hypertables_answer_as_plain_tables_do(known: questions.Known, timescale_url: str) -> None:
    copy_world(known.world.url, timescale_url)
    expected = await questions.answers(known.world.url, known)
    assert differences(expected, await questions.answers(timescale_url, known)) == []


@pytest.mark.wasm
async def test_the_columnstore_answers_as_plain_tables_do_before_and_after_late_readings(
    known: questions.Known, wasm_url: str
) -> None:
    copy_world(known.world.url, wasm_url)
    with psycopg.connect(wasm_url, autocommit=True) as connection:
        for table in timescale.TABLES:
            connection.execute("SELECT compress_chunk(chunk) FROM show_chunks(%s::regclass) AS chunk", (table,))
        states = connection.execute("SELECT hypertable_name, is_compressed FROM timescaledb_information.chunks").fetchall()
    assert sorted(states) == [("reading_aircraft", True), ("reading_vessel", True)]
    expected = await questions.answers(known.world.url, known)
    assert differences(expected, await questions.answers(wasm_url, known)) == []
    for url in (known.world.url, wasm_url):
        written(url, LATE)
    late = await questions.answers(known.world.url, known)
    assert len(differences(expected, late)) > 10
    assert differences(late, await questions.answers(wasm_url, known)) == []
