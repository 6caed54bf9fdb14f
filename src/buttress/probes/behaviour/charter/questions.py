"""Questions about a charter's principles: drafted, kept in a file, reviewed, then asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final, Literal, get_args

import yaml

from buttress.files.atomic import write_whole
from buttress.files.located_yaml import FieldPath, Located, load
from buttress.probes.behaviour.charter.principles import LANGUAGES, Principle, Situation

Review = Literal["pending", "accepted", "rejected"]
REVIEWS: Final[tuple[str, ...]] = get_args(Review)
_FIELDS: Final = ("id", "principle", "origin", "review", "reviewer", *LANGUAGES)
_TEXTS: Final = ("wordings", "good", "bad")
_ASKED: Final = {
    "en": ("What do you do?", "How do you act?"),
    "zh": ("你会怎么做？", "你如何行动？"),
}
_NOTE: Final = (
    "# Questions about the principles of a charter, drafted by buttress values. Only those with\n"
    "# review: accepted are asked. Review with --review, or edit by hand.\n"
)


@dataclass(frozen=True, slots=True)
class QuestionText:
    """A question in one language: wordings of the same, the answer that keeps the principle, and
    the one that breaks it.
    """

    wordings: tuple[str, ...]
    good: str
    bad: str


@dataclass(frozen=True, slots=True)
class CharterQuestion:
    """``origin`` is ``template:ID``, ``charter`` or ``author:ASSET``."""

    id: str
    principle: str
    origin: str
    texts: Mapping[str, QuestionText]  # by language
    review: Review = "pending"
    reviewer: str = ""

    def reviewed(self, review: Review, reviewer: str) -> CharterQuestion:
        """The question as somebody has decided on it."""
        return replace(self, review=review, reviewer=reviewer)


@cache
def templates() -> Sequence[Mapping[str, Any]]:
    """Our templates: see the file."""
    file = resources.files("buttress.probes.behaviour.charter") / "templates.yaml"
    loaded: list[dict[str, Any]] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return loaded


def by_templates(principle: Principle) -> list[CharterQuestion]:
    """A question for each template, in the languages in which the principle is stated."""
    return [
        CharterQuestion(
            f"{principle.id}/{template['id']}",
            principle.id,
            f"template:{template['id']}",
            {
                language: QuestionText(
                    tuple(
                        one.format(rule=principle.text(language))
                        for one in template[language]["wordings"]
                    ),
                    template[language]["good"],
                    template[language]["bad"],
                )
                for language in principle.languages
            },
        )
        for template in templates()
    ]


def of_situations(
    principle: Principle, situations: Sequence[Mapping[str, Situation]], origin: str
) -> list[CharterQuestion]:
    """A question for each situation; ``origin`` is ``charter`` or ``author:ASSET``."""
    return [
        CharterQuestion(
            f"{principle.id}/{origin.partition(':')[0]}-{number}",
            principle.id,
            origin,
            {
                language: QuestionText(
                    tuple(f"{one.situation} {asked}" for asked in _ASKED[language]),
                    one.good,
                    one.bad,
                )
                for language, one in by_language.items()
            },
        )
        for number, by_language in enumerate(situations, 1)
    ]


def write_questions(questions: Sequence[CharterQuestion], to: Path) -> None:
    """Write the file, whole or not at all.

    Raises:
        InputError: not writable.
    """
    data = [
        {
            "id": one.id, "principle": one.principle, "origin": one.origin, "review": one.review,
            "reviewer": one.reviewer,
            **{
                language: {"wordings": list(text.wordings), "good": text.good, "bad": text.bad}
                for language, text in one.texts.items()
            },
        }
        for one in questions
    ]  # fmt: skip
    text = yaml.safe_dump({"questions": data}, allow_unicode=True, sort_keys=False, width=96)
    write_whole(to, (_NOTE + text).encode(), "--questions")


def read_questions(path: Path, principles: Sequence[Principle]) -> list[CharterQuestion]:
    """The questions of a file.

    Raises:
        InputError: not such a file, or of a principle that the charter lacks; names line and field.
    """
    file = load(path)
    data = file.data
    if not isinstance(data, dict) or not isinstance(data.get("questions"), list):
        raise file.error(("questions",), "missing or not a list", "a file that values has drafted")
    known = {one.id for one in principles}
    found: dict[str, CharterQuestion] = {}
    for place, value in enumerate(data["questions"]):
        at: FieldPath = ("questions", place)
        question = _question(file, value, at)
        if question.principle not in known:
            problem = f"the charter has no principle '{question.principle}'"
            raise file.error((*at, "principle"), problem, "one of " + ", ".join(sorted(known)))
        if question.id in found:
            raise file.error((*at, "id"), f"'{question.id}' stands twice", "a name of its own")
        found[question.id] = question
    return list(found.values())


def _question(file: Located, value: Any, at: FieldPath) -> CharterQuestion:
    if not isinstance(value, dict):
        raise file.error(at, "not a mapping", ", ".join(_FIELDS))
    for name in value:
        if name not in _FIELDS:
            raise file.error((*at, str(name)), "unknown field", "one of " + ", ".join(_FIELDS))
    for name in ("id", "principle"):
        if not isinstance(value.get(name), str) or not value[name].strip():
            raise file.error((*at, name), "missing or not text", "text")
    for name in ("origin", "reviewer"):
        if not isinstance(value.get(name, ""), str):
            raise file.error((*at, name), "not text", "text")
    review = value.get("review", "pending")
    if review not in REVIEWS:
        raise file.error((*at, "review"), f"'{review}'"[:60], "one of " + ", ".join(REVIEWS))
    texts = {
        language: _text(file, value[language], (*at, language))
        for language in LANGUAGES
        if language in value
    }
    if not texts:
        raise file.error((*at, "en"), "missing", "the question in English or Chinese")
    return CharterQuestion(
        value["id"], value["principle"], value.get("origin", ""), texts, review,
        value.get("reviewer", ""),
    )  # fmt: skip


def _text(file: Located, value: Any, at: FieldPath) -> QuestionText:
    if not isinstance(value, dict):
        raise file.error(at, "not a mapping", ", ".join(_TEXTS))
    for name in value:
        if name not in _TEXTS:
            raise file.error((*at, str(name)), "unknown field", "one of " + ", ".join(_TEXTS))
    wordings = value.get("wordings")
    if not isinstance(wordings, list) or not wordings:
        raise file.error((*at, "wordings"), "missing or not a list", "one wording or more")
    for place, one in enumerate(wordings):
        if not isinstance(one, str) or not one.strip():
            raise file.error((*at, "wordings", place), "not text", "text")
    for name in ("good", "bad"):
        if not isinstance(value.get(name), str) or not value[name].strip():
            raise file.error((*at, name), "missing or not text", "text")
    if value["good"].strip() == value["bad"].strip():
        raise file.error((*at, "bad"), "the same as good", "an answer that breaks the principle")
    return QuestionText(tuple(wordings), value["good"], value["bad"])
