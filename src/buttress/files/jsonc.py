"""JSON with comments and trailing commas, as editors keep it; values know their lines."""

from __future__ import annotations

import json
import re
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any, Final

from buttress.files.encodable import encodable, encodable_data
from buttress.files.located_yaml import FieldPath

MAX_BYTES: Final = 8 << 20
_LINES_UP_TO: Final = 1 << 20  # characters of a text whose values each know their lines
_MAX_VALUES: Final = 100_000  # of a text that is not plain JSON
_MAX_DEPTH: Final = 100
_MAX_TWICE: Final = 20
_SPACE: Final = re.compile(r"(?:[ \t\r\n\ufeff]+|//[^\n]*|/\*(?:[^*]|\*(?!/))*\*/)*")
_ATOM: Final = re.compile(r"-?\d[\d.eE+-]{0,40}|[A-Za-z]{1,10}")
_NAMED: Final = {"true": True, "false": False, "null": None}


class JsoncError(ValueError):
    """It is not JSON, or more than is read (``limit``); the message says where."""

    def __init__(self, message: str, *, limit: bool = False) -> None:
        super().__init__(message)
        self.limit = limit


class JsoncDocument:
    """A parsed text: ``data``, and the lines of values by their paths.

    Of a key that an object has twice, the last value counts, as with most parsers.

    Raises:
        JsonError: it is not JSON.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines: dict[FieldPath, int] = {}
        self._counted, self._line = 0, 1
        self._values = 0
        self.twice: list[tuple[str, int]] = []  # keys given twice, with their lines
        self.data: Any = None
        if len(text) > _LINES_UP_TO and self._plain():
            return
        try:
            self._parse()
        except JsoncError as error:
            if not error.limit or not self._plain():
                raise

    def _parse(self) -> None:
        self.data, end = self._value(self._skip(0), (), 0)
        if self._skip(end) != len(self._text):
            raise JsoncError(f"line {self._at(end)}: something follows the value")

    def line(self, path: FieldPath = ()) -> int:
        """Line (from 1) of the key or value at ``path``, or of its nearest parent."""
        for length in range(len(path), -1, -1):
            if path[:length] in self._lines:
                return self._lines[path[:length]]
        return self._sought(path)

    def _plain(self) -> bool:
        """Read large plain JSON with the standard library, which knows no lines."""

        def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
            data: dict[str, Any] = {}
            for name, value in found:
                if name in data and len(self.twice) < _MAX_TWICE:
                    self.twice.append((name, 1))
                data[name] = value
            return data

        self.twice, self._lines = [], {}
        try:
            data = json.loads(self._text.lstrip("\ufeff"), object_pairs_hook=pairs)
        except (ValueError, RecursionError):
            return False
        if _is_deep(data):
            raise JsoncError("deeper nesting than is read", limit=True)
        self.data = encodable_data(data)
        return True

    def _sought(self, path: FieldPath) -> int:
        """The line where the value at ``path``, or its key, is first written."""
        value = self.data
        for key in path:
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                break
        names = [one for one in path if isinstance(one, str)]
        for sought in ([value] if isinstance(value, str) else []) + names[::-1]:
            for ascii_only in (False, True):
                start = self._text.find(json.dumps(sought, ensure_ascii=ascii_only)[:200])
                if start >= 0:
                    return self._text.count("\n", 0, start) + 1
        return 1

    def _at(self, place: int) -> int:
        if place >= self._counted:
            self._line += self._text.count("\n", self._counted, place)
            self._counted = place
            return self._line
        return self._text.count("\n", 0, place) + 1

    def _skip(self, place: int) -> int:
        match = _SPACE.match(self._text, place)
        return match.end() if match else place

    def _fail(self, place: int, what: str, *, limit: bool = False) -> JsoncError:
        return JsoncError(f"line {self._at(place)}: {what}", limit=limit)

    def _value(self, place: int, path: FieldPath, depth: int) -> tuple[Any, int]:
        self._values += 1
        if self._values > _MAX_VALUES or depth > _MAX_DEPTH:
            raise self._fail(place, "more values, or deeper nesting, than is read", limit=True)
        self._lines.setdefault(path, self._at(place))
        sign = self._text[place : place + 1]
        if sign == '"':
            return self._string(place)
        if sign == "{":
            return self._object(place + 1, path, depth)
        if sign == "[":
            return self._array(place + 1, path, depth)
        match = _ATOM.match(self._text, place)
        if not match:
            raise self._fail(place, "a value is expected")
        if match[0] in _NAMED:
            return _NAMED[match[0]], match.end()
        try:
            return float(match[0]), match.end()
        except ValueError:
            raise self._fail(place, "a value is expected") from None

    def _string(self, place: int) -> tuple[str, int]:
        try:
            text, end = scanstring(self._text, place + 1, False)
        except ValueError:
            raise self._fail(place, "a text has no end") from None
        return encodable(text), end

    def _object(self, place: int, path: FieldPath, depth: int) -> tuple[dict[str, Any], int]:
        data: dict[str, Any] = {}
        place = self._skip(place)
        while self._text[place : place + 1] != "}":
            if self._text[place : place + 1] != '"':
                raise self._fail(place, "a key in quotation marks is expected")
            line = self._at(place)
            name, place = self._string(place)
            place = self._skip(place)
            if self._text[place : place + 1] != ":":
                raise self._fail(place, "':' is expected")
            if name in data and len(self.twice) < _MAX_TWICE:
                self.twice.append((name, line))
            self._lines[(*path, name)] = line
            data[name], place = self._value(self._skip(place + 1), (*path, name), depth + 1)
            place = self._comma(place, "}")
        return data, place + 1

    def _array(self, place: int, path: FieldPath, depth: int) -> tuple[list[Any], int]:
        data: list[Any] = []
        place = self._skip(place)
        while self._text[place : place + 1] != "]":
            value, place = self._value(place, (*path, len(data)), depth + 1)
            data.append(value)
            place = self._comma(place, "]")
        return data, place + 1

    def _comma(self, place: int, closing: str) -> int:
        place = self._skip(place)
        if self._text[place : place + 1] == ",":
            return self._skip(place + 1)
        if self._text[place : place + 1] != closing:
            raise self._fail(place, f"',' or '{closing}' is expected")
        return place


def _is_deep(data: Any) -> bool:
    level = [data]
    for _ in range(_MAX_DEPTH + 1):
        level = [
            inner
            for one in level
            for inner in (
                one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
            )
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return False
    return True
