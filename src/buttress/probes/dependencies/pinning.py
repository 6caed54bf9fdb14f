"""What a file of dependencies leaves open: versions, hashes, commits; and names that imitate."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from buttress.provenance.dependencies.dependency import Dependency
from buttress.provenance.dependencies.formats.requirements import shown
from buttress.provenance.dependencies.lookalike import lookalike, malicious
from buttress.rules.reporting import Issue

_COMMIT: Final = re.compile(r"@[0-9a-f]{40}(?:[0-9a-f]{24})?(?:#|$)")
_DIGEST: Final = re.compile(r"[#&](?:sha256|sha384|sha512)=[0-9a-f]{64,}")
_VERSION: Final = re.compile(r"\d+(?:\.\d+)*")
_NAMED: Final = 6  # packages that a message names


def issues(dependencies: list[Dependency], *, exact_wanted: bool) -> Iterator[Issue]:
    """Issues of single dependencies, then of the file as a whole.

    ``exact_wanted`` says whether the file is meant to fix versions, as requirements files are.
    """
    for one in dependencies:
        yield from _names(one)
        if one.address:
            yield from _address(one)
    if exact_wanted:
        open_ones = [one for one in dependencies if not one.version and not one.address]
        if open_ones:
            text = f"{len(open_ones)} of {len(dependencies)} packages have no exact version"
            yield _of_many("unpinned", text, open_ones)
    hashable = [one for one in dependencies if one.hashed is not None and not one.address]
    bare = [one for one in hashable if not one.hashed]
    if bare and len(bare) < len(hashable):
        text = f"{len(bare)} of {len(hashable)} packages have no hash while others have one"
        yield _of_many("hashes-partial", text, bare)


def _of_many(rule: str, text: str, which: list[Dependency]) -> Issue:
    names = list(dict.fromkeys(one.name for one in which))
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return Issue(rule, which[0].line, f"{text}: {', '.join(names[:_NAMED])}{more}.", proof="")


def _names(one: Dependency) -> Iterator[Issue]:
    known = malicious().get((one.ecosystem, one.key))
    if known:
        if not known.versions:
            text = f"{one.name} is documented as {known.what} ({known.source})."
            yield Issue("malicious-package", one.line, text, references=one.references)
        elif known.holds(one.version, one.ecosystem) or (
            not one.version and one.specifier and _only(one, known.versions)
        ):
            text = f"{one.name} {one.version or one.specifier} holds {known.what} ({known.source})."
            yield Issue("malicious-package", one.line, text, references=one.references)
        return
    found = lookalike(one.key, one.ecosystem)
    if found:
        text = f"{one.name} is like {found.target}, {found.how}."
        yield Issue(
            "lookalike-name", one.line, text, severity=found.severity, references=one.references
        )


def _only(one: Dependency, versions: frozenset[str]) -> bool:
    """Whether a range is bounded on both sides and so narrow that it is about these versions.

    One that allows another version which it names, as ``>=1.41,<2`` does, merely spans them.
    """
    named = [version for version in _VERSION.findall(one.specifier) if one.allows(version)]
    return (
        any(one.allows(version) for version in versions)
        and all(version in versions for version in named)
        and bool(re.search(r">=?|~=", one.specifier) and re.search(r"<=?|~=|==", one.specifier))
    )


def _address(one: Dependency) -> Iterator[Issue]:
    address = one.address
    if re.match(r"^(?:git\+)?(?:http|git)://", address):
        yield Issue(
            "address-plain-http", one.line, f"{one.name} from {shown(address)}",
            references=one.references,
        )  # fmt: skip
    repository = re.match(r"^(?:git|hg|svn|bzr)\+|^git@|\.git(?:@|#|$)", address)
    if repository:
        if not _COMMIT.search(address):
            yield Issue("git-unpinned", one.line, one.name, references=one.references)
        return
    if "://" in address and not address.startswith("file:"):
        fixed = one.hashed or _DIGEST.search(address)
        if not fixed:
            yield Issue("address-unhashed", one.line, one.name, references=one.references)
