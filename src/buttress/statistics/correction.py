"""Correction of a judged failure rate for the judge's errors, with their uncertainty.

Rogan & Gladen 1978, "Estimating prevalence from the results of a screening test": with sensitivity
e and false-positive rate f, the judged rate is r = p e + (1 - p) f, so the true rate is
p = (r - f) / (e - f). With lower bounds E ≤ e and F ≤ f and an upper bound R ≥ r it follows that
R ≥ p E + (1 - p) F, so p ≤ (R - F) / (E - F) wherever E > F; a lower bound on p needs the opposite
bounds. Each of the three is one-sided, and the union of their errors bounds the error of p. The
bounds on e and f are fixed before the first trial, so an anytime-valid bound on r gives an
anytime-valid bound on p.

Counts of one system are bounded by Clopper & Pearson. A judge's errors differ from system to system
(spectrum effect: Ransohoff & Feinstein 1978), so where the labels are of other systems than the one
assessed, both bounds are those of a new system: quantiles of ``random_effects``, at the same error.

The two bounds on p may rest on different outcomes of the judge, each with its own e and f. A lower
bound is sharper where only those failures count that the judge is certain of: f is then small for
every system, and a smaller e costs less. An answer between the two thresholds is held open.

Where nobody labelled a failure, nothing is known of e. Then the upper bound is as judged, with
e = 1 and f = 0: it bounds the rate of failures that the judge sees. A judge that was not measured
on labels of both kinds never raises the lower bound above 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy.typing as npt
from scipy.special import betaincinv

from buttress.statistics.confidence import ConfidenceSequence
from buttress.statistics.random_effects import predictive_bounds

CALIBRATION_SHARE: Final = 0.5  # of the error: the judge is mostly what is not known
_NOMINAL_RATE: Final = 0.1
_NEW_SYSTEM_SPLIT: Final = 0.9  # an upper bound hangs on sensitivity, a lower one on specificity
_SPLITS: Final = (0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95)


Table = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class CalibrationCounts:
    """Confusion table of a judge against labels; positive means failure.

    ``systems``, where given, are the tables (tp, fn, tn, fp) of the systems that the labels are of,
    none of them the one assessed. Without them all labels are of the system assessed.
    """

    tp: int
    fn: int
    tn: int
    fp: int
    systems: tuple[Table, ...] = ()

    @property
    def measured(self) -> bool:
        """Whether there are labels of both kinds; without them nothing speaks against a system."""
        return bool(self.tp + self.fn and self.tn + self.fp)

    @property
    def hits(self) -> tuple[tuple[int, int], ...]:
        """True positives and labelled positives of each system."""
        return tuple((tp, tp + fn) for tp, fn, _, _ in self.systems)

    @property
    def false_alarms(self) -> tuple[tuple[int, int], ...]:
        """False positives and labelled negatives of each system."""
        return tuple((fp, tn + fp) for _, _, tn, fp in self.systems)


UNMEASURED: Final = CalibrationCounts(0, 0, 0, 0)  # a judge that nobody compared with labels


def clopper_pearson(successes: int, trials: int, alpha: float) -> tuple[float, float]:
    """One-sided exact bounds on a binomial rate, each wrong with probability ≤ ``alpha``.

    Clopper & Pearson 1934. The pair is a two-sided interval of error ``2 alpha``.
    """
    if trials == 0:
        return 0.0, 1.0
    low = 0.0 if successes == 0 else betaincinv(successes, trials - successes + 1, alpha)
    high = 1.0 if successes == trials else betaincinv(successes + 1, trials - successes, 1 - alpha)
    return float(low), float(high)


def sensitivity(counts: CalibrationCounts) -> float:
    """Share of the labelled failures that are judged so; 0 without any."""
    return counts.tp / max(1, counts.tp + counts.fn)


def corrected_rate(observed: float, counts: CalibrationCounts) -> float:
    """The Rogan–Gladen estimate, clipped to [0, 1].

    With a judge that is no better than chance it is the observed rate itself.
    """
    if not _better_than_chance(counts):
        return observed
    false = counts.fp / (counts.tn + counts.fp)
    sensitivity = counts.tp / (counts.tp + counts.fn)
    slope = 1.0 / (sensitivity - false)
    return min(1.0, max(0.0, (observed - false) * slope))


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
AS_JUDGED: Final = PERFECT  # where nobody labelled a failure
_USELESS: Final = OperatingPoint(0.0, 0.0)
_NOMINAL: Final = OperatingPoint(0.9, 0.05)


def usual(counts: CalibrationCounts) -> OperatingPoint:
    """The error rates of all labels together."""
    return OperatingPoint(sensitivity(counts), counts.fp / max(1, counts.tn + counts.fp))


def point_for_upper(counts: CalibrationCounts, delta: float) -> OperatingPoint:
    """Lower bounds on both rates, jointly wrong with probability ≤ ``delta``.

    Not informative where the labels themselves don't show the judge to be better than chance. As
    judged where no failure is labelled.
    """
    if not counts.tp + counts.fn:
        return AS_JUDGED
    if not counts.measured:
        return OperatingPoint(_bounds(counts, delta, 1.0, upper=True).sensitivity, 0.0)
    if not _better_than_chance(counts):
        return _USELESS
    return _bounds(counts, delta, _split(counts, delta, upper=True), upper=True)


def point_for_lower(counts: CalibrationCounts, delta: float) -> OperatingPoint:
    """Upper bounds on both rates, jointly wrong with probability ≤ ``delta``.

    Not informative where the judge is not measured, or not shown to be better than chance.
    """
    if not counts.measured or not _better_than_chance(counts):
        return _USELESS
    return _bounds(counts, delta, _split(counts, delta, upper=False), upper=False)


def _better_than_chance(counts: CalibrationCounts) -> bool:
    return counts.tp * (counts.tn + counts.fp) > counts.fp * (counts.tp + counts.fn)


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


def _split(counts: CalibrationCounts, delta: float, *, upper: bool) -> float:
    """The share of delta that the bound on sensitivity gets.

    The best for a nominal judge and rate, given how many labels there are. It must not depend on
    what the labels showed: the most favourable of several intervals covers less than each of them.
    """
    if counts.systems:
        return _NEW_SYSTEM_SPLIT if upper else 1 - _NEW_SYSTEM_SPLIT
    positives, negatives = counts.tp + counts.fn, counts.tn + counts.fp
    tp, fp = round(_NOMINAL.sensitivity * positives), round(_NOMINAL.false_positive * negatives)
    nominal = CalibrationCounts(tp, positives - tp, negatives - fp, fp)
    judged = _NOMINAL.judged_rate(_NOMINAL_RATE)

    def width(split: float) -> float:
        point = _bounds(nominal, delta, split, upper=upper)
        bound = corrected_upper(judged, point) if upper else corrected_lower(judged, point)
        return abs(bound - _NOMINAL_RATE)

    return min(_SPLITS, key=width)


def _bounds(
    counts: CalibrationCounts, delta: float, split: float, *, upper: bool
) -> OperatingPoint:
    """The bounds on both rates that an upper (or lower) bound on the true rate needs."""
    positives, negatives = counts.tp + counts.fn, counts.tn + counts.fp
    side = 0 if upper else 1
    if counts.systems:
        return OperatingPoint(
            predictive_bounds(counts.hits, delta * split)[side],
            predictive_bounds(counts.false_alarms, delta * (1 - split))[side],
        )
    return OperatingPoint(
        clopper_pearson(counts.tp, positives, delta * split)[side],
        clopper_pearson(counts.fp, negatives, delta * (1 - split))[side],
    )


@dataclass(slots=True)
class CorrectedSequence:
    """A confidence sequence for the true failure rate behind a judge's outcomes.

    Error of the lower bound ≤ ``alpha_low``, of the upper bound ≤ ``alpha_high``, at all times
    together. ``counts`` None means that outcomes are taken as true (exact checks, human labels).
    ``certain``, where given, are the counts of the outcomes that the lower bound rests on;
    ``without_judge`` says that it rests on failures that no judge had to see, which are true.
    """

    alpha_low: float
    alpha_high: float
    counts: CalibrationCounts | None = None
    share: float = CALIBRATION_SHARE
    certain: CalibrationCounts | None = None
    without_judge: bool = False
    judged: ConfidenceSequence = field(init=False)
    upper_point: OperatingPoint = field(init=False, default=PERFECT)
    lower_point: OperatingPoint = field(init=False, default=PERFECT)

    def __post_init__(self) -> None:
        part = 1.0
        if self.counts is not None:
            part -= self.share if self.counts.tp + self.counts.fn else 0.0
            self.upper_point = point_for_upper(self.counts, self.alpha_high * self.share)
            lower = self.counts if self.certain is None else self.certain
            self.lower_point = point_for_lower(lower, self.alpha_low * self.share)
        lower_part = part
        if self.without_judge:
            self.lower_point, lower_part = PERFECT, 1.0
        self.judged = ConfidenceSequence(self.alpha_low * lower_part, self.alpha_high * part)

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
        return self.row(self.judged.estimate, *self.judged.bounds())[2]

    def row(self, judged: float, low: float, high: float) -> tuple[float, float, float]:
        """Lower bound, upper bound and estimate of the true rate from those of the judged one."""
        lower = corrected_lower(low, self.lower_point)
        upper = corrected_upper(high, self.upper_point)
        rate = judged if self.counts is None else corrected_rate(judged, self.counts)
        return lower, upper, min(max(rate, lower), upper)
