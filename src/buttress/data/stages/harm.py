"""``harm``: records with listed keywords are removed; a share above a limit refuses a source."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import re2

from buttress.data.records import Record
from buttress.data.stage import Outcome, Removal
from buttress.errors import InputError


class HarmfulContent:
    """Removes records that hold a keyword.

    Args:
        keywords: files with one keyword a line, ``#`` begins a comment. A keyword in Latin letters
            matches whole words; case is ignored.
        least: different keywords that a record must hold.
    """

    def __init__(self, keywords: list[Path], least: int = 1) -> None:
        if not keywords:
            raise InputError("empty", field="keywords", expected="files with a keyword a line")
        if least < 1:
            raise InputError(f"{least} is too small", field="least", expected="1 or more")
        self._files = tuple(keywords)
        self._least = least
        _words(self._files)

    def apply(self, records: Sequence[Record]) -> Sequence[Outcome]:
        """See ``RecordStage``."""
        expression = _expression(self._files)
        outcomes: list[Outcome] = []
        for record in records:
            seen = {match[0].lower() for match in expression.finditer(record.text)}
            enough = len(seen) >= self._least
            shown = ", ".join(sorted(seen)[:3])
            outcomes.append(Removal("keyword", f"keywords: {shown}") if enough else None)
        return outcomes


@cache
def _words(files: tuple[Path, ...]) -> tuple[str, ...]:
    words: list[str] = []
    for file in files:
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "not UTF-8"
            raise InputError(why, file=str(file), field="keywords") from None
        words += [line.strip() for line in lines if line.strip() and line.lstrip()[0] != "#"]
    if not words:
        raise InputError("no keyword", file=str(files[0]), field="keywords", expected="one a line")
    return tuple(dict.fromkeys(words))


@cache
def _expression(files: tuple[Path, ...]) -> Any:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = 256 << 20
    parts = []
    for word in sorted(_words(files), key=len, reverse=True):
        left = r"\b" if word[0].isascii() and word[0].isalnum() else ""
        right = r"\b" if word[-1].isascii() and word[-1].isalnum() else ""
        parts.append(f"{left}{re2.escape(word)}{right}")
    return re2.compile("|".join(parts), options)
