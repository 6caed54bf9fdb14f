"""Models written as one protocol buffer: ONNX, TensorFlow, Core ML, PaddlePaddle.

Such files have no magic number. The shape of the outermost message tells which one it may be; a
file may fit several, and is then examined as each of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

from buttress.probes.artifacts.encodings.protobuf import LEN, Field, Wire, WireError, plausible
from buttress.probes.artifacts.formats import core_ml, onnx, paddle, tensorflow
from buttress.probes.artifacts.issue import Issue
from buttress.probes.artifacts.scope import Scope
from buttress.probes.artifacts.source import Source

_KEPT: Final = 64  # fields of each number that are looked at to recognise a format


class Shape:
    """The outermost fields: of each number the first few."""

    def __init__(self, wire: Wire, end: int) -> None:
        self.wire = wire
        self.end = end
        self.fields: dict[int, list[Field]] = {}
        for field in wire.fields(0, end):
            kept = self.fields.setdefault(field.number, [])
            if len(kept) < _KEPT:
                kept.append(field)

    def parts(self, number: int) -> list[Field]:
        """Payloads under that number."""
        return [field for field in self.fields.get(number, ()) if field.wire == LEN]

    def number(self, number: int) -> int | None:
        """The last number under that number, which is the one that counts."""
        found = [field.value for field in self.fields.get(number, ()) if field.wire == 0]
        return found[-1] if found else None

    def inner(self, field: Field, most: int = _KEPT) -> list[Field]:
        """The first fields of a payload, none where it is no message."""
        found: list[Field] = []
        try:
            for one in self.wire.fields(field.start, field.end):
                found.append(one)
                if len(found) >= most:
                    break
        except WireError:
            return []
        return found


class _Kind(Protocol):
    def fits(self, shape: Shape, /) -> bool: ...

    def inspect(self, shape: Shape, scope: Scope) -> Iterator[Issue]: ...


_KINDS: Final[tuple[_Kind, ...]] = (onnx, tensorflow, core_ml, paddle)


def matches(source: Source, head: bytes) -> bool:
    """Whether it is a message to its very end, of a shape that is known."""
    return plausible(head) and any(_fitting(source))


def _fitting(source: Source) -> Iterator[tuple[_Kind, Shape]]:
    try:
        shape = Shape(Wire(source), source.size)
    except WireError:
        return
    yield from ((kind, shape) for kind in _KINDS if kind.fits(shape))


def inspect(source: Source, scope: Scope) -> Iterator[Issue]:
    """Examine it as each of the formats that it fits."""
    for kind, shape in _fitting(source):
        try:
            yield from kind.inspect(shape, scope)
        except WireError as error:
            message = f"The model is wrong at byte {error.offset}: {error}."
            yield scope.issue("protobuf-malformed", error.offset, message)
