"""What was derived again of an asset's use, laid beside what is stored: the rows that bring the one to the other. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from fleet.use import Activity, Fact, Journey, Since, UseDay
from store.rows import UseRow
from store.uses import Key, key_of


def since_of(facts: Sequence[UseRow]) -> Since:
    """The begin of everything that was derived, where a derivation began with the asset's first reading."""
    last = 1 << 62
    found: dict[type[Fact], int] = {Journey: last, Activity: last, UseDay: last}
    for row in facts:
        kind = type(row.fact)
        found[kind] = min(found[kind], key_of(row)[2])
    return Since(found[Journey], found[Activity], found[UseDay])


def use_differences(derived: Sequence[UseRow], standing: Collection[Key], stored: Sequence[UseRow], shard: int) -> list[UseRow]:
    """Rows that bring the stored facts to the derived ones; rows that say nothing new are left to the store to drop.

    A journey that overlaps a stored one of its kind, whose begin is no longer derived, goes on under its id; a stored fact that
    nothing stands for any more is retracted.

    Args:
        derived: what the machine said, in order; of one fact the last statement counts.
        standing: journeys that were under way where the derivation began: where nothing new was said of one, it stands.
        stored: what stands of the time that was derived again.
        shard: of the asset.
    """
    last = {(type(row.fact), key_of(row)): row for row in derived}
    by_key = {(type(row.fact), key_of(row)): row for row in stored}
    unclaimed = {
        key: row for key, row in by_key.items() if key not in last and not (isinstance(row.fact, Journey) and key[1] in standing)
    }
    rows: list[UseRow] = []
    for key, row in last.items():
        held = by_key.get(key)
        journey_id = None if held is None else held.journey_id
        if held is None and isinstance(row.fact, Journey):
            twin = next((one for one in unclaimed.values() if _overlaps(row.fact, one.fact)), None)
            if twin is not None:
                journey_id = twin.journey_id
                del unclaimed[type(twin.fact), key_of(twin)]
        rows.append(msgspec.structs.replace(row, journey_id=journey_id))
    retracted = [msgspec.structs.replace(row, retracted=True, shard=shard) for row in unclaimed.values()]
    return retracted + rows


def _overlaps(one: Journey, other: Fact) -> bool:
    """Whether two journeys of one kind share an instant; one that lasts has no end."""
    if not isinstance(other, Journey) or one.kind != other.kind:
        return False
    return (other.ended_us is None or one.started_us <= other.ended_us) and (
        one.ended_us is None or other.started_us <= one.ended_us
    )
