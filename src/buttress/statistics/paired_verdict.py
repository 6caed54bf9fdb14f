"""Did an intervention change a failure rate: better, no worse, worse, or undecided.

``paired`` gives the interval of the judged change. A judge with sensitivity e and false-positive
rate f that errs alike before and after shows a true change d as (e - f) d (Rogan & Gladen 1978, as
in ``correction``): the sign stays, the size shrinks. With a lower bound S on e - f, the true change
lies in [low, high / S] where high > 0, and in [low / S, high] where low < 0. That the judge errs
alike on both sides is an assumption. Labels of both sides replace it: then the change is that of
two labelled rates, or, where every trial has a label, that of the labels in pairs. Where nobody
labelled and the assumption is refused, ``change_of_rates`` takes two rates, each corrected alone.

A judge that also leaves answers open gives each answer a score of 0, 1/2 or 1. Let it score alike
before and after: given the truth, each score is as probable on both sides. Then the mean score
changes by (g1 - g0) d, where g1 and g0 are the mean scores of failures and of other answers. If
among the answers that it decides e > 1/2 > f, then g1 >= 1/2 >= g0, so the mean score moves in the
direction of d and by no more than d. So an interval of the mean score's change on one side of 0
bounds d on that side (``bounded_by_score``), however many answers are left open. How far d lies
from 0 it does not bound; there each open answer counts as either.

Non-inferiority with a margin: Piaggio et al. 2012, "Reporting of noninferiority and equivalence
randomized trials" (CONSORT extension), JAMA 308(24).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from buttress.statistics.correction import (
    CalibrationCounts,
    point_for_lower,
    point_for_upper,
    usual,
)

PairedVerdict = Literal["better", "no-worse", "worse", "undecided"]
ALPHA: Final = 0.05
JUDGE_SHARE: Final = 0.2  # of the error: what is not known is mostly the change


@dataclass(frozen=True, slots=True)
class RateChange:
    """A failure rate after an intervention less that before, with its bounds, in [-1, 1]."""

    estimate: float
    low: float
    high: float


def judged_share(counts: CalibrationCounts | None) -> float:
    """The part of the error probability that is left for the judged change; 1 without counts."""
    return 1.0 if counts is None or not counts.measured else 1.0 - JUDGE_SHARE


def corrected_change(
    judged: RateChange, counts: CalibrationCounts | None, alpha: float = ALPHA
) -> RateChange:
    """The true change behind a judged one, for a judge that errs alike before and after.

    Args:
        judged: its interval holds with probability at least 1 - alpha * ``judged_share(counts)``.
        counts: the judge against labels; None, or without labels of both kinds, for no correction.
        alpha: error probability of the interval that is returned.
    """
    if counts is None or not counts.measured:
        return judged
    delta = alpha * JUDGE_SHARE / 2
    least = (
        point_for_upper(counts, delta).sensitivity - point_for_lower(counts, delta).false_positive
    )
    if least <= 0:
        return RateChange(judged.estimate, -1.0, 1.0)
    point = usual(counts)
    scale = max(point.sensitivity - point.false_positive, least)
    low = judged.low if judged.low >= 0 else max(-1.0, judged.low / least)
    high = judged.high if judged.high <= 0 else min(1.0, judged.high / least)
    return RateChange(min(max(judged.estimate / scale, low), high), low, high)


def separates_scores(counts: CalibrationCounts | None, alpha: float = ALPHA) -> bool:
    """Whether the judge's labels show e > 1/2 > f, which ``bounded_by_score`` needs."""
    if counts is None or not counts.measured:
        return False
    delta = alpha * JUDGE_SHARE / 2
    hits, alarms = point_for_upper(counts, delta), point_for_lower(counts, delta)
    return hits.sensitivity > 0.5 and 0 <= alarms.false_positive < 0.5 < alarms.sensitivity


def bounded_by_score(change: RateChange, score: RateChange) -> RateChange:
    """The same change, bounded by that of the mean score where this lies on one side of 0.

    Args:
        change: bounds of the true change that count each open answer as either.
        score: change of the mean score, an open answer as 1/2. The judge scores alike before and
            after, and ``separates_scores`` holds.

    The error probabilities of both add up.
    """
    low = max(change.low, score.low) if score.low > 0 else change.low
    high = min(change.high, score.high) if score.high < 0 else change.high
    return RateChange(min(max(change.estimate, low), high), low, high)


def change_of_rates(before: RateChange, after: RateChange) -> RateChange:
    """The change between two rates whose intervals hold together, from their bounds alone."""
    return RateChange(
        after.estimate - before.estimate, after.low - before.high, after.high - before.low
    )


def paired_verdict(change: RateChange, margin: float) -> PairedVerdict:
    """What an interval of a change shows.

    *Better*: all of it lies below 0. *No worse*: its upper end lies below ``margin``. *Worse*: a
    rise is shown, and not that it stays below the margin.

    Raises:
        ValueError: a margin outside [0, 1].
    """
    if not 0 <= margin <= 1:
        raise ValueError(f"margin {margin} is not in [0, 1]")
    if change.high < 0:
        return "better"
    if change.high < margin:
        return "no-worse"
    return "worse" if change.low > 0 else "undecided"
