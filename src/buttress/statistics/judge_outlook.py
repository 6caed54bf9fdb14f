"""What a judge's calibration lets one decide, known before the first question.

The limit on the true rate shows on the judged scale as a range: below it a system is acceptable
whatever the judge's errors are within their bounds, above it unacceptable, and in between no number
of trials decides. Labels of the system itself do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from buttress.statistics.confidence import log_wealth
from buttress.statistics.correction import (
    CALIBRATION_SHARE,
    CalibrationCounts,
    corrected_rate,
    point_for_lower,
    point_for_upper,
    usual,
)

MARGIN: Final = 0.5  # of the limit: labels are counted that tell a rate so far away from it


@dataclass(frozen=True, slots=True)
class Outlook:
    """Judged rates between ``judged_low`` and ``judged_high`` can't be decided.

    Those are true rates between ``low`` and ``high`` where the judge errs as often as in its
    calibration; ``labels`` of the system's answers would decide. Not ``measured`` where nobody
    compared the judge with labels: then all rates are as judged.
    """

    judged_low: float
    judged_high: float
    low: float
    high: float
    labels: int
    measured: bool = True


def outlook(
    counts: CalibrationCounts,
    limit: float,
    alpha: float,
    beta: float,
    certain: CalibrationCounts | None = None,
) -> Outlook | None:
    """What can't be decided against ``limit``, however many trials there are.

    Args:
        counts: the judge's calibration.
        limit: tolerated rate, in (0, 1).
        alpha: error probability of calling acceptable what is not.
        beta: error probability of calling unacceptable what is acceptable, of this one verdict.
        certain: calibration of the failures that the judge is certain of, where only those show
            that a system is unacceptable. ``judged_high`` is then the judged rate that goes with
            such a rate of certain failures at the judge's usual error rates.

    Returns:
        None where the calibration leaves no such range.
    """
    upper = point_for_upper(counts, alpha * CALIBRATION_SHARE)
    rejecting = counts if certain is None else certain
    lower = point_for_lower(rejecting, beta * CALIBRATION_SHARE)
    labels = labels_needed(limit, alpha, beta)
    judged_low = upper.judged_rate(limit) if upper.informative else 0.0
    judged_high = min(1.0, lower.judged_rate(limit)) if lower.informative else 1.0
    low, high = corrected_rate(judged_low, counts), corrected_rate(judged_high, rejecting)
    if certain is not None and lower.informative:
        judged_high = usual(counts).judged_rate(high)
    if judged_high <= judged_low:
        return None
    if not upper.informative:
        low = 0.0
    if not lower.informative:
        high = 1.0
    return Outlook(judged_low, judged_high, low, high, labels, counts.measured)


def labels_needed(limit: float, alpha: float, beta: float) -> int:
    """Labels that tell rates ``MARGIN`` of the limit away from it, on either side.

    So many that the confidence sequence excludes the limit where exactly the expected number fails.
    The judge is not used, so fewer do where it is good.

    Args:
        limit: tolerated rate, in (0, 1).
        alpha, beta: as for ``outlook``.
    """
    below = limit * (1 - MARGIN)
    above = limit + MARGIN * min(limit, 1 - limit)
    accept = _least(below, limit, -math.log(alpha))
    reject = _least(1 - above, 1 - limit, -math.log(beta))
    return max(accept, reject)


def _least(rate: float, limit: float, need: float) -> int:
    """Fewest outcomes of mean ``rate`` whose log wealth against ``limit`` > ``rate`` is enough."""
    low, high = 0, 1
    while float(log_wealth(high * rate, high, limit)) < need:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if float(log_wealth(middle * rate, middle, limit)) < need:
            low = middle
        else:
            high = middle
    return high
