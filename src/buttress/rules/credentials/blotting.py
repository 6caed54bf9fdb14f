"""Blots out what may be a credential in a line that is shown, whatever its format.

Findings of other probes quote the lines that they are about: a command with a password, an address
with a key. A report goes to logs and to code hosts, so that no part of a secret may stand in it.
"""

from __future__ import annotations

import re
from typing import Final

from buttress.rules.credentials.literals import is_words

_MARK: Final = "…"
_REFERENCE: Final = ("$", "{", "<", "%", "*", _MARK, "[")
_KEY: Final = r"[\w-]{0,40}(?:token|passw(?:or)?d|passphrase|secret|api[-_]?key|access[-_]?key|pat)"
# Places where nothing but a credential stands.
_SURE: Final = re.compile(
    r"(?i)://[^\s:/@\"'`]{0,80}:(?P<a>[^\s@\"'`/]{1,300})(?=@)"
    r"|[?&][\w-]{0,40}(?:key|token|secret|sig|signature|password|pwd|code)=(?P<b>[^&\s\"'`<>]{6,500})"
    r"|authorization[\"']?\s{0,3}[:=,]\s{0,3}[\"']?(?:(?:bearer|basic|token)\s{1,3})?"
    r"(?P<c>[^\s\"'`,;<>]{6,500})"
    r"|\bbearer\s{1,3}(?P<d>[\w.~+/=-]{8,500})"
    r"|\b(?:x-)?(?:[a-z]{1,20}-){0,3}(?:api-?key|token|secret|key)[\"']?\s{0,3}:\s{0,3}[\"']?"
    r"(?P<e>[^\s\"'`,;<>{}]{8,500})"
    r"|(?<![\w-])--?" + _KEY + r"(?:[= ]\s{0,2}|[\"'],\s{0,3})[\"']?(?P<f>[^\s\"'`,<>]{4,500})"
    r"|\s(?:-u|--user|--proxy-user|-a|--auth)[ =]?[\"']?[^\s:\"'`]{1,60}:(?P<g>[^\s\"'`]{3,300})"
    r"|\b(?:mysql\w*|mariadb\w*|sshpass|pg_dump)\b[^\n|;&]{0,200}?\s-p\s?(?P<h>[^\s\"'`|;&]{4,200})"
    r"|\b(?:docker|podman)\s+login\b[^\n|;&]{0,200}?\s-p\s?(?P<i>[^\s\"'`|;&]{4,200})"
)
# Names beside which a credential stands more often than not.
_LIKELY: Final = re.compile(
    r"(?i)" + _KEY + r"[\"']?\s{0,3}[=:]\s{0,3}[\"']?(?P<j>[^\s\"'`,;<>(){}]{6,500})"
)


def blotted(text: str) -> str:
    """``text`` without what may be a credential by its place; references to variables stay."""
    if len(text) < 8:
        return text
    return _LIKELY.sub(_likely, _SURE.sub(_sure, text))


def _sure(match: re.Match[str]) -> str:
    return _without(match) or match[0]


def _likely(match: re.Match[str]) -> str:
    value = match["j"]
    return match[0] if is_words(value.encode()) else _without(match) or match[0]


def _without(match: re.Match[str]) -> str:
    """The match without its value; empty where that refers to something."""
    name = match.lastgroup or ""
    value = match[name]
    if value.startswith(_REFERENCE):
        return ""
    start, end = (place - match.start() for place in match.span(name))
    return match[0][:start] + _MARK + match[0][end:]
