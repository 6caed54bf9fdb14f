"""Pickles that begin in the middle of something else: a file of no known format, HDF5 data.

No loader finds them by itself; a program that seeks there does. Searched for where nothing else
explains the bytes, and told only where such a pickle calls what is known to be dangerous.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from heapq import merge
from typing import Final

from buttress.files.byte_source import ByteSource, BytesSource
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.pickles.machine import follow
from buttress.probes.artifacts.pickles.opcodes import HIGHEST_PROTOCOL
from buttress.probes.artifacts.pickles.state import Notes
from buttress.probes.artifacts.scope import Scope

_SEARCHED: Final = 16 << 20
_PIECE: Final = 1 << 20
_FOLLOWED: Final = 256 << 10  # bytes of streams that are followed in one piece of data
_LENGTH: Final = 64 << 10
_PUSH: Final = (
    rb"(?:\x8c[\x01-\x60][A-Za-z_]|X[\x01-\x60]\0\0\0[A-Za-z_]|c[A-Za-z_][\w.]*\n|[}\])(])"
)
# Each with a first byte of its own: an expression of both would take ten times as long.
_BEGIN: Final = re.compile(rb"\x80[\x00-\x0f](?:\x95.{7}\0)?" + _PUSH, re.S)
_BEGIN_OLD: Final = re.compile(
    rb"c(?:os|posix|nt|subprocess|builtins|__builtin__|sys|runpy|pty|importlib|commands|socket|"
    rb"pickle|marshal|ctypes|shutil|webbrowser)\n[A-Za-z_][\w.]*\n"
)


def matches(_source: ByteSource, _head: bytes) -> bool:
    """Any bytes: it is the last resort."""
    return True


def inspect(source: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
    """Search the first 16 MB, in pieces that overlap."""
    for at in range(0, _SEARCHED, _PIECE):
        piece = source.read_at(at, _PIECE + _LENGTH)
        found = list(within(piece, at, scope))
        yield from found
        if found or len(piece) < _PIECE + _LENGTH:
            return
    if source.size > _SEARCHED:
        scope.record_skip(f"pickles inside of it were looked for in the first {_SEARCHED >> 20} MB")


def within(data: bytes, offset: int, scope: Scope) -> Iterator[ArtifactIssue]:
    """The first dangerous pickle in ``data``, which lies at ``offset`` of the file."""
    followed = 0
    begins = merge(_BEGIN.finditer(data), _BEGIN_OLD.finditer(data), key=re.Match.start)
    for found in begins:
        if followed > _FOLLOWED:
            scope.record_skip(
                f"more than can be followed looks like a pickle from byte {offset} on"
            )
            return
        at = found.start()
        part = data[at : at + _LENGTH]
        odd = part[0] == 0x80 and part[1] > HIGHEST_PROTOCOL
        notes = Notes(scope.names)
        done = follow(BytesSource(part[2:] if odd else part), 0, notes, piece=512)
        until = done.end if done.end is not None else done.broken[0] if done.broken else 0
        followed += until
        for one in notes.imports.values():
            called = one.called_at is not None and one.called_at <= until
            if called and one.judgement.kind in ("dangerous", "code"):
                message = (
                    f"A pickle lies at byte {offset + at}, inside of something else; it imports "
                    f"{one.full} and calls it: {one.judgement.reason}."
                )
                yield scope.issue("pickle-stray", offset + at, message, proof=one.full)
                return
