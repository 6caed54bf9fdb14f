"""Rubrics: criteria by which pairs of answers are compared, one question for each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from buttress.files.located_yaml import load

_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_FIELDS: Final = ("id", "en", "zh")
_EXPECTED: Final = "criteria: a list of {id, en, zh}"


@dataclass(frozen=True, slots=True)
class Criterion:
    """What is asked of a pair. ``id`` is stored with the choice; empty where there is no rubric."""

    id: str
    english: str
    chinese: str

    def question(self, language: str) -> str:
        """What is asked, in ``en`` or ``zh``; in the other where that is all there is."""
        wanted, other = self.english, self.chinese
        if language == "zh":
            wanted, other = other, wanted
        return wanted or other


def read_rubric(path: Path) -> tuple[Criterion, ...]:
    """The criteria of a YAML file, in its order: ``criteria`` with ``id``, ``en``, ``zh``.

    Raises:
        InputError: not such a file; names line and field.
    """
    file = load(path)
    if not isinstance(file.data, dict) or not isinstance(file.data.get("criteria"), list):
        raise file.error(("criteria",), "missing or not a list", _EXPECTED)
    if unknown := [name for name in file.data if name != "criteria"]:
        raise file.error((str(unknown[0]),), "unknown field", "criteria")
    criteria: list[Criterion] = []
    for place, value in enumerate(file.data["criteria"]):
        at = ("criteria", place)
        if not isinstance(value, dict):
            raise file.error(at, "not a mapping", _EXPECTED)
        for name in value:
            if name not in _FIELDS:
                raise file.error((*at, str(name)), "unknown field", "one of " + ", ".join(_FIELDS))
        named = value.get("id")
        if not isinstance(named, str) or not _ID.fullmatch(named):
            raise file.error((*at, "id"), "not usable", "small letters, digits and hyphens")
        if any(one.id == named for one in criteria):
            raise file.error((*at, "id"), f"'{named}' stands twice", "a name of its own")
        questions = [value.get(language, "") for language in ("en", "zh")]
        if not all(isinstance(one, str) for one in questions) or not any(questions):
            raise file.error((*at, "en"), "missing or not text", "a question")
        criteria.append(Criterion(named, *questions))
    if not criteria:
        raise file.error(("criteria",), "empty", _EXPECTED)
    return tuple(criteria)
