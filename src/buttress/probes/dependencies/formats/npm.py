"""package-lock.json of npm, all three versions of the format."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from buttress.probes.dependencies.dependency import Dependency, Parsed, Places
from buttress.probes.dependencies.formats.locks import load_json
from buttress.probes.dependencies.formats.projects import at
from buttress.probes.dependencies.formats.requirements import plain_http, shown
from buttress.probes.rules.rulebook import Issue

_MAX_DEPTH: Final = 40
_TARBALL: Final = re.compile(r"^/(?:.*?/)??((?:@[^/]+/)?[^/]+)/-/[^/]+\.tgz$")


def parse(text: str) -> Parsed:
    """The packages of a lock file, and addresses in it that do not fit.

    Raises:
        FormatError: it is not JSON.
    """
    data, lock = load_json(text), _Lock(Places(text))
    packages = at(data, "packages")
    if isinstance(packages, dict):
        for place, one in packages.items():
            before, inside, name = place.rpartition("node_modules/")
            if inside and isinstance(one, dict) and not one.get("link"):
                line = lock.places.line(f'"{before}{inside}{name}": {{', f'"{place}"')
                lock.add(str(one.get("name") or name), one, line)
    else:
        lock.tree(at(data, "dependencies"), 0)
    if lock.hosts:
        usual = lock.hosts.most_common(1)[0][0]
        for name, address, line in lock.addresses:
            lock.parsed.issues += _odd(name, address, line, usual)
    return lock.parsed


@dataclass(slots=True)
class _Lock:
    """What is gathered from a lock file."""

    places: Places
    parsed: Parsed = field(default_factory=Parsed)
    hosts: Counter[str] = field(default_factory=Counter)
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
        """One package."""
        version, resolved = one.get("version"), one.get("resolved")
        address = resolved if isinstance(resolved, str) else ""
        git = address.startswith("git")
        if address.startswith("http"):
            try:
                self.hosts[urlsplit(address).hostname or ""] += 1
            except ValueError:
                address = ""
            else:
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


def _odd(name: str, address: str, line: int, usual: str) -> list[Issue]:
    """Issues of an address: without TLS, another host than the rest, or another package."""
    parts = urlsplit(address)
    issues = plain_http(address, line)
    tarball = _TARBALL.match(unquote(parts.path))
    if (parts.hostname or "") != usual:
        issues.append(Issue("lock-foreign-host", line, f"{name} from {shown(address)[:120]}"))
    elif tarball and tarball[1] != name:
        issues.append(Issue("lock-other-package", line, f"{name} is {tarball[1]}"))
    return issues
