"""Core ML (.mlmodel, and the model in an .mlpackage): parts that are compiled code elsewhere.

Field numbers as in Model.proto and NeuralNetwork.proto of coremltools.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from buttress.files.protobuf_wire import LEN, VARINT, Wire, WireField
from buttress.files.visible import shortened
from buttress.probes.artifacts.containers.names import leads_out
from buttress.probes.artifacts.formats import core_ml_program
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.scope import Scope

if TYPE_CHECKING:
    from buttress.probes.artifacts.formats.protobuf_model import Shape

_PIPELINES: Final = (200, 201, 202)
_NETWORKS: Final = (303, 403, 500)
_CUSTOM_MODEL, _LINKED = 555, 556
_KINDS: Final = frozenset(
    (*_PIPELINES, 300, 301, 302, 304, 400, 401, 402, 404, *_NETWORKS, 501, 502, 560, 600, 601, 602,
     603, 604, 606, 607, 609, 610, 900, 2000, 2001, 2002, 2003, 2004, 2005, 2006, 3000,
     _CUSTOM_MODEL, _LINKED)
)  # fmt: skip
FIELDS: Final = frozenset(
    [(1, VARINT), (2, LEN), (10, VARINT), *((one, LEN) for one in _KINDS)]
)  # of Model
_CUSTOM_LAYER: Final = 500
_NESTED: Final = {605: (1, 2), 615: (3, 4)}  # branch and loop: networks within them
_PROGRAM: Final = 502
_MAX_DEPTH: Final = 10
_TOLD: Final = 10


def fits(shape: Shape) -> bool:
    """A version, a description and one of the kinds of model."""
    kinds = _KINDS & set(shape.fields)
    return bool(kinds) and bool(shape.numbers(1)) and bool(shape.parts(2))


def inspect(shape: Shape, scope: Scope) -> Iterator[ArtifactIssue]:
    """Custom models, linked files, and custom layers of networks and of what pipelines hold."""
    yield from scope.first(_model(shape.wire, WireField(0, LEN, 0, shape.end), scope, 0), _TOLD)


def _model(wire: Wire, model: WireField, scope: Scope, depth: int) -> Iterator[ArtifactIssue]:
    if depth > _MAX_DEPTH:
        message = f"Models are nested more than {_MAX_DEPTH} deep."
        yield scope.issue("protobuf-malformed", model.start, message)
        return
    for one in wire.fields(model.start, model.end):
        if one.wire != LEN:
            continue
        if one.number in _NETWORKS:
            yield from _network(wire, one, scope, 0)
        elif one.number == 202:
            yield from _pipeline(wire, one, scope, depth)
        elif one.number in _PIPELINES:
            for part in wire.fields(one.start, one.end):
                if part.wire == LEN and part.number == 1:
                    yield from _pipeline(wire, part, scope, depth)
        elif one.number == _PROGRAM:
            yield from core_ml_program.inspect(wire, one, scope)
        elif one.number == _CUSTOM_MODEL:
            name = _text(wire, one, 10)
            message = f"The model is the class {shortened(name)!r} of the program that loads it."
            yield scope.issue("core-ml-custom-code", one.start, message)
        elif one.number == _LINKED:
            yield from _linked(wire, one, scope)


def _pipeline(wire: Wire, pipeline: WireField, scope: Scope, depth: int) -> Iterator[ArtifactIssue]:
    for one in wire.fields(pipeline.start, pipeline.end):
        if one.wire == LEN and one.number == 1:
            yield from _model(wire, one, scope, depth + 1)


def _network(wire: Wire, network: WireField, scope: Scope, depth: int) -> Iterator[ArtifactIssue]:
    """Layers; those of loops and branches hold networks of their own."""
    if depth > _MAX_DEPTH:
        message = f"Networks are nested more than {_MAX_DEPTH} deep."
        yield scope.issue("protobuf-malformed", network.start, message)
        return
    for layer in wire.fields(network.start, network.end):
        if layer.wire != LEN or layer.number != 1:
            continue
        for one in wire.fields(layer.start, layer.end):
            if one.wire != LEN:
                continue
            if one.number == _CUSTOM_LAYER:
                name = _text(wire, one, 10)
                message = f"A layer is the class {shortened(name)!r} of the program that loads it."
                yield scope.issue("core-ml-custom-code", one.start, message)
            elif one.number in _NESTED:
                for part in wire.fields(one.start, one.end):
                    if part.wire == LEN and part.number in _NESTED[one.number]:
                        yield from _network(wire, part, scope, depth + 1)


def _linked(wire: Wire, linked: WireField, scope: Scope) -> Iterator[ArtifactIssue]:
    """linkedModelFile (1): name (1) and search path (2), each a parameter with a default (1)."""
    parts: list[str] = []
    for file in wire.fields(linked.start, linked.end):
        if file.wire == LEN and file.number == 1:
            for one in wire.fields(file.start, file.end):
                if one.wire == LEN and one.number in (1, 2):
                    parts.append(_text(wire, one, 1))
    shown = shortened(", ".join(parts))
    outside = any(leads_out(part) or part.startswith(("$", "~")) for part in parts)
    message = f"The model is another file, {shown!r}{', outside its folder' if outside else ''}."
    yield scope.issue(
        "config-path", linked.start, message, severity="high" if outside else "medium"
    )


def _text(wire: Wire, message: WireField, number: int) -> str:
    found = [
        wire.text(one)
        for one in wire.fields(message.start, message.end)
        if one.wire == LEN and one.number == number
    ]
    return found[-1] if found else ""
