"""Graphs of TensorFlow: which operators they have, and which file names are built in.

Field numbers as in tensorflow/core/framework/graph.proto, function.proto, node_def.proto and
attr_value.proto.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from buttress.files.byte_source import BytesSource
from buttress.files.protobuf_wire import LEN, VARINT, Wire, WireField
from buttress.files.visible import shortened
from buttress.probes.artifacts.containers.names import leads_out
from buttress.probes.artifacts.formats.tensorflow_operators import CHECKPOINTS, is_known, verdict
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.scope import Scope

_MAX_KEPT: Final = 20_000
_MAX_OPERATORS: Final = 5_000
_MAX_TEXT: Final = 512
_MAX_STEPS: Final = 200  # nodes that a file name is followed through
_TOLD: Final = 20
_NAMED: Final = 8
# What a file name can go through without becoming another one.
_PASSING: Final = {
    "Identity", "IdentityN", "StringJoin", "Reshape", "Squeeze", "ExpandDims", "Pack", "ConcatV2",
    "StringStrip", "ShardedFilename", "Add", "AddV2", "Fill", "Select", "SelectV2", "Switch",
    "Merge", "Enter", "PlaceholderWithDefault", "StopGradient", "ReduceJoin", "Tile", "Snapshot",
}  # fmt: skip


def plain(name: str) -> str:
    """The node that an input names: "^a" is a mere dependency on it, "a:0" one of its outputs."""
    return name.removeprefix("^").partition(":")[0]


class Graphs:
    """All graphs of one file. Names are looked up within one graph or function."""

    def __init__(self, wire: Wire | None = None) -> None:
        self._wire = wire or Wire(BytesSource(b""))
        self._operators: dict[str, tuple[int, str]] = {}  # first place, node
        self._paths: dict[tuple[str, str], int] = {}  # operator and file name: place
        self._texts: dict[str, list[str]] = {}  # constants of the graph at hand
        self._passing: dict[str, list[str]] = {}  # inputs
        self._files: list[tuple[str, list[str], int]] = []  # operator, inputs, place

    def add(self, graph: WireField, assets: set[str]) -> None:
        """A GraphDef; ``assets``: constants that the loader replaces.

        Raises:
            WireError: it is none.
        """
        for one in self._wire.fields(graph.start, graph.end):
            if one.wire == LEN and one.number == 1:
                self._node(one)
            elif one.wire == LEN and one.number == 2:
                self._library(one)
        self.resolve(assets)

    def issues(self, scope: Scope) -> Iterator[ArtifactIssue]:
        """Operators that reach out, operators of others, file names that lead out."""
        foreign: list[str] = []
        for operator, (offset, name) in sorted(self._operators.items()):
            found = verdict(operator)
            if found is not None:
                message = (
                    f"The operator {operator} of the graph {found[1]} (node {shortened(name)!r})."
                )
                yield scope.issue("tensorflow-operator", offset, message, severity=found[0])
            elif not is_known(operator):
                foreign.append(operator)
        if foreign:
            names = ", ".join(shortened(one) for one in foreign[:_NAMED])
            more = f" and {len(foreign) - _NAMED} more" if len(foreign) > _NAMED else ""
            message = (
                f"TensorFlow has no operator {names}{more}: a native library is needed that is "
                "loaded beside the model."
            )
            offset = self._operators[foreign[0]][0]
            yield scope.issue("tensorflow-operator", offset, message, severity="medium")
        for (operator, path), offset in sorted(self._paths.items())[:_TOLD]:
            message = f"The operator {operator} has the file name {shortened(path)!r} built in."
            yield scope.issue("tensorflow-operator", offset, message, severity="high")

    def _library(self, library: WireField) -> None:
        outer = self._texts, self._passing, self._files
        for function in self._wire.fields(library.start, library.end):
            if function.wire == LEN and function.number == 1:
                self._texts, self._passing, self._files = {}, {}, []
                for one in self._wire.fields(function.start, function.end):
                    if one.wire == LEN and one.number == 3:
                        self._node(one)
                self.resolve(set())
        self._texts, self._passing, self._files = outer

    def _node(self, node: WireField) -> None:
        name, operator = "", ""
        inputs: list[str] = []
        attributes: list[WireField] = []
        for one in self._wire.fields(node.start, node.end):
            if one.wire != LEN:
                continue
            if one.number == 1:
                name = self._wire.text(one)
            elif one.number == 2:
                operator = self._wire.text(one)
            elif one.number == 3 and len(inputs) < _NAMED:
                inputs.append(plain(self._wire.text(one)))
            elif one.number == 5 and len(attributes) < _NAMED:
                attributes.append(one)
        texts: list[str] = []
        if operator == "Const":
            constant = next(filter(None, map(self._value, attributes)), None)
            texts = self._texts_of(constant) if constant is not None else []
        self.node(name, operator, inputs, texts, node.start)

    def node(
        self, name: str, operator: str, inputs: list[str], texts: list[str], offset: int
    ) -> None:
        """A node of the graph at hand; ``texts``: what it holds if it is a constant."""
        reaches = verdict(operator) is not None or operator in CHECKPOINTS
        if len(self._operators) < _MAX_OPERATORS or reaches:
            self._operators.setdefault(operator, (offset, name))
        if texts and len(self._texts) < _MAX_KEPT:
            self._texts[name] = texts
        elif operator in _PASSING and len(self._passing) < _MAX_KEPT:
            self._passing[name] = inputs
        elif reaches and len(self._files) < _MAX_KEPT:
            self._files.append((operator, inputs[:2], offset))

    def _value(self, attribute: WireField) -> WireField | None:
        """The tensor of the attribute "value"."""
        key, tensor = "", None
        for one in self._wire.fields(attribute.start, attribute.end):
            if one.wire == LEN and one.number == 1:
                key = self._wire.text(one)
            elif one.wire == LEN and one.number == 2:
                for part in self._wire.fields(one.start, one.end):
                    if part.wire == LEN and part.number == 8:
                        tensor = part
        return tensor if key == "value" else None

    def _texts_of(self, tensor: WireField) -> list[str]:
        """The first texts of a tensor of texts (DT_STRING is 7)."""
        kind = 0
        texts: list[str] = []
        for one in self._wire.fields(tensor.start, tensor.end):
            if one.number == 1 and one.wire == VARINT:
                kind = one.value
            elif one.number == 8 and one.wire == LEN and len(texts) < _NAMED:
                texts.append(self._wire.text(one) if one.value <= _MAX_TEXT else "")
        return texts if kind == 7 else []

    def resolve(self, assets: set[str]) -> None:
        """Follow what file operators take for a name back to constants of the same graph."""
        for operator, inputs, offset in self._files:
            ahead, seen = list(inputs), set(inputs) | assets
            steps = 0
            while ahead and steps < _MAX_STEPS:
                steps += 1
                name = ahead.pop()
                for text in self._texts.get(name, ()) if name not in assets else ():
                    if leads_out(text) or "://" in text:
                        self._paths.setdefault((operator, text), offset)
                more = [one for one in self._passing.get(name, ()) if one not in seen]
                seen.update(more)
                ahead += more
        self._texts, self._passing, self._files = {}, {}, []
