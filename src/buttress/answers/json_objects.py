"""JSON objects in a model's reply: strict first, then with the mistakes that small models make."""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

LONGEST: Final = 20_000  # characters looked at
MOST_TRIES: Final = 200  # opening braces tried
_DECODER: Final = json.JSONDecoder()
_KEY: Final = re.compile(
    r"(?:[{,]|\A|\n)\s{0,99}(?:\"(?P<a>\w{1,40})\"|'(?P<b>\w{1,40})'|(?P<c>\w{1,40}))\s{0,9}:\s{0,9}"
)
_NUMBER: Final = re.compile(r"[-+]?\d{1,30}(?:\.\d{0,30})?(?:[eE][-+]?\d{1,3})?")
_WORD: Final = re.compile(r"true|false|null|none|\w{1,40}", re.IGNORECASE)
_LITERALS: Final = {"true": True, "false": False, "null": None, "none": None}
_ESCAPE: Final = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_PLAIN: Final = {"n": "\n", "t": "\t", "r": "", "b": "", "f": ""}


def last_object(text: str, field: str) -> dict[str, Any] | None:
    """The last JSON object with that field: models think aloud first.

    Where none is JSON, objects with single quotes, bare keys, trailing commas, bad escapes or a
    missing end are read as far as they go.
    """
    text = text[:LONGEST]
    found = [each for each in objects(text) if field in each]
    if found:
        return found[-1]
    tries = [match.start() for match in re.finditer(r"\{", text)][-MOST_TRIES:]
    for start in reversed(tries):
        read = _lenient(text[start:])
        if field in read:
            return read
    return None


def objects(text: str) -> list[dict[str, Any]]:
    """JSON objects in a text, in order, not those inside others."""
    found: list[dict[str, Any]] = []
    start = text.find("{")
    for _ in range(MOST_TRIES):
        if start < 0:
            break
        try:
            value, end = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            end = start + 1
        else:
            found.append(value)
        start = text.find("{", end)
    return found


def number(value: object) -> float | None:
    """A finite number, given as one or as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def _lenient(text: str) -> dict[str, Any]:
    """Keys and simple values of an object that is nearly JSON; no key twice, the last counts."""
    found: dict[str, Any] = {}
    place = 0
    while match := _KEY.search(text, place):
        key = match["a"] or match["b"] or match["c"]
        value, place = _value(text, match.end())
        if place <= match.start():
            place = match.end()
        found[key] = value
    return found


def _value(text: str, start: int) -> tuple[Any, int]:
    quote = text[start : start + 1]
    if quote in ('"', "'"):
        end = _closing(text, start + 1, quote)
        said = _ESCAPE.sub(_unescaped, text[start + 1 : end])
        return said, end
    if match := _NUMBER.match(text, start):
        return float(match.group()), match.end()
    if match := _WORD.match(text, start):
        word = match.group()
        return _LITERALS.get(word.lower(), word), match.end()
    return None, start


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    return chr(int(code[1:], 16)) if len(code) == 5 else _PLAIN.get(code, code)


def _closing(text: str, start: int, quote: str) -> int:
    """Where the value ends: a quote with a comma, a brace or the end behind it."""
    pattern = re.compile(rf"(?<!\\){quote}\s{{0,99}}(?=[,}}\]]|\Z)")
    end = pattern.search(text, start)
    return end.start() if end else len(text)
