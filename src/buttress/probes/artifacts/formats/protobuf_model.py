"""Models written as one protocol buffer: ONNX, TensorFlow, Core ML, PaddlePaddle.

Such files have no magic number. The shape of the outermost message tells which one it may be; a
file may fit several, and is then examined as each of them. A message needs no end, so whatever is
appended to it either breaks it or passes for fields that the format does not have: both are told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from typing import Final, Protocol, cast

from buttress.files.byte_source import ByteSource, Slice
from buttress.files.protobuf_wire import LEN, TooManyFieldsError, Wire, WireError, WireField
from buttress.probes.artifacts import sniffers
from buttress.probes.artifacts.formats.appended import after
from buttress.probes.artifacts.formats.native import runs
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.scope import Scope

_KEPT: Final = 64  # fields of each number that are looked at to recognise a format
_OPAQUE: Final = 1024  # bytes from which on the payload of an unknown field is told
_TOLD: Final = 10
_MAX_NUMBERS: Final = 4096  # different ones, of which formats have less than 100
_MAX_STRAYS: Final = 20_000  # fields such as no format has at the outermost level


class Shape:
    """The outermost fields: of each number the first few, and the last.

    ``end``: where the last sound field ends. ``error``: why the message does not go on there.

    Formats repeat only messages at this level. So numbers that come again, texts that come 64 times
    and numbers of fields beyond the first few thousand are strays. There may be many of them, as
    readers pass over them; but text and tables can be nothing else to their end.
    """

    def __init__(self, wire: Wire, size: int) -> None:
        self.wire = wire
        self.end = 0
        self.error: WireError | None = None
        self.fields: dict[int, list[WireField]] = {}
        strays, texts = 0, set[int]()
        try:
            for field in wire.fields(0, size):
                kept = self.fields.get(field.number)
                if kept is None:
                    if len(self.fields) < _MAX_NUMBERS:
                        self.fields[field.number] = [field]
                    else:
                        strays += 1
                else:
                    kept[_KEPT - 1 :] = [field]
                    strays += field.wire != LEN or field.number in texts
                    if len(kept) == _KEPT - 1 and not any(map(self.inner, kept)):
                        texts.add(field.number)
                if strays > _MAX_STRAYS:
                    message = f"it has more than {_MAX_STRAYS} fields that no format has"
                    raise TooManyFieldsError(field.start, message)
                self.end = field.following
        except WireError as error:
            self.error = error

    @property
    def flooded(self) -> bool:
        """Whether there are more fields than are read."""
        return isinstance(self.error, TooManyFieldsError)

    def parts(self, number: int) -> list[WireField]:
        """Payloads under that number."""
        return [field for field in self.fields.get(number, ()) if field.wire == LEN]

    def numbers(self, number: int) -> list[int]:
        """The numbers under that number; readers take the last."""
        return [field.value for field in self.fields.get(number, ()) if field.wire == 0]

    def inner(self, field: WireField, most: int = _KEPT) -> list[WireField]:
        """The first fields of a payload, none where it is no message."""
        found: list[WireField] = []
        if field.wire != LEN:
            return found
        try:
            for one in self.wire.fields(field.start, field.end):
                found.append(one)
                if len(found) >= most:
                    break
        except WireError:
            return []
        return found


class _Kind(Protocol):
    __name__: str
    FIELDS: frozenset[tuple[int, int]]  # numbers of the outermost message, with their wire types

    def fits(self, shape: Shape, /) -> bool: ...

    def inspect(self, shape: Shape, scope: Scope) -> Iterator[ArtifactIssue]: ...


# Modules of this package, each with what its outermost message can't be without: what the module's
# own ``fits`` needs, so that it is imported only for a file that may be one.
_KINDS: Final[tuple[tuple[str, Callable[[Shape], object]], ...]] = (
    ("onnx", lambda shape: shape.parts(7) and (shape.numbers(1) or shape.parts(8))),
    ("tensorflow", lambda shape: shape.parts(1) or shape.parts(2)),
    ("core_ml", lambda shape: shape.numbers(1) and shape.parts(2) and max(shape.fields) >= 200),
    ("paddle", lambda shape: shape.parts(1)),
)


@cache
def _kind(name: str) -> _Kind:
    return cast(_Kind, import_module(f"buttress.probes.artifacts.formats.{name}"))


def matches(source: ByteSource, head: bytes) -> bool:
    """Whether it begins with a message of a shape that is known."""
    return sniffers.protobuf(source, head) and any(_fitting(Shape(Wire(source), source.size)))


def kinds(source: ByteSource) -> list[str]:
    """Names of the formats, as modules of this package, whose shape it has."""
    shape = Shape(Wire(source), source.size)
    return [kind.__name__.rpartition(".")[2] for kind in _fitting(shape)]


def _fitting(shape: Shape) -> Iterator[_Kind]:
    for name, possible in _KINDS:
        if possible(shape) and (kind := _kind(name)).fits(shape):
            yield kind


def inspect(source: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
    """Examine it as each of the formats that it fits, then what none of them has."""
    shape = Shape(Wire(source), source.size)
    if shape.flooded:
        yield flood(shape, scope)
    known: frozenset[tuple[int, int]] = frozenset()
    least = None
    for kind in _fitting(shape):
        # One format alone explains a file: what it does not have is a stray, though another has it.
        strange = sum(
            (one.number, one.wire) not in kind.FIELDS
            for number in shape.fields.values()
            for one in number[:1]
        )
        if least is None or strange < least:
            least, known = strange, kind.FIELDS
        try:
            yield from kind.inspect(shape, scope)
        except WireError as error:
            message = f"The model is wrong at byte {error.offset}: {error}."
            yield scope.issue("protobuf-malformed", error.offset, message)
    yield from _strays(source, known, shape.error is not None, scope)


def flood(shape: Shape, scope: Scope) -> ArtifactIssue:
    """The issue of a message with more fields than are read."""
    message = f"As a protocol buffer, {shape.error}; what follows them was not searched."
    return scope.not_searched(shape.end, message)


def _strays(
    source: ByteSource, known: frozenset[tuple[int, int]], broken: bool, scope: Scope
) -> Iterator[ArtifactIssue]:
    """Payloads under unknown numbers, and what follows the last field that is known."""
    sound, tail = 0, broken
    strays: list[WireField] = []
    try:
        for field in Wire(source).fields(0, source.size):
            if (field.number, field.wire) in known:
                sound, tail = field.following, broken
            elif field.wire != LEN:
                tail = True  # a number that nobody defined: bytes that were never a message
            elif len(strays) < _TOLD:
                strays.append(field)
    except WireError:
        pass  # where it breaks, the tail begins
    if tail:
        yield from after(source, sound, scope)
    for field in strays:
        if not tail or field.start < sound:
            yield from _stray(source, field, scope)


def _stray(source: ByteSource, field: WireField, scope: Scope) -> Iterator[ArtifactIssue]:
    payload = Slice(source, field.start, field.value)
    head = payload.read_at(0, 64)
    where = f"in field {field.number}, which the format does not have, at byte {field.start}"
    before = scope.tally.recognised
    inside = list(scope.first(scope.child(f"field-{field.number}").descend(payload), _TOLD))
    if runs(payload, head):
        message = f"A program lies {where}."
        yield scope.issue("appended-data", field.start, message, severity="high")
    elif scope.tally.recognised > before or (field.value >= _OPAQUE and head.strip(b"\0")):
        message = f"{field.value} bytes lie {where}."
        yield scope.issue("appended-data", field.start, message)
    yield from inside
