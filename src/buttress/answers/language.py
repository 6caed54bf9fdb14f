"""Which language an answer is in.

By py3langid (Lui & Baldwin 2012, "langid.py: an off-the-shelf language identification tool"), whose
model is in its package. Code, addresses and marks say nothing about a language and are left out.
Texts of a few words stay unknown rather than guessed, unless their script decides.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

LONGEST: Final = 1_500  # characters looked at
FEWEST: Final = 24  # letters of an alphabet that many languages share
SURE: Final = 0.7
UNKNOWN: Final = ""
_CODE: Final = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]{1,200}`|https?://\S{1,400}|<[^<>]{1,200}>", re.S
)
_SCRIPTS: Final = (
    ("ja", re.compile("[\u3040-\u30ff]")),
    ("ko", re.compile("[\uac00-\ud7af]")),
    ("th", re.compile("[\u0e00-\u0e7f]")),
    ("he", re.compile("[\u0590-\u05ff]")),
    ("el", re.compile("[\u0370-\u03ff]")),
    ("ta", re.compile("[\u0b80-\u0bff]")),
    ("te", re.compile("[\u0c00-\u0c7f]")),
    ("kn", re.compile("[\u0c80-\u0cff]")),
    ("ml", re.compile("[\u0d00-\u0d7f]")),
    ("gu", re.compile("[\u0a80-\u0aff]")),
    ("pa", re.compile("[\u0a00-\u0a7f]")),
    ("bn", re.compile("[\u0980-\u09ff]")),
    ("zh", re.compile("[\u4e00-\u9fff]")),
)
_FEW_LANGUAGES: Final = re.compile("[\u0400-\u04ff\u0600-\u06ff\u0900-\u097f]")
_LETTER: Final = re.compile(r"[^\W\d_]")
_NO_LETTERS: Final = bytes(byte for byte in range(128) if not chr(byte).isalpha())
_ENGLISH: Final = frozenset(
    ("the", "and", "you", "your", "to", "of", "that", "this", "is", "are", "with", "for", "not",
     "can", "it", "in", "a", "i", "be", "or", "as", "have", "will", "from", "on", "my", "if",
     "what", "how", "do", "by", "an", "at", "but")
)  # fmt: skip
_WORD: Final = re.compile(r"\w+", re.ASCII)
_ENGLISH_SHARE: Final = 0.18  # of the words of a text in Latin letters


@lru_cache(maxsize=64)  # systems repeat their answers
def language_of(text: str) -> str:
    """The language's code (ISO 639-1), or ``UNKNOWN`` where the text doesn't tell."""
    read = _CODE.sub(" ", text[: 4 * LONGEST])[:LONGEST]
    letters = _letters(read)
    if letters < FEWEST:  # prose in a frame of code
        read = text[:LONGEST]
        letters = _letters(read)
    if not letters:
        return UNKNOWN
    if not read.isascii():
        for code, script in _SCRIPTS:
            if len(script.findall(read)) >= (0.08 if code == "ja" else 0.3) * letters:
                return code
    elif letters >= 8:
        words = read.lower().split()
        english = sum(map(_ENGLISH.__contains__, _WORD.findall(read.lower())))
        if english >= _ENGLISH_SHARE * len(words):
            return "en"
    if letters < FEWEST and not _own_script(read):
        return UNKNOWN
    code, probability = _identifier().classify(read)
    return str(code) if probability >= SURE or _own_script(read) else UNKNOWN


def _letters(text: str) -> int:
    if text.isascii():
        return len(text.encode().translate(None, _NO_LETTERS))
    return len(_LETTER.findall(text))


def _own_script(text: str) -> bool:
    """Whether the alphabet itself narrows the language down: Cyrillic, Arabic, Devanagari."""
    return len(_FEW_LANGUAGES.findall(text)) >= FEWEST // 3


@lru_cache(maxsize=1)
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
