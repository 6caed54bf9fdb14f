"""Correction of a judged failure rate for the judge's errors, with their uncertainty.

Rogan & Gladen 1978, "Estimating prevalence from the results of a screening test": with sensitivity
e and false-positive rate f, the judged rate is r = f + p (e - f), so the true rate is
p = (r - f) / (e - f). That is rising in r, and falling in e and in f as long as f ≤ r ≤ e. An upper
bound on p therefore needs an upper bound on r and lower bounds on e and f; a lower bound on p the
opposite ones. Each of the three is one-sided, and the union of their errors bounds the error of p.
The bounds on e and f are fixed before the first trial, so an anytime-valid bound on r gives an
anytime-valid bound on p.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy.typing as npt
from scipy.special import betaincinv

from buttress.statistics.confidence import ConfidenceSequence

CALIBRATION_SHARE: Final = 0.2
_PIVOT: Final = 0.05
_SPLITS: Final = (0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95)


@dataclass(frozen=True, slots=True)
class CalibrationCounts:
    """Confusion table of a judge against labels; positive means failure."""

    tp: int
    fn: int
    tn: int
    fp: int


def clopper_pearson(successes: int, trials: int, alpha: float) -> tuple[float, float]:
    """One-sided exact bounds on a binomial rate, each wrong with probability ≤ ``alpha``.

    Clopper & Pearson 1934. The pair is a two-sided interval of error ``2 alpha``.
    """
    if trials == 0:
        return 0.0, 1.0
    low = 0.0 if successes == 0 else betaincinv(successes, trials - successes + 1, alpha)
    high = 1.0 if successes == trials else betaincinv(successes + 1, trials - successes, 1 - alpha)
    return float(low), float(high)


def corrected_rate(observed: float, counts: CalibrationCounts) -> float:
    """The Rogan–Gladen estimate, clipped to [0, 1].

    With a judge that is no better than chance it is the observed rate itself.
    """
    if not (counts.tp + counts.fn and counts.tn + counts.fp):
        return observed
    false = counts.fp / (counts.tn + counts.fp)
    informative = counts.tp / (counts.tp + counts.fn) - false
    if informative <= 0:
        return observed
    return min(1.0, max(0.0, (observed - false) / informative))


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """Bounds on a judge's sensitivity and false-positive rate, on the side that a bound needs."""

    sensitivity: float
    false_positive: float

    @property
    def informative(self) -> bool:
        """Whether the judge is shown to be better than chance."""
        return self.sensitivity > self.false_positive

    def true_rate(self, judged: float) -> float:
        """The true rate behind a judged one, not clipped.

        Raises:
            ZeroDivisionError: not informative.
        """
        return (judged - self.false_positive) / (self.sensitivity - self.false_positive)

    def judged_rate(self, true: float) -> float:
        """The judged rate that a true one shows as."""
        return self.false_positive + true * (self.sensitivity - self.false_positive)


PERFECT: Final = OperatingPoint(1.0, 0.0)


def point_for_upper(counts: CalibrationCounts, delta: float) -> OperatingPoint:
    """Lower bounds on both rates, jointly wrong with probability ≤ ``delta``."""
    return min(
        (_lower_bounds(counts, delta, split) for split in _SPLITS),
        key=lambda point: point.true_rate(_PIVOT) if point.informative else 1.0,
    )


def point_for_lower(counts: CalibrationCounts, delta: float) -> OperatingPoint:
    """Upper bounds on both rates, jointly wrong with probability ≤ ``delta``."""
    return max(
        (_upper_bounds(counts, delta, split) for split in _SPLITS),
        key=lambda point: point.true_rate(4 * _PIVOT) if point.informative else 0.0,
    )


def corrected_upper(high: float, point: OperatingPoint) -> float:
    """Upper bound on the true rate from an upper bound ``high`` on the judged rate.

    1 where the judge may be no better than chance.
    """
    if not point.informative or high >= point.sensitivity:
        return 1.0
    return max(0.0, point.true_rate(high))


def corrected_lower(low: float, point: OperatingPoint) -> float:
    """Lower bound on the true rate from a lower bound ``low`` on the judged rate; as above."""
    if not point.informative or low <= point.false_positive:
        return 0.0
    return min(1.0, point.true_rate(low))


# The splits of delta between the two bounds are chosen by the calibration alone, at a rate typical
# of limits, and never by trials: so the guarantee is untouched.
def _lower_bounds(counts: CalibrationCounts, delta: float, split: float) -> OperatingPoint:
    positives, negatives = counts.tp + counts.fn, counts.tn + counts.fp
    return OperatingPoint(
        clopper_pearson(counts.tp, positives, delta * split)[0],
        clopper_pearson(counts.fp, negatives, delta * (1 - split))[0],
    )


def _upper_bounds(counts: CalibrationCounts, delta: float, split: float) -> OperatingPoint:
    positives, negatives = counts.tp + counts.fn, counts.tn + counts.fp
    return OperatingPoint(
        clopper_pearson(counts.tp, positives, delta * split)[1],
        clopper_pearson(counts.fp, negatives, delta * (1 - split))[1],
    )


@dataclass(slots=True)
class CorrectedSequence:
    """A confidence sequence for the true failure rate behind a judge's outcomes.

    Error of the lower bound ≤ ``alpha_low``, of the upper bound ≤ ``alpha_high``, at all times
    together. ``counts`` None means that outcomes are taken as true (exact checks, human labels).
    """

    alpha_low: float
    alpha_high: float
    counts: CalibrationCounts | None = None
    share: float = CALIBRATION_SHARE
    judged: ConfidenceSequence = field(init=False)
    upper_point: OperatingPoint = field(init=False, default=PERFECT)
    lower_point: OperatingPoint = field(init=False, default=PERFECT)

    def __post_init__(self) -> None:
        part = 1.0
        if self.counts is not None:
            part -= self.share
            self.upper_point = point_for_upper(self.counts, self.alpha_high * self.share)
            self.lower_point = point_for_lower(self.counts, self.alpha_low * self.share)
        self.judged = ConfidenceSequence(self.alpha_low * part, self.alpha_high * part)

    def update(self, outcomes: npt.ArrayLike) -> None:
        """Take in judged outcomes in [0, 1], shape (k,)."""
        self.judged.update(outcomes)

    @property
    def trials(self) -> int:
        """Number of outcomes."""
        return self.judged.trials

    @property
    def low(self) -> float:
        """Lower bound on the true rate."""
        return corrected_lower(self.judged.low, self.lower_point)

    @property
    def high(self) -> float:
        """Upper bound on the true rate."""
        return corrected_upper(self.judged.high, self.upper_point)

    @property
    def estimate(self) -> float:
        """Corrected estimate, inside the bounds."""
        return self.between(self.judged.estimate, self.low, self.high)

    def between(self, judged: float, low: float, high: float) -> float:
        """Corrected estimate from a judged rate, clipped to the bounds."""
        rate = judged if self.counts is None else corrected_rate(judged, self.counts)
        return min(max(rate, low), high)
