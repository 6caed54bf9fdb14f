"""Package URLs (ECMA-427): which package, of which version, a statement is about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from buttress.evidence.findings import Finding

_FORM: Final = re.compile(r"pkg:/*([A-Za-z][A-Za-z0-9.+-]*)/+([^@?#]+)(?:@([^?#]+))?(?:[?#].*)?")


@dataclass(frozen=True, slots=True)
class PackageUrl:
    """Type, namespace and name as the type compares them, and a version or none.

    Qualifiers and subpaths are left out: advisories are not about single files of a package.
    """

    type: str
    name: str
    version: str = ""

    def covers(self, other: PackageUrl) -> bool:
        """Whether what is said of this is said of the other: of all versions, or of its own."""
        if (self.type, self.name) != (other.type, other.name):
            return False
        return not self.version or _same(self.type, self.version, other.version)


def parse(text: str) -> PackageUrl | None:
    """A package URL; None where it is none."""
    match = _FORM.fullmatch(text[:2_000])
    if match is None:
        return None
    kind, name = match[1].lower(), "/".join(unquote(one) for one in match[2].split("/") if one)
    if kind == "pypi":
        name = re.sub(r"[-_.]+", "-", name).lower()
    return PackageUrl(kind, name, unquote(match[3] or "")) if name else None


def of_finding(finding: Finding) -> Iterator[PackageUrl]:
    """The packages that a finding is about, from its references."""
    for one in finding.references:
        if one.startswith("pkg:") and (found := parse(one)) is not None:
            yield found


def _same(kind: str, one: str, other: str) -> bool:
    if one == other or kind != "pypi" or not other:
        return one == other
    from packaging.version import InvalidVersion, Version

    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return False
