"""A database of advisories on disk: a folder of JSON files, archives of them, or both.

Archives such as an ecosystem's ``all.zip`` are read in place. The index maps packages to the files
about them; an advisory is read again when it is asked for, so that memory stays small.
"""

from __future__ import annotations

import lzma
import os
import struct
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import orjson

from buttress.errors import InputError
from buttress.probes.dependencies.dependency import Ecosystem
from buttress.probes.dependencies.osv.advisory import Advisory, package

_MAX_BYTES: Final = 16 << 20  # of one advisory
_MAX_FILES: Final = 2_000_000
_ECOSYSTEMS: Final = ("PyPI", "npm")
# What the library lets through for archives that are damaged, encrypted or of an unknown kind.
_BAD_ZIP: Final = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, NotImplementedError, RuntimeError,
    EOFError, OSError, ValueError, KeyError, OverflowError, IndexError,
)  # fmt: skip
_Reference = tuple[int, str]  # number of the container, name in it


class Database:
    """Advisories by package.

    Raises:
        InputError: the path holds no advisory, or can't be read.
    """

    def __init__(self, path: Path) -> None:
        self._containers: list[Path] = []
        self._index: dict[tuple[str, str], list[_Reference]] = defaultdict(list)
        self.advisories = 0
        self.unreadable = 0
        self._path = path
        self.newest = ""  # the last date of change in the database
        try:
            self._build(path)
        except _BAD_ZIP as error:
            raise InputError(
                getattr(error, "strerror", None) or str(error),
                file=str(path),
                expected="advisories in the OSV format: a folder of JSON files, or an all.zip",
            ) from None
        if not self.advisories:
            raise InputError(
                "no advisory in the OSV format found",
                file=str(path),
                expected="a folder of JSON files, or an ecosystem's all.zip",
            )

    def about(self, ecosystem: Ecosystem, name: str) -> list[Advisory]:
        """Advisories about a package that are not withdrawn, in order of their ids."""
        found = []
        for number, inside in self._index.get((ecosystem, name), ()):
            data = _parsed(self._read(number, inside))
            if data is not None:
                found.append(Advisory(data, ecosystem, name))
        return sorted(found, key=lambda one: one.id)

    def _build(self, path: Path) -> None:
        if path.is_file() and path.suffix == ".json":
            self._containers.append(path.parent)
            self._add(0, path.name, path.read_bytes())
        elif path.is_file():
            self._archive(path)
        else:
            os.scandir(path).close()  # says why it can't be read
            self._folder(path)

    def _folder(self, path: Path) -> None:
        number = len(self._containers)
        self._containers.append(path)
        for folder, names, files in os.walk(path):
            names.sort()
            for name in sorted(files):
                whole = Path(folder, name)
                if name.endswith(".json") and self.advisories < _MAX_FILES:
                    with open(whole, "rb") as file:
                        content = file.read(_MAX_BYTES + 1)
                    self._add(number, str(whole.relative_to(path)), content)
                elif name.endswith(".zip"):
                    self._archive(whole)

    def _archive(self, path: Path) -> None:
        number = len(self._containers)
        self._containers.append(path)
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if entry.filename.endswith(".json") and self.advisories < _MAX_FILES:
                    if entry.file_size > _MAX_BYTES:
                        self.unreadable += 1
                    else:
                        self._add(number, entry.filename, _member(archive, entry.filename))

    def _add(self, number: int, name: str, content: bytes) -> None:
        data = _parsed(content)
        if data is None:
            self.unreadable += 1
            return
        if "id" not in data or "modified" not in data:
            return  # some other JSON
        self.advisories += 1
        self.newest = max(self.newest, str(data["modified"])[:10])
        if "withdrawn" in data:
            return
        for key in _packages(data):
            self._index[key].append((number, name))

    def _read(self, number: int, name: str) -> bytes:
        container = self._containers[number]
        try:
            if container.is_dir():
                return (container / name).read_bytes()
            with _opened(container, container.stat().st_mtime_ns) as archive:
                return _member(archive, name)
        except _BAD_ZIP as error:
            raise InputError(
                f"it changed while it was read ({error})", file=str(self._path), field=name
            ) from None


@lru_cache(maxsize=4)
def _indexed(path: Path, _changed: int) -> Database:
    """Indexed once a process, unless it has changed since."""
    return Database(path)


def database(path: Path) -> Database:
    """The database at a path.

    Raises:
        InputError: as ``Database``.
    """
    try:
        changed = path.stat().st_mtime_ns
    except OSError as error:
        raise InputError(
            error.strerror or str(error),
            file=str(path),
            expected="advisories in the OSV format: a folder of JSON files, or an all.zip",
        ) from None
    return _indexed(path.resolve(), changed)


class _Archive:
    """An archive that stays open, since its directory is long."""

    def __init__(self, path: Path) -> None:
        self._file = zipfile.ZipFile(path)

    def __enter__(self) -> zipfile.ZipFile:
        return self._file

    def __exit__(self, *_: object) -> None:
        return None


@lru_cache(maxsize=2)
def _opened(path: Path, _changed: int) -> _Archive:
    return _Archive(path)


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        with archive.open(name) as file:
            return file.read(_MAX_BYTES + 1)
    except _BAD_ZIP:
        return b""  # counted as unreadable


def _parsed(content: bytes) -> dict[str, Any] | None:
    try:
        data = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    return data if isinstance(data, dict) else None


def _packages(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    affected = data.get("affected")
    found = {
        key
        for one in (affected if isinstance(affected, list) else ())
        if isinstance(one, dict) and (key := package(one)) and key[0] in _ECOSYSTEMS
    }
    yield from sorted(found)
