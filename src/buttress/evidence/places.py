"""In which file a finding lies, under a name that is the same in every scan."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from buttress.evidence.findings import Finding
from buttress.files.visible import printable


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


def absolute(path: str | os.PathLike[str]) -> str:
    """The absolute path, links kept, as text that can be written anywhere.

    Probes escape names that can't be shown; so what is compared with theirs must be escaped too.
    """
    return printable(os.path.abspath(path).replace(os.sep, "/"))


def relative(path: str, folder: str) -> str:
    """A path from a folder, both absolute; with ``..`` where it lies outside."""
    return os.path.relpath(path, folder).replace(os.sep, "/")


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
