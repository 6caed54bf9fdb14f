"""The members of a large JSON object, one by one, without building those that nobody asks for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from buttress.files.bounded_json import JsonError

MAX_BYTES: Final = 48 << 20  # the largest tokenizers in use have 34 MB
_VALUE_BYTES: Final = 8 << 20  # of one member that is built
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_STRUCTURE: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.S)
_SCALAR: Final = re.compile(r"[^,\]}\s]+")
_MAX_DEPTH: Final = 1_000


def members(text: str, skip: frozenset[str]) -> Iterator[tuple[str, Any]]:
    """Names and values of the object's members; ``None`` as value of those named in ``skip``.

    Raises:
        JsonError: it is not JSON, or a member is larger than is read.
    """
    decoder = json.JSONDecoder()
    at = _expect(text, 0, "{")
    if text[at : at + 1] == "}":
        return
    while True:
        try:
            name, at = decoder.raw_decode(text, at)
            if not isinstance(name, str):
                raise JsonError("a key is no text")
            at = _expect(text, _SPACE.match(text, at).end(), ":")  # type: ignore[union-attr]
            end = _end(text, at)
            if name in skip:
                value = None
            elif end - at > _VALUE_BYTES:
                raise JsonError(f"the member {name[:40]!r} is larger than is read")
            else:
                value, _ = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            raise JsonError(f"it is not JSON ({error})") from None
        yield name, value
        at = _SPACE.match(text, end).end()  # type: ignore[union-attr]
        if text[at : at + 1] != ",":
            return
        at = _SPACE.match(text, at + 1).end()  # type: ignore[union-attr]


def _expect(text: str, at: int, sign: str) -> int:
    at = _SPACE.match(text, at).end()  # type: ignore[union-attr]
    if text[at : at + 1] != sign:
        raise JsonError(f"{sign!r} is missing at character {at}")
    return _SPACE.match(text, at + 1).end()  # type: ignore[union-attr]


def _end(text: str, at: int) -> int:
    """Where the value that begins at ``at`` ends: by brackets and quotation marks alone."""
    first = text[at : at + 1]
    if first and first not in '[{"':
        found = _SCALAR.match(text, at)
        if found is None:
            raise JsonError(f"a value is missing at character {at}")
        return found.end()
    depth = 0
    for found in _STRUCTURE.finditer(text, at):
        sign = text[found.start()]
        if sign in "[{":
            depth += 1
            if depth > _MAX_DEPTH:
                raise JsonError("it is nested too deep")
        elif sign in "]}":
            depth -= 1
        if depth <= 0:
            return found.end()
    raise JsonError("it is cut short")
