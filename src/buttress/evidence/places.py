"""Where a finding lies, under a name that is the same in every scan, and how it is known again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from buttress.evidence.findings import SEVERITIES, Finding
from buttress.evidence.locations import location_of
from buttress.files.paths import absolute, relative

GRAVEST_FIRST: Final = tuple(reversed(SEVERITIES))


Identity = tuple[str, str, str, str]


def identity(finding: Mapping[str, Any]) -> Identity:
    """What stays when lines move: rule, asset, path without position, and message.

    Several findings may share it; they are then told apart by their number only.
    """
    path = location_of(finding).file
    return finding["rule"], finding["asset"], path, finding["message"]


def fingerprint(finding: Mapping[str, Any]) -> str:
    """``identity`` as 32 hex digits."""
    import hashlib  # here, since it loads OpenSSL and most scans find nothing

    text = "\0".join(identity(finding)).encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()[:32]


def gravity(severity: str) -> int:
    """0 for the gravest severity."""
    return [str(one) for one in GRAVEST_FIRST].index(severity)


class LocatedFinding(NamedTuple):
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


def located(finding: Finding, root: Path) -> LocatedFinding:
    """Where a finding in ``root``, the file or folder that was inspected, lies."""
    base = absolute(root if root.is_dir() else root.parent).rstrip("/")
    where = finding.where
    if finding.place is not None:
        path = base if where.path in ("", ".") else f"{base}/{where.path}"
        return LocatedFinding(finding, path or "/", where.member, where.line)
    # Of a plugin that gives text only: members of archives stand behind "!", as names may hold it.
    folder, file = root if root.is_dir() else root.parent, where.path
    while not os.path.lexists(folder / file):
        head, mark, _ = file.rpartition("!")
        if not mark:
            file = where.path.partition("!")[0]
            break
        file = head
    return LocatedFinding(finding, absolute(folder / file), where.path[len(file) :], where.line)
