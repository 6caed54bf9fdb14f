"""Text that people don't see: invisible characters, markup that hides, encoded text."""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import re2

_LEAST_WORDS: Final = 3  # in what is decoded, for it to be a sentence
_URL_SAFE: Final = str.maketrans("-_", "+/")
_TAGS: Final = re.compile("[\U000e0000-\U000e007f]+")
_FLAG: Final = "\U0001f3f4"  # the tags after it make flags of regions
_SELECTORS: Final = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{2,}")
# Zero width space, joiners, marks of direction, word joiner and the like, soft hyphen, fillers.
_ZERO: Final = (
    "\u200b\u200c\u200d\u2060\u2061\u2062\u2063\u2064\u00ad\u180e\ufeff\u3164\u115f\u1160\uffa0"
)
_ZERO_RUN: Final = re.compile(
    f"[{_ZERO}]{{3,}}|(?<=[A-Za-z])[\u200b\u2060-\u2064\u180e\ufeff]+(?=[A-Za-z])"
)
_BIDI: Final = re.compile("[\u202a\u202b\u202d\u202e\u2066-\u2068]+")
_REFERENCE: Final = re.compile(
    r"^\[(?://|comment|_)\]:\s*(?:#|<>)\s*[(\"'](.{3,1000})[)\"']\s*$", re.MULTILINE
)
_STYLED: Final = re2.compile(
    r"(?i)<(\w{1,20})\b[^>]{0,300}?(?:display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0|"
    r"opacity\s*:\s*0(?:[;\"'\s.]|$)|color\s*:\s*(?:white|#fff(?:fff)?|transparent)|\shidden\b)[^>]{0,300}>"
    r"([^<]{3,})<"
)
_ESCAPE: Final = re.compile(
    "\x1b\\[[0-9;]{0,20}[A-Za-z]|\x1b\\][^\x07\x1b]{0,200}(?:\x07|\x1b\\\\)|\x9b[0-9;]{0,20}[A-Za-z]"
)
_CONCEAL: Final = re2.compile("\x1b\\[[0-9;]{0,20}8m([^\x1b]{3,})")
_BASE64: Final = re.compile(
    r"(?<![A-Za-z0-9+/=_-])([A-Za-z0-9+/]{24,}={0,2}|[A-Za-z0-9_-]{24,}={0,2})(?![A-Za-z0-9+/=_-])"
)
_HEX: Final = re.compile(
    r"(?<![0-9A-Za-z])(?:0x)?((?:[2-7][0-9A-Fa-f]|0[9AaDd]){24,})(?![0-9A-Za-z])"
)
# Letters written as numbers: how it is called, and what a run of them looks like.
_ESCAPED: Final = (
    ("character references", re.compile(r"(?:&#(?:\d{2,7}|[xX][0-9A-Fa-f]{2,6});\s?){12,}")),
    ("percent encoding", re.compile(r"(?:%[2-7][0-9A-Fa-f]){12,}")),
    ("escapes", re.compile(r"(?:\\(?:x[2-7][0-9A-Fa-f]|u00[2-7][0-9A-Fa-f])){12,}")),
)


@dataclass(frozen=True, slots=True)
class Hidden:
    """A stretch that people don't see: where it begins, how it is hidden, and what it reads."""

    start: int
    how: str
    text: str


# A line in which a letter of a word is written by its number: nobody needs that for a letter.
_MIXED_LINE: Final = re.compile(
    r"(?m)^[^\n&]*(?:&(?!#)[^\n&]*)*"
    r"&#(?i:x(?:4[1-9a-f]|5[0-9a]|6[1-9a-f]|7[0-9a])|6[5-9]|[78]\d|9[07-9]|1[01]\d|12[0-2]);[^\n]*"
)


def invisible(text: str) -> Iterator[Hidden]:
    """Characters without a shape that carry text: tags, variation selectors, zero widths.

    Flags of regions, emoji with a selector and joiners of scripts that need them are none.
    """
    for match in _TAGS.finditer(text):
        if not text[: match.start()].endswith(_FLAG):
            read = "".join(chr(ord(one) - 0xE0000) for one in match[0])
            yield Hidden(match.start(), "tag characters", read)
    for match in _SELECTORS.finditer(text):
        data = bytes(_selector(one) for one in match[0])
        if len(data) >= 3:
            yield Hidden(match.start(), "variation selectors", data.decode("utf-8", "replace"))
    for match in _ZERO_RUN.finditer(text):
        if match.start() == 0 and match[0] == "\ufeff":
            continue
        yield Hidden(match.start(), "zero-width characters", _bits(match[0]))


def bidirectional(text: str) -> Iterator[Hidden]:
    """Controls that turn the order of what is shown."""
    for match in _BIDI.finditer(text):
        after = text[match.end() : match.end() + 40].partition("\n")[0]
        yield Hidden(match.start(), "controls of direction", after)


def concealed(text: str) -> Iterator[Hidden]:
    """Text in comments, in elements that are not shown, after codes of terminals, in base64."""
    yield from _comments(text)
    for match in _REFERENCE.finditer(text):
        yield Hidden(match.start(), "a comment", match[1].strip())
    for match in _STYLED.finditer(text):
        yield Hidden(match.start(), "markup that is not shown", match[2].strip())
    for match in _CONCEAL.finditer(text):
        yield Hidden(match.start(), "codes of terminals", match[1])
    for match in _BASE64.finditer(text):
        if read := _decoded(match[1]):
            yield Hidden(match.start(), "base64", read)
    for match in _HEX.finditer(text):
        read = bytes.fromhex(match[1][: len(match[1]) // 2 * 2]).decode("ascii")
        if _reads(read):
            yield Hidden(match.start(), "hexadecimal digits", read)
    for how, run in _ESCAPED:
        for match in run.finditer(text):
            if _reads(read := _unescaped(match[0])):
                yield Hidden(match.start(), how, read)
    for match in _MIXED_LINE.finditer(text):
        if _ESCAPED[0][1].search(match[0]):
            continue
        yield Hidden(match.start(), "references of HTML within words", html.unescape(match[0]))


def _unescaped(run: str) -> str:
    """What references, percent signs or escapes stand for."""
    if run.startswith("&"):
        return html.unescape(run)
    return re.sub(r"(?:%|\\x|\\u00)([0-9A-Fa-f]{2})", lambda one: chr(int(one[1], 16)), run)


def _reads(text: str) -> bool:
    """Whether it is words, as a sentence has them."""
    words = len(re.findall(r"[A-Za-z]{2,}|[\u4e00-\u9fff]{2,}", text))
    shown = sum(one.isprintable() or one in "\n\t" for one in text)
    return words >= _LEAST_WORDS and shown >= 0.95 * len(text) and any(map(str.isspace, text))


def _comments(text: str) -> Iterator[Hidden]:
    place = 0
    while (start := text.find("<!--", place)) >= 0:
        end = text.find("-->", start + 4)
        end = end if end >= 0 else len(text)  # without an end it hides all that follows
        yield Hidden(start, "a comment", text[start + 4 : end].strip())
        place = end + 3


def terminal_codes(text: str) -> Iterator[Hidden]:
    """Codes that steer a terminal."""
    for match in _ESCAPE.finditer(text):
        yield Hidden(match.start(), "codes of terminals", match[0])


def _selector(sign: str) -> int:
    """The byte that a variation selector stands for (Butler, Smuggling data in an emoji, 2025)."""
    code = ord(sign)
    return code - 0xFE00 if code < 0xE0100 else code - 0xE0100 + 16


def _bits(run: str) -> str:
    """What a run of zero-width characters reads as bits, if that is text; else their number."""
    kinds = sorted(set(run))
    if len(kinds) == 2 and len(run) >= 24:
        for zero in kinds:
            bits = "".join("0" if one == zero else "1" for one in run[: len(run) // 8 * 8])
            data = bytes(int(bits[place : place + 8], 2) for place in range(0, len(bits), 8))
            if data.isascii() and data.decode("ascii").isprintable():
                return data.decode("ascii")
    return f"({len(run)} characters)"


def _decoded(text: str) -> str:
    """Base64 that reads as words; empty for keys, digests and pictures."""
    padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
    try:
        data = base64.b64decode(padded.translate(_URL_SAFE), validate=True)
        read = data.decode("utf-8")
    except (binascii.Error, ValueError):
        return ""
    return read if _reads(read) else ""
