"""How far several judges agree: pure functions on arrays."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from buttress.statistics.krippendorff import alpha_of_counts

Array = npt.NDArray[np.float64]
RESAMPLES: Final = 2000


@dataclass(frozen=True, slots=True)
class Agreement:
    """``alpha`` with a percentile interval; NaN where nothing varies.

    ``disputed`` is the share of answers with at least two outcomes on which these differ; ``units``
    their number. ``outvoted`` says for each judge how often it alone stood against all others who
    decided, where at least two did; shape (judges,).
    """

    alpha: float
    low: float
    high: float
    disputed: float
    units: int
    outvoted: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        """For machines; None in place of NaN."""
        said = {name: _plain(value) for name, value in asdict(self).items() if name != "outvoted"}
        return said | {"outvoted": [_plain(share) for share in self.outvoted]}


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else value


def krippendorff_alpha(outcomes: Array) -> float:
    """Krippendorff's alpha for nominal data (Krippendorff 2018, Content Analysis, chapter 12).

    1 is perfect agreement, 0 what chance gives. NaN where fewer than two kinds of outcome occur.

    Args:
        outcomes: 0, 1 or NaN where a judge did not decide; shape (judges, answers).
    """
    known = ~np.isnan(outcomes)
    count = known.sum(axis=0).astype(float)
    failed = np.nansum(outcomes, axis=0)
    return _alpha(count, failed)


def _alpha(count: Array, failed: Array) -> float:
    return alpha_of_counts(np.stack([count - failed, failed], axis=1))


def agreement(outcomes: Array, *, seed: int = 0, level: float = 0.95) -> Agreement:
    """Agreement with a bootstrap interval over answers (Efron & Tibshirani 1993, chapter 13).

    Args:
        outcomes: as in ``krippendorff_alpha``.
        seed: of the resampling.
        level: of the interval. Samples in which nothing varies are left out of it.
    """
    known = ~np.isnan(outcomes)
    count = known.sum(axis=0).astype(float)
    failed = np.nansum(outcomes, axis=0)
    usable = count >= 2
    units = int(usable.sum())
    rng = np.random.default_rng(seed)
    low = high = float("nan")
    if units:
        places = np.flatnonzero(usable)
        drawn = rng.choice(places, (RESAMPLES, units))
        found = np.array([_alpha(count[each], failed[each]) for each in drawn])
        found = found[~np.isnan(found)]
        if found.size:
            low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    disputed = (failed > 0) & (failed < count) & usable
    return Agreement(
        alpha=_alpha(count, failed),
        low=float(low),
        high=float(high),
        disputed=float(disputed.sum() / units) if units else float("nan"),
        units=units,
        outvoted=tuple(_outvoted(outcomes, place) for place in range(len(outcomes))),
    )


def _outvoted(outcomes: Array, place: int) -> float:
    others = np.delete(outcomes, place, axis=0)
    enough = (~np.isnan(others)).sum(axis=0) >= 2
    use = enough & ~np.isnan(outcomes[place])
    if not use.any():
        return float("nan")
    against = np.all(np.isnan(others[:, use]) | (others[:, use] != outcomes[place, use]), axis=0)
    return float(against.mean())
