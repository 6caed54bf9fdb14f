"""Finds personal data in text: patterns propose, check digits and what stands before decide."""

from __future__ import annotations

import ipaddress
import re
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from operator import itemgetter
from typing import Any, Final

from buttress.rules.patterns import compiled_bytes
from buttress.rules.personal import identifiers

_GROUP: Final = 1 << 20  # bytes of texts that are searched together
_CONTEXT: Final = 40  # bytes before a number in which its name is looked for
_IPV6_PREFIXES: Final = ("2", "3", "fe80", "fc", "fd")
# What stands in every line with a span that is no e-mail address: six digits, or a part of an
# address of the Internet, an account number, a fiscal code, a PAN or a wallet.
_LINES: Final = (
    r"\d(?:[ ./()+-]{0,5}\d){5}|\d\.\d{1,3}\.\d|[0-9A-Fa-f]::?[0-9A-Fa-f]"
    r"|\b(?:[A-Z]{2}\d{2} ?[A-Z0-9]|[0-9A-Za-z]{16}|[A-Z]{5}\d{4}|(?i:bc1)[0-9A-Za-z]{11})"
)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of personal data, in characters of the text; ``value`` is without separators."""

    start: int
    end: int
    kind: str
    value: str


@dataclass(frozen=True)
class Detector:
    """One kind of personal data.

    ``pattern`` is RE2 over the bytes of UTF-8; its first group, or else the whole, is the span.
    ``check`` decides on the value without separators. ``context`` is a pattern of which one match
    must stand shortly before the number; empty where the number speaks for itself. ``unless`` is
    one of which none may stand there.
    ``needs`` is a byte string without which no match is possible. ``lines`` is a pattern that
    matches in every line with a span: other lines are not read. ``alone``: groups of digits count
    only where no further group stands before or behind them, which would make another number.
    """

    kind: str
    pattern: str
    check: Callable[[str], bool]
    context: str = ""
    unless: str = ""
    needs: bytes = b""
    lines: str = _LINES
    alone: bool = False

    def spans(self, texts: JoinedTexts) -> Iterator[tuple[int, int, str]]:
        """Start and end in bytes, and the value without separators."""
        data, starts = texts.lines(self.lines)
        if self.needs not in data:
            return
        place = 0
        expression = _expression(self.pattern)
        while match := expression.search(data, place):
            group = 1 if expression.groups else 0
            start, end = match.span(group)
            written = data[start:end].decode("ascii")
            moved = _moved(starts, start)
            if (
                self.check(written)
                and (not self.context or texts.named(self.context, start + moved))
                and not (self.unless and texts.named(self.unless, start + moved))
                and not (self.alone and _grouped(data, start, end))
                and not _fraction(data, start)
            ):
                yield start + moved, end + moved, _SEPARATORS.sub("", written)
                place = end
            else:  # a later start may be the right one
                place = start + 1
                while place < end and data[place - 1 : place].isalnum():
                    place += 1


class JoinedTexts:
    """Texts in UTF-8 with line breaks between them, which no span crosses.

    Together they are searched once; alone, each would cost every pattern a call. Escapes of JSON
    and of source code, as in what a tool is given, are read as white space: in ``\\nann@…`` the
    name is not "nann".
    """

    def __init__(self, texts: Sequence[bytes]) -> None:
        self.data = b"\n".join(texts)
        if b"\\" in self.data:
            self.data = _ESCAPE.sub(lambda found: b"\n" * len(found[0]), self.data)
        self.starts = list(accumulate((len(text) + 1 for text in texts[:-1]), initial=0))
        self._lines: dict[str, tuple[bytes, list[tuple[int, int]]]] = {}

    def number(self, place: int) -> int:
        """Of the text at a place."""
        return bisect_right(self.starts, place) - 1

    def named(self, pattern: str, place: int) -> bool:
        """Whether a name stands shortly before a place, in the same text."""
        start = max(self.starts[self.number(place)], place - _CONTEXT)
        return _context(pattern).search(self.data[start:place]) is not None

    def lines(self, pattern: str) -> tuple[bytes, list[tuple[int, int]]]:
        """Lines in which it matches; where each stretch of them begins, and how far it moved."""
        if pattern not in self._lines:
            self._lines[pattern] = _lines(_expression(pattern), self.data)
        return self._lines[pattern]


_ESCAPE: Final = re.compile(rb"\\(?:[nrt]|u[0-9a-fA-F]{4})")


def _lines(expression: Any, data: bytes) -> tuple[bytes, list[tuple[int, int]]]:
    pieces: list[bytes] = []
    starts: list[tuple[int, int]] = []
    size = end = 0
    while match := expression.search(data, end):
        start = data.rfind(b"\n", end, match.start()) + 1 or end
        end = data.find(b"\n", match.end()) + 1 or len(data)
        starts.append((size, start - size))
        pieces.append(data[start:end])
        size += end - start
    return b"".join(pieces), starts


def _moved(starts: list[tuple[int, int]], place: int) -> int:
    """By how much a place in joined lines lies before that in the text."""
    return starts[bisect_right(starts, place, key=itemgetter(0)) - 1][1]


_SEPARATORS: Final = re.compile(r"(?<=\w)[ -](?=\w)|[()/]")


@cache
def _expression(pattern: str) -> Any:
    return compiled_bytes(pattern)


@cache
def _context(pattern: str) -> re.Pattern[bytes]:
    return re.compile(pattern.encode(), re.I)


def _grouped(data: bytes, start: int, end: int) -> bool:
    """Whether another group of digits stands right before or behind."""
    before, behind = data[max(0, start - 2) : start], data[end : end + 2]
    return (
        (before[:1].isdigit() and before[1:] in (b" ", b"-"))
        or (behind[1:].isdigit() and behind[:1] in (b" ", b"-"))
    )  # fmt: skip


def _fraction(data: bytes, start: int) -> bool:
    """Whether a digit stands right behind a decimal point."""
    before = data[max(0, start - 2) : start + 1]
    return before[-2:-1] == b"." and before[:1].isdigit() and before[-1:].isdigit()


def _digits(text: str) -> str:
    return "".join(sign for sign in text if sign.isdecimal())


def _compact(check: Callable[[str], bool]) -> Callable[[str], bool]:
    """The check on letters and digits alone, in upper case."""
    return lambda value: check("".join(sign for sign in value if sign.isalnum()).upper())


def _phone(text: str) -> bool:
    digits = _digits(text)
    if text.startswith(("+", "00")):
        return 8 <= len(digits.removeprefix("00")) <= 15
    return 7 <= len(digits) <= 15


def _nanp(text: str) -> bool:
    digits = _digits(text).removeprefix("1") if len(_digits(text)) == 11 else _digits(text)
    return len(digits) == 10 and digits[0] in "23456789" and digits[3] in "23456789"


def _ipv4(text: str) -> bool:
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError:
        return False
    network = text.startswith(("0.", "255.")) or text.endswith(".0.0")  # nobody's address
    return not (address.is_loopback or network)


def _ipv6(text: str) -> bool:
    groups = [group for group in text.split(":") if group]
    if len(groups) < 2:  # most that stand here, and dear to parse
        return False
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        return False
    known = text.lower().startswith(_IPV6_PREFIXES) and any(sign.isdecimal() for sign in groups[0])
    return (len(groups) >= 3 or (known and len(groups) >= 2)) and not address.is_loopback


def _ethereum(text: str) -> bool:
    return len(set(text[2:].lower())) > 4


# Endings of files that are no top-level domain.
_FILES: Final = frozenset(
    ("avif", "bmp", "css", "csv", "gif", "gz", "htm", "html", "ico", "jpeg", "jpg", "js", "json",
     "jsonl", "jsx", "log", "pdf", "png", "scss", "svg", "tiff", "tsx", "ttf", "txt", "webp",
     "woff", "xml", "yaml", "yml")
)  # fmt: skip


def _email(text: str) -> bool:
    local, _, domain = text.partition("@")
    if local.lower() == "git" or domain[domain.rfind(".") + 1 :].lower() in _FILES:
        return False  # git@host:path of a repository, icon@2x.png
    return ".." not in text and local[-1] != "." and len(local) <= 64 and len(domain) <= 253


_TEL: Final = (
    r"(?:tel|phone|mobile|\bcell\b|fax|\bcall\b|whatsapp|\bph\b|\bmob\b|\bvoice\b|\bdd[il]?\b"
    r"|\xe7\x94\xb5\xe8\xaf\x9d|\xe6\x89\x8b\xe6\x9c\xba)"  # 电话, 手机 in UTF-8
)
# Between digits: "-", " (", " - (", " / ", ") ", ")-(" or, in aligned signatures, ")  ".
_BETWEEN: Final = r"(?:(?:[ ./-]?| ?[-/] {0,2})\(?|\)(?:[ ./-]?\(?|  | - ))"
# Before a version of software that is written as an address of the Internet.
_VERSION: Final = (
    r"\b(?:v|ver|version|rev|revision|release|build|firmware|driver|kernel|linux|gcc)[ .:=/-]{0,3}$"
)


def _named(names: str) -> str:
    """One of the names, behind it no word after a number: in "SSN 1, 2 of order 3" 3 is none."""
    between = r"(?:[,;&|\s]|\band\b|\bor\b)"
    return rf"(?:{names})[^\d]*(?:\d[\d/.-]*{between}+)*$"


DETECTORS: Final[tuple[Detector, ...]] = (
    Detector(
        "EMAIL",
        r"(?i)\b([a-z0-9][a-z0-9._%+'-]*@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,24})\b",
        _email, lines="@",
    ),
    Detector("IBAN", r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{1,4}){3,8}\b", _compact(identifiers.iban)),
    Detector(
        "CN_RESIDENT_ID", r"\b[1-9]\d{16}[0-9Xx]\b", _compact(identifiers.cn_resident_id)
    ),
    Detector(
        "CN_CREDIT_CODE", r"\b[0-9A-HJ-NPQRTUWXY]{2}\d{6}[0-9A-HJ-NPQRTUWXY]{10}\b",
        identifiers.cn_credit_code,
    ),
    Detector("FR_NIR", r"\b[1-478] ?\d{2} ?\d{2} ?\d[\dAB] ?\d{3} ?\d{3} ?\d{2}\b",
             _compact(identifiers.fr_nir)),
    Detector("KR_RRN", r"\b\d{6}-?\d{7}\b", _compact(identifiers.kr_rrn)),
    Detector("CARD", r"\b\d(?:[ -]?\d){12,18}\b", _compact(identifiers.card)),
    Detector(
        "IT_FISCAL_CODE",
        r"(?i)\b[A-Z]{6}[0-9A-Z]{2}[A-EHLMPRST][0-9A-Z]{2}[A-Z][0-9A-Z]{3}[A-Z]\b",
        _compact(identifiers.it_fiscal_code),
    ),
    Detector("ES_DNI", r"\b(?:\d{8}|[XYZ]-?\d{7})-?[A-Z]\b", _compact(identifiers.es_dni)),
    Detector("IN_AADHAAR", r"\b[2-9]\d{3}[ -]\d{4}[ -]\d{4}\b", _compact(identifiers.in_aadhaar),
             alone=True),
    Detector("IN_AADHAAR", r"\b[2-9]\d{11}\b", _compact(identifiers.in_aadhaar),
             context=_named("aadhaar|uid")),
    Detector("IN_PAN", r"\b[A-Z]{5}\d{4}[A-Z]\b", _compact(identifiers.in_pan)),
    Detector("UK_NINO", r"\b[A-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b", _compact(identifiers.uk_nino)),
    Detector("UK_NHS", r"\b\d{3}[ -]?\d{3}[ -]?\d{4}\b", _compact(identifiers.uk_nhs),
             context=_named(r"\bNHS\b")),
    Detector("DE_TAX_ID", r"\b\d{2} ?\d{3} ?\d{3} ?\d{3}\b", _compact(identifiers.de_tax_id),
             context=_named(r"steuer|idnr|id-nr|tax|\btin\b")),
    Detector("US_SSN", r"\b\d{3}-\d{2}-\d{4}\b", _compact(identifiers.us_ssn)),
    Detector("US_SSN", r"\b\d{3} ?\d{2} ?\d{4}\b", _compact(identifiers.us_ssn),
             context=_named(r"\bssns?\b|social security")),
    Detector("WALLET", r"\b(?:[13][1-9A-HJ-NP-Za-km-z]{25,34}|(?i:bc1)[0-9A-Za-z]{11,71})\b",
             identifiers.bitcoin),
    Detector("WALLET", r"\b0x[0-9a-fA-F]{40}\b", _ethereum, needs=b"0x"),
    Detector(
        "IP",
        r"(?:^|[^0-9A-Za-z_.])(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})(?:[^0-9.]|\.[^0-9]|\.?$)",
        _ipv4, unless=_VERSION,
    ),
    Detector(
        "IP",
        r"(?:^|[^0-9A-Za-z:.])([0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7})(?:[^0-9A-Za-z:]|$)",
        _ipv6, needs=b":",
    ),
    Detector("CN_MOBILE", r"(?:^|[^0-9A-Za-z_.])((?:\+?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4})\b",
             lambda value: identifiers.cn_mobile(_digits(value)[-11:]),
             unless=r"\+(?!86)\d{1,3}[ .-]?$"),
    Detector("PHONE", r"(?:^|[^0-9A-Za-z_+])(\+\+?[1-9](?:" + _BETWEEN + r"\d){6,14})\b",
             _phone, needs=b"+"),
    Detector(
        "PHONE",
        r"(?:^|[^0-9A-Za-z_.-])((?:1[ .-]?)?(?:\(\d{3}\)[ /-]?|\d{3}[./-])\d{3}(?:[ .-]| - )"
        r"\d{4})\b",
        _nanp,
    ),
    Detector("PHONE", r"(?:^|[^0-9A-Za-z_.-])(0\d{2,3}-\d{7,8})\b", _phone),
    Detector("PHONE", r"(?:^|[^0-9A-Za-z_.+-])(\(?\d(?:" + _BETWEEN + r"\d){6,14})\b", _phone,
             context=_TEL + r"[^\d)]{0,16}(?:\)[^\da-z]{0,12})?$"),
)  # fmt: skip
KINDS: Final = (*dict.fromkeys(one.kind for one in DETECTORS), "SECRET")


def find(text: str, kinds: Collection[str]) -> list[Span]:
    """Personal data of those kinds, by place; of two that overlap, the first in ``DETECTORS``."""
    return next(find_all([text], kinds))


def find_all(texts: Iterable[str], kinds: Collection[str]) -> Iterator[list[Span]]:
    """What ``find`` gives for each text; with many short ones, in a fraction of its time."""
    group: list[tuple[str, bytes]] = []
    size = 0
    for written in texts:
        text = _narrow(written)
        data = text.encode("utf-8", "surrogatepass")
        if group and size + len(data) > _GROUP:
            yield from _found(group, kinds)
            group, size = [], 0
        group.append((text, data))
        size += len(data)
    yield from _found(group, kinds)


# Digits, letters and signs that Chinese and Japanese texts have as wide as a character.
_WIDE: Final = re.compile("[\uff10-\uff19\uff20]")
_NARROW: Final = {
    code: code - 0xFEE0
    for code in (0xFF0B, 0xFF0D, 0xFF0E, 0xFF20, *range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B),
                 *range(0xFF41, 0xFF5B))
}  # fmt: skip


def _narrow(text: str) -> str:
    """Full-width digits, letters and signs as those of ASCII, each in its place."""
    if text.isascii() or not _WIDE.search(text):
        return text
    return text.translate(_NARROW)


def _found(texts: Sequence[tuple[str, bytes]], kinds: Collection[str]) -> Iterator[list[Span]]:
    if not texts:
        return
    joined = JoinedTexts([data for _, data in texts])
    found: list[list[tuple[int, int, str, str]]] = [[] for _ in texts]
    taken = bytearray(len(joined.data))  # 1 where something was found

    def take(start: int, end: int, kind: str, value: str) -> None:
        number = joined.number(start)
        begin = joined.starts[number]
        found[number].append((start - begin, end - begin, kind, value))
        taken[start:end] = b"\1" * (end - start)

    if "SECRET" in kinds:
        for begin, (_, data) in zip(joined.starts, texts, strict=True):
            for start, end, value in secrets(data):
                take(begin + start, begin + end, "SECRET", value)
    for detector in DETECTORS:
        if detector.kind not in kinds:
            continue
        for start, end, value in detector.spans(joined):
            if taken.find(1, start, end) < 0:
                take(start, end, detector.kind, value)
    for (text, data), spans in zip(texts, found, strict=True):
        yield in_characters(text, data, sorted(spans)) if spans else []


def secrets(data: bytes) -> Iterator[tuple[int, int, str]]:
    """Credentials by the rules of ``buttress scan``: start, end in bytes, and the secret."""
    from buttress.rules.credentials.scanner import scan

    for hit in scan(data).found:
        yield hit.start, hit.end, data[hit.start : hit.end].decode("utf-8", "replace")


def in_characters(text: str, data: bytes, found: Sequence[tuple[int, int, str, str]]) -> list[Span]:
    """Spans in bytes of UTF-8 as spans in characters; those that cut a character grow to it."""
    if len(text) == len(data):
        return [Span(*one) for one in found]
    spans = []
    place = characters = 0  # bytes up to ``place`` make so many characters
    for first_byte, last_byte, kind, value in found:
        start, end = first_byte, last_byte
        while start and data[start] & 0xC0 == 0x80:
            start -= 1
        while end < len(data) and data[end] & 0xC0 == 0x80:
            end += 1
        if start < place:  # overlaps the one before
            place = characters = 0
        characters += len(data[place:start].decode("utf-8", "surrogatepass"))
        place = start
        size = len(data[start:end].decode("utf-8", "surrogatepass"))
        spans.append(Span(characters, characters + size, kind, value))
    return spans
