"""Where a finding lies, in parts: printed once, and never read back from text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

# How stores and documents tell it that were made before locations had parts.
_TEXT: Final = r"(?s)(?P<path>.+?)(?::(?P<line>[0-9]{1,9})|@(?P<offset>[0-9]{1,18}))"


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a file, or at a URL.

    ``path`` counts from the asset, with ``/``; what can't be shown in it is escaped, and ``uri`` is
    then the same path with its bytes percent-encoded (RFC 3986). ``member`` leads to a part of an
    archive, each step after a ``!``. Lines and columns count from 1, bytes from 0.
    """

    path: str
    member: str = ""
    line: int | None = None
    column: int | None = None
    offset: int | None = None
    uri: str = ""

    def __str__(self) -> str:
        if self.line is not None:
            return f"{self.path}{self.member}:{self.line}"
        if self.offset is not None:
            return f"{self.path}{self.member}@{self.offset}"
        return f"{self.path}{self.member}"

    @property
    def file(self) -> str:
        """Path and member: what stays when lines move."""
        return self.path + self.member

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "path": self.path,
            "member": self.member,
            "line": self.line,
            "column": self.column,
            "offset": self.offset,
            "uri": self.uri,
        }

    @classmethod
    def of_plain(cls, data: Mapping[str, Any]) -> Location:
        """From what ``plain`` gave; fields of newer versions are left out.

        Raises:
            TypeError: it is not the fields of a location.
        """
        known = {name: data[name] for name in data if name in cls.__slots__}
        numbers = (known.get(name) for name in ("line", "column", "offset"))
        texts = (known.get(name, "") for name in ("path", "member", "uri"))
        if not all(isinstance(one, str) for one in texts) or not all(
            one is None or (isinstance(one, int) and not isinstance(one, bool)) for one in numbers
        ):
            raise TypeError("not a location")
        return cls(**known)

    @classmethod
    def of_old_text(cls, text: str) -> Location:
        """From ``path``, ``path:line`` or ``path@offset`` of an old store or document."""
        match = re.fullmatch(_TEXT, text)
        if match is None or match["line"] == "0":
            return cls(text)
        if match["line"]:
            return cls(match["path"], line=int(match["line"]))
        return cls(match["path"], offset=int(match["offset"]))


def location_of(row: Mapping[str, Any]) -> Location:
    """The location of a finding in a document, whatever version wrote it."""
    place = row.get("place")
    if isinstance(place, Mapping):
        return Location.of_plain(place)
    return Location.of_old_text(row["location"])
