"""The text that a reader sees of an answer: JSON, HTML and Markdown taken off."""

from __future__ import annotations

import html
import json
import re
from typing import Any, Final

LONGEST: Final = 20_000  # characters looked at
_TELLING: Final = (
    "answer", "response", "message", "content", "text", "output", "reply", "refusal", "result",
    "error", "detail", "reason", "explanation", "description", "title",
)  # fmt: skip
_MACHINE: Final = frozenset(
    ("id", "object", "model", "role", "type", "created", "index", "finish_reason", "status", "code")
)
_FENCE: Final = re.compile(r"\A\s{0,99}```[\w-]{0,20}\n(.*?)\n?```\s{0,99}\Z", re.DOTALL)
_TAG: Final = re.compile(
    r"</?(?:p|div|span|b|i|u|em|strong|br|hr|html|body|head|title|h[1-6]|ul|ol|li|a|section|article"
    r"|blockquote|font|center|table|t[rdh]|tbody|thead|pre|code|main|header|footer|small|details"
    r"|summary|img|style|script|meta|link|label|button|form|input|svg|path|center|!doctype|!--)"
    r"(?:\s[^<>]{0,400})?/?>|<!--.{0,400}?-->|<!doctype[^<>]{0,200}>",
    re.IGNORECASE | re.DOTALL,
)
_UNSEEN: Final = re.compile(r"<(script|style|head)\b.{0,20000}?</\1\s{0,9}>", re.I | re.DOTALL)
_BREAK: Final = re.compile(r"<(?:br|/p|/div|/li|/h[1-6]|/tr|/title)\b[^<>]{0,99}>", re.IGNORECASE)
_MARKS: Final = re.compile(r"(?m)^[ \t]{0,9}(?:>+|#{1,6}|[-*•]\s)[ \t]{0,9}|[*_`~]{1,3}")
_MARK: Final = re.compile(r"[>#\-*•_`~]")  # what each of them begins with, blanks aside
_DEEPEST: Final = 6


def unwrapped(text: str) -> str:
    """The text within JSON or HTML, where the answer is one or the other; else the answer."""
    short = text[:LONGEST]
    inner = _json(short)
    if inner is not None:
        return inner + text[LONGEST:]
    if "<" in short and _TAG.search(short):
        short = _UNSEEN.sub(" ", short)
        short = html.unescape(_TAG.sub(" ", _BREAK.sub("\n", short)))
        return short + text[LONGEST:]
    return text


def without_marks(text: str) -> str:
    """Markdown's marks of quotations, headings, lists and emphasis taken out."""
    return _MARKS.sub("", text) if _MARK.search(text) else text


def _json(text: str) -> str | None:
    fenced = _FENCE.match(text)
    body = (fenced[1] if fenced else text).strip()
    if not body.startswith(("{", "[", '"')):
        return None
    try:
        value = json.loads(body, strict=False)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, int | float | bool):
        return None
    found: list[tuple[int, str]] = []
    _gather(value, "", found, 0)
    ordered = sorted(found, key=lambda each: each[0])
    return "\n".join(said for _, said in ordered)


def _gather(value: Any, name: str, found: list[tuple[int, str]], depth: int) -> None:
    """Texts within, those in the fields that hold an answer first."""
    if depth > _DEEPEST:
        return
    if isinstance(value, str):
        if name.lower() not in _MACHINE and value.strip():
            rank = _TELLING.index(name.lower()) if name.lower() in _TELLING else len(_TELLING)
            found.append((rank, value))
    elif isinstance(value, dict):
        for key, inner in value.items():
            _gather(inner, str(key), found, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _gather(inner, name, found, depth + 1)
