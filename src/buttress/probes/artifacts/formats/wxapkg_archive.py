"""Packages of mini-programs: every file is examined by content; models can lie in them."""

from __future__ import annotations

from collections.abc import Iterator

from buttress.files import wxapkg
from buttress.files.byte_source import ByteSource, Slice
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.scope import Scope


def matches(_source: ByteSource, head: bytes) -> bool:
    """By the marks around the lengths; an encrypted package is for the probe of clients."""
    return wxapkg.matches(head) and not head.startswith(wxapkg.ENCRYPTED)


def inspect(source: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
    """Examine all files."""
    try:
        files, wrong = wxapkg.read(source)
    except wxapkg.WxapkgError as error:
        yield scope.issue("archive-inconsistent", 0, f"The mini-program can't be read: {error}.")
        return
    if wrong:
        yield scope.issue("archive-inconsistent", 0, f"The mini-program holds more: {wrong[0]}.")
    for one in files:
        yield from scope.child(one.name).descend(Slice(source, one.offset, one.size))
