"""Facts about an interface that OpenAPI 3 or Swagger 2 describes: what it takes, from whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

_METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_TOLD: Final = (
    "description", "summary", "example", "examples", "title", "externalDocs", "operationId",
    "tags", "deprecated", "x-", "default",
)  # fmt: skip
_DEPTH: Final = 12
_MOST: Final = 2_000  # operations
_LENGTH: Final = 4_000  # characters of a value


def interface_of(body: bytes) -> Mapping[str, Any] | None:
    """The description in an answer; None where it is none."""
    try:
        data = orjson.loads(body)
    except ValueError:
        return None
    if not isinstance(data, dict) or not ({"openapi", "swagger"} & data.keys()):
        return None
    return data if isinstance(data.get("paths"), dict) else None


def interface_facts(description: Mapping[str, Any]) -> dict[str, str]:
    """Servers, ways to prove who one is, and each operation with what it takes.

    Texts for people, examples, names of components, order and the document's version are no part of
    them. What belongs to one operation has its name before ``#``.
    """
    reader = _Description(description)
    facts: dict[str, str] = {}
    for server in _list(description.get("servers")):
        if isinstance(server, Mapping) and isinstance(server.get("url"), str):
            facts[f"server {server['url']}"] = ""
    if isinstance(host := description.get("host"), str):
        facts[f"server {host}{description.get('basePath', '')}"] = ""
    for name, scheme in reader.schemes().items():
        facts[f"security-scheme {name}"] = reader.shown(scheme)
    usual = description.get("security")
    for path, item in list(description["paths"].items())[:_MOST]:
        whole = reader.resolved(item)
        if not isinstance(whole, Mapping):
            continue
        for method in _METHODS:
            operation = whole.get(method)
            if isinstance(operation, Mapping):
                name = f"operation {method.upper()} {path}"
                facts |= reader.operation(name, operation, whole.get("parameters"), usual)
    return facts


class _Description:
    def __init__(self, data: Mapping[str, Any]) -> None:
        self._data = data

    def schemes(self) -> Mapping[str, Any]:
        components = self._data.get("components")
        found = components.get("securitySchemes") if isinstance(components, Mapping) else None
        found = found or self._data.get("securityDefinitions")
        return found if isinstance(found, Mapping) else {}

    def operation(
        self, name: str, operation: Mapping[str, Any], shared: Any, usual: Any
    ) -> dict[str, str]:
        facts = {name: ""}
        parameters = [
            self.resolved(one) for one in [*_list(shared), *_list(operation.get("parameters"))]
        ]
        shown = sorted(
            f"{one.get('in')} {one.get('name')}{' required' if one.get('required') else ''} "
            f"{self.shown(one.get('schema', one.get('type', '')))}"
            for one in parameters
            if isinstance(one, Mapping)
        )
        facts[f"{name}#parameters"] = "; ".join(shown)[:_LENGTH]
        security = operation.get("security", usual)
        facts[f"{name}#security"] = _security(security)
        if "requestBody" in operation:
            facts[f"{name}#body"] = self.shown(operation["requestBody"])
        responses = operation.get("responses")
        if isinstance(responses, Mapping):
            facts[f"{name}#answers"] = " ".join(sorted(map(str, responses)))
        return facts

    def resolved(self, value: Any) -> Any:
        """The value itself where it is a reference within the document."""
        for _ in range(_DEPTH):
            if not isinstance(value, Mapping) or not isinstance(value.get("$ref"), str):
                return value
            place: Any = self._data
            for part in value["$ref"].removeprefix("#/").split("/"):
                name = part.replace("~1", "/").replace("~0", "~")
                place = place.get(name) if isinstance(place, Mapping) else None
            value = place
        return None

    def shown(self, value: Any) -> str:
        """The value as canonical JSON, references resolved, without texts for people."""
        plain = self._plain(value, 0)
        return orjson.dumps(plain, option=orjson.OPT_SORT_KEYS).decode()[:_LENGTH]

    def _plain(self, value: Any, depth: int) -> Any:
        value = self.resolved(value)
        if depth > _DEPTH:
            return "…"
        if isinstance(value, Mapping):
            named = depth > 0 and not _is_schema(value)
            return {
                str(key): self._plain(one, depth + 1)
                for key, one in value.items()
                if named or not str(key).startswith(_TOLD)
            }
        if isinstance(value, Sequence) and not isinstance(value, str):
            plain = [self._plain(one, depth + 1) for one in value]
            return sorted(plain, key=lambda one: orjson.dumps(one, option=orjson.OPT_SORT_KEYS))
        return value if isinstance(value, str | int | float | bool) or value is None else str(value)


def _is_schema(value: Mapping[str, Any]) -> bool:
    """Whether keys are those of a schema, not names of properties."""
    known = ("type", "properties", "items", "content", "schema", "$ref", "anyOf", "oneOf", "allOf")
    return any(name in value for name in known)


def _security(security: Any) -> str:
    """The ways to prove who one is; ``none`` where nobody has to."""
    ways = []
    for one in _list(security):
        if isinstance(one, Mapping):
            ways.append(" and ".join(sorted(map(str, one))) or "none")
    return " or ".join(sorted(ways)) or "none"


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
