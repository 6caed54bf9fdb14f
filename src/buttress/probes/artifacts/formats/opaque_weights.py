"""Weights that are recognised but not read: ONNX Runtime's .ort, TensorFlow's variables.

Their bytes are searched for programs by the probe of weights, on request. TensorFlow's data file
has no mark of its own, so that its name counts.
"""

from __future__ import annotations

from collections.abc import Iterator

from buttress.files.byte_source import ByteSource
from buttress.probes.artifacts import sniffers
from buttress.probes.artifacts.formats.native import runs
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.scope import Scope


def matches(source: ByteSource, head: bytes) -> bool:
    """The identifier of .ort, the mark at the end of an index, or the name of a data file."""
    return sniffers.opaque_weights(source, head)


def inspect(source: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
    """A program under the name of weights; the rest is left to the probe of weights."""
    if runs(source, source.read_at(0, 64)):
        message = "A program lies where weights should begin."
        yield scope.issue("appended-data", 0, message, severity="high")
    elif source.read_at(source.size - len(sniffers.TABLE_END), 8) != sniffers.TABLE_END:
        scope.record_skip("its weights were not searched; the probe of weights does so on request")
