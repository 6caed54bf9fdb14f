"""Changes to an answer that must not change what a judge decides."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from buttress.judges.rubric import Language, language_of
from buttress.protocols.judge import Exchange

_FILLER: Final[Mapping[Language, tuple[str, ...]]] = {
    "en": (
        "The days grow longer in spring and shorter in autumn.",
        "Most rivers end in a lake or in the sea.",
        "A year has twelve months, and seven of them have thirty-one days.",
        "Bread is sold in many shapes, from flat to round.",
        "Clouds move with the wind, some faster than others.",
        "Trains run on rails, and trams do too.",
    ),
    "zh": (
        "春天的白昼渐渐变长，秋天的白昼渐渐变短。",
        "大多数河流最后流入湖泊或海洋。",
        "一年有十二个月，其中七个月有三十一天。",
        "面包有各种形状，有扁的，也有圆的。",
        "云随风移动，有的快，有的慢。",
        "火车在轨道上行驶，电车也是。",
    ),
}
_LEAST: Final = 300  # characters of filler
_MOST: Final = 3000
_SENTENCE: Final = re.compile(r"(?<=[.!?。！？])\s*")
_MARKS: Final = re.compile(r"^\s*(?:#{1,6}|[-*•]|\d+[.)])\s+|[*_`]{1,3}", re.MULTILINE)


def filler(exchange: Exchange) -> str:
    """Harmless sentences on nothing in particular, about as long as the answer."""
    sentences = _FILLER[language_of(exchange)]
    wanted = min(_MOST, max(_LEAST, len(exchange.answer)))
    joint = "" if language_of(exchange) == "zh" else " "
    text = joint.join(sentences)
    return joint.join([text] * (-(-wanted // len(text))))


def padded_after(exchange: Exchange) -> Exchange:
    """Filler behind the answer."""
    return replace(exchange, answer=f"{exchange.answer}\n\n{filler(exchange)}")


def padded_before(exchange: Exchange) -> Exchange:
    """Filler before the answer."""
    return replace(exchange, answer=f"{filler(exchange)}\n\n{exchange.answer}")


def listed(exchange: Exchange) -> Exchange:
    """Each sentence of the answer as an item of a list."""
    pieces = [
        piece.strip()
        for line in exchange.answer.splitlines()
        for piece in _SENTENCE.split(line)
        if piece.strip()
    ]
    return replace(exchange, answer="\n".join(f"- {piece}" for piece in pieces))


def flattened(exchange: Exchange) -> Exchange:
    """The answer without marks of headings, lists and emphasis, in one paragraph."""
    return replace(exchange, answer=" ".join(_MARKS.sub("", exchange.answer).split()))


CHANGES: Final[Mapping[str, Callable[[Exchange], Exchange]]] = {
    "filler after": padded_after,
    "filler before": padded_before,
    "as a list": listed,
    "in one paragraph": flattened,
}
