"""Advisories on disk as they were published: a folder of JSON files, archives of them, or both."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from buttress.files.zip_errors import BAD_ZIP

MAX_BYTES: Final = 16 << 20  # of one advisory
MAX_FILES: Final = 2_000_000


class AdvisorySource:
    """The files and archives below a path, listed once, in order.

    Raises:
        OSError: the path can't be read.
    """

    def __init__(self, path: Path) -> None:
        self.files: list[str] = []  # as text: a hundred thousand paths are large otherwise
        self.archives: list[str] = []
        self._state = hashlib.blake2b(digest_size=16)
        if path.is_file():
            self._take(str(path), path.stat())
            if not self.files and not self.archives:
                self.archives = [str(path)]  # whatever it is called
        else:
            self._folder(str(path))

    @property
    def identity(self) -> str:
        """Changes when a file is added, removed or written: of names, sizes and times."""
        return self._state.hexdigest()

    def contents(self) -> Iterator[bytes | None]:
        """The bytes of each advisory; None for one that can't be read.

        Raises:
            OSError, zipfile.BadZipFile, ...: one of ``BAD_ZIP``, where an archive can't be opened.
        """
        left = MAX_FILES
        for file in self.files[:left]:
            yield _whole(file)
        left -= len(self.files)
        for path in self.archives:
            with zipfile.ZipFile(path) as archive:
                for entry in archive.infolist():
                    if entry.filename.endswith(".json") and left > 0:
                        left -= 1
                        yield _member(archive, entry)

    def _folder(self, path: str) -> None:
        waiting = [path]
        while waiting:
            here = waiting.pop()
            try:
                with os.scandir(here) as listed:
                    entries = sorted(listed, key=lambda one: one.name)
            except OSError:
                if here == path:
                    raise
                continue
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif entry.name.endswith((".json", ".zip")) and entry.is_file():
                    self._take(entry.path, entry.stat())

    def _take(self, path: str, status: os.stat_result) -> None:
        # The time of the last change of state can't be set back, as that of the content can.
        told = (path, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
        self._state.update(repr(told).encode("utf-8", "surrogatepass"))
        if path.endswith(".json"):
            self.files.append(path)
        elif path.endswith(".zip"):
            self.archives.append(path)


def _whole(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError:
        return None
    return content if len(content) <= MAX_BYTES else None


def _member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes | None:
    if entry.file_size > MAX_BYTES:
        return None
    try:
        with archive.open(entry) as file:
            content = file.read(MAX_BYTES + 1)
    except BAD_ZIP:
        return None
    return content if len(content) <= MAX_BYTES else None
