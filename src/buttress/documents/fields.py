"""Types of the fields that documents share."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

_UTC: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|\+00:00)$"

Share = Annotated[float, Meta(ge=0, le=1)]
Amount = Annotated[float, Meta(ge=0)]
Count = Annotated[int, Meta(ge=0)]
Number = Annotated[int, Meta(ge=1)]
UtcTime = Annotated[str, Meta(pattern=_UTC)]
VerdictName = Literal["acceptable", "unacceptable", "undecided"]
SeverityName = Literal["info", "low", "medium", "high", "critical"]


class DocumentPart(Struct, frozen=True, kw_only=True):
    """A document, or a part of one. Readers ignore fields that they do not know."""


def about(description: str) -> Meta:
    """What a field means, for its JSON Schema and the docs."""
    return Meta(description=description)
