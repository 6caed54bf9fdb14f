"""How well stated confidences match how often the answers are right: pure functions on arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers whose confidence lies in [low, high), the last bin with its end."""

    low: float
    high: float
    answers: int
    confidence: float
    accuracy: float


def brier(confidence: npt.ArrayLike, right: npt.ArrayLike) -> float:
    """Mean squared difference of confidence and outcome, in [0, 1]; lower is better.

    Brier 1950, "Verification of forecasts expressed in terms of probability", for two outcomes.

    Args:
        confidence: stated probabilities of being right, shape (k,), in [0, 1].
        right: 1 where the answer was right, else 0, shape (k,).

    Raises:
        ValueError: no answers, other shapes, or values outside [0, 1].
    """
    stated, hit = _checked(confidence, right)
    return float(np.mean((stated - hit) ** 2))


def reliability(confidence: npt.ArrayLike, right: npt.ArrayLike, bins: int = 10) -> tuple[Bin, ...]:
    """The bins of a reliability diagram, those without answers left out.

    Args:
        confidence, right: as ``brier``.
        bins: number of bins of equal width, ≥ 1.

    Raises:
        ValueError: as ``brier``, or no bins.
    """
    stated, hit = _checked(confidence, right)
    if bins < 1:
        raise ValueError("at least one bin is needed")
    place = np.minimum((stated * bins).astype(int), bins - 1)
    return tuple(
        Bin(
            low=index / bins,
            high=(index + 1) / bins,
            answers=int(inside.sum()),
            confidence=float(stated[inside].mean()),
            accuracy=float(hit[inside].mean()),
        )
        for index in range(bins)
        if (inside := place == index).any()
    )


def expected_calibration_error(
    confidence: npt.ArrayLike, right: npt.ArrayLike, bins: int = 10
) -> float:
    """Mean over answers of |confidence - accuracy| of their bin, in [0, 1].

    Guo et al. 2017, "On calibration of modern neural networks", section 2, equation 3. It depends
    on the bins and is biased upwards in small samples; the Brier score has neither fault.

    Args:
        confidence, right, bins: as ``reliability``.

    Raises:
        ValueError: as ``reliability``.
    """
    found = reliability(confidence, right, bins)
    total = sum(each.answers for each in found)
    return sum(each.answers * abs(each.confidence - each.accuracy) for each in found) / total


def _checked(
    confidence: npt.ArrayLike, right: npt.ArrayLike
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    stated = np.asarray(confidence, dtype=float)
    hit = np.asarray(right, dtype=float)
    if stated.ndim != 1 or stated.shape != hit.shape or not stated.size:
        raise ValueError(f"shapes {stated.shape} and {hit.shape}, expected (k,) twice, k ≥ 1")
    if not ((stated >= 0) & (stated <= 1)).all():
        raise ValueError("confidences must lie in [0, 1]")
    if not np.isin(hit, (0.0, 1.0)).all():
        raise ValueError("right must be 0 or 1")
    return stated, hit
