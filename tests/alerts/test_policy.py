"""What an answer means and when an attempt is made again."""

from email.utils import format_datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.policy import (
    ENDPOINT_GRACE_US,
    JITTER_MAX,
    RETRY_AFTER_MAX_S,
    RETRY_DELAYS_S,
    Answer,
    Judgement,
    judge,
    retry_after_s,
)
from fleet.instants import to_datetime

NOW_US = 1_795_330_800_000_000


def judged(
    status: int | None, attempt: int = 1, retry_after: str | None = None, failing_since_us: int | None = None
) -> Judgement:
    answer = Answer(status_code=status, error=None if status else "timeout", retry_after=retry_after)
    return judge(answer, attempt, NOW_US, failing_since_us, Random(7))


def wait_s(judgement: Judgement) -> float:
    assert judgement.next_attempt_us is not None
    return (judgement.next_attempt_us - NOW_US) / 1e6


def test_the_schedule_is_the_specification_s_and_takes_75_6_hours() -> None:
    assert RETRY_DELAYS_S[:3] == (0, 5, 300)
    assert len(RETRY_DELAYS_S) == 10
    assert sum(RETRY_DELAYS_S) / 3600 == pytest.approx(75.6, abs=0.05)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_alone_is_success(status: int) -> None:
    assert judged(status) == Judgement(verdict="sent")


@pytest.mark.parametrize("status", [None, 100, 301, 302, 307, 400, 401, 404, 429, 500, 503])
def test_everything_else_is_tried_again(status: int | None) -> None:
    assert judged(status).verdict == "retry"


def test_gone_refuses_the_event_and_disables_the_endpoint() -> None:
    assert judged(410) == Judgement(verdict="refused", disable="gone")


@given(st.integers(1, 9), st.integers())
def test_each_wait_is_the_schedule_s_and_a_little_more(attempt: int, seed: int) -> None:
    judgement = judge(Answer(status_code=500), attempt, NOW_US, None, Random(seed))
    assert RETRY_DELAYS_S[attempt] <= wait_s(judgement) <= RETRY_DELAYS_S[attempt] * (1 + JITTER_MAX)


def test_the_tenth_failure_exhausts() -> None:
    assert judged(500, attempt=9).verdict == "retry"
    assert judged(500, attempt=10) == Judgement(verdict="exhausted")


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_retry_after_lengthens_the_wait_within_bounds(status: int) -> None:
    assert 60 <= wait_s(judged(status, retry_after="60")) <= 66
    assert wait_s(judged(status, attempt=2, retry_after="1")) >= RETRY_DELAYS_S[2]
    assert wait_s(judged(status, retry_after="999999999")) <= RETRY_AFTER_MAX_S * (1 + JITTER_MAX)


def test_retry_after_of_other_answers_is_ignored() -> None:
    assert wait_s(judged(500, retry_after="3600")) < 6


def test_retry_after_may_be_a_date() -> None:
    assert retry_after_s(format_datetime(to_datetime(NOW_US + 90_000_000), usegmt=True), NOW_US) == 90
    assert retry_after_s(format_datetime(to_datetime(NOW_US - 90_000_000), usegmt=True), NOW_US) == 0


@given(st.text())
def test_any_retry_after_is_a_wait_or_nothing(header: str) -> None:
    seconds = retry_after_s(header, NOW_US)
    assert seconds is None or seconds >= 0


def test_an_endpoint_is_disabled_after_failing_for_the_whole_grace() -> None:
    assert judged(500, failing_since_us=NOW_US - ENDPOINT_GRACE_US + 1).disable is None
    assert judged(500, failing_since_us=NOW_US - ENDPOINT_GRACE_US).disable == "failing"
    assert judged(200, failing_since_us=NOW_US - ENDPOINT_GRACE_US).disable is None
