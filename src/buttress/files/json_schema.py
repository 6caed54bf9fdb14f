"""Checks data against a JSON Schema (draft 2020-12) and says in plain words what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator, ValidationError

_TYPES: Final = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "nothing",
    "number": "a number",
    "object": "a mapping",
    "string": "text",
}
_LIMITS: Final = {
    "minimum": "≥",
    "exclusiveMinimum": ">",
    "maximum": "≤",
    "exclusiveMaximum": "<",
}
_SHOWN: Final = 60  # characters of a value


class SchemaViolation(NamedTuple):
    """One value that a schema does not allow.

    Attributes:
        path: names and indexes that lead to the value, or to the field that is missing or unknown.
        problem: what is wrong.
        expected: what the schema allows, where it says so.
    """

    path: tuple[str | int, ...]
    problem: str
    expected: str | None


def violations(schema: Mapping[str, Any], data: object) -> Iterator[SchemaViolation]:
    """All values in ``data`` that ``schema`` does not allow, in the order of the schema.

    Args:
        schema: a constant, since its validator is kept.
        data: as JSON could hold it: dicts with text as keys, lists, text, numbers, booleans, None.
    """
    for error in _validator(_SchemaKey(schema)).iter_errors(data):
        yield _violation(error, schema, data)


class _SchemaKey:
    """A schema as a cache key: identity is enough, and the cache keeps the schema alive."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.schema = schema

    def __hash__(self) -> int:
        return id(self.schema)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _SchemaKey) and other.schema is self.schema


@lru_cache(maxsize=16)
def _validator(key: _SchemaKey) -> Draft202012Validator:
    from jsonschema_rs import Draft202012Validator  # most commands check nothing

    return Draft202012Validator(dict(key.schema))


def _violation(error: ValidationError, root: Mapping[str, Any], data: object) -> SchemaViolation:
    path = tuple(error.instance_path)
    value = _at(data, path)  # the error's own copy has None for what JSON can't hold, such as nan
    *parents, last = error.schema_path
    keyword = str(last)
    schema = _at(root, parents)
    wanted = schema.get(keyword)
    match keyword:
        case "anyOf" | "oneOf":
            return _no_branch(error, root, data, schema)
        case "required":
            missing = next(name for name in wanted or () if name not in value)
            return SchemaViolation(path, f"'{missing}' is missing", _about(schema, missing))
        case "additionalProperties":
            valid = sorted(schema.get("properties", {}))
            name = next(key for key in value if key not in valid)
            return SchemaViolation(
                (*path, name), f"unknown field '{name}'", "one of " + ", ".join(valid)
            )
        case "enum":
            choices = "one of " + ", ".join(map(str, wanted or ()))
            return SchemaViolation(path, f"'{value}' is not valid", choices)
        case "type":
            kinds = wanted if isinstance(wanted, list) else [wanted]
            expected = " or ".join(_TYPES[str(kind)] for kind in kinds)
            return SchemaViolation(path, f"{_short(value)} is not valid", expected)
        case "minimum" | "exclusiveMinimum" | "maximum" | "exclusiveMaximum":
            return SchemaViolation(path, f"{value} is out of range", f"{_LIMITS[keyword]} {wanted}")
        case _:
            return SchemaViolation(path, f"{_short(value)} is not valid", schema.get("description"))


def _no_branch(
    error: ValidationError, root: Mapping[str, Any], data: object, schema: Mapping[str, Any]
) -> SchemaViolation:
    """None of several schemas allows the value: the one that got deepest says why."""
    path = tuple(error.instance_path)
    expected = schema.get("description")
    if expected is None:
        branches = getattr(error.kind, "context", ())
        for inner in (one for branch in branches for one in branch):
            if len(inner.instance_path) > len(path):
                return _violation(inner, root, data)
    return SchemaViolation(path, f"{_short(_at(data, path))} is not valid", expected)


def _at(part: Any, path: Sequence[str | int]) -> Any:
    for step in path:
        part = part[step]
    return part


def _about(schema: Mapping[str, Any], name: str) -> str | None:
    description = schema.get("properties", {}).get(name, {}).get("description")
    return description if isinstance(description, str) else None


def _short(value: object) -> str:
    if value is None:
        return "an empty value"
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "…"
