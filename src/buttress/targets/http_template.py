"""Questions to an application in its own form: placeholders.

``{{prompt}}`` is the last turn of the user, ``{{system}}`` the system's text, ``{{history}}`` the
turns before the last, ``{{turns}}`` all of user and assistant, ``{{messages}}`` these and the
system's text as a turn, ``{{session}}`` the token of the session,
``{{id}}`` a new random id for each question, ``{{job}}`` that of an answer which is fetched later.
A text that is nothing but ``{{history}}``, ``{{turns}}`` or ``{{messages}}`` becomes a list of
roles and contents; inside a longer text they are written out. In a value that is JSON written as a
text, or a query of GraphQL, what stands between quotes is escaped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote
from xml.sax.saxutils import escape

from buttress.errors import InputError
from buttress.targets.base import Message

NAMES: Final = ("prompt", "system", "history", "turns", "messages", "session", "id", "job")
_NOT_XML: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PLACEHOLDER: Final = re.compile(r"\{\{\s*([A-Za-z_]+)\s*\}\}")
_MAY_BE_JSON: Final = re.compile(r"\s*[{\[]")
_GRAPHQL: Final = re.compile(r"\s*(?:(?:query|mutation|subscription)\b[^{\"]*)?\{\s*\w+\s*[({]")


def check(template: Any, field: str) -> set[str]:
    """Names of the placeholders in a template.

    Raises:
        InputError: one that is not known.
    """
    found: set[str] = set()
    for text in _texts(template):
        for name in _PLACEHOLDER.findall(text):
            if name not in NAMES:
                expected = "one of " + ", ".join(f"{{{{{known}}}}}" for known in NAMES)
                raise InputError(
                    f"unknown placeholder '{{{{{name}}}}}'", field=field, expected=expected
                )
            found.add(name)
    return found


def _texts(template: Any) -> list[str]:
    if isinstance(template, str):
        return [template]
    if isinstance(template, Mapping):
        return [text for pair in template.items() for part in pair for text in _texts(part)]
    if isinstance(template, list):
        return [text for each in template for text in _texts(each)]
    return []


def values(messages: Sequence[Message], session: str | None, identifier: str) -> dict[str, Any]:
    """What the placeholders stand for."""
    turns = [{"role": m.role, "content": m.content} for m in messages if m.role != "system"]
    last = turns[-1]["content"] if turns else ""
    return {
        "prompt": last,
        "system": "\n\n".join(m.content for m in messages if m.role == "system"),
        "history": turns[:-1],
        "turns": turns,
        "messages": [{"role": m.role, "content": m.content} for m in messages],
        "session": session,
        "id": identifier,
        "job": "",
    }


def fill(template: Any, given: Mapping[str, Any], quoted: Callable[[str], str] = str) -> Any:
    """A template with its placeholders replaced; ``quoted`` is applied to what goes into a text."""
    if isinstance(template, str):
        alone = _PLACEHOLDER.fullmatch(template.strip())
        if alone and not isinstance(given[alone.group(1)], str):
            return given[alone.group(1)]
        if quoted is str and (value := _as_json(template)) is not None:
            return json.dumps(fill(value, given), ensure_ascii=False)
        if quoted is str and _GRAPHQL.match(template):
            quoted = in_json
        return _PLACEHOLDER.sub(lambda match: quoted(_written(given[match.group(1)])), template)
    if isinstance(template, Mapping):
        return {fill(k, given, quoted): fill(v, given, quoted) for k, v in template.items()}
    if isinstance(template, list):
        return [fill(each, given, quoted) for each in template]
    return template


def _as_json(template: str) -> Any:
    """The value that a text is JSON of; None where it is none."""
    try:
        return json.loads(template) if _MAY_BE_JSON.match(template) else None
    except ValueError:
        return None


def in_json(text: str) -> str:
    """A text as it stands inside a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def in_xml(text: str) -> str:
    """A text as it stands inside an element or attribute of XML, without what XML can't hold."""
    return escape(_NOT_XML.sub("\ufffd", text), {'"': "&quot;", "'": "&apos;"})


def in_url(text: str) -> str:
    """A text as it stands inside a URL."""
    return quote(text, safe="")


def _written(value: Any) -> str:
    if isinstance(value, list):
        return "\n\n".join(f"{turn['role']}: {turn['content']}" for turn in value)
    return "" if value is None else str(value)
