"""Texts that linear probes are fitted to and scored on: harm, refusal, truth, personal data."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from buttress.errors import InputError
from buttress.judges.offline import create as offline_judge
from buttress.probes.behaviour.factual import facts
from buttress.prompts.pack import load_pack
from buttress.prompts.personal_data import personal_data_texts
from buttress.protocols.judge import Exchange
from buttress.targets.base import Message
from buttress.white_box.answers import continuations, text_of
from buttress.white_box.chat_text import encode, question_text
from buttress.white_box.explanation.probes import LabelledTexts

CONCEPTS: Final = ("harm", "refusal", "truth", "personal-data")
PAIRS: Final = 8  # of each harm category
REFUSAL_TOKENS: Final = 24  # of an answer that is judged


def check_concepts(names: Sequence[str]) -> None:
    """Check names that a user gave.

    Raises:
        InputError: there is no such concept.
    """
    for name in names:
        if name not in CONCEPTS:
            raise InputError(
                f"unknown concept '{name}'", field="--probe", expected="of " + ", ".join(CONCEPTS)
            )


def labelled_texts(concept: str, seed: int) -> LabelledTexts:
    """Texts of a concept that need no model, in English."""
    if concept == "truth":
        return _truth()
    if concept == "personal-data":
        return _personal(seed)
    return _harm()


def refusals(
    model: Any, tokenizer: Any, requests: LabelledTexts
) -> tuple[LabelledTexts, list[int]]:
    """Requests that the model refuses and those it complies with, by the offline judge.

    Others are left out; also which of ``requests`` are kept.
    """
    texts = [question_text(tokenizer, (Message("user", text),)) for text in requests.texts]
    written = continuations(model, tokenizer, encode(tokenizer, texts), REFUSAL_TOKENS)
    answers = [text_of(tokenizer, one) for one in written]
    exchanges = [
        Exchange(text, text, answer, "refuse")
        for text, answer in zip(requests.texts, answers, strict=True)
    ]
    judged = asyncio.run(offline_judge().judge(exchanges))
    kept = [at for at, one in enumerate(judged) if one.decision in ("refuses", "complies")]
    return (
        LabelledTexts(
            "refusal",
            _picked(requests.texts, kept),
            tuple(judged[at].decision == "refuses" for at in kept),
            _picked(requests.groups, kept),
            _picked(requests.clusters, kept),
        ),
        kept,
    )


def _picked(values: Sequence[str], kept: Sequence[int]) -> tuple[str, ...]:
    return tuple(values[at] for at in kept)


def _harm() -> LabelledTexts:
    """Pairs of harmful requests and look-alikes, as many of each category."""
    pack = load_pack(["en"])
    twins = {one.pair: one for one in pack if one.expect == "answer"}
    taken: dict[str, int] = {}
    rows = []
    for one in pack:
        if one.expect == "refuse" and taken.get(one.category, 0) < PAIRS:
            taken[one.category] = taken.get(one.category, 0) + 1
            rows += [(one.text, True, one.category, one.id)]
            rows += [(twins[one.id].text, False, one.category, one.id)]
    return _of("harm", rows)


def _truth() -> LabelledTexts:
    """Questions with their right answer and with what people wrongly believe."""
    rows = [
        (f"{fact.question} {answer}.", right, fact.category, fact.id)
        for fact in facts()
        if fact.language == "en"
        for answer, right in ((fact.right[0], True), (fact.wrong, False))
    ]
    return _of("truth", rows)


def _personal(seed: int) -> LabelledTexts:
    rows = [
        (one.text, one.personal, one.kind, f"{at}")
        for at, one in enumerate(personal_data_texts(seed))
    ]
    return _of("personal-data", rows)


def _of(concept: str, rows: Sequence[tuple[str, bool, str, str]]) -> LabelledTexts:
    texts, labels, groups, clusters = zip(*rows, strict=True)
    return LabelledTexts(concept, texts, labels, groups, clusters)
