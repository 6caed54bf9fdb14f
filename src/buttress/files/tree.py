"""The files below a path, listed once and read once for everything that examines them."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import quote

from buttress.files.folders import CACHES, INSTALLED, VENDORED, VERSION_CONTROL
from buttress.files.outputs import is_output, is_output_folder
from buttress.files.selection import EVERYTHING, Selection
from buttress.files.utf8 import UTF16_MARKS
from buttress.files.visible import printable_name

MAX_TEXT: Final = 8 << 20  # bytes of a text file; larger ones are not read
SMALL: Final = 64 << 10  # bytes up to which any file is read whole when it is opened
FOREIGN: Final = VERSION_CONTROL | INSTALLED | VENDORED
# Virtual environments are known by their file instead: anybody can call a folder of models "venv".
_LEFT_OUT: Final = (VERSION_CONTROL | CACHES | INSTALLED) - {".venv", "venv"}
_FLAGS: Final = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
_NO_LINK: Final = getattr(os, "O_NOFOLLOW", 0)
_HEAD: Final = 8192  # bytes that tell text from binary


class TreeFile(NamedTuple):
    """A regular file. ``location`` is its path from the root with ``/``, escaped where needed.

    ``foreign`` files lie in a folder of other people's code, such as ``vendor``.
    """

    path: str
    location: str
    foreign: bool = False

    @property
    def uri(self) -> str:
        """The bytes of an odd path from the root, percent-encoded; empty where it is plain."""
        return uri_of(self.path, self.location)


class FileContent(NamedTuple):
    """What was read of a file.

    ``data`` is the whole file where it is text of at most ``MAX_TEXT`` bytes, or small; else empty.
    ``problem`` says why nothing could be read.
    """

    size: int = 0
    binary: bool = False
    data: bytes = b""
    problem: str = ""
    link: bool = False  # a symbolic link: not followed

    @property
    def whole(self) -> bool:
        """Whether ``data`` is all of the file."""
        return not self.problem and len(self.data) == self.size

    def text(self) -> bytes:
        """``data`` as UTF-8, where the file begins with a byte order mark of UTF-16."""
        encoding = UTF16_MARKS.get(self.data[:2])
        if encoding is None:
            return self.data
        return self.data[2:].decode(encoding, "replace").encode("utf-8", "replace")


def _again(root: Path, selection: Selection, trusted: bool) -> Tree:
    return Tree(root, selection, trusted=trusted)


class Tree:
    """A file or folder under examination.

    Args:
        root: the file or the folder.
        selection: which files are wanted.
        keep: bytes of contents that are kept, so that several readers open a file once.
        trusted: whether comments in the files may allow findings.
    """

    def __init__(
        self,
        root: Path,
        selection: Selection = EVERYTHING,
        *,
        keep: int = 0,
        trusted: bool = True,
    ) -> None:
        self.root = root
        self.trusted = trusted
        self.selection = selection
        self._left = keep
        self._contents: dict[str, FileContent] = {}
        self._names: dict[str, frozenset[str]] = {}
        self._left_out: Counter[str] = Counter()
        self._links_outside = 0
        self._odd: list[str] = []
        self._unreadable: list[tuple[str, str]] = []
        self._foreign: list[str] = []
        self._caches = 0
        self._outputs = 0
        self._links = 0

    def __reduce__(self) -> tuple[Callable[..., Tree], tuple[Path, Selection, bool]]:
        # To another process goes what is wanted, not what was read.
        return _again, (self.root, self.selection, self.trusted)

    @cached_property
    def is_folder(self) -> bool:
        """Whether the root is a folder."""
        return self.root.is_dir()

    @cached_property
    def files(self) -> tuple[TreeFile, ...]:
        """All regular files in order: those of a folder before those of the folders in it.

        Links are not followed: those that lead to something inside are seen there anyway.
        """
        if self.is_folder:
            return tuple(self._walk())
        if self.root.is_file():
            return (TreeFile(str(self.root), printable_name(self.root.name)),)
        self._unreadable.append((printable_name(self.root.name), "not a regular file"))
        return ()

    @cached_property
    def own(self) -> tuple[TreeFile, ...]:
        """``files`` without those of other people's code."""
        return tuple(file for file in self.files if not file.foreign)

    def names(self, folder: str) -> frozenset[str]:
        """Names of the files in a folder that was listed; empty for any other."""
        _ = self.files
        return self._names.get(folder, frozenset())

    def unrestricted(self) -> Tree:
        """The same root with files that were not asked for, but not those that are left out."""
        return Tree(self.root, replace(self.selection, only=None))

    def notes(self) -> list[str]:
        """What a reader of ``files`` does not see, in words."""
        _ = self.files
        notes = [f"{where}: {why}" for where, why in self._unreadable]
        notes += (
            f"{count} folders {printable_name(name)}/: not part of the asset"
            for name, count in self._left_out.items()
        )
        if self._outputs:
            notes.append(f"{self._outputs} outputs of Buttress: not part of the asset")
        if self._links_outside:
            notes.append(f"{self._links_outside} links that lead out of the folder")
        if self._odd:
            notes.append(f"{len(self._odd)} sockets, pipes or devices")
        return notes

    def text_notes(self) -> Iterator[tuple[str, str]]:
        """What a reader of ``own`` does not see: places, each with a reason."""
        _ = self.files
        yield from self._unreadable
        yield from ((where, "foreign code or version control") for where in self._foreign)
        yield from ((where, "not a regular file") for where in self._odd)

    def text_counts(self) -> Iterator[tuple[str, int]]:
        """What else a reader of ``own`` does not see, by kind."""
        _ = self.files
        yield from (
            ("cache folders", self._caches),
            ("links, not followed", self._links),
            ("outputs of Buttress", self._outputs),
        )

    def content(self, path: str | Path) -> FileContent:
        """What a file holds, as far as ``FileContent`` says; read once where it is kept."""
        name = str(path)
        found = self._contents.get(name)
        if found is None:
            found, descriptor = open_file(name, MAX_TEXT, follow=name == str(self.root))
            if descriptor is not None:
                os.close(descriptor)
            self._keep(name, found)
        return found

    def open(self, path: str | Path) -> tuple[FileContent, int | None]:
        """A small file's content, or what its head tells and a descriptor, which is the caller's.

        There is no descriptor where ``data`` is whole, and where the file can't be read.
        """
        name = str(path)
        found = self._contents.get(name)
        if found is not None and (found.problem or found.whole):
            return found, None
        found, descriptor = open_file(name, SMALL, follow=name == str(self.root))
        if descriptor is None or found.binary:
            self._keep(name, found)
        return found, descriptor

    def note_binary(self, path: str | Path) -> None:
        """Keep in mind that whoever opened a file saw that it is binary."""
        if self._left:
            self._contents.setdefault(str(path), FileContent(1, binary=True))

    def _keep(self, name: str, content: FileContent) -> None:
        if self._left > len(content.data):
            self._left -= len(content.data)
            self._contents[name] = content

    def _walk(self) -> Iterator[TreeFile]:
        chosen = self.selection
        root = self.root.resolve()
        folders = [(str(self.root), "", False)]
        while folders:
            folder, prefix, foreign = folders.pop()
            try:
                with os.scandir(folder) as found:
                    entries = sorted(found, key=lambda entry: entry.name)
            except OSError as error:
                where = prefix.rstrip("/") or "."
                self._unreadable.append((where, error.strerror or "not readable"))
                continue
            names = frozenset(entry.name for entry in entries)
            if is_output_folder(folder, names):
                mine = [entry for entry in entries if is_output(entry.name)]
                self._outputs += len(mine)
                entries = [entry for entry in entries if not is_output(entry.name)]
            if prefix and "pyvenv.cfg" in names:
                self._left_out[os.path.basename(folder)] += 1
                if not foreign and os.path.basename(folder).lower() not in FOREIGN:
                    self._foreign.append(prefix.rstrip("/"))
                continue
            self._names[folder] = names
            below: list[tuple[str, str, bool]] = []
            for entry in entries:
                location = prefix + printable_name(entry.name)
                if entry.is_symlink():
                    self._link(entry, root)
                elif entry.is_dir(follow_symlinks=False):
                    if chosen.enters(entry.path):
                        below += self._enter(entry, location, foreign)
                elif entry.is_file(follow_symlinks=False):
                    if chosen.reads(entry.path):
                        yield TreeFile(entry.path, location, foreign)
                else:
                    self._odd.append(location)
            folders += reversed(below)

    def _enter(
        self, entry: os.DirEntry[str], location: str, foreign: bool
    ) -> list[tuple[str, str, bool]]:
        """The folder, unless it is left out; what is left out is counted."""
        name = entry.name.lower()
        others = name in FOREIGN
        if not foreign:
            if others:
                self._foreign.append(location)
            elif name in CACHES:
                self._caches += 1
        if entry.name in _LEFT_OUT:
            self._left_out[entry.name] += 1
            return []
        return [(entry.path, f"{location}/", foreign or others or name in CACHES)]

    def _link(self, entry: os.DirEntry[str], root: Path) -> None:
        try:
            inside = Path(entry.path).resolve().is_relative_to(root)
        except (OSError, RuntimeError):
            inside = False
        self._links_outside += not inside
        try:
            folder = entry.is_dir()
        except OSError:
            folder = False
        self._links += not folder


def uri_of(path: str, location: str) -> str:
    """The bytes of the end of ``path`` that ``location`` shows, percent-encoded (RFC 3986).

    Empty where they are what it shows.
    """
    parts = path.replace(os.sep, "/").split("/")[-(location.count("/") + 1) :]
    plain = "/".join(parts)
    return "" if plain == location else quote(os.fsencode(plain))


def open_file(path: str, most: int, *, follow: bool = False) -> tuple[FileContent, int | None]:
    """Open a file once, tell text from binary, and read what ``FileContent`` holds of it.

    Args:
        path: of the file.
        most: bytes up to which text is read whole; of other files it is ``SMALL``.
        follow: a symbolic link, as those that the user named are.

    Returns:
        The content, and a descriptor, which is the caller's, where there is more to read.
    """
    try:
        descriptor = os.open(path, _FLAGS if follow else _FLAGS | _NO_LINK)
    except (OSError, ValueError) as error:
        link = os.path.islink(path)
        return FileContent(
            problem=getattr(error, "strerror", None) or "not readable", link=link
        ), None
    content = FileContent(problem="not readable")
    try:
        content = _content(descriptor, most)
    except OSError as error:
        content = FileContent(problem=error.strerror or "not readable")
    finally:
        if content.problem or content.whole:
            os.close(descriptor)
    return content, None if content.problem or content.whole else descriptor


def _content(descriptor: int, most: int) -> FileContent:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        return FileContent(problem="not a regular file")
    size = status.st_size
    data = _read(descriptor, min(_HEAD, size))
    binary = UTF16_MARKS.get(data[:2]) is None and b"\0" in data
    if size > len(data):
        if size > (SMALL if binary else most):
            return FileContent(size, binary)
        data += _read(descriptor, size - len(data))
    return FileContent(len(data), binary, data)


def _read(descriptor: int, count: int) -> bytes:
    """``count`` bytes, fewer only at the end: a single read may give less."""
    pieces: list[bytes] = []
    while count > 0 and (piece := os.read(descriptor, count)):
        pieces.append(piece)
        count -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
