"""Verdicts: acceptable, unacceptable or undecided, for one risk on one asset."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from buttress.risk.policy import Tolerance
from buttress.statistics.confidence import log_wealth, lower_bound, upper_bound
from buttress.statistics.correction import (
    CalibrationCounts,
    CorrectedSequence,
    corrected_lower,
    corrected_upper,
)

Verdict = Literal["acceptable", "unacceptable", "undecided"]
ORDER: Final[tuple[Verdict, ...]] = ("unacceptable", "undecided", "acceptable")
Mask = npt.NDArray[np.bool_]
_POINTS: Final = 200
_HORIZON: Final = 20_000
_DRAWS: Final = 400


def worst(verdicts: list[Verdict]) -> Verdict:
    """Unacceptable if any is, else undecided if any is, else acceptable."""
    return min(verdicts, key=ORDER.index)


@dataclass(slots=True)
class RiskState:
    """What the trials so far say about one risk on one asset.

    Args:
        tolerance: the policy's for this risk.
        counts: calibration of the judge; None takes outcomes as true.
        by_estimate: decide by the estimate once the minimum of trials is there, as some standards
            do, instead of by the bounds.
        assets: number of assets that share this risk. The risk is unacceptable if it is so on any
            of them, so ``beta`` is divided by their number (Bonferroni); it is acceptable only if
            it is so on all of them, which needs no division.
    """

    tolerance: Tolerance
    counts: CalibrationCounts | None = None
    by_estimate: bool = False
    assets: int = 1
    sequence: CorrectedSequence = field(init=False)
    verdict: Verdict = field(init=False, default="undecided")
    _sizes: list[tuple[int, float]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        beta = self.tolerance.beta / self.assets
        self.sequence = CorrectedSequence(beta, self.tolerance.alpha, self.counts)

    def update(self, outcomes: npt.ArrayLike) -> None:
        """Take in outcomes, shape (k,). A verdict, once reached, stays."""
        self.sequence.update(outcomes)
        judged = self.sequence.judged
        self._sizes.append((judged.trials, judged.total))
        if len(self._sizes) > 2 * _POINTS:
            self._sizes = self._sizes[1::2]
        if self.by_estimate:
            self.verdict = "undecided"
        if self.verdict == "undecided":
            accept, reject = self.decided(judged.total, judged.trials)
            if accept:
                self.verdict = "acceptable"
            elif reject:
                self.verdict = "unacceptable"

    def decided(self, total: npt.ArrayLike, count: npt.ArrayLike) -> tuple[Mask, Mask]:
        """Whether ``total`` failures in ``count`` trials would make it acceptable, unacceptable.

        Any shape. Equivalent to comparing the corrected bounds with the limit, but without
        computing them: the limit is moved to the judged scale, where one evaluation of the
        gambler's wealth says whether it is excluded.
        """
        s, n = np.asarray(total, dtype=float), np.asarray(count, dtype=float)
        enough = n >= max(1, self.tolerance.minimum_trials)
        limit, sequence = self.tolerance.limit, self.sequence
        mean = s / np.maximum(n, 1)
        if self.by_estimate:
            if self.counts is not None:
                counts = self.counts
                false = counts.fp / max(1, counts.tn + counts.fp)
                true = counts.tp / max(1, counts.tp + counts.fn)
                limit = false + limit * (true - false) if true > false else limit
            return enough & (mean <= limit), enough & (mean > limit)
        accept = reject = np.zeros(s.shape, dtype=bool)
        ceiling = sequence.upper_point.judged_rate(limit)
        if sequence.upper_point.informative and 0 < ceiling < 1:
            need = -np.log(sequence.judged.alpha_high)
            accept = enough & (mean < ceiling) & (log_wealth(s, n, ceiling) >= need)
        floor = sequence.lower_point.judged_rate(limit)
        if sequence.lower_point.informative and 0 < floor < 1:
            need = -np.log(sequence.judged.alpha_low)
            reject = enough & (mean > floor) & (log_wealth(n - s, n, 1 - floor) >= need)
        return accept, reject

    def chance_of_decision(self, more: npt.ArrayLike, chance: np.random.Generator) -> Mask:
        """Probability of a verdict after so many more trials, shape as ``more``.

        Predictive simulation from a Beta(1/2, 1/2) prior on the judged rate, given the trials.
        """
        sizes = np.asarray(more)
        judged = self.sequence.judged
        successes = judged.trials - judged.total
        rates = chance.beta(0.5 + judged.total, 0.5 + successes, size=_DRAWS)
        extra = chance.binomial(sizes[:, None], rates[None, :])
        accept, reject = self.decided(judged.total + extra, judged.trials + sizes[:, None])
        share: Mask = (accept | reject).mean(axis=1)
        return share

    def path(self) -> list[list[float]]:
        """The interval as trials came in: trials, low, high, estimate; ≤ 200 points."""
        chosen = self._sizes[:: max(1, -(-len(self._sizes) // _POINTS))]
        if self._sizes and chosen[-1] != self._sizes[-1]:
            chosen.append(self._sizes[-1])
        if not chosen:
            return []
        counts = np.array([size for size, _ in chosen])
        totals = np.array([total for _, total in chosen])
        sequence = self.sequence
        lows = lower_bound(totals, counts, sequence.judged.alpha_low)
        highs = upper_bound(totals, counts, sequence.judged.alpha_high)
        rows: list[list[float]] = []
        for count, total, judged_low, judged_high in zip(counts, totals, lows, highs, strict=True):
            low = corrected_lower(float(judged_low), sequence.lower_point)
            high = corrected_upper(float(judged_high), sequence.upper_point)
            estimate = sequence.between(float(total / count), low, high)
            rows.append([int(count), low, high, estimate])
        return rows

    def would_decide(self) -> str:
        """What would turn undecided into a verdict; empty if there is one."""
        if self.verdict != "undecided":
            return ""
        sequence, limit = self.sequence, self.tolerance.limit
        short = self.tolerance.minimum_trials - sequence.trials
        if self.by_estimate:
            return f"{short:,} more trials, which the policy asks for"
        sizes = np.unique(np.geomspace(8, _HORIZON, 40).astype(int))
        likely = self.chance_of_decision(sizes, np.random.default_rng(1))
        enough = sizes[likely >= 0.5]
        if enough.size:
            return f"about {max(int(enough[0]), short):,} more trials at the present rate"
        if not sequence.upper_point.informative:
            return "more labels: the judge is not shown to be better than chance"
        ceiling = sequence.upper_point.judged_rate(limit)
        floor = sequence.lower_point.judged_rate(limit)
        if self.counts is not None and ceiling <= sequence.judged.estimate <= floor:
            return (
                f"more labels to calibrate the judge: judged rates from {ceiling:.1%} to "
                f"{floor:.1%} may lie on either side of the limit, however many trials there are"
            )
        return f"more than {_HORIZON:,} further trials: the rate is very close to the limit"
