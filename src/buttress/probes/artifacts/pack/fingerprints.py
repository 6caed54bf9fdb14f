"""SHA-256 digests of files that are known to be bad."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from buttress.evidence.findings import SEVERITIES, Severity
from buttress.files import located_yaml

_TEXT: Final = {"type": "string", "minLength": 1, "maxLength": 500, "description": "text"}
_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["fingerprints"],
    "properties": {
        "fingerprints": {
            "type": "array", "minItems": 1, "maxItems": 50_000,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["sha256", "bytes", "title"],
                "properties": {
                    "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$",
                               "description": "64 hex digits in lower case, in quotes"},
                    "bytes": {"type": "integer", "minimum": 0, "description": "size of the file"},
                    "title": _TEXT,
                    "severity": {"enum": list(SEVERITIES)},
                    "references": {"type": "array", "items": _TEXT, "maxItems": 50},
                },
            },
        },
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A bad file: its digest in hex and its size, by which most files need no digest."""

    sha256: str
    bytes: int
    title: str
    severity: Severity = "critical"
    references: tuple[str, ...] = ()


def load(path: Path) -> list[Fingerprint]:
    """The fingerprints of a file.

    Raises:
        InputError: naming file, line and field.
    """
    located = located_yaml.load(path)
    located_yaml.check(located, _SCHEMA)
    return [
        Fingerprint(**{**one, "references": tuple(one.get("references", ()))})
        for one in located.data["fingerprints"]
    ]
