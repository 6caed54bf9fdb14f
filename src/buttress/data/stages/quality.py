"""``quality``: texts that are no prose are removed, by measures of the Gopher and C4 corpora.

Rae et al. 2021, "Scaling language models", appendix A.1.1 (words, symbols, repetition); limits are
options. For Chinese and Japanese a character counts as a word, and word length is not looked at.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from buttress.data.records import Record
from buttress.data.stage import Outcome, Removal

_WORD: Final = re.compile(
    r"[\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|[^\W\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+"
)
_SYMBOL: Final = re.compile(r"#|\.\.\.|…|�")
_ENOUGH: Final = 20  # words from which repetition can be judged


class Quality:
    """Removes texts that fall outside limits.

    Args:
        min_words: fewest words.
        max_words: most words.
        max_symbols: most ``#``, ellipses and replacement characters a word.
        max_repeated_lines: largest share of characters in lines that repeat an earlier one.
        max_repeated_words: largest share of words in 10-grams that repeat an earlier one.
        min_letters: least share of words that have a letter.
    """

    def __init__(
        self,
        *,
        min_words: int = 3,
        max_words: int = 1_000_000,
        max_symbols: float = 0.1,
        max_repeated_lines: float = 0.3,
        max_repeated_words: float = 0.3,
        min_letters: float = 0.5,
    ) -> None:
        self._least, self._most = min_words, max_words
        self._symbols, self._lines = max_symbols, max_repeated_lines
        self._repeated, self._letters = max_repeated_words, min_letters

    def apply(self, records: Sequence[Record]) -> Sequence[Outcome]:
        """See ``RecordStage``."""
        return [self._outcome(record.text) for record in records]

    def _outcome(self, text: str) -> Outcome:
        words = _WORD.findall(text)
        count = len(words)
        if count < self._least:
            return Removal("too-short", f"{count} word" if count == 1 else f"{count} words")
        if count > self._most:
            return Removal("too-long", f"{count} word" if count == 1 else f"{count} words")
        symbols = len(_SYMBOL.findall(text)) / count
        if symbols > self._symbols:
            return Removal("symbols", f"{symbols:.2f} symbols a word")
        letters = sum(any(sign.isalpha() for sign in word) for word in words) / count
        if letters < self._letters:
            return Removal("no-letters", f"{letters:.0%} of words have a letter")
        if count < _ENOUGH:
            return None
        if (share := repeated_lines(text)) > self._lines:
            return Removal("repeated-lines", f"{share:.0%} of characters in repeated lines")
        if (share := repeated_words(words)) > self._repeated:
            return Removal("repeated-words", f"{share:.0%} of words in repeated 10-grams")
        return None


def repeated_lines(text: str) -> float:
    """Share of characters in lines that were in the text before."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    total = sum(map(len, lines))
    repeated = total - sum(map(len, set(lines)))
    return repeated / total if total else 0.0


def repeated_words(words: Sequence[str]) -> float:
    """Share of words that lie in a 10-gram of words that was in the text before."""
    grams = Counter[tuple[str, ...]]()
    covered = bytearray(len(words))
    for place in range(len(words) - 9):
        gram = tuple(words[place : place + 10])
        if grams[gram]:
            covered[place : place + 10] = b"\x01" * 10
        grams[gram] += 1
    return sum(covered) / len(words) if words else 0.0
