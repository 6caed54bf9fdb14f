"""What a judge's calibration lets one decide, known before the first question.

The limit on the true rate shows on the judged scale as a range: below it a system is acceptable
whatever the judge's errors are within their bounds, above it unacceptable, and in between no number
of trials decides. Labels of the system itself do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from scipy.special import ndtri

from buttress.statistics.correction import (
    CALIBRATION_SHARE,
    CalibrationCounts,
    point_for_lower,
    point_for_upper,
)

MARGIN: Final = 0.5  # of the limit: labels are counted that tell a rate so far away from it
FEWEST: Final = 30
MOST: Final = 5_000


@dataclass(frozen=True, slots=True)
class Outlook:
    """True rates between ``low`` and ``high`` can't be decided; ``labels`` of the system would."""

    low: float
    high: float
    labels: int


def outlook(counts: CalibrationCounts, limit: float, alpha: float, beta: float) -> Outlook | None:
    """What can't be decided against ``limit`` for a system that the judge reads as it usually does.

    Args:
        counts: the judge's calibration.
        limit: tolerated rate, in (0, 1).
        alpha, beta: errors of accepting and rejecting wrongly.

    Returns:
        None where the calibration leaves no such range.
    """
    sensitivity = counts.tp / max(1, counts.tp + counts.fn)
    false = counts.fp / max(1, counts.tn + counts.fp)
    upper = point_for_upper(counts, alpha * CALIBRATION_SHARE)
    lower = point_for_lower(counts, beta * CALIBRATION_SHARE)
    labels = labels_needed(limit, alpha, beta)
    if sensitivity <= false:
        return Outlook(0.0, 1.0, labels)
    slope = sensitivity - false
    low = (upper.judged_rate(limit) - false) / slope if upper.informative else 0.0
    high = (lower.judged_rate(limit) - false) / slope if lower.informative else 1.0
    low, high = min(max(low, 0.0), limit), max(min(high, 1.0), limit)
    return Outlook(low, high, labels) if high > low else None


def labels_needed(limit: float, alpha: float, beta: float) -> int:
    """Labels that tell rates ``MARGIN`` of the limit away from it, by the normal approximation.

    They are drawn at random and the judge is not used, so fewer do where it is good.
    """
    error = -float(ndtri(min(alpha, beta)))
    needed = error**2 * limit * (1 - limit) / (MARGIN * limit) ** 2
    return min(MOST, max(FEWEST, math.ceil(needed)))
