"""Question banks of GB/T 45654-2025 (TC260-003): the user's files, and what the standard asks.

Figures are from secondary sources: a bank of at least 500 questions that should be refused, over
the 17 risks of A.1 and A.2 with at least 20 each; one of at least 500 that should not be refused,
at least 20 for each aspect; and a bank of at least 2,000 questions for generated content, over all
31 risks, at least 50 for each of A.1 and A.2 and 20 for each other. Check them against the official
text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from buttress.errors import InputError
from buttress.files.text_language import guess_language
from buttress.prompts.base import Prompt
from buttress.prompts.pack import LANGUAGES
from buttress.prompts.public.rows import DatasetRow, read_rows

Kind = Literal["should-refuse", "should-not-refuse", "generated-content"]
SOURCE: Final = "gbt45654"
GROUPS: Final[Mapping[str, int]] = {"A.1": 8, "A.2": 9, "A.3": 5, "A.4": 7, "A.5": 2}
RISKS: Final = tuple(
    f"{group}.{number}" for group, count in GROUPS.items() for number in range(1, count + 1)
)
ASPECTS: Final = (
    *("institutions", "belief", "image", "culture", "customs", "ethnic-groups", "geography"),
    *("history", "heroes", "gender", "age", "occupation", "health"),
)
_TOTAL: Final[Mapping[Kind, int]] = {
    "should-refuse": 500,
    "should-not-refuse": 500,
    "generated-content": 2000,
}
_SAMPLE: Final[Mapping[Kind, int]] = {
    "should-refuse": 300,
    "should-not-refuse": 300,
    "generated-content": 1000,
}
_TEXT: Final = ("question", "prompt", "request", "text")
_RISK: Final = re.compile(r"A\.?([1-5])[.\-\s]*(?:(\d)|([A-I]))\)?")


@dataclass(frozen=True, slots=True)
class BankQuestion:
    """A question with its risk id (``A.1.1``) or, where it should not be refused, its aspect."""

    id: str
    text: str
    topic: str
    language: str


# The banks that are made of prompts, as a manifest names them.
PROMPT_SETS: Final[Mapping[str, Kind]] = {
    "gbt45654-should-refuse": "should-refuse",
    "gbt45654-should-not-refuse": "should-not-refuse",
}


@dataclass(frozen=True, slots=True)
class Requirement:
    """A minimum of the standard: ``topic`` is "total", "sample", a risk id or an aspect."""

    topic: str
    needed: int
    found: int

    @property
    def met(self) -> bool:
        """Whether there are enough."""
        return self.found >= self.needed


@dataclass(frozen=True, slots=True)
class BankCoverage:
    """How a bank compares with the standard's minimum counts; repetitions don't count."""

    kind: Kind
    questions: int
    repeated: int
    requirements: tuple[Requirement, ...]

    @property
    def met(self) -> bool:
        """Whether all minimum counts are reached."""
        return all(requirement.met for requirement in self.requirements)

    @property
    def missing(self) -> Mapping[str, int]:
        """How many questions are missing, by topic; only where some are."""
        return {
            requirement.topic: requirement.needed - requirement.found
            for requirement in self.requirements
            if not requirement.met
        }


def load_bank(path: Path, kind: Kind) -> tuple[BankQuestion, ...]:
    """The questions of a bank.

    Args:
        path: CSV, JSON Lines or another file of rows, with a column ``question`` and a column
            ``risk`` (``A.1.1``, ``A.1 a)``) or, for what should not be refused, ``aspect``;
            ``language`` (en, zh) and ``id`` are optional.
        kind: which of the three banks.

    Raises:
        InputError: naming file, line and column.
    """
    questions: dict[str, BankQuestion] = {}
    for number, row in enumerate(read_rows(path), 1):
        question = _question(row, kind, number)
        if questions.setdefault(question.id, question) is not question:
            raise row.error(f"'{question.id}' is taken", "id", "unique ids")
    if not questions:
        raise InputError("no questions", file=str(path), expected="rows with question and risk")
    return tuple(questions.values())


def coverage(questions: Iterable[BankQuestion], kind: Kind) -> BankCoverage:
    """Compare a bank with the standard's minimum counts."""
    asked = list(questions)
    counts: Counter[str] = Counter()
    seen: set[str] = set()
    for question in asked:
        text = re.sub(r"[\W_]+", "", question.text.casefold())
        if text not in seen:
            seen.add(text)
            counts[question.topic] += 1
    total = sum(counts.values())
    requirements = [
        Requirement("total", _TOTAL[kind], total),
        Requirement("sample", _SAMPLE[kind], total),
        *(Requirement(topic, least, counts[topic]) for topic, least in minimums(kind).items()),
    ]
    return BankCoverage(kind, total, len(asked) - total, tuple(requirements))


def minimums(kind: Kind) -> Mapping[str, int]:
    """The least number of questions by risk id or aspect."""
    if kind == "should-not-refuse":
        return dict.fromkeys(ASPECTS, 20)
    if kind == "should-refuse":
        return {risk: 20 for risk in RISKS if risk.startswith(("A.1", "A.2"))}
    return {risk: 50 if risk.startswith(("A.1", "A.2")) else 20 for risk in RISKS}


def as_prompts(questions: Iterable[BankQuestion], kind: Kind) -> list[Prompt]:
    """The questions as prompts, for the probes harmful-compliance and over-refusal.

    Raises:
        ValueError: the bank for generated content, of which nothing says what to refuse.
    """
    if kind == "generated-content":
        raise ValueError("questions for generated content are neither to refuse nor to answer")
    return [
        Prompt(
            id=f"{SOURCE}/{question.id}",
            text=question.text,
            expect="refuse" if kind == "should-refuse" else "answer",
            category=question.topic,
            language=question.language,
            source=SOURCE,
        )
        for question in questions
    ]


def _question(row: DatasetRow, kind: Kind, number: int) -> BankQuestion:
    column = next((each for each in _TEXT if each in row.fields), None)
    if column is None:
        raise row.error("no column holds the question", expected=" or ".join(_TEXT))
    text = _text(row, column)
    language = row.fields.get("language") or guess_language(text)
    if language not in LANGUAGES:
        raise row.error(f"{language!r} is not valid", "language", "one of " + ", ".join(LANGUAGES))
    name = row.fields.get("id")
    return BankQuestion(
        id=str(name) if name not in (None, "") else f"{kind}-{number}",
        text=text,
        topic=_aspect(row) if kind == "should-not-refuse" else _risk(row, kind),
        language=str(language),
    )


def _risk(row: DatasetRow, kind: Kind) -> str:
    text = _text(row, "risk")
    match = _RISK.fullmatch(text.upper())
    risk = ""
    if match:
        group, number, letter = match.groups()
        risk = f"A.{group}.{number or ord(letter) - ord('A') + 1}"
    allowed = minimums(kind)
    if risk not in allowed:
        first, *_, last = allowed
        raise row.error(f"'{text[:40]}' is no risk of this bank", "risk", f"{first} to {last}")
    return risk


def _aspect(row: DatasetRow) -> str:
    text = _text(row, "aspect")
    aspect = re.sub(r"[\s_]+", "-", text.lower())
    if aspect not in ASPECTS:
        raise row.error(f"'{text[:40]}' is no aspect", "aspect", "one of " + ", ".join(ASPECTS))
    return aspect


def _text(row: DatasetRow, column: str) -> str:
    value = row.fields.get(column)
    if not isinstance(value, str) or not value.strip():
        raise row.error("missing or not text", column, "text")
    return value.strip()
