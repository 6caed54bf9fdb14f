"""Graphs that are written as text: TensorFlow's .pbtxt, ONNX as text format or as JSON.

TensorFlow takes ``saved_model.pbtxt`` where ``saved_model.pb`` is missing, and the onnx package
reads ``.textproto`` and ``.json``: what they name is judged as in the binary files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from buttress.files.byte_source import ByteSource
from buttress.files.visible import shortened
from buttress.probes.artifacts.containers.names import leads_out
from buttress.probes.artifacts.encodings.text import decoded, is_text
from buttress.probes.artifacts.encodings.text_message import ProtoTextMessage, messages
from buttress.probes.artifacts.formats import onnx
from buttress.probes.artifacts.formats.onnx_external import External
from buttress.probes.artifacts.formats.tensorflow_graph import Graphs, plain
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.scope import Scope

_LOOKED_AT: Final = 64 << 10
_MAX_BYTES: Final = 16 << 20
_PIECE: Final = 1 << 20
_GRAPH: Final = re.compile(
    rb"(?:\A|[\s{,;])\"?(?:meta_graphs|metaGraphs|node|node_def|graph|graph_def|library)\"?"
    rb"\s*:?\s*[{<\[]"
)
_SAVED: Final = re.compile(rb"(?:\A|\n)[ \t]*(?:saved_model_schema_version\s*:|meta_graphs\s*[{<])")
_BEGINS: Final = re.compile(rb"\s*(?:\{|[A-Za-z_]\w*\s*[:{<\[])")  # a text message, or JSON
_COMMENT: Final = re.compile(rb"#[^\n]*")
_ONNX: Final = re.compile(rb"\b(?:op_type|opType)\"?\s*:")
_TENSORFLOW: Final = re.compile(rb"\bop\s*:\s*[\"\']")
_TOLD: Final = 10


def matches(source: ByteSource, head: bytes) -> bool:
    """A text that has a graph, and in it the type of an operator."""
    if not is_text(head):
        return False
    text = source.read_at(0, _LOOKED_AT)
    if text.find(b"node") < 0 and text.find(b"meta_graphs") < 0:  # a graph has nodes
        return False
    if b"#" in text:
        text = _COMMENT.sub(b"", text)
    if not _BEGINS.match(text):
        return False
    if _SAVED.search(text):
        return True
    return bool(_GRAPH.search(text) and (_ONNX.search(text) or _TENSORFLOW.search(text)))


def inspect(source: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
    """The operators and file names of either."""
    pieces = [source.read_at(at, _PIECE) for at in range(0, min(source.size, _MAX_BYTES), _PIECE)]
    if source.size > _MAX_BYTES:
        scope.record_skip(f"only the first {_MAX_BYTES >> 20} MB of the graph were read")
    data = b"".join(pieces)
    text = decoded(data)
    if _ONNX.search(data):
        yield from _of_onnx(text, scope)
    else:
        yield from _of_tensorflow(text, scope)


def _of_tensorflow(text: str, scope: Scope) -> Iterator[ArtifactIssue]:
    graphs = Graphs()
    texts: list[str] = []
    for one in messages(text):
        if one.name == "tensor":
            texts += one.values.get("string_val", ())
        elif one.name in ("node", "node_def"):
            inputs = [plain(name) for name in one.values.get("input", ())]
            graphs.node(_last(one, "name"), _last(one, "op"), inputs, texts, one.offset)
            texts = []
        elif one.name in ("function", "graph_def"):
            graphs.resolve(set())
        elif one.name == "asset_file_def" and leads_out(_last(one, "filename")):
            name = shortened(_last(one, "filename"))
            message = f"The graph has the asset {name!r}, outside its folder."
            yield scope.issue("tensorflow-operator", one.offset, message)
    graphs.resolve(set())
    yield from graphs.issues(scope)


def _of_onnx(text: str, scope: Scope) -> Iterator[ArtifactIssue]:
    external, told = External(), set()
    entries: list[tuple[str, str]] = []
    used: dict[tuple[str, str], int] = {}
    defined: set[tuple[str, str]] = set()
    for one in messages(text):
        if one.name in ("external_data", "externalData"):
            entries.append((_last(one, "key"), _last(one, "value")))
        elif entries:
            if problem := external.add(entries, _last(one, "name"), None, one.offset):
                yield scope.issue("protobuf-malformed", one.offset, problem)
            entries = []
        kind = _last(one, "op_type") or _last(one, "opType")
        if kind in onnx.PYTHON and kind not in told:
            told.add(kind)
            yield scope.issue("onnx-python-operator", one.offset, onnx.runs_python(kind))
        elif kind and _last(one, "domain") not in onnx.KNOWN_DOMAINS:
            used.setdefault((_last(one, "domain"), kind), one.offset)
        elif one.name == "functions":
            defined.add((_last(one, "domain"), _last(one, "name")))
    yield from external.issues(scope)
    yield from onnx.foreign(used, defined, scope)


def _last(message: ProtoTextMessage, name: str) -> str:
    return (message.values.get(name) or [""])[-1]
