"""TensorFlow Lite (schema.fbs, version 3): offsets, and operators that need code from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from buttress.files.byte_source import ByteSource, Slice
from buttress.files.visible import shortened
from buttress.probes.artifacts.encodings.flatbuffer import FlatBuffer, FlatError, Table
from buttress.probes.artifacts.formats.native import runs
from buttress.probes.artifacts.formats.tensorflow_operators import is_known, verdict
from buttress.probes.artifacts.formats.tflite_rest import quiet, tail
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.scope import Scope

# Places in the table Model.
_CODES, _GRAPHS, _BUFFERS = 1, 2, 4
_CUSTOM: Final = 32
_KNOWN: Final = {"TFLite_Detection_PostProcess"}
_MAX_TOLD: Final = 20
_MAX_OPTIONS: Final = 64 << 10
_WORD: Final = re.compile(r"[A-Z][\w>]{2,60}")


def matches(_source: ByteSource, head: bytes) -> bool:
    """By the file identifier."""
    return head[4:8] == b"TFL3"


def inspect(source: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
    """Follow every offset, then look at the operators."""
    flat = FlatBuffer(source)
    try:
        yield from scope.first(_Model(flat, source, scope).issues(), _MAX_TOLD)
    except FlatError as error:
        message = f"The model is wrong at byte {error.offset}: {error}."
        yield scope.issue("tflite-malformed", max(error.offset, 0), message)
        return
    yield from tail(source, flat.reach, scope)


class _Model:
    """One model on its way."""

    def __init__(self, flat: FlatBuffer, source: ByteSource, scope: Scope) -> None:
        self._root, self._source, self._scope = flat.root(), source, scope
        self._codes: list[str] = []  # names of custom operators, "" of those built in
        self._buffers: list[tuple[int, int]] = []  # place and length
        self._used: set[int] = set()  # buffers of tensors
        self._told: set[str] = set()

    def issues(self) -> Iterator[ArtifactIssue]:
        for code in self._root.tables(_CODES):
            builtin = max(code.number(0, "b"), code.number(3, "i"))
            name = code.text(1)
            self._codes.append(name)
            if builtin == _CUSTOM or name:
                yield from self._operator(name, code.at)
        for buffer in self._root.tables(_BUFFERS):
            start, length = buffer.vector(0, 1)
            offset, size = buffer.number(1, "Q"), buffer.number(2, "Q")
            if offset > 1 and offset + size > buffer.buffer.size:
                message = f"A buffer ends at {offset + size}, beyond the end of the file."
                yield self._wrong(buffer, message)
            elif offset > 1:
                start, length = offset, size
                buffer.buffer.reach = max(buffer.buffer.reach, offset + size)
            self._buffers.append((start, length))
        for graph in self._root.tables(_GRAPHS):
            yield from self._graph(graph)
        quiet(self._root)
        yield from self._unused()

    def _wrong(self, table: Table, message: str) -> ArtifactIssue:
        return self._scope.issue("tflite-malformed", table.at, message)

    def _graph(self, graph: Table) -> Iterator[ArtifactIssue]:
        tensors, buffers = 0, len(self._buffers)
        for tensor in graph.tables(0):
            tensors += 1
            index = tensor.number(2, "I")
            self._used.add(index)
            if index >= max(buffers, 1):
                yield self._wrong(tensor, f"A tensor names buffer {index} of {buffers}.")
            tensor.vector(0, 4)
            tensor.text(3)
            if quantisation := tensor.part(4):
                for place, width in ((0, 4), (1, 4), (2, 4), (3, 8)):
                    quantisation.vector(place, width)
        for operator in graph.tables(3):
            code = operator.number(0, "I")
            if code >= len(self._codes):
                message = f"An operator has the code {code} of {len(self._codes)}."
                yield self._wrong(operator, message)
            else:
                yield from self._options(operator, self._codes[code])
            for place in (1, 2):
                start, count = operator.vector(place, 4)
                for i in range(min(count, 10_000)):
                    index = operator.buffer.number("i", start + 4 * i)
                    if not -1 <= index < tensors:
                        message = f"An operator names tensor {index} of {tensors}."
                        yield self._wrong(operator, message)
                        break

    def _options(self, operator: Table, name: str) -> Iterator[ArtifactIssue]:
        """What TensorFlow runs stands in the options of the operator; its name is only a label."""
        operator.part(4)
        start, count = operator.vector(5, 1)
        offset, size = operator.number(9, "Q"), operator.number(10, "Q")
        if offset > 1:
            start, count = offset, size
        if not name.startswith("Flex"):
            return
        text = self._source.read_at(start, min(count, _MAX_OPTIONS)).decode("latin-1")
        if count > _MAX_OPTIONS:
            message = f"The options of an operator have {count} bytes; not all were searched."
            yield self._scope.not_searched(operator.at, message)
        for word in _WORD.findall(text):
            if word != name.removeprefix("Flex") and word not in self._told and verdict(word):
                self._told.add(word)
                yield from self._flex(word, operator.at)

    def _operator(self, name: str, at: int) -> Iterator[ArtifactIssue]:
        operator = name.removeprefix("Flex")
        if operator != name:
            if verdict(operator) is not None:
                yield from self._flex(operator, at)
            elif not is_known(operator):
                yield self._custom(name, at)
        elif name not in _KNOWN:
            yield self._custom(name, at)

    def _flex(self, operator: str, at: int) -> Iterator[ArtifactIssue]:
        if found := verdict(operator):
            shown = shortened(operator)
            message = f"The operator {shown}, taken from TensorFlow, {found[1]}."
            yield self._scope.issue("tensorflow-operator", at, message, severity=found[0])

    def _custom(self, name: str, at: int) -> ArtifactIssue:
        message = f"The operator {shortened(name)!r} needs native code that the program brings."
        return self._scope.issue("tflite-custom-operator", at, message)

    def _unused(self) -> Iterator[ArtifactIssue]:
        """Buffers that no tensor uses: metadata, or what somebody put there."""
        for index, (start, length) in enumerate(self._buffers):
            if index in self._used or length < 4:
                continue
            payload = Slice(self._source, start, length)
            head = payload.read_at(0, 64)
            before = self._scope.tally.recognised
            below = self._scope.child(f"buffer-{index}").descend(payload)
            inside = list(self._scope.first(below, _MAX_TOLD))
            where = f"in buffer {index}, which no tensor uses"
            if runs(payload, head):
                message = f"A program lies {where}."
                yield self._scope.issue("appended-data", start, message, severity="high")
            elif self._scope.tally.recognised > before:
                message = f"A file lies {where}."
                yield self._scope.issue("appended-data", start, message)
            yield from inside
