"""Finds credentials in bytes: a quick look for keywords, then the rules that may apply."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

import re2

from buttress.evidence.findings import SEVERITIES, Severity
from buttress.rules.credentials.candidate import CredentialCandidate, Span, Verdict
from buttress.rules.credentials.checks import check
from buttress.rules.credentials.checks.structures import unbase64
from buttress.rules.credentials.collections import column, items, separated, table
from buttress.rules.credentials.kind import CREDENTIALS
from buttress.rules.credentials.rule import CredentialRule
from buttress.rules.patterns import byte_options

# Tests of what finds or blots out keys hold keys that were made for them.
_HIDING: Final = re.compile(
    rb"(?i)saniti[sz]|redact|\bmask|scrub|obfuscat|\[filtered\]|detect_?secret"
)
_NEAR: Final = 400  # bytes
_BASE64: Final = (string.ascii_letters + string.digits + "+/").encode()
_AROUND: Final = 200  # characters of Base64 around a match, of which it is a piece then
_CUT: Final = (b"...", "…".encode())
_CUT_SHORT: Final = "dots follow, so that a part of it may be left out"
MAX_CANDIDATES: Final = 5_000  # matches of one rule that are checked in one file


@dataclass(frozen=True, slots=True)
class CredentialHit:
    """A credential: ``start`` and ``end`` delimit the secret in the bytes that were scanned.

    ``place`` is where it is reported: before ``start`` where a heading belongs to it.
    """

    rule: CredentialRule
    place: int
    start: int
    end: int
    severity: Severity
    note: str


@dataclass(frozen=True, slots=True)
class Hits:
    """All credentials in one text, by place; ``cut`` are rules that matched too often."""

    found: Sequence[CredentialHit]
    cut: Sequence[str] = ()


class SecretRules:
    """Rules, and which of their keywords occur in a text, in one pass.

    The patterns themselves are not in the set: its automaton would be large, and one that outgrows
    RE2's memory silently matches nothing. Keywords keep it small.
    """

    def __init__(self, chosen: Iterable[CredentialRule]) -> None:
        self.rules = tuple(sorted(chosen, key=lambda rule: not rule.verified))
        self._set = re2.Set.SearchSet(byte_options(case_sensitive=False))
        self._indices: list[list[int]] = []
        by_keyword: dict[str, list[int]] = {}
        for index, rule in enumerate(self.rules):
            for keyword in rule.keywords:
                by_keyword.setdefault(keyword, []).append(index)
        for keyword, indices in by_keyword.items():
            self._set.Add(keyword.encode())
            self._indices.append(indices)
        self._set.Compile()

    def applicable(self, data: bytes) -> list[CredentialRule]:
        """The rules that may match, in their order."""
        matched = self._set.Match(data)
        if not matched:
            return []
        indices = {index for keyword in matched for index in self._indices[keyword]}
        return [self.rules[index] for index in sorted(indices)]


@cache
def own() -> SecretRules:
    """The rules that come with Buttress."""
    return SecretRules(CREDENTIALS.own.values())


def scan(
    data: bytes, name: str = "", *, in_tests: bool = False, chosen: SecretRules | None = None
) -> Hits:
    """Credentials in the content of a file called ``name``, by the rules ``chosen`` or ours.

    Of hits that overlap, the first rule's counts: rules that know a format come before those that
    judge literals. Time is linear in the size; each rule checks ``MAX_CANDIDATES`` matches at most.
    """
    found: list[CredentialHit] = []
    cut: list[str] = []
    taken: list[Span] = []
    for rule in (chosen or own()).applicable(data):
        if not rule.reads(name):
            continue
        for count, candidate in enumerate(candidates(rule, data, name)):
            if count == MAX_CANDIDATES:
                cut.append(rule.id)
                break
            if any(start < candidate.end and candidate.start < end for start, end in taken):
                continue
            verdict = verdict_on(candidate)
            if verdict is None or _within_base64(data, candidate.start, candidate.end):
                continue
            place = candidate.start if verdict.start is None else verdict.start
            end = candidate.end if verdict.end is None else verdict.end
            taken += [(place, end), *verdict.more]
            usual = rule.in_tests if in_tests else rule.severity
            severity = min(usual, verdict.severity or usual, key=SEVERITIES.index)
            if in_tests and _HIDING.search(data, max(0, place - _NEAR), end + _NEAR):
                severity = min(severity, "low", key=SEVERITIES.index)
            note = verdict.note
            if data.startswith(_CUT, end):
                severity, note = min(severity, "low", key=SEVERITIES.index), _CUT_SHORT
            found.append(CredentialHit(rule, place, candidate.start, end, severity, note))
    return Hits(sorted(found, key=lambda hit: hit.place), cut)


def _within_base64(data: bytes, start: int, end: int) -> bool:
    """Whether what matches is a piece of much longer Base64, an image say, by chance."""
    before, after = data[max(0, start - _AROUND) : start], data[end : end + _AROUND]
    if not before.endswith((b"+", b"/")) and not after.startswith((b"+", b"/")):
        return False
    left = len(before.rstrip(_BASE64)) + len(after.lstrip(_BASE64))
    return len(before) + len(after) - left >= _AROUND


def verdict_on(candidate: CredentialCandidate) -> Verdict | None:
    """What the check of the candidate's rule says; None where it is no secret."""
    return _encoded(candidate) if candidate.rule.check == "encoded" else check(candidate)


def _encoded(candidate: CredentialCandidate) -> Verdict | None:
    """Base64 of a text that holds a key of a known format."""
    decoded = unbase64(candidate.secret)
    inner = [hit for hit in scan(decoded).found if hit.rule.verified] if decoded else []
    return Verdict(inner[0].rule.title, inner[0].severity) if inner else None


def candidates(rule: CredentialRule, data: bytes, name: str = "") -> Iterator[CredentialCandidate]:
    """Matches of a rule in a file called ``name``; of one about collections, each value in them."""
    for one in _matches(rule, data, name):
        listed = rule.settings.get("items")
        if not listed:
            yield one
            continue
        for start, end in _values(listed, data, one):
            yield replace(one, start=start, end=end, whole=(start, end))


def _group(groups: Mapping[str, bytes], kind: str) -> str:
    """Of the groups of a kind (``name``, ``name2`` …) the one that took part in the match."""
    return next((key for key in groups if key.startswith(kind) and groups[key]), "")


def _values(listed: str, data: bytes, one: CredentialCandidate) -> Iterator[Span]:
    if listed == "table":
        return table(data, one.end)
    values = {"separated": separated, "column": column}.get(listed, items)
    return values(data, one.start, one.end)


def _matches(rule: CredentialRule, data: bytes, name: str) -> Iterator[CredentialCandidate]:
    expression: Any = rule.expression
    names: dict[bytes, int] = expression.groupindex
    for match in expression.finditer(data):
        groups = {key.decode(): match.group(number) or b"" for key, number in names.items()}
        chosen = _group(groups, "secret")
        start, end = match.span(names[chosen.encode()] if chosen else rule.group)
        if start < 0:
            continue
        if called := _group(groups, "name"):
            groups["name"] = groups[called]
        yield CredentialCandidate(rule, data, start, end, match.span(), groups, name)
