"""Reads SafetyBench from the user's files; it is not part of Buttress.

Zhang et al. 2024, "SafetyBench: Evaluating the safety of large language models", ACL 2024:
multiple-choice questions in seven categories, in English and Chinese. Questions and answers are
two files, ``test_*.json`` and ``test_answers_*.json``; answers are withheld for some of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from buttress.answers.choice_reading import LETTERS
from buttress.errors import InputError
from buttress.files.text_language import guess_language
from buttress.probes.behaviour.multiple_choice import Question

MAX_BYTES: Final = 64 * 2**20
_EXPECTED: Final = "SafetyBench's test_*.json and test_answers_*.json"


@dataclass(frozen=True, slots=True)
class Keyed:
    """A question with its category and the index of its right option."""

    question: Question
    category: str
    right: int


@dataclass(frozen=True, slots=True)
class SafetyBench:
    """Questions whose answer is known; ``left_out`` counts those without one."""

    questions: tuple[Keyed, ...]
    left_out: int


def load_safetybench(path: Path) -> SafetyBench:
    """The questions in a folder, all languages that it has.

    Args:
        path: folder with both kinds of file, as published; or a question file with its answers
            beside it. Answers are taken from the files of the same language where a file's name
            says it (``_en``, ``_zh``), else from all.

    Raises:
        InputError: no such files, or naming file and field.
    """
    folder = path if path.is_dir() else path.parent
    found = sorted(folder.glob("*.json"))
    keys = [file for file in found if "answers" in file.stem.lower()]
    files = [path] if path.is_file() else [file for file in found if file not in keys]
    if not files or not keys:
        raise InputError("no such questions or answers", file=str(path), expected=_EXPECTED)
    answers = {file: _answers(file) for file in keys}
    questions: dict[str, Keyed] = {}
    left_out = 0
    for file in files:
        key: dict[str, tuple[Path, int]] = {}
        for other in _same_language(file, keys):
            key.update({name: (other, right) for name, right in answers[other].items()})
        for place, entry in enumerate(_list(file)):
            question, category, number = _question(entry, file, place)
            if number not in key:
                left_out += 1
                continue
            source, right = key[number]
            if right >= len(question.options):
                raise InputError(
                    f"answer {right}",
                    file=str(source),
                    field=number,
                    expected=f"below {len(question.options)}, the number of options",
                )
            if question.id in questions:
                raise InputError(
                    "taken by an earlier question", file=str(file), field=f"[{place}].id"
                )
            questions[question.id] = Keyed(question, category, right)
    if not questions:
        raise InputError("no question with an answer", file=str(path), expected=_EXPECTED)
    return SafetyBench(tuple(questions.values()), left_out)


def _language(file: Path) -> str:
    match = re.search(r"(?:^|[_-])(en|zh)(?:[_-]|$)", file.stem.lower())
    return match.group(1) if match else ""


def _same_language(file: Path, keys: list[Path]) -> list[Path]:
    language = _language(file)
    same = [key for key in keys if language and _language(key) == language]
    return same or [key for key in keys if not _language(key) or not language] or keys


def _load(file: Path) -> object:
    try:
        if file.stat().st_size > MAX_BYTES:
            raise InputError(
                "file too large", file=str(file), expected=f"at most {MAX_BYTES // 2**20} MiB"
            )
        return orjson.loads(file.read_bytes())
    except OSError as error:
        raise InputError(error.strerror or "can't be read", file=str(file)) from None
    except orjson.JSONDecodeError as error:
        raise InputError(
            f"not JSON ({error.msg})", file=str(file), line=error.lineno, expected=_EXPECTED
        ) from None


def _list(file: Path) -> list[object]:
    value = _load(file)
    if not isinstance(value, list):
        raise InputError("not a list", file=str(file), expected="a list of questions")
    return value


def _answers(file: Path) -> dict[str, int]:
    value = _load(file)
    if not isinstance(value, dict):
        raise InputError("not an object", file=str(file), expected="answers by question id")
    found = {}
    for number, entry in value.items():
        right = entry.get("answer") if isinstance(entry, Mapping) else entry
        if not isinstance(right, int) or isinstance(right, bool) or right < 0:
            raise InputError(
                "not usable", file=str(file), field=str(number), expected="the option's index"
            )
        found[str(number)] = right
    return found


def _question(entry: object, file: Path, place: int) -> tuple[Question, str, str]:
    def bad(field: str, expected: str) -> InputError:
        return InputError(
            "missing or not usable", file=str(file), field=f"[{place}].{field}", expected=expected
        )

    if not isinstance(entry, dict):
        raise InputError("not an object", file=str(file), field=f"[{place}]", expected="a question")
    number = entry.get("id")
    if not isinstance(number, int | str) or isinstance(number, bool):
        raise bad("id", "a number")
    stem = entry.get("question")
    if not isinstance(stem, str) or not stem.strip():
        raise bad("question", "text")
    category = entry.get("category")
    if not isinstance(category, str) or not category.strip():
        raise bad("category", "text")
    options = entry.get("options")
    if (
        not isinstance(options, list)
        or not 2 <= len(options) <= len(LETTERS)
        or not all(isinstance(option, str) and option.strip() for option in options)
    ):
        raise bad("options", f"2 to {len(LETTERS)} texts")
    language = _language(file) or guess_language(stem)
    question = Question(
        id=f"safetybench/{number}/{language}",
        stem=stem.strip(),
        options=tuple(option.strip() for option in options),
        language=language,
    )
    return question, "-".join(re.findall(r"[a-z0-9]+", category.lower())), str(number)
