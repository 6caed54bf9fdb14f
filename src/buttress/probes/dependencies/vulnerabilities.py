"""Known vulnerabilities of a dependency: of its version, or of those that its range allows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from buttress.evidence.findings import SEVERITIES, Severity
from buttress.probes.dependencies.osv.advisory import Advisory
from buttress.probes.dependencies.osv.database import Database
from buttress.provenance.dependencies.dependency import Dependency
from buttress.provenance.dependencies.versions import Ecosystem, key
from buttress.rules.reporting import Issue

_SUMMARY: Final = 160
_MAX_VERSIONS: Final = 5_000
_FAR: Final = 999_999  # stands for the last of a series of versions
_VERSION: Final = re.compile(r"\d+(?:\.\d+){0,2}(?:-[0-9A-Za-z.-]+)?")


def issues(one: Dependency, database: Database) -> Iterator[Issue]:
    """Issues for what the database knows of a dependency."""
    advisories = database.about(one.ecosystem, one.key)
    if not advisories:
        return
    if one.version:
        hit = [item for item in advisories if item.affects(one.version)]
        for group in grouped(hit):
            yield _of_version(one, group)
    elif not one.address:
        yield from _of_range(one, advisories)


def grouped(advisories: Iterable[Advisory]) -> list[list[Advisory]]:
    """Advisories of one vulnerability together: those that share an id or an alias."""
    groups: list[tuple[set[str], list[Advisory]]] = []
    for one in advisories:
        names = {one.id, *one.aliases}
        joined = [group for group in groups if group[0] & names]
        merged: tuple[set[str], list[Advisory]] = (names, [one])
        for group in joined:
            merged[0].update(group[0])
            merged[1].extend(group[1])
            groups.remove(group)
        groups.append(merged)
    return [sorted(group, key=lambda one: one.id) for _, group in groups]


def _of_version(one: Dependency, group: list[Advisory]) -> Issue:
    severity, why = _severity(group)
    malicious = any(item.malicious for item in group)
    fixed = _next_fix(one.version, group, one.ecosystem)
    names = _names(group)
    what = "is malicious" if malicious else "has a known vulnerability"
    matched = ", matched by its name on PyPI" if one.conda else ""
    return Issue(
        "malicious-package" if malicious else "known-vulnerability",
        one.line,
        _message(f"{one.name} {one.version} {what}", group, f"{why}{matched}"),
        severity=severity,
        remedy=f"Upgrade {one.name} to {fixed} or later." if fixed and not malicious else None,
        references=(*names, *_weaknesses(group), *one.references),
    )


def _of_range(one: Dependency, advisories: list[Advisory]) -> Iterator[Issue]:
    """A range is bad if all versions known to lie in it are; else it merely allows bad ones.

    Advisories may list no versions: those that the range itself names are tried too, and of a range
    of PyPI the last before each.
    """
    named, edges = _boundaries(one)
    known = sorted(
        {version for item in advisories for version in item.known_versions()} | set(named),
        key=lambda version: key(version, one.ecosystem),
    )[-_MAX_VERSIONS:]
    try:
        # What lies at the edges of a range counts where no version is known that it allows.
        allowed = [version for version in known if one.allows(version)] or [
            version for version in edges if one.allows(version)
        ]
    except InvalidSpecifier:
        return
    some: list[Advisory] = []
    for group in grouped(advisories):
        bad = [version for version in allowed if any(item.affects(version) for item in group)]
        every = any(item.affects_all for item in group)
        if not bad and not every:
            continue
        if len(bad) < len(allowed) and not every:
            some += group
            continue
        severity, why = _severity(group)
        malicious = any(item.malicious for item in group)
        yield Issue(
            "malicious-package" if malicious else "vulnerable-range",
            one.line,
            _message(
                f"Every known version that {one.name}{_range(one)} allows "
                f"{'is malicious' if malicious else 'has a vulnerability'}",
                group,
                why,
            ),
            severity=severity,
            references=(*_names(group), *_weaknesses(group), *one.references),
        )
    if some:
        groups = grouped(some)
        names = [_names(group)[0] for group in groups]
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        clean = [version for version in allowed if not any(item.affects(version) for item in some)]
        yield Issue(
            "range-allows-vulnerable",
            one.line,
            f"{one.name}{_range(one)} may resolve to a version with a known vulnerability "
            f"({shown}).",
            remedy=f"Require {one.name}>={clean[-1]}, and lock versions." if clean else None,
            references=(*names[:20], *one.references),
        )


def _boundaries(one: Dependency) -> tuple[list[str], list[str]]:
    """Versions that a range names, and of one of PyPI those right below them."""
    if one.ecosystem == "npm":
        found = _VERSION.findall(one.specifier)
        return [version for version in found if key(version, one.ecosystem) is not None], []
    named: list[str] = []
    edges: list[str] = []
    try:
        specifiers = SpecifierSet(one.specifier)
    except InvalidSpecifier:
        return [], []
    for specifier in specifiers:
        text = specifier.version.removesuffix(".*")
        try:
            release = Version(text).release
        except InvalidVersion:
            continue
        named.append(text)
        last = max((place for place, number in enumerate(release) if number), default=-1)
        if last >= 0:
            edges.append(".".join(map(str, (*release[:last], release[last] - 1, _FAR))))
    return named, edges


def _range(one: Dependency) -> str:
    return f" {one.specifier}" if one.specifier else " (any version)"


def _message(what: str, group: list[Advisory], why: str) -> str:
    summary = " ".join(next((one.summary for one in group if one.summary), "").split())
    cut = summary if len(summary) <= _SUMMARY else summary[: _SUMMARY - 1] + "…"
    told = f": {cut.rstrip('.')}" if cut else ""
    return f"{what}{told} ({', '.join(_names(group)[:3])}; {why})."


def _names(group: list[Advisory]) -> tuple[str, ...]:
    """Ids of a vulnerability, CVE first."""
    found = {name for one in group for name in (one.id, *one.aliases)}
    return tuple(sorted(found, key=lambda name: (not name.startswith("CVE-"), name)))


def _weaknesses(group: list[Advisory]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for one in group for name in one.weaknesses()))


def _severity(group: list[Advisory]) -> tuple[Severity, str]:
    """The gravest that is rated; a guess only where none is."""
    rated = [one.severity() for one in group]
    known = [pair for pair in rated if pair[1] != "not rated"] or rated
    return max(known, key=lambda pair: SEVERITIES.index(pair[0]))


def _next_fix(version: str, group: list[Advisory], ecosystem: Ecosystem) -> str:
    """The lowest version above this one in which no advisory of the group holds any more."""
    own = key(version, ecosystem)
    found = {
        fix for one in group for fix in one.fixes() if own is not None and key(fix, ecosystem) > own
    }
    for fix in sorted(found, key=lambda one: key(one, ecosystem)):
        if not any(one.affects(fix) for one in group):
            return fix
    return ""
