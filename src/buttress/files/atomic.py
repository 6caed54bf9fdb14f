"""Files beside what is inspected: JSON read with a bound; writing that is whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

from buttress.errors import InputError

MAX_BYTES: Final = 256 << 20


def read_json(path: Path, field: str, expected: str) -> Any:
    """The data of a JSON file.

    Raises:
        InputError: not readable, too large, or not JSON.
    """
    import orjson

    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError("larger than 256 MiB", file=str(path), field=field, expected=expected)
        return orjson.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or f"not JSON ({error})"
        raise InputError(why, file=str(path), field=field, expected=expected) from None


@contextmanager
def atomic_path(
    path: Path, field: str | None = None, *, expected: str = "a file to write"
) -> Iterator[Path]:
    """A path to write to; its file replaces ``path`` when the block ends without an error.

    At every moment, a loss of power included, there is the old file or the new one, never a part
    of one. A new file gets the permissions of the one that it replaces; a link is followed. A
    device or a pipe, such as ``/dev/stdout``, can't be replaced and is written directly.

    Raises:
        InputError: not writable; names ``field`` and what was ``expected`` there.
    """
    try:
        if path.is_dir():
            raise InputError("is a folder", file=str(path), field=field, expected=expected)
        if _is_stream(path):
            yield path
            return
        place = Path(os.path.realpath(path)) if path.is_symlink() else path
        beside = place.with_name(f".{place.name[:40]}.{secrets.token_hex(6)}.part")
        try:
            yield beside
            _make_durable(beside, place)
        except BaseException:
            with contextlib.suppress(OSError):
                beside.unlink()
            raise
    except OSError as error:
        why = error.strerror or str(error)
        raise InputError(why, file=str(path), field=field, expected=expected) from None


@contextmanager
def atomic_file(
    path: Path, field: str | None = None, *, expected: str = "a file to write", mode: int = 0o666
) -> Iterator[BinaryIO]:
    """A binary file to write, under the guarantees of ``atomic_path``.

    ``mode`` are the permissions of a file that is not there yet, less the umask.

    Raises:
        InputError: not writable; names ``field`` and what was ``expected`` there.
    """
    with atomic_path(path, field, expected=expected) as beside:
        flags = os.O_WRONLY | os.O_CREAT | (0 if beside == path else os.O_EXCL)
        with os.fdopen(os.open(beside, flags, mode), "wb") as file:
            yield file


def write_whole(
    path: Path, data: bytes, field: str | None = None, *, expected: str = "a file to write"
) -> None:
    """Write ``data`` to ``path``, under the guarantees of ``atomic_path``.

    Raises:
        InputError: not writable; names ``field`` and what was ``expected`` there.
    """
    with atomic_file(path, field, expected=expected) as file:
        file.write(data)


def _is_stream(path: Path) -> bool:
    if path.is_absolute() and path.parts[1:2] in (("dev",), ("proc",)):
        return True
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False


def _make_durable(beside: Path, place: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        beside.chmod(stat.S_IMODE(place.stat().st_mode))
    with beside.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(beside, place)
    with contextlib.suppress(OSError):  # some file systems can't sync a folder
        folder = os.open(place.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
