"""TensorFlow Lite (schema.fbs, version 3): offsets, and operators that need code from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from buttress.probes.artifacts.encodings.flatbuffer import FlatBuffer, FlatError, Table
from buttress.probes.artifacts.formats.tensorflow_operators import verdict
from buttress.probes.artifacts.issue import Issue
from buttress.probes.artifacts.scope import Scope, printable
from buttress.probes.artifacts.source import Source

# Places in the table Model, OperatorCode, SubGraph, Tensor, Operator and Buffer.
_CODES, _GRAPHS, _BUFFERS = 1, 2, 4
_CUSTOM: Final = 32
_KNOWN: Final = {"TFLite_Detection_PostProcess"}
_MAX_TOLD: Final = 20


def matches(_source: Source, head: bytes) -> bool:
    """By the file identifier."""
    return head[4:8] == b"TFL3"


def inspect(source: Source, scope: Scope) -> Iterator[Issue]:
    """Follow every offset, then look at the operators."""
    flat = FlatBuffer(source)
    try:
        for number, issue in enumerate(_model(flat.root(), scope)):
            if number < _MAX_TOLD:
                yield issue
    except FlatError as error:
        message = f"The model is wrong at byte {error.offset}: {error}."
        yield scope.issue("tflite-malformed", max(error.offset, 0), message)


def _model(model: Table, scope: Scope) -> Iterator[Issue]:
    codes = 0
    for code in model.tables(_CODES):
        codes += 1
        builtin = max(code.number(0, "b"), code.number(3, "i"))
        name = code.text(1)
        if builtin == _CUSTOM or name:
            yield from _operator(name, code.at, scope)
    buffers = 0
    for buffer in model.tables(_BUFFERS):
        buffers += 1
        buffer.vector(0, 1)
        offset, size = buffer.number(1, "Q"), buffer.number(2, "Q")
        if offset > 1 and offset + size > buffer.buffer.size:
            message = f"A buffer ends at {offset + size}, beyond the end of the file."
            yield scope.issue("tflite-malformed", buffer.at, message)
    for graph in model.tables(_GRAPHS):
        yield from _graph(graph, codes, buffers, scope)


def _graph(graph: Table, codes: int, buffers: int, scope: Scope) -> Iterator[Issue]:
    tensors = 0
    for tensor in graph.tables(0):
        tensors += 1
        if tensor.number(2, "I") >= max(buffers, 1):
            message = f"A tensor names buffer {tensor.number(2, 'I')} of {buffers}."
            yield scope.issue("tflite-malformed", tensor.at, message)
        tensor.vector(0, 4)
    for operator in graph.tables(3):
        if operator.number(0, "I") >= codes:
            message = f"An operator has the code {operator.number(0, 'I')} of {codes}."
            yield scope.issue("tflite-malformed", operator.at, message)
        for place in (1, 2):
            start, count = operator.vector(place, 4)
            for i in range(min(count, 10_000)):
                index = operator.buffer.number("i", start + 4 * i)
                if not -1 <= index < tensors:
                    message = f"An operator names tensor {index} of {tensors}."
                    yield scope.issue("tflite-malformed", operator.at, message)
                    break


def _operator(name: str, at: int, scope: Scope) -> Iterator[Issue]:
    shown = printable(name)
    if name.startswith("Flex"):
        found = verdict(name.removeprefix("Flex"))
        if found is not None:
            message = f"The operator {shown}, taken from TensorFlow, {found[1]}."
            yield scope.issue("tensorflow-operator", at, message, severity=found[0])
    elif name not in _KNOWN:
        message = f"The operator {shown!r} needs native code that the program brings along."
        yield scope.issue("tflite-custom-operator", at, message)
