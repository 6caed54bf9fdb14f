"""Charters and constitutions: principles in English and Chinese, and where they come from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from buttress.files.located_yaml import FieldPath, Located, load

_FIELDS: Final = ("id", "en", "zh", "source", "situations")
_TEXTS: Final = ("situation", "good", "bad")
_EXPECTED: Final = "principles: a list of {id, en, zh, source}"
LANGUAGES: Final = ("en", "zh")


@dataclass(frozen=True, slots=True)
class Situation:
    """A situation in which a principle matters, with a way that keeps it and one that breaks it."""

    situation: str
    good: str
    bad: str


@dataclass(frozen=True, slots=True)
class Principle:
    """A principle in English, Chinese or both, and where it comes from.

    ``situations`` are the author's own, each by language.
    """

    id: str
    english: str
    chinese: str
    source: str = ""
    situations: tuple[dict[str, Situation], ...] = ()

    def text(self, language: str) -> str:
        """In ``en`` or ``zh``; in the other where that is all there is."""
        wanted, other = self.english, self.chinese
        if language == "zh":
            wanted, other = other, wanted
        return wanted or other

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages in which it is stated."""
        stated = {"en": self.english, "zh": self.chinese}
        return tuple(name for name in LANGUAGES if stated[name].strip())


def load_principles(path: Path) -> tuple[Principle, ...]:
    """The principles of a YAML file, in its order.

    Raises:
        InputError: not such a file; names line and field.
    """
    return read_principles(load(path))


def read_principles(file: Located) -> tuple[Principle, ...]:
    """The principles of a parsed file; other fields beside ``principles`` are left alone.

    Raises:
        InputError: not as expected; names line and field.
    """
    data = file.data
    if not isinstance(data, dict) or not isinstance(data.get("principles"), list):
        raise file.error(("principles",), "missing or not a list", _EXPECTED)
    found: dict[str, Principle] = {}
    for place, value in enumerate(data["principles"]):
        principle = _principle(file, value, ("principles", place))
        if principle.id in found:
            problem = f"'{principle.id}' stands twice"
            raise file.error(("principles", place, "id"), problem, "a name of its own")
        found[principle.id] = principle
    if not found:
        raise file.error(("principles",), "empty", _EXPECTED)
    return tuple(found.values())


def _principle(file: Located, value: Any, at: FieldPath) -> Principle:
    fields = _mapping(file, value, at, _FIELDS)
    texts = {name: fields.get(name, "") for name in _FIELDS[:-1]}
    for name, text in texts.items():
        if not isinstance(text, str):
            raise file.error((*at, name), "not text", "text")
    if not texts["id"].strip():
        raise file.error((*at, "id"), "missing", "a short name")
    if not (texts["en"].strip() or texts["zh"].strip()):
        raise file.error((*at, "en"), "missing", "the principle in English or Chinese")
    given = fields.get("situations", [])
    if not isinstance(given, list):
        raise file.error((*at, "situations"), "not a list", "a list by language")
    situations = tuple(
        _situations(file, one, (*at, "situations", place)) for place, one in enumerate(given)
    )
    for place, one in enumerate(situations):
        for language in one:
            if not texts[language]:
                raise file.error(
                    (*at, "situations", place, language), "the principle is not stated so",
                    f"{language}: the principle, or no situation in it",
                )  # fmt: skip
    return Principle(texts["id"], texts["en"], texts["zh"], texts["source"], situations)


def _situations(file: Located, value: Any, at: FieldPath) -> dict[str, Situation]:
    by_language = _mapping(file, value, at, LANGUAGES)
    found = {}
    for language, one in by_language.items():
        texts = _mapping(file, one, (*at, language), _TEXTS)
        for name in _TEXTS:
            if not isinstance(texts.get(name), str) or not texts[name].strip():
                raise file.error((*at, language, name), "missing or not text", "text")
        if texts["good"].strip() == texts["bad"].strip():
            raise file.error((*at, language, "bad"), "the same as good", "another choice")
        found[language] = Situation(**texts)
    if not found:
        raise file.error(at, "empty", "a situation in English or Chinese")
    return found


def _mapping(file: Located, value: Any, at: FieldPath, fields: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise file.error(at, "not a mapping", "{" + ", ".join(fields) + "}")
    for name in value:
        if name not in fields:
            raise file.error((*at, str(name)), "unknown field", "one of " + ", ".join(fields))
    return value
