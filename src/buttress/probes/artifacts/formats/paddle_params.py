"""PaddlePaddle's parameters (.pdiparams): tensors in a row, without names or a count.

Each is a version, levels of detail with their sizes, a version, the length of a TensorDesc
(framework.proto: type 1, dimensions 2) and raw numbers (``SerializeToStream`` of lod_tensor.cc).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final, NamedTuple

from buttress.files.byte_source import ByteSource
from buttress.files.protobuf_wire import VARINT, Wire, WireError
from buttress.probes.artifacts import sniffers
from buttress.probes.artifacts.formats.appended import after
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.scope import Scope

_TYPES: Final = {  # of VarType: name as safetensors has it, bytes
    0: ("BOOL", 1), 1: ("I16", 2), 2: ("I32", 4), 3: ("I64", 8), 4: ("F16", 2), 5: ("F32", 4),
    6: ("F64", 8), 20: ("U8", 1), 21: ("I8", 1), 22: ("BF16", 2), 23: ("C64", 8), 24: ("C128", 16),
}  # fmt: skip
_MAX_LEVELS: Final = 8
_MAX_DESCRIPTION: Final = 1024


class PaddleTensor(NamedTuple):
    """A tensor: ``offset`` and ``length`` in bytes of the file."""

    dtype: str
    shape: tuple[int, ...]
    offset: int
    length: int


def matches(source: ByteSource, head: bytes) -> bool:
    """A first tensor whose description makes sense and whose numbers are there."""
    return sniffers.paddle_params(source, head) and _tensor(source, 0) is not None


def described(source: ByteSource) -> Iterator[PaddleTensor]:
    """The tensors, up to the first that makes no sense; each has some bytes."""
    at = 0
    while one := _tensor(source, at):
        yield one
        at = one.offset + one.length


def inspect(source: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
    """What lies behind the last tensor."""
    end = 0
    for one in described(source):
        end = one.offset + one.length
    yield from after(source, end, scope)


def _tensor(source: ByteSource, at: int) -> PaddleTensor | None:
    start = source.read_at(at, 12)
    levels = int.from_bytes(start[4:12], "little")
    if len(start) < 12 or start[:4] != bytes(4) or levels > _MAX_LEVELS:
        return None
    at += 12
    for _ in range(levels):
        at += 8 + int.from_bytes(source.read_at(at, 8), "little")
    version = source.read_at(at, 8)
    length = int.from_bytes(version[4:8], "little")
    if len(version) < 8 or version[:4] != bytes(4) or not 2 <= length <= _MAX_DESCRIPTION:
        return None
    kind, shape, wire = -1, [], Wire(source)
    try:
        for field in wire.fields(at + 8, at + 8 + length):
            if field.number == 1 and field.wire == VARINT:
                kind = field.value
            elif field.number == 2:
                shape += wire.packed(field)
            else:
                return None
    except WireError:
        return None
    name, width = _TYPES.get(kind, ("", 0))
    size = math.prod(shape) * width
    begin = at + 8 + length
    if not width or (size and not source.read_at(begin + size - 1, 1)):
        return None
    return PaddleTensor(name, tuple(shape), begin, size)
