"""Somebody else's JSON, read field by field; what is not as expected is told with its place."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from buttress.errors import InputError
from buttress.files.encodable import encodable


@dataclass(frozen=True, slots=True)
class RecordPlace:
    """Where an object stands: a file, a line of it, or ``ARCHIVE!MEMBER``."""

    file: str
    line: int | None = None

    @classmethod
    def member(cls, archive: Path, name: str) -> RecordPlace:
        """A member of an archive; control characters in its name are shown escaped."""
        shown = name[:200].encode("unicode_escape").decode()
        return cls(f"{archive}!{shown}")

    def error(self, problem: str, expected: str, field: str | None = None) -> InputError:
        """An error at this place."""
        return InputError(problem, file=self.file, line=self.line, field=field, expected=expected)


def parse_json(raw: bytes, place: RecordPlace) -> Any:
    """The JSON value in ``raw``. NaN and infinities pass, since these tools write them.

    Raises:
        InputError: it is not JSON, or nested too deeply.
    """
    try:
        return json.loads(raw)
    except RecursionError:
        problem = "nested too deeply"
    except UnicodeDecodeError as error:
        raise place.error(f"not UTF-8 ({error.reason})", "JSON in UTF-8") from None
    except ValueError as error:  # a number of too many digits is one too
        problem = f"not JSON ({error})"[:200]
    raise place.error(problem, "JSON") from None


class Fields:
    """An object and the path to it. A field that is absent or null has its default."""

    def __init__(self, value: Any, place: RecordPlace, path: str = "") -> None:
        if not isinstance(value, dict):
            raise place.error("not an object", "an object", path or None)
        self._value: dict[str, Any] = value
        self.place = place
        self._path = path

    @property
    def path(self) -> str:
        """Path to this object, empty for a whole record."""
        return self._path

    def name(self, field: str) -> str:
        """Path to a field, for messages."""
        return f"{self._path}.{field}" if self._path else field

    def get(self, field: str) -> Any:
        """The field as it is, or None."""
        return self._value.get(field)

    def error(self, field: str, problem: str, expected: str) -> InputError:
        """An error at that field."""
        return self.place.error(problem, expected, self.name(field))

    def text(self, field: str, default: str | None = None) -> str:
        """A text.

        Raises:
            InputError: it is of another type, or absent without a default.
        """
        value = self._value.get(field)
        if value is None and default is not None:
            return default
        if not isinstance(value, str):
            raise self.error(field, "missing" if value is None else "not text", "text")
        return encodable(value)

    def number(self, field: str, default: float) -> float:
        """A number.

        Raises:
            InputError: it is of another type.
        """
        value = self._value.get(field)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.error(field, "not a number", "a number")
        return value

    def count(self, field: str) -> int:
        """A whole number from 0 to 2^53; 0 where it is something else."""
        value = self._value.get(field)
        usable = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53
        return int(value) if usable and value else 0

    def object(self, field: str) -> Fields:
        """An object; an empty one where absent.

        Raises:
            InputError: it is of another type.
        """
        value = self._value.get(field)
        return Fields({} if value is None else value, self.place, self.name(field))

    def values(self, field: str) -> list[Any]:
        """A list; an empty one where absent.

        Raises:
            InputError: it is of another type.
        """
        value = self._value.get(field)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.error(field, "not a list", "a list")
        return value

    def objects(self, field: str) -> list[Fields]:
        """A list of objects; an empty one where absent.

        Raises:
            InputError: it is something else.
        """
        return [
            Fields(value, self.place, f"{self.name(field)}[{index}]")
            for index, value in enumerate(self.values(field))
        ]

    def items(self) -> list[tuple[str, Any]]:
        """All fields with their values."""
        return list(self._value.items())
