"""From a score to the chance of it: how often an asset's own scores were at least so large while all was well.

Within the scores kept the chance is conformal: one more than the count of scores at least as large, over one more than all
(Laxhammar and Falkman 2014; Vovk et al. 2005). Beyond them the largest tenth is continued as peaks over a threshold with an
exponential tail, the generalised Pareto distribution of shape 0 (Siffer et al. 2017, SPOT). Scores are kept as counts in steps of
a quarter of their size, which is enough and costs 32 bytes. Knows numbers only.
"""

from __future__ import annotations

from math import erfc, exp, log2, sqrt

BINS = 32
LEAST = 0.02  # smaller scores count as this; chosen
PER_OCTAVE = 3  # bins for each doubling: a bin is a quarter wide; chosen
FULL = 255  # a count that is full halves all: the memory fades; chosen, it fits a byte
PEAKS = 0.1  # the share of scores that tell of the tail; chosen, Siffer et al. take 2 to 10 %
PRIOR_PEAKS = 10.0  # chosen: as many peaks as the prior weighs
PRIOR_EXCESS = 0.5  # mean excess of |N(0, 1)| over its upper tenth is 0.42; chosen, a little heavier
FEW = 20  # chosen: below these many scores the prior alone speaks
SMALLEST = 1e-12  # chosen: nothing is known better

EMPTY = bytes(BINS)
_EDGES = [LEAST * 2.0 ** (at / PER_OCTAVE) for at in range(BINS + 1)]


def add(kept: bytes, score: float) -> bytes:
    """The counts with one more healthy score (a magnitude; unit: standard deviations)."""
    counts = bytearray(kept or EMPTY)
    at = _bin(score)
    if counts[at] == FULL:
        counts = bytearray(count // 2 for count in counts)
    counts[at] += 1
    return bytes(counts)


def chance(kept: bytes, score: float) -> tuple[float, str, int]:
    """(chance of a score at least this large, how it was found, scores behind it); never below `SMALLEST`.

    `conformal` within the scores kept, `tail` beyond them, `normal` while there are fewer than `FEW`.
    """
    total = sum(kept)
    if total < FEW:
        return max(erfc(score / sqrt(2.0)), SMALLEST), "normal", total
    at = _bin(score)
    above = sum(kept[at + 1 :])
    share = (min(score, _EDGES[at + 1]) - _EDGES[at]) / (_EDGES[at + 1] - _EDGES[at]) if score > LEAST else 0.0
    conformal = (above + (1.0 - share) * kept[at] + 1.0) / (total + 1.0)
    if above > 0 and conformal > PEAKS / 2.0:
        return conformal, "conformal", total
    begin, peaks, excess = BINS, 0, 0.0
    while begin > 0 and peaks < PEAKS * total:
        begin -= 1
        peaks += kept[begin]
    for place in range(begin, BINS):
        excess += kept[place] * max((_EDGES[place] + _EDGES[place + 1]) / 2.0 - _EDGES[begin], 0.0)
    mean = (excess + PRIOR_PEAKS * PRIOR_EXCESS) / (peaks + PRIOR_PEAKS)
    tail = peaks / total * exp(-max(score - _EDGES[begin], 0.0) / mean)
    return max(min(tail, conformal), SMALLEST), "tail" if above == 0 else "conformal", total


def _bin(score: float) -> int:
    return 0 if score <= LEAST else min(int(PER_OCTAVE * log2(score / LEAST)), BINS - 1)
