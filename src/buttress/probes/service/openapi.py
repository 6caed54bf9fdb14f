"""Reads a description of an API (OpenAPI 3, Swagger 2): its operations, with values to try them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

from buttress.errors import InputError
from buttress.files.yaml_loader import load_yaml

_METHODS: Final = ("get", "post", "put", "patch", "delete")
_DEPTH: Final = 8
_BYTES: Final = 16 << 20
_MOST: Final = 500  # operations
_ITEMS: Final = 100  # of a list in an example
_LONGEST: Final = 1_000  # characters of a text that is made up
# A valid text of each format (JSON Schema, section 7.3) that servers check.
_FORMATS: Final = {
    "uuid": "00000000-0000-4000-8000-000000000001", "date": "2024-01-01",
    "date-time": "2024-01-01T00:00:00Z", "time": "00:00:00Z", "duration": "P1D",
    "email": "x@example.com", "ipv4": "192.0.2.1", "ipv6": "2001:db8::1",
    "hostname": "example.com",
}  # fmt: skip
_BEARER: Final = ("Authorization", "Bearer {key}")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter; ``place`` is path, query, header or cookie."""

    name: str
    place: str
    required: bool
    value: str


@dataclass(frozen=True, slots=True)
class ApiOperation:
    """An operation. ``body`` is a value of its JSON body, None where it takes none.

    ``properties`` are the names of the body's fields, with their formats.
    """

    method: str
    path: str
    parameters: tuple[Parameter, ...]
    secured: bool
    body: Any
    properties: Mapping[str, str]

    def filled(self, values: Mapping[str, str] | None = None) -> str:
        """The path with values, and those of the query that are required or among ``values``."""
        given = values or {}
        path, query = self.path, []
        for one in self.parameters:
            value = given.get(one.name, one.value)
            if one.place == "path":
                shown = value if value.startswith("{") else quote(value, safe="")
                path = path.replace(f"{{{one.name}}}", shown)
            elif one.place == "query" and (one.required or one.name in given):
                shown = value if value.startswith("{") else quote(value, safe="")
                query.append(f"{quote(one.name, safe='')}={shown}")
        return path + ("?" + "&".join(query) if query else "")


@dataclass(frozen=True, slots=True)
class ApiDescription:
    """The operations of an API; ``key_header`` is how it takes a key, ``{key}`` stands for it."""

    operations: tuple[ApiOperation, ...]
    key_header: tuple[str, str] = _BEARER


def load_description(path: Path) -> ApiDescription:
    """The description in a file of JSON or YAML.

    Raises:
        InputError: not readable, or no description.
    """
    expected = "a description in OpenAPI 3 or Swagger 2, as JSON or YAML"
    try:
        if path.stat().st_size > _BYTES:
            raise InputError("larger than 16 MiB", file=str(path), field="--openapi")
        data = load_yaml(path)
    except OSError as error:
        raise InputError(
            error.strerror or str(error), file=str(path), field="--openapi", expected=expected
        ) from None
    except ValueError as error:
        told = " ".join(str(error).split())[:120]
        raise InputError(told, file=str(path), field="--openapi", expected=expected) from None
    if not isinstance(data, dict) or not ({"openapi", "swagger"} & data.keys()):
        raise InputError(
            "no key 'openapi' or 'swagger'", file=str(path), field="--openapi", expected=expected
        )
    paths = data.get("paths")
    if not isinstance(paths, dict) or not paths:
        raise InputError("no paths", file=str(path), field="--openapi", expected=expected)
    reader = _Reader(data)
    operations = tuple(reader.operations(paths))
    if not operations:
        raise InputError("no operations", file=str(path), field="--openapi", expected=expected)
    return ApiDescription(operations[:_MOST], reader.key_header())


class _Reader:
    def __init__(self, data: dict[str, Any]) -> None:
        self._data = data
        self._base = _base(data)

    def operations(self, paths: Mapping[str, Any]) -> Iterator[ApiOperation]:
        for path, item in paths.items():
            found = self._resolved(item)
            if not isinstance(path, str) or not path.startswith("/") or not isinstance(found, dict):
                continue
            for method in _METHODS:
                operation = found.get(method)
                if isinstance(operation, dict):
                    own = next((one for one in (operation, found) if one.get("servers")), None)
                    base = self._base if own is None else _base(own)
                    yield self._operation(method, base + path, found, operation)

    def key_header(self) -> tuple[str, str]:
        schemes = _mapping(_mapping(self._data.get("components")).get("securitySchemes"))
        schemes = schemes or _mapping(self._data.get("securityDefinitions"))
        for scheme in map(self._resolved, schemes.values()):
            if not isinstance(scheme, dict):
                continue
            if scheme.get("type") == "apiKey" and scheme.get("in") == "header":
                name = str(scheme.get("name", ""))
                if name.lower() != "authorization":
                    return (name, "{key}")
        return _BEARER

    def _operation(
        self, method: str, path: str, item: dict[str, Any], operation: dict[str, Any]
    ) -> ApiOperation:
        parameters, body = [], None
        properties: dict[str, str] = {}
        both = [*_list(item.get("parameters")), *_list(operation.get("parameters"))]
        every = [one for one in map(self._resolved, both) if isinstance(one, dict)]
        # Those of an operation replace those of its path.
        for one in {(str(one.get("name")), str(one.get("in"))): one for one in every}.values():
            if one.get("in") == "body":  # Swagger 2
                body, properties = self._body(one.get("schema"))
                continue
            schema = one.get("schema", one)
            value = _example(one, self._sample(schema, 0))
            parameters.append(
                Parameter(
                    str(one.get("name", "")), str(one.get("in", "")),
                    bool(one.get("required")) or one.get("in") == "path",
                    _text(value),
                )
            )  # fmt: skip
        content = _mapping(self._resolved(operation.get("requestBody"))).get("content")
        for kind, media in _mapping(content).items():
            if "json" in str(kind):
                body, properties = self._body(_mapping(media).get("schema"))
                body = _example(_mapping(media), body)
                break
        security = operation.get("security", self._data.get("security"))
        secured = isinstance(security, list) and bool(security) and all(security)
        return ApiOperation(method.upper(), path, tuple(parameters), secured, body, properties)

    def _body(self, schema: Any) -> tuple[Any, dict[str, str]]:
        found = self._resolved(schema)
        properties = {
            str(name): str(_mapping(self._resolved(one)).get("format", ""))
            for name, one in _mapping(_mapping(found).get("properties")).items()
        }
        return self._sample(schema, 0), properties

    def _resolved(self, value: Any) -> Any:
        for _ in range(_DEPTH):
            if not isinstance(value, dict) or not isinstance(value.get("$ref"), str):
                return value
            reference = value["$ref"]
            if not reference.startswith("#/"):
                return None  # of another file or host: never fetched
            value = self._data
            for part in unquote(reference[2:]).split("/"):  # RFC 6901, section 6
                key = part.replace("~1", "/").replace("~0", "~")
                inside = isinstance(value, list)
                value = _element(value, key) if inside else _mapping(value).get(key)
        return None

    def _sample(self, schema: Any, depth: int) -> Any:
        """A value of a schema: an example where there is one, else the least that is valid."""
        found = self._resolved(schema)
        if not isinstance(found, dict) or depth > _DEPTH:
            return "x"
        for name in ("example", "default", "const"):
            if name in found:
                return _as_json(found[name])
        if isinstance(found.get("enum"), list) and found["enum"]:
            return _as_json(found["enum"][0])
        if isinstance(found.get("examples"), list) and found["examples"]:  # OpenAPI 3.1
            return _as_json(found["examples"][0])
        if isinstance(found.get("allOf"), list) and found["allOf"]:
            parts = [self._sample(one, depth + 1) for one in found["allOf"]]
            whole = [one for one in parts if isinstance(one, dict)]
            rest = self._sample({**found, "allOf": None}, depth + 1)
            whole += [rest] if isinstance(rest, dict) else []
            return {key: one[key] for one in whole for key in one} if whole else parts[0]
        for name in ("oneOf", "anyOf"):
            if isinstance(found.get(name), list) and found[name]:
                return self._sample(found[name][0], depth + 1)
        kind = found.get("type")
        if isinstance(kind, list):  # OpenAPI 3.1
            kind = next((one for one in kind if one != "null"), None)
        if kind == "object" or "properties" in found:
            properties = _mapping(found.get("properties"))
            return {
                name: self._sample(properties.get(name), depth + 1)
                for name in _list(found.get("required"))
                if isinstance(name, str)
            }
        if kind == "array":
            return [self._sample(found.get("items"), depth + 1)]
        if kind in ("integer", "number"):
            return _number(found)
        if kind == "boolean":
            return False
        least = found.get("minLength")
        text = _FORMATS.get(str(found.get("format", "")), "x")
        return text.ljust(min(least, _LONGEST), "x") if isinstance(least, int) else text


def _base(data: Mapping[str, Any]) -> str:
    """The path that all operations stand below; hosts of the description are not contacted."""
    base = data.get("basePath", "")
    servers = _list(data.get("servers"))
    if servers and isinstance(servers[0], dict):
        base = _server_path(servers[0])
    if not isinstance(base, str) or "{" in base:
        return ""
    base = base.strip("/")
    return f"/{base}" if base else ""


def _server_path(server: Mapping[str, Any]) -> str:
    """The path of a server's URL, its variables at their defaults."""
    url = str(server.get("url", ""))
    for name, variable in _mapping(server.get("variables")).items():
        url = url.replace(f"{{{name}}}", _text(_mapping(variable).get("default", "")))
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def _example(given: Mapping[str, Any], otherwise: Any) -> Any:
    """The example of a parameter or body, the first where it has several."""
    if "example" in given:
        return _as_json(given["example"])
    first = next(iter(_mapping(given.get("examples")).values()), None)
    return _as_json(_mapping(first).get("value", otherwise))


def _as_json(value: Any, depth: int = 0) -> Any:
    """A value as JSON has it: YAML makes dates of texts that look like some."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict | list) and depth >= _DEPTH:
        return "x"
    if isinstance(value, dict):
        return {str(name): _as_json(one, depth + 1) for name, one in value.items()}
    if isinstance(value, list):
        return [_as_json(one, depth + 1) for one in value[:_ITEMS]]
    return value if value is None or isinstance(value, str | int | float) else "x"


def _number(schema: Mapping[str, Any]) -> int | float:
    """The least that a schema of numbers allows, else 1."""
    above, least = schema.get("exclusiveMinimum"), schema.get("minimum")
    if isinstance(above, int | float) and not isinstance(above, bool):  # OpenAPI 3.1
        return above + 1
    if isinstance(least, int | float) and not isinstance(least, bool):
        return least + 1 if above is True else least
    return 1


def _element(value: list[Any], key: str) -> Any:
    return value[int(key)] if key.isdecimal() and int(key) < len(value) else None


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else "x"
