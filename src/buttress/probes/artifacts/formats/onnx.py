"""ONNX (onnx.proto3, IR version 10): where weights come from, which operators it needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from buttress.files.protobuf_wire import LEN, VARINT, Wire, WireError, WireField
from buttress.files.visible import shortened
from buttress.probes.artifacts.formats.onnx_external import External
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.scope import Scope

if TYPE_CHECKING:
    from buttress.probes.artifacts.formats.protobuf_model import Shape

FIELDS: Final = frozenset(
    [(1, VARINT), (5, VARINT), *((one, LEN) for one in (2, 3, 4, 6, 7, 8, 14, 20, 25, 26))]
)  # of ModelProto
# Numbers of fields.
_IR_VERSION, _GRAPH, _OPSETS, _METADATA, _TRAINING, _FUNCTIONS = 1, 7, 8, 14, 20, 25
_NODE, _INITIALIZER, _SPARSE = 1, 5, 15
KNOWN_DOMAINS: Final = {
    "", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview",
    "ai.onnx.preview.training", "com.microsoft", "com.microsoft.nchwc",
    "com.microsoft.experimental", "com.ms.internal.nhwc", "org.pytorch.aten", "com.microsoft.dml",
}  # fmt: skip
PYTHON: Final = {"PyOp", "PythonOp", "ATen", "pyfunc", "PyFunc"}
_WIDTH: Final = {  # bytes of an element
    1: 4, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 12: 4, 13: 8, 14: 8, 15: 16,
    16: 2, 17: 1, 18: 1, 19: 1, 20: 1,
}  # fmt: skip
_MAX_DEPTH: Final = 40
_MAX_KEPT: Final = 100_000
_TOLD: Final = 10
_CUT: Final = "content-not-searched"


@dataclass(slots=True)
class _Seen:
    wire: Wire
    scope: Scope
    operators: dict[tuple[str, str], int] = field(default_factory=dict)  # domain, type: place
    defined: set[tuple[str, str]] = field(default_factory=set)  # functions in the file
    outside: External = field(default_factory=External)
    issues: list[ArtifactIssue] = field(default_factory=list)
    told: dict[str, int] = field(default_factory=dict)

    def note(self, domain: str, operator: str, offset: int) -> None:
        """Keep where an operator is first used."""
        if len(self.operators) < _MAX_KEPT:
            self.operators.setdefault((domain, operator), offset)
        elif not self.told.get(_CUT):
            message = f"It uses more than {_MAX_KEPT:,} operators of other domains."
            self.tell(_CUT, offset, f"{message} Those that follow were not looked at.")

    def tell(self, rule: str, offset: int, message: str) -> None:
        """Keep the first few of each rule."""
        self.told[rule] = self.told.get(rule, 0) + 1
        if self.told[rule] <= _TOLD:
            self.issues.append(self.scope.issue(rule, offset, message))


def fits(shape: Shape) -> bool:
    """A graph whose first fields are a graph's, and a version of the format or of the operators."""
    if not shape.numbers(_IR_VERSION) and not shape.parts(_OPSETS):
        return False
    for graph in shape.parts(_GRAPH):
        inner = shape.inner(graph)
        if inner and all(one.wire == LEN for one in inner if one.number in (1, 2, 5, 10, 11, 12)):
            return any(one.number in (1, 2, 5, 11, 12) for one in inner)
    return False


def inspect(shape: Shape, scope: Scope) -> Iterator[ArtifactIssue]:
    """Walk all graphs, those inside of operators too."""
    seen = _Seen(shape.wire, scope)
    try:
        for one in shape.wire.fields(0, shape.end):
            if one.wire != LEN:
                continue
            if one.number == _GRAPH:
                _graph(seen, one, 0)
            elif one.number == _TRAINING:
                for part in seen.wire.fields(one.start, one.end):
                    if part.number in (1, 2) and part.wire == LEN:
                        _graph(seen, part, 0)
            elif one.number == _FUNCTIONS:
                _function(seen, one)
            elif one.number == _METADATA:
                _metadata(seen, one)
    except WireError as error:
        yield from seen.issues
        message = f"The ONNX model is wrong at byte {error.offset}: {error}."
        yield scope.issue("protobuf-malformed", error.offset, message)
        return
    yield from seen.issues
    yield from seen.outside.issues(scope)
    yield from foreign(seen.operators, seen.defined, scope)


def foreign(
    used: dict[tuple[str, str], int], defined: set[tuple[str, str]], scope: Scope
) -> Iterator[ArtifactIssue]:
    """Operators (domain and type) of other domains that are no functions of the model either."""
    told: set[str] = set()
    for (domain, operator), offset in sorted(used.items()):
        if (domain, operator) in defined or domain in told:
            continue
        if len(told) == _TOLD:
            scope.more_than(_TOLD)
            return
        told.add(domain)
        message = (
            f"The operator {shortened(operator)!r} of the domain {shortened(domain)!r} is not "
            "ONNX's: it needs a native library that is loaded beside the model."
        )
        yield scope.issue("onnx-custom-operator", offset, message)


def runs_python(kind: str) -> str:
    """What there is to say of such an operator."""
    return f"The operator {shortened(kind)!r} runs Python or PyTorch code by name."


def _graph(seen: _Seen, graph: WireField, depth: int) -> None:
    if depth > _MAX_DEPTH:
        seen.tell("protobuf-malformed", graph.start, f"Graphs are nested more than {depth} deep.")
        return
    for one in seen.wire.fields(graph.start, graph.end):
        if one.wire != LEN:
            continue
        if one.number == _NODE:
            _node(seen, one, depth)
        elif one.number == _INITIALIZER:
            _tensor(seen, one)
        elif one.number == _SPARSE:
            _sparse(seen, one)


def _function(seen: _Seen, function: WireField) -> None:
    name, domain = "", ""
    for one in seen.wire.fields(function.start, function.end):
        if one.wire != LEN:
            continue
        if one.number == 7:
            _node(seen, one, 1)
        elif one.number == 11:
            _attribute(seen, one, 1)
        elif one.number == 1:
            name = seen.wire.text(one)
        elif one.number == 10:
            domain = seen.wire.text(one)
    if len(seen.defined) < _MAX_KEPT:
        seen.defined.add((domain, name))


def _node(seen: _Seen, node: WireField, depth: int) -> None:
    kind, domain = "", ""
    for one in seen.wire.fields(node.start, node.end):
        if one.wire != LEN:
            continue
        if one.number == 4:
            kind = seen.wire.text(one)
        elif one.number == 7:
            domain = seen.wire.text(one)
        elif one.number == 5:
            _attribute(seen, one, depth)
    if kind in PYTHON:
        seen.tell("onnx-python-operator", node.start, runs_python(kind))
    elif domain not in KNOWN_DOMAINS:
        seen.note(domain, kind, node.start)


def _attribute(seen: _Seen, attribute: WireField, depth: int) -> None:
    for one in seen.wire.fields(attribute.start, attribute.end):
        if one.wire != LEN:
            continue
        if one.number in (6, 11):
            _graph(seen, one, depth + 1)
        elif one.number in (5, 10):
            _tensor(seen, one)
        elif one.number in (22, 23):
            _sparse(seen, one)


def _sparse(seen: _Seen, tensor: WireField) -> None:
    for one in seen.wire.fields(tensor.start, tensor.end):
        if one.wire == LEN and one.number in (1, 2):
            _tensor(seen, one)


def _tensor(seen: _Seen, tensor: WireField) -> None:
    """Dimensions against the bytes; the place of bytes that lie in another file."""
    count, kind, name, raw = 1, 0, "", -1
    external: list[tuple[str, str]] = []
    for one in seen.wire.fields(tensor.start, tensor.end):
        if one.number == 1:
            for size in seen.wire.packed(one):
                if size >> 63:
                    seen.tell("protobuf-malformed", one.start, "A tensor has a negative dimension.")
                    return
                count *= size
        elif one.number == 2:
            kind = one.value
        elif one.number == 8 and one.wire == LEN:
            name = seen.wire.text(one)
        elif one.number == 9 and one.wire == LEN:
            raw = one.value
        elif one.number == 13 and one.wire == LEN:
            external.append(_pair(seen, one))
    width = _WIDTH.get(kind)
    if count >> 63:
        message = f"The dimensions of the tensor {shortened(name)!r} overflow."
        seen.tell("protobuf-malformed", tensor.start, message)
    elif raw >= 0 and width and raw != count * width:
        message = (
            f"The tensor {shortened(name)!r} has {raw} bytes, where its dimensions need "
            f"{count * width}."
        )
        seen.tell("protobuf-malformed", tensor.start, message)
    if external:
        needed = count * width if width and not count >> 63 else None
        if problem := seen.outside.add(external, name, needed, tensor.start):
            seen.tell("protobuf-malformed", tensor.start, problem)


def _metadata(seen: _Seen, entry: WireField) -> None:
    """Some runtimes take settings, and libraries to load, from the model's metadata."""
    key, value = _pair(seen, entry)
    lowered = value.lower().strip()
    if key == "ort_config" and ("custom_op" in lowered or ".so" in lowered or ".dll" in lowered):
        message = f"The metadata {shortened(key)!r} names a library to load."
        seen.tell("onnx-custom-operator", entry.start, message)
    elif lowered.endswith((".so", ".dll", ".dylib")):
        message = f"The metadata {shortened(key)!r} names the library {shortened(value)!r}."
        seen.tell("onnx-custom-operator", entry.start, message)


def _pair(seen: _Seen, entry: WireField) -> tuple[str, str]:
    key, value = "", ""
    for one in seen.wire.fields(entry.start, entry.end):
        if one.wire == LEN and one.number == 1:
            key = seen.wire.text(one)
        elif one.wire == LEN and one.number == 2:
            value = seen.wire.text(one)
    return key, value
