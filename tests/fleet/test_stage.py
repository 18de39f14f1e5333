"""Three axes and their guards: what must be refused, what must be possible, and what holds on every path."""

from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from api import lives
from fleet.dated import Span
from fleet.instants import DAY_US, from_datetime
from fleet.lease import ExtensionOption, NoticeDays
from fleet.lease_phase import (
    BOUND,
    PHASE_AFTER,
    RANKS,
    TRANSITIONS,
    Cover,
    LeaseEvent,
    LeaseState,
    Paper,
    Refusal,
    extended,
    warnings,
)
from fleet.stage import EVENT_KINDS, AssetEvent, History, Life, enter, live, operating_status, stage_of
from fleet.stage_history import stage_history

T0 = from_datetime(datetime(2026, 1, 1, tzinfo=UTC))
CERTIFIED = {
    "acceptance_certificate": "AC-1", "redelivery_certificate": "RC-1", "insurance_certificate": "IC-1",
    "title_document": "BOS-1", "built_on": "2025-12-01",
}  # fmt: skip


def day(n: int) -> int:
    return T0 + n * DAY_US


def paper(lease_id: str, begin: int, end: int | None, **more: Any) -> Paper:
    to_us = None if end is None else day(end)
    return Paper(lease_id=lease_id, lessee="airline", term=Span(day(begin), to_us), **more)


def told(history: History, *events: tuple[str, str | None, int], **evidence: Any) -> History | Refusal:
    """Enter events (kind, lease or None for the asset's, day) one after the other."""
    for kind, lease_id, n in events:
        number = f"e{len(history.lease_events) + len(history.asset_events)}"
        proof = {**CERTIFIED, **evidence}
        event: LeaseEvent | AssetEvent = (
            AssetEvent(event_id=number, kind=kind, at_us=day(n), evidence=proof)
            if lease_id is None
            else LeaseEvent(event_id=number, lease_id=lease_id, kind=kind, at_us=day(n), evidence=proof)
        )
        found = enter(history, event)
        if isinstance(found, Refusal):
            return found
        history = found[0]
    return history


def history_of(*papers: Paper) -> History:
    return History(papers={each.lease_id: each for each in papers})


def good(found: History | Refusal) -> tuple[History, Life]:
    assert isinstance(found, History), found
    life = live(found)
    assert isinstance(life, Life)
    return found, life


def stage(found: History | Refusal, n: int | None = None) -> str | None:
    assert isinstance(found, History), found
    life = live(found, until_us=None if n is None else day(n))
    assert isinstance(life, Life)
    return stage_of(life, found)


def refused(found: History | Refusal) -> str:
    assert isinstance(found, Refusal), "it was possible"
    return found.guard


BUILT = (("order_placed", None, 0), ("assembly_started", None, 10), ("completed", None, 20), ("manufacturer_delivery", None, 30))
LEASED = (*BUILT, ("lease_signed", "A", 31), ("lease_delivery", "A", 40))
ONE = history_of(paper("A", 40, 400), paper("B", 400, 800), paper("C", 100, 200))


def test_the_stages_of_a_life_in_their_order() -> None:
    whole = told(
        ONE, *LEASED, ("maintenance_started", None, 100), ("maintenance_ended", None, 110), ("redelivery_notice", "A", 300),
        ("redelivery", "A", 400), ("storage_started", None, 410), ("storage_ended", None, 420), ("sold", None, 500),
    )  # fmt: skip

    seen = [stage(whole, n) for n in (0, 10, 20, 30, 35, 40, 105, 120, 310, 400, 415, 430, 500)]
    assert seen == [
        "ordered", "under_construction", "built", "delivered", "delivered", "on_lease", "in_maintenance", "on_lease", "on_lease",
        "off_lease", "stored", "off_lease", "sold",
    ]  # fmt: skip
    assert stage(history_of()) is None


@pytest.mark.parametrize(
    ("events", "guard"),
    [
        ((("order_placed", None, 0), ("lease_signed", "A", 1), ("lease_delivery", "A", 40)), "owned"),
        ((*LEASED, ("lease_signed", "C", 50)), "no_overlap"),
        ((*BUILT, ("lease_signed", "A", 31), ("redelivery", "A", 35)), "phase"),
        ((*LEASED, ("redelivery", "A", 39)), "phase"),
        ((*BUILT, ("sold", None, 32), ("lease_signed", "A", 33)), "ownership_ended"),
        ((*LEASED, ("scrapped", None, 50)), "lease_active"),
        ((*LEASED, ("sold", None, 50)), "lease_active"),
        ((*LEASED, ("lease_signed", "B", 60), ("lease_delivery", "B", 399)), "asset_free"),
        ((*LEASED, ("holdover", "A", 399)), "term_over"),
        ((*LEASED, ("purchase_option_exercised", "A", 60)), "purchase_option"),
        ((*LEASED, ("extension_exercised", "A", 60)), "option_open"),
        ((*LEASED, ("repossession", "A", 60)), "phase"),
        ((*LEASED, ("total_loss", None, 60), ("maintenance_started", None, 61)), "ownership_ended"),
        ((("order_placed", None, 0), ("manufacturer_delivery", None, 1)), "phase"),
        ((*BUILT, ("maintenance_ended", None, 40)), "status_not_open"),
        ((*LEASED, ("novation", "A", 60)), "other_lessee"),
        ((*LEASED, ("dance", "A", 60)), "kind"),
        ((*LEASED, ("redelivery", "Z", 60)), "lease"),
    ],
)
def test_what_cannot_have_happened_is_refused_by_its_guard(events: tuple[tuple[str, str | None, int], ...], guard: str) -> None:
    assert refused(told(ONE, *events)) == guard


@pytest.mark.parametrize(
    ("event", "missing", "guard"),
    [
        (("lease_delivery", "A", 40), "acceptance_certificate", "acceptance_certificate"),
        (("lease_delivery", "A", 40), "insurance_certificate", "insurance_in_force"),
        (("redelivery", "A", 300), "redelivery_certificate", "redelivery_certificate"),
        (("manufacturer_delivery", None, 30), "title_document", "title_document"),
        (("completed", None, 20), "built_on", "built_on"),
    ],
)
def test_an_event_takes_its_document(event: tuple[str, str | None, int], missing: str, guard: str) -> None:
    before = LEASED[: LEASED.index(event)] if event in LEASED else LEASED
    history = good(told(ONE, *before))[0]

    assert refused(told(history, event, **{missing: ""})) == guard


def test_cover_in_force_stands_for_a_certificate() -> None:
    cover = (Cover("hull", Span(day(30), day(60))),)
    insured = history_of(paper("A", 40, 400, cover=cover, required=("hull", "war")))
    history = good(told(insured, *LEASED[:5]))[0]

    assert refused(told(history, LEASED[5], insurance_certificate="")) == "insurance_in_force"
    both = msgspec.structs.replace(insured.papers["A"], cover=(*cover, Cover("war", Span(None, None))))
    assert good(told(msgspec.structs.replace(history, papers={"A": both}), LEASED[5], insurance_certificate=""))


def test_a_paper_that_cannot_be_read_lets_no_event_in_and_throws_none_out() -> None:
    options = (ExtensionOption(period="P1Y", notice_by=date(2027, 1, 1)),)
    extended = good(told(history_of(paper("A", 40, 400, options=options)), *LEASED, ("extension_exercised", "A", 60)))[0]
    spoilt = msgspec.structs.replace(extended, papers={"A": paper("A", 40, 400, unreadable="colour is no term of a lease")})

    state = good(spoilt)[1].leases["A"]
    assert (state.phase, state.term.to_us) == ("active", day(400))
    assert refused(told(spoilt, ("default_notice", "A", 70))) == "terms_readable"
    assert good(told(spoilt, ("total_loss", None, 70)))[1].leases["A"].phase == "total_loss_terminated"


def test_maintenance_during_a_lease_leaves_the_lease_active() -> None:
    _, life = good(told(ONE, *LEASED, ("maintenance_started", None, 50)))

    assert life.leases["A"].phase == "active"
    assert operating_status(life.statuses, "airborne") == "in_maintenance"
    assert operating_status(Life().statuses, "airborne") == "airborne"


def test_a_delivery_date_is_corrected_after_redelivery() -> None:
    history, life = good(told(ONE, *LEASED, ("redelivery", "A", 400)))
    assert [tenure.valid for tenure in life.leases["A"].tenures] == [Span(day(40), day(400))]

    moved = tuple(
        msgspec.structs.replace(event, at_us=day(38)) if event.kind == "lease_delivery" else event
        for event in history.lease_events
    )
    again = live(msgspec.structs.replace(history, lease_events=moved))

    assert isinstance(again, Life)
    assert [tenure.valid for tenure in again.leases["A"].tenures] == [Span(day(38), day(400))]
    assert again.leases["A"].term == Span(day(38), day(400))


def test_a_sale_and_leaseback_happens_in_one_instant() -> None:
    back = history_of(paper("S", 5, 400))
    history, life = good(told(back, ("lease_signed", "S", 5), ("purchased", None, 5), ("lease_delivery", "S", 5)))

    assert (life.ownership, life.leases["S"].phase) == ("owned", "active")
    assert stage(history) == "on_lease"


def test_one_lease_ends_and_the_next_begins_in_one_instant() -> None:
    history, life = good(told(ONE, *LEASED, ("lease_signed", "B", 300), ("redelivery", "A", 400), ("lease_delivery", "B", 400)))

    assert [life.leases[name].phase for name in ("A", "B")] == ["redelivered", "active"]
    assert stage(history, 399) == stage(history, 400) == "on_lease"


def test_a_novation_keeps_the_lease_and_changes_who_has_the_asset() -> None:
    _, life = good(told(ONE, *LEASED, ("novation", "A", 100), lessee_party_id="other airline", novation_agreement="NA-1"))

    assert life.leases["A"].phase == "active"
    assert [(tenure.lessee, tenure.valid) for tenure in life.leases["A"].tenures] == [
        ("airline", Span(day(40), day(100))), ("other airline", Span(day(100), None)),
    ]  # fmt: skip


def test_beyond_its_term_a_lease_is_held_over_and_ends_by_event() -> None:
    history, life = good(told(ONE, *LEASED, ("holdover", "A", 400), ("lease_signed", "B", 390)))
    assert life.leases["A"].phase == "holdover"

    _, ended = good(told(history, ("redelivery", "A", 450), ("lease_delivery", "B", 451)))
    assert ended.leases["A"].tenures[-1].valid.to_us == day(450)
    assert ended.leases["A"].term.to_us == day(400)  # what was promised, not what came of it


def test_an_extension_moves_the_end_unless_somebody_else_was_promised_it() -> None:
    options = (
        ExtensionOption(period="P3M", notice_by=date(2026, 6, 1)),
        ExtensionOption(period="P1Y", notice_by=date(2026, 6, 1)),
    )
    history = good(told(history_of(paper("A", 40, 400, options=options), paper("B", 600, 800)), *LEASED))[0]

    assert refused(told(history, ("extension_exercised", "A", 200))) == "option_deadline"
    _, life = good(told(history, ("extension_exercised", "A", 200), lessor_consent="letter"))
    assert life.leases["A"].exercised == (0,)
    assert life.leases["A"].term.to_us == extended(day(400), "P3M")
    taken = good(told(history, ("lease_signed", "B", 90)))[0]
    assert refused(told(taken, ("extension_exercised", "A", 100), option=1)) == "extension_free"
    assert refused(told(taken, ("extension_exercised", "A", 100), option=7)) == "option_open"


def test_ends_of_months_are_clamped_when_a_term_is_extended() -> None:
    def instant(*parts: int) -> int:
        return from_datetime(datetime(parts[0], parts[1], parts[2], tzinfo=UTC))

    assert extended(instant(2024, 8, 31), "P6M") == instant(2025, 2, 28)  # SH14's rule
    assert extended(instant(2024, 2, 29), "P1Y1D") == instant(2025, 3, 1)
    assert extended(instant(2024, 11, 30), "P1Y2M") == instant(2026, 1, 30)


def test_default_ends_the_lease_and_those_out_of_it() -> None:
    out_of = history_of(paper("A", 40, 400), paper("A1", 60, 300, head=False, parent_lease_id="A"))
    history = good(told(out_of, *LEASED, ("lease_signed", "A1", 50), ("lease_delivery", "A1", 60)))[0]

    assert refused(told(history, ("redelivery", "A", 200))) == "subleases_ended"
    after, life = good(told(history, ("default_notice", "A", 150), ("termination_default", "A", 200), ("repossession", "A", 210)))
    assert {state.phase for state in life.leases.values()} == {"terminated_default"}
    assert life.leases["A1"].tenures[-1].valid.to_us == day(200)
    assert stage(after) == "off_lease"


def test_in_one_instant_a_sublease_goes_before_its_parent_however_they_were_written() -> None:
    out_of = history_of(paper("A", 40, 400), paper("A1", 40, 300, head=False, parent_lease_id="A"))
    begun = told(
        out_of, *LEASED[:5], ("lease_signed", "A1", 40), LEASED[5], ("lease_delivery", "A1", 40), ("total_loss", None, 60)
    )
    history, life = good(begun)

    mixed = live(msgspec.structs.replace(history, lease_events=history.lease_events[::-1]))
    assert isinstance(mixed, Life)
    assert mixed.leases == life.leases


@pytest.mark.parametrize(
    ("begin", "end", "guard"),
    [(60, 300, None), (60, 401, "inside_parent"), (30, 300, "inside_parent"), (60, None, "inside_parent")],
)
def test_a_sublease_stays_inside_what_it_is_out_of(begin: int, end: int | None, guard: str | None) -> None:
    out_of = history_of(paper("A", 40, 400), paper("A1", begin, end, head=False, parent_lease_id="A"))
    found = told(out_of, *LEASED, ("lease_signed", "A1", 50))

    assert (None if isinstance(found, History) else found.guard) == guard


def test_a_total_loss_ends_every_lease_and_the_life() -> None:
    history, life = good(told(ONE, *LEASED, ("lease_signed", "B", 50), ("total_loss", None, 60)))

    assert {life.leases[name].phase for name in ("A", "B")} == {"total_loss_terminated"}
    assert life.leases["A"].tenures[-1].valid.to_us == day(60)
    assert stage(history) == "total_loss"


def test_a_lessee_who_exercised_its_option_buys() -> None:
    buying = history_of(paper("A", 40, 400, purchasable=True))
    history, life = good(told(buying, *LEASED, ("purchase_option_exercised", "A", 300), ("sold", None, 400)))

    assert life.leases["A"].phase == "purchased"
    assert stage(history) == "sold"


def test_an_asset_is_sold_with_its_lease_by_novation() -> None:
    _, life = good(told(ONE, *LEASED, ("sold", None, 100), novation_agreement="NA-2"))

    assert (life.ownership, life.leases["A"].phase) == ("sold", "transferred")


def test_a_late_notice_is_a_warning_not_a_refusal() -> None:
    noticed = paper("A", 40, 400, notice_days=NoticeDays(approximate=(60, 30), definite=(10,)))
    for n, expected in ((339, []), (340, []), (341, ["notice_late"])):
        event = LeaseEvent(event_id="n", lease_id="A", kind="redelivery_notice", at_us=day(n))
        assert warnings(noticed, event) == expected
    assert good(told(history_of(noticed), *LEASED, ("redelivery_notice", "A", 399)))


def test_every_event_of_the_table_has_its_place_in_an_instant() -> None:
    assert set(TRANSITIONS) == set(RANKS)
    assert len(EVENT_KINDS) == len(set(EVENT_KINDS))


MOVES = st.lists(
    st.tuples(
        st.sampled_from([("asset", kind) for kind in EVENT_KINDS] + [(name, kind) for name in "ABD" for kind in TRANSITIONS] * 2),
        st.integers(0, 60),
    ),
    max_size=40,
)
PAPERS = history_of(
    paper("A", 10, 30, purchasable=True, options=(ExtensionOption(period="P5D", notice_by=date(2030, 1, 1)),)),
    paper("B", 25, 60), paper("D", 12, 28, head=False, parent_lease_id="A"),
)  # fmt: skip


def walked(moves: list[tuple[tuple[str, str], int]]) -> History:
    """Every legal event of some moves, entered in the order given; illegal ones are refused and left out."""
    history = PAPERS
    for (whose, kind), n in moves:
        found = told(
            history, (kind, None if whose == "asset" else whose, n), lessee_party_id=f"airline {n}", novation_agreement="N"
        )
        history = found if isinstance(found, History) else history
    return history


@settings(max_examples=100, deadline=None)
@given(MOVES)
def test_no_path_of_legal_events_gives_two_lessees_an_asset(moves: list[tuple[tuple[str, str], int]]) -> None:
    history = walked(moves)
    life = live(history)
    assert isinstance(life, Life)

    heads = [state for name, state in life.leases.items() if history.papers[name].head]
    spans = [tenure.valid for state in heads for tenure in state.tenures]
    assert not any(one.overlaps(other) for n, one in enumerate(spans) for other in spans[:n])
    promised = [state.term for state in heads if state.phase in BOUND or state.tenures]
    assert not any(one.overlaps(other) for n, one in enumerate(promised) for other in promised[:n])
    assert all(within_parent(life.leases["A"], span.valid) for span in life.leases["D"].tenures)
    assert not (life.ownership in {"sold", "scrapped", "total_loss"} and any(state.held for state in life.leases.values()))


def within_parent(parent: LeaseState, span: Span) -> bool:
    edges = [tenure.valid for tenure in parent.tenures]
    return bool(edges) and span.within(Span(edges[0].from_us, edges[-1].to_us))


@settings(max_examples=60, deadline=None)
@given(MOVES, st.randoms(use_true_random=False))
def test_stage_and_phase_are_functions_of_the_events_alone(moves: list[tuple[tuple[str, str], int]], shuffle: Any) -> None:
    history = walked(moves)
    events = list(history.lease_events)
    if len({(event.at_us, RANKS[event.kind]) for event in events}) == len(events):
        shuffle.shuffle(events)
        mixed = live(msgspec.structs.replace(history, lease_events=tuple(events)))
        assert mixed == live(history)
    for n in (0, 20, 60):
        life = live(history, until_us=day(n))
        assert isinstance(life, Life)
        for name, state in life.leases.items():
            told_of = [event for event in history.lease_events if event.lease_id == name and event.at_us <= day(n)]
            leading = sorted((e for e in told_of if e.kind in PHASE_AFTER), key=lambda e: (e.at_us, RANKS[e.kind]))
            assert state.phase == (PHASE_AFTER[leading[-1].kind] if leading else "draft")


def as_rows(history: History) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    """Events, head tenures and shop visits as `store.lifecycle` reads them."""
    events = [
        {"kind": event.kind, "lease_id": None, "basis": "reported", "at": event.at_us, "actor": "key:1", "recorded_at": n}
        for n, event in enumerate(history.asset_events)
    ]  # fmt: skip
    life = live(history)
    assert isinstance(life, Life)
    tenures = [
        {"valid_from": tenure.valid.from_us, "valid_to": tenure.valid.to_us, "head": history.papers[name].head, "recorded_at": 0}
        for name, state in life.leases.items() for tenure in state.tenures
    ]  # fmt: skip
    visits = [
        {"actual_from": span.from_us, "actual_to": span.to_us, "actor": "key:1", "recorded_at": 0} for span in history.maintenance
    ]  # fmt: skip
    return sorted(events, key=lambda row: (row["at"], row["recorded_at"])), tenures, visits


LIFE_OF = {"asset": EVENT_KINDS, "A": ("lease_signed", "lease_delivery", "redelivery"), "B": ("lease_signed", "lease_delivery")}
STEP = st.sampled_from([(name, kind) for name, kinds in LIFE_OF.items() for kind in kinds])
STEPS = st.lists(st.tuples(STEP, st.integers(0, 60)), max_size=40)
VISITS = st.lists(st.tuples(st.integers(0, 60), st.one_of(st.none(), st.integers(1, 20))), max_size=3)


@settings(max_examples=150, deadline=None)
@given(st.one_of(MOVES, STEPS), VISITS)
@example([], [(5, 5)])
@example([(("asset", "storage_started"), 5), (("asset", "storage_ended"), 9)], [])
@example([(("asset", "order_placed"), 1), (("asset", "assembly_started"), 9), (("asset", "completed"), 9)], [])
@example(
    [(("asset", "purchased"), 1), (("A", "lease_signed"), 9), (("A", "lease_delivery"), 12), (("asset", "sold"), 20)], [(12, 3)]
)
def test_the_stage_is_the_last_of_the_history_at_every_instant(
    moves: list[tuple[tuple[str, str], int]], visits: list[tuple[int, int | None]]
) -> None:
    spans = tuple(Span(day(begin), None if days is None else day(begin + days)) for begin, days in visits)
    history = msgspec.structs.replace(walked(moves), maintenance=spans)
    events, tenures, in_shop = as_rows(history)
    held = [*lives.held_in(tenures, in_shop), *lives.statuses_in(events)]

    for at_us in range(day(-1), day(90), DAY_US // 2):
        periods = stage_history(lives.happened_in(events), held, at_us)
        last = periods[-1].stage if periods and periods[-1].to_us is None else None
        life = live(history, until_us=at_us)
        assert isinstance(life, Life)
        assert last == stage_of(life, history)


def test_a_paper_that_was_signed_before_anybody_told_events_can_be_delivered() -> None:
    _, life = good(told(history_of(paper("A", 40, 400, signed=True)), ("lease_delivery", "A", 40)))

    assert life.leases["A"].phase == "active"
