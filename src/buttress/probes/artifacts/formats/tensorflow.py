"""TensorFlow: SavedModel, MetaGraph, GraphDef and Keras' metadata beside them.

Field numbers as in tensorflow/core/protobuf/saved_model.proto, meta_graph.proto, and
tensorflow/core/framework/graph.proto, function.proto, node_def.proto, attr_value.proto.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from buttress.probes.artifacts.bounded_json import MAX_BYTES, JsonError, parse
from buttress.probes.artifacts.containers.names import leads_out
from buttress.probes.artifacts.encodings.protobuf import LEN, VARINT, Field, Wire, WireError
from buttress.probes.artifacts.formats import keras
from buttress.probes.artifacts.formats.tensorflow_operators import CHECKPOINTS, verdict
from buttress.probes.artifacts.issue import Issue
from buttress.probes.artifacts.scope import Scope, printable

if TYPE_CHECKING:
    from buttress.probes.artifacts.formats.protobuf_model import Shape

_MAX_CONSTANTS: Final = 20_000
_MAX_OPERATORS: Final = 5_000
_MAX_TEXT: Final = 512


@dataclass(slots=True)
class _Seen:
    wire: Wire
    operators: dict[str, tuple[int, str]] = field(default_factory=dict)  # first place, node
    constants: dict[str, str] = field(default_factory=dict)  # text constants of one graph
    files: list[tuple[str, str, int]] = field(default_factory=list)  # operator, input, place
    paths: dict[tuple[str, str], int] = field(default_factory=dict)


def fits(shape: Shape) -> bool:
    """A SavedModel, a MetaGraphDef, a GraphDef, or Keras' metadata."""
    return bool(_graphs(shape)) or _is_metadata(shape)


def _graphs(shape: Shape) -> list[Field]:
    """What may be a GraphDef in the file; a MetaGraphDef can look like one, and the reverse."""
    whole = Field(0, LEN, 0, shape.end)
    found = [graph for meta in shape.parts(2) for graph in _of_meta(shape, meta)]
    found += _of_meta(shape, whole)
    return [*found, whole] if _is_graph(shape, whole) else found


def _of_meta(shape: Shape, meta: Field) -> list[Field]:
    found = [one for one in shape.inner(meta) if one.number == 2 and one.wire == LEN]
    return [one for one in found if _is_graph(shape, one)]


def _is_graph(shape: Shape, graph: Field) -> bool:
    """Nodes that have a name and an operator, or a library of functions that do."""
    for one in shape.inner(graph, 8):
        if one.wire != LEN:
            continue
        inner = {part.number: part for part in shape.inner(one, 8) if part.wire == LEN}
        if one.number == 1 and {1, 2} <= set(inner):
            name = shape.wire.text(inner[2])
            return name.replace(">", "").replace("_", "").isalnum() and name[:1].isalpha()
        if one.number == 2 and 1 in inner:
            signature = [part for part in shape.inner(inner[1], 8) if part.wire == LEN]
            return any(part.number == 1 for part in signature)
    return False


def _is_metadata(shape: Shape) -> bool:
    """SavedMetadata: nodes that have a path, an identifier and JSON."""
    for one in shape.parts(1)[:4]:
        inner = {part.number: part for part in shape.inner(one)}
        if {3, 4, 5} <= set(inner) and inner[5].wire == LEN:
            return shape.wire.data(inner[5], 1) == b"{"
    return False


def inspect(shape: Shape, scope: Scope) -> Iterator[Issue]:
    """Every operator of every graph and function, once each."""
    if _is_metadata(shape):
        yield from _metadata(shape, scope)
    seen = _Seen(shape.wire)
    broken: list[WireError] = []
    graphs = _graphs(shape)
    for graph in graphs:
        try:
            _graph(seen, graph)
        except WireError as error:
            broken.append(error)
        _resolve(seen)
    for operator, (offset, name) in sorted(seen.operators.items()):
        if (found := verdict(operator)) is not None:
            message = f"The operator {operator} of the graph {found[1]} (node {printable(name)!r})."
            yield scope.issue("tensorflow-operator", offset, message, severity=found[0])
    for (operator, path), offset in sorted(seen.paths.items())[:20]:
        message = f"The operator {operator} has the file name {printable(path)!r} built in."
        yield scope.issue("tensorflow-operator", offset, message, severity="high")
    if graphs and len(broken) == len(graphs):  # else it only was no graph
        raise broken[0]


def _graph(seen: _Seen, graph: Field) -> None:
    for one in seen.wire.fields(graph.start, graph.end):
        if one.wire == LEN and one.number == 1:
            _node(seen, one)
        elif one.wire == LEN and one.number == 2:
            _library(seen, one)


def _library(seen: _Seen, library: Field) -> None:
    for function in seen.wire.fields(library.start, library.end):
        if function.wire == LEN and function.number == 1:
            _resolve(seen)
            for one in seen.wire.fields(function.start, function.end):
                if one.wire == LEN and one.number == 3:
                    _node(seen, one)
    _resolve(seen)


def _node(seen: _Seen, node: Field) -> None:
    name, operator, first = "", "", ""
    constant: Field | None = None
    for one in seen.wire.fields(node.start, node.end):
        if one.wire != LEN:
            continue
        if one.number == 1:
            name = seen.wire.text(one)
        elif one.number == 2:
            operator = seen.wire.text(one)
        elif one.number == 3 and not first:
            first = seen.wire.text(one)
        elif one.number == 5 and operator == "Const":
            constant = _value(seen, one) or constant
    if len(seen.operators) < _MAX_OPERATORS or verdict(operator):
        seen.operators.setdefault(operator, (node.start, name))
    if constant is not None and len(seen.constants) < _MAX_CONSTANTS:
        text = _text_of(seen, constant)
        if text:
            seen.constants[name] = text
    if len(seen.files) < _MAX_CONSTANTS and (operator in CHECKPOINTS or verdict(operator)):
        seen.files.append((operator, first, node.start))


def _value(seen: _Seen, attribute: Field) -> Field | None:
    """The tensor of the attribute "value"."""
    key, tensor = "", None
    for one in seen.wire.fields(attribute.start, attribute.end):
        if one.wire == LEN and one.number == 1:
            key = seen.wire.text(one)
        elif one.wire == LEN and one.number == 2:
            for part in seen.wire.fields(one.start, one.end):
                if part.wire == LEN and part.number == 8:
                    tensor = part
    return tensor if key == "value" else None


def _text_of(seen: _Seen, tensor: Field) -> str:
    """The first text of a tensor of texts (DT_STRING is 7)."""
    kind, text = 0, ""
    for one in seen.wire.fields(tensor.start, tensor.end):
        if one.number == 1 and one.wire == VARINT:
            kind = one.value
        elif one.number == 8 and one.wire == LEN and not text and one.value <= _MAX_TEXT:
            text = seen.wire.text(one)
    return text if kind == 7 else ""


def _resolve(seen: _Seen) -> None:
    """File names that are constants of the same graph, then forget its constants."""
    for operator, first, offset in seen.files:
        path = seen.constants.get(first.removeprefix("^").partition(":")[0], "")
        if path and (leads_out(path) or "://" in path):
            seen.paths.setdefault((operator, path), offset)
    seen.files.clear()
    seen.constants.clear()


def _metadata(shape: Shape, scope: Scope) -> Iterator[Issue]:
    """Keras' configurations in keras_metadata.pb."""
    told: set[str] = set()
    for node in shape.wire.fields(0, shape.end):
        if node.wire != LEN or node.number != 1:
            continue
        for one in shape.wire.fields(node.start, node.end):
            if one.wire != LEN or one.number != 5:
                continue
            text = shape.wire.data(one, MAX_BYTES)
            try:
                issues = list(keras.of_config(parse(text)[0], one.start, scope))
            except JsonError:
                issues = list(keras.searched(text, one.start, scope))
            for issue in issues:
                if issue.message not in told and len(told) < 20:
                    told.add(issue.message)
                    yield issue
