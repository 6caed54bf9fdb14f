"""Tells defaults that are made of the names around them from passwords that somebody thought up."""

from __future__ import annotations

import re
from typing import Final

import re2

from buttress.rules.credentials.literals import is_random

# Words of which defaults are made, whatever they are for.
_WORDS: Final = (
    r"administrator|admin|root|super|user|pass|phrase|passwd|password|pwd|secret|token|keys?|api|jwt|"
    r"auth|access|default|develop(?:er|ment)?|dev|local(?:host)?|demo|test(?:ing)?|example|sample|"
    r"change|this|my|your|the|an?|in|for|only|not|do|please|(?:un|in)?safe|(?:in)?secure|strong|very|"
    r"long|random|string|value|here|simple|minimal|temp|db|database|sql|data|server|service|app|"
    r"application|internal|public|private|session|cookie|encrypt(?:ion)?|hash|salt|sign(?:ing)?|"
    r"hmac|master|client|backend|frontend|web|site|prod(?:uction)?|staging|initial|docker|compose|"
    r"container|cluster|stack|agent|chat|bot|llm|ai|ml|rag|sk|pk|lf|ci|real|fake|dummy|hello|world|"
    r"build|runtime|time|image|unused|ignored|whatever|something|anything|needed|required|must|be|set|"
    r"later|with|at|least|char(?:acter)?s?|bits?|bytes?|min(?:imum)?|length|longer|top|let|me|once|"
    r"welcome|qwerty|helm|chart|kube(?:rnetes)?|k8s"
)
_COMMON: Final = re2.compile(_WORDS)
_ALL_COMMON: Final = re2.compile(f"(?:{_WORDS})+")
_LETTERS: Final = str.maketrans("01345@$", "oleasas")  # signs that people write for letters
_PIECES: Final = re.compile(r"[^a-z]+")
_ASSIGNS: Final = re.compile(
    r"(?:(?:pass|pwd|secret|token|key|auth|credential|salt|\bvalue)[\w.-]{0,40}[\"']?\s*[:=]\s*[\"']?"
    r"(?:\$\{\w+:?-)?|:)$"
)
_BEFORE: Final = 120  # characters before a value in which the name that it is given to stands
_MOST: Final = 200_000  # characters around that are looked through
_LEAST: Final = 3  # letters of a piece that has to be a name


def is_made_of_names(value: str, near: str) -> bool:
    """Whether a credential is put together from common words and names that stand near it.

    ``near`` is the text around; lines that assign credentials, and passwords in addresses, name
    nothing. What looks drawn at random is never one.
    """
    text, spelled = value.lower(), value.translate(_LETTERS)
    if all(is_random(one.encode("utf-8", "replace")) for one in (value, spelled)):
        return False
    if not re.search(r"[a-z]{3}", spelled.lower()):
        return False
    around = near[:_MOST].lower()
    names = re.sub(re.escape(text), lambda match: _but_assigned(around, match), around)
    return any(
        all(_is_name(piece, names) for piece in _PIECES.split(one) if len(piece) >= _LEAST)
        for one in (text, spelled.lower())
    )


def _but_assigned(around: str, match: re.Match[str]) -> str:
    before = around[max(0, match.start() - _BEFORE) : match.start()]
    return " " if _ASSIGNS.search(before) else match[0]


def _is_name(piece: str, names: str) -> bool:
    if piece in names or _ALL_COMMON.fullmatch(piece):
        return True
    rest = [one for one in _COMMON.split(piece) if one]
    return all(len(one) < _LEAST or one in names for one in rest)
