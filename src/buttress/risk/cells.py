"""One risk on one asset, cell by cell: is every attack within the limit in every category?

Unacceptable when some cell is shown to lie above the limit, all cells taken together (Holm's
method, error ``beta``); acceptable when the worst-case claim reaches the limit (error ``alpha``).
See ``statistics.cells`` and ``cell_evidence`` for why both hold however the trials were spread over
the cells and whenever one stops, and ``bandit`` for how they are spread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from buttress.risk.bandit import Bandit
from buttress.risk.cell_evidence import CellEvidence
from buttress.risk.cell_rows import rows, thin
from buttress.risk.forecast import chance_of_decision, trials_advice
from buttress.risk.policy import Tolerance
from buttress.risk.rate import JudgedOutcomes, Rate
from buttress.risk.verdict import NOBODY_MEASURED, Verdict, instead_of_trials
from buttress.statistics.correction import CalibrationCounts, CorrectedSequence
from buttress.statistics.multiple import e_bh

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
_POINTS: Final = 200  # of the path, at most twice as many
_GROWTH: Final = 1.02  # of trials between two rows of the path
_DOUBT: Final = 0.1  # that a worse cell is still hidden, below which the search ends
_HORIZON: Final = 100_000


def _numbered(names: Sequence[str]) -> npt.NDArray[np.int64]:
    """Each name's number, in the order in which they first come."""
    known = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([known[name] for name in names], dtype=np.int64)


@dataclass(slots=True)
class CellsState:
    """What the trials so far say about all cells of a risk on one asset.

    Args:
        tolerance: the policy's for this risk; its limit is each cell's. Always decided by bounds.
        cells: (attack, category) of each cell, each once.
        counts: calibration of the judge, taken to hold in every cell; None takes outcomes as true.
        family: number of verdicts that are taken together, as in ``RiskState``.
        sizes: trials that each cell holds, where the rates are those of this set; None for prompts
            like these. Not where the judge errs, as in ``RiskState``.
        delta: false discovery rate of ``discovered``; None takes the tolerance's ``beta``.
        available: outcomes that can be had in each cell; None for no limit.
        seed: of the choice of cells.
        certain: calibration of the failures that the judge is certain of, on which the lower bounds
            rest, as in ``RiskState``; None where they rest on all failures.
    """

    tolerance: Tolerance
    cells: Sequence[tuple[str, str]]
    counts: CalibrationCounts | None = None
    family: int = 1
    delta: float | None = None
    available: Sequence[int] | None = None
    seed: int = 0
    sizes: Sequence[int] | None = None
    certain: CalibrationCounts | None = None
    verdict: Verdict = field(init=False, default="undecided")
    shown: Mask = field(init=False)  # above the limit, all of them together
    _places: Mapping[tuple[str, str], int] = field(init=False)
    _scale: CorrectedSequence = field(init=False)
    _bandit: Bandit = field(init=False)
    _asked: Array = field(init=False)
    _left: Array = field(init=False)
    _evidence: CellEvidence = field(init=False)
    _path: list[list[float]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        size = len(self.cells)
        self._places = {cell: place for place, cell in enumerate(self.cells)}
        if not size or len(self._places) < size:
            raise ValueError("cells must be named, each once")
        attacks, categories = (_numbered(names) for names in zip(*self.cells, strict=True))
        self._bandit = Bandit(attacks, categories, self.seed)
        if self.sizes is not None and self.counts is not None:
            raise ValueError("outcomes of a judge that errs are no finite set")
        beta = self.tolerance.beta / self.family
        self._scale = CorrectedSequence(
            beta, self.tolerance.alpha, self.counts, certain=self.certain
        )
        self._evidence = CellEvidence(self._scale, self.tolerance.limit, size, self.sizes)
        self._asked = np.zeros(size)
        left = np.full(size, np.inf) if self.available is None else self.available
        self._left = np.array(left, dtype=float)
        if self._left.shape != (size,):
            raise ValueError("available must give a number for each cell")
        if not 0 < self._delta() < 1:
            raise ValueError("delta must be above the error of the judge's calibration, below 1")
        self.shown = np.zeros(size, dtype=bool)

    def place(self, attack: str, category: str) -> int:
        """The number of a cell.

        Raises:
            KeyError: no such cell.
        """
        return self._places[attack, category]

    @property
    def trials(self) -> int:
        """Trials of all cells."""
        return round(float(self._counts()[0].sum()))

    def choose(self, count: int) -> list[int]:
        """Cells of the next ``count`` trials, fewer only where fewer are left.

        They count as handed out until ``update`` brings their outcomes, so that it can be called
        again meanwhile. First the worst cell is sought; then, if it probably lies above the limit,
        it is asked until that is shown; after that the cells that make the claim weakest.
        """
        trials, failures = self._counts()
        pending = np.maximum(self._asked - trials, 0.0)
        drawn = self._bandit.draws(trials, failures, pending)
        means = self._bandit.means(trials, failures)
        leader = int(means.argmax())
        limit = self._judged(lower=True)
        rival = np.delete(drawn, leader, axis=1).max(axis=1, initial=0.0)
        hidden = (rival > np.maximum(drawn[:, leader], limit)).mean()
        if hidden > _DOUBT:
            chosen = self._bandit.choose(trials, failures, pending, self._left, count)
        else:
            proving = means[leader] > limit and not self.shown[leader]
            chosen = self._widest(pending, count, leader if proving else None)
        for cell in chosen:
            self._asked[cell] += 1
            self._left[cell] -= 1
        return chosen

    def _widest(self, pending: Array, count: int, leader: int | None) -> list[int]:
        """The leader half of the time, where there is one; else the highest upper bounds.

        A bound is taken to close in on its estimate with the square root of the trials.
        """
        self._evidence.refresh(self.shown)
        trials, failures = self._counts()
        means = failures / np.maximum(trials, 1)
        spread = (self._evidence.high - means) * np.sqrt(trials + 1)
        asked, left = trials + 1 + pending, self._left.copy()
        chosen: list[int] = []
        while len(chosen) < count and (left > 0).any():
            if leader is not None and left[leader] > 0 and len(chosen) % 2 == 0:
                cell = leader
            else:
                expected = np.where(left > 0, means + spread / np.sqrt(asked), -1.0)
                cell = int(expected.argmax())
            chosen.append(cell)
            asked[cell] += 1
            left[cell] -= 1
        return chosen

    def exhaust(self, cell: int) -> None:
        """No further trials can be had in the cell."""
        self._left[cell] = 0.0

    def update(
        self,
        cells: npt.ArrayLike,
        outcomes: npt.ArrayLike,
        highs: npt.ArrayLike | None = None,
        certain: npt.ArrayLike | None = None,
    ) -> None:
        """Take in outcomes, shape (k,), of the cells with these numbers, shape (k,) or ().

        A verdict, once reached, stays. ``highs`` is the most that each outcome can be, where it is
        not known; ``certain`` the outcomes that count where only certain failures do, used where
        the state has a calibration of those.

        Raises:
            ValueError: an outcome outside [0, 1], or no such cell.
        """
        values = np.asarray(outcomes, dtype=float).reshape(-1)
        tops = values if highs is None else np.asarray(highs, dtype=float).reshape(-1)
        surely = None
        if self.certain is not None and certain is not None:
            surely = np.asarray(certain, dtype=float).reshape(-1)
        places = np.broadcast_to(np.asarray(cells, dtype=np.int64).reshape(-1), values.shape)
        if not values.size:
            return
        if not (values.min() >= 0 and tops.max() <= 1 and (values <= tops).all()):
            raise ValueError("outcomes must lie in [0, 1]")
        if places.min() < 0 or places.max() >= len(self.cells):
            raise ValueError("no cell has that number")
        for cell in np.unique(places):
            mine = places == cell
            self._evidence.update(
                int(cell), values[mine], tops[mine], None if surely is None else surely[mine]
            )
        self._asked = np.maximum(self._asked, self._counts()[0])
        self._decide()
        if not self._path or self.trials >= _GROWTH * self._path[-1][0]:
            worst = self.sequence
            self._path.append([worst.trials, worst.low, worst.high, worst.estimate])
            if len(self._path) > 2 * _POINTS:
                self._path = thin(self._path)

    def _decide(self) -> None:
        if self.trials < max(1, self.tolerance.minimum_trials):
            return
        self.shown |= self._evidence.exceeding()
        if self.verdict == "undecided":
            if self._evidence.cleared().all():
                self.verdict = "acceptable"
            elif self.shown.any():
                self.verdict = "unacceptable"

    def _judged(self, *, lower: bool) -> float:
        """The limit on the judged scale, for rejecting (``lower``) or accepting."""
        point = self._scale.lower_point if lower else self._scale.upper_point
        return point.judged_rate(self.tolerance.limit)

    def _counts(self) -> tuple[Array, Array]:
        return self._evidence.counts()

    @property
    def discovered(self) -> Mask:
        """Cells above the limit by e-BH; of them at most a share ``delta`` is expected to be not.

        What the judge's calibration may err goes off ``delta``: if it does, all may be false. Holds
        where cells share no prompt, and for this set of prompts; else it is a good guess.
        """
        return e_bh(self._evidence.above, self._delta())

    def _delta(self) -> float:
        delta = self.tolerance.beta if self.delta is None else self.delta
        return delta - (self.tolerance.beta / self.family - self._scale.judged.alpha_low)

    @property
    def worst(self) -> int:
        """The cell that is the worst so far, by its posterior mean."""
        return int(self._bandit.means(*self._counts()).argmax())

    @property
    def sequence(self) -> Rate:
        """The highest rate of all cells; ``high`` is the worst-case claim."""
        self._evidence.refresh(self.shown)
        trials, failures = self._counts()
        cell = self.worst
        judged = JudgedOutcomes(round(float(trials[cell])), float(failures[cell]))
        low, high, estimate = self._scale.row(
            judged.estimate, float(self._evidence.low.max()), float(self._evidence.high.max())
        )
        return Rate(self.trials, estimate, low, high, judged, self.counts)

    def path(self) -> list[list[float]]:
        """The highest rate as trials came in: trials, low, high, estimate; ≤ 200 points."""
        return self._path if len(self._path) <= _POINTS else thin(self._path)

    def chance_of_decision(self, more: npt.ArrayLike, rng: np.random.Generator) -> Array:
        """Probability of a verdict after so many more trials, shape (k,); see ``forecast``."""
        none, levels = np.zeros(len(self.cells)), self._scale.judged
        return chance_of_decision(
            np.asarray(more, dtype=float),
            rates=self._bandit.draws(*self._counts(), none, rng=rng),
            accept=(self._judged(lower=False), self._evidence.below, -np.log(levels.alpha_high)),
            reject=(self._judged(lower=True), self._evidence.above, -np.log(levels.alpha_low)),
        )

    def would_decide(self) -> str:
        """What would turn undecided into a verdict; empty if there is one."""
        if self.verdict != "undecided":
            return ""
        if not self._scale.upper_point.informative:
            return "more labels: the judge is not shown to be better than chance"
        if not self._left.any():
            return "more prompts: all that there are have been asked"
        sizes = np.unique(np.geomspace(8, _HORIZON, 48).astype(int))
        likely = self.chance_of_decision(sizes, np.random.default_rng(1))
        counted = f"trials over {len(self.cells):,} cells"
        if advice := trials_advice(sizes, likely, counted, instead_of_trials(self.counts)):
            return advice
        if self.counts is not None and not self.counts.measured:
            return NOBODY_MEASURED
        return f"more than {_HORIZON:,} further trials: the worst cell is very close to the limit"

    def rows(self) -> list[dict[str, Any]]:
        """Each cell for the document, as ``cell_rows.rows`` describes it."""
        self._evidence.refresh(self.shown)
        return rows(
            self.cells,
            self._scale,
            self._counts(),
            together=(self._evidence.low, self._evidence.highs_together()),
            alone=self._evidence.high,
            log_e=self._evidence.above,
            flags=(self.shown, self.discovered),
        )
