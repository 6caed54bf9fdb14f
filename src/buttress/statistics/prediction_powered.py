"""A rate from a judge's scores for all trials and true labels for a few, drawn with known chances.

Prediction-powered inference (Angelopoulos et al. 2023, arXiv:2301.09633): scores of all trials give
the rate that the judge believes in, labels of some give its error. With unequal chances of being
labelled it is active inference (Zrnic & Candès 2024, arXiv:2403.03208). Labels are drawn one after
the other, never one trial twice (Shekhar, Xu, Lipton, Liang & Ramdas 2023, "Risk-limiting financial
audits via weighted sampling without replacement", arXiv:2305.06884): draw t takes trial I out of
those left with chance q(I), and with predictions g for the trials left

    X = (sum of labels so far + sum of g + (label(I) - g(I)) / q(I)) / N

has the mean of all N labels, theta, as its expectation given all before, whatever g is. ``power``
tuning (PPI++, Angelopoulos, Duchi & Zrnic 2023, arXiv:2311.01453) takes g = power * score, with the
power that made the past X vary least: 0 where scores say nothing. A trial labelled with chance 1
is known and is no draw.

The interval is a betting confidence sequence (``confidence`` has the idea): the wealth against m is
the mean over a few sizes of bets of the product of 1 + bet (X - m). Bets come from the past alone
and are small enough for the wealth to stay positive whatever the label says, for which the chances
have a floor: q >= floor / (trials left). The wealth falls as m rises, so the bound is one number.
It may be looked at after each label. ``normal`` is the interval of the martingale central limit
theorem, which holds for a number of labels that was fixed beforehand, and only roughly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from buttress.statistics.labelled_prompts import LabelledPrompts

Array = npt.NDArray[np.float64]
FLOOR: Final = 0.8  # share of the chances that is the same for all; docs/labelling.md has why
_SIZES: Final[Array] = np.array([0.5, 1.0, 2.0])  # of bets
_BOLDEST: Final = 0.9  # share of the wealth that one label may cost
_PRIOR: Final = 4.0  # labels that the judge's own word about its errors is worth
_STEPS: Final = 50
_TINY: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Draws:
    """Labels in the order in which they were drawn, from a population of N trials.

    ``scores``: shape (N,), in [0, 1]. ``drawn``: places in it, shape (T,), none twice. ``labels``:
    in [0, 1], shape (T,). ``chances``: shape (T,), with which each was drawn out of those left, at
    least ``floor`` / (trials left). ``prompts``: number of the prompt of each trial, shape (N,);
    None where no two trials share one.
    """

    scores: Array
    drawn: npt.NDArray[np.int64]
    labels: Array
    chances: Array
    floor: float = FLOOR
    prompts: npt.NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        if not len(self.drawn) == len(self.labels) == len(self.chances):
            raise ValueError("drawn, labels and chances must have one length")
        if self.prompts is not None and len(self.prompts) != len(self.scores):
            raise ValueError("prompts and scores must have one length")
        if len(set(self.drawn.tolist())) != len(self.drawn):
            raise ValueError("a trial was drawn twice")
        for name in ("scores", "labels", "chances"):
            values = getattr(self, name)
            if values.size and not (values.min() >= 0 and values.max() <= 1):
                raise ValueError(f"{name} must lie in [0, 1]")
        left = len(self.scores) - np.arange(len(self.drawn))
        if (self.chances * left < self.floor * (1 - 1e-9)).any():
            raise ValueError(f"a chance below {self.floor} / trials left")


@dataclass(frozen=True, slots=True)
class Path:
    """What the draws come to: X of each, the least and most that it could have been, its bets.

    ``values``, ``least``, ``most``: shape (T',), for the draws with a chance below 1. ``bets``: the
    bet of size 1 on each, in units of 1/X. ``weights``: of each X in the estimate. ``believed``:
    the mean of the scores. ``known``: sum of the labels so far; ``left``: trials without one.
    ``prompts``: the same by prompt.
    """

    values: Array
    least: Array
    most: Array
    bets: Array
    weights: Array
    power: float
    believed: float
    known: float
    left: int
    total: int
    prompts: LabelledPrompts

    @property
    def range(self) -> tuple[float, float]:
        """What the rate can still be, whatever the trials left turn out to be."""
        if not self.total:
            return 0.0, 1.0
        return self.known / self.total, (self.known + self.left) / self.total


def chances(scores: Array, floor: float = FLOOR) -> Array:
    """Chances of being drawn next, for the trials left; shape (n,), their sum is 1.

    In proportion to the standard deviation sqrt(p (1 - p)) of a label about a score p that is a
    probability (Zrnic & Candès 2024, section 4.1), mixed with the uniform law.

    Args:
        scores: of the trials left, shape (n,), n > 0.
        floor: share of the uniform law; 1 draws all alike.
    """
    uniform = np.full(len(scores), 1 / len(scores))
    unsure = np.sqrt(scores * (1 - scores))
    total = unsure.sum()
    if total <= _TINY:
        return uniform
    mixed: Array = (1 - floor) * unsure / total + floor * uniform
    return mixed


def follow(draws: Draws, alpha: float, *, power: float | None = None) -> Path:
    """Each draw's X and bet.

    Args:
        draws: the labels.
        alpha: the error for which bets are sized; any is valid.
        power: of the scores; None tunes it, 0 leaves them out.
    """
    scores, size = draws.scores, len(draws.scores)
    remaining, sum_left = size, float(scores.sum())
    low_left, high_left = (float(scores.min()), float(scores.max())) if size else (0.0, 0.0)
    spread = float((scores * (1 - scores)).mean()) if size else 0.0
    noise = _PRIOR * max(spread, 0.25 / max(1, size))
    noises, precision = _PRIOR, 0.0
    covered = varied = _PRIOR * (float(scores.var()) if size else 0.0)
    known = mean = mass = 0.0
    rows: list[tuple[float, float, float, float, float]] = []
    tuned = 1.0 if power is None else power
    for place, label, chance in zip(draws.drawn, draws.labels, draws.chances, strict=True):
        score = float(scores[place])
        if chance < 1:
            share = remaining / size
            base = (known + tuned * sum_left) / size
            reach = share / draws.floor
            value = base + (label - tuned * score) / (chance * size)
            least = base - tuned * high_left * reach
            most = base + (1 - tuned * low_left) * reach
            variance = noise / noises * share**2
            precision += 1 / variance
            bet = float(np.sqrt(-2 * np.log(alpha) / precision)) / variance
            weight = 1 / share**2
            rows.append((value, least, most, bet, weight))
            mass += weight
            about = mean if mass > weight else base
            mean += (value - mean) * weight / mass
            noise += ((value - about) / share) ** 2
            noises += 1
            if power is None:
                plain = (known + label / chance) / size
                control = (score / chance - sum_left) / size
                covered += (plain - mean) * control * weight
                varied += control**2 * weight
                tuned = min(1.0, max(0.0, covered / varied)) if varied > _TINY else 0.0
        known += float(label)
        remaining -= 1
        sum_left -= score
    columns = np.array(rows, dtype=float).reshape(-1, 5).T
    return Path(
        values=columns[0],
        least=columns[1],
        most=columns[2],
        bets=columns[3],
        weights=columns[4],
        power=tuned,
        believed=float(scores.mean()) if size else 0.5,
        known=known,
        left=remaining,
        total=size,
        prompts=LabelledPrompts.of(
            np.arange(size) if draws.prompts is None else draws.prompts, draws.drawn, draws.labels
        ),
    )


def log_wealth(path: Path, means: npt.ArrayLike, *, above: bool) -> Array:
    """Log wealth of the gambler who bets that the rate lies above (or below) each candidate.

    Args:
        path: from ``follow``.
        means: candidates in [0, 1], shape (k,).
        above: which side is bet on.
    """
    m = np.asarray(means, dtype=float)[:, None]
    sign = 1.0 if above else -1.0
    gap = m - path.least if above else path.most - m
    boldest = _BOLDEST / np.maximum(gap, _TINY)
    gains = sign * (path.values - m)
    logs = [np.log1p(np.minimum(size * path.bets, boldest) * gains).sum(axis=1) for size in _SIZES]
    wealth: Array = np.logaddexp.reduce(np.array(logs), axis=0) - np.log(len(_SIZES))
    lowest, highest = path.range
    impossible = m[:, 0] < lowest - 1e-9 if above else m[:, 0] > highest + 1e-9
    return np.where(impossible, np.inf, wealth)


def bounds(path: Path, alpha_low: float, alpha_high: float) -> tuple[float, float]:
    """Lower and upper bound on the rate among all N trials.

    Each is ever wrong, after whatever number of labels, with at most its probability.
    """
    need = -np.log([alpha_low, alpha_high])
    first, last = path.range
    low, high = (first, last), (first, last)
    for _ in range(_STEPS):
        middle = ((low[0] + low[1]) / 2, (high[0] + high[1]) / 2)
        under = log_wealth(path, [middle[0]], above=True)[0] >= need[0]
        over = log_wealth(path, [middle[1]], above=False)[0] >= need[1]
        low = (middle[0], low[1]) if under else (low[0], middle[0])
        high = (high[0], middle[1]) if over else (middle[1], high[1])
    return low[0], high[1]


def estimate(path: Path) -> float:
    """The weighted mean of the X, within what is possible; what the judge believes before them."""
    first, last = path.range
    if path.total and not path.left:
        return first
    if not len(path.values):
        return min(max(path.believed, first), last)
    return float(np.clip(np.average(path.values, weights=path.weights), first, last))


def standard_error(path: Path) -> float:
    """Of ``estimate``, by the spread of the X; infinite before the second draw, 0 after the last.

    The X are martingale differences about the rate, so the squares of their weighted deviations
    add up to the variance (martingale central limit theorem, Hall & Heyde 1980, section 3.2).
    """
    count = len(path.values)
    if not path.left:
        return 0.0
    if count < 2:
        return float("inf")
    mean = np.average(path.values, weights=path.weights)
    squares = float((path.weights**2 * (path.values - mean) ** 2).sum())
    return float(np.sqrt(squares * count / (count - 1)) / path.weights.sum())
