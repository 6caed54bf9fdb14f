"""Reads a file of short lines, each with its number, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from buttress.errors import InputError
from buttress.files.utf8 import as_utf8

MAX_LINE: Final = 16 << 20  # bytes
_BOM: Final = b"\xef\xbb\xbf"


def read_lines(path: Path, limit: int = MAX_LINE) -> Iterator[tuple[int, bytes]]:
    """Number from 1 and bytes of each line that is not blank, without its line break.

    Raises:
        InputError: not readable, or a line of more than ``limit`` bytes.
    """
    number = 0
    try:
        with as_utf8(path.open("rb")) as file:
            while line := file.readline(limit + 1):
                number += 1
                if len(line) > limit:
                    raise InputError(f"longer than {limit >> 20} MiB", file=str(path), line=number)
                line = (line.removeprefix(_BOM) if number == 1 else line).strip()
                if line:
                    yield number, line
    except OSError as error:
        raise InputError(error.strerror or str(error), file=str(path)) from None
    except ValueError as error:
        raise InputError(str(error), file=str(path), line=number + 1) from None
