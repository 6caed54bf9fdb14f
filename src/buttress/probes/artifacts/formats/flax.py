"""Flax and JAX checkpoints in MessagePack (flax.serialization): sizes, types, hidden pickles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from buttress.files.byte_source import ByteSource, Slice
from buttress.files.visible import shortened
from buttress.probes.artifacts.encodings.messagepack import MessagePackValue, PackError, walk
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.scope import Scope

# Types of extensions: an array, a complex number, a NumPy scalar.
_ARRAY, _COMPLEX, _SCALAR = 1, 2, 3
_WIDTH: Final = {
    "bool": 1, "int8": 1, "uint8": 1, "int16": 2, "uint16": 2, "int32": 4, "uint32": 4,
    "int64": 8, "uint64": 8, "float16": 2, "bfloat16": 2, "float32": 4, "float64": 8,
    "complex64": 8, "complex128": 16, "float8_e4m3fn": 1, "float8_e5m2": 1, "int4": 1, "uint4": 1,
    "float8_e4m3b11fnuz": 1, "float8_e4m3fnuz": 1, "float8_e5m2fnuz": 1,
}  # fmt: skip
_HEAD: Final = 64 << 10
_TOLD: Final = 10
_CODE: Final = re.compile(
    r"__reduce|__import__|__class__|\b(?:os\.system|subprocess|eval|exec)\b\s*[(.]|"
    r"(?:^|[./\\])\.\.[/\\]"
)
# An array of three, or four: a shape of a few sizes, then the name of a type as text or bytes.
_TYPED: Final = re.compile(
    rb"(?s)(?:[\x93\x94]|\xdc\0[\3\4]|\xdd\0\0\0[\3\4])"
    rb"(?:[\x90-\x9f]|\xdc..|\xdd....)"
    rb"(?:[\0-\x7f\xe0-\xff]|[\xcc\xd0].|[\xcd\xd1]..|[\xce\xd2]....|[\xcf\xd3].{8}){0,15}"
    rb"(?:[\xa1-\xbf]|[\xc4\xd9].|[\xc5\xda]..|[\xc6\xdb]....)[<>=|]?[A-Za-z]"
)
_NAME: Final = re.compile(rb"[^\0-\x08\x0e-\x1f\x7f]*\Z")
_SERIALISED: Final = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK\x03\x04", b"\x7fELF")


def matches(source: ByteSource, head: bytes) -> bool:
    """A map whose first key is a text, and an array within it that has a shape and a type.

    Raw numbers may begin like a map by chance.
    """
    first = head[0]
    if not (0x81 <= first <= 0x8F or first in (0xDE, 0xDF)):
        return False
    key = head[{0xDE: 3, 0xDF: 5}.get(first, 1) :][:1]
    if not key or not (0xA0 <= key[0] <= 0xBF or key[0] in (0xD9, 0xDA)):
        return False
    seen = 0
    try:
        for item in walk(source, 0, 1 << 62):
            seen += 1
            if item.kind == "ext" and item.extension in (_ARRAY, _SCALAR):
                return _TYPED.match(source.read_at(item.start, 256)) is not None
            if item.is_key and item.kind == "str" and not _NAME.match(
                source.read_at(item.start, min(item.length, 256))
            ):  # fmt: skip
                return False
            if item.kind == "end":
                return seen > 2 and not source.read_at(item.start, 1)
            if item.start > _HEAD:
                return False
    except PackError:
        return False
    return False


def inspect(source: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
    """Walk all values; nothing is built."""
    try:
        for number, issue in enumerate(_values(source, scope)):
            if number < _TOLD:
                yield issue
    except PackError as error:
        message = f"The checkpoint is wrong at byte {error.offset}: {error}."
        yield scope.issue("msgpack-malformed", error.offset, message)


def _values(source: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
    key = ""
    for item in walk(source, 0, source.size):
        if item.kind == "str" and item.is_key:
            key = source.read_at(item.start, min(item.length, 256)).decode("utf-8", "replace")
            if found := _CODE.search(key):
                message = f"A key of the checkpoint looks like code: {shortened(found[0])}."
                yield scope.issue("msgpack-code", item.start, message)
        elif item.kind == "str":
            text = source.read_at(item.start, min(item.length, 4096)).decode("utf-8", "replace")
            if found := _CODE.search(text):
                message = f"The value of {shortened(key)!r} looks like code: {shortened(found[0])}."
                yield scope.issue("msgpack-code", item.start, message)
        elif item.kind == "ext":
            yield from _extension(source, item, key, scope)
        elif item.kind == "bin":
            if source.read_at(item.start, 4).startswith(_SERIALISED):
                inner = Slice(source, item.start, item.length)
                yield from scope.child(f"{key}@{item.start}").descend(inner)
        elif item.kind == "end" and (rest := source.size - item.start) > 0:
            message = f"{rest} bytes follow the checkpoint, from {item.start} on."
            yield scope.issue("msgpack-malformed", item.start, message)
            yield from scope.child(f"after@{item.start}").descend(Slice(source, item.start, rest))


def _extension(
    source: ByteSource, item: MessagePackValue, key: str, scope: Scope
) -> Iterator[ArtifactIssue]:
    if item.extension not in (_ARRAY, _COMPLEX, _SCALAR, -1):
        message = f"The value of {shortened(key)!r} has the unknown type {item.extension}."
        yield scope.issue("msgpack-malformed", item.start, message)
        return
    if item.extension in (_COMPLEX, -1):
        return
    sizes: list[int] = []
    dtype, payload = "", -1
    for part in walk(source, item.start, item.start + item.length):
        if part.kind == "int" and part.depth == 2:
            sizes.append(part.value)
        elif part.kind in ("str", "bin") and part.depth == 1 and not dtype:
            raw = source.read_at(part.start, min(part.length, 64))
            dtype = raw.decode("utf-8", "replace")
        elif part.kind == "bin" and part.depth == 1:
            payload = part.length
    shown = f"The array {shortened(key)!r}"
    width = _WIDTH.get(dtype.rpartition(".")[2])
    if width is None:
        grave = dtype in ("object", "O", "|O")
        message = f"{shown} has the type {shortened(dtype)!r}."
        yield scope.issue(
            "msgpack-malformed", item.start, message, severity="high" if grave else None
        )
        return
    count = 1
    for size in sizes:
        count *= size
    if any(size < 0 for size in sizes) or count * width != payload:
        message = f"{shown} has {payload} bytes, where its dimensions need {count * width}."
        yield scope.issue("msgpack-malformed", item.start, message)
