"""A document itself, as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson


def encode(document: Mapping[str, Any]) -> bytes:
    """Indented JSON in UTF-8. Keys keep the document's order, which is the schema's."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def write(document: Mapping[str, Any], path: Path) -> None:
    """Write the document to ``path``.

    Raises:
        OSError: not writable.
    """
    path.write_bytes(encode(document))
