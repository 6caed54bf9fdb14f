"""How well a judge agrees with labels: pure functions on arrays."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from buttress.statistics.correction import CalibrationCounts

BINS: Final = 10


def confusion(labels: npt.ArrayLike, outcomes: npt.ArrayLike) -> CalibrationCounts:
    """Confusion table of outcomes against labels, both 0 or 1, shape (n,)."""
    truth, said = np.asarray(labels, bool), np.asarray(outcomes, bool)
    return CalibrationCounts(
        tp=int((truth & said).sum()),
        fn=int((truth & ~said).sum()),
        tn=int((~truth & ~said).sum()),
        fp=int((~truth & said).sum()),
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
