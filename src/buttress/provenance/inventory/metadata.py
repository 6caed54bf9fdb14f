"""What GGUF and safetensors files say of themselves: texts in their headers, nothing else."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from buttress.files.bounded_json import JsonError, parse
from buttress.provenance.inventory.card import read

_HEAD: Final = 1 << 20  # of a GGUF file: general.* comes before the vocabulary
_MAX_PAIRS: Final = 4_096
_MAX_TEXT: Final = 2_000
_WIDTH: Final = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_NUMBERS: Final = {4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q"}
_TEXT, _ARRAY = 8, 9


class _EndError(Exception):
    """The head ends here, or what follows can't be read."""


class _Head:
    def __init__(self, data: bytes, order: str, wide: bool) -> None:
        self.data, self.order, self.at = data, order, 8
        self.length_format = "Q" if wide else "I"

    def take(self, count: int) -> bytes:
        if count < 0 or self.at + count > len(self.data):
            raise _EndError
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, form: str) -> int | float:
        value: int | float = struct.unpack(self.order + form, self.take(struct.calcsize(form)))[0]
        return value

    def text(self) -> str:
        return self.take(int(self.number(self.length_format))).decode("utf-8", "replace")


def gguf(path: Path) -> Mapping[str, str]:
    """Texts and numbers of the header's first megabyte by key, up to what can't be read."""
    return gguf_header(read(path, _HEAD))


def gguf_header(data: bytes) -> Mapping[str, str]:
    """As ``gguf``, of bytes."""
    found: dict[str, str] = {}
    if not data.startswith(b"GGUF") or len(data) < 24:
        return found
    little = int.from_bytes(data[4:8], "little")
    order, version = ("<", little) if little < 1 << 16 else (">", int.from_bytes(data[4:8], "big"))
    head = _Head(data, order, wide=version > 1)
    try:
        head.number(head.length_format)
        for _ in range(min(int(head.number(head.length_format)), _MAX_PAIRS)):
            key, kind = head.text(), int(head.number("I"))
            if kind == _TEXT:
                found[key[:200]] = head.text()[:_MAX_TEXT]
            elif kind in _NUMBERS:
                found[key[:200]] = str(head.number(_NUMBERS[kind]))
            else:
                _skip(head, kind, 0)
    except _EndError:
        pass
    return found


def _skip(head: _Head, kind: int, depth: int) -> None:
    if kind in _WIDTH:
        head.take(_WIDTH[kind])
    elif kind == _TEXT:
        head.text()
    elif kind == _ARRAY and depth < 4:
        inner, count = int(head.number("I")), int(head.number(head.length_format))
        if inner in _WIDTH:
            head.take(_WIDTH[inner] * count)
        else:
            for _ in range(min(count, len(head.data))):
                _skip(head, inner, depth + 1)
    else:
        raise _EndError


def safetensors(path: Path) -> Mapping[str, str]:
    """The texts under ``__metadata__``."""
    head = read(path, 8)
    length = int.from_bytes(head, "little")
    if len(head) < 8 or not 2 <= length <= 8 << 20:
        return {}
    try:
        header, _ = parse(read(path, 8 + length)[8:])
    except JsonError:
        return {}
    metadata = header.get("__metadata__") if isinstance(header, dict) else None
    if not isinstance(metadata, dict):
        return {}
    return {
        str(key)[:200]: value[:_MAX_TEXT]
        for key, value in metadata.items()
        if isinstance(value, str)
    }
