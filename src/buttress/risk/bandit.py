"""Which cells to ask next: finds the worst of many with few trials.

Top-two Thompson sampling (Russo 2016, "Simple Bayesian algorithms for best arm identification",
COLT; arXiv:1602.08448, section 3): the rates are drawn from their posterior, and the cell with the
highest draw is asked, or with probability one half its challenger, a cell that is highest in
another draw. The posterior is that of ``statistics.shrinkage``. A choice depends on the counts, the
number of pulls handed out and the seed only, so that a resumed run takes the same way.

It steers and decides nothing: verdicts rest on confidence sequences, which hold whatever is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from buttress.statistics.shrinkage import posterior

Array = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
_DRAWS: Final = 64
_LEADER: Final = 0.5


@dataclass(slots=True)
class Bandit:
    """Chooses among cells.

    Args:
        rows, columns: each cell's attack and category, numbered from 0; shape (m,).
        seed: of the draws.
    """

    rows: Places
    columns: Places
    seed: int = 0

    def means(self, trials: Array, failures: Array) -> Array:
        """Posterior mean of each cell's rate, shape (m,); the highest is the worst cell so far."""
        a, b = posterior(trials, failures, self.rows, self.columns)
        mean: Array = a / (a + b)
        return mean

    def draws(
        self,
        trials: Array,
        failures: Array,
        pending: Array,
        *,
        least: int = 1,
        rng: np.random.Generator | None = None,
    ) -> Array:
        """Rates drawn from the posterior, shape (≥ ``least``, m).

        ``pending`` trials, asked and not yet answered, count as if they went as expected.
        """
        a, b = posterior(trials, failures, self.rows, self.columns)
        mean = a / (a + b)
        rng = rng or self._rng(trials, pending, 0)
        drawn: Array = rng.beta(
            a + pending * mean, b + pending * (1 - mean), (max(_DRAWS, least), len(a))
        )
        return drawn

    def choose(
        self, trials: Array, failures: Array, pending: Array, left: Array, count: int
    ) -> list[int]:
        """The next ``count`` cells, fewer only where fewer trials are left in all of them.

        Args:
            trials, failures: what came in, shape (m,) each.
            pending: trials handed out and not yet in, shape (m,).
            left: trials that can still be handed out, shape (m,); may be infinite.
            count: how many; a cell may come several times.
        """
        drawn = self.draws(trials, failures, pending, least=count)
        rng = self._rng(trials, pending, 1)
        left = left.copy()
        chosen: list[int] = []
        leads = np.where(left > 0, drawn, -1.0).argmax(axis=1)
        while len(chosen) < count and (left > 0).any():
            turn = len(chosen) % len(drawn)
            if left[leads[turn]] <= 0:  # it has given its last trial to this very batch
                leads = np.where(left > 0, drawn, -1.0).argmax(axis=1)
            cell = int(leads[turn])
            if rng.random() >= _LEADER:
                cell = self._challenger(drawn[turn - 1], leads, cell, left, rng)
            chosen.append(cell)
            left[cell] -= 1
        return chosen

    @staticmethod
    def _challenger(
        draw: Array, leads: Places, leader: int, left: Array, rng: np.random.Generator
    ) -> int:
        others = leads[(leads != leader) & (left[leads] > 0)]
        if others.size:
            return int(others[rng.integers(others.size)])
        rest = np.where(left > 0, draw, -1.0)
        rest[leader] = -0.5  # itself, if no other has trials left
        return int(rest.argmax())

    def _rng(self, trials: Array, pending: Array, use: int) -> np.random.Generator:
        handed_out = int(trials.sum() + pending.sum())
        return np.random.default_rng([self.seed % 2**63, handed_out, use])
