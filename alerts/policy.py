"""When a webhook is tried again, and what an answer means. Pure.

Knows status codes, the schedule and graces; knows no network, table or clock: instants and the random source are given.
Source of every rule without another: Standard Webhooks 1.0.0, "Operational considerations".
"""

from __future__ import annotations

import math
from datetime import UTC
from email.utils import parsedate_to_datetime
from random import Random
from typing import Literal

import msgspec

from fleet.instants import DAY_US, SECOND_US, from_datetime

Verdict = Literal["sent", "retry", "exhausted", "refused"]

_MINUTE_S, _HOUR_S = 60.0, 3600.0

RETRY_DELAYS_S: tuple[float, ...] = (
    0.0,
    5.0,
    5 * _MINUTE_S,
    30 * _MINUTE_S,
    2 * _HOUR_S,
    5 * _HOUR_S,
    10 * _HOUR_S,
    14 * _HOUR_S,
    20 * _HOUR_S,
    24 * _HOUR_S,
)
"""Wait before each attempt, counted from the one before: ten attempts over 75.6 h, the specification's example."""

JITTER_MAX = 0.1
"""Share of the wait added at random, so that an endpoint that comes back is not met by everything at once. Chosen: enough to
spread five seconds' failures over half a second, and never earlier than the schedule."""

RETRY_AFTER_MAX_S = 24 * _HOUR_S
"""Longest `Retry-After` obeyed: the schedule's own longest wait; a receiver must not park events for ever."""

ENDPOINT_GRACE_US = 5 * DAY_US
"""Failing without one success for this long disables an endpoint. Chosen: longer than one whole schedule and than a long
weekend, so that somebody had working days to see it."""

RETRY_AFTER_STATUSES = frozenset({429, 502, 503, 504})
"""Statuses whose `Retry-After` is obeyed: the specification's, and 503, for which RFC 9110 section 10.2.3 defines it."""

GONE_STATUS = 410


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What one attempt gave: a status, or the code word why there was none. `excerpt` is the beginning of the response body."""

    status_code: int | None
    error: str | None = None
    retry_after: str | None = None
    excerpt: str = ""


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What follows from one attempt.

    `sent`: done. `retry`: again at `next_attempt_us`. `exhausted`: the schedule is used up. `refused`: the endpoint wants no
    more events (410). `disable` says why the endpoint must be disabled, or None.
    """

    verdict: Verdict
    next_attempt_us: int | None = None
    disable: str | None = None


def judge(answer: Answer, attempt: int, now_us: int, failing_since_us: int | None, random: Random) -> Judgement:
    """What follows from the answer to attempt number `attempt` (1 is the first).

    2xx alone is success: a redirect is not followed and counts as failure.

    Args:
        answer: what came back.
        attempt: 1-based number of the attempt within its schedule.
        now_us: when the attempt ended.
        failing_since_us: when the endpoint's first failure since its last success began; None when this is the first.
        random: for the jitter.
    """
    if answer.status_code is not None and 200 <= answer.status_code < 300:
        return Judgement(verdict="sent")
    if answer.status_code == GONE_STATUS:
        return Judgement(verdict="refused", disable="gone")
    disable = None
    if failing_since_us is not None and now_us - failing_since_us >= ENDPOINT_GRACE_US:
        disable = "failing"
    if attempt >= len(RETRY_DELAYS_S):
        return Judgement(verdict="exhausted", disable=disable)
    wait_s = RETRY_DELAYS_S[attempt]
    if answer.status_code in RETRY_AFTER_STATUSES and answer.retry_after is not None:
        wait_s = max(wait_s, min(retry_after_s(answer.retry_after, now_us) or 0.0, RETRY_AFTER_MAX_S))
    wait_s *= 1 + random.uniform(0, JITTER_MAX)
    return Judgement(verdict="retry", next_attempt_us=now_us + round(wait_s * SECOND_US), disable=disable)


def retry_after_s(header: str, now_us: int) -> float | None:
    """Seconds a `Retry-After` asks for (RFC 9110 section 10.2.3: seconds, or a date), at least 0; None when it is neither."""
    text = header.strip()
    if text.isascii() and text.isdigit():
        seconds = float(text)
        return seconds if math.isfinite(seconds) else None
    try:
        moment = parsedate_to_datetime(text)
        until_us = from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None
    return max(0.0, (until_us - now_us) / SECOND_US)
