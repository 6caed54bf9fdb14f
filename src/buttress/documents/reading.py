"""The assessment document on disk: its schema, and reading it back with checks."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec
import orjson

from buttress.documents.assessment import Assessment
from buttress.documents.schemas import schema_of
from buttress.errors import InputError
from buttress.files import located_yaml
from buttress.files.located_yaml import Located

FILE_NAME: Final = "assessment.json"
_EXPECTED: Final = "the folder of an assessment, or its assessment.json"


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the document."""
    return schema_of("assessment")


def resolve(path: Path) -> Path:
    """The document's file: ``path`` itself, or the one in the folder ``path``.

    Raises:
        InputError: there is none.
    """
    if not path.exists():
        raise InputError("no such file or folder", file=str(path), expected=_EXPECTED)
    file = path / FILE_NAME if path.is_dir() else path
    if not file.is_file():
        raise InputError(f"no {FILE_NAME} in it", file=str(path), expected=_EXPECTED)
    return file


def load(path: Path) -> dict[str, Any]:
    """Read and check the document at ``path``, a file or the folder that holds it.

    Raises:
        InputError: not there, not JSON, or not as the schema says; names file and field.
    """
    file = resolve(path)
    try:
        document = orjson.loads(file.read_bytes())
    except OSError as error:
        raise InputError(error.strerror or str(error), file=str(file)) from None
    except orjson.JSONDecodeError as error:
        raise InputError(
            f"not valid JSON: {error.msg}", file=str(file), line=error.lineno, expected=_EXPECTED
        ) from None
    try:
        msgspec.convert(document, Assessment)  # the schema is that of this class
    except msgspec.ValidationError:  # the schema tells file and field, and allows 3.0 for 3
        located_yaml.check(Located(str(file), document), schema())
    checked: dict[str, Any] = document
    return checked
