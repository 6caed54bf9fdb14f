"""SHA-256 digests of model files that are known to be good.

What is found in such a file is still reported, as accepted and with the severity ``info``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from buttress.evidence.findings import Finding
from buttress.files import located_yaml
from buttress.files.sha256 import file_sha256
from buttress.files.visible import visible
from buttress.packs.knowledge import Knowledge

_TEXT: Final = {"type": "string", "minLength": 1, "maxLength": 500, "description": "text"}
_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["files"],
    "properties": {
        "files": {
            "type": "array", "minItems": 1, "maxItems": 50_000,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["sha256", "bytes", "title", "reason"],
                "properties": {
                    "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$",
                               "description": "64 hex digits in lower case, in quotes"},
                    "bytes": {"type": "integer", "minimum": 0, "description": "size of the file"},
                    "title": _TEXT | {"description": "what file it is"},
                    "reason": _TEXT | {"description": "who looked at it, and how"},
                },
            },
        },
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Good:
    """A good file: its digest in hex, its size, what it is, why it is good, and who says so."""

    sha256: str
    bytes: int
    title: str
    reason: str
    pack: str

    def accept(self, finding: Finding) -> Finding:
        """The finding as one that does not count."""
        told = f"Accepted by digest, pack {self.pack}: {self.title} ({self.reason})"
        return replace(
            finding,
            severity="info",
            message=f"{visible(told)}. It was {finding.severity}: {finding.message}",
            remedy="Nothing, as long as you trust the pack; else remove it.",
        )


class KnownGood:
    """Good files by size and digest."""

    def __init__(self, files: Iterable[Good]) -> None:
        self._by_size: dict[int, dict[str, Good]] = {}
        for one in files:
            self._by_size.setdefault(one.bytes, {}).setdefault(one.sha256, one)

    def find(self, path: Path) -> Good | None:
        """The entry for a file; only one of a size that is known is read."""
        try:
            known = self._by_size.get(path.stat().st_size)
            return known.get(file_sha256(path)) if known else None
        except OSError:
            return None


def load(path: Path, pack: str) -> list[Good]:
    """The entries of a file; ``pack`` is name and version, for reports.

    Raises:
        InputError: naming file, line and field.
    """
    located = located_yaml.load(path)
    located_yaml.check(located, _SCHEMA)
    return [
        Good(one["sha256"], one["bytes"], one["title"].rstrip(". "), one["reason"].rstrip(". "),
             pack)
        for one in located.data["files"]
    ]  # fmt: skip


def known_good(knowledge: Knowledge) -> KnownGood | None:
    """The good files of packs; None where there are none.

    Raises:
        InputError: a file of a pack is not valid.
    """
    files = knowledge.of_kind("known-good")
    if not files:
        return None
    return KnownGood(one for file in files for one in load(file.path, file.pack))
