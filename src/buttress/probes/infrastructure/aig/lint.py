"""What is wrong in a folder of AI-Infra-Guard's rules: what can never fire or fires on anything."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from buttress.probes.infrastructure.aig.corrected import advisory_fault, always, fault
from buttress.probes.infrastructure.aig.expression import ORDERING, RuleComparison, comparisons
from buttress.probes.infrastructure.aig.files import RuleFolder
from buttress.probes.infrastructure.aig.rules import FingerprintRule, Matcher, VersionRule
from buttress.probes.infrastructure.products import normalised

Level = Literal["error", "never", "always", "weak"]
_CAPITAL: Final = re.compile(r"(?<!\\)[A-Z]")
_INTEGER: Final = re.compile(r"-?[0-9]+")


@dataclass(frozen=True, slots=True)
class Note:
    """A fault of a file or rule.

    ``error``: not read; ``never``: can't fire as written; ``always``: fires on anything; ``weak``:
    fires on less or more than was meant.
    """

    file: str
    level: Level
    what: str


def lint(folder: RuleFolder) -> list[Note]:
    """All that is wrong, sorted by file."""
    notes: list[Note] = []
    for one in folder.fingerprints:
        notes += _fingerprint(one)
    names = {one.name for one in folder.fingerprints}
    by_spelling = {normalised(name): name for name in names}
    for name in folder.advisory_names:
        advisories = folder.advisories(name)
        for each in advisories:
            if name not in names:
                notes.append(Note(each.file, "never", _no_fingerprint(name, by_spelling, names)))
            if each.rule is None:
                notes.append(Note(each.file, "always", "rule is empty: fires on every version"))
            elif why := advisory_fault(each, advisories, "pep440"):
                level: Level = (
                    "never" if "no version can" in why or "compares no" in why else "weak"
                )
                notes.append(Note(each.file, level, f"rule: {each.rule_text.strip()}: {why}"))
            elif always(each.rule, "pep440"):
                notes.append(
                    Note(
                        each.file,
                        "always",
                        f"rule: {each.rule_text.strip()}: holds for any version",
                    )
                )
    notes += [Note(one.file, "error", one.what) for one in folder.problems]
    return sorted(notes, key=lambda one: (one.file, one.what))


def _fingerprint(one: FingerprintRule) -> Iterator[Note]:
    if not one.http:
        yield Note(one.file, "never", "http: there is no rule")
    for at, rule in enumerate(one.http):
        where = f"http[{at}]"
        if not rule.matchers:
            yield Note(one.file, "always", f"{where}: has no matcher: fires on any answer")
        for matcher in rule.matchers:
            yield from _matcher(one.file, where, matcher)
    for at, version in enumerate(one.version):
        yield from _version(one.file, f"version[{at}]", version)


def _matcher(file: str, where: str, matcher: Matcher) -> Iterator[Note]:
    told = f"{where}: {matcher.text}"
    why = fault(matcher)
    if why:
        yield Note(file, "always" if why == "holds for any answer" else "never", f"{told}: {why}")
        return
    for one in comparisons(matcher.expression):
        yield from _comparison(file, told, one)


def _comparison(file: str, told: str, one: RuleComparison) -> Iterator[Note]:
    if one.operator in ORDERING:
        return
    if one.operator == "~=":
        if _CAPITAL.search(one.text):
            yield Note(
                file, "never",
                f"{told}: the pattern holds capitals, and the text is in lower case",
            )  # fmt: skip
        if "\\" in one.raw.replace('\\"', "").replace("\\\\", ""):
            yield Note(
                file, "weak", f"{told}: backslashes of the pattern are dropped when it is read"
            )
    elif one.keyword == "icon":
        if not _INTEGER.fullmatch(one.text):
            yield Note(file, "never", f"{told}: an icon's number is an integer")
        elif one.operator == "=" and len(one.text) < 6:
            yield Note(file, "weak", f"{told}: is contained in the numbers of many icons")
    elif one.keyword == "header" and one.operator == "=" and "\n" in one.text.strip("\n"):
        yield Note(file, "weak", f"{told}: the order of headers is not fixed")


def _version(file: str, where: str, rule: VersionRule) -> Iterator[Note]:
    if not rule.regex and not rule.versions:
        yield Note(file, "never", f"{where}: has neither extractor nor range")
    elif rule.regex and not _INTEGER.fullmatch(rule.group):
        yield Note(file, "never", f"{where}: group '{rule.group}' is no number")


def _no_fingerprint(name: str, by_spelling: dict[str, str], names: set[str]) -> str:
    told = f"no fingerprint is named '{name}'"
    near = by_spelling.get(normalised(name))
    if near is None:
        found = difflib.get_close_matches(name, sorted(names), n=1, cutoff=0.85)
        near = found[0] if found else None
    return f"{told}; one is named '{near}'" if near else told
