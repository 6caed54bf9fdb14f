"""Best-of-n against a proxy reward: what a gold judge thinks of the answers that it picks.

Gao, Schulman & Hilton 2023, *Scaling laws for reward model overoptimization*: of n samples the one
with the highest proxy score is taken; its mean gold score rises with n, then may fall. The distance
from the model is at most log n - (n - 1) / n nats (Beirami et al. 2024, *Theoretical guarantees on
the best-of-n alignment policy*). From N samples a prompt the mean over all choices of n is exact:
the sample of rank i by proxy is the best of C(i - 1, n - 1) of the C(N, n) choices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, log
from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
RESAMPLES: Final = 2000


@dataclass(frozen=True, slots=True)
class BestOfN:
    """Means over prompts of the answer taken, with 95 % bootstrap intervals.

    Args:
        n: samples of which one is taken.
        kl: upper bound on the distance from the model, nats.
        proxy: mean proxy score of the answer taken.
        gold: mean gold score, from ``low`` to ``high``.
        loss: gold score at the largest n less that at this n, from ``loss_low`` to ``loss_high``;
            these intervals hold together over all n (Bonferroni).
    """

    n: int
    kl: float
    proxy: float
    gold: float
    low: float
    high: float
    loss: float
    loss_low: float
    loss_high: float


def kl_bound(n: int) -> float:
    """Upper bound on the distance of best-of-n from the model, nats."""
    return log(n) - (n - 1) / n


def selection_weights(proxy: Array, n: int) -> Array:
    """Chance that each sample is taken as the best of n of them, ties broken at random.

    Args:
        proxy: proxy scores, shape (N,).
        n: from 1 to N.
    """
    order = np.argsort(proxy, kind="stable")
    total = comb(len(proxy), n)
    by_rank = np.array([comb(rank, n - 1) / total for rank in range(len(proxy))])
    _, tied, sizes = np.unique(proxy[order], return_inverse=True, return_counts=True)
    weights = np.empty(len(proxy))
    weights[order] = (np.bincount(tied, by_rank) / sizes)[tied]
    return weights


def best_of_n(
    proxy: Sequence[Array], gold: Sequence[Array], *, seed: int = 0, level: float = 0.95
) -> list[BestOfN]:
    """The curve at n = 1, 2, 4, … up to the fewest samples that a prompt has, which is the last n.

    Args:
        proxy, gold: scores of each prompt's samples, shape (N,) each, N at least 2.
        seed: of the resampling of prompts.
        level: of the intervals.

    Raises:
        ValueError: no prompt, fewer than two samples, or shapes that differ.
    """
    most = min((len(each) for each in proxy), default=0)
    if most < 2 or any(len(p) != len(g) for p, g in zip(proxy, gold, strict=True)):
        raise ValueError("two samples of each prompt are needed, with both scores")
    sizes = [n for n in (2**power for power in range(32)) if n < most] + [most]
    mean = {"proxy": np.empty((len(proxy), len(sizes))), "gold": np.empty((len(proxy), len(sizes)))}
    for row, (p, g) in enumerate(zip(proxy, gold, strict=True)):
        for column, n in enumerate(sizes):
            weights = selection_weights(p, n)
            mean["proxy"][row, column] = weights @ p
            mean["gold"][row, column] = weights @ g
    loss = mean["gold"][:, -1:] - mean["gold"]
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, len(proxy), (RESAMPLES, len(proxy)))
    share = np.stack([np.bincount(each, minlength=len(proxy)) for each in drawn]) / len(proxy)
    gold_low, gold_high = _quantiles(share @ mean["gold"], level)
    together = 1 - (1 - level) / max(1, len(sizes) - 1)
    loss_low, loss_high = _quantiles(share @ loss, together)
    return [
        BestOfN(
            n, kl_bound(n), float(mean["proxy"][:, at].mean()), float(mean["gold"][:, at].mean()),
            float(gold_low[at]), float(gold_high[at]), float(loss[:, at].mean()),
            float(loss_low[at]), float(loss_high[at]),
        )
        for at, n in enumerate(sizes)
    ]  # fmt: skip


def _quantiles(values: Array, level: float) -> tuple[Array, Array]:
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high
