"""Tensors of an ONNX model whose bytes lie in the model itself, initialisers and constants alike.

Those in files beside it are searched by nobody: their bytes have no header of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from buttress.files.byte_source import ByteSource
from buttress.files.protobuf_wire import (
    LEN,
    VARINT,
    Wire,
    WireError,
    WireField,
)
from buttress.probes.artifacts import sniffers
from buttress.probes.artifacts.formats import onnx
from buttress.probes.artifacts.formats.protobuf_model import Shape

_DTYPES: Final = {
    1: "F32", 2: "U8", 3: "I8", 4: "U16", 5: "I16", 6: "I32", 7: "I64", 9: "BOOL", 10: "F16",
    11: "F64", 12: "U32", 13: "U64", 16: "BF16",
}  # fmt: skip
_MAX_DEPTH: Final = 40
# What holds what: numbers of fields in ModelProto and all below it.
_INSIDE: Final[dict[str, dict[int, str]]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}


class OnnxTensor(NamedTuple):
    """As ``Tensor`` of this package."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int
    length: int


def matches(source: ByteSource, head: bytes) -> bool:
    """Whether it has the shape of an ONNX model."""
    return sniffers.protobuf(source, head) and onnx.fits(Shape(Wire(source), source.size))


def described(source: ByteSource) -> Iterator[OnnxTensor]:
    """The tensors that have raw bytes; what comes after a broken place is left out."""
    wire = Wire(source)
    try:
        yield from _within(
            wire, WireField(0, LEN, 0, Shape(Wire(source), source.size).end), "model", 0
        )
    except WireError:
        return


def _within(wire: Wire, message: WireField, kind: str, depth: int) -> Iterator[OnnxTensor]:
    inside = _INSIDE[kind]
    for one in wire.fields(message.start, message.end):
        inner = inside.get(one.number) if one.wire == LEN else None
        if inner == "tensor":
            yield from _tensor(wire, one)
        elif inner is not None and depth < _MAX_DEPTH:
            yield from _within(wire, one, inner, depth + 1)


def _tensor(wire: Wire, tensor: WireField) -> Iterator[OnnxTensor]:
    shape: list[int] = []
    kind, name, raw = 0, "", None
    for one in wire.fields(tensor.start, tensor.end):
        if one.number == 1 and len(shape) < 32:
            shape += wire.packed(one)
        elif one.number == 2 and one.wire == VARINT:
            kind = one.value
        elif one.number == 8 and one.wire == LEN:
            name = wire.text(one)
        elif one.number == 9 and one.wire == LEN:
            raw = one
    if raw is not None:
        yield OnnxTensor(name, _DTYPES.get(kind, ""), tuple(shape), raw.start, raw.value)
