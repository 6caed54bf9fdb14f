"""Where a finding lies, under a name that is the same in every scan, and how it is known again."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from buttress.evidence.findings import SEVERITIES, Finding
from buttress.files.paths import absolute, relative

_POSITION: Final = re.compile(
    r"(?s)(?P<path>.+?)(?::(?P<line>[0-9]{1,9})|@(?P<offset>[0-9]{1,18}))"
)
GRAVEST_FIRST: Final = tuple(reversed(SEVERITIES))


@dataclass(frozen=True, slots=True)
class Place:
    """A location taken apart: ``path``, ``path:line`` or ``path@offset``; line counts from 1."""

    path: str
    line: int | None = None
    offset: int | None = None


def place(location: str) -> Place:
    """Take a finding's ``location`` apart."""
    match = _POSITION.fullmatch(location)
    if match is None or match["line"] == "0":
        return Place(location)
    if match["line"]:
        return Place(match["path"], line=int(match["line"]))
    return Place(match["path"], offset=int(match["offset"]))


Identity = tuple[str, str, str, str]


def identity(finding: Mapping[str, Any]) -> Identity:
    """What stays when lines move: rule, asset, path without position, and message.

    Several findings may share it; they are then told apart by their number only.
    """
    path = place(finding["location"]).path
    return finding["rule"], finding["asset"], path, finding["message"]


def fingerprint(finding: Mapping[str, Any]) -> str:
    """``identity`` as 32 hex digits."""
    text = "\0".join(identity(finding)).encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()[:32]


def gravity(severity: str) -> int:
    """0 for the gravest severity."""
    return [str(one) for one in GRAVEST_FIRST].index(severity)


@dataclass(frozen=True, slots=True)
class Placed:
    """A finding and its file: ``path`` is absolute, with ``/`` and escaped as ``absolute``.

    ``inside`` is what follows the file in the finding's location, such as ``!member``; ``line``
    counts from 1.
    """

    finding: Finding
    path: str
    inside: str
    line: int | None

    def below(self, folder: str) -> str:
        """The path from ``folder``, which is absolute, and what is inside the file."""
        return relative(self.path, folder) + self.inside


def placed(finding: Finding, root: Path) -> Placed:
    """Where a finding in ``root``, the file or folder that was inspected, lies."""

    where = place(finding.location)
    base = root if root.is_dir() else root.parent
    file = where.path
    # Members of archives stand behind "!", but a file's own name may hold one.
    while not os.path.lexists(base / file):
        head, mark, _ = file.rpartition("!")
        if not mark:
            file = where.path.partition("!")[0]
            break
        file = head
    return Placed(finding, absolute(base / file), where.path[len(file) :], where.line)
