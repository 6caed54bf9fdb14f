"""YAML files whose every value knows its line, so that errors can name it.

Only plain data is constructed (no tags that make objects; dates stay text), duplicate keys are
errors, and the
number of nodes is capped because aliases can make a small file expand without bound.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from buttress.errors import InputError
from buttress.files import json_schema
from buttress.files.encodable import encodable
from buttress.files.yaml_loader import BoundedLoader, json_as_yaml

FieldPath = tuple[str | int, ...]
_MAX_BYTES = 4 * 1024 * 1024
_MAX_NODES = 200_000
_MAX_DEPTH = 60
_WHOLE_NUMBER = "tag:yaml.org,2002:int"
_LEAST_NUMBER, _MOST_NUMBER = -(1 << 63), (1 << 63) - 1


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
    number that is too large is then left as text, so that no foreign file goes unread for it.

    Raises:
        InputError: as ``load``.
    """
    try:
        return _parsed(text, file, duplicates)
    except InputError:
        if (readable := json_as_yaml(text)) == text:
            raise
    return _parsed(readable, file, duplicates)


def _parsed(text: str, file: str, duplicates: bool) -> Located:
    located = Located(file=file, data=None)
    try:
        instance = BoundedLoader(text)
        try:
            node = instance.get_single_node()
            if node is not None:
                located.data = _Builder(instance, located, duplicates).build(node, (), 0)
        finally:
            instance.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join(filter(None, (error.context, error.problem)))
        raise InputError(
            f"not valid YAML: {problem}",
            file=file,
            line=min(mark.line, text.count("\n")) + 1 if mark else None,
        ) from None
    except yaml.YAMLError as error:
        raise InputError(f"not valid YAML: {str(error).splitlines()[0]}", file=file) from None
    except UnicodeEncodeError:
        raise InputError("a character that UTF-8 can't hold", file=file) from None
    return located


class _Builder:
    """Turns YAML nodes into plain data, recording lines."""

    def __init__(self, loader: BoundedLoader, located: Located, duplicates: bool) -> None:
        self._loader = loader
        self._located = located
        self._duplicates = duplicates
        self._nodes = 0

    def build(self, node: yaml.Node, path: FieldPath, depth: int) -> Any:
        self._nodes += 1
        line = node.start_mark.line + 1
        if self._nodes > _MAX_NODES or depth > _MAX_DEPTH:
            raise InputError("too large or nested too deeply", file=self._located.file, line=line)
        self._located.lines.setdefault(path, line)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, yaml.SequenceNode):
            return [
                self.build(item, (*path, index), depth + 1) for index, item in enumerate(node.value)
            ]
        try:
            value = self._loader.construct_object(node)
        except (ValueError, OverflowError, KeyError, AttributeError) as error:
            if self._duplicates and node.tag == _WHOLE_NUMBER:
                return str(node.value)
            raise InputError(str(error), file=self._located.file, line=line) from None
        if isinstance(value, int) and not _LEAST_NUMBER <= value <= _MOST_NUMBER:
            if self._duplicates:
                return str(node.value)
            raise self._located.error(
                path, "a whole number of more than 64 bits", "a number that 64 bits can hold"
            )
        if isinstance(value, date):
            return str(node.value)  # as it is written
        if isinstance(value, bytes):
            raise InputError("binary data", file=self._located.file, line=line, expected="text")
        return encodable(value) if isinstance(value, str) else value

    def _mapping(self, node: yaml.MappingNode, path: FieldPath, depth: int) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise InputError(
                    "key is not plain text", file=self._located.file, line=line, expected="a name"
                )
            key = encodable(str(key_node.value))
            if key in data and not self._duplicates:
                raise InputError(
                    f"'{key}' is given twice", file=self._located.file, line=line, expected="once"
                )
            self._located.lines[(*path, key)] = line
            data[key] = self.build(value_node, (*path, key), depth + 1)
        return data


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
