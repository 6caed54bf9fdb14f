"""A dependency as some file names it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from buttress.provenance.dependencies.versions import Ecosystem
from buttress.provenance.purl import package_url
from buttress.rules.reporting import Issue

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

MAX_DEPENDENCIES: Final = 20_000  # of one file
REST: Final = f"more than {MAX_DEPENDENCIES:,} dependencies; the rest"
_MAX_MISSES: Final = 500
_SEPARATORS: Final = re.compile(r"[-_.]+")  # PEP 503
MAX_LENGTH: Final = 2_000  # characters of one requirement


class FormatError(ValueError):
    """A file is not of the format that its name says; the message tells why."""


@dataclass(frozen=True, slots=True)
class Dependency:
    """One package that a file asks for.

    ``specifier`` is a set of versions by PEP 440, or a range of npm; ``version`` is exact, where
    the file fixes it. ``address`` is where it is taken from, if not from an index. ``hashed`` says
    whether the file fixes its content; None where that makes no sense.
    """

    name: str
    ecosystem: Ecosystem
    line: int
    version: str = ""
    specifier: str = ""
    address: str = ""
    hashed: bool | None = None
    locked: bool = False  # comes from a lock file
    conda: bool = False

    @property
    def key(self) -> str:
        """The name as the ecosystem compares it."""
        return _SEPARATORS.sub("-", self.name).lower() if self.ecosystem == "PyPI" else self.name

    @property
    def purl(self) -> str:
        """Its package URL (ECMA-427), with the version where it is exact; may be empty."""
        return package_url(self.ecosystem, self.key, self.version)

    @property
    def references(self) -> tuple[str, ...]:
        """Its package URL as references of a finding."""
        return (self.purl,) if self.purl else ()

    def allows(self, version: str) -> bool:
        """Whether it may resolve to a version, pre-releases included."""
        if self.version:
            return self.version == version
        if self.ecosystem == "npm":
            from buttress.provenance.dependencies.npm_ranges import satisfies

            return satisfies(version, self.specifier) is not False
        from packaging.specifiers import SpecifierSet

        return SpecifierSet(self.specifier).contains(version, prereleases=True)


@dataclass(slots=True)
class Parsed:
    """What a file of dependencies says."""

    dependencies: list[Dependency] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # what was not understood
    includes: list[str] = field(default_factory=list)  # paths of further files, as written

    @property
    def full(self) -> bool:
        """Whether no more is taken up."""
        return REST in self.notes

    def add(self, one: Dependency) -> None:
        """Add a dependency, up to a limit."""
        if len(self.dependencies) < MAX_DEPENDENCIES:
            self.dependencies.append(one)
        elif REST not in self.notes:
            self.notes.append(REST)


Parser = Callable[[str], Parsed]


def requirement(text: str, line: int, *, hashed: bool | None = None) -> Dependency | None:
    """A requirement by PEP 508; None where it is none."""
    if len(text) > MAX_LENGTH:
        return None
    # Imported where it is needed: a tree without dependencies is scanned sooner.
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        one = Requirement(text)
    except (InvalidRequirement, RecursionError):
        return None
    return Dependency(
        one.name,
        "PyPI",
        line,
        version=exact(one.specifier) or (named_by_file(one.url or "") or ("", ""))[1],
        specifier=str(one.specifier),
        address=one.url or "",
        hashed=hashed,
    )


def named_by_file(address: str) -> tuple[str, str] | None:
    """Name and version that the file name of a wheel or a source distribution gives; else None."""
    name = unquote(address.partition("#")[0].partition("?")[0].rpartition("/")[2])
    if not name.endswith((".whl", ".tar.gz", ".zip")):
        return None
    from packaging.utils import (
        InvalidSdistFilename,
        InvalidWheelFilename,
        parse_sdist_filename,
        parse_wheel_filename,
    )

    try:
        found = parse_wheel_filename(name) if name.endswith(".whl") else parse_sdist_filename(name)
    except (InvalidSdistFilename, InvalidWheelFilename):
        return None
    return found[0], str(found[1])


def exact(specifiers: SpecifierSet) -> str:
    """The version that a set of specifiers fixes; empty where it fixes none."""
    for one in specifiers:
        if one.operator in ("==", "===") and not one.version.endswith(".*"):
            return one.version
    return ""


class LineFinder:
    """Finds the lines of values that a parser gave without them, by looking from the last on."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0
        self._line = 1
        self._misses = 0

    def line(self, *needles: str) -> int:
        """Line of the first of ``needles`` after the last one found, else before it.

        A needle may begin with a line break. After many misses it looks no more, so that time
        stays linear, and tells the line found last.
        """
        for start in (self._place, 0):
            for needle in needles:
                if self._misses >= _MAX_MISSES:
                    return self._line
                place = self._text.find(needle, start)
                if place >= 0:
                    self._move(place + needle.startswith("\n"))
                    return self._line
                self._misses += 1
        return self._line

    def _move(self, place: int) -> None:
        if place < self._place:
            self._line = self._text.count("\n", 0, place) + 1
        else:
            self._line += self._text.count("\n", self._place, place)
        self._place = place
