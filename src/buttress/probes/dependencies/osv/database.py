"""A database of advisories on disk: a folder of JSON files, archives of them, or both.

What it says of packages is put into an index that is kept in the user's cache, since reading all
advisories takes seconds. The index holds what is needed of each, so that the database is read again
only after it has changed.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

import orjson

from buttress.errors import InputError
from buttress.files.zip_errors import BAD_ZIP
from buttress.probes.dependencies.osv import cache
from buttress.probes.dependencies.osv.advisory import Advisory, package
from buttress.probes.dependencies.osv.index import DamagedError, Reader, Writer
from buttress.probes.dependencies.osv.source import AdvisorySource
from buttress.provenance.dependencies.versions import Ecosystem

_ECOSYSTEMS: Final = ("PyPI", "npm", "Go", "crates.io")
_EXPECTED: Final = "advisories in the OSV format: a folder of JSON files, or an all.zip"
_SMALL: Final = 500  # files: fewer are read faster than the user's disk is worth
_DETAILS: Final = 600  # characters
_KEPT: Final = ("id", "modified", "summary", "details", "aliases", "severity", "database_specific")
_KEPT_OF_AFFECTED: Final = (
    "package", "ranges", "versions", "severity", "database_specific", "ecosystem_specific",
)  # fmt: skip


class Database:
    """Advisories by package.

    Raises:
        InputError: the path holds no advisory, or can't be read.
    """

    def __init__(self, path: Path, source: AdvisorySource | None = None) -> None:
        self._path = path
        self._source = source or _source(path)
        kept = cache.opened(path)
        self._index = (self._valid(kept) if kept else None) or self._built()
        facts = self._index.facts
        self.advisories = int(facts["advisories"])
        self.unreadable = int(facts["unreadable"])
        self.newest = str(facts["newest"])  # the last date of change in the database
        if not self.advisories:
            raise InputError(
                "no advisory in the OSV format found",
                file=str(path),
                expected="a folder of JSON files, or an ecosystem's all.zip",
            )

    @property
    def identity(self) -> str:
        """Changes with the files of the database."""
        return self._source.identity

    def about(self, ecosystem: Ecosystem, name: str) -> list[Advisory]:
        """Advisories about a package that are not withdrawn, in order of their ids."""
        try:
            records = self._index.about(ecosystem, name)
        except DamagedError:
            self._index = self._built()
            records = self._index.about(ecosystem, name)
        found = [Advisory(record, ecosystem, name) for record in records]
        return sorted(found, key=lambda one: one.id)

    def _valid(self, file: IO[bytes]) -> Reader | None:
        """The index that was kept, if it is of the database as it is now."""
        try:
            index = Reader(file)
            facts = index.facts
            if (facts["identity"], facts["ecosystems"]) == (
                self._source.identity, [*_ECOSYSTEMS]
            ):  # fmt: skip
                return index
        except (DamagedError, KeyError, TypeError):
            pass
        file.close()
        return None

    def _built(self) -> Reader:
        """A new index, kept if the database is large."""
        try:
            if not self._source.archives and len(self._source.files) < _SMALL:
                file: IO[bytes] = io.BytesIO()
                self._write(file)
            else:
                file = cache.written(self._path, self._write)
            return Reader(file)
        except DamagedError:
            raise InputError("its index can't be written", file=str(self._path)) from None

    def _write(self, file: IO[bytes]) -> None:
        writer = Writer(file)
        advisories, unreadable, newest = 0, 0, ""
        for content in _read(self._source, self._path):
            data = _parsed(content) if content is not None else None
            if data is None:
                unreadable += 1
            elif "id" in data and "modified" in data:  # else some other JSON
                advisories += 1
                newest = max(newest, str(data["modified"])[:10])
                keys = [] if data.get("withdrawn") else sorted(_packages(data))
                if keys:
                    writer.add(_short(data), keys)
        writer.finish({
            "identity": self._source.identity, "advisories": advisories,
            "unreadable": unreadable, "newest": newest, "ecosystems": _ECOSYSTEMS,
        })  # fmt: skip


_OPEN: Final[dict[Path, Database]] = {}  # one for each path, so that a process opens it once


def database(path: Path) -> Database:
    """The database at a path, opened once a process unless it has changed since.

    Raises:
        InputError: as ``Database``.
    """
    where, source = path.resolve(), _source(path.resolve())
    found = _OPEN.get(where)
    if found is None or found.identity != source.identity:
        found = _OPEN[where] = Database(where, source)
    return found


def _source(path: Path) -> AdvisorySource:
    try:
        return AdvisorySource(path)
    except OSError as error:
        raise _unreadable(path, error) from None


def _read(source: AdvisorySource, path: Path) -> Iterator[bytes | None]:
    try:
        yield from source.contents()
    except BAD_ZIP as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: BaseException) -> InputError:
    why = getattr(error, "strerror", None) or str(error)
    return InputError(why, file=str(path), expected=_EXPECTED)


def _parsed(content: bytes) -> dict[str, Any] | None:
    try:
        data = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    return data if isinstance(data, dict) else None


def _packages(data: dict[str, Any]) -> set[tuple[str, str]]:
    affected = data.get("affected")
    return {
        key
        for one in (affected if isinstance(affected, list) else ())
        if isinstance(one, dict) and (key := package(one)) and key[0] in _ECOSYSTEMS
    }


def _short(data: dict[str, Any]) -> dict[str, Any]:
    """What is needed of an advisory: without prose, links, and other ecosystems."""
    kept: dict[str, Any] = {name: data[name] for name in _KEPT if name in data}
    if kept.pop("details", None) and not data.get("summary"):
        kept["details"] = str(data["details"])[:_DETAILS]
    kept["affected"] = [
        {name: one[name] for name in _KEPT_OF_AFFECTED if name in one}
        for one in data["affected"]
        if isinstance(one, dict) and (key := package(one)) and key[0] in _ECOSYSTEMS
    ]
    return kept
