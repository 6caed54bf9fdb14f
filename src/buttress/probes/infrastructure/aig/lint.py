"""What is wrong in a folder of AI-Infra-Guard's rules: what can never fire or fires on anything."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from buttress.errors import InputError
from buttress.probes.infrastructure.aig.corrected import (
    advisory_fault,
    always,
    fault,
    of_another,
    own_repositories,
)
from buttress.probes.infrastructure.aig.expression import ORDERING, RuleComparison, comparisons
from buttress.probes.infrastructure.aig.files import (
    MAX_BYTES,
    RuleFolder,
    advisory,
    fingerprint,
    load,
    plain_rule,
)
from buttress.probes.infrastructure.aig.rules import (
    AdvisoryRule,
    FingerprintRule,
    Matcher,
    VersionRule,
)
from buttress.probes.infrastructure.aig.sources import FINGERPRINTS
from buttress.probes.infrastructure.products import normalised

Level = Literal["error", "never", "always", "weak"]
_CAPITAL: Final = re.compile(r"(?<!\\)[A-Z]")
_LEVELS: Final = 4  # folders above an advisory in which its set of rules is looked for
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
            notes += _advisory(each, advisories)
    notes += [Note(one.file, "error", one.what) for one in folder.problems]
    return sorted(notes, key=lambda one: (one.file, one.what))


def lint_file(path: Path) -> list[Note]:
    """All that is wrong in one file, a fingerprint or an advisory.

    Whether there is a fingerprint of an advisory's name is judged only where the file lies in a
    folder of rules.

    Raises:
        InputError: not readable.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(
            error.strerror or str(error), file=str(path), field="PATH",
            expected="a file of a rule, or a folder of rules",
        ) from None  # fmt: skip
    shown = str(path)
    try:
        data = plain_rule(content)
        if "rule" in data:
            return [*_known_name(path, each := advisory(data, shown)), *_advisory(each, [each])]
        if "http" in data or "version" in data:
            return list(_fingerprint(fingerprint(data, shown)))
    except ValueError as error:
        return [Note(shown, "error", " ".join(str(error).split())[:300])]
    what = "expected 'http' (a fingerprint) or 'rule' (an advisory)"
    return [Note(shown, "error", what)]


def _known_name(path: Path, one: AdvisoryRule) -> Iterator[Note]:
    """Whether the folder of rules that holds an advisory has a fingerprint of its name."""
    for base in path.absolute().parents[:_LEVELS]:
        if (base / FINGERPRINTS).is_dir():
            names = {each.name for each in load(base, option="PATH").fingerprints}
            if one.name not in names:
                by_spelling = {normalised(name): name for name in names}
                yield Note(one.file, "never", _no_fingerprint(one.name, by_spelling, names))
            return


def _advisory(one: AdvisoryRule, alike: Sequence[AdvisoryRule]) -> Iterator[Note]:
    """What is wrong with an advisory; ``alike`` are all of its name."""
    if one.rule is None:
        yield Note(one.file, "always", "rule is empty: fires on every version")
        return
    told = f"rule: {one.rule_text.strip()}"
    why = advisory_fault(one, alike, "pep440") or of_another(one, own_repositories(alike))
    if why:
        never = "no version can" in why or "compares no" in why
        yield Note(one.file, "never" if never else "weak", f"{told}: {why}")
    elif always(one.rule, "pep440"):
        yield Note(one.file, "always", f"{told}: holds for any version")


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
