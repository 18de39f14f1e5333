"""A leased aircraft with two engines and an APU, and a May of flights: what tests of money start from.

The flights are 148 in May 2026, 312.45 hours together, all observed; those are the figures of the domain's worked month.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from tests.api.fix_world import World

MAY, JUNE = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
FLIGHTS, FLIGHT_S, LAST_FLIGHT_S = 148, 7600, 7620
COMMIT_NO = 64
TERMS: dict[str, Any] = {
    "billing_time_zone": "UTC", "period_attribution": "landing", "assumed_ratio": "2.5",
    "excess_cycle_rate": {"amount": "150", "currency": "USD"},
    "min_utilization": {"unit": "fh", "per": "month", "amount": "350"},
    "return_terms": {"basis": "half_life", "direction": "one_way"},
}  # fmt: skip


@dataclass
class Money:
    """Ids of what was furnished."""

    lease: str
    plane: str
    engines: tuple[str, str]
    apu: str


def furnish(world: World, *, observed_share: float = 0.98, held_to: datetime | None = None) -> Money:
    """Lease the world's aircraft since January and let it fly through May, in the world's own database."""
    with psycopg.connect(world.url) as conn:
        lease = _lease(conn, world, held_to)
        parts = [
            _component(conn, world.plane, *each)
            for each in (("engine", "ESN 1", "1"), ("engine", "ESN 2", "2"), ("apu", "APU 7", "apu"))
        ]
        _fly(conn, world.plane, observed_share)
    return Money(lease=lease, plane=world.plane, engines=(parts[0], parts[1]), apu=parts[2])


def _lease(conn: psycopg.Connection[Any], world: World, held_to: datetime | None) -> str:
    row = conn.execute(
        "INSERT INTO lease_contract (tenant, asset_id, reference, form, signed_on, term, terms) VALUES ('alpha', %s, 'OL-118',"
        " 'operating', '2025-12-01', tstzrange('2026-01-01Z', '2028-01-01Z'), %s) RETURNING lease_id::text",
        (world.plane, Jsonb(TERMS)),
    ).fetchone()
    assert row is not None
    conn.execute(
        "INSERT INTO lease (lease_id, tenant, asset_id, lessee_party_id, form, valid)"
        " VALUES (%s, 'alpha', %s, %s, 'operating', tstzrange('2026-01-01Z', %s))",
        (row[0], world.plane, world.lessee, held_to),
    )
    return str(row[0])


def _component(conn: psycopg.Connection[Any], plane: str, asset_class: str, name: str, position: str) -> str:
    row = conn.execute(
        "INSERT INTO asset (tenant, class, name, shard) VALUES ('alpha', %s, %s, 0) RETURNING asset_id::text", (asset_class, name)
    ).fetchone()
    assert row is not None
    conn.execute(
        "INSERT INTO installation (tenant, asset_id, parent_asset_id, position, valid)"
        " VALUES ('alpha', %s, %s, %s, tstzrange('2026-01-01Z', NULL))",
        (row[0], plane, position),
    )
    return str(row[0])


def _fly(conn: psycopg.Connection[Any], plane: str, observed_share: float) -> None:
    step, seen_s = (JUNE - MAY) / (FLIGHTS + 1), 86_400 * observed_share
    with conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO journey"
            " (journey_id, revision, tenant, asset_id, asset, kind, started_at, ended_at, method, cycles, commit_no)"
            " VALUES (%s, 1, 'alpha', %s, 'icao24:4840d6', 'flight', %s, %s, 'AC-DET-1/1', 1, %s)",
            [
                (f"f{n}", plane, MAY + n * step, MAY + n * step + timedelta(seconds=FLIGHT_S if n else LAST_FLIGHT_S), COMMIT_NO)
                for n in range(FLIGHTS)
            ],
        )
        cursor.executemany(
            "INSERT INTO use_day (tenant, asset_id, day, state_s, observed_s, sources, method, commit_no)"
            " VALUES ('alpha', %s, %s, %s, %s, %s, 'AC-DET-1/1', %s)",
            [
                (plane, MAY.date() + timedelta(days=n), Jsonb({"ground": 86_400}), seen_s, Jsonb({"adsb": seen_s}), COMMIT_NO)
                for n in range(31)
            ],
        )


def fly_over_the_end_of_may(world: World, says: str | None) -> None:
    """One more flight, three hours over midnight to June, under a lease that says where it counts (None: it does not)."""
    with psycopg.connect(world.url) as conn:
        if says is None:
            conn.execute("UPDATE lease_contract SET terms = terms - 'period_attribution'")
        conn.execute(
            "INSERT INTO journey"
            " (journey_id, revision, tenant, asset_id, asset, kind, started_at, ended_at, method, cycles, commit_no)"
            " VALUES ('over', 1, 'alpha', %s, 'icao24:4840d6', 'flight', '2026-05-31 22:00Z', '2026-06-01 01:00Z', 'AC-DET-1/1',"
            " 1, %s)",
            (world.plane, COMMIT_NO),
        )
        conn.execute(
            "INSERT INTO use_day (tenant, asset_id, day, state_s, observed_s, sources, method, commit_no)"
            " SELECT 'alpha', %s, day::date, '{\"ground\": 86400}', 86400, '{}', 'AC-DET-1/1', %s"
            " FROM generate_series('2026-06-01'::date, '2026-06-30', interval '1 day') AS day",
            (world.plane, COMMIT_NO),
        )


def attribute(world: World, to: str, since: str | None = None) -> None:
    """Set where flights over a month's end count for lessor alpha, from a day on."""
    with psycopg.connect(world.url) as conn:
        conn.execute(
            "INSERT INTO setting (tenant, rule, name, value, valid)"
            " VALUES ('alpha', 'practice', 'lease.period_attribution', %s, tstzrange(%s, NULL))",
            (Jsonb(to), since),
        )


def lose_a_flight(world: World, journey_id: str) -> None:
    """Retract a flight in a later commit, as a derivation after late readings does."""
    later = (COMMIT_NO * 1_000_000, journey_id)
    with psycopg.connect(world.url) as conn:
        conn.execute("INSERT INTO commits (commit_no, shard, epoch, n) VALUES (%s, 0, 0, 1000000)", later[:1])
        conn.execute("UPDATE journey SET superseded_by = %s WHERE journey_id = %s", later)
        conn.execute(
            "INSERT INTO journey"
            " (journey_id, revision, tenant, asset_id, asset, kind, started_at, ended_at, method, cycles, retracted, commit_no)"
            " SELECT journey_id, 2, tenant, asset_id, asset, kind, started_at, ended_at, method, cycles, true, %s"
            " FROM journey WHERE journey_id = %s",
            later,
        )
