"""What a state holds is told as it was last emitted: open episodes as open, those watched after their end as over."""

from __future__ import annotations

from detect.episodes import Episode
from detect.gap import GapMemory, Returned
from detect.standing import standing
from detect.state import AssetState


def gap(opened_at_us: int) -> Episode:
    return Episode(
        asset="mmsi:1", opened_at_us=opened_at_us, detected_at_us=opened_at_us + 60, severity="warning", score=None, evidence={}
    )


def test_an_episode_that_is_watched_after_its_end_is_over() -> None:
    memory = GapMemory(episode=gap(5000), returned=Returned(episode=gap(1000), closed_at_us=2000, last_us=3000))
    state = AssetState(asset_id="a", asset_class="vessel", memories={"gap": memory})
    assert sorted((one.opened_at_us, one.closed_at_us) for one in standing(state)) == [(1000, 2000), (5000, None)]
