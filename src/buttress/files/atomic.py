"""Files that a scan reads and writes beside what it inspects."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any, Final

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


def write_whole(path: Path, data: bytes, field: str) -> None:
    """Write a file so that there is the old one or the new one, never a part.

    Raises:
        InputError: not writable.
    """
    import tempfile

    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(name, 0o666 & ~mask)
            os.replace(name, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise InputError(why, file=str(path), field=field, expected="a file to write") from None
