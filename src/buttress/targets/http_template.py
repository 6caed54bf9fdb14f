"""Questions and answers of an application in its own JSON: placeholders and JSONPath (RFC 9535).

``{{prompt}}`` is the last turn of the user, ``{{system}}`` the system's text, ``{{history}}`` the
turns before the last, ``{{messages}}`` all turns, ``{{session}}`` the token of the session,
``{{id}}`` a new random id for each question. A text that is nothing but ``{{history}}`` or
``{{messages}}`` becomes a list of ``{role, content}``; inside a longer text they are written out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from buttress.errors import InputError
from buttress.targets.base import Message, TargetError

NAMES: Final = ("prompt", "system", "history", "messages", "session", "id")
_PLACEHOLDER: Final = re.compile(r"\{\{\s*([A-Za-z_]+)\s*\}\}")
_SHOWN: Final = 8
_PATH: Final = "such as $.data.text"


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


def values(messages: Sequence[Message], session: str, identifier: str) -> dict[str, Any]:
    """What the placeholders stand for."""
    turns = [{"role": m.role, "content": m.content} for m in messages if m.role != "system"]
    last = turns[-1]["content"] if turns else ""
    return {
        "prompt": last,
        "system": "\n\n".join(m.content for m in messages if m.role == "system"),
        "history": turns[:-1],
        "messages": [{"role": m.role, "content": m.content} for m in messages],
        "session": session,
        "id": identifier,
    }


def fill(template: Any, given: Mapping[str, Any], quoted: Callable[[str], str] = str) -> Any:
    """A template with its placeholders replaced; ``quoted`` is applied to what goes into a text."""
    if isinstance(template, str):
        alone = _PLACEHOLDER.fullmatch(template.strip())
        if alone and not isinstance(given[alone.group(1)], str):
            return given[alone.group(1)]
        return _PLACEHOLDER.sub(lambda match: quoted(_written(given[match.group(1)])), template)
    if isinstance(template, Mapping):
        return {fill(k, given, quoted): fill(v, given, quoted) for k, v in template.items()}
    if isinstance(template, list):
        return [fill(each, given, quoted) for each in template]
    return template


def in_json(text: str) -> str:
    """A text as it stands inside a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def in_url(text: str) -> str:
    """A text as it stands inside a URL."""
    return quote(text, safe="")


def _written(value: Any) -> str:
    if isinstance(value, list):
        return "\n\n".join(f"{turn['role']}: {turn['content']}" for turn in value)
    return str(value)


class AnswerPath:
    """Where the answer stands in a reply: a JSONPath, or the whole text.

    Raises:
        InputError: not a JSONPath.
    """

    def __init__(self, path: str | None, field: str) -> None:
        self.path = path
        self._find: Any = None
        if path is None:
            return
        if not isinstance(path, str) or not path.startswith("$"):
            raise InputError(
                f"{path!r} is no JSONPath", field=field, expected="such as $.data.text"
            )
        from jsonpath_ng.exceptions import JSONPathError
        from jsonpath_ng.ext.parser import parse

        try:
            self._find = parse(path)
        except (JSONPathError, ValueError) as error:
            problem = f"'{path}' is no JSONPath ({error})"
            raise InputError(problem, field=field, expected=_PATH) from None

    def read(self, payload: Any) -> str | None:
        """The text there; None where the reply has no such place."""
        if self._find is None:
            return payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False)
        found = [match.value for match in self._find.find(payload)]
        texts = [_text(value) for value in found if value is not None]
        return "".join(texts) if texts else None

    def missing(self, payload: Any) -> TargetError:
        """That the reply lacks it, and what it has."""
        has = ", ".join(list(_leaves(payload))[:_SHOWN]) or "nothing"
        return TargetError(f"the reply has no {self.path}; it has {has}", retry=False, fatal=True)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _leaves(payload: Any, path: str = "$") -> list[str]:
    """Paths of the texts in a reply."""
    if isinstance(payload, Mapping):
        found = [leaf for key, value in payload.items() for leaf in _leaves(value, f"{path}.{key}")]
        return found or [path]
    if isinstance(payload, list):
        return _leaves(payload[0], f"{path}[0]") if payload else [path]
    return [path] if isinstance(payload, str) else []
