"""What the layers of a model tell of a prompt: linear probes, and where an attack acts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from buttress.documents.explanation import (
    PatchingFigures,
    ProbedConcept,
    ProbedLayer,
    TunedLensLayer,
)
from buttress.errors import InputError
from buttress.targets.base import Message
from buttress.white_box.explanation.lens import translated_lens
from buttress.white_box.explanation.patching import patch_layers
from buttress.white_box.explanation.probes import ConceptProbe, LabelledTexts, probe_concept
from buttress.white_box.explanation.scored_answer import ScoredAnswer
from buttress.white_box.explanation.tuned_lens import fit_tuned_lens
from buttress.white_box.hidden_states import hidden_states
from buttress.white_box.sample import draw_sample
from buttress.workflows.explained_concepts import labelled_texts, refusals

Say = Callable[[str], None]
LENS_REQUESTS = 64  # of either kind, that a tuned lens is fitted to and measured on
_REQUESTS = "harm"  # whose texts the model's refusals are of


def probe_concepts(
    model: Any, tokenizer: Any, concepts: Sequence[str], *, prompt: str, seed: int, say: Say
) -> tuple[list[ConceptProbe], dict[str, str]]:
    """Probes of each concept on all layers, from one pass over all texts; and what was left out.

    The explained ``prompt`` may be empty: then its log odds are those of an empty message.
    """
    sets: dict[str, LabelledTexts] = {}
    for name in concepts:
        base = _REQUESTS if name == "refusal" else name
        sets.setdefault(base, labelled_texts(base, seed))
    texts = [text for one in sets.values() for text in one.texts]
    conversations = [(Message("user", text),) for text in (*texts, prompt)]

    def progress(done: int) -> None:
        say(f"hidden states: {done} of {len(conversations)}")

    states = hidden_states(model, tokenizer, conversations, progress=progress).last.double().numpy()
    starts, start = {}, 0
    for name, one in sets.items():
        starts[name] = start
        start += len(one.texts)
    found: list[ConceptProbe] = []
    left_out: dict[str, str] = {}
    for name in concepts:
        base = _REQUESTS if name == "refusal" else name
        labelled, rows = sets[base], list(range(len(sets[base].texts)))
        if name == "refusal":
            say("refusals: the model's own answers")
            labelled, rows = refusals(model, tokenizer, labelled)
        say(f"probes: {name}")
        try:
            chosen = states[[starts[base] + row for row in rows]]
            found.append(probe_concept(labelled, chosen, states[-1], seed))
        except InputError as error:
            left_out[f"probe {name}"] = f"{error.problem}; {error.expected} are needed"
    return found, left_out


def as_document(found: ConceptProbe) -> ProbedConcept:
    """The probes of a concept as a part of the document."""
    return ProbedConcept(
        concept=found.concept,
        texts=found.texts,
        groups=found.groups,
        layers=[ProbedLayer(**asdict(one)) for one in found.layers],
        words=found.words,
        best=found.best,
        gain=found.gain,
        gain_low=found.gain_low,
        control_fit=found.control_fit,
        shows=found.shows,
    )


def tuned_lens(scored: ScoredAnswer, seed: int, say: Say) -> list[TunedLensLayer]:
    """The answer's first token as each layer would say it, read by maps fitted to this model.

    Raises:
        InputError: the architecture can't be read layer by layer.
    """
    sample = draw_sample(LENS_REQUESTS, seed=seed, languages=["en"])
    pairs = zip(sample.harmful, sample.harmless, strict=True)
    texts = [prompt.text for pair in pairs for prompt in pair]
    layers = fit_tuned_lens(scored.model, scored.tokenizer, texts, seed=seed, progress=say)
    guesses = translated_lens(scored, [one.translated for one in layers])
    return [
        TunedLensLayer(
            **asdict(guess), divergence=one.divergence, logit_divergence=one.logit_divergence
        )
        for guess, one in zip(guesses, layers, strict=True)
    ]


def patching(scored: ScoredAnswer, plain: str, answer: str) -> PatchingFigures:
    """Where the attack on the request ``plain`` acts.

    Raises:
        InputError: the plain prompt can't be laid out for the same answer.
    """
    found = patch_layers(scored, ScoredAnswer(scored.model, scored.tokenizer, plain, answer))
    return PatchingFigures(
        plain_prompt=plain,
        tokens=found.tokens,
        attacked=found.attacked,
        plain=found.plain,
        undone=list(found.undone),
        induced=list(found.induced),
    )
