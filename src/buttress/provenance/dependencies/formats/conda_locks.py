"""Locks of conda: conda-lock.yml, pixi.lock, and explicit lists of addresses.

The first two are written in one shape and are large, so that they are read by lines.
"""

from __future__ import annotations

import re
from typing import Final

from buttress.provenance.dependencies.dependency import Dependency, Parsed
from buttress.provenance.dependencies.formats.conda import PYPI_NAMES
from buttress.provenance.dependencies.formats.requirements import addressed, plain_http

_ITEM: Final = re.compile(r"^\s{0,4}- (\w+): ?(.*)$")
_FIELD: Final = re.compile(r"^\s{2,8}(\w+): ?(.+)$")
_ADDRESS: Final = re.compile(r"^(?:https?|file)://\S+$")
_FILE: Final = re.compile(
    r"(?P<name>[A-Za-z0-9_.][A-Za-z0-9_.-]*?)-(?P<version>[^-/]{1,80})-[^-/]{1,80}"
    r"\.(?:conda|tar\.bz2)(?:#(?P<hash>[0-9a-f]{32,64}|sha256:[0-9a-f]{64}))?"
)


def parse(text: str) -> Parsed:
    """The packages of a lock."""
    parsed = Parsed()
    if "@EXPLICIT" in text[:4_000]:
        _explicit(text, parsed)
        return parsed
    item, line = dict[str, str](), 0
    for number, raw in enumerate(text.split("\n"), 1):
        one = raw.rstrip()
        if match := _ITEM.match(one):
            _add(item, line, parsed)
            item, line = {match[1]: _bare(match[2])}, number
        elif item and (match := _FIELD.match(one)):
            item.setdefault(match[1], _bare(match[2]))
        elif one and not one.startswith((" ", "-", "#")):
            _add(item, line, parsed)
            item = {}
    _add(item, line, parsed)
    return parsed


def _explicit(text: str, parsed: Parsed) -> None:
    for number, raw in enumerate(text.split("\n"), 1):
        one = raw.strip()
        if _ADDRESS.match(one):
            parsed.issues += plain_http(one, number)
            found = _of_conda(one, number, hashed="#" in one)
            if found:
                parsed.add(found)
            else:
                parsed.notes.append("an address that names no package")


def _add(item: dict[str, str], line: int, parsed: Parsed) -> None:
    """A package of conda-lock (name, version, manager, url) or of pixi (conda or pypi: url)."""
    hashed = "sha256" in item or "md5" in item
    address = item.get("url") or item.get("conda") or item.get("pypi", "")
    of_pip = item.get("manager") == "pip" or "pypi" in item
    name, version = item.get("name", ""), item.get("version", "")
    if not address:
        return
    found: Dependency | None
    parsed.issues += plain_http(address, line)
    if of_pip and address.startswith("git+"):
        found = addressed(address, line, hashed)
    elif name and version:
        key = name if of_pip else PYPI_NAMES.get(name, name)
        found = Dependency(
            key, "PyPI", line, version, f"=={version}", hashed=hashed, locked=True,
            conda=not of_pip,
        )  # fmt: skip
    else:
        found = _of_conda(address, line, hashed=hashed) if _ADDRESS.match(address) else None
    if found:
        parsed.add(found)


def _of_conda(address: str, line: int, *, hashed: bool) -> Dependency | None:
    match = _FILE.fullmatch(address.rpartition("/")[2])
    if not match:
        return None
    name = PYPI_NAMES.get(match["name"], match["name"])
    version = match["version"]
    return Dependency(
        name, "PyPI", line, version, f"=={version}", hashed=hashed, locked=True, conda=True
    )


def _bare(text: str) -> str:
    return text.strip().strip("'\"")[:2_000]
