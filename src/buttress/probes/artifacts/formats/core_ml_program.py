"""ML programs of Core ML (MIL.proto of coremltools): custom operators, and files of weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from buttress.files.protobuf_wire import LEN, Wire, WireField
from buttress.files.visible import shortened
from buttress.probes.artifacts.containers.names import leads_out
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.scope import Scope

# Where messages lie in messages: Program, Function, Block, Operation, Argument, and maps of them,
# whose entries have the value under 2.
_INSIDE: Final[dict[str, dict[int, str]]] = {
    "program": {2: "functions", 4: "values"},
    "functions": {2: "function"},
    "function": {3: "blocks", 4: "values"},
    "blocks": {2: "block"},
    "block": {3: "operation", 4: "values"},
    "operation": {2: "arguments", 4: "block", 5: "values"},
    "arguments": {2: "argument"},
    "argument": {1: "binding"},
    "binding": {2: "value"},
    "values": {2: "value"},
    "value": {5: "file"},
}
_CUSTOM: Final = ("custom_layer", "custom")
_PREFIX: Final = "@model_path/"
_MAX_DEPTH: Final = 100


def inspect(wire: Wire, program: WireField, scope: Scope) -> Iterator[ArtifactIssue]:
    """All operations and constants, whatever holds them.

    Raises:
        WireError: the bytes are no program.
    """
    yield from _within(wire, program, "program", scope, 0)


def _within(
    wire: Wire, message: WireField, kind: str, scope: Scope, depth: int
) -> Iterator[ArtifactIssue]:
    if depth > _MAX_DEPTH:
        text = f"Blocks are nested more than {_MAX_DEPTH} deep."
        yield scope.issue("protobuf-malformed", message.start, text)
        return
    for one in wire.fields(message.start, message.end):
        if one.wire != LEN:
            continue
        if kind == "operation" and one.number == 1 and wire.text(one) in _CUSTOM:
            text = "An operation is code of the program that loads the model."
            yield scope.issue("core-ml-custom-code", one.start, text)
        elif kind == "file" and one.number == 1:
            name = wire.text(one)
            if leads_out(name.removeprefix(_PREFIX)) or "://" in name:
                text = f"The model reads weights from {shortened(name)!r}, outside its folder."
                yield scope.issue("config-path", one.start, text)
        elif inner := _INSIDE.get(kind, {}).get(one.number):
            yield from _within(wire, one, inner, scope, depth + 1)
