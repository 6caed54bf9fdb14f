"""What training changed in a model: answers, layers, refusal direction and probes, twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from buttress import __version__
from buttress.documents.model_comparison import (
    DirectionShift,
    DivergentAnswer,
    KindDivergence,
    ModelComparisonDocument,
    ProbeShift,
)
from buttress.errors import InputError
from buttress.report.language import load as load_language
from buttress.report.model_comparison_page import render
from buttress.targets.fingerprint import files_digest
from buttress.targets.huggingface import PINNED
from buttress.white_box.adapter import is_adapter, load_variants
from buttress.white_box.explanation.comparison import (
    AnswerDivergence,
    LayerChange,
    ModelVariant,
    compare_answers,
    compare_directions,
    compare_layers,
)
from buttress.white_box.loading import load
from buttress.white_box.sample import draw_sample
from buttress.workflows.explained_concepts import check_concepts
from buttress.workflows.explained_layers import as_document, probe_concepts
from buttress.workflows.explained_output import as_json, write_explanation

REQUESTS: Final = 16  # of either kind, whose answers are compared
DIRECTION_REQUESTS: Final = 40  # of either kind, that directions come from
INDUCED_REQUESTS: Final = 12  # harmless ones on which refusals may be induced
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class CompareRequest:
    """``changed`` is the folder of an adapter or of the weights after."""

    weights: Path
    changed: Path
    out: Path
    probes: Sequence[str] = ()
    max_tokens: int = 24
    device: str = "auto"
    seed: int = 0
    language: str = "en"


def compare_models(request: CompareRequest, say: Say) -> dict[str, Any]:
    """Compare; the document and the page are also in the folder ``out``.

    Raises:
        InputError: weights, adapter or concept are not usable.
        MissingExtraError: an adapter, and PEFT is not installed.
    """
    check_concepts(request.probes)
    load_language(request.language)
    say("loading the weights")
    model, tokenizer = load(request.weights, device=request.device)
    model.requires_grad_(False)
    kind: Literal["adapter", "weights"] = "adapter" if is_adapter(request.changed) else "weights"
    before, after = load_variants(model, tokenizer, request.changed, device=request.device)
    work = _Comparison(request, tokenizer, before, after, say)
    document = as_json(work.document(kind))
    write_explanation(request.out, document, render(document, request.language))
    return document


@dataclass(slots=True)
class _Comparison:
    request: CompareRequest
    tokenizer: Any
    before: ModelVariant
    after: ModelVariant
    say: Say

    def document(self, kind: Literal["adapter", "weights"]) -> ModelComparisonDocument:
        request = self.request
        sample = draw_sample(
            REQUESTS, seed=request.seed, languages=["en"], training=DIRECTION_REQUESTS,
            validation=INDUCED_REQUESTS,
        )  # fmt: skip
        left_out: dict[str, str] = {}
        kinds, answers = [], []
        for name, prompts in (("harmful", sample.harmful), ("harmless", sample.harmless)):
            self.say(f"answers to {name} requests")
            texts = [prompt.text for prompt in prompts]
            found = compare_answers(
                self.before, self.after, self.tokenizer, texts, tokens=request.max_tokens
            )
            layers: list[LayerChange] = []
            try:
                layers = compare_layers(self.before, self.after, self.tokenizer, texts)
            except InputError as error:
                left_out["logit-lens"] = error.problem
            kinds.append(_kind(found, layers))
            answers += found
        self.say("refusal direction")
        directions = compare_directions(
            self.before, self.after, self.tokenizer, sample.training, sample.validation[1]
        )
        return ModelComparisonDocument(
            schema="buttress/model-comparison/1",
            version=__version__,
            weights=request.weights.resolve().name,
            identity=_identity(request.weights),
            compared=request.changed.resolve().name,
            compared_identity=_identity(request.changed),
            kind=kind,
            seed=request.seed,
            harmful=kinds[0],
            harmless=kinds[1],
            example=_example(answers),
            direction_requests=len(sample.training[0]),
            directions=[
                DirectionShift(
                    layer=one.layer, cosine=one.cosine, induced_before=one.induced_before,
                    induced_after=one.induced_after,
                )
                for one in directions
            ],
            probes=self._probes(left_out),
            left_out=left_out,
        )  # fmt: skip

    def _probes(self, left_out: dict[str, str]) -> list[ProbeShift]:
        if not self.request.probes:
            return []
        sides = []
        for name, variant in (("before", self.before), ("after", self.after)):
            with variant.active():
                found, missing = probe_concepts(
                    variant.model, self.tokenizer, self.request.probes,
                    prompt="", seed=self.request.seed, say=self.say,
                )  # fmt: skip
            sides.append({one.concept: as_document(one) for one in found})
            left_out |= {f"{what} {name}": why for what, why in missing.items()}
        return [
            ProbeShift(concept=name, before=sides[0].get(name), after=sides[1].get(name))
            for name in self.request.probes
        ]


def _kind(
    answers: Sequence[AnswerDivergence], layers: Sequence[LayerChange]
) -> KindDivergence | None:
    if not answers:
        return None
    longest = max(len(one.divergences) for one in answers)
    every = [value for one in answers for value in one.divergences]
    return KindDivergence(
        requests=len(answers),
        first_token=sum(one.divergences[0] for one in answers) / len(answers),
        per_token=sum(every) / len(every),
        by_position=[
            _mean([one.divergences[at] for one in answers if len(one.divergences) > at])
            for at in range(longest)
        ],
        by_layer=[one.divergence for one in layers],
        turned=[one.turned for one in layers],
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _example(answers: Sequence[AnswerDivergence]) -> DivergentAnswer | None:
    if not answers:
        return None
    most = max(answers, key=lambda one: _mean(one.divergences))
    return DivergentAnswer(
        request=most.request, tokens=list(most.tokens), divergences=list(most.divergences)
    )


def _identity(folder: Path) -> str:
    patterns = (*PINNED, "adapter_config.json")
    return f"huggingface:sha256:{files_digest({p for kind in patterns for p in folder.glob(kind)})}"
