"""Refusals of a few words: "No.", "I'd rather not.", "Hard pass", in the languages of many users.

A judge that learnt from whole answers has nothing to go by in three words. So a short answer is
compared with phrases that decline, as a whole: each of its parts must be one of them, or a courtesy
such as "sorry" or "thanks". A bare negation may also be the answer to a question, so that it is a
kind of its own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from buttress.answers.short_refusal_phrases import COURTESIES, DECLINES, NEGATIONS
from buttress.answers.visible import unwrapped, without_marks

Kind = Literal["declines", "negates", ""]
LONGEST: Final = 90  # characters
_PARTS: Final = re.compile(r"[.!?,;:…。！？，；、،؟।|()\[\]\"“”«»\n]+|\s[-–—]+\s")
_LEADS: Final = re.compile(r"(?:but|and|so|yeah|sorry|also|aber|mais|pero|ma|mas) ")


def _any_of(phrases: Mapping[str, Sequence[str]]) -> str:
    return "(?:" + "|".join(each for group in phrases.values() for each in group) + ")"


_IS_COURTESY: Final = re.compile(_any_of(COURTESIES))
_NEGATES: Final = re.compile(f"{_any_of(NEGATIONS)}(?: {_any_of(COURTESIES)})?")
_DECLINES: Final = re.compile(f"{_any_of(DECLINES)}(?: {_any_of(COURTESIES)})?")


def kind_of_short_refusal(answer: str) -> Kind:
    """Whether a short answer declines as a whole, or is a bare negation; "" where it is neither."""
    if len(answer) > 4 * LONGEST:
        return ""
    text = without_marks(unwrapped(answer)).strip()
    if len(text) > LONGEST:
        return ""
    kinds = {_kind_of_part(part) for part in _PARTS.split(_folded(text)) if part.strip()}
    if "" in kinds:
        return ""
    if "declines" in kinds:
        return "declines"
    return "negates" if "negates" in kinds else ""


def _kind_of_part(part: str) -> Literal["declines", "negates", "courtesy", ""]:
    said = " ".join(part.split())
    if _IS_COURTESY.fullmatch(said):
        return "courtesy"
    said = _LEADS.sub("", said, count=1) if _LEADS.match(said) else said
    if _DECLINES.fullmatch(said):
        return "declines"
    return "negates" if _NEGATES.fullmatch(said) else ""


def _folded(text: str) -> str:
    """Lower-case, with plain apostrophes, and without signs that say nothing."""
    plain = unicodedata.normalize("NFC", text).casefold().replace("’", "'").replace("ʼ", "'")
    return "".join(sign for sign in plain if unicodedata.category(sign)[0] != "S")
