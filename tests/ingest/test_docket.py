"""What is on file of one asset: which hour it belongs to, what adds up and what replaces."""

from __future__ import annotations

from detect.model import EMPTY_DOCKET
from fleet.dated import EVER, Span
from fleet.instants import DAY_US, HOUR_US
from fleet.lease import AisOn, Covenant
from ingest.registering import roster_of
from ingest.roster import Filed, Roster, docket_of
from store import registry
from store.registry import AreaEntry, ClauseEntry, LeaseEntry, Registry
from tests.fix_bench import START_US, Bench


def roster(*filed: Filed) -> Roster:
    return Roster(version=1, tenants=(), clocks={}, holdings=(), filed=[("ship", one) for one in filed])


def test_covenants_and_adjustments_add_up_and_a_later_preset_replaces_an_earlier_one() -> None:
    docket = docket_of(
        [
            Filed("covenant", "no sts"),
            Filed("storage_preset", "cirium"),
            Filed("covenant", "ais on"),
            Filed("adjustment", ("channel_anomaly", "open_z", 7.0)),
            Filed("adjustment", ("channel_anomaly", "open_z", 8.0)),
            Filed("storage_preset", "lessor"),
        ]
    )
    assert docket.covenants == ("no sts", "ais on")
    assert docket.storage_preset == "lessor"
    assert docket.adjustments == {"channel_anomaly": {"open_z": 8.0}}


def test_what_holds_in_a_part_of_an_hour_is_on_file_in_that_hour_and_not_in_the_next() -> None:
    half = HOUR_US // 2
    book = roster(Filed("covenant", "ais on", half, HOUR_US))
    assert book.docket("ship", 0).covenants == ("ais on",)
    assert book.docket("ship", HOUR_US) is EMPTY_DOCKET


def test_an_asset_of_which_nothing_was_ever_filed_has_no_file() -> None:
    book = roster(Filed("storage_preset", "lessor"))
    assert (book.has_file("ship"), book.has_file("other")) == (True, False)
    assert book.docket("other", 0) is EMPTY_DOCKET


async def test_a_leases_word_for_stored_is_on_file_while_it_is_in_force(bench: Bench) -> None:
    async with bench.pool.connection() as conn:
        (asset,) = await bench.rows("SELECT asset_id::text AS id FROM asset WHERE class = 'aircraft'")
        party = await registry.create_party(conn, "demo", "Lessee")
        await registry.create_lease(conn, "demo", asset["id"], party, "operating_lease", START_US, START_US + 9 * DAY_US)
        before = await registry.load(conn)
        assert roster_of(before).docket(asset["id"], START_US) is EMPTY_DOCKET
        await conn.execute("""UPDATE lease_contract SET terms = terms || '{"storage_preset": "lessor"}'""")
        after = await registry.load(conn)
        assert after.version > before.version
        roster = roster_of(after)
        assert roster.docket(asset["id"], START_US).storage_preset == "lessor"
        assert roster.docket(asset["id"], START_US + 9 * DAY_US) is EMPTY_DOCKET


def test_an_area_that_is_none_and_a_clause_out_of_force_stop_nobody() -> None:
    bad = AreaEntry(1, "demo", "bad", "Bad", "prohibited", {"type": "Polygon", "coordinates": []}, None, EVER)
    lease = LeaseEntry("l", "demo", "ship", "p", "bareboat", Span(0, 10))
    clause = ClauseEntry("l", Covenant(id="ais", clause="1", predicate=AisOn(silence_h_max=6)))
    registry = Registry(1, frozenset({"demo"}), {}, [], {}, [], [lease], [], areas=[bad], clauses=[clause])
    book = roster_of(registry)
    assert book.areas("demo") is None
    (on_file,) = book.docket("ship", 0).covenants
    assert (on_file.subject, on_file.binds) == ("ais", (Span(0, 10),))
