"""Texts of an answer as AI-Infra-Guard compares them: its lower case, headers, encodings, icons."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from typing import Final

_TWO_CHARACTERS: Final = re.compile("[İΣ]")
_ONE_TO_ONE: Final = {ord("İ"): "i", ord("Σ"): "σ"}
_BROKEN: Final = dict.fromkeys(range(0xDC80, 0xDD00), "\ufffd")
_HEADER_GBK: Final = "charset=GB2312"
_META_GBK: Final = re.compile(rb"<meta[^>]{0,400}charset=[\"']?(?:gb2312|gbk)", re.I)
_ICON_LINK: Final = re.compile(r"<link\b[^>]{0,800}>", re.I)
_REL: Final = re.compile(r"\brel\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>]+))", re.I)
_HREF: Final = re.compile(r"\bhref\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>]+))", re.I)
_MASK: Final = 0xFFFFFFFF


def lower(text: str) -> str:
    """Lower case by Unicode's simple mapping: one character becomes one (no final sigma)."""
    if text.isascii() or not _TWO_CHARACTERS.search(text):
        return text.lower()
    return text.translate(_ONE_TO_ONE).lower()


def decoded(body: bytes, content_type: str) -> str:
    """The text of a body: UTF-8, or GBK where that is told; a bad byte becomes U+FFFD each."""
    if body.isascii():
        return body.decode("ascii")
    if _HEADER_GBK in content_type or _META_GBK.search(body):
        return body.decode("gbk", "replace")
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body.decode("utf-8", "surrogateescape").translate(_BROKEN)


def header_text(headers: Sequence[tuple[str, str]]) -> str:
    """One line ``Name: value`` a header: names in canonical form, values of one name joined."""
    joined: dict[str, list[str]] = {}
    for name, value in headers:
        joined.setdefault(_canonical(name), []).append(value)
    return "".join(f"{name}: {' '.join(values)}\n" for name, values in joined.items())


def icon_path(page: str) -> str:
    """The path of the icon that a page names, ``/favicon.ico`` where it names none."""
    for link in _ICON_LINK.findall(page):
        rel, href = _REL.search(link), _HREF.search(link)
        if rel and href and "icon" in (rel[1] or rel[2] or rel[3] or "").lower():
            return href[1] or href[2] or href[3] or ""
    return "/favicon.ico"


def icon_hash(content: bytes) -> int:
    """MurmurHash3 (x86, 32 bits, seed 0), signed, of base64 in lines of 76 characters."""
    encoded = base64.b64encode(content)
    lines = b"".join(encoded[at : at + 76] + b"\n" for at in range(0, len(encoded), 76)) or b"\n"
    number = _murmur3(lines)
    return number - (1 << 32) if number & 0x80000000 else number


def _canonical(name: str) -> str:
    return "-".join(part[:1].upper() + part[1:].lower() for part in name.split("-"))


def _murmur3(data: bytes) -> int:
    number = 0
    whole = len(data) & ~3
    for at in range(0, whole, 4):
        number ^= _scrambled(int.from_bytes(data[at : at + 4], "little"))
        number = ((number << 13) | (number >> 19)) & _MASK
        number = (number * 5 + 0xE6546B64) & _MASK
    if tail := data[whole:]:
        number ^= _scrambled(int.from_bytes(tail, "little"))
    number ^= len(data)
    number = ((number ^ (number >> 16)) * 0x85EBCA6B) & _MASK
    number = ((number ^ (number >> 13)) * 0xC2B2AE35) & _MASK
    return number ^ (number >> 16)


def _scrambled(block: int) -> int:
    block = (block * 0xCC9E2D51) & _MASK
    block = ((block << 15) | (block >> 17)) & _MASK
    return (block * 0x1B873593) & _MASK
