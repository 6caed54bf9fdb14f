"""A host held against AI-Infra-Guard's rules exactly as they are written, every quirk included."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from buttress.probes.infrastructure.aig.expression import Expression
from buttress.probes.infrastructure.aig.matching import MatchSubject, compiled, matches
from buttress.probes.infrastructure.aig.ranges import intersection
from buttress.probes.infrastructure.aig.rules import (
    AdvisoryRule,
    FingerprintRule,
    Matcher,
    VersionRule,
)
from buttress.probes.infrastructure.aig.texts import decoded, header_text, icon_hash, icon_path
from buttress.probes.infrastructure.aig.version_order import fires
from buttress.protocols.live import LiveRequest, Reply

Ask = Callable[[LiveRequest], Awaitable[Reply | None]]
Follow = Callable[[str], Awaitable[Reply | None]]
Holds = Callable[[Expression, MatchSubject], bool]
ROOT: Final = LiveRequest("GET", "/")


@dataclass(slots=True)
class FingerprintHit:
    """A product that a rule named: the rule's request, and the matcher that held."""

    fingerprint: FingerprintRule
    request: LiveRequest
    matcher: str
    version: str = ""
    version_request: LiveRequest | None = None
    version_text: str = ""  # the part of the answer that gives the version


class AnswersAsWritten:
    """Answers of one host as texts, each made once."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._subjects: dict[LiveRequest, MatchSubject | None] = {}
        self.icon = 0

    async def subject(self, request: LiveRequest) -> MatchSubject | None:
        """The answer to a request, None where there was none."""
        if request not in self._subjects:
            reply = await self._ask(request)
            self._subjects[request] = None if reply is None else _subject(reply, self.icon)
        return self._subjects[request]

    def given(self, request: LiveRequest) -> MatchSubject | None:
        """An answer that is already there."""
        return self._subjects.get(request)


def plan(fingerprints: Iterable[FingerprintRule]) -> list[LiveRequest]:
    """Every request of these fingerprints, each once; the icon's is apart."""
    found: dict[LiveRequest, None] = {ROOT: None}
    for one in fingerprints:
        found.update((rule.request, None) for rule in one.http)
        found.update((rule.request, None) for rule in one.version)
    return list(found)


async def identify(
    fingerprints: Sequence[FingerprintRule], ask: Ask, follow: Follow, holds: Holds = matches
) -> list[FingerprintHit]:
    """The products that answer, with versions where a rule gives one.

    ``holds`` is how matchers are read.
    """
    answers = AnswersAsWritten(ask)
    if any(one.uses_icon for one in fingerprints):
        answers.icon = await icon(ask, follow)
    for one in fingerprints:
        for rule in one.http:
            await answers.subject(rule.request)
    hits: dict[str, FingerprintHit] = {}
    for one in fingerprints:
        hit = _hit(one, answers, holds)
        if hit is None:
            continue
        await _find_version(hit, answers, holds)
        before = hits.get(one.name)
        if before is None or (hit.version and hit.version != before.version):
            hits[one.name] = hit
    return list(hits.values())


async def icon(ask: Ask, follow: Follow) -> int:
    """The number of the icon that the page ``/`` names: of whatever comes back; 0 for nothing."""
    page = await ask(ROOT)
    if page is None:
        return 0
    path = icon_path(decoded(page.body, page.header("content-type")))
    reply = await follow(path)
    return 0 if reply is None else icon_hash(reply.body)


def reported(advisories: Iterable[AdvisoryRule], version: str, url: str) -> list[AdvisoryRule]:
    """The advisories that the original reports for a version; empty stands for an unknown one."""
    return [
        one
        for one in advisories
        if one.rule is None or not version or fires(one.rule, version, url)
    ]


def _subject(reply: Reply, icon_number: int) -> MatchSubject:
    return MatchSubject(
        decoded(reply.body, reply.header("content-type")),
        header_text(reply.headers),
        icon_number,
        reply.body,
    )


def _hit(one: FingerprintRule, answers: AnswersAsWritten, holds: Holds) -> FingerprintHit | None:
    for rule in one.http:
        subject = answers.given(rule.request)
        if subject is None:
            continue
        if not rule.matchers:
            return FingerprintHit(one, rule.request, "")
        for matcher in rule.matchers:
            if holds(matcher.expression, subject):
                return FingerprintHit(one, rule.request, matcher.text)
    return None


async def _find_version(hit: FingerprintHit, answers: AnswersAsWritten, holds: Holds) -> None:
    ranges: list[str] = []
    for rule in hit.fingerprint.version:
        subject = await answers.subject(rule.request)
        if subject is None:
            continue
        if rule.regex and (found := extracted(rule, subject)):
            hit.version, hit.version_text = found
            hit.version_request = rule.request
            return
        if rule.versions and _any(rule.matchers, subject, holds):
            ranges.append(rule.versions)
            hit.version_request = rule.request
    if ranges:
        hit.version = intersection(ranges)


def _any(matchers: Sequence[Matcher], subject: MatchSubject, holds: Holds) -> bool:
    return not matchers or any(holds(one.expression, subject) for one in matchers)


def extracted(rule: VersionRule, subject: MatchSubject) -> tuple[str, str] | None:
    """The version that an extractor takes out of an answer, and the text around it."""
    try:
        group = int(rule.group)
    except ValueError:
        return None
    text = subject.header if rule.part == "header" else subject.body
    match = compiled(f"(?i){rule.regex}").search(text)
    if match is None:
        return None
    last = len(match.groups())
    version = match.group(group if 0 <= group <= last else last) or ""
    return (version, match.group(0)) if version else None
