"""TensorFlow: SavedModel, MetaGraph, GraphDef and Keras' metadata beside them.

Field numbers as in tensorflow/core/protobuf/saved_model.proto and meta_graph.proto; those of graphs
are in ``tensorflow_graph``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from buttress.files.bounded_json import MAX_BYTES, JsonError, parse
from buttress.files.protobuf_wire import LEN, VARINT, WireError, WireField
from buttress.files.visible import shortened
from buttress.probes.artifacts.containers.names import leads_out
from buttress.probes.artifacts.formats import keras
from buttress.probes.artifacts.formats.tensorflow_graph import Graphs
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.scope import Scope

if TYPE_CHECKING:
    from buttress.probes.artifacts.formats.protobuf_model import Shape

FIELDS: Final = frozenset(
    [(1, VARINT), (3, VARINT), *((one, LEN) for one in range(1, 8))]
)  # of SavedModel, MetaGraphDef and GraphDef
_OPERATOR: Final = re.compile(r"[A-Za-z_][\w>]*\Z")
_LOOKED_AT: Final = 16


def fits(shape: Shape) -> bool:
    """A SavedModel, a MetaGraphDef, a GraphDef, or Keras' metadata."""
    return any(True for _ in _graphs(shape)) or _is_metadata(shape)


def _graphs(shape: Shape) -> Iterator[tuple[WireField, WireField | None]]:
    """What may be a GraphDef in the file, with the MetaGraphDef around it.

    A MetaGraphDef can look like a GraphDef, and the reverse.
    """
    whole = WireField(0, LEN, 0, shape.end)
    if _is_graph(shape, whole):
        yield whole, None
    yield from ((graph, whole) for graph in _of_meta(shape, whole))
    if shape.parts(2):
        for meta in shape.wire.fields(0, shape.end):
            if meta.number == 2 and meta.wire == LEN:
                yield from ((graph, meta) for graph in _of_meta(shape, meta))


def _of_meta(shape: Shape, meta: WireField) -> list[WireField]:
    found = [one for one in shape.inner(meta) if one.number == 2 and one.wire == LEN]
    return [one for one in found if _is_graph(shape, one)]


def _is_graph(shape: Shape, graph: WireField) -> bool:
    """A node that has an operator, or a library with a function that has a name."""
    for one in shape.inner(graph, _LOOKED_AT):
        if one.wire != LEN:
            continue
        if one.number == 1:
            if _named(shape, one, 2):
                return True
        elif one.number == 2:
            for function in shape.inner(one, _LOOKED_AT):
                if function.number == 1 and function.wire == LEN:
                    inner = shape.inner(function, _LOOKED_AT)
                    signature = [part for part in inner if part.number == 1 and part.wire == LEN]
                    if any(_named(shape, part, 1) for part in signature):
                        return True
    return False


def _named(shape: Shape, message: WireField, number: int) -> bool:
    """Whether the text under that number is a name of an operator or of a function."""
    found = [one for one in shape.inner(message, _LOOKED_AT) if one.number == number]
    return any(
        one.wire == LEN and one.value < 512 and _OPERATOR.match(shape.wire.text(one))
        for one in found
    )


def _is_metadata(shape: Shape) -> bool:
    """SavedMetadata: nodes that have a path, an identifier and JSON."""
    for one in shape.parts(1)[:4]:
        inner = {part.number: part for part in shape.inner(one)}
        if {3, 4, 5} <= set(inner) and inner[5].wire == LEN:
            return shape.wire.data(inner[5], 1) == b"{"
    return False


def inspect(shape: Shape, scope: Scope) -> Iterator[ArtifactIssue]:
    """Every operator of every graph and function, once each."""
    if _is_metadata(shape):
        yield from _metadata(shape, scope)
    found = Graphs(shape.wire)
    broken: list[WireError] = []
    count = 0
    for graph, meta in _graphs(shape):
        count += 1
        try:
            assets = _assets(shape, meta) if meta is not None else {}
            found.add(graph, set(assets))
        except WireError as error:
            broken.append(error)
            continue
        for name, offset in assets.values():
            if leads_out(name) or "://" in name:
                message = f"The graph has the asset {shortened(name)!r}, outside its folder."
                yield scope.issue("tensorflow-operator", offset, message)
    yield from found.issues(scope)
    if count and len(broken) == count:  # else it only was no graph
        raise broken[0]


def _assets(shape: Shape, meta: WireField) -> dict[str, tuple[str, int]]:
    """AssetFileDef (6): tensors whose text the loader replaces, each with its file and place."""
    assets: dict[str, tuple[str, int]] = {}
    for asset in shape.wire.fields(meta.start, meta.end):
        if asset.number != 6 or asset.wire != LEN:
            continue
        tensor, name = "", ""
        for one in shape.inner(asset):
            if one.wire == LEN and one.number == 1:
                for part in shape.inner(one):
                    if part.wire == LEN and part.number == 1:
                        tensor = shape.wire.text(part).partition(":")[0]
            elif one.wire == LEN and one.number == 2:
                name = shape.wire.text(one)
        if len(assets) < 1000:
            assets[tensor or f"?{asset.start}"] = name, asset.start
    return assets


def _metadata(shape: Shape, scope: Scope) -> Iterator[ArtifactIssue]:
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
