"""YAML files whose every value knows its line, so that errors can name it.

Only plain data is constructed (no tags that make objects; dates stay text), duplicate keys are
errors, and the number of nodes is capped: aliases can make a small file expand without bound.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from buttress.errors import InputError
from buttress.files import json_schema

FieldPath = tuple[str | int, ...]
_MAX_BYTES = 4 * 1024 * 1024
_EXPONENT = re.compile(r"[-+]?(?:[0-9]+|[0-9]*\.[0-9]+|[0-9]+\.)[eE][-+]?[0-9]{1,3}")


@dataclass(slots=True)
class Located:
    """Parsed data with the line of each value. ``data`` holds dicts, lists and scalars only."""

    file: str
    data: Any
    lines: dict[FieldPath, int] = field(default_factory=dict)

    def line(self, path: FieldPath) -> int | None:
        """Line (from 1) of the value at ``path``, or of its nearest parent that has one."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return None

    def error(self, path: FieldPath, problem: str, expected: str | None = None) -> InputError:
        """An error that names this file, the line and the field."""
        return InputError(
            problem,
            file=self.file,
            line=self.line(path),
            field=field_name(path) or None,
            expected=expected,
        )


def field_name(path: FieldPath) -> str:
    """``("assets", 0, "kind")`` as ``assets[0].kind``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else part)
    return text


def load(path: Path) -> Located:
    """Read and parse ``path``.

    Raises:
        InputError: not readable, too large, not UTF-8, not YAML, or a duplicate key.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InputError("file too large", file=str(path), expected="at most 4 MiB of YAML")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(error.strerror or str(error), file=str(path)) from None
    except UnicodeDecodeError as error:
        raise InputError(
            f"byte {error.start} is not UTF-8", file=str(path), expected="a YAML file in UTF-8"
        ) from None
    return parse(text, str(path))


def parse(text: str, file: str, *, duplicates: bool = False) -> Located:
    """Parse ``text``; ``file`` is the name used in errors.

    With ``duplicates`` a key may be given twice; its last value counts, as most readers have it. A
    number that is too large, or a value with a tag of some tool (``!Sub``), is then left as text,
    so that no foreign file goes unread for it.

    Raises:
        InputError: as ``load``.
    """
    from buttress.files.yaml_builder import built  # PyYAML takes a third of the start of a scan

    return built(Located(file=file, data=None), text, duplicates)


def with_exponents(data: Any) -> Any:
    """Data in which texts such as 1e-4 are numbers, as in YAML 1.2; YAML 1.1 asks for a point.

    For files of settings, in which no text looks like that.
    """
    if isinstance(data, dict):
        return {name: with_exponents(value) for name, value in data.items()}
    if isinstance(data, list):
        return [with_exponents(value) for value in data]
    return float(data) if isinstance(data, str) and _EXPONENT.fullmatch(data) else data


def check(located: Located, schema: Mapping[str, Any]) -> None:
    """Check data against a JSON Schema (draft 2020-12); the first problem in the file is told.

    Raises:
        InputError: naming file, line, field and the valid choices.
    """
    first = min(
        json_schema.violations(schema, located.data),
        key=lambda violation: (
            located.line(violation.path[: violation.depth]) or 0,
            violation.depth,
            not violation.unknown,  # a misspelt field is also a missing one
        ),
        default=None,
    )
    if first is not None:
        raise located.error(first.path, first.problem, first.expected)
