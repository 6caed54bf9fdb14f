"""AI-Infra-Guard's rules as their authors meant them, where the way they are read differs.

Regular expressions keep their backslashes and ignore case; an icon's number is equal, not
contained, and is that of an icon; versions compare by their ecosystem; a version that is not known
proves nothing; rules whose data can't be meant are set aside, each with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from buttress.probes.infrastructure.aig.expression import (
    ORDERING,
    Chain,
    Expression,
    RuleComparison,
    comparisons,
    evaluate,
)
from buttress.probes.infrastructure.aig.files import RuleProblem
from buttress.probes.infrastructure.aig.matching import MatchSubject, compiled
from buttress.probes.infrastructure.aig.rules import (
    AdvisoryRule,
    FingerprintRule,
    HttpRule,
    Matcher,
)
from buttress.probes.infrastructure.aig.texts import lower
from buttress.probes.infrastructure.products import normalised
from buttress.probes.infrastructure.versions import (
    Scheme,
    VersionRange,
    holds,
    is_version,
    order,
)

Class = Literal["affected", "possibly", "not affected"]
_OWN_ADVISORY: Final = re.compile(
    r"https?://github\.com/([\w.-]+/[\w.-]+)/security/advisories/GHSA-", re.I
)
_ESCAPED_QUOTE: Final = re.compile(r'\\"')
_NOTHING: Final = VersionRange()
# What any web server may say: a matcher that holds for all of it tells nothing.
_NEUTRAL: Final = (
    MatchSubject("", "", 0),
    MatchSubject("<html><head><title>Welcome</title></head></html>", "Server: nginx\n", 0),
    MatchSubject('{"detail":"Not Found"}', "Content-Type: application/json\n", 0),
)


@dataclass(frozen=True, slots=True)
class Sorted:
    """Advisories of a product by what its version says of them."""

    affected: tuple[AdvisoryRule, ...] = ()
    possibly: tuple[AdvisoryRule, ...] = ()
    not_affected: int = 0


def matches(expression: Expression, subject: MatchSubject) -> bool:
    """Whether a matcher holds as it was meant."""
    return evaluate(expression, lambda one: _holds(one, subject))


def usable(one: FingerprintRule) -> tuple[FingerprintRule, list[RuleProblem]]:
    """A fingerprint without the rules that can't be meant, and why those are set aside."""
    problems: list[RuleProblem] = []
    rules: list[HttpRule] = []
    for at, rule in enumerate(one.http):
        kept = []
        if not rule.matchers:
            problems.append(
                RuleProblem(one.file, f"http[{at}]: has no matcher, so any answer would do")
            )
        for matcher in rule.matchers:
            why = fault(matcher)
            if why:
                problems.append(RuleProblem(one.file, f"http[{at}]: {matcher.text}: {why}"))
            else:
                kept.append(matcher)
        if kept:
            rules.append(replace(rule, matchers=tuple(kept)))
    return replace(one, http=tuple(rules)), problems


def fault(matcher: Matcher) -> str:
    """Why a matcher can't be meant; empty where it can."""
    for one in comparisons(matcher.expression):
        if one.operator in ORDERING:
            return f"'{one.operator}' does not compare texts"
        if one.operator == "~=":
            try:
                compiled(f"(?i){meant_pattern(one)}")
            except ValueError as error:
                return str(error)
    if all(matches(matcher.expression, neutral) for neutral in _NEUTRAL):
        return "holds for any answer"
    return ""


def meant_pattern(one: RuleComparison) -> str:
    """The regular expression with its backslashes; only those before quotation marks go."""
    return _ESCAPED_QUOTE.sub('"', one.raw)


def sort(advisories: Iterable[AdvisoryRule], known: VersionRange, scheme: Scheme) -> Sorted:
    """Divide the advisories of a product by what is known of its version."""
    affected, possibly, clear = [], [], 0
    for one in advisories:
        which = classify(one, known, scheme)
        if which == "affected":
            affected.append(one)
        elif which == "possibly":
            possibly.append(one)
        else:
            clear += 1
    return Sorted(tuple(affected), tuple(possibly), clear)


def classify(one: AdvisoryRule, known: VersionRange, scheme: Scheme) -> Class:
    """What a version says of an advisory; one that states no versions is possible at most."""
    if one.rule is None:
        return "possibly"
    if not known.known:
        return "possibly"
    value = _three_valued(one.rule, known, scheme)
    if value is None:
        return "possibly"
    return "affected" if value else "not affected"


def set_aside(
    advisories: Sequence[AdvisoryRule], scheme: Scheme, names: Collection[str] = ()
) -> tuple[list[AdvisoryRule], list[RuleProblem]]:
    """The advisories that can be meant, and why others can't.

    One that holds wherever the product runs on a public address is no statement about versions:
    what it warns of is what the checks of exposure test.

    Args:
        advisories: all of a product.
        scheme: how its versions compare.
        names: what else the product is called, such as its packages.
    """
    kept: list[AdvisoryRule] = []
    problems: list[RuleProblem] = []
    own = own_repositories(advisories, names)
    for one in advisories:
        why = advisory_fault(one, advisories, scheme) or of_another(one, own)
        if why:
            problems.append(RuleProblem(one.file, f"rule: {one.rule_text.strip()}: {why}"))
        else:
            kept.append(one)
    return kept, problems


def advisory_fault(one: AdvisoryRule, others: Sequence[AdvisoryRule], scheme: Scheme) -> str:
    """Why an advisory's rule can't be meant; empty where it can, or where there is none."""
    if one.rule is None:
        return ""
    for part in comparisons(one.rule):
        if part.keyword == "is_internal":
            return "says nothing of versions; what it warns of is tested by checks of exposure"
        if part.operator == "~=":
            return "'~=' compares no versions"
        if not is_version(part.text, scheme):
            return f"'{part.text}' is no version"
    if contradictory(one.rule, scheme):
        return "no version can satisfy it"
    return _foreign(one, others, scheme)


def own_repositories(
    advisories: Sequence[AdvisoryRule], names: Collection[str] = ()
) -> frozenset[str]:
    """The repositories with the name of a product that its advisories link.

    Where there are none, nobody can tell which are those of others.
    """
    called = {normalised(name) for name in (*names, *(one.name for one in advisories))}
    linked = (link for one in advisories for link in repositories(one))
    return frozenset(one for one in linked if normalised(one.partition("/")[2]) in called)


def repositories(one: AdvisoryRule) -> set[str]:
    """The repositories on GitHub whose own advisory is linked, but for those of researchers."""
    found = {match[1].lower() for link in one.references if (match := _OWN_ADVISORY.match(link))}
    return {repository for repository in found if not repository.endswith("/security-research")}


def of_another(one: AdvisoryRule, own: frozenset[str]) -> str:
    """An advisory of another product's repository, whose versions are not those of this one."""
    linked = repositories(one)
    if not own or not linked or linked & own:
        return ""
    return f"is an advisory of {', '.join(sorted(linked))}, not of {', '.join(sorted(own))}"


def contradictory(rule: Expression, scheme: Scheme) -> bool:
    """Whether no version satisfies a rule: tried at, below and above each version it names."""
    texts = sorted({one.text for one in comparisons(rule) if one.keyword == "version"})
    tried = [VersionRange.exactly(text) for text in texts]
    for low in texts:
        tried.append(VersionRange(low, "", low_open=True))
        tried.append(VersionRange("", low, high_open=True))
        tried += [
            VersionRange(low, high, low_open=True, high_open=True)
            for high in texts
            if order(low, high, scheme) == -1
        ]
    return bool(tried) and all(_three_valued(rule, one, scheme) is False for one in tried)


def always(rule: Expression, scheme: Scheme) -> bool:
    """Whether every version satisfies a rule."""
    lowest = VersionRange("0", "", low_open=False)
    return _three_valued(rule, lowest, scheme) is True


def _foreign(one: AdvisoryRule, others: Sequence[AdvisoryRule], scheme: Scheme) -> str:
    """A rule with lower bounds only that lie beyond the numbers that all other rules name."""
    assert one.rule is not None
    own = comparisons(one.rule)
    if not all(part.operator in (">=", ">") for part in own):
        return ""
    rest = [
        part.text
        for other in others
        if other is not one and other.rule is not None
        for part in comparisons(other.rule)
        if part.keyword == "version" and is_version(part.text, scheme)
    ]
    lowest = min((_major(part.text) for part in own), default=0)
    if len(rest) >= 3 and lowest > max(map(_major, rest)):
        return "lies beyond every version that other rules of this product name"
    return ""


def _major(text: str) -> int:
    match = re.search(r"\d{1,18}", text)
    return int(match[0]) if match else 0


def _holds(one: RuleComparison, subject: MatchSubject) -> bool:
    if one.operator in ORDERING:
        return False
    if one.operator == "~=":
        text = subject.body if one.keyword == "body" else subject.header
        if one.keyword in ("icon", "hash"):
            text = subject.text(one.keyword)
        return compiled(f"(?i){meant_pattern(one)}").search(text) is not None
    text, wanted = subject.text(one.keyword), lower(one.text)
    if one.keyword == "icon" or one.operator == "==":
        same = text == wanted and (one.keyword != "icon" or subject.icon != 0)
        return same if one.operator != "!=" else not same
    return (wanted in text) is (one.operator == "=")


def _three_valued(rule: Expression, known: VersionRange, scheme: Scheme) -> bool | None:
    """The value of a rule, None where what is known does not decide it (Kleene's logic)."""
    if isinstance(rule, RuleComparison):
        if rule.keyword != "version":
            return None
        return holds(known, rule.operator, rule.text, scheme)
    assert isinstance(rule, Chain)
    value = _three_valued(rule.parts[0], known, scheme)
    for joint, part in zip(rule.joints, rule.parts[1:], strict=True):
        other = _three_valued(part, known, scheme)
        deciding = joint == "||"
        if value is deciding or other is deciding:
            value = deciding
        elif value is None or other is None:
            value = None
        else:
            value = not deciding
    return value
