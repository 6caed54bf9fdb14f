"""The languages that reports are written in.

English stands in the code; a file ``languages/CODE.yaml`` holds the same sentences in another
language, by the English one. Texts of the document itself (titles of risks, items of standards,
reasons) are looked up in the same way, and stay as they are where nobody has translated them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import resources
from typing import Any, Final

from markupsafe import Markup

from buttress.errors import InputError
from buttress.files.yaml_loader import load_yaml
from buttress.report import numbers

_HOME: Final = "languages"
_MYRIADS: Final = ((1e8, "亿"), (1e4, "万"))
_EDGE: Final = re.compile(  # between Chinese characters and figures, where a space belongs
    r"(?<=[\u4e00-\u9fff])(?=[0-9€<])|(?<=[0-9%])(?=[\u4e00-\u9fff])(?![万亿])"
)


@dataclass(frozen=True)
class Language:
    """Sentences, nouns with their numbers, and figures in one language.

    ``messages`` maps English sentences with ``{names}`` to others; ``nouns`` maps an English noun
    to a form with ``{}`` for its number; ``texts`` maps texts of documents, and ``patterns`` such
    texts with ``{names}`` for what changes.
    """

    code: str
    messages: Mapping[str, str] = field(default_factory=dict)
    nouns: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    patterns: Mapping[str, str] = field(default_factory=dict)

    def say(self, message: str, **values: object) -> str:
        """A sentence of ours with ``values`` in it."""
        return self._spaced(self.messages.get(message, message).format(**values))

    def html(self, message: str, **values: object) -> Markup:
        """The same with markup in ``message``; ``values`` are escaped."""
        return Markup(self._spaced(Markup(self.messages.get(message, message)).format(**values)))

    def _spaced(self, text: str) -> str:
        return _EDGE.sub(" ", text) if self.code == "zh" else text

    def text(self, text: str | None) -> str:
        """A text of the document in this language, or as it is; empty where there is none."""
        if not text:
            return ""
        if (known := self.texts.get(text.strip())) is not None:
            return known
        for pattern, form in self._patterns:
            if found := pattern.fullmatch(text):
                return form.format(**{k: self.text(v) for k, v in found.groupdict().items()})
        return text

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], str]]:
        return [
            (re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+?)", re.escape(text)), re.DOTALL), form)
            for text, form in self.patterns.items()
        ]

    def plural(self, number: float, noun: str, many: str = "") -> str:
        """``1 risk``, ``2 risks``."""
        if noun in self.nouns:
            return self.nouns[noun].format(numbers.count(number))
        return numbers.plural(number, noun, many)

    def listing(self, words: Sequence[str], limit: int = 0) -> str:
        """``a, b and c``; beyond ``limit`` (0 for none) the rest as a number."""
        if self.code != "zh":
            return numbers.listing(words, limit)
        if limit and len(words) > limit:
            return f"{'、'.join(words[:limit])}等 {len(words)} 项"
        return "、".join(words)

    def joined(self, sentences: Sequence[str]) -> str:
        """Sentences one after the other."""
        return ("" if self.code == "zh" else " ").join(filter(None, sentences))

    def money(self, amount: float, unit: str) -> str:
        """An amount, to about three significant digits."""
        return numbers.money(amount, unit, _MYRIADS if self.code == "zh" else numbers.SCALES)

    def duration(self, seconds: float) -> str:
        """Seconds in the unit that people would use."""
        value, _, unit = numbers.duration(seconds).partition(" ")
        return f"{value} {self.say(unit)}"

    def size(self, number: float) -> str:
        """Bytes in the unit that people would use."""
        value, _, unit = numbers.size(number).partition(" ")
        return f"{value} {self.say(unit)}"


ENGLISH: Final = Language("en")


def codes() -> list[str]:
    """The codes of all languages there are."""
    files = resources.files("buttress.report").joinpath(_HOME).iterdir()
    return ["en", *sorted(file.name.removesuffix(".yaml") for file in files)]


@cache
def load(code: str) -> Language:
    """The language of that code.

    Raises:
        InputError: there is none.
    """
    if code == "en":
        return ENGLISH
    known = codes()
    if code not in known:
        expected = f"one of {', '.join(known)}"
        raise InputError(f"unknown language: {code}", field="--language", expected=expected)
    file = resources.files("buttress.report").joinpath(_HOME, f"{code}.yaml")
    data: dict[str, Any] = load_yaml(file)
    return Language(code, data["messages"], data["nouns"], data["texts"], data["patterns"])
