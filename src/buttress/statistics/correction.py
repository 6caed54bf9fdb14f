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

from dataclasses import dataclass
from functools import cache
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


def corrected_upper(high: float, counts: CalibrationCounts, delta: float) -> float:
    """Upper bound on the true rate from an upper bound ``high`` on the judged rate.

    Adds error ≤ ``delta``; 1 where the judge may be no better than chance.
    """
    split = _best_split(counts, delta, upper=True)
    return _upper(high, counts, delta, split)


def corrected_lower(low: float, counts: CalibrationCounts, delta: float) -> float:
    """Lower bound on the true rate from a lower bound ``low`` on the judged rate; as above."""
    split = _best_split(counts, delta, upper=False)
    return _lower(low, counts, delta, split)


def _upper(high: float, counts: CalibrationCounts, delta: float, split: float) -> float:
    sensitivity = clopper_pearson(counts.tp, counts.tp + counts.fn, delta * split)[0]
    false = clopper_pearson(counts.fp, counts.tn + counts.fp, delta * (1 - split))[0]
    if sensitivity <= false or high >= sensitivity:
        return 1.0
    return max(0.0, (high - false) / (sensitivity - false))


def _lower(low: float, counts: CalibrationCounts, delta: float, split: float) -> float:
    sensitivity = clopper_pearson(counts.tp, counts.tp + counts.fn, delta * split)[1]
    false = clopper_pearson(counts.fp, counts.tn + counts.fp, delta * (1 - split))[1]
    if sensitivity <= false or low <= false:
        return 0.0
    return min(1.0, (low - false) / (sensitivity - false))


@cache
def _best_split(counts: CalibrationCounts, delta: float, *, upper: bool) -> float:
    """How to share ``delta`` between the two bounds: the best at a rate typical of limits.

    It looks at the calibration only, never at trials, so the guarantee is untouched.
    """
    if upper:
        return min(_SPLITS, key=lambda split: _upper(_PIVOT, counts, delta, split))
    return max(_SPLITS, key=lambda split: _lower(4 * _PIVOT, counts, delta, split))


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
    _judged: ConfidenceSequence = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        part = 1.0 if self.counts is None else 1.0 - self.share
        self._judged = ConfidenceSequence(self.alpha_low * part, self.alpha_high * part)

    def update(self, outcomes: npt.ArrayLike) -> None:
        """Take in judged outcomes in [0, 1], shape (k,)."""
        self._judged.update(outcomes)

    @property
    def trials(self) -> int:
        """Number of outcomes."""
        return self._judged.trials

    @property
    def failures(self) -> float:
        """Sum of judged outcomes."""
        return self._judged.total

    @property
    def observed(self) -> float:
        """Judged failure rate, not corrected."""
        return self._judged.estimate

    @property
    def low(self) -> float:
        """Lower bound on the true rate."""
        return self.low_of(self._judged.low)

    @property
    def high(self) -> float:
        """Upper bound on the true rate."""
        return self.high_of(self._judged.high)

    @property
    def estimate(self) -> float:
        """Corrected estimate, inside the bounds."""
        return min(max(self.estimate_of(self._judged.estimate), self.low), self.high)

    def low_of(self, judged: float) -> float:
        """Lower bound on the true rate that a lower bound on the judged rate gives."""
        if self.counts is None:
            return judged
        return corrected_lower(judged, self.counts, self.alpha_low * self.share)

    def high_of(self, judged: float) -> float:
        """Upper bound on the true rate that an upper bound on the judged rate gives."""
        if self.counts is None:
            return judged
        return corrected_upper(judged, self.counts, self.alpha_high * self.share)

    def estimate_of(self, judged: float) -> float:
        """Corrected estimate of the true rate, without regard to the bounds."""
        return judged if self.counts is None else corrected_rate(judged, self.counts)
