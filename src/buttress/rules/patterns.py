"""Regular expressions of rules: RE2, which takes linear time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import re2

from buttress.files.located_yaml import FieldPath, Located


def options() -> Any:
    """RE2 options of rules: memory for the automata of long alternatives, and silence."""
    chosen = re2.Options()
    chosen.max_mem = 64 << 20
    chosen.log_errors = False
    return chosen


def compiled(text: str) -> Any:
    """The expression, compiled.

    Raises:
        re2.error: it is none.
    """
    return re2.compile(text, options())


def byte_options(*, case_sensitive: bool = True) -> Any:
    """RE2 options for patterns over raw bytes: every byte is a character, whatever the encoding."""
    chosen = re2.Options()
    chosen.encoding = re2.Options.Encoding.LATIN1
    chosen.case_sensitive = case_sensitive
    chosen.log_errors = False
    return chosen


def compiled_bytes(text: str, *, case_sensitive: bool = True) -> Any:
    """An expression over bytes, compiled.

    Raises:
        re2.error: it is none.
    """
    return re2.compile(text.encode(), byte_options(case_sensitive=case_sensitive))


def check_pattern(
    located: Located,
    at: FieldPath,
    text: str,
    compiling: Callable[[str], Any] = compiled,
    *,
    empty: str | bytes = "",
) -> None:
    """Refuse what is no expression, or matches the empty text and so everything.

    Args:
        located: the file that it stands in.
        at: where.
        text: the expression.
        compiling: how it will be compiled.
        empty: the empty text, of the type that it will be applied to.

    Raises:
        InputError: naming file, line and field.
    """
    try:
        found = compiling(text)
    except re2.error as error:
        reason = error.args[0] if error.args else error
        told = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise located.error(at, f"no pattern: {told}", "RE2 syntax") from None
    if found.search(empty) is not None:
        raise located.error(at, "matches the empty text", "a pattern that matches something")
