"""Which files of a tree are wanted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from buttress.files.globs import Globs
from buttress.files.paths import absolute, relative


@dataclass(frozen=True)
class Selection:
    """What is read below ``base``, an absolute path that patterns count from.

    ``only`` holds absolute paths of files, or of folders that are taken whole; None stands for all.
    ``hidden`` holds absolute paths that are left out, and ``globs`` patterns for more of them.
    """

    base: str = "/"
    only: frozenset[str] | None = None
    hidden: frozenset[str] = frozenset()
    globs: Globs = field(default_factory=lambda: Globs(()))

    @cached_property
    def _leading(self) -> frozenset[str]:
        """The folders that lead to what is wanted."""
        return frozenset(folder for one in self.only or () for folder in _above(one))

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return self.only is None and not self.hidden and not self.globs

    def enters(self, folder: str) -> bool:
        """Whether anything in the folder may be wanted."""
        if self.everything:
            return True
        path = absolute(folder)
        return (path in self._leading or self._wanted(path)) and not self._left_out(path, "/")

    def reads(self, file: str) -> bool:
        """Whether the file is wanted."""
        return self.everything or self.reads_shown(absolute(file))

    def reads_shown(self, path: str) -> bool:
        """Whether the file is wanted; its path is absolute and escaped as ``absolute``."""
        return self._wanted(path) and not self._left_out(path, "")

    def _wanted(self, path: str) -> bool:
        return (
            self.only is None or path in self.only or any(one in self.only for one in _above(path))
        )

    def _left_out(self, path: str, end: str) -> bool:
        if self.hidden and (path in self.hidden or any(one in self.hidden for one in _above(path))):
            return True
        return bool(self.globs) and self.globs.match(relative(path, self.base) + end)


EVERYTHING: Final = Selection()


def _above(path: str) -> Iterator[str]:
    while (cut := path.rfind("/")) > 0:
        path = path[:cut]
        yield path
