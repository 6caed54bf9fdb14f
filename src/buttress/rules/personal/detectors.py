"""Finds personal data in text: patterns propose, check digits and what stands before decide."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from buttress.rules.credentials.scanner import scan
from buttress.rules.patterns import compiled_bytes
from buttress.rules.personal import identifiers

_CONTEXT: Final = 40  # bytes before a number in which its name is looked for
_IPV6_PREFIXES: Final = ("2", "3", "fe80", "fc", "fd")


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
    must stand shortly before the number; empty where the number speaks for itself.
    ``needs`` is a byte string without which no match is possible. ``alone``: groups of digits count
    only where no further group stands before or behind them, which would make another number.
    """

    kind: str
    pattern: str
    check: Callable[[str], bool]
    context: str = ""
    needs: bytes = b""
    alone: bool = False

    def spans(self, data: bytes) -> Iterator[tuple[int, int, str]]:
        """Start and end in bytes, and the value without separators."""
        if self.needs and self.needs not in data:
            return
        place = 0
        expression = _expression(self.pattern)
        while match := expression.search(data, place):
            group = 1 if expression.groups else 0
            start, end = match.span(group)
            written = data[start:end].decode("ascii")
            if (
                self.check(written)
                and (not self.context or _named(self.context, data, start))
                and not (self.alone and _grouped(data, start, end))
            ):
                yield start, end, _SEPARATORS.sub("", written)
                place = end
            else:  # a later start may be the right one
                place = start + 1
                while place < end and data[place - 1 : place].isalnum():
                    place += 1


_DIGIT: Final = re.compile(rb"[0-9]")
_SEPARATORS: Final = re.compile(r"(?<=\w)[ -](?=\w)|[()/]")


@cache
def _expression(pattern: str) -> Any:
    return compiled_bytes(pattern)


@cache
def _context(pattern: str) -> re.Pattern[bytes]:
    return re.compile(pattern.encode(), re.I)


def _named(pattern: str, data: bytes, start: int) -> bool:
    return _context(pattern).search(data, max(0, start - _CONTEXT), start) is not None


def _grouped(data: bytes, start: int, end: int) -> bool:
    """Whether another group of digits stands right before or behind."""
    before, behind = data[max(0, start - 2) : start], data[end : end + 2]
    return (
        (before[:1].isdigit() and before[1:] in (b" ", b"-"))
        or (behind[1:].isdigit() and behind[:1] in (b" ", b"-"))
    )  # fmt: skip


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
    return not (address.is_loopback or address.is_unspecified or text.startswith("255."))


def _ipv6(text: str) -> bool:
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        return False
    groups = [group for group in text.split(":") if group]
    known = text.lower().startswith(_IPV6_PREFIXES) and any(sign.isdecimal() for sign in groups[0])
    return (len(groups) >= 3 or (known and len(groups) >= 2)) and not address.is_loopback


def _ethereum(text: str) -> bool:
    return len(set(text[2:].lower())) > 4


def _email(text: str) -> bool:
    local, _, domain = text.partition("@")
    return ".." not in text and local[-1] != "." and len(local) <= 64 and len(domain) <= 253


_TEL: Final = (
    r"(?:tel|phone|mobile|cell|fax|call|whatsapp"
    r"|\xe7\x94\xb5\xe8\xaf\x9d|\xe6\x89\x8b\xe6\x9c\xba)"  # 电话, 手机 in UTF-8
)
DETECTORS: Final[tuple[Detector, ...]] = (
    Detector(
        "EMAIL",
        r"(?i)\b([a-z0-9][a-z0-9._%+'-]*@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,24})\b",
        _email, needs=b"@",
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
    Detector("CARD", r"\b\d(?:[ -]?\d){12,18}\b", _compact(identifiers.card)),
    Detector("KR_RRN", r"\b\d{6}-?\d{7}\b", _compact(identifiers.kr_rrn)),
    Detector(
        "IT_FISCAL_CODE",
        r"(?i)\b[A-Z]{6}[0-9A-Z]{2}[A-EHLMPRST][0-9A-Z]{2}[A-Z][0-9A-Z]{3}[A-Z]\b",
        _compact(identifiers.it_fiscal_code),
    ),
    Detector("ES_DNI", r"\b(?:\d{8}|[XYZ]-?\d{7})-?[A-Z]\b", _compact(identifiers.es_dni)),
    Detector("IN_AADHAAR", r"\b[2-9]\d{3}[ -]\d{4}[ -]\d{4}\b", _compact(identifiers.in_aadhaar),
             alone=True),
    Detector("IN_AADHAAR", r"\b[2-9]\d{11}\b", _compact(identifiers.in_aadhaar),
             context="aadhaar|uid"),
    Detector("IN_PAN", r"\b[A-Z]{5}\d{4}[A-Z]\b", _compact(identifiers.in_pan)),
    Detector("UK_NINO", r"\b[A-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b", _compact(identifiers.uk_nino)),
    Detector("UK_NHS", r"\b\d{3}[ -]?\d{3}[ -]?\d{4}\b", _compact(identifiers.uk_nhs),
             context=r"\bNHS\b"),
    Detector("DE_TAX_ID", r"\b\d{2} ?\d{3} ?\d{3} ?\d{3}\b", _compact(identifiers.de_tax_id),
             context=r"steuer|idnr|id-nr|tax|\btin\b"),
    Detector("US_SSN", r"\b\d{3}-\d{2}-\d{4}\b", _compact(identifiers.us_ssn)),
    Detector("US_SSN", r"\b\d{3} ?\d{2} ?\d{4}\b", _compact(identifiers.us_ssn),
             context=r"\bssn\b|social security"),
    Detector("WALLET", r"\b(?:[13][1-9A-HJ-NP-Za-km-z]{25,34}|(?i:bc1)[0-9A-Za-z]{11,71})\b",
             identifiers.bitcoin),
    Detector("WALLET", r"\b0x[0-9a-fA-F]{40}\b", _ethereum, needs=b"0x"),
    Detector(
        "IP",
        r"(?:^|[^0-9A-Za-z_.])(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})(?:[^0-9.]|\.[^0-9]|\.?$)",
        _ipv4,
    ),
    Detector(
        "IP",
        r"(?:^|[^0-9A-Za-z:.])([0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7})(?:[^0-9A-Za-z:]|$)",
        _ipv6, needs=b":",
    ),
    Detector("CN_MOBILE", r"(?:^|[^0-9A-Za-z_.])((?:\+?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4})\b",
             lambda value: identifiers.cn_mobile(_digits(value)[-11:])),
    Detector("PHONE", r"(?:^|[^0-9A-Za-z_+])(\+[1-9](?:[ .-]?\(?\d\)?){6,14})\b", _phone,
             needs=b"+"),
    Detector(
        "PHONE",
        r"(?:^|[^0-9A-Za-z_.-])((?:1[ .-]?)?(?:\(\d{3}\) ?|\d{3}[.-])\d{3}[ .-]\d{4})\b",
        _nanp,
    ),
    Detector("PHONE", r"(?:^|[^0-9A-Za-z_.-])(0\d{2,3}-\d{7,8})\b", _phone),
    Detector("PHONE", r"(?:^|[^0-9A-Za-z_.+-])(\(?\d(?:[ ./-]?\(?\d\)?){6,14})\b", _phone,
             context=_TEL + r"[^\d]{0,16}$"),
)  # fmt: skip
KINDS: Final = (*dict.fromkeys(one.kind for one in DETECTORS), "SECRET")


def find(text: str, kinds: Collection[str]) -> list[Span]:
    """Personal data of those kinds, by place; of two that overlap, the first in ``DETECTORS``."""
    data = text.encode("utf-8", "surrogatepass")
    found: list[tuple[int, int, str, str]] = []
    taken = bytearray(len(data))  # 1 where something was found
    if "SECRET" in kinds:
        for start, end, value in secrets(data):
            found.append((start, end, "SECRET", value))
            taken[start:end] = b"\1" * (end - start)
    numbers = _DIGIT.search(data) is not None
    for detector in DETECTORS:
        if detector.kind not in kinds or (not numbers and detector.kind not in ("EMAIL", "IP")):
            continue
        for start, end, value in detector.spans(data):
            if taken.find(1, start, end) < 0:
                found.append((start, end, detector.kind, value))
                taken[start:end] = b"\1" * (end - start)
    if not found:
        return []
    found.sort()
    return in_characters(text, data, found)


def secrets(data: bytes) -> Iterator[tuple[int, int, str]]:
    """Credentials by the rules of ``buttress scan``: start, end in bytes, and the secret."""
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
