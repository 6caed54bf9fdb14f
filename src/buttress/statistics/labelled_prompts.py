"""The gambler on prompts whose trials have labels in part: trials of one prompt are one bet.

With S the sum of a prompt's labels, n its trials and c the most trials of a prompt, a bet b that
the rate lies below m multiplies the wealth by 1 + b (m n - S) / c. Prompts are independent and
E[S] = m E[n] at the true m, so the wealth is a supermartingale whatever trials of one prompt share;
c must come from the plan, not from the outcomes.
The rate is that of trials; where prompts have equally many it is also the mean of prompt means. For
prompts with one trial each it is the wealth of ``confidence``.

Of each prompt only the least and the most that S can be are known. The logarithm of the factor is
concave in S, so it lies above its chord between these ends. For a candidate k of the sum over all
prompts, the least sum of chords fills up the steepest first. So the wealth is never more than that
of the true labels, and is exact once all are known. Before, a prompt without labels counts as if
its trials failed all together or not at all.

Bets are mixed with the prior of ``confidence`` at a finite number of points, which is a prior too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)
_BETS: Final[Array] = (_NODES + 1) / 2  # u of ``confidence``: t = sin²(u v), m = sin²(v)
_SHARES: Final[Array] = np.log(_WEIGHTS / _WEIGHTS.sum())


@dataclass(frozen=True, slots=True)
class LabelledPrompts:
    """Kinds of prompts: ``count`` of them have ``trials`` trials, of which ``left`` lack a label.

    ``known`` is the sum of the labels of such a prompt. All of shape (kinds,).
    """

    trials: Array
    known: Array
    left: Array
    count: Array

    @classmethod
    def of(
        cls,
        prompts: npt.NDArray[np.int64],
        drawn: npt.NDArray[np.int64],
        labels: Array,
    ) -> LabelledPrompts:
        """From the prompt of each trial, shape (N,), and labels of the trials ``drawn``."""
        _, place = np.unique(prompts, return_inverse=True)
        prompt_count = int(place.max()) + 1 if place.size else 0
        trials = np.bincount(place, minlength=prompt_count).astype(float)
        known = np.bincount(place[drawn], labels, minlength=prompt_count)
        left = trials - np.bincount(place[drawn], minlength=prompt_count)
        rows = np.stack([trials, known, left], axis=1)
        kinds, count = np.unique(rows, axis=0, return_counts=True)
        return cls(kinds[:, 0], kinds[:, 1], kinds[:, 2], count.astype(float))

    @property
    def alone(self) -> bool:
        """Whether every prompt has one trial."""
        return bool((self.trials == 1).all())

    @property
    def concentration(self) -> float:
        """Σ n² / (Σ n)²: the variance of the rate over that of one trial, where prompts decide all.

        1/N where every prompt has one of the N trials.
        """
        total = float((self.count * self.trials).sum())
        return float((self.count * self.trials**2).sum()) / total**2 if total else 1.0


def log_wealth(prompts: LabelledPrompts, sums: Array, mean: float, *, above: bool) -> Array:
    """Log wealth of the gambler who bets that the rate lies above (or below) ``mean``.

    Args:
        prompts: what is known of them.
        sums: candidates for the sum of all labels, shape (k,), ascending.
        mean: candidate for the rate, in (0, 1).
        above: which side is bet on.
    """
    low = prompts.known
    if above:  # the same for successes
        low = prompts.trials - prompts.known - prompts.left
        sums = float((prompts.count * prompts.trials).sum()) - sums
        mean = 1 - mean
    angle = np.arcsin(np.sqrt(mean))
    bets = (mean - np.sin(_BETS * angle) ** 2) / (mean * (1 - mean))
    bets = bets[:, None] / prompts.trials.max()
    first = np.log1p(bets * (mean * prompts.trials - low))
    last = np.log1p(bets * (mean * prompts.trials - low - prompts.left))
    slopes = (last - first) / np.maximum(prompts.left, 1)
    start = first @ prompts.count
    filled = prompts.left * prompts.count
    logs = np.empty((len(bets), len(sums)))
    needed = sums - low @ prompts.count
    for row, slope in enumerate(slopes):
        steepest = np.argsort(slope)
        reached = np.concatenate([[0.0], filled[steepest].cumsum()])
        lost = np.concatenate([[0.0], (slope * filled)[steepest].cumsum()])
        logs[row] = start[row] + np.interp(needed, reached, lost)
    most = logs.max(axis=0)
    wealth: Array = most + np.log(np.exp(logs - most + _SHARES[:, None]).sum(axis=0))
    return wealth
