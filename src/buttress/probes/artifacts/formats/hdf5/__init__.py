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
_OVERLAP: Final = 4 << 10
_REFERENCE: Final = 8 << 10  # a reference that begins in a piece ends within so many bytes
_MAX_TOLD: Final = 10
_SHORT: Final = 4 << 10  # bytes that tell most of what only begins like a configuration
_MAX_IN_VAIN: Final = 64 << 20  # bytes read for what begins like a configuration and is none
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
    yield from _configurations(source, scope)


def _configurations(source: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
    """What is wrong with the JSON objects of the file; without any, Lambda layers by a search."""
    told, cut, in_vain, at = False, 0, 0, 0
    while at < source.size:
        piece, within = source.read_at(at, _PIECE + _OVERLAP), 0
        while (found := _START.search(piece, within)) and found.start() < _PIECE:
            if in_vain > _MAX_IN_VAIN:
                cut = cut or at + found.start()
                break
            end, read, issues = _configuration(source, piece, at, found.start(), scope)
            told = told or bool(issues)
            yield from issues
            within = found.start() + 1 if end is None else end
            in_vain += read if end is None else 0
        if not told:
            issues = list(keras.searched(piece[within:], at + within, scope))
            told = bool(issues)
            yield from issues
        at += max(within, _PIECE)
    if cut:
        message = (
            "Too much begins like a configuration and is none; "
            f"from byte {cut} on only Lambda layers were searched for."
        )
        yield replace(scope.not_searched(cut, message), severity="medium")


def _references(source: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
    told: set[tuple[str, str]] = set()
    stray = cut = False

    def skip() -> None:
        scope.record_skip(f"some of what looks like a reference to a file, from byte {at} on")

    for at in range(0, source.size, _PIECE):
        piece = source.read_at(at, _PIECE + _REFERENCE)
        if not stray and (issues := list(stray_pickle.within(piece, at, scope))):
            stray = True
            yield from issues
        for offset, kind, name in references(piece, source, skip):
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


def _configuration(
    source: ByteSource, piece: bytes, base: int, start: int, scope: Scope
) -> tuple[int | None, int, list[ArtifactIssue]]:
    """The JSON object at ``start`` of ``piece``, which lies at ``base``.

    Where it ends in the piece, or behind it, None if it is none; bytes looked at; its issues.
    """
    at, read, length = base + start, 0, _SHORT
    while True:
        whole = start + length <= len(piece)
        text = piece[start : start + length] if whole else source.read_at(at, length)
        read += len(text)
        end, cut = _object_end(text)
        if not cut or len(text) < length or length == MAX_BYTES:
            break
        length = min(4 * length, MAX_BYTES)
    if end is None:
        if cut and len(text) == MAX_BYTES and b'"class_name"' in text:
            message = f"A configuration is larger than {MAX_BYTES >> 20} MB; it was not searched."
            issue = replace(scope.not_searched(at, message), severity="medium")
            return start + MAX_BYTES, read, [issue]
        return None, read, []
    try:
        config, _ = parse(text[:end])
    except JsonError:
        return start + end, read, list(keras.searched(text[:end], at, scope))
    return start + end, read, list(keras.of_config(config, at, scope))


def _object_end(text: bytes) -> tuple[int | None, bool]:
    """Length of the JSON object that ``text`` begins with, and whether it may go on behind it."""
    text, zero, _ = text.partition(b"\0")
    try:
        return json.JSONDecoder().raw_decode(text.decode("latin-1"))[1], False
    except json.JSONDecodeError as error:
        # A literal, a number or an escape may be cut, a text is unterminated from its start on.
        open_ended = error.pos >= len(text) - 10 or error.msg.startswith("Unterminated")
        return None, open_ended and not zero
    except RecursionError:
        return None, not zero
