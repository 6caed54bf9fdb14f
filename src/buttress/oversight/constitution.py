"""Constitutions: principles under which answers are criticised and revised (Bai et al. 2022)."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final

from buttress.files.located_yaml import FieldPath, Located, load, parse

_FIELDS: Final = ("id", "en", "zh", "source")
_EXPECTED: Final = "principles: a list of {id, en, zh, source}"


@dataclass(frozen=True, slots=True)
class Principle:
    """A principle in English, Chinese or both, and where it comes from."""

    id: str
    english: str
    chinese: str
    source: str = ""

    def text(self, language: str) -> str:
        """In ``en`` or ``zh``; in the other where that is all there is."""
        wanted, other = self.english, self.chinese
        if language == "zh":
            wanted, other = other, wanted
        return wanted or other


def load_constitution(path: Path | None = None) -> tuple[Principle, ...]:
    """The principles of a YAML file, in its order; ours where no path is given.

    Raises:
        InputError: not such a file; names line and field.
    """
    if path is not None:
        return read_principles(load(path))
    file = resources.files("buttress.oversight") / "data" / "constitution.yaml"
    return read_principles(parse(file.read_text(encoding="utf-8"), "constitution.yaml"))


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
    if not isinstance(value, dict):
        raise file.error(at, "not a mapping", _EXPECTED)
    for name in value:
        if name not in _FIELDS:
            raise file.error((*at, str(name)), "unknown field", "one of " + ", ".join(_FIELDS))
    texts = {name: value.get(name, "") for name in _FIELDS}
    for name, text in texts.items():
        if not isinstance(text, str):
            raise file.error((*at, name), "not text", "text")
    if not texts["id"].strip():
        raise file.error((*at, "id"), "missing", "a short name")
    if not (texts["en"].strip() or texts["zh"].strip()):
        raise file.error((*at, "en"), "missing", "the principle in English or Chinese")
    return Principle(texts["id"], texts["en"], texts["zh"], texts["source"])
