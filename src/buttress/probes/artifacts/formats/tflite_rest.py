"""What a TensorFlow Lite model has besides its graphs, and what lies behind all of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from buttress.files.byte_source import ByteSource
from buttress.probes.artifacts.encodings.flatbuffer import Table
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.scope import Scope

# Tables are not all read here, so that a little of a sound model may lie behind what was.
_SLACK: Final = 1024
_PIECE: Final = 1 << 20
_MAX_TAIL: Final = 64 * _PIECE


def quiet(model: Table) -> None:
    """Follow the parts that nothing is said of, so that their extent is known.

    Raises:
        FlatError: an offset leads nowhere.
    """
    model.text(3)
    model.vector(5, 4)
    for entry in model.tables(6):
        entry.text(0)
    for signature in model.tables(7):
        signature.text(2)
        for place in (0, 1):
            for tensor in signature.tables(place):
                tensor.text(0)


def tail(source: ByteSource, reach: int, scope: Scope) -> Iterator[ArtifactIssue]:
    """Programs and archives behind the model, and other bytes that are too many for it.

    Files that the metadata names are a zip archive behind the model, which is examined as such.
    """
    from buttress.probes.artifacts.integrity.payloads import Searcher

    if source.read_at(reach, 4) == b"PK\x03\x04":
        return
    searcher, zeros = Searcher(), True
    for at in range(reach, min(source.size, reach + _MAX_TAIL), _PIECE):
        piece = source.read_at(at, _PIECE)
        zeros = zeros and not piece.strip(b"\0")
        searcher.feed(piece)
    for payload in searcher.found:
        if payload.what != "a zip archive":
            at = reach + payload.offset
            message = f"Behind the model, at byte {at}, is {payload.what}."
            yield scope.issue("appended-data", at, message, severity="high")
    if source.size - reach > _MAX_TAIL:
        scope.record_skip(f"what follows the first {_MAX_TAIL >> 20} MB behind the model")
    if not zeros and not searcher.found and source.size - reach > _SLACK:
        message = f"{source.size - reach} bytes follow the model, from byte {reach} on."
        yield scope.issue("appended-data", reach, message)
