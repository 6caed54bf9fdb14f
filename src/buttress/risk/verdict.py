"""Verdicts: acceptable, unacceptable or undecided, for one risk on one asset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, betaincinv

from buttress.risk.policy import Tolerance
from buttress.statistics.confidence import bounds, log_wealth
from buttress.statistics.correction import CalibrationCounts, CorrectedSequence
from buttress.statistics.graded import GRID

Verdict = Literal["acceptable", "unacceptable", "undecided"]
ORDER: Final[tuple[Verdict, ...]] = ("unacceptable", "undecided", "acceptable")
Mask = npt.NDArray[np.bool_]
Array = npt.NDArray[np.float64]
_POINTS: Final = 200
_HORIZON: Final = 20_000
_DRAWS: Final = 64


def worst(verdicts: list[Verdict]) -> Verdict:
    """Unacceptable if any is, else undecided if any is, else acceptable."""
    return min(verdicts, key=ORDER.index)


def _thin(seen: list[Array]) -> list[Array]:
    """Every other one, the last among them."""
    return seen[(len(seen) - 1) % 2 :: 2]


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
    _seen: list[Array] = field(init=False, default_factory=list)  # weights after each update

    def __post_init__(self) -> None:
        beta = self.tolerance.beta / self.assets
        self.sequence = CorrectedSequence(beta, self.tolerance.alpha, self.counts)

    def update(self, outcomes: npt.ArrayLike) -> None:
        """Take in outcomes, shape (k,). A verdict, once reached, stays.

        Raises:
            ValueError: an outcome outside [0, 1].
        """
        before = self.sequence.trials
        self.sequence.update(outcomes)
        if self.sequence.trials == before:
            return
        self._seen.append(self.sequence.judged.weights.copy())
        if len(self._seen) > 2 * _POINTS:
            self._seen = _thin(self._seen)
        if self.by_estimate:
            self.verdict = "undecided"
        if self.verdict == "undecided":
            accept, reject = self._reached()
            if accept:
                self.verdict = "acceptable"
            elif reject:
                self.verdict = "unacceptable"

    def _reached(self) -> tuple[bool, bool]:
        judged = self.sequence.judged
        if self.by_estimate or judged.binary:
            accept, reject = self.decided(judged.total, judged.trials)
            return bool(accept), bool(reject)
        enough = judged.trials >= self.tolerance.minimum_trials
        ceiling, floor = self._judged_limits()
        return (
            enough and ceiling is not None and judged.excludes_from(ceiling),
            enough and floor is not None and judged.excludes_to(floor),
        )

    def _judged_limits(self) -> tuple[float | None, float | None]:
        """The limit on the judged scale, for accepting and rejecting; None where it can't be."""
        limit, sequence = self.tolerance.limit, self.sequence
        found = []
        for point in (sequence.upper_point, sequence.lower_point):
            judged = point.judged_rate(limit)
            found.append(judged if point.informative and 0 < judged < 1 else None)
        return found[0], found[1]

    def decided(self, total: npt.ArrayLike, count: npt.ArrayLike) -> tuple[Mask, Mask]:
        """Whether ``total`` failures in ``count`` trials would make it acceptable, unacceptable.

        Any shape. Equivalent to comparing the corrected bounds with the limit, but without
        computing them: the limit is moved to the judged scale, where one evaluation of the
        gambler's wealth says whether it is excluded.
        """
        s, n = np.broadcast_arrays(np.asarray(total, dtype=float), np.asarray(count, dtype=float))
        return self._accepts(s, n), self._rejects(s, n)

    def _accepts(self, s: Array, n: Array) -> Mask:
        enough: Mask = n >= max(1, self.tolerance.minimum_trials)
        if self.by_estimate:
            enough &= s / np.maximum(n, 1) <= self._estimate_limit()
            return enough
        ceiling, _ = self._judged_limits()
        if ceiling is None:
            return np.zeros(s.shape, dtype=bool)
        enough &= log_wealth(s, n, ceiling) >= -np.log(self.sequence.judged.alpha_high)
        return enough

    def _rejects(self, s: Array, n: Array) -> Mask:
        enough: Mask = n >= max(1, self.tolerance.minimum_trials)
        if self.by_estimate:
            enough &= s / np.maximum(n, 1) > self._estimate_limit()
            return enough
        _, floor = self._judged_limits()
        if floor is None:
            return np.zeros(s.shape, dtype=bool)
        enough &= log_wealth(n - s, n, 1 - floor) >= -np.log(self.sequence.judged.alpha_low)
        return enough

    def _estimate_limit(self) -> float:
        """The judged rate whose corrected estimate is the limit."""
        limit, counts = self.tolerance.limit, self.counts
        if counts is None or not (counts.tp + counts.fn and counts.tn + counts.fp):
            return limit
        false = counts.fp / (counts.tn + counts.fp)
        true = counts.tp / (counts.tp + counts.fn)
        return false + limit * (true - false) if true > false else limit

    def chance_of_decision(self, more: npt.ArrayLike, chance: np.random.Generator) -> Array:
        """Probability of a verdict after so many more trials, shape (k,) as ``more``.

        Beta-binomial prediction from a Beta(1/2, 1/2) prior on the judged rate, given the trials;
        the mean over a stratified sample of rates.
        """
        sizes = np.asarray(more, dtype=np.int64)
        judged = self.sequence.judged
        strata = (np.arange(_DRAWS) + chance.random(_DRAWS)) / _DRAWS
        rates = betaincinv(0.5 + judged.total, 0.5 + judged.trials - judged.total, strata)
        rate = np.clip(rates, 1e-12, 1 - 1e-12)[None, :]
        size = sizes[:, None].astype(float)
        most, least = (edge[:, None] for edge in self._thresholds(sizes))
        inside = np.clip(most, 0, size - 1)
        good = np.where(most < 0, 0.0, 1.0 - betainc(inside + 1, size - inside, rate))
        good = np.where(most >= size, 1.0, good)
        inside = np.clip(least, 1, size)
        bad = np.where(least > size, 0.0, betainc(inside, size - inside + 1, rate))
        bad = np.where(least < 1, 1.0, bad)
        share: Array = np.minimum(good + bad, 1.0).mean(axis=1)
        return share

    def _thresholds(self, sizes: npt.NDArray[np.int64]) -> tuple[Array, Array]:
        """Most further failures that accept (-1: none), least that reject (size + 1: none)."""
        judged = self.sequence.judged
        n = (judged.trials + sizes).astype(float)

        def step(holds: Callable[[Array], Mask]) -> tuple[Array, Array]:
            """The last count for which it holds and the first for which it doesn't."""
            low = np.full(sizes.shape, -1.0)
            high = np.asarray(sizes + 1, dtype=float)
            for _ in range(int(np.ceil(np.log2(sizes.max() + 2))) + 1):
                middle = np.floor((low + high) / 2)
                yes = holds(judged.total + middle)
                apart = high - low > 1
                low = np.where(apart & yes, middle, low)
                high = np.where(apart & ~yes, middle, high)
            return low, high

        most, _ = step(lambda s: self._accepts(s, n))
        _, least = step(lambda s: ~self._rejects(s, n))
        return most, least

    def path(self) -> list[list[float]]:
        """The interval as trials came in: trials, low, high, estimate; ≤ 200 points."""
        chosen = self._seen if len(self._seen) <= _POINTS else _thin(self._seen)
        if not chosen:
            return []
        weights = np.array(chosen)
        counts, sequence = weights.sum(axis=1), self.sequence
        means = weights @ GRID / np.maximum(counts, 1)
        lows, highs = bounds(weights, sequence.judged.alpha_low, sequence.judged.alpha_high)
        rows: list[list[float]] = []
        for count, mean, judged_low, judged_high in zip(counts, means, lows, highs, strict=True):
            low, high, estimate = sequence.row(float(mean), float(judged_low), float(judged_high))
            rows.append([round(float(count)), low, high, estimate])
        return rows

    def would_decide(self) -> str:
        """What would turn undecided into a verdict; empty if there is one."""
        if self.verdict != "undecided":
            return ""
        sequence, limit = self.sequence, self.tolerance.limit
        short = self.tolerance.minimum_trials - sequence.trials
        if self.by_estimate:
            return f"{max(1, short):,} more trials, which the policy asks for"
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
