"""A message that may be a model, behind more fields than are read: for files of no known format."""

from __future__ import annotations

from collections.abc import Iterator

from buttress.files.byte_source import ByteSource
from buttress.files.protobuf_wire import Wire
from buttress.probes.artifacts import sniffers
from buttress.probes.artifacts.encodings.text import is_text
from buttress.probes.artifacts.formats.protobuf_model import Shape, flood
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.scope import Scope


def matches(source: ByteSource, head: bytes) -> bool:
    """Fields of a message, which text is now and then as well."""
    return not is_text(head) and sniffers.protobuf(source, head)


def inspect(source: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
    """Tell it where the message goes on behind what is read."""
    shape = Shape(Wire(source), source.size)
    if shape.flooded:
        yield flood(shape, scope)
