"""Where a repository keeps its objects, and what its references name.

The files are read here rather than by git, so that git need never read the repository's own
configuration, which can name commands to run. Layout as gitrepository-layout(5) describes it.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MAX_REFERENCES: Final = 100_000
_MAX_POINTER: Final = 4096
_MAX_PACKED: Final = 32 << 20
_ID: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_MAX_HOPS: Final = 5


class LayoutError(Exception):
    """A repository whose references can't be read; the message says why."""


@dataclass(frozen=True, slots=True)
class RepositoryLayout:
    """``folder`` belongs to one working tree, ``common`` to all of them; ``top`` holds ``.git``."""

    top: Path
    folder: Path
    common: Path

    @property
    def objects(self) -> Path:
        """The object database."""
        return self.common / "objects"


@dataclass(frozen=True, slots=True)
class References:
    """Ids of what all references name; ``head`` is that of HEAD, empty where it names none yet.

    ``shallow`` are commits whose parents were not fetched; ``unread`` counts references beyond the
    limit.
    """

    tips: tuple[str, ...]
    head: str
    shallow: tuple[str, ...] = ()
    unread: int = 0

    @property
    def sha256(self) -> bool:
        """Whether the repository names objects by SHA-256 instead of SHA-1."""
        return any(len(one) == 64 for one in self.tips)


def find(path: Path) -> RepositoryLayout | None:
    """The repository whose top is ``path``: with a ``.git`` folder or file, or bare."""
    inside = path / ".git"
    if inside.is_dir():
        return _layout(path, inside)
    if inside.is_file():
        text = _text(inside)
        if text is None or not text.startswith("gitdir:"):
            return None
        return _layout(path, Path(os.path.normpath(path / text[7:].strip())))
    return _layout(path, path)


def above(path: Path) -> RepositoryLayout | None:
    """The repository that ``path`` lies in, where its top is further up."""
    for parent in path.parents:
        if (parent / ".git").exists():
            return find(parent)
    return None


def _layout(top: Path, folder: Path) -> RepositoryLayout | None:
    common = folder
    if text := _text(folder / "commondir"):
        common = Path(os.path.normpath(folder / text.strip()))
    whole = (folder / "HEAD").is_file() and (common / "objects").is_dir()
    refs = (common / "refs").is_dir() or (common / "packed-refs").is_file()
    return RepositoryLayout(top, folder, common) if whole and refs else None


def references(layout: RepositoryLayout) -> References:
    """All references, those of every working tree among them.

    Raises:
        LayoutError: they are kept in a way that is not read here.
    """
    if (layout.common / "reftable").is_dir():
        raise LayoutError("its references are kept in a reftable, which is not read")
    named = _packed(layout.common / "packed-refs")
    unread = 0
    for name, path in _loose(layout.common):
        if len(named) >= MAX_REFERENCES:
            unread += 1
        elif text := _text(path):
            named[name] = text.strip()
    heads = [layout.folder / "HEAD", layout.common / "HEAD"]
    for folder in _folders(layout.common / "worktrees"):
        heads.append(folder / "HEAD")
    ids = [_resolve(text.strip(), named) for one in heads if (text := _text(one))]
    head = ids[0] if ids and ids[0] else ""
    tips = {one for one in (*ids, *(_resolve(text, named) for text in named.values())) if one}
    shallow = _read(layout.common / "shallow", _MAX_PACKED) or b""
    return References(
        tips=tuple(sorted(tips)),
        head=head,
        shallow=tuple(sorted(set(_ID.findall(shallow.decode("ascii", "replace"))))),
        unread=unread,
    )


def _resolve(text: str, named: dict[str, str]) -> str:
    """The id that a reference's content leads to, empty where to none."""
    for _ in range(_MAX_HOPS):
        if _ID.fullmatch(text):
            return text
        if not text.startswith("ref:"):
            return ""
        text = named.get(text[4:].strip(), "")
    return ""


def _packed(path: Path) -> dict[str, str]:
    """References of the file ``packed-refs``: an id, a space, a name on each line."""
    data = _read(path, _MAX_PACKED) or b""
    named: dict[str, str] = {}
    for line in data.decode("utf-8", "surrogateescape").split("\n"):
        one, _, name = line.partition(" ")
        if _ID.fullmatch(one) and name and len(named) < MAX_REFERENCES:
            named[name.strip()] = one
    return named


def _loose(common: Path) -> Iterator[tuple[str, Path]]:
    for folder, names, files in os.walk(common / "refs"):
        names.sort()
        if "replace" in names and Path(folder) == common / "refs":
            names.remove("replace")  # would show other objects than those that are there
        for name in sorted(files):
            path = Path(folder, name)
            yield path.relative_to(common).as_posix(), path


def _folders(path: Path) -> list[Path]:
    try:
        return sorted(one for one in path.iterdir() if one.is_dir())[:1000]
    except OSError:
        return []


def _text(path: Path) -> str | None:
    data = _read(path, _MAX_POINTER)
    return None if data is None else data.decode("utf-8", "surrogateescape")


def _read(path: Path, limit: int) -> bytes | None:
    """A regular file's first bytes; None where there is none. Never waits for a pipe."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
    except (OSError, ValueError):
        return None
    with open(descriptor, "rb", buffering=0) as file:
        try:
            regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
            return file.read(limit) if regular else None
        except OSError:
            return None
