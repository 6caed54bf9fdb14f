"""A failure rate as reports show it."""

from __future__ import annotations

from dataclasses import dataclass

from buttress.statistics.correction import CalibrationCounts


@dataclass(frozen=True, slots=True)
class JudgedOutcomes:
    """Number of judged outcomes and their sum."""

    trials: int
    total: float

    @property
    def estimate(self) -> float:
        """Mean of the outcomes; 0.5 before the first."""
        return self.total / self.trials if self.trials else 0.5


@dataclass(frozen=True, slots=True)
class Rate:
    """Estimate and bounds of the true rate, and the judged outcomes behind them.

    Of many cells it is the highest rate, whichever cell has it: ``trials`` are those of all cells,
    ``judged`` the outcomes of the cell that is the worst so far.
    """

    trials: int
    estimate: float
    low: float
    high: float
    judged: JudgedOutcomes
    counts: CalibrationCounts | None
