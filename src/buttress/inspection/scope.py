"""From what the user asks for to the roots that are scanned and the files that are wanted."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from buttress.errors import InputError
from buttress.evidence.places import LocatedFinding
from buttress.files.globs import Globs
from buttress.files.paths import absolute
from buttress.files.selection import Selection

if TYPE_CHECKING:
    from buttress.inspection.repository import Changes, Repository


class ScanRequest(NamedTuple):
    """What of the paths is wanted. ``within`` is the folder that they are all parts of."""

    within: Path | None = None
    exclude: tuple[str, ...] = ()
    gitignore: bool = False
    diff: str | None = None


@dataclass(slots=True)
class Root:
    """A path to scan. ``changed`` maps absolute paths, as in the selection, to those of git."""

    path: Path
    selection: Selection
    changes: Changes | None = None
    changed: Mapping[str, str] = field(default_factory=dict)
    _lines: dict[str, Sequence[range] | None] = field(default_factory=dict)

    def on_new_line(self, one: LocatedFinding) -> bool:
        """Whether the finding is on a line that changed, or has no line."""
        real = self.changed.get(one.path)
        if one.line is None or real is None or self.changes is None:
            return True
        if real not in self._lines:
            self._lines[real] = self.changes.lines(real)
        ranges = self._lines[real]
        return ranges is None or any(one.line in each for each in ranges)


def roots(paths: Sequence[Path], wish: ScanRequest) -> list[Root]:
    """Each path once, with what is wanted of it; paths of which nothing is wanted are left out.

    Raises:
        InputError: a path that is not there or not in ``within``; a bad pattern; git fails.
    """
    given = list({path.resolve(): path for path in map(_existing, reversed(paths))}.values())[::-1]
    only: frozenset[str] | None = None
    if wish.within is not None:
        folder = absolute(_existing(wish.within))
        only = frozenset(map(absolute, given))
        for path in given:
            if not f"{absolute(path)}/".startswith(f"{folder.rstrip('/')}/"):
                raise InputError(
                    f"'{path}' lies outside", file=str(wish.within), field="--within",
                    expected="paths in that folder",
                )  # fmt: skip
        given = [wish.within]
    made = [_root(path, only, wish) for path in given]
    return [
        one
        for one in made
        if one.selection.only != frozenset()
        and (one.path.is_dir() or one.selection.reads(str(one.path)))
    ]


def _existing(path: Path) -> Path:
    try:
        path.stat()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise InputError(why, file=str(path), expected="a file or a folder") from None
    return path


def _root(path: Path, only: frozenset[str] | None, wish: ScanRequest) -> Root:
    base = absolute(path if path.is_dir() else ".")
    repository = _repository(path) if wish.diff is not None or wish.gitignore else None
    hidden: frozenset[str] = frozenset()
    if repository is not None and wish.gitignore:
        hidden = frozenset(_as_given(repository.ignored(), path))
    changes, changed = None, {}
    if repository is not None and wish.diff is not None:
        changes = repository.changed(repository.commit(wish.diff))
        changed = _as_given(changes.files, path)
        asked = Selection(base, only)
        only = frozenset(one for one in changed if asked.reads_shown(one))
    return Root(path, Selection(base, only, hidden, Globs(wish.exclude)), changes, changed)


def _repository(path: Path) -> Repository:
    from buttress.inspection.repository import Repository

    return Repository.around(path)


def _as_given(found: Sequence[str] | frozenset[str], path: Path) -> dict[str, str]:
    """Those of git's paths that lie in ``path``, under the name that ``path`` was given by.

    Git resolves links in the way to its work tree; the user may have named the folder through one.
    """
    own = os.path.abspath(path)
    real = (
        os.path.realpath(own)
        if path.is_dir()
        else os.path.join(os.path.realpath(os.path.dirname(own)), os.path.basename(own))
    )
    return {
        absolute(own + one.rstrip("/")[len(real.rstrip("/")) :]): one
        for one in found
        if f"{one.rstrip('/')}/".startswith(f"{real.rstrip('/')}/")
    }
