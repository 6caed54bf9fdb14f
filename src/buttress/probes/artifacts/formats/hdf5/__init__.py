"""HDF5 files (Keras v1 and v2 keep their configuration in one).

No HDF5 parser: the configuration is found by a search of the whole file, wherever it lies.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
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

_PIECE: Final = 4 << 20
_OVERLAP: Final = 512
_REFERENCE: Final = 8 << 10  # a reference that begins in a piece ends within so many bytes
_MAX_TOLD: Final = 10
_MAX_FAILURES: Final = 16  # beginnings of configurations that turn out not to be JSON
_START: Final = re.compile(rb'\{\s{0,64}"[\w\\]{1,99}"\s{0,64}:')


def matches(source: ByteSource, head: bytes) -> bool:
    """The signature at the start, or after a user block."""
    return sniffers.hdf5(source, head)


def inspect(source: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
    """Search for configurations and examine them."""
    size = source.size
    yield from _references(source, scope)
    end = end_of_file(source)
    if end is not None and end < size and source.whole:
        yield from after(source, end, scope, unexplained="low")
    told, failures, at = False, 0, 0
    while at < size:
        piece = source.read_at(at, _PIECE + _OVERLAP)
        found = _START.search(piece)
        if found is None or found.start() >= _PIECE or failures > _MAX_FAILURES:
            if not told:
                issues = list(keras.searched(piece, at, scope))
                told = bool(issues)
                yield from issues
            at += _PIECE
            continue
        length, issues = _configuration(source, at + found.start(), scope)
        told = told or bool(issues)
        failures += length == 1
        yield from issues
        at += found.start() + length


def _references(source: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
    told: set[tuple[str, str]] = set()
    stray = cut = False
    for at in range(0, source.size, _PIECE):
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
        if len(text) == MAX_BYTES and b"\0" not in text and b'"class_name"' in text:
            message = f"A configuration is larger than {MAX_BYTES >> 20} MB; it was not searched."
            return MAX_BYTES, [replace(scope.not_searched(at, message), severity="medium")]
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
