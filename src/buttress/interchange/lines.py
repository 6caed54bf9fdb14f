"""Files of other tools as bytes, bounded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from buttress.errors import InputError
from buttress.interchange.fields import Fields, RecordPlace, parse_json

LINE_LIMIT: Final = 64 * 2**20  # bytes of one line
DOCUMENT_LIMIT: Final = 256 * 2**20  # bytes of a file that can only be read whole
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


def objects(path: Path) -> Iterator[Fields]:
    """The object on each line that isn't blank; one line in memory at a time.

    Raises:
        InputError: not readable, or a line is no object.
    """
    number = 0
    try:
        with path.open("rb") as file:
            while line := file.readline(LINE_LIMIT + 1):
                number += 1
                place = RecordPlace(str(path), number)
                if len(line) > LINE_LIMIT:
                    raise place.error("the line is too long", f"at most {LINE_LIMIT} bytes")
                if number == 1:
                    line = line.removeprefix(_BYTE_ORDER_MARK)
                if line.strip():
                    yield Fields(parse_json(line, place), place)
    except OSError as error:
        raise unreadable(path, error) from None


def document(path: Path) -> Fields:
    """A file that is one JSON object.

    Raises:
        InputError: not readable, too large, or no object.
    """
    place = RecordPlace(str(path))
    try:
        with path.open("rb") as file:
            raw = file.read(DOCUMENT_LIMIT + 1)
    except OSError as error:
        raise unreadable(path, error) from None
    if len(raw) > DOCUMENT_LIMIT:
        raise place.error(
            "too large to be read whole", f"at most {DOCUMENT_LIMIT} bytes, or JSON Lines"
        )
    return Fields(parse_json(raw.removeprefix(_BYTE_ORDER_MARK), place), place)


def head(path: Path, count: int) -> bytes:
    """The first bytes of a file, without a byte order mark.

    Raises:
        InputError: not readable.
    """
    try:
        with path.open("rb") as file:
            return file.read(count).removeprefix(_BYTE_ORDER_MARK)
    except OSError as error:
        raise unreadable(path, error) from None


def unreadable(path: Path, error: OSError) -> InputError:
    """The file can't be read, and why."""
    reason = (error.strerror or "can't be read").lower()
    return InputError(reason, file=str(path), expected="a file to read")
