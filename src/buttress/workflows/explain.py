"""Why a model answers as it does: attributions with their faithfulness, layers, a page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import orjson

from buttress import __version__
from buttress.documents.explanation import (
    DirectionFigures,
    ExplanationDocument,
    FaithfulnessFigures,
    LensLayer,
    TokenAttribution,
)
from buttress.errors import InputError
from buttress.files.atomic import write_whole
from buttress.report.explanation_page import render
from buttress.targets.fingerprint import files_digest
from buttress.targets.huggingface import PINNED
from buttress.white_box.direction_file import load_direction
from buttress.white_box.explanation.attribution import METHODS, Attribution
from buttress.white_box.explanation.direction import direction_effect
from buttress.white_box.explanation.faithfulness import Faithfulness, FaithfulnessTest
from buttress.white_box.explanation.lens import logit_lens
from buttress.white_box.explanation.scored_answer import ScoredAnswer, greedy_answer
from buttress.white_box.loading import load

DOCUMENT_NAME: Final = "explanation.json"
PAGE_NAME: Final = "explanation.html"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ExplainRequest:
    """``answer`` is what is explained; None for what the model says by itself."""

    weights: Path
    prompt: str
    out: Path
    answer: str | None = None
    methods: Sequence[str] = tuple(METHODS)
    direction: Path | None = None
    max_tokens: int = 24
    device: str = "auto"
    seed: int = 0


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
    if not request.prompt.strip():
        raise InputError("is empty", field="--prompt", expected="text")
    say("loading the weights")
    model, tokenizer = load(request.weights, device=request.device)
    model.requires_grad_(False)
    answer = request.answer
    if answer is None:
        answer = greedy_answer(model, tokenizer, request.prompt, request.max_tokens)
    if not answer.strip():
        raise InputError("the model says nothing", field="--answer", expected="an answer of yours")
    scored = ScoredAnswer(model, tokenizer, request.prompt, answer)
    document: dict[str, Any] = msgspec.to_builtins(_explained(request, scored, answer, say))
    content = orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    request.out.mkdir(parents=True, exist_ok=True)
    write_whole(request.out / DOCUMENT_NAME, content, "--out")
    write_whole(request.out / PAGE_NAME, render(document).encode(), "--out")
    return document


def _explained(
    request: ExplainRequest, scored: ScoredAnswer, answer: str, say: Say
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
        prompt=request.prompt,
        answer=answer,
        own_answer=request.answer is None,
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
