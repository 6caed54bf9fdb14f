"""Package URLs (ECMA-427): which package, of which version, a statement is about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from buttress.evidence.findings import Finding

_LONGEST: Final = 2_000


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
    from packageurl import PackageURL

    try:
        found = PackageURL.from_string(text[:_LONGEST])
    except ValueError:
        return None
    name = "/".join(filter(None, (found.namespace, found.name)))
    if found.type == "pypi":  # the library leaves dots as they are
        name = re.sub(r"[-_.]+", "-", name).lower()
    return PackageUrl(found.type, name, found.version or "")


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
