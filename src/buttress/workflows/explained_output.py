"""Where explanations go: a document and a page in one folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec
import orjson

from buttress.documents.fields import DocumentPart
from buttress.files.atomic import write_whole

DOCUMENT_NAME: Final = "explanation.json"
PAGE_NAME: Final = "explanation.html"


def as_json(document: DocumentPart) -> dict[str, Any]:
    """The document as plain values."""
    values: dict[str, Any] = msgspec.to_builtins(document)
    return values


def write_explanation(out: Path, document: dict[str, Any], page: str) -> None:
    """Write both; a kill at any moment leaves the earlier file or the whole new one.

    Raises:
        InputError: the folder can't be written.
    """
    content = orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    out.mkdir(parents=True, exist_ok=True)
    write_whole(out / DOCUMENT_NAME, content, "--out")
    write_whole(out / PAGE_NAME, page.encode(), "--out")
