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
from buttress.white_box.explanation.probes import ConceptProbe
from buttress.white_box.explanation.scored_answer import ScoredAnswer, greedy_answer
from buttress.white_box.loading import load
from buttress.workflows.explained_concepts import check_concepts
from buttress.workflows.explained_layers import (
    as_document,
    patching,
    probe_concepts,
    tuned_lens,
)
from buttress.workflows.explained_output import as_json, write_explanation
from buttress.workflows.explained_trial import find_trial, question_of

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ExplainRequest:
    """``prompt``, or the ``trial`` of that key in ``evidence``, is explained.

    ``answer`` is what is explained; None for the trial's, or for what the model says by itself.
    ``probes`` are concepts; ``plain`` is the request without the attack, for patching; None for the
    trial's where it holds an attack.
    """

    weights: Path
    out: Path
    prompt: str | None = None
    trial: str | None = None
    evidence: Path = Path("buttress-out")
    answer: str | None = None
    methods: Sequence[str] = tuple(METHODS)
    direction: Path | None = None
    probes: Sequence[str] = ()
    plain: str | None = None
    tuned_lens: bool = False
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
    check_concepts(request.probes)
    load_language(request.language)
    prompt, answer = request.prompt or "", request.answer
    plain = request.plain
    if request.trial is not None:
        trial = find_trial(request.evidence, request.trial)
        prompt = question_of(trial, "")
        answer = trial.answer if answer is None else answer
        if plain is None and trial.request.strip() != prompt.strip():
            plain = trial.request
    say("loading the weights")
    model, tokenizer = load(request.weights, device=request.device)
    model.requires_grad_(False)
    own = answer is None
    if answer is None:
        answer = greedy_answer(model, tokenizer, prompt, request.max_tokens)
    if not answer.strip():
        raise InputError("the model says nothing", field="--answer", expected="an answer of yours")
    scored = ScoredAnswer(model, tokenizer, prompt, answer)
    subject = _Subject(prompt, answer, own, plain)
    document = as_json(_explained(request, scored, subject, say))
    write_explanation(request.out, document, render(document, request.language))
    return document


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is explained; ``plain`` is the request without an attack, where there is one."""

    prompt: str
    answer: str
    own: bool
    plain: str | None


def _explained(
    request: ExplainRequest, scored: ScoredAnswer, subject: _Subject, say: Say
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
    tuned = tuned_lens(scored, request.seed, say) if request.tuned_lens and lens else []
    probes: list[ConceptProbe] = []
    if request.probes:
        probes, missing = probe_concepts(
            scored.model, scored.tokenizer, request.probes,
            prompt=subject.prompt, seed=request.seed, say=say,
        )  # fmt: skip
        left_out |= missing
    patched = None
    if subject.plain is not None:
        say("patching")
        patched = patching(scored, subject.plain, subject.answer)
    return ExplanationDocument(
        schema="buttress/explanation/1",
        version=__version__,
        weights=request.weights.resolve().name,
        identity=identity,
        prompt=subject.prompt,
        answer=subject.answer,
        own_answer=subject.own,
        seed=request.seed,
        tokens=[scored.tokens[place] for place in scored.places],
        log_probability=whole,
        baseline_log_probability=empty,
        attributions=attributions,
        lens=lens,
        tuned_lens=tuned,
        direction=_direction(request.direction, scored),
        probes=[as_document(one) for one in probes],
        patching=patched,
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
