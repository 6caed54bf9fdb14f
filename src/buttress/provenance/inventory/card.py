"""What cards and licence files in a folder say: untrusted, bounded, never an error."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from buttress.files.yaml_loader import parse_plain
from buttress.provenance.licences.expression import Declared
from buttress.provenance.licences.text import MAX_BYTES, recognise

_MAX_CARD: Final = 1 << 20
_MAX_FRONT: Final = 64 << 10
_MAX_ITEMS: Final = 200
_MAX_SECTION: Final = 2_000
_HEADING: Final = re.compile(r"^#{1,6}[ \t]([^\r\n]*)$", re.MULTILINE)
_LICENCE_FILE: Final = re.compile(
    r"(?i)^(?:licen[cs]e|copying|unlicense)(?:[-_.].*)?$|^use_policy\.md$"
)
_FRONT: Final = re.compile(
    rb"\A\xef?\xbb?\xbf?---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|\Z)", re.DOTALL
)


def read(path: Path, limit: int) -> bytes:
    """A regular file's first bytes, empty where there is none; links are not followed."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0))
    except (OSError, ValueError):
        return b""
    with open(descriptor, "rb") as file:
        try:
            return file.read(limit) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
        except OSError:
            return b""


def front_matter(data: bytes) -> Mapping[str, Any]:
    """The YAML at the head of a card, empty where there is none that can be read."""
    match = _FRONT.match(data)
    if match is None or len(match[1]) > _MAX_FRONT:
        return {}
    try:
        found = parse_plain(match[1].decode("utf-8"))
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {key: value for key, value in found.items() if isinstance(key, str)}


def card(folder: Path) -> Mapping[str, Any]:
    """The front matter of the folder's README."""
    return front_matter(read(folder / "README.md", _MAX_CARD))


def sections(folder: Path) -> Mapping[str, str]:
    """Text of the folder's README by heading, in lower case, each cut at 2,000 characters."""
    found: dict[str, str] = {}
    parts = _HEADING.split(read(folder / "README.md", _MAX_CARD).decode("utf-8", "replace"))
    for heading, body in zip(parts[1::2], parts[2::2], strict=False):
        name = heading.strip(" *_#:").lower()[:100]
        if name and (plain := " ".join(body.split())) and len(found) < _MAX_ITEMS:
            found.setdefault(name, plain[:_MAX_SECTION])
    return found


def texts(value: Any) -> tuple[str, ...]:
    """A text or a list of texts, as cards have either; everything else left out."""
    many = value if isinstance(value, list) else [value]
    return tuple(
        str(one)[:300] for one in many[:_MAX_ITEMS] if isinstance(one, str | int | float) and one
    )


def text(value: Any) -> str:
    """One text, empty where the value is none."""
    return value[:300] if isinstance(value, str) else ""


def declared(front: Mapping[str, Any], where: str) -> Iterator[Declared]:
    """The licence of a card. ``other`` stands for one that ``license_name`` names."""
    names = texts(front.get("license"))
    named = text(front.get("license_name"))
    if names == ("other",) or (not names and named):
        names = (named or "other",)
    kept = [name for name in names if name.lower() != "unknown"]
    if kept:
        # Cards of data sets list those of their parts, which hold together.
        yield Declared(" AND ".join(kept) if len(kept) > 1 else kept[0], where)


def licence_files(folder: Path) -> Iterator[tuple[Declared, Path]]:
    """Licences by the texts in a folder's files, and those that are not known."""
    try:
        with os.scandir(folder) as found:
            names = sorted(one.name for one in found if one.is_file(follow_symlinks=False))
    except OSError:
        return
    for name in names:
        if _LICENCE_FILE.match(name):
            data = read(folder / name, MAX_BYTES)
            if name.lower().startswith("use_policy") or not data.strip():
                continue
            yield Declared(recognise(data) or f"text of {name}", name), folder / name
