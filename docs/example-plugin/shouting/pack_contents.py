"""A kind of pack contents: a text file with one word a line, for the probe shouting-words."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from buttress.ext import InputError

KIND = "shouting-words"


def read_words(path: Path) -> list[str]:
    """The words in a file."""
    return path.read_text(encoding="utf-8").split()


class WordsContents:
    """Checks a file when its pack is verified or installed."""

    def check(self, path: Path, pack: str, beside: Mapping[str, Sequence[Path]]) -> Sequence[str]:
        """The ids of the file's rules: none, since the probe has one rule for all words."""
        del pack, beside
        if not read_words(path):
            raise InputError("holds no word", file=str(path), expected="one word a line")
        return ()


WORDS = WordsContents()
