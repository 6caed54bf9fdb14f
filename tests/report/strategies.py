"""Hypothesis strategies for any value that a JSON Schema allows (the keywords that ours uses)."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from buttress.documents.reading import schema

_SCALARS = {
    "null": st.none(),
    "boolean": st.booleans(),
    "string": st.text(st.characters(codec="utf-8"), max_size=40),
}
_KNOWN = {
    "$schema", "$id", "$defs", "title", "description", "type", "enum", "const", "$ref",
    "properties", "required", "additionalProperties", "items", "prefixItems", "minItems",
    "maxItems", "minimum", "maximum", "pattern",
}  # fmt: skip


def documents() -> st.SearchStrategy[dict[str, Any]]:
    """Any document that the schema allows; nothing in it need make sense."""
    return _values(schema())


def _values(part: dict[str, Any]) -> st.SearchStrategy[Any]:
    unknown = part.keys() - _KNOWN
    assert not unknown, f"the schema uses {unknown}: teach the strategy"
    if "$ref" in part:
        return st.deferred(lambda: _values(schema()["$defs"][part["$ref"].rpartition("/")[2]]))
    if "const" in part:
        return st.just(part["const"])
    if "enum" in part:
        return st.sampled_from(part["enum"])
    kinds = part["type"] if isinstance(part["type"], list) else [part["type"]]
    return st.one_of([_kind(kind, part) for kind in kinds])


def _kind(kind: str, part: dict[str, Any]) -> st.SearchStrategy[Any]:
    if kind == "object":
        return _objects(part)
    if kind == "array":
        if "prefixItems" in part:
            return st.tuples(*map(_values, part["prefixItems"])).map(list)
        most = min(3, part.get("maxItems", 3))
        return st.lists(_values(part["items"]), min_size=part.get("minItems", 0), max_size=most)
    if kind == "integer":
        return st.integers(part.get("minimum"), part.get("maximum", 2**63))
    if kind == "number":
        finite = st.floats(
            part.get("minimum"), part.get("maximum"), allow_nan=False, allow_infinity=False
        )
        return finite | st.integers(0, 1) if part.get("minimum") == 0 else finite
    if "pattern" in part:
        return st.from_regex(part["pattern"], fullmatch=True).filter(lambda text: text.isascii())
    return _SCALARS[kind]


def _objects(part: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    if "properties" not in part:
        extra = part["additionalProperties"]
        return st.dictionaries(_SCALARS["string"], _values(extra), max_size=3)
    fields = {name: _values(field) for name, field in part["properties"].items()}
    needed = {name: value for name, value in fields.items() if name in part["required"]}
    optional = {name: value for name, value in fields.items() if name not in part["required"]}
    return st.fixed_dictionaries(needed, optional=optional)
