"""Replaces personal data and secrets in texts by placeholders such as ``[EMAIL_1]``."""

from __future__ import annotations

from collections.abc import Sequence

from buttress.rules.personal.detectors import KINDS, Span, find


class PlaceholderNumbers:
    """Numbers values of a kind in the order in which they come; equal values have one number."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], int] = {}
        self._last: dict[str, int] = {}

    def __call__(self, span: Span) -> str:
        """The placeholder of a stretch."""
        value = (span.kind, span.value.lower())
        if value not in self._seen:
            self._last[span.kind] = self._last.get(span.kind, 0) + 1
            self._seen[value] = self._last[span.kind]
        return f"[{span.kind}_{self._seen[value]}]"


def redacted(texts: Sequence[str]) -> list[str]:
    """The texts without personal data and secrets; a value has one placeholder in all of them."""
    placeholder = PlaceholderNumbers()
    result = []
    for text in texts:
        parts, place = [], 0
        for span in find(text, KINDS):
            if span.start < place:
                continue
            parts += [text[place : span.start], placeholder(span)]
            place = span.end
        result.append("".join([*parts, text[place:]]))
    return result
