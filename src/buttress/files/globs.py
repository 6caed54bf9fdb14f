"""Patterns for paths, as ``.gitignore`` has them, matched in linear time."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

from buttress.errors import InputError

MAX_LENGTH: Final = 1_000


class Globs:
    """A set of patterns; a path matches if it, or a folder that it lies in, matches one of them.

    ``*`` and ``?`` do not cross ``/``, ``**`` does, and ``[a-z]`` is a class. A pattern with a
    ``/`` before its end counts from the top, any other at every depth. One that ends in ``/`` is
    for folders only.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        self._patterns = tuple(patterns)
        self._compiled = [compiled(pattern) for pattern in self._patterns]

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def __reduce__(self) -> tuple[type[Globs], tuple[tuple[str, ...]]]:
        # RE2's expressions can't be sent to another process.
        return Globs, (self._patterns,)

    def match(self, path: str) -> bool:
        """Whether a relative path with ``/`` matches; a folder's ends in ``/``."""
        return any(one.fullmatch(path) for one in self._compiled)


@lru_cache(maxsize=1_024)
def compiled(pattern: str) -> Any:
    """The RE2 expression of a pattern.

    Raises:
        InputError: it is empty, too long, or not a pattern.
    """
    body = pattern.removeprefix("./").strip("/")
    if not body or len(pattern) > MAX_LENGTH or "\0" in pattern:
        raise InputError(f"'{pattern[:60]}' is not a pattern for paths", expected="such as *.bin")
    anchored = "/" in pattern.removeprefix("./").rstrip("/")
    text = "" if anchored or body.startswith("**") else "(?:.*/)?"
    at = 0
    while at < len(body):
        piece, length = _piece(body, at)
        text += piece
        at += length
    text += "/.*" if pattern.endswith("/") else "(?:/.*)?"
    import re2  # slow to import, and most scans have no patterns

    options = re2.Options()
    options.dot_nl = True
    options.log_errors = False
    try:
        return re2.compile(text, options)
    except re2.error:
        raise InputError(
            f"'{pattern[:60]}' is not a pattern for paths", expected="such as *.bin"
        ) from None


def _piece(body: str, at: int) -> tuple[str, int]:
    """The expression for what stands at ``at``, and how many characters that is."""
    if body.startswith("**/", at) and (at == 0 or body[at - 1] == "/"):
        return "(?:.*/)?", 3
    if body.startswith("**", at):
        return ".*", 2
    if body[at] == "*":
        return "[^/]*", 1
    if body[at] == "?":
        return "[^/]", 1
    if body[at] == "[":
        end = body.find("]", at + 2)
        if end > 0:
            inner = body[at + 1 : end].replace("\\", "\\\\").replace("[", "\\[")
            negated = inner[:1] in ("!", "^")
            return f"[{'^/' if negated else ''}{inner[negated:]}]", end + 1 - at
    return re.escape(body[at]), 1
