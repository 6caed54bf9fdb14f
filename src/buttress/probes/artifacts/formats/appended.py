"""What follows the last byte that a format owns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from buttress.evidence.findings import Severity
from buttress.files.byte_source import ByteSource, Rest
from buttress.probes.artifacts.formats.native import WASM, runs
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.scope import Scope

_PIECE: Final = 1 << 20
_PADDING: Final = 16 * _PIECE
_MAX_INSIDE: Final = 50  # issues


def after(
    source: ByteSource,
    position: int,
    scope: Scope,
    *,
    told: bool = False,
    rule: str = "appended-data",
    unexplained: Severity | None = None,
    blank: bytes = b"\0",
) -> Iterator[ArtifactIssue]:
    """Issues of the bytes from ``position`` on.

    A program is high, a file of a known format at least medium, anything else ``unexplained``
    (None: the rule's own severity), padding with ``blank`` nothing. ``told``: that there are any
    was said already.
    """
    position = _past(source, position, blank)
    if position and source.read_at(position - 1, len(WASM)) == WASM:
        position -= 1  # its first byte passes for padding
    rest = Rest(source, position)
    head = rest.read_at(0, 64)
    if not head.strip(blank):
        return
    before = scope.tally.recognised
    inside = list(scope.first(scope.child(f"after@{position}").descend(rest), _MAX_INSIDE))
    if runs(rest, head):
        message = f"A program follows what the format holds, from byte {position} on."
        yield scope.issue(rule, position, message, severity="high")
    elif not told:
        known = scope.tally.recognised > before
        what = "Another file follows" if known else "Bytes follow"
        message = f"{what} what the format holds, from byte {position} on."
        severity: Severity | None = "medium" if known and unexplained == "low" else unexplained
        yield scope.issue(rule, position, message, severity=severity)
    yield from inside


def _past(source: ByteSource, position: int, blank: bytes) -> int:
    """Padding, up to 16 MB of it, is nothing; but something may lie behind it."""
    for at in range(position, position + _PADDING, _PIECE):
        piece = source.read_at(at, _PIECE)
        if kept := len(piece.lstrip(blank)):
            return at + len(piece) - kept
        if len(piece) < _PIECE:
            break
    return position
