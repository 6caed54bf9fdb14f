"""Forms of multiple-choice questions that need to be laid out anew before they are read.

ARC as published nests the question's stem and choices; QuALITY and RACE as published put several
questions below one article; TruthfulQA marks each option as true or not; BoolQ and StrategyQA
answer with a truth value; GPQA and SciQ name wrong options by number; COPA asks for the cause or
the effect of a premise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from buttress.interchange.fields import Fields

_MARKED: Final = ("mc1_targets", "mc0_targets", "mc2_targets", "target_scores")
_OF_PREMISES: Final = {
    "cause": "What is the cause of this?", "effect": "What happens because of this?",
}  # fmt: skip
_ONE_ANSWER: Final = ("answers", "gold_labels", "labels")
_RIGHT: Final = ("correct_answer", "correct answer", "best answer")
_WRONG: Final = re.compile(r"(distractor|incorrect[ _]answer)s?[ _]?\d{1,2}", re.IGNORECASE)


def laid_out(record: Fields) -> Iterator[Fields]:
    """The questions of a record, each with its options and answer in fields of its own.

    Raises:
        InputError: lists of one record that belong together differ in length.
    """
    for one in _each_question(record):
        yield _marked(_numbered_wrong(_truth_value(_premise(_stem(one)))))


def _each_question(record: Fields) -> Iterator[Fields]:
    """The questions below one text."""
    questions = record.get("questions")
    if not isinstance(questions, list) or not questions:
        yield record
        return
    shared = {name: value for name, value in record.items() if name not in ("questions", "id")}
    if all(isinstance(one, dict) for one in questions):
        for place, one in enumerate(record.objects("questions")):
            path = record.name(f"questions[{place}]")
            yield Fields({**shared, **dict(one.items())}, record.place, path)
        return
    options = record.values("options")
    name = next((one for one in _ONE_ANSWER if isinstance(record.get(one), list)), "answers")
    answers = record.values(name)
    for field, found in (("options", options), (name, answers)):
        if len(found) != len(questions):
            raise record.error(field, f"{len(found)} members", f"{len(questions)}, as questions")
    shared = {key: value for key, value in shared.items() if key not in ("options", name)}
    for question, choices, answer in zip(questions, options, answers, strict=True):
        apart = {**shared, "question": question, "options": choices, "answer": answer}
        yield Fields(apart, record.place)


def _stem(record: Fields) -> Fields:
    """The question's stem and choices, where the question is an object."""
    question = record.get("question")
    if not isinstance(question, Mapping) or question.get("stem") is None:
        return record
    inner = {("question" if name == "stem" else name): one for name, one in question.items()}
    return _with(record, {**dict(record.items()), **inner})


def _premise(record: Fields) -> Fields:
    """The question in words, where it only says what of a premise is asked for."""
    premise, asked = record.get("premise"), record.get("question")
    if not isinstance(premise, str) or asked not in _OF_PREMISES:
        return record
    question = f"{premise} {_OF_PREMISES[asked]}"
    return _with(record, {**dict(record.items()), "question": question})


def _truth_value(record: Fields) -> Fields:
    """Yes and no, where the answer is a truth value and there are no options."""
    answer = record.get("answer")
    has_options = any(record.get(one) is not None for one in ("choices", "options", "endings"))
    if not isinstance(answer, bool) or has_options:
        return record
    words = ("yes", "no") if answer else ("no", "yes")
    rest = {name: value for name, value in record.items() if name != "answer"}
    return _with(record, {**rest, "right": words[0], "wrong": words[1]})


def _numbered_wrong(record: Fields) -> Fields:
    """The right option and the wrong ones, where the latter are numbered."""
    wrong = [value for name, value in record.items() if _WRONG.fullmatch(name) and value]
    right = [value for name, value in record.items() if name.lower() in _RIGHT]
    if not wrong or len(right) != 1 or not isinstance(right[0], str):
        return record
    return _with(record, {**dict(record.items()), "right": right[0], "wrong": wrong})


def _marked(record: Fields) -> Fields:
    """The right option and the wrong ones, where each option is marked by 1 or 0."""
    name = next((one for one in _MARKED if isinstance(record.get(one), Mapping)), None)
    if name is None:
        return record
    inner = record.object(name)
    choices, labels = inner.get("choices"), inner.get("labels")
    if isinstance(choices, list) and isinstance(labels, list):
        if len(choices) != len(labels):
            raise inner.error("labels", f"{len(labels)} labels", f"{len(choices)}, as choices")
        pairs: list[tuple[Any, Any]] = list(zip(choices, labels, strict=True))
    else:
        pairs = inner.items()
    right = [text for text, mark in pairs if mark == 1]
    if not right:
        raise inner.error("labels", "no option is marked as right", "a label of 1")
    wrong = [text for text, mark in pairs if mark == 0]
    return _with(record, {**dict(record.items()), "right": right[0], "wrong": wrong})


def _with(record: Fields, value: dict[str, Any]) -> Fields:
    return Fields(value, record.place, record.path)
