"""Where something stands in a reply: JSONPath (RFC 9535), and conditions on what stands there.

Replies that are no JSON, such as pages, are read by a regular expression.

Some gateways put the reply into a text inside their own JSON, such as AWS Lambda's ``body``. Where
a path finds nothing, texts that hold JSON are therefore gone into.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from buttress.errors import InputError
from buttress.targets.base import TargetError

_SHOWN: Final = 8
_PATH: Final = "such as $.data.text"
_EQUALS: Final = re.compile(r"^(?P<path>\$.*?)\s*==\s*(?P<value>[^=\]\[]+)$")
_FALSE: Final = frozenset({"", "false", "null", "0", "[]", "{}"})
_REGEX: Final = "regex:"
_MESSAGE: Final = 12  # characters from which, on average, texts in a list are whole messages
_NESTED: Final = 3  # texts inside texts that are gone into


class AnswerPath:
    """Where the answer stands in a reply: a JSONPath, ``regex:PATTERN``, or the whole text.

    Raises:
        InputError: none of these.
    """

    def __init__(self, path: str | None, field: str) -> None:
        self.path = path
        self.pattern: re.Pattern[str] | None = None
        self._find: Any = None
        if path is None:
            return
        if isinstance(path, str) and path.startswith(_REGEX):
            self.pattern = one_group(path.removeprefix(_REGEX), field)
            return
        if not isinstance(path, str) or not path.startswith("$"):
            raise InputError(f"{path!r} is no JSONPath", field=field, expected=_PATH)
        from jsonpath_ng.exceptions import JSONPathError
        from jsonpath_ng.ext.parser import parse

        try:
            self._find = parse(path)
        except (JSONPathError, ValueError) as error:
            problem = f"'{path}' is no JSONPath ({error})"
            raise InputError(problem, field=field, expected=_PATH) from None

    def read(self, payload: Any) -> str | None:
        """The text there; None where the reply has no such place."""
        if self.pattern is not None:
            whole = payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False)
            matches = [match.group(1) or "" for match in self.pattern.finditer(whole)]
            return "\n".join(matches) if matches else None
        if self._find is None:
            return payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False)
        found = self._found(payload) or self._found(_opened(payload, _NESTED))
        return _joined(found) if found else None

    def _found(self, payload: Any) -> list[str]:
        values = [match.value for match in self._find.find(payload)]
        return [_text(value) for value in values if value is not None]

    def missing(self, payload: Any) -> TargetError:
        """That the reply lacks it, and what it has."""
        if isinstance(payload, str):
            return TargetError(f"nothing in the reply matches {self.path}", retry=False, fatal=True)
        has = ", ".join(leaves(payload)[:_SHOWN]) or "nothing"
        return TargetError(f"the reply has no {self.path}; it has {has}", retry=False, fatal=True)


def one_group(pattern: str, field: str) -> re.Pattern[str]:
    """A regular expression with one group, which holds what is looked for.

    Raises:
        InputError: it is none.
    """
    try:
        compiled = re.compile(pattern, re.DOTALL)
    except re.error as error:
        raise InputError(
            f"no regular expression ({error})", field=field, expected="regex:PATTERN"
        ) from None
    if compiled.groups != 1:
        raise InputError(
            f"'{pattern}' has {compiled.groups} groups", field=field, expected="one group"
        )
    return compiled


class ReplyCondition:
    """Whether something is so in a reply: ``$.blocked``, or ``$.status == done``.

    Raises:
        InputError: not a JSONPath.
    """

    def __init__(self, written: Any, field: str) -> None:
        match = _EQUALS.match(written) if isinstance(written, str) else None
        self._path = AnswerPath(match["path"] if match else written, field)
        self._value = match["value"].strip().strip("'\"") if match else None

    def holds(self, payload: Any) -> bool:
        """Whether the place holds that value, or anything but nothing, false, 0 and empty."""
        said = None if isinstance(payload, str) else self._path.read(payload)
        if said is None:
            return False
        return said == self._value if self._value is not None else said not in _FALSE


def leaves(payload: Any, path: str = "$") -> list[str]:
    """Paths of the texts in a reply."""
    if isinstance(payload, Mapping):
        found = [leaf for key, value in payload.items() for leaf in leaves(value, f"{path}.{key}")]
        return found or [path]
    if isinstance(payload, list):
        return leaves(payload[0], f"{path}[0]") if payload else [path]
    return [path] if isinstance(payload, str) else []


def _opened(payload: Any, depth: int) -> Any:
    """``payload`` with texts that hold a JSON object or list replaced by it."""
    if depth == 0:
        return payload
    if isinstance(payload, Mapping):
        return {key: _opened(value, depth) for key, value in payload.items()}
    if isinstance(payload, list):
        return [_opened(value, depth) for value in payload]
    if isinstance(payload, str) and payload[:1] in {"{", "["}:
        try:
            return _opened(json.loads(payload), depth - 1)
        except (ValueError, RecursionError):
            pass
    return payload


def _joined(pieces: list[str]) -> str:
    """Pieces of a text as they are; messages, which are longer and whole, on lines of their own."""
    spaced = any(piece[:1].isspace() or piece[-1:].isspace() for piece in pieces)
    short = sum(map(len, pieces)) < _MESSAGE * len(pieces)
    return ("" if spaced or short else "\n").join(pieces)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
