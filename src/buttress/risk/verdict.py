"""Verdicts: acceptable, unacceptable or undecided, for one risk on one asset."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, betaincinv

from buttress.risk.forecast import trials_advice
from buttress.risk.policy import Tolerance
from buttress.risk.rate import JudgedOutcomes, Rate
from buttress.statistics import graded
from buttress.statistics.confidence import ConfidenceSequence, log_wealth
from buttress.statistics.correction import (
    CalibrationCounts,
    CorrectedSequence,
    clopper_pearson,
    corrected_rate,
    sensitivity,
)
from buttress.statistics.finite import Draw, FiniteSequence

Verdict = Literal["acceptable", "unacceptable", "undecided"]
ORDER: Final[tuple[Verdict, ...]] = ("unacceptable", "undecided", "acceptable")
Mask = npt.NDArray[np.bool_]
Array = npt.NDArray[np.float64]
SAMPLE_SHARE: Final = 0.8  # of the error, to labels that are a random sample
_POINTS: Final = 200
_HORIZON: Final = 20_000
_DRAWS: Final = 64
_HALVINGS: Final = 50
_ROUNDING: Final = 1e-9  # by which the bounds of a set that is known as a whole may cross
_RARE: Final = 1e-6  # share that stands for none in a division
NOBODY_MEASURED: Final = (
    "labels by people, of this system's answers or for `buttress judge calibrate`: nobody measured "
    "how often the judge errs, so it may clear a system as judged and never speaks against one"
)
HELD_OPEN: Final = (
    "labels of this system's answers: too many of its failures are ones that the judge leaves open "
    "or is not certain of, and those alone speak against no system"
)
LABELS_DECIDE: Final = "labels of this system's answers do, where the judge errs too often"
_WORTH_WHILE: Final = 0.15  # gain in that chance for which further trials of a prompt are asked
_ENOUGH_PROMPTS: Final = 0.8  # chance that the prompts left decide, asked once each


def worst(verdicts: list[Verdict]) -> Verdict:
    """Unacceptable if any is, else undecided if any is, else acceptable."""
    return min(verdicts, key=ORDER.index)


def instead_of_trials(counts: CalibrationCounts | None) -> str:
    """What decides where more trials don't, with the judge's calibration, None for exact."""
    if counts is None:
        return "the rate is very close to the limit"
    return LABELS_DECIDE if counts.measured else NOBODY_MEASURED


def _thin(rows: list[list[float]]) -> list[list[float]]:
    """Every other row, the last among them."""
    return rows[(len(rows) - 1) % 2 :: 2]


def _judged_rate(limit: float, counts: CalibrationCounts | None) -> float:
    """The judged rate up to which the estimate is within the limit, for planning."""
    if counts is None:
        return limit
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if corrected_rate(middle, counts) <= limit:
            low = middle
        else:
            high = middle
    return low


@dataclass(slots=True)
class RiskState:
    """What the trials so far say about one risk on one asset.

    Args:
        tolerance: the policy's for this risk.
        counts: calibration of the judge; None takes outcomes as true. Without labels in it the
            upper bound is as judged, and nothing is unacceptable.
        by_estimate: decide by the estimate once the minimum of trials is there, as some standards
            do, instead of by the bounds. Unacceptable is only what exceeds the limit by the
            estimate from those failures alone that the lower bound rests on, too.
        family: number of verdicts that are taken together. The system is unacceptable if any of
            them is, so ``beta`` is divided by their number (Bonferroni); it is acceptable only if
            all are, which needs no division.
        finite: the rate is that of one set, whose trials are drawn without replacement; else that
            of the population which the prompts were drawn from. A judge that errs is as likely to
            err on a trial of the set as on another, so ``counts`` and ``finite`` exclude each
            other.
        size: trials in the set; None where draws are weighted.
        certain: calibration of the failures that the judge is certain of, on which the lower bound
            rests; None where it rests on all.
        without_judge: the lower bound rests on failures that no judge had to see, such as a
            refusal by the server's own filter. So it may rise where nobody measured the judge.
        sampled: failures and labels of a random sample of the system's answers that people
            labelled, one a prompt, their number fixed beforehand; None where there is none. Its
            exact bounds (Clopper & Pearson 1934) take ``SAMPLE_SHARE`` of both errors, and the
            verdict rests on the narrower ones of these and the judge's.
    """

    tolerance: Tolerance
    counts: CalibrationCounts | None = None
    by_estimate: bool = False
    family: int = 1
    finite: bool = False
    size: int | None = None
    certain: CalibrationCounts | None = None
    without_judge: bool = False
    sampled: tuple[int, int] | None = None
    verdict: Verdict = field(init=False, default="undecided")
    judged: ConfidenceSequence | FiniteSequence = field(init=False)
    low: float = field(init=False, default=0.0)
    high: float = field(init=False, default=1.0)
    held_open: float = field(init=False, default=0.0)  # failures that the judge is not certain of
    unknown: float = field(init=False, default=0.0)  # trials that may be failures or none
    _scale: CorrectedSequence = field(init=False)
    _path: list[list[float]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        if self.finite and self.counts is not None:
            raise ValueError("outcomes of a judge that errs are no finite set")
        beta, alpha = self.tolerance.beta / self.family, self.tolerance.alpha
        if self.sampled is not None:
            failures, labels = self.sampled
            self.low, _ = clopper_pearson(failures, labels, SAMPLE_SHARE * beta)
            _, self.high = clopper_pearson(failures, labels, SAMPLE_SHARE * alpha)
            beta, alpha = (1 - SAMPLE_SHARE) * beta, (1 - SAMPLE_SHARE) * alpha
        self._scale = CorrectedSequence(
            beta,
            alpha,
            self.counts,
            certain=self.certain,
            without_judge=self.without_judge,
        )
        levels = self._scale.judged.alpha_low, self._scale.judged.alpha_high
        if self.finite:
            self.judged = FiniteSequence(*levels, self.size, (self.tolerance.limit,))
        else:
            self.judged = ConfidenceSequence(*levels)

    def update(
        self,
        outcomes: npt.ArrayLike,
        highs: npt.ArrayLike | None = None,
        draws: Sequence[Draw] | None = None,
        certain: npt.ArrayLike | None = None,
    ) -> None:
        """Take in outcomes, shape (k,). A verdict by the bounds, once reached, stays.

        Args:
            outcomes: of trials in the order of the draws, where the set is finite; else one for
                each prompt, the mean over its trials. The least that it can be, if not all is
                known.
            highs: the most that each can be, same shape; None where that is the same.
            draws: how each was drawn; None where all weigh alike.
            certain: the outcomes that count where only certain failures do, or such that no judge
                had to see, same shape; used where the lower bound rests on those.

        Raises:
            ValueError: an outcome outside [0, 1].
        """
        before = self.judged.trials
        if highs is not None:
            self.unknown += float(np.sum(highs) - np.sum(outcomes))
        if isinstance(self.judged, FiniteSequence):
            self.judged.update(outcomes, highs, draws)
        else:
            surely = certain if self.certain is not None or self.without_judge else None
            self.judged.update(outcomes, highs, surely)
            if self.certain is not None and surely is not None:
                self.held_open += float(np.sum(outcomes) - np.sum(surely))
        if self.judged.trials == before:
            return
        self._narrow()
        if self.by_estimate:
            enough = self.trials >= self.tolerance.minimum_trials
            within = self.estimate <= self.tolerance.limit
            exceeding: Verdict = "unacceptable" if self._surely_exceeds() else "undecided"
            self.verdict = ("acceptable" if within else exceeding) if enough else "undecided"
        elif self.verdict == "undecided":
            self.verdict = self._reached()
        shown = self.sequence
        self._path.append([shown.trials, shown.low, shown.high, shown.estimate])
        if len(self._path) > 2 * _POINTS:
            self._path = _thin(self._path)

    def _narrow(self) -> None:
        """The bounds on the true rate: never wider than before, on the limit's side if shown."""
        low, high, _ = self._scale.row(0.5, self.judged.low, self.judged.high)
        ceiling, floor = self._judged_limits()
        if ceiling is not None and self.judged.excludes_from(ceiling):
            high = min(high, self.tolerance.limit)
        if floor is not None and self.judged.excludes_to(floor):
            low = max(low, self.tolerance.limit)
        low, high = max(low, self.low), min(high, self.high)
        if low <= high + _ROUNDING:  # else they contradict each other: the last that didn't stay
            self.low, self.high = min(low, high), high

    def _reached(self) -> Verdict:
        if self.trials < max(1, self.tolerance.minimum_trials):
            return "undecided"
        ceiling, floor = self._judged_limits()
        sampled = self.sampled is not None
        if (sampled or ceiling is not None) and self.high <= self.tolerance.limit:
            return "acceptable"
        shown = floor is not None and self.judged.excludes_to(floor)
        shown |= sampled and self.low > self.tolerance.limit
        return "unacceptable" if shown else "undecided"

    def _surely_exceeds(self) -> bool:
        """Whether the estimate exceeds the limit without what the lower bound leaves out.

        That are answers that the judge leaves open, failures that it is not certain of, and
        questions without an answer. What is left is corrected by error rates of its own.
        """
        if self._unmeasured:
            return False
        rate = self.judged.least_mean
        if self.counts is not None:
            rate = corrected_rate(rate, self.certain or self.counts)
        return rate > self.tolerance.limit

    @property
    def _unmeasured(self) -> bool:
        """Whether a judge decides that nobody compared with people's labels."""
        return self.counts is not None and not self.counts.measured

    @property
    def trials(self) -> int:
        """Number of outcomes: trials of a finite set, else prompts."""
        return self.judged.trials

    @property
    def estimate(self) -> float:
        """Estimate of the true rate; ``by_estimate`` decides by it. Else it is in the bounds."""
        rate = self.judged.mean
        if self.counts is not None:
            rate = corrected_rate(rate, self.counts)
        return rate if self.by_estimate else min(max(rate, self.low), self.high)

    @property
    def sequence(self) -> Rate:
        """The rate as reports show it."""
        judged = JudgedOutcomes(self.judged.trials, self.judged.total)
        rate = self.estimate
        low, high = min(self.low, rate), max(self.high, rate)
        return Rate(self.trials, rate, low, high, judged, self.counts)

    def all_variants(self, prompts: int, each: float) -> bool:
        """Whether to ask all trials of the next prompt, of ``each`` on average, rather than one.

        Other prompts tell more than further trials of the same one. So that is worth while only
        where the ``prompts`` that are left, asked once, are probably too few, and where trials
        that were all independent would be more likely to decide.
        """
        sizes = [max(1, prompts), max(1, round(prompts * each))]
        once, most = self.chance_of_decision(sizes, np.random.default_rng(1))
        return bool(once < _ENOUGH_PROMPTS and most - once > _WORTH_WHILE)

    def _judged_limits(self) -> tuple[float | None, float | None]:
        """The limit on the judged scale, for accepting and rejecting; None where it can't be."""
        limit, scale = self.tolerance.limit, self._scale
        found = []
        for point in (scale.upper_point, scale.lower_point):
            judged = point.judged_rate(limit)
            found.append(judged if point.informative and 0 < judged < 1 else None)
        return found[0], found[1]

    def decided(self, total: npt.ArrayLike, count: npt.ArrayLike) -> tuple[Mask, Mask]:
        """Whether ``total`` failures in ``count`` trials would make it acceptable, unacceptable.

        Any shape; for planning. The limit is moved to the judged scale, where one evaluation of the
        gambler's wealth says whether it is excluded. A part q of a finite set tells about as much
        as 1 / (1 - q) times as many draws from a population.
        """
        s, n = np.broadcast_arrays(np.asarray(total, dtype=float), np.asarray(count, dtype=float))
        return self._accepts(s, n), self._rejects(s, n)

    def _accepts(self, s: Array, n: Array) -> Mask:
        enough: Mask = n >= max(1, self.tolerance.minimum_trials)
        if self.by_estimate:
            enough &= s / np.maximum(n, 1) <= _judged_rate(self.tolerance.limit, self.counts)
            return enough
        ceiling, _ = self._judged_limits()
        if ceiling is None:
            return np.zeros(s.shape, dtype=bool)
        factor, known = self._gain(n)
        wealth = log_wealth(s * factor, n * factor, ceiling)
        enough &= (wealth >= -np.log(self.judged.alpha_high)) | (known & (s <= ceiling * n))
        return enough

    def _rejects(self, s: Array, n: Array) -> Mask:
        enough: Mask = n >= max(1, self.tolerance.minimum_trials)
        if self._unmeasured and (self.by_estimate or not self.without_judge):
            return np.zeros(s.shape, dtype=bool)
        if self.by_estimate:
            rate = s / np.maximum(n, 1)
            certain = self._certain_share() * rate
            enough &= rate > _judged_rate(self.tolerance.limit, self.counts)
            enough &= certain > _judged_rate(self.tolerance.limit, self.certain or self.counts)
            return enough
        _, floor = self._judged_limits()
        if floor is None:
            return np.zeros(s.shape, dtype=bool)
        s = s * self._certain_share()
        factor, known = self._gain(n)
        wealth = log_wealth((n - s) * factor, n * factor, 1 - floor)
        enough &= (wealth >= -np.log(self.judged.alpha_low)) | (known & (s > floor * n))
        return enough

    def _certain_share(self) -> float:
        """Certain failures for each judged one, for planning: as seen so far, first as usual."""
        if self.without_judge and self.counts is not None:
            assert isinstance(self.judged, ConfidenceSequence)
            seen = float(self.judged.weights @ graded.GRID)
            return min(1.0, seen / max(self.judged.total, 1.0))
        if self.counts is None or self.certain is None:
            return 1.0
        usual = sensitivity(self.certain) / max(sensitivity(self.counts), _RARE)
        assert isinstance(self.judged, ConfidenceSequence)
        seen = float(self.judged.weights @ graded.GRID)
        return min(1.0, (seen + usual) / (self.judged.total + 1))

    def _gain(self, n: Array) -> tuple[Array, Mask]:
        """How many draws from a population each of n draws from the set is worth; is all drawn?"""
        if not self.finite or self.size is None:
            return np.ones(n.shape), np.zeros(n.shape, dtype=bool)
        left = np.maximum(self.size - n, 0.0)
        return self.size / np.maximum(left, 1.0), left == 0

    def chance_of_decision(self, more: npt.ArrayLike, rng: np.random.Generator) -> Array:
        """Probability of a verdict after so many more trials, shape (k,) as ``more``.

        Beta-binomial prediction from a Beta(1/2, 1/2) prior on the judged rate, given the trials;
        the mean over a stratified sample of rates.
        """
        sizes = np.asarray(more, dtype=np.int64)
        judged = self.judged
        if self._open_whatever_is_asked:
            return np.zeros(sizes.shape)
        strata = (np.arange(_DRAWS) + rng.random(_DRAWS)) / _DRAWS
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
        judged = self.judged
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
        return self._path if len(self._path) <= _POINTS else _thin(self._path)

    @property
    def _open_whatever_is_asked(self) -> bool:
        """Whether exact checks leave so much open that no number of trials like these decides."""
        if self.counts is not None or not self.trials:
            return False
        half, limit = self.unknown / 2 / self.trials, self.tolerance.limit
        return bool(half) and self.judged.mean - half <= limit <= self.judged.mean + half

    def would_decide(self) -> str:
        """What would turn undecided into a verdict; empty if there is one."""
        if self.verdict != "undecided":
            return ""
        unit = "trials" if self.finite else "prompts"
        limit, scale = self.tolerance.limit, self._scale
        short = self.tolerance.minimum_trials - self.trials
        if self._unmeasured and self.by_estimate and short <= 0:
            return NOBODY_MEASURED
        if self.by_estimate and short <= 0:
            return HELD_OPEN
        shown = self.high <= limit or (short > 0 and self.low > limit)
        if self.by_estimate or shown:
            return f"{max(1, short):,} more {unit}, which the policy asks for"
        if self.finite and self.size is not None:
            return f"the {self.size - self.trials:,} trials of the set that are left, at most"
        if self._open_whatever_is_asked:
            return f"answers that can be read: {self.unknown:,.0f} of {self.trials:,} say nothing"
        sizes = np.unique(np.geomspace(max(8, short), _HORIZON, 40).astype(int))
        likely = self.chance_of_decision(sizes, np.random.default_rng(1))
        counted = f"{unit} at the present rate"
        if advice := trials_advice(sizes, likely, counted, instead_of_trials(self.counts)):
            return advice
        if self._unmeasured:
            return NOBODY_MEASURED
        if not scale.upper_point.informative:
            return "more labels: the judge is not shown to be better than chance"
        ceiling = scale.upper_point.judged_rate(limit)
        floor = min(1.0, scale.lower_point.judged_rate(limit) / max(self._certain_share(), _RARE))
        if self.counts is not None:
            return (
                f"more labels to calibrate the judge: judged rates from {ceiling:.1%} to "
                f"{floor:.1%} may lie on either side of the limit, however many trials there are"
            )
        return f"more than {_HORIZON:,} further {unit}: the rate is very close to the limit"
