"""The document of ``buttress preferences score``, ``buttress/reward-model/1``."""

from __future__ import annotations

from typing import Annotated, Literal

from buttress.documents.fields import Amount, Count, DocumentPart, Number, Share, about


class ScoredShare(DocumentPart, frozen=True, kw_only=True):
    """A share of pairs with its 95 % interval; pairs of one prompt are one observation."""

    estimate: Annotated[Share | None, about("mean over prompts; null without any pair")]
    low: Annotated[Share, about("lower end of the 95 % interval")]
    high: Annotated[Share, about("upper end of the 95 % interval")]
    pairs: Annotated[Count, about("pairs that it rests on")]


class ScoredFigure(DocumentPart, frozen=True, kw_only=True):
    """A figure with its 95 % interval."""

    estimate: Annotated[float | None, about("null where it is not defined")]
    low: Annotated[float | None, about("lower end of the 95 % interval; null below ten prompts")]
    high: Annotated[float | None, about("upper end of the 95 % interval; null below ten prompts")]


class ScoreCalibration(DocumentPart, frozen=True, kw_only=True):
    """Probabilities of Bradley and Terry beside what people chose."""

    error: Annotated[Share, about("expected calibration error, ten bins of equally many pairs")]
    error_by_chance: Annotated[Share, about("the same on average if the probabilities were right")]
    brier: Annotated[Share, about("mean squared error of the probabilities")]
    slope: Annotated[ScoredFigure, about("best factor on score differences; below 1: too sure")]


class LengthDependence(DocumentPart, frozen=True, kw_only=True):
    """How far the scores follow the length of answers, and how far people do."""

    correlation: Annotated[ScoredFigure, about("of differences in score and in characters")]
    people_choose_longer: Annotated[ScoredShare, about("pairs whose chosen answer is the longer")]
    model_prefers_longer: Annotated[ScoredShare, about("pairs whose longer answer scores higher")]
    accuracy_chosen_longer: Annotated[ScoredShare, about("accuracy where the chosen is longer")]
    accuracy_chosen_shorter: Annotated[ScoredShare, about("accuracy where the chosen is shorter")]


class PositionDependence(DocumentPart, frozen=True, kw_only=True):
    """How far the scores follow the place of answers; by chance both accuracies agree."""

    people_choose_first: Annotated[ScoredShare, about("pairs whose chosen answer stands first")]
    model_prefers_first: Annotated[ScoredShare, about("pairs whose first answer scores higher")]
    accuracy_chosen_first: Annotated[ScoredShare, about("accuracy where the chosen stands first")]
    accuracy_chosen_second: Annotated[ScoredShare, about("accuracy where it stands second")]


class BestOfNPoint(DocumentPart, frozen=True, kw_only=True):
    """The answer with the highest proxy score of n; means over prompts."""

    n: Annotated[Number, about("samples of which one is taken")]
    kl: Annotated[Amount, about("upper bound on the distance from the model, nats")]
    proxy: Annotated[float, about("mean proxy score")]
    gold: Annotated[float, about("mean gold score")]
    low: Annotated[float, about("lower end of its 95 % interval")]
    high: Annotated[float, about("upper end of its 95 % interval")]
    loss: Annotated[float, about("gold score at the largest n less that at this n")]
    loss_low: Annotated[float, about("lower end; intervals of all n hold together with 95 %")]
    loss_high: Annotated[float, about("upper end")]


class Overoptimisation(DocumentPart, frozen=True, kw_only=True):
    """Best-of-n against a gold judge."""

    prompts: Annotated[Count, about("prompts with samples")]
    points: Annotated[list[BestOfNPoint], about("by n")]
    verdict: Annotated[
        Literal["overoptimised", "improves", "undecided"],
        about("overoptimised: gold falls for certain towards the largest n; improves: it is "
              "higher there than at 1 for certain, and nowhere falls for certain"),
    ]  # fmt: skip


class RewardModelDocument(DocumentPart, frozen=True, kw_only=True):
    """A reward model on held-out pairs."""

    schema: Annotated[Literal["buttress/reward-model/1"], about("buttress/reward-model/1")]
    files: Annotated[list[str], about("names of the files that were read")]
    pairs: Annotated[Count, about("pairs with a decided choice")]
    undecided: Annotated[Count, about("tied or skipped pairs, left out")]
    prompts: Annotated[Count, about("distinct prompts")]
    tied_scores: Annotated[Count, about("pairs with equal scores; they count half in accuracy")]
    accuracy: Annotated[ScoredShare, about("pairs whose chosen answer scores higher")]
    calibration: Annotated[ScoreCalibration, about("of Bradley-Terry probabilities")]
    length: Annotated[LengthDependence, about("dependence on length")]
    position: Annotated[PositionDependence | None, about("null where no place is known")]
    best_of_n: Annotated[Overoptimisation | None, about("null without --best-of")]
