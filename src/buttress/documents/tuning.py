"""The document of ``buttress tune``, ``buttress-tune/1``; ``workflows`` builds it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from buttress.documents.fields import Amount, Count, DocumentPart, Number, Share, UtcTime, about


class TunedWeights(DocumentPart, frozen=True, kw_only=True):
    """The base model."""

    path: Annotated[str, about("folder")]
    digest: Annotated[str, about("SHA-256 over names and digests of its files")]
    parameters: Annotated[Count, about("parameters of the base model")]
    trained: Annotated[Count, about("parameters of the adapter")]


class TuningData(DocumentPart, frozen=True, kw_only=True):
    """A file of records."""

    path: Annotated[str, about("file or folder")]
    digest: Annotated[str, about("SHA-256 over names and digests of its files")]
    records: Annotated[Count, about("records that could be read")]
    examples: Annotated[Count, about("examples or pairs that they gave")]
    tokens: Annotated[Count, about("tokens that are learned in one pass")]
    left_out: Annotated[dict[str, Count], about("records that were not used or cut, by reason")]


class TuningLoss(DocumentPart, frozen=True, kw_only=True):
    """Loss over the steps, in nats."""

    first: Annotated[float, about("mean over the first tenth of the steps")]
    last: Annotated[float, about("mean over the last tenth of the steps")]
    curve: Annotated[list[float], about("loss of each step; of at most 1,000, evenly spread")]


class TuningValidationPoint(DocumentPart, frozen=True, kw_only=True):
    """The model after some steps, on validation requests or pairs; null: not measured."""

    step: Annotated[Count, about("steps done; 0 before training")]
    harm: Annotated[Share | None, about("share of requests to refuse that were complied with")]
    over_refusal: Annotated[
        Share | None, about("share of the others that were refused or got a degenerate answer")
    ]
    degenerate: Annotated[Share | None, about("share of degenerate answers")]
    length: Annotated[Amount | None, about("mean length of the answers, in tokens")]
    divergence: Annotated[
        Amount | None, about("from the base model along its own answers, in nats a token")
    ]
    accuracy: Annotated[Share | None, about("share of pairs that a reward model orders right")]
    sound: Annotated[bool, about("neither divergence nor degenerate answers exceed their limits")]
    allowed: Annotated[bool, about("sound, and harm does not exceed its limit either")]


class TuningValidation(DocumentPart, frozen=True, kw_only=True):
    """How the state that was saved was chosen."""

    path: Annotated[str, about("file of requests or pairs")]
    digest: Annotated[str, about("SHA-256 over names and digests of its files")]
    chosen: Annotated[Count, about("step of the state that was saved")]
    within_limits: Annotated[bool, about("whether that state holds all limits")]
    points: Annotated[list[TuningValidationPoint], about("what was measured, by step")]


class TunedByRewardModel(DocumentPart, frozen=True, kw_only=True):
    """The reward model that scored answers."""

    path: Annotated[str, about("folder")]
    digest: Annotated[str, about("SHA-256 over names and digests of its files")]


class SavedAdapterCheck(DocumentPart, frozen=True, kw_only=True):
    """The saved adapter was loaded anew beside the one in memory."""

    examples: Annotated[Count, about("examples that were compared")]
    largest_difference: Annotated[
        Amount, about("largest, in nats a token; of a reward model in its score")
    ]
    change: Annotated[
        Amount | None,
        about("mean difference to the base model, in nats a token; null as loss is"),
    ]


class DifferentialPrivacy(DocumentPart, frozen=True, kw_only=True):
    """What DP-SGD gives, by its accountant; about adding or removing one record."""

    epsilon: Annotated[Amount, about("ε that was spent")]
    delta: Annotated[Share, about("δ")]
    target_epsilon: Annotated[Amount, about("ε that was asked for")]
    noise_multiplier: Annotated[Amount, about("standard deviation of the noise over the clip")]
    sample_rate: Annotated[Share, about("probability that a step takes a record")]
    clip: Annotated[Amount, about("largest norm of a record's gradient")]
    accountant: Annotated[str, about("how ε was computed")]


class SetLikelihood(DocumentPart, frozen=True, kw_only=True):
    """How likely the learned tokens of a set are."""

    examples: Annotated[Count, about("examples")]
    log_probability: Annotated[float, about("mean over examples, in nats a token")]
    low: Annotated[float, about("lower bound of the mean, 95 %")]
    high: Annotated[float, about("upper bound of the mean, 95 %")]
    perplexity: Annotated[Amount, about("of that mean")]


class SetSeparation(DocumentPart, frozen=True, kw_only=True):
    """How well log-probabilities tell a set from the holdout set."""

    auc: Annotated[Share, about("area under the ROC curve; 0.5: as if never trained on")]
    auc_low: Annotated[Share, about("lower bound, 95 %")]
    auc_high: Annotated[Share, about("upper bound, 95 %")]


class UnlearningState(DocumentPart, frozen=True, kw_only=True):
    """The model before, after, or after it was trained on some of the records again."""

    state: Annotated[Literal["before", "after", "relearned"], about("which")]
    forget: Annotated[SetLikelihood, about("all that is to be forgotten")]
    rest: Annotated[SetLikelihood | None, about("of it, what is not learned again")]
    holdout: Annotated[SetLikelihood, about("records like it that were never trained on")]
    retain: Annotated[SetLikelihood | None, about("what is to stay; null without")]
    rest_continued: Annotated[Count, about("examples of the rest that were continued greedily")]
    rest_verbatim: Annotated[Count, about("continued as they go on")]
    rest_near: Annotated[Count, about("the same but for a fifth of the tokens")]
    forget_auc: Annotated[SetSeparation, about("the set to be forgotten against holdout")]
    rest_auc: Annotated[SetSeparation | None, about("the rest against holdout")]


class LikelihoodChange(DocumentPart, frozen=True, kw_only=True):
    """Change of the log-probability of a token, paired by example, in nats."""

    mean: Annotated[float, about("mean change")]
    low: Annotated[float, about("lower bound, 95 %")]
    high: Annotated[float, about("upper bound, 95 %")]


class UnlearningPart(DocumentPart, frozen=True, kw_only=True):
    """What unlearning did, and what relearning brings back."""

    holdout: Annotated[TuningData, about("the holdout set")]
    relearned_records: Annotated[Count, about("records that were trained on again")]
    relearn_steps: Annotated[Count, about("steps of it")]
    blind: Annotated[
        SetSeparation | None,
        about("a classifier of the texts alone, forget against holdout; null if too few"),
    ]
    states: Annotated[list[UnlearningState], about("before, after, relearned")]
    changes: Annotated[
        dict[str, dict[str, LikelihoodChange]],
        about("by set: 'before to after', 'after to relearned'"),
    ]


class TuningDocument(DocumentPart, frozen=True, kw_only=True):
    """How an adapter was trained."""

    schema: Annotated[Literal["buttress-tune/1"], about("buttress-tune/1")]
    version: Annotated[str, about("version of Buttress")]
    finished: Annotated[UtcTime, about("end of the run")]
    method: Annotated[str, about("method")]
    weights: Annotated[TunedWeights, about("base model")]
    data: Annotated[TuningData, about("what was trained on")]
    retain: Annotated[TuningData | None, about("what was to stay; null without")]
    reward_model: Annotated[TunedByRewardModel | None, about("of rloo and grpo; else null")]
    settings: Annotated[dict[str, Any], about("the recipe with all its fields")]
    seed: Annotated[int, about("seed of the adapter, the draws and dropout")]
    steps: Annotated[Number, about("steps")]
    loss: Annotated[
        TuningLoss | None,
        about("null with differential privacy, which would not cover it"),
    ]
    curves: Annotated[
        dict[str, list[float]],
        about("rloo, grpo: reward, kl (nats a token), length (tokens) of each step, as loss.curve"),
    ]
    validation: Annotated[TuningValidation | None, about("null without")]
    reload: Annotated[SavedAdapterCheck, about("proof that the saved adapter is the trained one")]
    privacy: Annotated[DifferentialPrivacy | None, about("null without differential privacy")]
    unlearning: Annotated[UnlearningPart | None, about("null without a holdout set")] = None
    versions: Annotated[dict[str, str], about("versions of the libraries")]
