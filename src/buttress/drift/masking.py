"""Puts a mark in place of what differs from answer to answer: nonces, hashes, dates, tokens."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

MARK: Final = "*"
_SHOWN: Final = 200  # characters of a value
_MONTH: Final = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    "sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
_CHANGING: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        r"\d{4}-\d\d?-\d\d?(?:[T ]\d\d?:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?",
        r"\d{4}\s?年\s?\d{1,2}\s?月(?:\s?\d{1,2}\s?日)?",
        rf"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? )?\b\d{{1,2}}\.? (?:{_MONTH})\b\.?,? \d{{4}}",
        rf"\b(?:{_MONTH})\b\.? \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}}",
        r"\d{1,2}[./]\d{1,2}[./]\d{2,4}",
        r"\b\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?\b(?: ?[ap]m\b)?",
        r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,}\b",
        r"\d{5,}",
    )
)
_WORD: Final = re.compile(r"[A-Za-z0-9_+/=-]{16,}")
_PART: Final = re.compile(r"[A-Za-z0-9_]+")
_DATE: Final = re.compile(r"(?:19|20)\d{2}(?:[-_.]?(?:0[1-9]|1[0-2])(?:[-_.]?[0-3]\d)?)?")
_HASH_AFTER_DASH: Final = re.compile(r"(?<=[-.~])([A-Za-z0-9_-]{8})(?=\.[a-z]+\Z)")
_RELEASE: Final = re.compile(r"(?<![\w.])v?\d+(?:\.\d+)+(?:-[0-9A-Za-z.]+)?(?![\w])")


def masked(text: str, most: int = _SHOWN) -> str:
    """A text in one line, with marks in place of dates, times, hashes, tokens and long numbers.

    Args:
        text: of any length.
        most: characters that are kept.
    """
    text = " ".join(text.split())
    for pattern in _CHANGING:
        text = pattern.sub(MARK, text)
    text = _WORD.sub(lambda found: MARK if is_token(found[0]) else found[0], text)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def is_token(text: str) -> bool:
    """Whether a word looks as if drawn at random: as a hash, a nonce or a session is."""
    if not text.isascii():
        return False
    digits = sum(one.isdigit() for one in text)
    letters = sum(one.isalpha() for one in text)
    if digits and not letters:
        return len(text) >= 5
    if digits and all(one in "0123456789abcdefABCDEF" for one in text):
        return len(text) >= 6
    turns = sum(first.islower() and second.isupper() for first, second in pairwise(text))
    if digits:
        mixed = sum(first.isdigit() != second.isdigit() for first, second in pairwise(text))
        return len(text) >= 8 and (mixed >= 3 or (turns >= 1 and mixed >= 2) or digits >= 6)
    return len(text) >= 8 and turns >= 2 and not re.search(r"[a-z]{4}", text)


def masked_path(path: str) -> str:
    """A path whose hashes, dates and numbers of a build are marked; releases stay as they are."""
    return "/".join(map(_masked_segment, unquote(path).split("/")))


def _masked_segment(segment: str) -> str:
    if not segment or _RELEASE.fullmatch(segment):
        return segment
    releases: list[str] = []

    def keep(found: re.Match[str]) -> str:
        releases.append(found[0])
        return f"\0{len(releases) - 1}\0"

    text = re.sub(r"(?<=@)v?\d+(?:\.\d+)+[\w.-]*|(?<=[-_])v?\d+\.\d+(?:\.\d+)+", keep, segment)
    text = _HASH_AFTER_DASH.sub(lambda found: MARK if _looks_built(found[1]) else found[1], text)
    text = re.sub(
        r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", MARK, text, flags=re.I
    )
    text = _PART.sub(
        lambda found: MARK if is_token(found[0]) or _DATE.fullmatch(found[0]) else found[0], text
    )
    return re.sub(r"\0(\d+)\0", lambda found: releases[int(found[1])], text)


def _looks_built(text: str) -> bool:
    """Whether eight characters before an extension are a build's hash (base64url, as Vite's)."""
    if any(one.isdigit() for one in text) or "_" in text:
        return any(one.isalpha() for one in text) and (text != text.lower() or is_token(text))
    turns = sum(first.islower() != second.islower() for first, second in pairwise(text))
    return text != text.lower() and turns >= 3


def masked_url(link: str, base: str) -> str:
    """Where a link leads: a path on the same host, else host and path; names of a query's fields.

    Empty for what leads nowhere, such as ``#top`` or ``data:``.
    """
    link = link.strip()
    if not link or link.startswith("#"):
        return ""
    try:
        parts = urlsplit(urljoin(base, link))
        own = urlsplit(base)
        scheme = parts.scheme.lower()
        if scheme in ("data", "blob", "about"):
            return ""
        if scheme not in ("http", "https", "ws", "wss"):
            return f"{scheme}:" if scheme == "javascript" else f"{scheme}:{masked(parts.path)}"
        host = (parts.netloc.rpartition("@")[2]).lower()
    except ValueError:
        return masked(link)
    path = masked_path(parts.path or "/")
    names = sorted({name for name, value in parse_qsl(parts.query, keep_blank_values=True)})
    query = "?" + "&".join(masked(name) for name in names if not _busts(name)) if names else ""
    shown = path + (query if query != "?" else "")
    same = host == own.netloc.rpartition("@")[2].lower()
    text = shown if same and scheme == own.scheme else f"{scheme}://{host}{shown}"
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _busts(name: str) -> bool:
    """Whether a field of a query only keeps caches from answering."""
    return name.lower() in _CACHE_BUSTERS or is_token(name)


_CACHE_BUSTERS: Final = frozenset(
    ("", "_", "v", "ver", "version", "t", "ts", "time", "timestamp", "rev", "build", "hash", "cb",
     "cache", "cachebuster", "nocache", "rnd", "rand", "random", "nonce", "sid", "session")
)  # fmt: skip


def masked_name(name: str) -> str:
    """A name of a field, a cookie or an element with marks in place of random parts."""
    return _PART.sub(
        lambda found: "_".join(MARK if is_token(one) else one for one in found[0].split("_")), name
    )[:_SHOWN]
