"""``harm``: harmful records go by keywords or a classifier; a source with too many is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import re2

from buttress.data.records import Record
from buttress.data.stage import Outcome, Removal
from buttress.errors import InputError
from buttress.files.visible import shortened
from buttress.targets.python_function import named_function


class HarmfulContent:
    """Removes records that hold a keyword, or that a classifier calls harmful.

    Args:
        keywords: files with one keyword a line, ``#`` begins a comment. A keyword in Latin letters
            matches whole words; case is ignored.
        least: different keywords that a record must hold.
        classifier: a Python function, MODULE:FUNCTION or FILE.py:FUNCTION from the current folder;
            it takes a list of texts and returns for each the probability of harm, 0 to 1.
        threshold: probability from which a record is removed.
    """

    def __init__(
        self,
        keywords: list[Path] | None = None,
        least: int = 1,
        classifier: str = "",
        threshold: float = 0.5,
    ) -> None:
        if not keywords and not classifier:
            raise InputError(
                "empty", field="keywords", expected="files with a keyword a line, or a classifier"
            )
        if least < 1:
            raise InputError(f"{least} is too small", field="least", expected="1 or more")
        if not 0 < threshold <= 1:
            raise InputError(f"{threshold:g} is not usable", field="threshold", expected="0 to 1")
        self._files = tuple(keywords or ())
        self._least = least
        self._classifier = classifier
        self._threshold = threshold
        if self._files:
            _words(self._files)
        if classifier:
            _function(classifier)

    def apply(self, records: Sequence[Record]) -> Sequence[Outcome]:
        """See ``RecordStage``.

        Raises:
            InputError: the classifier fails, or returns something else than probabilities.
        """
        outcomes = self._by_keywords(records)
        if self._classifier and records:
            for place, score in enumerate(self._scores([record.text for record in records])):
                if outcomes[place] is None and score >= self._threshold:
                    outcomes[place] = Removal("classifier", f"probability of harm {score:.2f}")
        return outcomes

    def _by_keywords(self, records: Sequence[Record]) -> list[Outcome]:
        if not self._files:
            return [None] * len(records)
        expression = _expression(self._files)
        outcomes: list[Outcome] = []
        for record in records:
            seen = {match[0].lower() for match in expression.finditer(record.text)}
            enough = len(seen) >= self._least
            shown = ", ".join(sorted(seen)[:3])
            outcomes.append(Removal("keyword", f"keywords: {shown}") if enough else None)
        return outcomes

    def _scores(self, texts: list[str]) -> list[float]:
        expected = "a probability from 0 to 1 for each text"
        try:
            scores = [float(one) for one in _function(self._classifier)(texts)]
        except Exception as error:  # whatever the user's function raises
            raise InputError(
                f"'{self._classifier}' failed: {type(error).__name__}: {shortened(str(error))}",
                field="classifier", expected=expected,
            ) from None  # fmt: skip
        if len(scores) != len(texts) or not all(0 <= one <= 1 for one in scores):
            problem = (
                f"{len(scores)} numbers for {len(texts)} texts"
                if len(scores) != len(texts)
                else "a number that is no probability"
            )
            raise InputError(
                f"'{self._classifier}' returned {problem}", field="classifier", expected=expected
            )
        return scores


@cache
def _function(name: str) -> Callable[..., Any]:
    return named_function(name, Path.cwd(), "classifier")


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
