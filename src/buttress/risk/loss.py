"""What the possible worlds say: means, quantiles with their error, bands, what moves them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from buttress.risk.scenario import Losses

Array = npt.NDArray[np.float64]
_POINTS: Final = 64  # of a curve
_GROUPS: Final = 8  # of worlds, whose spread tells the simulation's error
_THINNED: Final = 4  # of so many worlds one is enough for a single risk's quantile
_LEAST_CHANCE: Final = 1e-3  # up to which curves are drawn
_SMALLEST: Final = 1e-7  # of the cap, from which amounts are looked at
_INPUTS: Final = 12  # of the tornado
FREQUENCY: Final = "How often the scenario comes up"
_BAND: Final = (0.05, 0.5, 0.95)
_ENDS: Final = (0.05, 0.95)  # of an input's 90 % range


def summary(losses: Losses, currency: str) -> dict[str, Any]:
    """The document's ``loss``."""
    amounts = np.geomspace(losses.model.cap * _SMALLEST, losses.model.cap * (1 - 1e-9), 400)
    worlds = losses.exceedance(amounts)
    overall = worlds.mean(axis=0)
    means = losses.means
    total = float(means.sum())
    order = np.argsort(-means)
    groups = [group.mean(axis=0) for group in np.array_split(worlds, _GROUPS)]
    quantiles = {name: _quantile(amounts, overall, tail) for name, tail in _TAILS.items()}
    errors = {
        name: float(np.std([_quantile(amounts, one, tail) for one in groups], ddof=1))
        / _GROUPS**0.5
        for name, tail in _TAILS.items()
    }
    measured = [scenario.measured for scenario in losses.scenarios]
    shown = _shown(overall)
    return {
        "unit": currency,
        "period": "year",
        "mean": total,
        "mean_measured": float(means[measured].sum()) if any(measured) else 0.0,
        "cap": losses.model.cap,
        "beyond_cap": float(overall[-1]),
        **quantiles,
        "error": errors,
        "exceedance": _curve(amounts, overall, shown),
        "band": {
            name: _curve(amounts, np.quantile(worlds, share, axis=0), shown)
            for name, share in zip(("low", "middle", "high"), _BAND, strict=True)
        },
        "sensitivity": [
            {
                "risk": losses.scenarios[place].risk.id,
                "title": losses.scenarios[place].risk.title,
                "share": float(means[place] / total) if total > 0 else 0.0,
                "mean": float(means[place]),
                "measured": measured[place],
            }
            for place in order
        ],
        "inputs": inputs(losses),
        "draws": int(losses.rates.shape[0]),
    }


_TAILS: Final = {"median": 0.5, "p95": 0.05, "p99": 0.01}


def of_risk(losses: Losses, risk: str) -> dict[str, float]:
    """One risk's ``loss``: mean, 95th percentile, and share of the mean total."""
    place = next(at for at, one in enumerate(losses.scenarios) if one.risk.id == risk)
    amounts = np.geomspace(losses.model.cap * _SMALLEST, losses.model.cap * (1 - 1e-9), 200)
    some = replace(losses, rates=losses.rates[::_THINNED])
    chances = some.exceedance(amounts, place).mean(axis=0)
    total, mean = float(losses.means.sum()), float(losses.means[place])
    return {
        "mean": mean,
        "p95": _quantile(amounts, chances, 0.05),
        "share": mean / total if total > 0 else 0.0,
    }


def _quantile(amounts: Array, chances: Array, tail: float) -> float:
    """The amount that is exceeded with probability ``tail``; 0 where any loss is rarer."""
    chances = np.minimum.accumulate(chances)
    if chances[0] <= tail:
        return 0.0
    if chances[-1] > tail:
        return float(amounts[-1])
    return float(np.exp(np.interp(-tail, -chances, np.log(amounts))))


def _shown(chances: Array) -> npt.NDArray[np.int64]:
    """Numbers of the points that a curve is drawn with."""
    enough = np.flatnonzero(chances >= _LEAST_CHANCE)
    if not enough.size:
        return enough
    chosen = np.linspace(enough[0], enough[-1], min(_POINTS, enough.size))
    return np.unique(chosen.astype(np.int64))


def _curve(amounts: Array, chances: Array, shown: npt.NDArray[np.int64]) -> list[list[float]]:
    return [[float(amounts[at]), float(min(1.0, chances[at]))] for at in shown]


def inputs(losses: Losses) -> list[dict[str, Any]]:
    """What moves the mean most: each input at the ends of its 90 % range, and its worth if known.

    The mean of a risk is proportional to each of its inputs, but for the shared cause, so that the
    mean given an input is known without simulation; none is above the cap. ``evppi`` is the
    expected value of partial perfect information (Raiffa & Schlaifer 1961) for whoever decides to
    go ahead or not and to whom that is worth just the mean loss: at any other worth, knowing is
    worth less.
    """
    means = losses.means
    total = float(means.sum())
    rows = []
    for place, scenario in enumerate(losses.scenarios):
        titles = {barrier.id: barrier.title for barrier in scenario.risk.barriers}
        for one in scenario.inputs:
            mean = max(one.mean, 1e-300)
            known = _with(total, means[place], one.values / mean, losses.model.cap)
            low, high = _with(total, means[place], one.at(_ENDS) / mean, losses.model.cap)
            rows.append(
                {
                    "risk": scenario.risk.id,
                    "input": one.name,
                    "title": titles.get(one.name, FREQUENCY),
                    "low": float(low),
                    "high": float(high),
                    "evppi": float(np.abs(known - total).mean() / 2),
                }
            )
    rows.sort(key=lambda row: -float(str(row["evppi"])))
    return rows[:_INPUTS]


def _with(total: float, part: float, factors: Array, cap: float) -> Array:
    """The mean loss where a part of it is multiplied by each factor; at most the cap."""
    changed: Array = np.clip(total + (factors - 1.0) * part, 0.0, cap)
    return changed
