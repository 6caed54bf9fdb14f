"""Writes docs/assessment-json.md from the schema.

To bring the file up to date: ``python -m buttress.documents.schema_doc > docs/assessment-json.md``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final

from buttress.documents.reading import schema

_INTRODUCTION: Final = """\
# assessment.json

<!-- Made from the classes in src/buttress/documents by
     python -m buttress.documents.schema_doc > docs/assessment-json.md -->

{description}

`buttress report --schema` prints the JSON Schema (draft 2020-12) that this page is made from, and
`buttress report` checks a document against it before it renders. Numbers between 0 and 1 are
shares, never percentages. Text of the system under test (prompts, answers, file names) is in here
as it came: escape it before you show it.
"""


def markdown() -> str:
    """The page."""
    root = schema()
    parts = [_INTRODUCTION.format(description=root["description"]), "## The document\n"]
    parts += _table(root, "")
    for name, part in root["$defs"].items():
        parts.append(f"\n## {_title(name)}\n")
        parts.append(f"{_sentence(part['description'])}\n")
        parts += _table(part, "")
    return "\n".join(parts)


def _table(part: Mapping[str, Any], prefix: str) -> list[str]:
    rows = [f"| `{name}` | {kind} | {text} |" for name, kind, text in _rows(part, prefix)]
    return ["| field | type | meaning |", "| --- | --- | --- |", *rows]


def _rows(part: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str, str]]:
    """Name, type and meaning of each field, nested ones after their parent."""
    for name, field in part.get("properties", {}).items():
        optional = "" if name in part["required"] else ", optional"
        text = field["description"].replace("|", "\\|")
        yield prefix + name, _type(field) + optional, text
        inner, step = field, "."
        if inner.get("type") == "array":
            inner, step = inner["items"], "[]."
        if "properties" in inner:
            yield from _rows(inner, f"{prefix}{name}{step}")


def _type(field: Mapping[str, Any]) -> str:
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return f"[{name.replace('_', ' ')}](#{_title(name).lower().replace(' ', '-')})"
    if "enum" in field:
        return _choices(field)
    if "const" in field:
        return f"`{field['const']}`"
    kinds = field["type"] if isinstance(field["type"], list) else [field["type"]]
    if kinds == ["array"]:
        if "prefixItems" in field["items"]:
            names = ", ".join(item["description"] for item in field["items"]["prefixItems"])
            return f"list of [{names}]"
        return f"list of {_type(field['items'])}"
    if kinds == ["object"] and isinstance(field.get("additionalProperties"), Mapping):
        return f"map to {_type(field['additionalProperties'])}"
    return " or ".join(kinds)


def _choices(field: Mapping[str, Any]) -> str:
    choices = ["null" if choice is None else choice for choice in field["enum"]]
    return ", ".join(f"`{choice}`" for choice in choices)


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:].rstrip(".") + "."


if __name__ == "__main__":
    sys.stdout.write(markdown())
