"""A document itself, as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson


def encode(document: Mapping[str, Any]) -> bytes:
    """Indented JSON in UTF-8. Keys keep the document's order, which is the schema's."""
    return orjson.dumps(
        document, default=_rows, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    )


def encoded_parts(document: Mapping[str, Any]) -> Iterator[bytes]:
    """The bytes of ``encode`` part by part: a long list is never whole in memory as text."""
    opening = b"{\n"
    for name, value in document.items():
        yield opening + b"  " + orjson.dumps(name) + b": "
        if isinstance(value, list) and value:
            before = b"[\n    "
            for one in value:
                yield before + _indented(one, 4)
                before = b",\n    "
            yield b"\n  ]"
        else:
            yield _indented(value, 2)
        opening = b",\n"
    yield b"\n}\n" if document else b"{}\n"


def _indented(value: Any, spaces: int) -> bytes:
    text = orjson.dumps(value, default=_rows, option=orjson.OPT_INDENT_2)
    return text.replace(b"\n", b"\n" + b" " * spaces)  # texts hold no line break of their own


def _rows(value: Any) -> list[Any]:
    """Rows that are made when they are read, as a list."""
    if isinstance(value, Sequence):
        return list(value)
    raise TypeError(type(value).__name__)


def write(document: Mapping[str, Any], path: Path) -> None:
    """Write the document to ``path``.

    Raises:
        OSError: not writable.
    """
    path.write_bytes(encode(document))
