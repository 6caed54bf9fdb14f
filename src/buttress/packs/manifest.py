"""``pack.yaml``: what a pack is, and what it holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from buttress import __version__
from buttress.files import located_yaml
from buttress.files.located_yaml import Located
from buttress.packs.contents import kinds
from buttress.packs.version import Version, meets
from buttress.packs.where import ID, MAX_ID

FILE_NAME: Final = "pack.yaml"
SIGNATURE: Final = "pack.yaml.sig"
PATH: Final = re.compile(
    r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}(?:/[A-Za-z0-9_][A-Za-z0-9._-]{0,99}){0,7}"
)
_TEXT: Final = {"type": "string", "minLength": 1, "maxLength": 500}


@cache
def _schema() -> Mapping[str, Any]:
    known = kinds()
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["format", "id", "version", "title", "licence", "authors", "contents"],
        "properties": {
            "format": {"enum": ["buttress-pack/1"], "description": "buttress-pack/1"},
            "id": _TEXT | {"description": "a-z, 0-9 and -"},
            "version": _TEXT | {"description": "a semantic version such as 1.2.0, in quotes"},
            "title": _TEXT | {"description": "text"},
            "licence": _TEXT | {"description": "an SPDX expression such as Apache-2.0"},
            "authors": {"type": "array", "items": _TEXT, "minItems": 1, "maxItems": 100,
                        "description": "a list of names"},
            "requires": _TEXT | {"description": "versions of Buttress such as '>=0.1, <1'"},
            "contents": {
                "type": "array", "minItems": 1, "maxItems": 1_000, "description": "a list of files",
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["kind", "path", "sha256"],
                    "properties": {
                        "kind": {"enum": list(known), "description": "one of " + ", ".join(known)},
                        "path": _TEXT | {"description": "a path such as rules/keys.yaml"},
                        "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$",
                                   "description": "64 hex digits, see `buttress pack seal`"},
                    },
                },
            },
        },
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class PackEntry:
    """A file of a pack: its kind, its path with ``/``, and the SHA-256 of its bytes in hex."""

    kind: str
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """A pack's ``pack.yaml``."""

    id: str
    version: Version
    title: str
    licence: str
    authors: tuple[str, ...]
    requires: str
    contents: tuple[PackEntry, ...]

    @property
    def name(self) -> str:
        """Id and version, for messages."""
        return f"{self.id} {self.version}"


def parse(located: Located) -> Manifest:
    """Make a manifest of parsed YAML.

    Raises:
        InputError: naming file, line, field and what is expected there; also where the pack is for
            other versions of Buttress.
    """
    located_yaml.check(located, _schema())
    data = located.data
    if len(data["id"]) > MAX_ID or not ID.fullmatch(data["id"]):
        raise located.error(
            ("id",), f"'{data['id'][:80]}' is no id", f"a-z, 0-9, -, at most {MAX_ID}"
        )
    try:
        version = Version(data["version"])
    except ValueError as error:
        raise located.error(("version",), str(error), "such as 1.2.0") from None
    requires = data.get("requires", "")
    try:
        fits = not requires or meets(__version__, requires)
    except ValueError as error:
        raise located.error(("requires",), str(error), "such as '>=0.1, <1'") from None
    if not fits:
        raise located.error(
            ("requires",), f"this is Buttress {__version__}", f"Buttress {requires}"
        )
    seen: set[str] = set()
    for index, one in enumerate(data["contents"]):
        at = ("contents", index, "path")
        if not PATH.fullmatch(one["path"]) or one["path"].lower() in (FILE_NAME, SIGNATURE):
            raise located.error(
                at, f"'{one['path'][:80]}' is not allowed", "a plain path such as rules/keys.yaml"
            )
        if one["path"].lower() in seen:
            raise located.error(at, f"'{one['path']}' is given twice", "each path once")
        seen.add(one["path"].lower())
    return Manifest(
        id=data["id"],
        version=version,
        title=data["title"],
        licence=data["licence"],
        authors=tuple(data["authors"]),
        requires=requires,
        contents=tuple(PackEntry(**one) for one in data["contents"]),
    )
