"""What the trials of each cell say about a limit, and the bounds on each cell's rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from buttress.statistics import graded
from buttress.statistics.cells import cell_bounds, evidence_above, evidence_below
from buttress.statistics.correction import CorrectedSequence, OperatingPoint
from buttress.statistics.finite import FiniteSequence
from buttress.statistics.multiple import holm

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
_CANDIDATES: Final = 80  # means for which a finite cell's graded outcomes are reckoned with


@dataclass(slots=True)
class CellEvidence:
    """Outcomes of m cells on the judged scale, with bounds that are running intersections.

    Args:
        scale: the judge's errors, and the error levels: the lower bounds hold for all cells
            together, the upper bounds each for itself.
        limit: tolerated rate of each cell.
        count: m.
        sizes: trials that each cell holds, where the rate is that of this set and the cells' trials
            are drawn without replacement; None for prompts like these.
    """

    scale: CorrectedSequence
    limit: float
    count: int
    sizes: Sequence[int] | None = None
    above: Array = field(init=False)  # log e-values against "within the limit", at present
    low: Array = field(init=False)
    high: Array = field(init=False)
    _lows: Array = field(init=False)
    _certain: Array = field(init=False)  # what counts against a cell
    _highs: Array = field(init=False)
    _most_above: Array = field(init=False)
    _most_below: Array = field(init=False)
    _stale: Mask = field(init=False)
    _finite: list[FiniteSequence] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._lows = np.zeros((self.count, graded.GRADES + 1))
        self._certain = np.zeros((self.count, graded.GRADES + 1))
        self._highs = np.zeros((self.count, graded.GRADES + 1))
        self.above = np.zeros(self.count)
        self._most_above, self._most_below = np.zeros(self.count), np.zeros(self.count)
        self.low, self.high = np.zeros(self.count), np.ones(self.count)
        self._stale = np.zeros(self.count, dtype=bool)
        if self.sizes is not None:
            levels = self.scale.judged.alpha_low / self.count, self.scale.judged.alpha_high
            self._finite = [
                FiniteSequence(*levels, size, (self.limit,), _CANDIDATES) for size in self.sizes
            ]

    @property
    def ceiling(self) -> float | None:
        """The limit on the judged scale, to stay below; None where the judge is no use for it."""
        return _judged(self.scale.upper_point, self.limit)

    @property
    def floor(self) -> float | None:
        """The limit on the judged scale, to lie above; None where the judge is no use for it."""
        return _judged(self.scale.lower_point, self.limit)

    def update(self, cell: int, lows: Array, highs: Array, certain: Array | None = None) -> None:
        """Take in outcomes of one cell, shape (k,): the least and the most that each can be.

        ``certain`` is the same as ``lows`` where only failures count that the judge is certain of;
        it stands for prompts like these only, and the lower side of ``scale`` must be theirs.
        """
        self._lows[cell] += graded.spread(lows)
        self._certain[cell] += graded.spread(lows if certain is None else certain)
        self._highs[cell] += graded.spread(highs)
        if self._finite is not None:
            self._finite[cell].update(lows, highs)
        self._stale[cell] = True
        self._weigh(cell)

    def _weigh(self, cell: int) -> None:
        ceiling, floor = self.ceiling, self.floor
        below = above = 0.0
        if self._finite is not None:
            below = self._finite[cell].log_evidence_below(self.limit)
            above = self._finite[cell].log_evidence_above(self.limit)
        else:
            if ceiling is not None:
                below = float(evidence_below(self._highs[cell][None, :], ceiling)[0])
            if floor is not None:
                above = float(evidence_above(self._certain[cell][None, :], floor)[0])
        self.above[cell] = above
        self._most_above[cell] = max(self._most_above[cell], above)
        self._most_below[cell] = max(self._most_below[cell], below)

    @property
    def below(self) -> Array:
        """Log of the highest e-value so far against "at least the limit", shape (m,)."""
        return self._most_below

    def cleared(self) -> Mask:
        """Cells shown, each for itself, to lie within the limit."""
        done: Mask = self._most_below >= -np.log(self.scale.judged.alpha_high)
        return done

    def exceeding(self) -> Mask:
        """Cells shown above the limit, all of them together.

        Holm's method on anytime-valid p-values, the inverses of the highest e-values so far: it
        holds whatever the dependence among cells. Cells that share prompts do depend on each
        other, and the mean of their e-values would not be an e-value at a time that one of them
        chose.
        """
        adjusted = np.array(holm(np.exp(-self._most_above).tolist()))
        shown: Mask = adjusted <= self.scale.judged.alpha_low
        return shown

    def counts(self) -> tuple[Array, Array]:
        """Number of outcomes and their sum, the middle of what is not known; shape (m,) each."""
        return self._lows.sum(axis=1), (self._lows + self._highs) @ graded.GRID / 2

    def refresh(self, shown: Mask) -> None:
        """Bring the bounds up to date, on the limit's side for cells that are ``shown``."""
        if self._stale.any():
            low, high = self._bounds(self._stale, self.scale.judged.alpha_high)
            self.low[self._stale] = np.maximum(self.low[self._stale], low)
            self.high[self._stale] = np.minimum(self.high[self._stale], high)
            self._stale[:] = False
        if (floor := self.floor) is not None:
            self.low[shown] = np.maximum(self.low[shown], floor)
        if (ceiling := self.ceiling) is not None:
            clear = self.cleared()
            self.high[clear] = np.minimum(self.high[clear], ceiling)
        self.high = np.maximum(self.high, self.low)

    def _bounds(self, some: Mask, alpha_high: float) -> tuple[Array, Array]:
        if self._finite is not None:
            chosen = [self._finite[place] for place in np.flatnonzero(some)]
            return np.array([one.low for one in chosen]), np.array([one.high for one in chosen])
        alpha_low = self.scale.judged.alpha_low / self.count
        lows = cell_bounds(self._certain[some], alpha_low, alpha_high)[0]
        return lows, cell_bounds(self._highs[some], alpha_low, alpha_high)[1]

    def highs_together(self) -> Array:
        """Upper bounds that hold for all cells at once, shape (m,); never below ``high``."""
        each = self.scale.judged.alpha_high / self.count
        if self._finite is not None:
            highs = np.array([one.upper_at(each) for one in self._finite])
        else:
            everything = np.ones(self.count, dtype=bool)
            highs = self._bounds(everything, each)[1]
        together: Array = np.maximum(highs, self.high)
        return together


def _judged(point: OperatingPoint, limit: float) -> float | None:
    rate = point.judged_rate(limit)
    return rate if point.informative and 0 < rate < 1 else None
