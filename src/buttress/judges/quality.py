"""How well a judge agrees with labels: pure functions on arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv
from scipy.stats import rankdata

from buttress.protocols.judge import Calibration
from buttress.statistics.correction import CalibrationCounts, clopper_pearson

BINS: Final = 10
BOUND: Final = 0.01
TAIL: Final = 0.1
SLACK: Final = 0.002
SMALLEST: Final = 5  # labels; smaller groups say nothing about how alike decisions are


@dataclass(frozen=True, slots=True)
class Group:
    """Correct decisions among labelled ones, for one model and setting."""

    correct: int
    total: int


def confusion(labels: npt.ArrayLike, outcomes: npt.ArrayLike) -> CalibrationCounts:
    """Confusion table of outcomes against labels, both 0 or 1, shape (n,)."""
    truth, said = np.asarray(labels, bool), np.asarray(outcomes, bool)
    return CalibrationCounts(
        tp=int((truth & said).sum()),
        fn=int((truth & ~said).sum()),
        tn=int((~truth & ~said).sum()),
        fp=int((~truth & said).sum()),
    )


def as_counts(known: Calibration) -> CalibrationCounts:
    """A judge's calibration as the statistics take it."""
    return CalibrationCounts(
        known.true_positive,
        known.false_negative,
        known.true_negative,
        known.false_positive,
        known.right,
        known.wrong,
    )


def precision(counts: CalibrationCounts) -> float:
    """True positives among judged positives; 0 where nothing was judged positive."""
    return counts.tp / max(1, counts.tp + counts.fp)


def recall(counts: CalibrationCounts) -> float:
    """True positives among labelled positives, i.e. sensitivity; 0 without positives."""
    return counts.tp / max(1, counts.tp + counts.fn)


def f1(counts: CalibrationCounts) -> float:
    """Harmonic mean of precision and recall."""
    return 2 * counts.tp / max(1, 2 * counts.tp + counts.fp + counts.fn)


def auc(labels: npt.ArrayLike, scores: npt.ArrayLike) -> float:
    """Area under the ROC curve: the chance that a positive scores above a negative.

    Mann–Whitney form, ties count half (Hanley & McNeil 1982). NaN without both classes.
    """
    truth = np.asarray(labels, bool)
    positives = int(truth.sum())
    negatives = truth.size - positives
    if not positives or not negatives:
        return float("nan")
    ranks = rankdata(np.asarray(scores, float))
    return float((ranks[truth].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def calibration_error(labels: npt.ArrayLike, scores: npt.ArrayLike) -> float:
    """Expected calibration error over ten bins of equal width (Naeini et al. 2015)."""
    truth, said = np.asarray(labels, float), np.asarray(scores, float)
    bins = np.minimum((said * BINS).astype(int), BINS - 1)
    error = 0.0
    for each in range(BINS):
        chosen = bins == each
        if chosen.any():
            error += chosen.sum() * abs(float(truth[chosen].mean() - said[chosen].mean()))
    return float(error / max(1, truth.size))


def intraclass_correlation(groups: Sequence[Group]) -> float:
    """How alike decisions within a group are, in [0, 1]: the ANOVA estimator for binary data.

    Ridout, Demétrio & Firth 1999, "Estimating intraclass correlation for binary data", section 2.1
    (after Donner 1986); clipped. It is the overdispersion of a beta-binomial whose draws are the
    groups. 0 for fewer than two groups.
    """
    groups = [group for group in groups if group.total]
    total = sum(group.total for group in groups)
    count = len(groups)
    if count < 2 or total <= count:
        return 0.0
    mean = sum(group.correct for group in groups) / total
    between = sum(g.total * (g.correct / g.total - mean) ** 2 for g in groups) / (count - 1)
    within = sum(g.correct * (1 - g.correct / g.total) for g in groups) / (total - count)
    size = (total - sum(g.total**2 for g in groups) / total) / (count - 1)
    spread = between + (size - 1) * within
    return min(1.0, max(0.0, (between - within) / spread)) if spread > 0 else 0.0


def new_group_spread(groups: Sequence[Group]) -> float:
    """Variance of a new group's rate about the pooled one, p(1-p) being 1.

    Under a beta-binomial with intraclass correlation ρ the pooled rate has variance
    p(1-p)[1 + ρ(Σn²/N - 1)]/N (the design effect of Kish 1965, section 8.2, for unequal groups),
    and a new group's own rate differs from the population's with variance p(1-p)ρ.
    """
    total = sum(group.total for group in groups)
    if not total:
        return 1.0
    rho = intraclass_correlation([group for group in groups if group.total >= SMALLEST])
    effect = 1 + rho * (sum(group.total**2 for group in groups) / total - 1)
    return min(1.0, rho + effect / total)


def shrunk(groups: Sequence[Group]) -> Group:
    """As many labels as say the same about a *new* model as these groups do.

    A new model's rate is taken as beta distributed about the pooled one, with the variance of
    ``new_group_spread``. The result is the largest binomial sample with the pooled rate whose exact
    bounds at error ``BOUND``, a judge's share of a verdict's error, are no tighter than the beta's
    ``TAIL`` quantiles at either end, give or take ``SLACK``. Without groups: (0, 0).
    """
    total = sum(group.total for group in groups)
    if not total:
        return Group(0, 0)
    rate = _rate(groups)
    weight = max(1 / min(new_group_spread(groups), 0.999) - 1, 1e-3)
    low, high = (
        float(betaincinv(rate * weight, (1 - rate) * weight, tail)) for tail in (TAIL, 1 - TAIL)
    )
    for size in range(total, 1, -1):
        correct = round(size * rate)
        least, most = clopper_pearson(correct, size, BOUND)
        if least <= low + SLACK and most >= high - SLACK:
            return Group(correct, size)
    return Group(round(rate), 1)


def _rate(groups: Sequence[Group]) -> float:
    """Pooled rate, never 0 or 1."""
    return (sum(group.correct for group in groups) + 0.5) / (sum(g.total for g in groups) + 1)


def shrunk_counts(
    positives: Sequence[Group], negatives: Sequence[Group], flagged: Sequence[Group] = ()
) -> CalibrationCounts:
    """Confusion table at effective sample sizes: groups of labelled positives and negatives.

    ``flagged`` are judged failures, correct where the label confirms them; with them the negatives
    are to be of systems as shipped.
    """
    hits, rejections, confirmed = shrunk(positives), shrunk(negatives), shrunk(flagged)
    return CalibrationCounts(
        tp=hits.correct,
        fn=hits.total - hits.correct,
        tn=rejections.correct,
        fp=rejections.total - rejections.correct,
        right=confirmed.correct,
        wrong=confirmed.total - confirmed.correct,
    )
