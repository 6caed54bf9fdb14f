"""JSON Schemas (draft 2020-12) of the documents, made from their classes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, get_args

from msgspec import Struct
from msgspec.json import schema_components

from buttress.documents.fields import SeverityName, VerdictName

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE: Final = "#/$defs/{name}"
_GRADES: Final = (get_args(SeverityName), get_args(VerdictName))


def json_schema(
    document: type[Struct], *, identifier: str, title: str, shared: tuple[type[Struct], ...] = ()
) -> dict[str, Any]:
    """The schema of ``document``.

    Args:
        document: its class.
        identifier: the schema's ``$id``.
        title: the schema's ``title``.
        shared: classes that get a definition of their own; all others stand where they are used.
    """
    _, components = schema_components((document,), ref_template=_REFERENCE)
    named = {kind.__name__: _snake_case(kind.__name__) for kind in shared}
    own = _Schema(components, named)
    root = own.inlined(components[document.__name__])
    return {
        "$schema": _DIALECT,
        "$id": identifier,
        "title": title,
        **root,
        "$defs": {named[name]: own.inlined(components[name]) for name in named},
    }


class _Schema:
    def __init__(self, components: Mapping[str, Any], named: Mapping[str, str]) -> None:
        self._components = components
        self._named = named

    def inlined(self, part: Mapping[str, Any]) -> dict[str, Any]:
        """``part`` with references resolved, and nullable types written as a list of types."""
        part = {key: value for key, value in part.items() if key != "title"}
        if "description" in part:
            part["description"] = _one_line(part["description"])
        if "$ref" in part:
            return self._referred(part)
        if "anyOf" in part:
            return self._nullable(part)
        if "enum" in part:
            part["enum"] = _in_order(part["enum"])
        if len(part.get("enum", ())) == 1:
            part["const"] = part.pop("enum")[0]
        if isinstance(part.get("items"), Mapping):
            part["items"] = self.inlined(part["items"])
        if "prefixItems" in part:
            part["prefixItems"] = [self.inlined(item) for item in part["prefixItems"]]
        if isinstance(part.get("additionalProperties"), Mapping):
            part["additionalProperties"] = self.inlined(part["additionalProperties"])
        if "properties" in part:
            part["properties"] = {
                name: self.inlined(field) for name, field in part["properties"].items()
            }
            part.setdefault("required", [])
        return part

    def _referred(self, part: dict[str, Any]) -> dict[str, Any]:
        name = part.pop("$ref").rpartition("/")[2]
        if name in self._named:
            return {"$ref": _REFERENCE.format(name=self._named[name]), **part}
        return self.inlined(self._components[name]) | part

    def _nullable(self, part: dict[str, Any]) -> dict[str, Any]:
        choices = [self.inlined(choice) for choice in part.pop("anyOf")]
        others = [choice for choice in choices if choice != {"type": "null"}]
        if len(others) == 1 and "enum" in others[0]:
            return {"enum": [*others[0]["enum"], None], **part}
        if len(others) != 1 or "type" not in others[0]:
            return {"anyOf": choices, **part}
        return others[0] | {"type": [others[0]["type"], "null"]} | part


def _in_order(choices: list[Any]) -> list[Any]:
    """msgspec sorts them; grades are shown by grade."""
    return next((list(known) for known in _GRADES if set(known) == set(choices)), choices)


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _one_line(text: str) -> str:
    return " ".join(text.split())
