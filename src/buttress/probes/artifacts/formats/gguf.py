"""GGUF (versions 1 to 3): counts, bounds and chat templates. Reads the header only.

Layout as the GGUF specification in ggml gives it: magic, version, number of tensors, number of
key-value pairs, the pairs, the tensors' descriptions, padding, data.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from buttress.files.byte_source import ByteSource
from buttress.files.visible import shortened
from buttress.probes.artifacts.code_text import code_in
from buttress.probes.artifacts.containers.names import leads_out
from buttress.probes.artifacts.formats.appended import after
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.jinja_template import reaching, suspicious
from buttress.probes.artifacts.scope import Scope

_CHUNK: Final = 1 << 20
_MAX_NAME: Final = 65_535
_MAX_PAIRS: Final = 100_000
_MAX_TENSORS: Final = 200_000
_MAX_ITEMS: Final = 4_000_000  # array items walked one by one: texts
_TEMPLATE_READ: Final = (1 << 20) + 1
_MAX_TEMPLATES: Final = 16
_MAX_TEXTS: Final = 2_000
_TEXT_READ: Final = 65_536
_PATH_KEYS: Final = ("tokenizer.", "general.", "adapter.")  # what a loader may open
_TOLD: Final = 10
_WIDTH: Final = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_TEXT, _ARRAY = 8, 9

# ggml's types: (values in a block, bytes of a block).
_BLOCKS: Final = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34),
    9: (32, 36), 10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210),
    15: (256, 292), 16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18),
    21: (256, 110), 22: (256, 82), 23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8),
    28: (1, 8), 29: (256, 56), 30: (1, 2), 34: (256, 54), 35: (256, 66), 39: (32, 17),
}  # fmt: skip


class _LieError(Exception):
    """The header can't be read on; carries the offset."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.offset = offset


@dataclass(frozen=True, slots=True)
class GgufTensor:
    """A tensor as the header describes it. ``length`` in bytes, None where the type is unknown.

    ``offset`` counts from the beginning of the data, or in ``described`` of the file.
    """

    name: str
    shape: tuple[int, ...]
    kind: int
    offset: int
    length: int | None


@dataclass(slots=True)
class _Cursor:
    source: ByteSource
    size: int
    order: str
    length_format: str
    at: int = 0
    buffer: bytes = b""
    base: int = 0
    templates: list[tuple[int, str, str]] = field(default_factory=list)
    texts: list[tuple[int, str, str]] = field(default_factory=list)
    unread: int = 0  # texts that are too long, or too many
    alignment: int = 32
    whole: bool = False  # the header was read to its end

    def take(self, count: int) -> bytes:
        if count > self.size - self.at:
            raise _LieError(
                self.at, f"{count} bytes are announced where {self.size - self.at} are left"
            )
        begin = self.at - self.base
        if begin < 0 or begin + count > len(self.buffer):
            self.buffer, self.base, begin = (
                self.source.read_at(self.at, max(_CHUNK, count)),
                self.at,
                0,
            )
        self.at += count
        return self.buffer[begin : begin + count]

    def skip(self, count: int) -> None:
        if count > self.size - self.at:
            raise _LieError(
                self.at, f"{count} bytes are announced where {self.size - self.at} are left"
            )
        self.at += count

    def number(self, form: str) -> int:
        value: int = struct.unpack(self.order + form, self.take(struct.calcsize(form)))[0]
        return value

    def length(self) -> int:
        return self.number(self.length_format)

    def name(self) -> str:
        length = self.length()
        if length > _MAX_NAME:
            raise _LieError(self.at, f"a name is announced as {length} bytes long")
        return self.take(length).decode("utf-8", "backslashreplace")


def matches(_source: ByteSource, head: bytes) -> bool:
    """By the magic number."""
    return head.startswith(b"GGUF") and len(head) >= 24


def _opened(source: ByteSource) -> tuple[_Cursor | None, int]:
    """A cursor after magic and version, None where the version does not exist; the version."""
    head = source.read_at(0, 8)
    little, big = (int.from_bytes(head[4:8], "little"), int.from_bytes(head[4:8], "big"))
    order, version = ("<", little) if little <= big else (">", big)
    if not 1 <= version <= 3:
        return None, version
    return _Cursor(source, source.size, order, "I" if version == 1 else "Q", at=8), version


def _walked(cursor: _Cursor) -> list[GgufTensor]:
    tensors, pairs = cursor.length(), cursor.length()
    if pairs > _MAX_PAIRS or tensors > _MAX_TENSORS:
        raise _LieError(8, f"{tensors} tensors and {pairs} key-value pairs are announced")
    for _ in range(pairs):
        _pair(cursor)
    return [_tensor(cursor) for _ in range(tensors)]


def _data_start(cursor: _Cursor) -> int:
    return (cursor.at + cursor.alignment - 1) // cursor.alignment * cursor.alignment


def described(source: ByteSource) -> list[GgufTensor]:
    """The tensors with their offsets in the file, none where the header lies."""
    cursor, _ = _opened(source)
    try:
        found = _walked(cursor) if cursor is not None else []
    except _LieError:
        return []
    start = _data_start(cursor) if cursor is not None else 0
    return [replace(one, offset=start + one.offset) for one in found]


def inspect(source: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
    """Walk the header, then check templates and where tensors lie."""
    cursor, version = _opened(source)
    if cursor is None:
        yield scope.issue("gguf-malformed", 4, f"GGUF version {version} does not exist.")
        return
    try:
        spans = _walked(cursor)
        cursor.whole = True
    except _LieError as lie:
        message = f"The GGUF header is wrong at byte {lie.offset}: {lie}."
        yield scope.issue("gguf-malformed", lie.offset, message)
        spans = []
    if len(cursor.templates) > _MAX_TEMPLATES:
        message = f"There are {len(cursor.templates)} chat templates; not all were read."
        yield scope.issue("gguf-malformed", 8, message)
    for offset, key, template in cursor.templates[:_MAX_TEMPLATES]:
        if reason := suspicious(template):
            message = f"The chat template {shortened(key)!r} {reason}."
            yield scope.issue("template-code", offset, message)
    if cursor.unread:
        scope.record_skip(f"{cursor.unread} texts of the metadata, too long or too many")
    for offset, key, text in cursor.texts:
        yield from _text(offset, key, text, scope)
    yield from _layout(cursor, spans, scope)


def _text(offset: int, key: str, text: str, scope: Scope) -> Iterator[ArtifactIssue]:
    """What a value of the metadata other than a chat template may be."""
    if reason := reaching(text):
        yield scope.issue("template-code", offset, f"The value {shortened(key)!r} {reason}.")
    elif part := code_in(text, prose=key.startswith("general.")):
        message = f"The header's metadata {shortened(key)!r} holds code: {shortened(part)!r}."
        yield scope.issue("metadata-code", offset, message, proof=text)
    elif key.startswith(_PATH_KEYS) and key.endswith(("_file", "_path")) and leads_out(text):
        message = f"The value {shortened(key)!r} points to {shortened(text)!r}, outside the folder."
        yield scope.issue("config-path", offset, message, severity="medium")


def _pair(cursor: _Cursor) -> None:
    key = cursor.name()
    kind = cursor.number("I")
    if kind == _TEXT and key.startswith("tokenizer.chat_template"):
        length = cursor.length()
        start = cursor.at
        if length > cursor.size - start:
            cursor.skip(length)
        kept = min(length, _TEMPLATE_READ) if len(cursor.templates) < _MAX_TEMPLATES else 0
        text = cursor.source.read_at(start, kept).decode("utf-8", "replace")
        cursor.templates.append((start, key, text))
        cursor.skip(length)
    elif kind == _TEXT:
        length = cursor.length()
        if length <= _TEXT_READ and len(cursor.texts) < _MAX_TEXTS:
            cursor.texts.append((cursor.at, key, cursor.take(length).decode("utf-8", "replace")))
        else:
            cursor.unread += 1
            cursor.skip(length)
    elif kind == _ARRAY and "chat_template" in key:
        start = cursor.at
        _value(cursor, kind, 0)
        raw = cursor.source.read_at(start, min(cursor.at - start, _TEMPLATE_READ))
        # An array of templates: read as one text, with the lengths in between.
        cursor.templates.append((start, key, raw.decode("utf-8", "replace").replace("\0", " ")))
    elif key == "general.alignment" and kind == 4:
        alignment = cursor.number("I")
        if alignment == 0 or alignment & (alignment - 1):
            raise _LieError(cursor.at - 4, f"an alignment of {alignment} is announced")
        cursor.alignment = alignment
    else:
        _value(cursor, kind, 0)


def _value(cursor: _Cursor, kind: int, depth: int) -> None:
    if width := _WIDTH.get(kind):
        cursor.skip(width)
    elif kind == _TEXT:
        cursor.skip(cursor.length())
    elif kind == _ARRAY and depth < 4:
        inner, count = cursor.number("I"), cursor.length()
        if width := _WIDTH.get(inner):
            cursor.skip(width * count)
        elif count > _MAX_ITEMS:
            raise _LieError(cursor.at, f"an array of {count} items is announced")
        elif inner == _TEXT:
            _texts(cursor, count)
        else:
            for _ in range(count):
                _value(cursor, inner, depth + 1)
    else:
        raise _LieError(cursor.at, f"a value of type {kind} is announced")


def _texts(cursor: _Cursor, count: int) -> None:
    """Pass over an array of texts: a vocabulary has a hundred thousand of them."""
    unpack = struct.Struct(cursor.order + cursor.length_format).unpack_from
    width = struct.calcsize(cursor.length_format)
    for _ in range(count):
        begin = cursor.at - cursor.base
        if begin >= 0 and begin + width <= len(cursor.buffer):
            cursor.at += width
            cursor.skip(unpack(cursor.buffer, begin)[0])
        else:
            cursor.skip(cursor.length())


def _tensor(cursor: _Cursor) -> GgufTensor:
    name = cursor.name()
    dimensions = cursor.number("I")
    if dimensions > 8:
        raise _LieError(cursor.at - 4, f"tensor {shortened(name)!r} has {dimensions} dimensions")
    shape = tuple(cursor.length() for _ in range(dimensions))
    count = math.prod(shape)
    if count >= 1 << 63:
        raise _LieError(cursor.at, f"the dimensions of tensor {shortened(name)!r} overflow")
    kind = cursor.number("I")
    offset = cursor.number("Q")
    block = _BLOCKS.get(kind)
    length = None if block is None else (count + block[0] - 1) // block[0] * block[1]
    return GgufTensor(name, shape, kind, offset, length)


def _layout(cursor: _Cursor, spans: list[GgufTensor], scope: Scope) -> Iterator[ArtifactIssue]:
    start = _data_start(cursor)
    room = max(cursor.size - start, 0)
    told, position = 0, 0
    for one in sorted(spans, key=lambda span: span.offset):
        offset, length, problem = one.offset, one.length, None
        if offset % cursor.alignment:
            problem = f"begins at {offset}, against the alignment of {cursor.alignment}"
        elif offset + (length or 0) > room:
            problem = f"ends at {offset + (length or 0)}, beyond the {room} bytes of data"
        elif offset < position:
            problem = f"shares bytes with another one, from {offset} on"
        position = max(position, offset + (length or 0))
        if problem and told < _TOLD:
            told += 1
            message = f"Tensor {shortened(one.name)!r} {problem}."
            yield scope.issue("gguf-malformed", start, message)
    complete = cursor.whole and all(one.length is not None for one in spans)
    if complete and position < room:
        yield from after(cursor.source, start + position, scope)
