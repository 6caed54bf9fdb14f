"""Paths as text that is the same in every scan."""

from __future__ import annotations

import os

from buttress.files.visible import printable_name


def absolute(path: str | os.PathLike[str]) -> str:
    """The absolute path, links kept, as text that can be written anywhere.

    Probes escape names that can't be shown; so what is compared with theirs must be escaped too. It
    is for a path as the system gives it, not for one that was escaped before.
    """
    return printable_name(os.path.abspath(path).replace(os.sep, "/"))


def relative(path: str, folder: str) -> str:
    """A path from a folder, both absolute; with ``..`` where it lies outside; a URL as it is."""
    if "://" in path:
        return path
    return os.path.relpath(path, folder).replace(os.sep, "/")
