"""pnpm-lock.yaml, of the versions 5 to 9 of its format.

pnpm writes it in one shape, so that it is read by lines: as YAML, large ones would take minutes.
"""

from __future__ import annotations

import re
from typing import Final

from buttress.provenance.dependencies.dependency import Dependency, Parsed
from buttress.provenance.dependencies.formats.requirements import plain_http

_KEY: Final = re.compile(r"^ {2}(?P<quote>['\"]?)/?(?P<key>[^'\"\s][^'\"]{0,600})(?P=quote):")
_PACKAGE: Final = re.compile(
    r"(?P<name>@[^/@]+/[^/@]+|[^/@]+)[/@](?P<version>[0-9][0-9A-Za-z.+-]*)(?:[_(].*)?"
)
_SPLIT: Final = re.compile(r"(@[^/@]+/[^/@]+|[^/@]+)@(.+)")
_TARBALL: Final = re.compile(r"tarball: ['\"]?([^\s,'\"}]{1,2000})")
_COMMIT: Final = re.compile(r"commit: ['\"]?([0-9a-f]{40,64})")
_REPOSITORY: Final = re.compile(r"repo: ['\"]?([^\s,'\"}]{1,2000})")


def parse(text: str) -> Parsed:
    """The packages of a lock file."""
    parsed = Parsed()
    inside, unread = False, 0
    lines = text.split("\n")
    for index, raw in enumerate(lines):
        if raw[:1] not in (" ", "", "\r", "#"):
            inside = raw.rstrip() == "packages:"
        elif inside and (match := _KEY.match(raw)):
            below = _below(lines, index)
            one = _package(match["key"], index + 1, below)
            if one is None:
                unread += 1
            else:
                parsed.add(one)
                for address in _TARBALL.findall(below):
                    parsed.issues += plain_http(address, index + 1)
    if unread:
        parsed.notes.append(f"{unread} packages of no known form")
    return parsed


def _below(lines: list[str], index: int) -> str:
    """What stands below a key, up to the next: its resolution is at the top of it."""
    found = []
    for raw in lines[index + 1 : index + 8]:
        if not raw.startswith("   "):
            break
        found.append(raw[:3_000])
    return "\n".join(found)


def _package(key: str, line: int, below: str) -> Dependency | None:
    whole = _PACKAGE.fullmatch(key)
    if whole:
        return Dependency(
            whole["name"], "npm", line, version=whole["version"], hashed="integrity: " in below,
            locked=True,
        )  # fmt: skip
    named = _SPLIT.fullmatch(key)
    if named is None or named[2].startswith(("file:", "link:")):
        return None
    repository, commit = _REPOSITORY.search(below), _COMMIT.search(below)
    if repository:
        address = f"git+{repository[1]}@{commit[1] if commit else ''}"
    else:
        address = named[2]  # a tarball, of a repository's host often: its path ends in the commit
        if (of_host := re.search(r"/tar\.gz/([0-9a-f]{40})$", address)) is not None:
            address = f"git+{address}@{of_host[1]}"
    hashed = "integrity: " in below
    return Dependency(named[1], "npm", line, address=address, hashed=hashed, locked=True)
