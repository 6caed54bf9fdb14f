"""Electron's archives: every file is examined by content; models can lie in them."""

from __future__ import annotations

from collections.abc import Iterator

from buttress.files import asar
from buttress.files.byte_source import ByteSource, Slice
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.scope import Scope


def matches(_source: ByteSource, head: bytes) -> bool:
    """By the words in front of the header."""
    return asar.matches(head)


def inspect(source: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
    """Examine all files that lie in the archive."""
    try:
        files, wrong = asar.read(source)
    except asar.AsarError as error:
        yield scope.issue("archive-inconsistent", 0, f"The asar archive can't be read: {error}.")
        return
    if wrong:
        yield scope.issue("archive-inconsistent", 0, f"The asar archive holds more: {wrong[0]}.")
    for one in files:
        if not one.unpacked:
            yield from scope.child(one.name).descend(Slice(source, one.offset, one.size))
