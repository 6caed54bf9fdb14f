"""Settings that a plugin's target or judge takes in a manifest, as a JSON Schema.

A factory states its schema with ``takes_settings``. Without that, the schema follows from its
signature: each keyword argument is a setting, its annotation is the type, and arguments without a
default are required. The manifest is checked against the schema before the factory is called, so
that errors name file, line and field.

A string with ``"format": "path"`` is a path relative to the manifest's folder; the factory gets a
``pathlib.Path`` that is resolved against that folder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, Final, TypeVar

_Factory = TypeVar("_Factory", bound=Callable[..., Any])
_ATTRIBUTE: Final = "settings_schema"
_SCALARS: Final[Mapping[Any, Mapping[str, Any]]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    Path: {"type": "string", "format": "path"},
}


def takes_settings(
    properties: Mapping[str, Mapping[str, Any]], *, required: tuple[str, ...] = ()
) -> Callable[[_Factory], _Factory]:
    """Decorate a factory with the schema of its settings.

    Args:
        properties: JSON Schema (draft 2020-12) of each setting, by name; a ``description`` is
            shown to users. Each name is a keyword argument of the factory.
        required: settings that have no default.
    """
    schema = {
        "type": "object",
        "properties": {name: dict(field) for name, field in properties.items()},
        "required": list(required),
        "additionalProperties": False,
    }

    def attach(factory: _Factory) -> _Factory:
        setattr(factory, _ATTRIBUTE, schema)
        return factory

    return attach


def settings_schema(factory: Callable[..., Any]) -> dict[str, Any]:
    """JSON Schema of the mapping of settings that ``factory`` takes.

    The schema is the stated one, or follows from the signature. Where the signature has ``**``
    arguments, further settings are allowed.
    """
    stated = getattr(factory, _ATTRIBUTE, None)
    return deepcopy(dict(stated)) if isinstance(stated, Mapping) else _from_signature(factory)


def with_paths(
    schema: Mapping[str, Any], settings: Mapping[str, Any], base: Path
) -> dict[str, Any]:
    """``settings``, in which strings that the schema declares as paths are paths from ``base``."""
    fields = schema.get("properties", {})
    return {
        name: base / value
        if isinstance(value, str) and fields.get(name, {}).get("format") == "path"
        else value
        for name, value in settings.items()
    }


def _from_signature(factory: Callable[..., Any]) -> dict[str, Any]:
    import inspect
    import typing

    try:
        called = factory.__init__ if isinstance(factory, type) else factory  # type: ignore[misc]
        types = typing.get_type_hints(called)
    except (NameError, TypeError, AttributeError):  # annotations that only a type checker resolves
        types = {}
    properties: dict[str, Any] = {}
    required: list[str] = []
    more = False
    for name, parameter in inspect.signature(factory).parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            more = more or parameter.kind is parameter.VAR_KEYWORD
            continue
        properties[name] = _schema_of(types.get(name))
        if parameter.default is parameter.empty:
            required.append(name)
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": more,
    }


def _schema_of(annotation: Any) -> dict[str, Any]:
    """Schema of a value of that type; ``{}``, which allows anything, for other types."""
    import types
    import typing

    if annotation in _SCALARS:
        return dict(_SCALARS[annotation])
    if annotation is type(None):
        return {"type": "null"}
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return {"enum": list(arguments)}
    if origin in (typing.Union, types.UnionType):
        return _union([_schema_of(one) for one in arguments])
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object"}
    if origin is not None and hasattr(origin, "__iter__"):
        return {"type": "array", "items": _schema_of(arguments[0])} if arguments else {}
    return {}


def _union(schemas: list[dict[str, Any]]) -> dict[str, Any]:
    if not all(schemas):
        return {}
    if len(schemas) == 2 and {"type": "null"} in schemas and all("type" in one for one in schemas):
        (other,) = [one for one in schemas if one != {"type": "null"}]
        return other | {"type": [other["type"], "null"]}
    if {"type": "string"} in schemas and {"type": "string", "format": "path"} in schemas:
        schemas = [one for one in schemas if one != {"type": "string"}]
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
