"""Votes and episode ids."""

from __future__ import annotations

from detect.episodes import Episode, vote, yes_votes
from detect.model import finding_id
from detect.step import initial_state


def test_a_vote_counts_the_last_ballots_only() -> None:
    ballots = 0
    counts = []
    for yes in (True, False, True, True, False, False, False):
        ballots = vote(ballots, yes, 3)
        counts.append(yes_votes(ballots))
    assert counts == [1, 1, 2, 2, 2, 1, 0]


def test_an_episode_has_one_id_from_opening_to_close_and_copies_its_evidence() -> None:
    state = initial_state("a", "vessel")
    episode = Episode(subject="x", asset="imo:1", opened_at_us=5, detected_at_us=7, severity="info", evidence={"n": 1})
    opened = episode.finding(state, "rule", 1)
    episode.evidence["n"] = 2
    closed = episode.finding(state, "rule", 1, closed_at_us=9)
    assert opened.id == closed.id == finding_id("a", "rule", "x", 5)
    assert (opened.evidence, closed.evidence) == ({"n": 1}, {"n": 2})
    assert finding_id("a", "rule", None, 5) != opened.id != finding_id("a", "rule", "x", 6)
