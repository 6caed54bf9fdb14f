"""Where a finding is, and how the same finding is known again in another assessment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from buttress.evidence.findings import SEVERITIES

_POSITION: Final = re.compile(
    r"(?s)(?P<path>.+?)(?::(?P<line>[0-9]{1,9})|@(?P<offset>[0-9]{1,18}))"
)
GRAVEST_FIRST: Final = tuple(reversed(SEVERITIES))


@dataclass(frozen=True, slots=True)
class Place:
    """A location taken apart: ``path``, ``path:line`` or ``path@offset``; line counts from 1."""

    path: str
    line: int | None = None
    offset: int | None = None


def place(location: str) -> Place:
    """Take a finding's ``location`` apart."""
    match = _POSITION.fullmatch(location)
    if match is None or match["line"] == "0":
        return Place(location)
    if match["line"]:
        return Place(match["path"], line=int(match["line"]))
    return Place(match["path"], offset=int(match["offset"]))


Identity = tuple[str, str, str, str]


def identity(finding: Mapping[str, Any]) -> Identity:
    """What stays when lines move: rule, asset, path without position, and message.

    Several findings may share it; they are then told apart by their number only.
    """
    path = place(finding["location"]).path
    return finding["rule"], finding["asset"], path, finding["message"]


def fingerprint(finding: Mapping[str, Any]) -> str:
    """``identity`` as 32 hex digits."""
    text = "\0".join(identity(finding)).encode("utf-8", "surrogatepass")
    import hashlib

    return hashlib.sha256(text).hexdigest()[:32]


def gravity(severity: str) -> int:
    """0 for the gravest severity."""
    return [str(one) for one in GRAVEST_FIRST].index(severity)
