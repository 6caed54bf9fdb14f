"""Checks data against a JSON Schema (draft 2020-12) and says in plain words what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from buttress.files.shown_url import without_keys

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
_UNKNOWN: Final = ("additionalProperties", "unevaluatedProperties")
_DEFINITIONS: Final = "#/$defs/"
_CLOSE: Final = 0.7  # likeness from which a misspelt name is taken for a known one
_SHOWN: Final = 60  # characters of a value


class SchemaViolation(NamedTuple):
    """One value that a schema does not allow.

    Attributes:
        path: names and indexes that lead to the value, or to the field that is missing or unknown.
        problem: what is wrong.
        expected: what the schema allows, where it says so.
        unknown: whether it is a field that the schema doesn't know.
    """

    path: tuple[str | int, ...]
    problem: str
    expected: str | None
    unknown: bool = False

    @property
    def depth(self) -> int:
        """Length of the path to the value itself, or to what holds an unknown field."""
        return len(self.path) - self.unknown


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
    path = _steps(data, error.instance_path)
    value = _at(data, path)  # the error's own copy has None for what JSON can't hold, such as nan
    *parents, last = error.schema_path
    keyword = str(last)
    schema = _at(root, _steps(root, parents))
    wanted = schema.get(keyword)
    match keyword:
        case "anyOf" | "oneOf":
            return _no_branch(error, root, data, schema)
        case "required":
            missing = next(name for name in wanted or () if name not in value)
            return SchemaViolation(path, f"'{missing}' is missing", _about(schema, missing))
        case "additionalProperties" | "unevaluatedProperties":
            valid = sorted(_properties(schema, root))
            name = next(key for key in value if key not in valid)
            problem, expected = _unknown(name, valid, root if path else {})
            return SchemaViolation((*path, name), problem, expected, unknown=True)
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
    path = _steps(data, error.instance_path)
    value, expected = _at(data, path), schema.get("description")
    chosen = _meant(error)
    if chosen is not None and (
        expected is None or isinstance(value, Mapping) or str(chosen.schema_path[-1]) in _UNKNOWN
    ):
        return _violation(chosen, root, data)
    return SchemaViolation(path, f"{_short(value)} is not valid", expected)


def _meant(error: ValidationError) -> ValidationError | None:
    """Of several forms that a value may have, what is wrong by the one that it was meant to have.

    None where that can't be told.
    """
    context: Sequence[Sequence[ValidationError]] = getattr(error.kind, "context", ())
    branches = [list(branch) for branch in context]
    for inner in (one for branch in branches for one in branch):
        if len(inner.instance_path) > len(error.instance_path):
            return inner
    own_kind = [
        one
        for branch in branches
        if not any(str(each.schema_path[-1]) == "type" for each in branch)
        for one in branch
    ]
    own_kind.sort(key=lambda one: str(one.schema_path[-1]) not in _UNKNOWN)
    return own_kind[0] if own_kind else None


def _properties(schema: Mapping[str, Any], root: Mapping[str, Any]) -> set[str]:
    """Fields that a schema knows, those of the definitions that it takes up among them."""
    names = set(schema.get("properties", {}))
    parts = list(schema.get("allOf", ()))
    reference = str(schema.get("$ref", ""))
    if reference.startswith(_DEFINITIONS):
        parts.append(root.get("$defs", {}).get(reference.removeprefix(_DEFINITIONS), {}))
    for part in parts:
        names |= _properties(part, root)
    return names


def _unknown(name: str, valid: Sequence[str], root: Mapping[str, Any]) -> tuple[str, str]:
    """What to say of an unknown field, and what is expected; ``root`` is the schema of the file."""
    import difflib  # for mistakes only

    close = difflib.get_close_matches(name, valid, n=1, cutoff=_CLOSE)
    if close:
        return f"unknown field '{name}'; did you mean '{close[0]}'?", f"one of {', '.join(valid)}"
    if name in root.get("properties", {}):
        return f"'{name}' belongs at the top of the file", f"here one of {', '.join(valid)}"
    return f"unknown field '{name}'", "one of " + ", ".join(valid)


def _steps(part: Any, path: Sequence[str | int]) -> tuple[str | int, ...]:
    """``path`` with text wherever it names a field: the validator gives '0' as the number 0."""
    steps: list[str | int] = []
    for step in path:
        steps.append(str(step) if isinstance(part, Mapping) else step)
        part = part[steps[-1]]
    return tuple(steps)


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
    text = without_keys(repr(value))
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "…"
