"""A reward model on held-out pairs: its scores come from a file, so that any model will do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from buttress.documents.reward_model import (
    BestOfNPoint,
    LengthDependence,
    Overoptimisation,
    PositionDependence,
    RewardModelDocument,
    ScoreCalibration,
    ScoredFigure,
    ScoredShare,
)
from buttress.interchange.scores import ScoredPair, read_samples, read_scored_pairs
from buttress.statistics import preference_scores
from buttress.statistics.best_of_n import BestOfN, best_of_n
from buttress.statistics.preference_scores import Prompts, ScoreFigure

Flags = npt.NDArray[np.bool_]


def score_reward_model(path: Path, samples: Path | None = None, *, seed: int = 0) -> dict[str, Any]:
    """Accuracy, calibration, and what else the scores follow; ``buttress/reward-model/1``.

    Args:
        path: scored pairs (``interchange.scores``).
        samples: proxy and gold scores of samples, for best-of-n.
        seed: of the resampling.

    Raises:
        InputError: not usable; names file, line and field.
        MissingExtraError: Parquet without pyarrow.
    """
    pairs, undecided = read_scored_pairs(path)
    numbers = {prompt: at for at, prompt in enumerate(dict.fromkeys(one.prompt for one in pairs))}
    prompts = np.array([numbers[one.prompt] for one in pairs], dtype=np.int64)
    difference = np.array([one.chosen_score - one.rejected_score for one in pairs])
    calibration = preference_scores.calibration(difference, prompts, seed=seed)
    document = RewardModelDocument(
        schema="buttress/reward-model/1",
        files=[one.name for one in (path, samples) if one is not None],
        pairs=len(pairs),
        undecided=undecided,
        prompts=len(numbers),
        tied_scores=int((difference == 0).sum()),
        accuracy=_share(preference_scores.accuracy(difference, prompts)),
        calibration=ScoreCalibration(
            error=calibration.error,
            error_by_chance=calibration.error_by_chance,
            brier=calibration.brier,
            slope=_figure(calibration.slope),
        ),
        length=_length(pairs, difference, prompts, seed),
        position=_position(pairs, difference, prompts),
        best_of_n=None if samples is None else _overoptimisation(samples, seed),
    )
    built: dict[str, Any] = msgspec.to_builtins(document)
    return built


def _length(
    pairs: Sequence[ScoredPair], difference: preference_scores.Array, prompts: Prompts, seed: int
) -> LengthDependence:
    longer = np.array([float(len(one.chosen) - len(one.rejected)) for one in pairs])
    differs = longer != 0
    return LengthDependence(
        correlation=_figure(
            preference_scores.length_correlation(difference, longer, prompts, seed=seed)
        ),
        people_choose_longer=_of(longer > 0, prompts, differs),
        model_prefers_longer=_of(difference * longer > 0, prompts, differs & (difference != 0)),
        accuracy_chosen_longer=_accuracy(difference, prompts, longer > 0),
        accuracy_chosen_shorter=_accuracy(difference, prompts, longer < 0),
    )


def _position(
    pairs: Sequence[ScoredPair], difference: preference_scores.Array, prompts: Prompts
) -> PositionDependence | None:
    known = np.array([one.chosen_first is not None for one in pairs])
    if not known.any():
        return None
    first = np.array([bool(one.chosen_first) for one in pairs])
    prefers_first = np.where(first, difference > 0, difference < 0)
    return PositionDependence(
        people_choose_first=_of(first, prompts, known),
        model_prefers_first=_of(prefers_first, prompts, known & (difference != 0)),
        accuracy_chosen_first=_accuracy(difference, prompts, known & first),
        accuracy_chosen_second=_accuracy(difference, prompts, known & ~first),
    )


def _overoptimisation(path: Path, seed: int) -> Overoptimisation:
    samples = read_samples(path)
    proxy = [np.array(scores) for scores, _ in samples.values()]
    gold = [np.array(scores) for _, scores in samples.values()]
    points = best_of_n(proxy, gold, seed=seed)
    return Overoptimisation(
        prompts=len(samples), points=[_point(one) for one in points], verdict=_verdict(points)
    )


def _verdict(points: Sequence[BestOfN]) -> Literal["overoptimised", "improves", "undecided"]:
    if any(one.loss_high < 0 for one in points[:-1]):
        return "overoptimised"
    return "improves" if points[0].loss_low > 0 else "undecided"


def _point(one: BestOfN) -> BestOfNPoint:
    return BestOfNPoint(
        n=one.n, kl=one.kl, proxy=one.proxy, gold=one.gold, low=one.low, high=one.high,
        loss=one.loss, loss_low=one.loss_low, loss_high=one.loss_high,
    )  # fmt: skip


def _of(flags: Flags, prompts: Prompts, among: Flags) -> ScoredShare:
    values = flags[among].astype(float)
    return _share(preference_scores.mean_by_prompt(values, prompts[among]))


def _accuracy(difference: preference_scores.Array, prompts: Prompts, among: Flags) -> ScoredShare:
    return _share(preference_scores.accuracy(difference[among], prompts[among]))


def _share(one: ScoreFigure) -> ScoredShare:
    return ScoredShare(estimate=_known(one.estimate), low=one.low, high=one.high, pairs=one.count)


def _figure(one: ScoreFigure) -> ScoredFigure:
    return ScoredFigure(estimate=_known(one.estimate), low=_known(one.low), high=_known(one.high))


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
