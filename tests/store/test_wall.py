"""Climbing the wall: whatever SQL the API's role can say, it sees one tenant, and a lessee its lease.

Two lessors own the same hull; the operator's feed is granted to one of them; one lessee has it for ten seconds.
"""

import asyncio
import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import errors, sql
from psycopg.rows import dict_row

from store import batches, commits, keys, registry, spreads
from store.migrate import set_role_password
from store.pool import open_pool, scope
from store.rows import CountRow, RejectionRow, StaticRow, StatusRow, StepBatch

MMSI = ("mmsi", "244660000")
SECOND_US = 1_000_000
HOUR_US = 3600 * SECOND_US
PLAIN = {"channel", "commits", "registry_version", "_yoyo_migration"}  # nobody's secrets
SHARED = {"feed", "status_report", "listening", "ingest_count"}  # where a granted feed of the operator shows


class World(NamedTuple):
    url: str
    asset_a: str
    asset_b: str
    party_id: str
    key: str


@pytest.fixture(scope="module")
def world(postgres_server: Any, template_database: str, say: Any) -> Iterator[World]:
    name = f"keelwing_wall_{template_database[-8:]}"
    owner_url = postgres_server.create_database(name, template=template_database)
    try:
        set_role_password(owner_url, "keelwing_api", "climb")
        parts = urlsplit(owner_url)
        api_url = urlunsplit(parts._replace(netloc=f"keelwing_api:climb@{parts.netloc.rpartition('@')[2]}"))
        yield asyncio.run(build(owner_url, api_url, say))
    finally:
        postgres_server.drop_database(name)


async def build(owner_url: str, api_url: str, say: Any) -> World:
    pool = await open_pool(owner_url, "keelwing_worker", 2)
    async with pool.connection() as conn:
        await registry.set_feed(conn, "_", "ais", "live")
        assets = {}
        for tenant in ("a", "b"):
            await registry.create_tenant(conn, tenant, tenant)
            await registry.set_feed(conn, tenant, "own", "live")
            assets[tenant] = await registry.register_asset(conn, tenant, "vessel", f"Ship of {tenant}", None, [MMSI])
            await registry.register_asset(conn, tenant, "vessel", "Second", None, [("imo", "9074729")])
            await registry.change_setting(conn, tenant, "gap", "silence_min", 1, None)
        await registry.grant_feed(conn, "ais", "a", None, None)
        party_id = await registry.create_party(conn, "a", "Lessee")
        await registry.create_party(conn, "a", "Another")
        end_us = say.NOON_US + 20 * SECOND_US
        await registry.create_lease(conn, "a", assets["a"], party_id, "dry", say.NOON_US + 10 * SECOND_US, end_us)
        key = await keys.create(conn, "a", "lessee", party_id)
        await keys.create(conn, "b", "admin")
    async with pool.connection() as conn:
        ownership = await commits.claim(conn, commits.ALL_SHARDS, "test")
        streams = await registry.resolve_streams(
            conn, [("_", "feed:ais", "vessel", *MMSI), ("b", "device", "vessel", *MMSI), ("a", "device", "vessel", *MMSI)]
        )
        numbers = await commits.begin(conn, ownership, [0])
        fields = {"lat_deg": 1.0, "lon_deg": 2.0, "sog_kn": 3.0, "channels": {"rpm": 80.0}}
        batch = StepBatch(
            readings=[say.ship(stream_id, second, **fields) for stream_id in streams.values() for second in (0, 10, 19, 20, 30)],
            statics=[
                StaticRow(stream_id=stream_id, shard=0, time_us=say.NOON_US + second * SECOND_US, received_us=say.NOON_US,
                          source="device", particulars={"name": "It"})
                for stream_id in streams.values() for second in (0, 15)
            ],
            statuses=[StatusRow(tenant=tenant, origin=origin, shard=0, online=True, received_us=say.NOON_US)
                      for tenant, origin in (("a", "feed:own"), ("b", "feed:own"), ("_", "feed:ais"), ("_", "feed:secret"))],
            rejections=[RejectionRow(tenant=tenant, shard=0, topic="t", element=None, reason="r", detail="", payload=b"",
                                     received_us=say.NOON_US) for tenant in ("a", "b")],
            counts=[CountRow(tenant=tenant, origin="feed:own", hour_us=say.NOON_US, received=1, stored=1, nulled={"a:b": 1})
                    for tenant in ("a", "b")],
            findings=[say.finding(assets[tenant], f"gap-{tenant}", tenant=tenant) for tenant in ("a", "b")],
        )  # fmt: skip
        await batches.write(conn, batch, numbers)
        for tenant in ("a", "b"):
            await conn.execute(EVERYTHING_ELSE, {"tenant": tenant, "asset_id": assets[tenant], "finding_id": f"gap-{tenant}"})
            await conn.execute(LIFE, {"tenant": tenant, "asset_id": assets[tenant]})
        await conn.execute(LEDGER)
        await conn.execute(
            "INSERT INTO webhook_attempt (webhook_id, event_id, tenant, attempt, trigger, started_at, duration_ms)"
            " SELECT webhook_id, event_id, tenant, 1, 'schedule', now(), 5 FROM webhook_delivery"
        )
    async with pool.connection() as conn:
        assert await spreads.close_hours(conn, quiet_s=0.0) == len(streams)
    await pool.close()
    return World(api_url, assets["a"], assets["b"], party_id, key)


EVERYTHING_ELSE = """
WITH raised AS (
    INSERT INTO alert (alert_id, tenant, asset_id, asset, rule, severity, status, opened_at, updated_at, revision, evidence,
        finding_ids, commit_no)
    VALUES (gen_random_uuid(), %(tenant)s, %(asset_id)s, 'mmsi:1', 'gap', 'warning', 'open', now(), now(), 1, '{}',
        ARRAY[%(finding_id)s], 64) RETURNING alert_id
), changed AS (
    INSERT INTO alert_revision (alert_id, revision, tenant, change, actor, after, commit_no)
    SELECT alert_id, 1, %(tenant)s, 'opened', 'keelwing', '{}', 64 FROM raised
), said AS (
    INSERT INTO alert_comment (alert_id, tenant, author, comment) SELECT alert_id, %(tenant)s, 'x', 'y' FROM raised
), endpoint AS (
    INSERT INTO webhook (tenant, url, secret) VALUES (%(tenant)s, 'https://example.org', 'whsec_x')
), happened AS (
    INSERT INTO outbox (event_id, tenant, type, time, body) VALUES ('evt_0000' || %(tenant)s, %(tenant)s, 't', now(), '{}')
), story AS (
    INSERT INTO incident (incident_id, revision, tenant, asset_id, asset, severity, rules, opened_at, finding_ids, commit_no)
    VALUES (gen_random_uuid(), 1, %(tenant)s, %(asset_id)s, 'mmsi:1', 'warning', '{gap}', now(), ARRAY[%(finding_id)s], 64)
), decided AS (
    INSERT INTO notice (tenant, alert_id, revision, asset, finding_id, rule, severity, kind, verdict, decided_at, commit_no)
    SELECT %(tenant)s, alert_id, 1, 'mmsi:1', %(finding_id)s, 'gap', 'warning', 'opened', 'told', now(), 64 FROM raised
), widened AS (
    INSERT INTO adjustment (tenant, asset_id, rule, name, base, value, alert_id, finding_id, actor, valid)
    SELECT %(tenant)s, %(asset_id)s, 'gap', 'heard_limit_min', 60, 90, alert_id, %(finding_id)s, 'x', tstzrange(now(), NULL)
    FROM raised
), week AS (
    INSERT INTO alert_budget (tenant, week, assets, rate, allowance) VALUES (%(tenant)s, now(), 1, 0.05, 1)
), live AS (
    INSERT INTO live_event (tenant, kind, asset_id, body) VALUES (%(tenant)s, 'finding', %(asset_id)s, '{}')
), scene AS (
    INSERT INTO scene_context VALUES (%(tenant)s, %(asset_id)s, now(), 1, 1, false, 64)
), heard AS (
    INSERT INTO listening VALUES (%(tenant)s, 'feed:own', tstzrange(now() - interval '1 h', now()))
)
INSERT INTO idempotency_key (tenant, key, request_hash) VALUES (%(tenant)s, 'k', '')
"""

LIFE = """
WITH owner AS (
    INSERT INTO party (tenant, name) VALUES (%(tenant)s, 'Holding') RETURNING party_id
), owned AS (
    INSERT INTO party (tenant, name) VALUES (%(tenant)s, 'Lessor') RETURNING party_id
), grouped AS (
    INSERT INTO party_group (tenant, party_id, parent_party_id)
    SELECT %(tenant)s, owned.party_id, owner.party_id FROM owned, owner
), paper AS (
    INSERT INTO lease_contract (tenant, asset_id, form, signed_on, term)
    VALUES (%(tenant)s, %(asset_id)s, 'operating', '2026-01-01', tstzrange('2026-01-01Z', '2027-01-01Z')) RETURNING lease_id
), role AS (
    INSERT INTO lease_party (tenant, lease_id, party_id, role) SELECT %(tenant)s, lease_id, party_id, 'lessor' FROM paper, owned
), step AS (
    INSERT INTO lease_event (tenant, lease_id, asset_id, kind, at)
    SELECT %(tenant)s, lease_id, %(asset_id)s, 'signed', now() FROM paper
), called AS (
    INSERT INTO designation (tenant, asset_id, kind, value) VALUES (%(tenant)s, %(asset_id)s, 'flag', 'MH')
), milestone AS (
    INSERT INTO asset_event (tenant, asset_id, kind, basis, at) VALUES (%(tenant)s, %(asset_id)s, 'owned', 'reported', now())
), docked AS (
    INSERT INTO maintenance_event (tenant, asset_id, kind, planned)
    VALUES (%(tenant)s, %(asset_id)s, 'drydock', tstzrange(now(), NULL))
), cover AS (
    INSERT INTO insurance (tenant, lease_id, kind, insurer, cover)
    SELECT %(tenant)s, lease_id, 'hull', 'I', tstzrange(now(), NULL) FROM paper
), limits AS (
    INSERT INTO territory_rule (territory_rule_id, tenant, lease_id, kind, event_scope, area_set)
    SELECT 't', %(tenant)s, lease_id, 'notify', 'any_presence', 's' FROM paper
), clause AS (
    INSERT INTO covenant (covenant_id, tenant, lease_id, clause, predicate, severity)
    SELECT 'c', %(tenant)s, lease_id, '1', '{}', 'info' FROM paper
), line AS (
    INSERT INTO area (tenant, area_id, name, kind, issuer, version, severity, geometry, west_deg, south_deg, east_deg, north_deg)
    VALUES (%(tenant)s, 'a', 'A', 'watch', 'x', '1', 'info', '{}', 0, 0, 1, 1)
), part AS (
    INSERT INTO asset (tenant, class, name, shard) VALUES (%(tenant)s, 'engine', 'E', 0) RETURNING asset_id
), sits AS (
    INSERT INTO installation (tenant, asset_id, parent_asset_id, position, valid)
    SELECT %(tenant)s, asset_id, %(asset_id)s, '1', tstzrange(now(), NULL) FROM part
), lasts AS (
    INSERT INTO life_limit (tenant, asset_id, item, kind, driver, limit_value, used_value, counted_at)
    VALUES (%(tenant)s, %(asset_id)s, 'i', 'life', 'fc', 2, 1, now())
), went AS (
    INSERT INTO journey (journey_id, revision, tenant, asset_id, asset, kind, started_at, method, commit_no)
    VALUES ('j' || %(tenant)s, 1, %(tenant)s, %(asset_id)s, 'mmsi:1', 'voyage', now(), 'm', 64)
), did AS (
    INSERT INTO activity (tenant, asset_id, state, started_at, method, commit_no)
    VALUES (%(tenant)s, %(asset_id)s, 'unknown', now(), 'm', 64)
), sum AS (
    INSERT INTO use_day (tenant, asset_id, day, state_s, commit_no) VALUES (%(tenant)s, %(asset_id)s, '2026-01-01', '{}', 64)
), doing AS (
    INSERT INTO use_tail (asset_id, tenant, started_at, ended_at, state, distance_m, observed_s, method, figures, sources,
        commit_no)
    VALUES (%(asset_id)s, %(tenant)s, now(), now(), 'unknown', 0, 0, 'm', '{}', '{}', 64)
), reported AS (
    INSERT INTO utilization_report (tenant, lease_id, asset_id, kind, period, figures, received_at)
    SELECT %(tenant)s, lease_id, %(asset_id)s, 'noon', tstzrange(now() - interval '1 day', now()), '{}', now() FROM paper
), account AS (
    INSERT INTO reserve_account (tenant, lease_id, asset_id, bucket, currency)
    SELECT %(tenant)s, lease_id, %(asset_id)s, 'apu', 'USD' FROM paper RETURNING reserve_account_id
), condition AS (
    INSERT INTO return_condition (return_condition_id, tenant, lease_id, requirement, status)
    SELECT 'r', %(tenant)s, lease_id, 'clean', 'open' FROM paper
), judged AS (
    INSERT INTO daily_pass (tenant, day, known_at, assets, conditions, written) VALUES (%(tenant)s, '2026-01-01', now(), 1, 0, 0)
), lost AS (
    INSERT INTO off_hire (tenant, lease_id, asset_id, period, status, reason)
    SELECT %(tenant)s, lease_id, %(asset_id)s, tstzrange(now() - interval '1 day', now()), 'candidate', 'stop' FROM paper
)
SELECT reserve_account_id FROM account
"""
LEDGER = """
WITH paid AS (
    INSERT INTO reserve_entry (tenant, reserve_account_id, kind, amount, at)
    SELECT tenant, reserve_account_id, 'payment', 1, now() FROM reserve_account
), priced AS (
    INSERT INTO reserve_rate (tenant, reserve_account_id, terms, valid)
    SELECT tenant, reserve_account_id, '{}', daterange('2026-01-01', NULL) FROM reserve_account
)
INSERT INTO closed_month (tenant, lease_id, month, revision, period, basis, figures)
SELECT tenant, lease_id, '2026-01-01', 1, tstzrange('2026-01-01Z', '2026-02-01Z'), 'reported', '{}' FROM reserve_account
"""


@pytest.fixture
def api(world: World) -> Iterator[psycopg.Connection[dict[str, Any]]]:
    """Logged in as the API's role, as an attacker who found an injection would be."""
    with psycopg.connect(world.url, row_factory=dict_row) as connection:
        yield connection
        connection.rollback()


def look_as(connection: psycopg.Connection[Any], tenant: str, party: str = "*") -> None:
    connection.execute("SELECT set_config('keelwing.tenant', %s, true), set_config('keelwing.party', %s, true)", (tenant, party))


def readable(connection: psycopg.Connection[Any]) -> list[str]:
    """Every table and view of which the API's role may select at least one column."""
    cursor = connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')"
        " AND has_any_column_privilege('keelwing_api', oid, 'SELECT') ORDER BY relname"
    )
    return [row["relname"] for row in cursor.fetchall()]


def rows_of(connection: psycopg.Connection[Any], table: str) -> list[dict[str, Any]]:
    """What can be seen of it, over the columns that may be read."""
    cursor = connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
        " AND has_column_privilege(attrelid, attnum, 'SELECT')",
        (table,),
    )
    columns = sql.SQL(", ").join(sql.Identifier(row["attname"]) for row in cursor.fetchall())
    found: list[dict[str, Any]] = connection.execute(
        sql.SQL("SELECT {} FROM {}").format(columns, sql.Identifier(table))
    ).fetchall()
    return found


def test_without_a_scope_there_are_no_rows(api: Any) -> None:
    tables = readable(api)
    assert len(tables) > 30
    assert [table for table in tables if table not in PLAIN and rows_of(api, table)] == []


@pytest.mark.parametrize(("tenant", "party"), [("a", ""), ("", "*"), ("nobody", "*"), ("_x", "*")])
def test_half_a_scope_is_none(api: Any, tenant: str, party: str) -> None:
    look_as(api, tenant, party)
    assert [table for table in readable(api) if table not in PLAIN and rows_of(api, table)] == []


@pytest.mark.parametrize("tenant", ["a", "b"])
def test_a_tenant_sees_its_own_rows_of_everything_and_nobody_elses(api: Any, tenant: str) -> None:
    look_as(api, tenant)
    empty = set()
    for table in readable(api):
        if table in PLAIN:
            continue
        rows = rows_of(api, table)
        others = {row["tenant"] for row in rows} - {tenant}
        assert others <= ({"_"} if table in SHARED and tenant == "a" else set()), table
        if not rows:
            empty.add(table)
    unused = {"asset_reading_aircraft", "asset_reading_trainset", "rejection_replay"}
    # grants and tenures there are for tenant a alone
    assert empty - unused <= (set() if tenant == "a" else {"feed_grant", "lease"})


def test_a_feed_that_was_not_granted_does_not_show(api: Any) -> None:
    look_as(api, "a")
    assert {row["origin"] for row in rows_of(api, "status_report")} == {"feed:own", "feed:ais"}
    look_as(api, "b")
    assert {row["origin"] for row in rows_of(api, "status_report")} == {"feed:own"}
    assert {row["origin"] for row in rows_of(api, "asset_reading_vessel")} == {"device"}


FORBIDDEN = [
    "SELECT 1 FROM reading_vessel", "SELECT 1 FROM reading_aircraft", "SELECT 1 FROM reading_trainset", "SELECT 1 FROM stream",
    "SELECT 1 FROM stream_latest", "SELECT 1 FROM reading_hour", "SELECT 1 FROM reading_day", "SELECT 1 FROM static_report",
    "SELECT 1 FROM reading_hour_spread", "SELECT 1 FROM hour_pending",
    "SELECT 1 FROM checkpoint", "SELECT 1 FROM dirty",
    "SELECT 1 FROM sighting", "SELECT 1 FROM scene_mark", "SELECT 1 FROM scene_cut",
    "SELECT 1 FROM prior_contribution", "SELECT 1 FROM shard_owner",
    "SELECT 1 FROM traffic", "SELECT secret FROM webhook", "SELECT secret_previous FROM webhook", "SELECT * FROM webhook",
    "SELECT key_hash FROM api_key", "COPY reading_vessel TO STDOUT", "TRUNCATE finding", "DELETE FROM finding",
    "UPDATE finding SET severity = 'info'", "DELETE FROM alert_revision", "UPDATE alert_revision SET reason = 'x'",
    "INSERT INTO api_key (tenant, role, key_hash) VALUES ('a', 'admin', decode(repeat('00', 32), 'hex'))",
    "UPDATE tenant SET name = 'x'", "UPDATE asset SET tenant = 'a'", "INSERT INTO lease DEFAULT VALUES",
    "INSERT INTO attribution DEFAULT VALUES", "SELECT prune_rejections('0 s', 0)", "CREATE TABLE mine (x int)",
    "ALTER TABLE finding DISABLE ROW LEVEL SECURITY", "ALTER ROLE keelwing_api BYPASSRLS",
    "GRANT keelwing_worker TO keelwing_api", "SET ROLE keelwing_worker",
    "SET ROLE keelwing_view", "SET ROLE keelwing_gate", "SET ROLE keelwing",
    "SET SESSION AUTHORIZATION keelwing", "CREATE OR REPLACE FUNCTION scope_tenant() RETURNS text LANGUAGE sql RETURN 'b'",
    "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql RETURN 1", "DROP POLICY internal ON finding",
    "SELECT pg_read_file('/etc/hostname')", "COPY tenant TO PROGRAM 'cat'", "SELECT rolpassword FROM pg_authid",
]  # fmt: skip


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_the_role_has_no_right_to(api: Any, statement: str) -> None:
    look_as(api, "a")
    with pytest.raises(errors.InsufficientPrivilege):
        api.execute(statement)


def test_resetting_the_role_leads_back_to_itself(api: Any) -> None:
    api.execute("RESET ROLE")
    api.execute("RESET SESSION AUTHORIZATION")
    assert api.execute("SELECT current_user, session_user").fetchone() == {
        "current_user": "keelwing_api",
        "session_user": "keelwing_api",
    }
    assert rows_of(api, "asset") == []


def test_row_security_cannot_be_switched_off(api: Any) -> None:
    look_as(api, "a")
    api.execute("SET LOCAL row_security = off")
    with pytest.raises(errors.InsufficientPrivilege):
        rows_of(api, "finding")


@pytest.mark.parametrize(
    ("table", "column"),
    [("asset_reading_vessel", "lat_deg::text"), ("asset_latest", "value"), ("finding", "finding_id"), ("asset", "name"),
     ("asset_static_report", "particulars::text"), ("asset_stream", "origin")],
)  # fmt: skip
def test_a_talkative_function_is_shown_no_row_that_its_caller_is_not(api: Any, table: str, column: str) -> None:
    api.execute(
        "CREATE FUNCTION pg_temp.tell(tenant text, word text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS"
        " $$ BEGIN RAISE NOTICE 'seen %', tenant; RETURN true; END $$"
    )
    seen: set[str] = set()
    api.add_notice_handler(lambda notice: seen.add(notice.message_primary))
    look_as(api, "b")
    query = sql.SQL("SELECT 1 FROM {} WHERE pg_temp.tell(tenant, {})").format(sql.Identifier(table), sql.SQL(column))
    assert api.execute(query).fetchall()
    assert seen == {"seen b"}


def test_a_talkative_function_does_not_show_a_lessee_what_lies_outside_its_lease(api: Any, world: World, say: Any) -> None:
    """Only the views' security barrier keeps the function behind the lease's dates."""
    api.execute(
        "CREATE FUNCTION pg_temp.tell(latitude double precision, word text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS"
        " $$ BEGIN RAISE NOTICE '%', word; RETURN true; END $$"
    )
    seen: set[str] = set()
    api.add_notice_handler(lambda notice: seen.add(notice.message_primary))
    look_as(api, "a", world.party_id)
    api.execute("SELECT 1 FROM asset_reading_vessel WHERE pg_temp.tell(lat_deg, extract(second FROM time)::integer::text)")
    assert seen == {"10", "19"}
    seen.clear()
    api.execute("SELECT 1 FROM asset_latest WHERE pg_temp.tell(lat_deg, lat_deg::text)")
    assert seen == set()


def test_a_shadowed_function_does_not_reach_into_the_gate(api: Any, world: World) -> None:
    """Objects in pg_temp come before public for the caller, never for the definer's functions."""
    api.execute(
        "CREATE TABLE pg_temp.api_key (key_id uuid, tenant text, role text, party_id uuid, key_hash bytea, revoked_at text)"
    )
    api.execute("INSERT INTO pg_temp.api_key VALUES (gen_random_uuid(), 'b', 'admin', NULL, '\\x01', NULL)")
    assert api.execute("SELECT * FROM authenticate('\\x01')").fetchall() == []


def test_writes_do_not_cross(api: Any, world: World) -> None:
    look_as(api, "a")
    for statement in (
        "UPDATE alert SET status = 'dismissed' WHERE tenant = 'b'",
        "UPDATE asset SET name = 'mine' WHERE tenant = 'b'",
        "DELETE FROM webhook WHERE tenant = 'b'",
        "UPDATE webhook_delivery SET state = 'sent' WHERE tenant = 'b'",
        "UPDATE rejection SET replayed_at = now() WHERE tenant = 'b'",
    ):
        assert api.execute(statement).rowcount == 0, statement
    api.commit()
    for statement in (
        "INSERT INTO asset (tenant, class, name, shard) VALUES ('b', 'vessel', 'x', 0)",
        "INSERT INTO webhook (tenant, url, secret) VALUES ('b', 'https://evil', 's')",
        "INSERT INTO outbox (event_id, tenant, type, time, body) VALUES ('evt_evil_1', 'b', 't', now(), '{}')",
        "INSERT INTO live_event (tenant, kind, body) VALUES ('b', 'alert', '{}')",
        "INSERT INTO feed (tenant, feed) VALUES ('_', 'mine')",
        "INSERT INTO party (tenant, name) VALUES ('b', 'x')",
    ):
        look_as(api, "a")
        with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
            api.execute(statement)
        api.rollback()
    look_as(api, "a")
    with pytest.raises(errors.ForeignKeyViolation):
        api.execute(
            "INSERT INTO identifier (asset_id, tenant, class, scheme, value) VALUES (%s, 'a', 'vessel', 'imo', '1')",
            (world.asset_b,),
        )
    api.rollback()
    look_as(api, "a")
    assert api.execute("SELECT attribute_known(NULL, %s) AS n", (world.asset_b,)).fetchone() == {"n": 0}


STEPS = [
    "SELECT time FROM fixes_after_vessel(%(asset)s, '2000-01-01', '2100-01-01', ARRAY[timestamptz '2000-01-01'])",
    "SELECT time FROM last_readings_vessel(ARRAY[%(asset)s]::uuid[], '2000-01-01', '2100-01-01', NULL, 'lat_deg')",
    "SELECT unnest(ARRAY[first_time, last_time]) AS time FROM heard_vessel(%(asset)s)",
]


@pytest.mark.parametrize("step", STEPS, ids=["fixes after", "last readings", "heard"])
def test_a_step_in_the_key_stays_behind_the_wall(api: Any, world: World, say: Any, step: str) -> None:
    def seconds(asset: str) -> set[float]:
        times = [row["time"] for row in api.execute(step, {"asset": asset}).fetchall()]
        return {(time.timestamp() * SECOND_US - say.NOON_US) / SECOND_US for time in times if time is not None}

    look_as(api, "a")
    assert set() < seconds(world.asset_a) <= {0.0, 30.0}
    assert seconds(world.asset_b) == set()
    look_as(api, "b")
    assert seconds(world.asset_a) == set()
    look_as(api, "a", world.party_id)
    assert set() < seconds(world.asset_a) <= {10.0, 19.0}
    sensors = api.execute("SELECT channels FROM last_readings_vessel(ARRAY[%s]::uuid[], '2000-01-01', '2100-01-01', NULL, NULL)",
                          (world.asset_a,)).fetchall()  # fmt: skip
    assert [row["channels"] for row in sensors] == [None, None]
    api.rollback()
    assert seconds(world.asset_a) == set()  # no scope, no rows
    api.rollback()


def test_a_look_over_the_fleet_stays_behind_the_wall(api: Any, world: World) -> None:
    def seen() -> list[set[str]]:
        looks = ("SELECT asset_id FROM assets_in_box(-180, -90, 180, 90, 100)", "SELECT asset_id FROM assets_heard('2000-01-01')")
        return [{str(row["asset_id"]) for row in api.execute(look).fetchall()} for look in looks]

    look_as(api, "a")
    assert seen() == [{world.asset_a}, {world.asset_a}]
    look_as(api, "b")
    assert seen() == [{world.asset_b}, {world.asset_b}]
    look_as(api, "a", world.party_id)
    assert seen() == [set(), set()]  # the last words were said after the lease
    api.rollback()
    assert seen() == [set(), set()]  # no scope, no rows


def test_a_lessee_sees_position_and_identity_inside_its_lease_alone(api: Any, world: World, say: Any) -> None:
    look_as(api, "a", world.party_id)
    rows = rows_of(api, "asset_reading_vessel")
    seconds = sorted((row["time"].timestamp() * SECOND_US - say.NOON_US) / SECOND_US for row in rows)
    assert seconds == [10, 10, 19, 19]  # of [10, 20), from the device and the granted feed
    assert {(row["lat_deg"], row["sog_kn"], row["channels"]) for row in rows} == {(1.0, 3.0, None)}
    assert {row["asset_id"] for row in rows} == {row["asset_id"] for row in rows_of(api, "asset")}
    assert [str(row["asset_id"]) for row in rows_of(api, "asset")] == [world.asset_a]
    assert [row["value"] for row in rows_of(api, "identifier")] == [MMSI[1]]
    assert {row["name"] for row in rows_of(api, "party")} == {"Lessee"}
    assert len(rows_of(api, "lease")) == 1
    assert len(rows_of(api, "asset_static_report")) == 2  # second 15, not noon
    assert rows_of(api, "asset_latest") == []  # the last word was said after the lease
    assert rows_of(api, "asset_reading_hour") == []  # an hour that crosses the lease's edge
    assert rows_of(api, "asset_reading_hour_spread") == []
    theirs = {
        "asset_reading_vessel",
        "asset_static_report",
        "asset_stream",
        "asset_stream_span",
        "asset",
        "attribution",
        "designation",
        "identifier",
        "lease",
        "party",
    }
    internal = set(readable(api)) - PLAIN - theirs - {"tenant"}
    assert [table for table in sorted(internal) if rows_of(api, table)] == []


def test_a_lessee_of_nothing_sees_nothing_and_writes_nothing(api: Any, world: World) -> None:
    look_as(api, "a", "00000000-0000-4000-8000-000000000000")
    assert [table for table in readable(api) if table not in PLAIN | {"tenant"} and rows_of(api, table)] == []
    look_as(api, "b", world.party_id)  # somebody else's party
    assert [table for table in readable(api) if table not in PLAIN | {"tenant"} and rows_of(api, table)] == []
    look_as(api, "a", world.party_id)
    assert api.execute("UPDATE asset SET name = 'mine'").rowcount == 0
    with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
        api.execute("INSERT INTO alert_comment (alert_id, tenant, author, comment) VALUES (gen_random_uuid(), 'a', 'x', 'y')")


async def test_a_scope_ends_with_its_transaction(world: World) -> None:
    pool = await open_pool(world.url, "keelwing_api", 1)
    async with pool.connection() as conn:
        caller = await keys.authenticate(conn, world.key)
        assert caller is not None
        await scope(conn, caller.tenant, caller.party_id)
        seen = await (await conn.execute("SELECT count(*) AS n FROM asset")).fetchone()
    async with pool.connection() as conn:
        after = await (await conn.execute("SELECT count(*) AS n FROM asset")).fetchone()
        number = await commits.begin_for(conn, world.asset_a)
    await pool.close()
    assert (seen, after) == ({"n": 1}, {"n": 0})
    assert number > 0


def test_the_catalogue_holds_the_walls_rules(api: Any) -> None:
    def names(query: str) -> set[str]:
        return {row["name"] for row in api.execute(query).fetchall()}

    open_tables = names(
        "SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        " AND has_any_column_privilege('keelwing_api', oid, 'SELECT, INSERT, UPDATE')"
        " AND NOT (relrowsecurity AND relforcerowsecurity)"
    )
    assert open_tables == PLAIN
    loose_views = names(
        "SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm')"
        " AND (relowner <> 'keelwing_view'::regrole OR NOT coalesce('security_barrier=true' = ANY (reloptions), false))"
    )
    assert loose_views == set()
    mighty = names(
        "SELECT rolname AS name FROM pg_roles WHERE rolname ~ '^keelwing_' AND (rolsuper OR rolbypassrls OR rolcreaterole)"
    )
    assert mighty == set()
    logins = names("SELECT rolname AS name FROM pg_roles WHERE rolname IN ('keelwing_view', 'keelwing_gate') AND rolcanlogin")
    assert logins == set()
    owners = names("SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND pg_get_userbyid(relowner) ~ '^keelwing_'")
    assert owners == set()
    definers = names(
        "SELECT proname AS name FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace"
        " AND (proowner NOT IN ('keelwing_gate'::regrole, 'keelwing_view'::regrole) OR proconfig IS NULL)"
    )
    assert definers == set()


@pytest.mark.parametrize("party", ["*", "00000000-0000-4000-8000-000000000000"])
def test_a_track_is_read_by_index_through_the_wall(api: Any, world: World, party: str) -> None:
    look_as(api, "a", party)
    api.execute("SET LOCAL enable_seqscan = off")  # the tables are nearly empty
    plan = api.execute(
        "EXPLAIN (FORMAT JSON) SELECT time, lat_deg FROM asset_reading_vessel"
        " WHERE asset_id = %s AND time >= '2025-10-09T11:00Z' AND time < '2025-10-09T13:00Z' ORDER BY time",
        (world.asset_a,),
    ).fetchone()

    def conditions(node: dict[str, Any]) -> Iterator[str]:
        if re.fullmatch(r"reading_vessel|_hyper_\w+_chunk", node.get("Relation Name", "")):
            yield node["Index Cond"]
        for part in node.get("Plans", []):
            yield from conditions(part)

    [condition] = conditions(plan["QUERY PLAN"][0]["Plan"])
    assert "stream_id = " in condition
    assert "2025-10-09 11:00" in condition
    assert "2025-10-09 13:00" in condition
