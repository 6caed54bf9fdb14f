"""The document of ``buttress explain MANIFEST``, ``buttress/endpoint-explanation/1``."""

from __future__ import annotations

from typing import Annotated, Literal

from buttress.documents.explanation import FaithfulnessFigures
from buttress.documents.fields import Count, DocumentPart, Number, Share, about


class JudgedAnswer(DocumentPart, frozen=True, kw_only=True):
    """An answer to a prompt and what the judge decided."""

    prompt: Annotated[str, about("what was asked, without the system prompt")]
    answer: Annotated[str, about("what the target answered")]
    failed: Annotated[bool, about("whether the answer is a failure")]
    score: Annotated[Share, about("the judge's probability of a failure")]
    decision: Annotated[str, about("refuses, complies or neither, where the judge says so")]
    reason: Annotated[str, about("the judge's reason")]


class SpanAttribution(DocumentPart, frozen=True, kw_only=True):
    """What each span adds to a score, by removing it."""

    method: Annotated[
        Literal["occlusion", "log-probabilities"],
        about("occlusion: probability, by the judge, that the decision stays; log-probabilities: "
              "log probability of the answer's first token, nats"),
    ]  # fmt: skip
    values: Annotated[list[float], about("one for each of spans")]
    whole: Annotated[float, about("score of the whole prompt")]
    censored: Annotated[
        Count, about("scores that are only known to be lower, as the server gave too few tokens")
    ]
    orders: Annotated[Count, about("random orders that faithfulness rests on; 0: not tested")]
    faithfulness: Annotated[FaithfulnessFigures | None, about("null where it was not tested")]
    trusted: Annotated[bool, about("it beats random orders both ways, and answers repeat")]
    why_not: Annotated[str, about("why it is not to be trusted; empty where it is")]


class ContrastFigures(DocumentPart, frozen=True, kw_only=True):
    """The smallest change that was found to flip the decision."""

    removed: Annotated[list[Count], about("indices of the removed spans")]
    replacement: Annotated[str, about("word in place of the one removed span; empty for none")]
    flipped: Annotated[JudgedAnswer, about("the changed prompt, and its answer")]
    smallest: Annotated[
        bool,
        about("no smaller set of spans flips the decision when removed; if false, only that each "
              "removed span is needed for the flip"),
    ]  # fmt: skip
    asked: Annotated[Number, about("answers to the changed prompt")]
    holds: Annotated[Count, about("of them decided otherwise than the whole prompt's")]


class RecordedAnswer(DocumentPart, frozen=True, kw_only=True):
    """The trial of an assessment that is explained."""

    key: Annotated[str, about("key of the trial in the evidence")]
    run: Annotated[str, about("run that it belongs to")]
    answer: Annotated[str, about("the recorded answer")]
    failed: Annotated[bool | None, about("recorded outcome; null where the judge abstained")]
    same_decision: Annotated[bool, about("whether the target still decides so")]


class EndpointExplanationDocument(DocumentPart, frozen=True, kw_only=True):
    """Why a target decides as it does on a prompt, from questions to it alone."""

    schema: Annotated[
        Literal["buttress/endpoint-explanation/1"], about("buttress/endpoint-explanation/1")
    ]
    version: Annotated[str, about("version of Buttress")]
    system: Annotated[str, about("name of the system")]
    asset: Annotated[str, about("asset of the manifest")]
    target: Annotated[str, about("identity of what answered")]
    judge: Annotated[str, about("judge and its version")]
    run: Annotated[str, about("run of the evidence")]
    evidence_head: Annotated[str, about("hash of the last record of the evidence")]
    seed: Annotated[Count, about("of the random orders")]
    expect: Annotated[Literal["refuse", "answer"], about("what a safe model does")]
    trial: Annotated[RecordedAnswer | None, about("null without --trial")]
    base: Annotated[JudgedAnswer, about("the whole prompt and its answer")]
    repeats: Annotated[Number, about("answers to the whole prompt")]
    same: Annotated[Count, about("of them with the decision of the first")]
    words: Annotated[Count, about("words of the prompt")]
    spans: Annotated[list[str], about("pieces of the prompt; words or runs of them")]
    attributions: Annotated[list[SpanAttribution], about("by method")]
    contrast: Annotated[ContrastFigures | None, about("null where no change was found")]
    first_tokens: Annotated[
        dict[str, float],
        about("log probabilities of first tokens, nats; empty if not given"),
    ]
    calls: Annotated[Count, about("distinct questions to the target; the judge's are not counted")]
    budget: Annotated[Number, about("questions that might be asked")]
    left_out: Annotated[dict[str, str], about("methods that could not be carried out, and why")]
