"""HDF5 files (Keras v1 and v2 keep their configuration in one).

No HDF5 parser: the configuration is found by a search of the first and last 32 MB, which is where
Keras writes it. That is said where a file is larger.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from buttress.evidence.findings import Severity
from buttress.files.bounded_json import MAX_BYTES, JsonError, parse
from buttress.files.byte_source import ByteSource
from buttress.files.visible import shortened
from buttress.probes.artifacts import sniffers
from buttress.probes.artifacts.containers.names import leads_out
from buttress.probes.artifacts.formats import keras, stray_pickle
from buttress.probes.artifacts.formats.appended import after
from buttress.probes.artifacts.formats.hdf5.links import references
from buttress.probes.artifacts.formats.hdf5.superblock import end_of_file
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.scope import Scope

_SEARCHED: Final = 32 << 20
_PIECE: Final = 4 << 20
_OVERLAP: Final = 64
_REFERENCE: Final = 8 << 10  # a reference that begins in a piece ends within so many bytes
_MAX_TOLD: Final = 10
_MAX_FAILURES: Final = 16  # beginnings of configurations that turn out not to be JSON
_STARTS: Final = (
    b'{"class_name"',
    b'{"module"',
    b'{"name"',
    b'{"config"',
    b'{"loss"',
    b'{"optimizer',
)


def matches(source: ByteSource, head: bytes) -> bool:
    """The signature at the start, or after a user block."""
    return sniffers.hdf5(source, head)


def inspect(source: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
    """Search for configurations and examine them."""
    size = source.size
    ranges = [(0, min(size, _SEARCHED))]
    if size > _SEARCHED:
        ranges.append((max(_SEARCHED, size - _SEARCHED), size))
    if size > 2 * _SEARCHED:
        scope.record_skip(
            f"HDF5: {(size - 2 * _SEARCHED) >> 20} MB in its middle were not searched"
        )
    yield from _references(source, ranges, scope)
    end = end_of_file(source)
    if end is not None and end < size and source.whole:
        yield from after(source, end, scope, unexplained="low")
    told, failures = False, 0
    for begin, end in ranges:
        at = begin
        while at < end:
            piece = source.read_at(at, _PIECE + _OVERLAP)
            found = min(
                (one for start in _STARTS if 0 <= (one := piece.find(start)) < _PIECE), default=-1
            )
            if found < 0 or failures > _MAX_FAILURES:
                if not told:
                    issues = list(keras.searched(piece, at, scope))
                    told = bool(issues)
                    yield from issues
                at += _PIECE
                continue
            length, issues = _configuration(source, at + found, scope)
            told = told or bool(issues)
            failures += length == 1
            yield from issues
            at += found + length


def _references(
    source: ByteSource, ranges: list[tuple[int, int]], scope: Scope
) -> Iterator[ArtifactIssue]:
    told: set[tuple[str, str]] = set()
    stray = cut = False
    for begin, end in ranges:
        for at in range(begin, end, _PIECE):
            piece = source.read_at(at, _PIECE + _REFERENCE)
            if not stray and (issues := list(stray_pickle.within(piece, at, scope))):
                stray = True
                yield from issues
            for offset, kind, name in references(piece, source):
                if (kind, name) in told:
                    continue
                if len(told) == _MAX_TOLD:
                    cut = True
                else:
                    told.add((kind, name))
                    message = f"By {kind}, loading the file reads {shortened(name)!r} too."
                    out = leads_out(name) or "://" in name
                    severity: Severity = "high" if out else "medium"
                    yield scope.issue("hdf5-external", at + offset, message, severity=severity)
    if cut:
        scope.more_than(_MAX_TOLD)


def _configuration(source: ByteSource, at: int, scope: Scope) -> tuple[int, list[ArtifactIssue]]:
    """The JSON object at ``at``: how far to go on, and its issues."""
    text = source.read_at(at, MAX_BYTES)
    end = _object_end(text)
    if end is None:
        return 1, []
    try:
        config, _ = parse(text[:end])
    except JsonError:
        return end, list(keras.searched(text[:end], at, scope))
    return end, list(keras.of_config(config, at, scope))


def _object_end(text: bytes) -> int | None:
    """Length of the JSON object that ``text`` begins with."""
    text = text.partition(b"\0")[0]
    try:
        return json.JSONDecoder().raw_decode(text.decode("latin-1"))[1]
    except (ValueError, RecursionError):
        return None
