"""Where indexes of advisories are kept between scans."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Final

from buttress.errors import InputError
from buttress.files.atomic import atomic_file

_KEPT: Final = 8  # indexes; older ones are removed when one is written
_END: Final = ".osv-index"


def folder() -> Path:
    """``$BUTTRESS_HOME/cache``, else the user's folder for what can be made again."""
    if own := os.environ.get("BUTTRESS_HOME"):
        return Path(own).expanduser() / "cache"
    if sys.platform == "win32" and (local := os.environ.get("LOCALAPPDATA")):
        return Path(local) / "buttress" / "cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "buttress"


def opened(path: Path) -> IO[bytes] | None:
    """The index of the database at a path; None where there is none that can be trusted.

    One that somebody else owns is not: he could hide vulnerabilities.
    """
    try:
        file = open(_place(path), "rb")  # noqa: SIM115 - the caller keeps it
    except (OSError, RuntimeError):
        return None
    if hasattr(os, "getuid") and os.fstat(file.fileno()).st_uid not in (os.getuid(), 0):
        file.close()
        return None
    return file


def written(path: Path, write: Callable[[IO[bytes]], None]) -> IO[bytes]:
    """A new index of the database at a path, kept if that is possible.

    It takes its place whole, so that of several processes that write at once each reads a whole
    one. Where nothing can be kept it is a temporary file that is gone when closed.
    """
    with contextlib.suppress(OSError, RuntimeError, InputError):
        return _kept(_place(path), write)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller keeps it
    try:
        write(file)
    except BaseException:
        file.close()
        raise
    return file


def _kept(place: Path, write: Callable[[IO[bytes]], None]) -> IO[bytes]:
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with atomic_file(place, mode=0o600) as file:
        write(file)
    _prune(place.parent)
    return open(place, "rb")


def _prune(where: Path) -> None:
    with contextlib.suppress(OSError):
        found = sorted(where.glob(f"[!.]*{_END}"), key=lambda one: -one.stat().st_mtime_ns)
        for one in found[_KEPT:]:
            one.unlink(missing_ok=True)


def _place(path: Path) -> Path:
    name = os.fspath(path.resolve()).encode("utf-8", "surrogatepass")
    return folder() / f"{hashlib.blake2b(name, digest_size=16).hexdigest()}{_END}"
