"""Milestones side by side: what was promised, reported and observed is paired and never lost."""

from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.instants import DAY_US
from fleet.milestone import Said, handovers, milestones

MAY_1 = 20_574 * DAY_US  # 2026-05-01


def said(basis: str, day: float, **more: object) -> Said:
    given = {"kind": "lease_delivery", "lease_id": "L1", "source": "paper", **more}
    return Said(basis=basis, at_us=MAY_1 + round(day * DAY_US), **given)  # type: ignore[arg-type]


def test_the_three_sides_of_a_delivery_are_one_line() -> None:
    (found,) = milestones([
        said("observed", 0, movement="departure", place="CNSHA"), said("contract", 2), said("reported", 1),
    ])  # fmt: skip

    assert found.words == "contract says delivered 3 May 2026; reported 2 May 2026; departed CNSHA 1 May 2026"
    assert (found.days_late, found.at_us) == (-1.0, MAY_1 + DAY_US)


def test_a_promise_alone_stands_alone() -> None:
    (found,) = milestones([said("contract", 2)])

    assert (found.words, found.days_late) == ("contract says delivered 3 May 2026", None)


def test_a_milestone_of_the_asset_is_not_one_of_a_lease() -> None:
    found = milestones([said("reported", 0), said("reported", 0, lease_id=None), said("contract", 0, lease_id="L2")])

    assert len(found) == 3


def test_who_takes_over_is_looked_for_leaving_and_who_gives_back_arriving() -> None:
    found = milestones([said("reported", 0), said("contract", 300, kind="redelivery"), said("reported", 5, kind="novation")])

    assert [(each.kind, movement, at - MAY_1) for each, movement, at in handovers(found)] == [
        ("lease_delivery", "departure", 0), ("redelivery", "arrival", 300 * DAY_US),
    ]  # fmt: skip


@settings(max_examples=100)
@given(
    st.lists(
        st.builds(
            said, st.sampled_from(["contract", "reported", "observed"]), st.integers(0, 30),
            kind=st.sampled_from(["redelivery_notice", "sold"]), lease_id=st.sampled_from(["L1", None]),
        ),
        max_size=12,
    ),
    st.randoms(use_true_random=False),
)  # fmt: skip
def test_nothing_said_is_lost_or_doubled_and_order_does_not_matter(all_said: list[Said], random: object) -> None:
    shuffled = list(all_said)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    found = milestones(all_said)

    sides = [side for each in found for side in (each.contract, each.reported, each.observed) if side is not None]
    assert sorted(sides, key=repr) == sorted(all_said, key=repr)
    assert milestones(shuffled) == found
    assert [each.at_us for each in found] == sorted(each.at_us for each in found)
