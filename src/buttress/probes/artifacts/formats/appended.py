"""What follows the last byte that a format owns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from buttress.probes.artifacts.formats.native import is_program
from buttress.probes.artifacts.issue import Issue
from buttress.probes.artifacts.scope import Scope
from buttress.probes.artifacts.source import Slice, Source

_PIECE: Final = 1 << 20
_PADDING: Final = 16 * _PIECE


def after(source: Source, position: int, scope: Scope, *, told: bool = False) -> Iterator[Issue]:
    """Issues of the bytes from ``position`` on; ``told``: that there are any was said already."""
    position = _past_zeros(source, position)
    rest = Slice(source, position, source.size - position)
    head = rest.read_at(0, 64)
    if is_program(rest, head) or head.startswith(b"#!"):
        message = f"A program follows the tensors, from byte {position} on."
        yield scope.issue("appended-data", position, message, severity="high")
    elif not told and head.strip(b"\0"):
        message = f"{rest.size} bytes follow the tensors, from byte {position} on."
        yield scope.issue("appended-data", position, message)
    yield from scope.child(f"after@{position}").descend(rest)


def _past_zeros(source: Source, position: int) -> int:
    """Padding, up to 16 MB of it, is nothing; but something may lie behind it."""
    for at in range(position, position + _PADDING, _PIECE):
        piece = source.read_at(at, _PIECE)
        if kept := len(piece.lstrip(b"\0")):
            return at + len(piece) - kept
        if len(piece) < _PIECE:
            break
    return position
