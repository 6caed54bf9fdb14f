"""Reading what an attacker model wrote: JSON, JSON with mistakes, labelled lines, lists.

Weak attackers rarely keep to a format, and a reply that can't be read is a lost attempt. Nothing
here trusts the reply: it is cut, and characters that can't be encoded are taken out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from buttress.answers.json_objects import LONGEST, last_object

TEXT: Final = 2_000  # characters of a prompt that are used
_UNUSABLE: Final = re.compile("[\ud800-\udfff\x00]")
_CLOSING: Final = {'"': '"', "'": "'", "“": "”", "「": "」"}
_ESCAPE: Final = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_PLAIN_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "", "b": "", "f": ""}
_ITEM: Final = re.compile(
    r"^[ \t>*_#]{0,9}(?:\d{1,3}[ \t]{0,3}[.)、:：．]|[-*•·]|[（(]\d{1,3}[）)])"
    r"[ \t*_]{0,9}(\S[^\n]*)$",
    re.MULTILINE,
)
_VERDICT: Final = re.compile(
    r"\b(?P<yes>yes|true)\b|\b(?P<no>no|false)\b|(?P<no_zh>不|否)|(?P<yes_zh>是)"
)


def cleaned(text: object) -> str | None:
    """The text without quotes around it, cut and encodable; None where nothing is left."""
    if not isinstance(text, str):
        return None
    text = _UNUSABLE.sub("", text).strip().strip("`").strip()
    if len(text) > 1 and _CLOSING.get(text[0]) == text[-1]:
        text = text[1:-1].strip()
    return text[:TEXT].rstrip() or None


def field(reply: str, name: str) -> str | None:
    """A field of a reply: from JSON, from something like JSON, or from a line ``name: …``."""
    reply = reply[:LONGEST]
    found = last_object(reply, name)
    if found is not None and (value := cleaned(found[name])) is not None:
        return value
    return _quoted(reply, name) or section(reply, (name,), ())


def section(reply: str, names: Sequence[str], others: Sequence[str]) -> str | None:
    """What stands behind the last label among ``names``, up to one of ``others`` or the end.

    A label begins a line, in any markdown, and ends with a colon.
    """
    reply = reply[:LONGEST]
    starts = list(_label(tuple(names)).finditer(reply))
    if not starts:
        return None
    begin = starts[-1].end()
    stop = _label(tuple(others)).search(reply, begin) if others else None
    return cleaned(reply[begin : stop.start() if stop else None])


def items(reply: str, name: str, most: int) -> list[str]:
    """A list in a reply: the JSON list ``name``, else numbered or bulleted lines; no item twice."""
    reply = reply[:LONGEST]
    found = last_object(reply, name)
    listed = found[name] if found is not None else None
    if not isinstance(listed, list):
        listed = [match[1] for match in _ITEM.finditer(reply)]
    kept = (cleaned(_words(one)) for one in listed[: 4 * most])
    return list(dict.fromkeys(one for one in kept if one))[:most]


def verdict(reply: str) -> bool | None:
    """The first yes or no in a reply, in English or Chinese."""
    found = _VERDICT.search(reply[:LONGEST].lower())
    return None if found is None else found.lastgroup in ("yes", "yes_zh")


def _words(item: Any) -> object:
    """An item that is an object, as ``name: relation`` in the order in which it was written."""
    if isinstance(item, dict):
        return ": ".join(value for value in item.values() if isinstance(value, str))
    return item


@lru_cache(maxsize=64)
def _label(names: tuple[str, ...]) -> re.Pattern[str]:
    named = "|".join(map(re.escape, names))
    return re.compile(
        rf"^[ \t>*_#`\"'-]{{0,9}}(?:{named})[ \t*_`\"']{{0,9}}[:：][ \t*_]{{0,9}}",
        re.MULTILINE | re.IGNORECASE,
    )


@lru_cache(maxsize=64)
def _opening(name: str) -> re.Pattern[str]:
    return re.compile(
        rf"[\"'“「]{re.escape(name)}[\"'”」]\s{{0,9}}[:：]\s{{0,9}}([\"'“「])", re.IGNORECASE
    )


@lru_cache(maxsize=8)
def _ending(quote: str) -> re.Pattern[str]:
    """A closing quote that ends the value: behind it comes the next key or the object's end."""
    return re.compile(
        rf"(?<!\\){re.escape(quote)}\s{{0,99}}(?:\}}|\Z|,\s{{0,99}}(?:\}}|[\"'“「]\w{{1,40}}[\"'”」]\s{{0,9}}[:：]))"
    )


def _quoted(reply: str, name: str) -> str | None:
    """The quoted value behind a quoted key, in JSON that doesn't parse or breaks off."""
    opening = _opening(name).search(reply)
    if opening is None:
        return None
    rest = reply[opening.end() :]
    end = _ending(_CLOSING[opening[1]]).search(rest)
    return cleaned(_ESCAPE.sub(_unescaped, rest[: end.start()] if end else rest))


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    if len(code) == 5:
        return chr(int(code[1:], 16))
    return _PLAIN_ESCAPES.get(code, code)
