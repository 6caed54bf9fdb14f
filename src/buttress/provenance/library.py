"""The OpenSSF library ``model-signing``, imported when needed, its failures told in one line."""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from buttress.errors import InputError, MissingExtraError

_LENGTH: Final = 300


def modules() -> tuple[Any, Any, Any]:
    """The library's modules ``hashing``, ``signing`` and ``verifying``.

    Raises:
        MissingExtraError: it is not installed, or not whole.
    """
    try:
        from model_signing import hashing, signing, verifying
    except ImportError:  # 1.1.1 needs pyOpenSSL without saying so
        raise MissingExtraError("signing models and checking signatures", "signing") from None
    return hashing, signing, verifying


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep what the library prints away from our output."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


def reason(error: BaseException) -> str:
    """Why the library failed, on one line."""
    text = " ".join(re.sub(r"[^\x20-\x7e]+", " ", str(error)).split())
    text = text.partition(" [type=")[0]  # what follows may quote the input: a private key
    return text[:_LENGTH].rstrip(". ") or type(error).__name__


def readable(file: Path, field: str, expected: str) -> Path:
    """``file`` itself if it can be read.

    Raises:
        InputError: it can't.
    """
    try:
        with file.open("rb") as opened:
            opened.read(1)
    except OSError as error:
        raise InputError(
            error.strerror or str(error), file=str(file), field=field, expected=expected
        ) from None
    return file


def links(model: Path, ignored: tuple[str, ...] = ()) -> Iterator[Path]:
    """Links below a folder, relative to it, save where paths are ignored."""
    passed = {(model / path).as_posix() for path in ignored}
    for folder, names, files in os.walk(model):
        kept = []
        for name in sorted((*names, *files)):
            path = Path(folder, name)
            if path.as_posix() in passed:
                continue
            if path.is_symlink():
                yield path.relative_to(model)
            elif name in names:
                kept.append(name)
        names[:] = kept
