"""Why a model answers as it does: attributions with their faithfulness, layers, a page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from buttress import __version__
from buttress.documents.explanation import (
    DirectionFigures,
    ExplanationDocument,
    FaithfulnessFigures,
    LensLayer,
    TokenAttribution,
)
from buttress.errors import InputError
from buttress.report.explanation_page import render
from buttress.report.language import load as load_language
from buttress.statistics.order_test import Faithfulness
from buttress.targets.fingerprint import files_digest
from buttress.targets.huggingface import PINNED
from buttress.white_box.direction_file import load_direction
from buttress.white_box.explanation.attribution import METHODS, Attribution
from buttress.white_box.explanation.direction import direction_effect
from buttress.white_box.explanation.faithfulness import FaithfulnessTest
from buttress.white_box.explanation.lens import logit_lens
from buttress.white_box.explanation.scored_answer import ScoredAnswer, greedy_answer
from buttress.white_box.loading import load
from buttress.workflows.explained_output import as_json, write_explanation
from buttress.workflows.explained_trial import find_trial, question_of

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ExplainRequest:
    """``prompt``, or the ``trial`` of that key in ``evidence``, is explained.

    ``answer`` is what is explained; None for the trial's, or for what the model says by itself.
    """

    weights: Path
    out: Path
    prompt: str | None = None
    trial: str | None = None
    evidence: Path = Path("buttress-out")
    answer: str | None = None
    methods: Sequence[str] = tuple(METHODS)
    direction: Path | None = None
    max_tokens: int = 24
    device: str = "auto"
    seed: int = 0
    language: str = "en"


def explain(request: ExplainRequest, say: Say) -> dict[str, Any]:
    """Explain one answer; the document and the page are also in the folder ``out``.

    Raises:
        InputError: weights, prompt, method or direction are not usable.
    """
    for name in request.methods:
        if name not in METHODS:
            raise InputError(
                f"unknown method '{name}'", field="--method", expected="of " + ", ".join(METHODS)
            )
    load_language(request.language)
    prompt, answer = request.prompt or "", request.answer
    if request.trial is not None:
        trial = find_trial(request.evidence, request.trial)
        prompt = question_of(trial, "")
        answer = trial.answer if answer is None else answer
    say("loading the weights")
    model, tokenizer = load(request.weights, device=request.device)
    model.requires_grad_(False)
    own = answer is None
    if answer is None:
        answer = greedy_answer(model, tokenizer, prompt, request.max_tokens)
    if not answer.strip():
        raise InputError("the model says nothing", field="--answer", expected="an answer of yours")
    scored = ScoredAnswer(model, tokenizer, prompt, answer)
    document = as_json(_explained(request, scored, prompt, answer, own=own, say=say))
    write_explanation(request.out, document, render(document, request.language))
    return document


def _explained(
    request: ExplainRequest,
    scored: ScoredAnswer,
    prompt: str,
    answer: str,
    *,
    own: bool,
    say: Say,
) -> ExplanationDocument:
    whole, empty = scored.scores_without([[], scored.places])
    files = {path for kind in PINNED for path in request.weights.glob(kind)}
    identity = f"huggingface:sha256:{files_digest(files)}"
    left_out: dict[str, str] = {}
    say("random orders")
    test = FaithfulnessTest(scored, request.seed)
    attributions = []
    for name in request.methods:
        say(name)
        try:
            found = METHODS[name](scored)
        except InputError as error:
            left_out[name] = error.problem
            continue
        attributions.append(_attribution(found, test.test(found.values)))
    say("layers")
    try:
        lens = [LensLayer(**asdict(one)) for one in logit_lens(scored)]
    except InputError as error:
        lens, left_out["logit-lens"] = [], error.problem
    return ExplanationDocument(
        schema="buttress/explanation/1",
        version=__version__,
        weights=request.weights.resolve().name,
        identity=identity,
        prompt=prompt,
        answer=answer,
        own_answer=own,
        seed=request.seed,
        tokens=[scored.tokens[place] for place in scored.places],
        log_probability=whole,
        baseline_log_probability=empty,
        attributions=attributions,
        lens=lens,
        direction=_direction(request.direction, scored),
        left_out=left_out,
    )


def _attribution(found: Attribution, tested: Faithfulness | None) -> TokenAttribution:
    why = []
    if found.complete is False:
        why.append(
            f"completeness misses by {abs(found.completeness_error or 0):.2f} nats after "
            f"{found.steps} steps"
        )
    if tested is None:
        why.append("too few tokens to test it")
    elif not tested.faithful:
        why.append("it does not beat random orders")
    return TokenAttribution(
        method=found.method,
        values=list(found.values),
        completeness_error=found.completeness_error,
        steps=found.steps,
        faithfulness=None if tested is None else FaithfulnessFigures(**asdict(tested)),
        trusted=not why,
        why_not="; ".join(why),
    )


def _direction(path: Path | None, scored: ScoredAnswer) -> DirectionFigures | None:
    if path is None:
        return None
    known = load_direction(path)
    if known is None:
        raise InputError(
            "no such file", file=str(path), field="--direction",
            expected="a refusal direction of buttress whitebox",
        )  # fmt: skip
    found = direction_effect(scored, known.difference, known.layer)
    return DirectionFigures(
        layer=found.layer, ablated=found.ablated, added=found.added, along=list(found.along)
    )
