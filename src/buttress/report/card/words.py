"""The forms of cards and what they say, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import yaml


@cache
def _file(name: str) -> dict[str, Any]:
    text = (resources.files("buttress.report.card") / name).read_text(encoding="utf-8")
    data: dict[str, Any] = yaml.safe_load(text)
    return data


def forms() -> Mapping[str, Any]:
    """The forms by name; see the file."""
    return _file("forms.yaml")


class CardWords:
    """Sentences of cards in one language, ``en`` or ``zh``."""

    def __init__(self, language: str) -> None:
        self.language = language

    def say(self, sentence: str, /, **values: object) -> str:
        """That sentence with ``values`` in it."""
        text: str = _file("words.yaml")[sentence][self.language]
        return text.format(**values)

    def of(self, name: str, key: str) -> str:
        """A text by its key, or the key where there is none."""
        table: Mapping[str, str] = _file("words.yaml")[name][self.language]
        return table.get(key, key)

    def title(self, titled: Mapping[str, str]) -> str:
        """The title of a form, section or field."""
        return titled[self.language]
