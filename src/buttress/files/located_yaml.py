"""YAML files whose every value knows its line, so that errors can name it.

Only plain data is constructed (no tags that make objects), duplicate keys are errors, and the
number of nodes is capped because aliases can make a small file expand without bound.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import yaml

from buttress.errors import InputError
from buttress.files import json_schema
from buttress.files.yaml_loader import BoundedLoader

FieldPath = tuple[str | int, ...]
_MAX_BYTES = 4 * 1024 * 1024
_MAX_NODES = 200_000
_MAX_DEPTH = 60
_UNKNOWN: Final = ("additionalProperties", "unevaluatedProperties")  # of JSON Schema
_CLOSE: Final = 0.7  # likeness from which a misspelt name is taken for a known one
_KINDS: Final[Mapping[str, str]] = {
    "object": "a mapping", "array": "a list", "string": "text", "null": "nothing",
    "integer": "a whole number", "boolean": "true or false",
}  # fmt: skip


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


def parse(text: str, file: str) -> Located:
    """Parse ``text``; ``file`` is the name used in errors.

    Raises:
        InputError: as ``load``.
    """
    located = Located(file=file, data=None)
    try:
        instance = BoundedLoader(text)
        try:
            node = instance.get_single_node()
            if node is not None:
                located.data = _Builder(instance, located).build(node, (), 0)
        finally:
            instance.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join(filter(None, (error.context, error.problem)))
        raise InputError(
            f"not valid YAML: {problem}",
            file=file,
            line=min(mark.line, text.count("\n")) + 1 if mark else None,
            expected="a file in YAML 1.2",
        ) from None
    except yaml.YAMLError as error:
        raise InputError(f"not valid YAML: {str(error).splitlines()[0]}", file=file) from None
    except UnicodeEncodeError:
        raise InputError("a character that UTF-8 can't hold", file=file) from None
    return located


def encodable(text: str) -> str:
    """``text`` without lone surrogates: escapes can name them, but nothing can write them."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


class _Builder:
    """Turns YAML nodes into plain data, recording lines."""

    def __init__(self, loader: BoundedLoader, located: Located) -> None:
        self._loader = loader
        self._located = located
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
            raise InputError(str(error), file=self._located.file, line=line) from None
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
            if key in data:
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
    errors = sorted(
        _validator(_Frozen(schema)).iter_errors(located.data),
        key=lambda error: (
            located.line(tuple(error.absolute_path)) or 0,
            len(error.absolute_path),
            error.validator not in _UNKNOWN,  # a misspelt field is also a missing one
        ),
    )
    if errors:
        raise _explain(located, errors[0], schema)


class _Frozen:
    """A schema as a cache key: schemas are module constants, so identity is enough."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.schema = schema

    def __hash__(self) -> int:
        return id(self.schema)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Frozen) and other.schema is self.schema


@lru_cache(maxsize=16)
def _validator(frozen: _Frozen) -> Any:
    return json_schema.validator(frozen.schema)


def _explain(located: Located, error: Any, root: Mapping[str, Any]) -> InputError:
    path: FieldPath = tuple(error.absolute_path)
    value = error.instance
    choices = error.validator_value
    match error.validator:
        case "anyOf" | "oneOf":
            expected = error.schema.get("description")
            chosen = _meant(error)
            if chosen is not None and (
                not expected or isinstance(value, Mapping) or chosen.validator in _UNKNOWN
            ):
                return _explain(located, chosen, root)
            return located.error(path, f"{_short(value)} is not valid", expected)
        case "required":
            missing = next(name for name in choices if name not in value)
            return located.error(path, f"'{missing}' is missing", _about(error.schema, missing))
        case "additionalProperties" | "unevaluatedProperties":
            valid = sorted(_properties(error.schema, root))
            name = next(key for key in value if key not in valid)
            return located.error((*path, name), *_unknown(name, valid, root if path else {}))
        case "enum":
            return located.error(
                path, f"'{value}' is not valid", "one of " + ", ".join(map(str, choices))
            )
        case "type":
            kinds = choices if isinstance(choices, list) else [choices]
            expected = " or ".join(_KINDS.get(kind, f"a {kind}") for kind in kinds)
            return located.error(path, f"{_short(value)} is not valid", expected)
        case "minimum" | "exclusiveMinimum" | "maximum" | "exclusiveMaximum":
            sign = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤"}
            return located.error(
                path, f"{value} is out of range", f"{sign.get(error.validator, '<')} {choices}"
            )
        case _:
            return located.error(
                path, f"{_short(value)} is not valid", error.schema.get("description")
            )


def _meant(error: Any) -> Any:
    """Of several forms that a value may have, what is wrong by the one that it was meant to have.

    None where that can't be told.
    """
    deeper = [sub for sub in error.context if len(sub.absolute_path) > len(error.absolute_path)]
    if deeper:
        return deeper[0]
    other_kinds = {sub.schema_path[0] for sub in error.context if sub.validator == "type"}
    same_kind = [sub for sub in error.context if sub.schema_path[0] not in other_kinds]
    same_kind.sort(key=lambda sub: sub.validator not in _UNKNOWN)
    return same_kind[0] if same_kind else None


def _properties(schema: Mapping[str, Any], root: Mapping[str, Any]) -> set[str]:
    """Fields that a schema knows, those of the definitions that it takes up among them."""
    names = set(schema.get("properties", {}))
    parts = list(schema.get("allOf", ()))
    reference = str(schema.get("$ref", ""))
    if reference.startswith("#/$defs/"):
        parts.append(root.get("$defs", {}).get(reference.removeprefix("#/$defs/"), {}))
    for part in parts:
        names |= _properties(part, root)
    return names


def _unknown(name: str, valid: Sequence[str], root: Mapping[str, Any]) -> tuple[str, str]:
    """What to say of an unknown field, and what is expected; ``root`` is the schema of the file."""
    close = difflib.get_close_matches(name, valid, n=1, cutoff=_CLOSE)
    if close:
        return f"unknown field '{name}'; did you mean '{close[0]}'?", f"one of {', '.join(valid)}"
    if name in root.get("properties", {}):
        return f"'{name}' belongs at the top of the file", f"here one of {', '.join(valid)}"
    return f"unknown field '{name}'", "one of " + ", ".join(valid)


def _about(schema: Mapping[str, Any], name: str) -> str | None:
    description = schema.get("properties", {}).get(name, {}).get("description")
    return description if isinstance(description, str) else None


def _short(value: Any) -> str:
    if value is None:
        return "an empty value"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
