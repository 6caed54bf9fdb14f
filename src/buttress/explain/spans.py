"""A prompt cut into words, or into runs of words where it is long."""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import pairwise
from typing import Final

MOST_SPANS: Final = 24
# A word with the white space behind it; Chinese and Japanese by two characters.
_SPAN: Final = re.compile(
    r"\s*(?:[\u3040-\u30ff\u3400-\u9fff]{1,2}|[^\s\u3040-\u30ff\u3400-\u9fff]+)\s*"
)

_INSIDE: Final = re.compile(
    r"(?P<before>[\W_]*)(?:[^\W_].*[^\W_]|[^\W_])(?P<behind>[\W_]*)", re.DOTALL
)


class PromptSpans:
    """Neighbouring pieces that together are the prompt; ``words`` is the number of words.

    Where there are more than ``most`` words, a span holds several, as evenly as can be.
    """

    def __init__(self, prompt: str, most: int = MOST_SPANS) -> None:
        words = _SPAN.findall(prompt)
        self.words = len(words)
        count = min(most, len(words))
        edges = [round(at * len(words) / count) for at in range(count + 1)] if count else [0]
        self.texts = ["".join(words[start:end]) for start, end in pairwise(edges)]

    def __len__(self) -> int:
        return len(self.texts)

    def without(self, removed: Collection[int]) -> str:
        """The prompt without some spans, and without white space around it where any is gone."""
        kept = "".join(text for at, text in enumerate(self.texts) if at not in removed)
        return kept.strip() if removed else kept

    def replaced(self, at: int, word: str) -> str:
        """The prompt with a word in place of a span, inside its white space and punctuation."""
        found = _INSIDE.fullmatch(self.texts[at])
        if found is not None:
            before, behind = found["before"], found["behind"]
        else:  # punctuation alone
            bare = self.texts[at].strip()
            before, _, behind = self.texts[at].partition(bare)
        made = [*self.texts[:at], f"{before}{word}{behind}", *self.texts[at + 1 :]]
        return "".join(made)
