"""package.json, and package-lock.json of npm in all three versions of the format."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from buttress.provenance.dependencies.dependency import Dependency, LineFinder, Parsed
from buttress.provenance.dependencies.formats.locks import load_json
from buttress.provenance.dependencies.formats.projects import at
from buttress.provenance.dependencies.formats.requirements import plain_http, shown
from buttress.rules.reporting import Issue

_MAX_DEPTH: Final = 40
_SECTIONS: Final = (
    "dependencies", "devDependencies", "optionalDependencies", "peerDependencies",
)  # fmt: skip
_LOCAL: Final = ("file:", "link:", "workspace:", "portal:", "patch:", "./", "../", "/", "~/")
_ALIAS: Final = re.compile(r"npm:(@?[^@\s]{1,400})(?:@(.{0,200}))?")
# Of an override: what stands last, after the packages that ask for it, without its range.
_KEY: Final = re.compile(r"(@[^@/>\s]{1,200}/[^@/>\s]{1,200}|[^@/>\s]{1,200})(?:@[^/>]{0,100})?$")
_TRAILING: Final = re.compile(r'("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])')
_EXACT: Final = re.compile(r"[=v]?\d+\.\d+\.\d+(?:[-+][\w.+-]+)?")
_REPOSITORY: Final = re.compile(
    r"^(?:git(?:\+|:)|(?:github|gitlab|bitbucket):|[\w.-]+/[\w.-]+(?:#|$)|https?://[^#]+\.git(?:#|$))"
)
_TARBALL: Final = re.compile(r"^/(?:.*?/)??((?:@[^/]+/)?[^/]+)/-/[^/]+\.tgz$")


def parse(text: str) -> Parsed:
    """The packages of a lock file, and addresses in it that do not fit.

    Raises:
        FormatError: it is not JSON.
    """
    data, lock = load_json(text), _Lock(LineFinder(text))
    packages = at(data, "packages")
    if isinstance(packages, dict):
        for place, one in packages.items():
            before, inside, name = place.rpartition("node_modules/")
            if inside and isinstance(one, dict) and not one.get("link"):
                line = lock.places.line(f'"{before}{inside}{name}": {{', f'"{place}"')
                lock.add(str(one.get("name") or name), one, line)
    else:
        lock.tree(at(data, "dependencies"), 0)
    lock.parsed.issues += odd(lock.addresses)
    return lock.parsed


def bun(text: str) -> Parsed:
    """The packages of bun.lock, which is JSON with trailing commas.

    Raises:
        FormatError: it is not JSON.
    """
    plain = _TRAILING.sub(lambda match: match[1] or "", text)
    parsed, places = Parsed(), LineFinder(text)
    packages = at(load_json(plain), "packages")
    for place, one in packages.items() if isinstance(packages, dict) else ():
        if not isinstance(one, list) or not one or not isinstance(one[0], str):
            continue
        scope, name = ("@", one[0][1:]) if one[0].startswith("@") else ("", one[0])
        name, _, version = name.partition("@")
        if _EXACT.fullmatch(version):
            line = places.line(f'"{place}": [', f'"{place}"')
            parsed.add(Dependency(scope + name, "npm", line, version))
    return parsed


def odd(addresses: Sequence[tuple[str, str, int]]) -> Iterator[Issue]:
    """Issues of the addresses of a lock file, each with the name of its package and its line."""
    hosts: Counter[str] = Counter()
    split = []
    for name, address, line in addresses:
        with contextlib.suppress(ValueError):
            host = urlsplit(address).hostname or ""
            hosts[host] += 1
            split.append((name, address, line, host))
    usual = hosts.most_common(1)[0][0] if hosts else ""
    for name, address, line, host in split:
        yield from _odd(name, address, line, host, usual)


def manifest(text: str) -> Parsed:
    """What a package asks for, as ranges or from addresses.

    Raises:
        FormatError: it is not JSON.
    """
    data, parsed, places = load_json(text), Parsed(), LineFinder(text)
    for section in _SECTIONS:
        given = at(data, section)
        for name, wanted in given.items() if isinstance(given, dict) else ():
            if not isinstance(wanted, str) or wanted.startswith(_LOCAL):
                continue
            line = places.line(f'"{name}": "{wanted}"', f'"{name}":')
            alias = _ALIAS.fullmatch(wanted)
            named, version = (alias[1], alias[2] or "") if alias else (name, wanted)
            exact = version if _EXACT.fullmatch(version) else ""
            if _REPOSITORY.match(version):
                parsed.add(Dependency(named, "npm", line, address=_repository(version)))
            elif version.startswith(("http://", "https://")):
                parsed.add(Dependency(named, "npm", line, address=version))
            else:
                parsed.add(Dependency(named, "npm", line, exact, version))
    pnpm = at(data, "pnpm")
    for forced in (at(data, "overrides"), at(data, "resolutions"), at(pnpm, "overrides")):
        for name, version in _forced(forced, 0):
            line = places.line(f'"{name}": "{version}"', f'"{version}"')
            parsed.add(Dependency(name, "npm", line, version))
    return parsed


def _forced(value: Any, depth: int) -> Iterator[tuple[str, str]]:
    """Names and exact versions that replace what packages ask for (npm, pnpm, Yarn)."""
    if not isinstance(value, dict) or depth > _MAX_DEPTH:
        return
    for key, wanted in value.items():
        if isinstance(wanted, dict):
            yield from _forced(wanted, depth + 1)
        elif isinstance(wanted, str) and _EXACT.fullmatch(wanted) and (match := _KEY.search(key)):
            yield match[1], wanted.lstrip("=v")


def _repository(given: str) -> str:
    """The address of a repository, its commit behind ``@`` as for Python."""
    address = given.removeprefix("git+").replace("#", "@")
    if "://" not in address:
        host, _, path = address.rpartition(":")
        address = f"https://{host or 'github'}.com/{path}"
    return f"git+{address}"


@dataclass(slots=True)
class _Lock:
    """What is gathered from a lock file."""

    places: LineFinder
    parsed: Parsed = field(default_factory=Parsed)
    addresses: list[tuple[str, str, int]] = field(default_factory=list)

    def tree(self, value: Any, depth: int) -> None:
        """Packages of the first version of the format, which nests them."""
        if not isinstance(value, dict) or depth > _MAX_DEPTH:
            return
        for name, one in value.items():
            if isinstance(one, dict):
                self.add(name, one, self.places.line(f'"{name}": {{', f'"{name}"'))
                self.tree(one.get("dependencies"), depth + 1)

    def add(self, name: str, one: dict[str, Any], line: int) -> None:
        """One package. The first version of the format writes an alias as ``npm:NAME@VERSION``."""
        version, resolved = one.get("version"), one.get("resolved")
        if isinstance(version, str) and (alias := _ALIAS.fullmatch(version)):
            name, version = alias[1], alias[2] or ""
        elif isinstance(version, str) and version.startswith(_LOCAL):
            return
        address = resolved if isinstance(resolved, str) else ""
        git = address.startswith("git")
        if address.startswith("http"):
            self.addresses.append((name, address, line))
        bundled = one.get("inBundle") or one.get("bundled")
        self.parsed.add(
            Dependency(
                name,
                "npm",
                line,
                version=version if isinstance(version, str) and not git else "",
                address=address.replace("#", "@") if git else "",
                hashed=None if git or bundled or not address else "integrity" in one,
                locked=True,
            )
        )


def _odd(name: str, address: str, line: int, host: str, usual: str) -> list[Issue]:
    """Issues of an address: without TLS, another host than the rest, or another package."""
    issues = plain_http(address, line)
    tarball = _TARBALL.match(unquote(urlsplit(address).path))
    if host != usual:
        issues.append(Issue("lock-foreign-host", line, f"{name} from {shown(address)[:120]}"))
    elif tarball and tarball[1] != name:
        issues.append(Issue("lock-other-package", line, f"{name} is {tarball[1]}"))
    return issues
