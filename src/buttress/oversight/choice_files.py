"""Any file of multiple-choice questions as items: the right option, and a wrong one drawn by seed.

Read are JSON Lines, a JSON list or Parquet with a question, options and which of them is right, in
the forms of the usual benchmarks: ``choices`` as a list, as texts with labels, or in fields A, B,
C, D; the answer as an index, a letter, a label or the option's text; or the right and the wrong
options apart. Indices count from 0, or from 1 where the file has no 0 and names the last option.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from buttress.errors import InputError
from buttress.files.encodable import encodable
from buttress.interchange.fields import Fields
from buttress.interchange.objects import objects_of
from buttress.oversight.choice_forms import laid_out
from buttress.oversight.item import OversightItem

_QUESTIONS: Final = ("question", "query", "prompt", "input", "sent1", "problem", "ctx", "goal",
                     "sentence", "Question", "question_stem")  # fmt: skip
_OPTIONS: Final = ("choices", "options", "endings", "answers", "candidates")
_ANSWERS: Final = ("answer", "label", "answerKey", "answer_idx", "gold", "gold_label", "target",
                   "correct", "correct_answer", "answer_index", "gold_index", "cop", "Answer",
                   "correct_option", "correct_answer_num")  # fmt: skip
_RIGHT: Final = ("right", "correct_answer", "Best Answer", "best_answer", "correct")
_WRONG: Final = ("wrong", "incorrect", "incorrect_answers", "Incorrect Answers", "distractors")
_TEXTS: Final = (
    "text",
    "passage",
    "article",
    "context",
    "story",
    "document",
    "support",
    "flores_passage",
)
_LETTERS: Final = "ABCDEFGHIJ"
_LETTERED: Final = ("{0}", "{1}", "option_{1}", "choice_{1}", "op{1}", "option{0}", "answer{0}")
_NUMBERED: Final = ("option{}", "choice{}", "ending{}", "sol{}", "answer{}", "ans{}", "mc_answer{}")


def read_choice_items(path: Path, seed: int) -> list[OversightItem]:
    """The items of a file, in its order.

    Raises:
        InputError: not such a file, or no question in it; names line and field.
        MissingExtraError: Parquet without pyarrow.
    """
    records = [each for record in objects_of(path) for each in laid_out(record)]
    first = _first_index(records, path)
    items: list[OversightItem] = []
    names: dict[str, int] = {}
    for number, record in enumerate(records, 1):
        named = record.get("id") if isinstance(record.get("id"), str) else f"line:{number}"
        names[named] = names.get(named, 0) + 1
        if names[named] > 1:  # ids of some sets are not unique
            named = f"{named}:{names[named]}"
        items.append(_item(record, encodable(named), seed, first))
    if not items:
        raise InputError("no questions", file=str(path), expected="multiple-choice questions")
    return items


def _first_index(records: Sequence[Fields], path: Path) -> int:
    """What the first option is counted as: 1 where no answer is 0 and one names the last so.

    Raises:
        InputError: some answers count from 0 and others from 1.
    """
    zero = last = False
    for record in records:
        if _apart(record) is not None:
            continue
        value = _answer(record)[1]
        if isinstance(value, int) and not isinstance(value, bool):
            zero = zero or value == 0
            last = last or value == len(_options(record)[0])
    if zero and last:
        raise InputError(
            "some answers count options from 0 and others from 1", file=str(path), field="answer",
            expected="one of both",
        )  # fmt: skip
    return int(last)


def _item(record: Fields, named: str, seed: int, first: int) -> OversightItem:
    question = _first_text(record, _QUESTIONS, "question")
    right, others = _apart(record) or _together(record, first)
    wrong = [one for one in dict.fromkeys(others) if one.strip() and one != right]
    if not right.strip() or not wrong:
        raise record.error("choices", "no wrong option", "a right option and another")
    texts = (record.text(name) for name in _TEXTS if isinstance(record.get(name), str))
    text = next((one for one in texts if one.strip()), "")
    drawn = random.Random(f"{seed} {named}").choice(wrong)
    language = record.get("language")
    chinese = language == "zh" if isinstance(language, str) else _chinese(question)
    return OversightItem(named, question, right, drawn, text, "zh" if chinese else "en")


def _apart(record: Fields) -> tuple[str, list[str]] | None:
    """The right and the wrong options, where they stand in fields of their own."""
    wrong: list[str] = []
    for name in _WRONG:
        if record.get(name) is not None:
            value = record.get(name)
            wrong = _texts(record, name, value if isinstance(value, list) else [value])
            break
    right = next((name for name in _RIGHT if isinstance(record.get(name), str)), None)
    if not wrong or right is None:
        return None
    return record.text(right), wrong


def _together(record: Fields, first: int) -> tuple[str, list[str]]:
    options, labels = _options(record)
    if not 2 <= len(options) <= len(_LETTERS):
        raise record.error("choices", f"{len(options)} options", f"2 to {len(_LETTERS)}")
    place = _place(record, options, labels, first)
    return options[place], [one for at, one in enumerate(options) if at != place]


def _options(record: Fields) -> tuple[list[str], list[str]]:
    """Texts of the options with their labels, A, B, C … where they have none."""
    for name in _OPTIONS:
        value = record.get(name)
        if isinstance(value, list):
            if value and all(isinstance(one, dict) for one in value):  # [{label, text}]
                each = record.objects(name)
                texts = [one.text("text") for one in each]
                return texts, [one.text("label", _LETTERS[at % 10]) for at, one in enumerate(each)]
            return _texts(record, name, value), list(_LETTERS[: len(value)])
        if isinstance(value, dict):
            inner = record.object(name)
            if inner.get("text") is not None:  # {text: […], label: […]}
                texts = _texts(inner, "text", inner.values("text"))
                labels = _texts(inner, "label", inner.values("label"))
                if len(texts) != len(labels):
                    raise inner.error("label", f"{len(labels)} labels", f"{len(texts)}, as texts")
                return texts, labels
            return [inner.text(key) for key, _ in inner.items()], [k for k, _ in inner.items()]
    for form in _LETTERED:
        fields = {one: form.format(one, one.lower()) for one in _LETTERS}
        lettered = [one for one in _LETTERS if isinstance(record.get(fields[one]), str)]
        if len(lettered) >= 2:
            return [record.text(fields[one]) for one in lettered], lettered
    for form in _NUMBERED:
        for first in (0, 1):
            numbered: list[str] = []
            while isinstance(record.get(form.format(first + len(numbered))), str):
                numbered.append(record.text(form.format(first + len(numbered))))
            if len(numbered) >= 2:
                return numbered, list(_LETTERS[: len(numbered)])
    raise record.error("choices", "missing", "options, such as choices: a list of texts")


def _answer(record: Fields) -> tuple[str, Any]:
    """Name and value of the field that says which option is right; a list of one as its member.

    Text that is a number, and no option or label, counts as one.
    """
    name = next((one for one in _ANSWERS if record.get(one) is not None), None)
    if name is None:
        raise record.error("answer", "missing", "an index, a letter, or the option's text")
    value = record.get(name)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str) and value.strip().isdecimal():
        options, labels = _options(record)
        if value.strip() not in {*labels, *(one.strip() for one in options)}:
            value = int(value)
    return name, value


def _place(record: Fields, options: Sequence[str], labels: Sequence[str], first: int) -> int:
    name, value = _answer(record)
    if isinstance(value, int) and not isinstance(value, bool):
        if 0 <= value - first < len(options):
            return value - first
        span = f"{first} to {len(options) - 1 + first}"
        raise record.error(name, f"{value} is no index", span)
    if not isinstance(value, str):
        raise record.error(name, "not a number or text", "an index, a letter, or an option's text")
    wanted = value.strip()
    for texts in (labels, [one.upper() for one in labels], [one.strip() for one in options]):
        if list(texts).count(wanted) == 1:
            return list(texts).index(wanted)
    letter = wanted.strip("().").upper()
    if letter in labels:
        return list(labels).index(letter)
    raise record.error(name, f"'{wanted[:40]}' names no option", "one of " + ", ".join(labels))


def _first_text(record: Fields, names: Sequence[str], told: str) -> str:
    for name in names:
        if isinstance(record.get(name), str) and record.get(name).strip():
            return record.text(name)
    raise record.error(told, "missing", "one of " + ", ".join(names))


def _texts(record: Fields, name: str, values: Sequence[Any]) -> list[str]:
    for at, value in enumerate(values):
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise record.error(f"{name}[{at}]", "not text", "text")
    return [encodable(str(value)) for value in values]


def _chinese(text: str) -> bool:
    return any("\u3400" <= character <= "\u9fff" for character in text)
