"""7z archives: every file is examined by content."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from buttress.files.byte_source import ByteSource, Slice
from buttress.files.visible import shortened
from buttress.probes.artifacts.containers.names import leads_out
from buttress.probes.artifacts.containers.seven_zip import (
    SIGNATURE,
    SevenZipError,
    UnreadError,
    open_folder,
    read,
)
from buttress.probes.artifacts.formats.appended import after
from buttress.probes.artifacts.formats.native import is_program
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.scope import Scope

_START: Final = 32  # bytes of the start header, which says where the other one lies


def matches(_source: ByteSource, head: bytes) -> bool:
    """By the signature."""
    return head.startswith(SIGNATURE)


def inspect(source: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
    """Check names, and examine all files."""
    try:
        names, folders = read(source, scope.tally.meter)
    except UnreadError as error:
        scope.record_skip(f"the 7z archive is not read: {error}")
        return
    except SevenZipError as error:
        yield scope.issue("archive-inconsistent", 0, f"The 7z archive can't be read: {error}.")
        return
    number = 0
    for folder in folders:
        opened = open_folder(source, folder, scope.tally.meter)
        if opened is None:
            kinds = " ".join(kind.hex() for kind, _ in folder.coders)
            scope.record_skip(f"files of the 7z archive are encrypted or packed by {kinds}")
        at = 0
        for size in folder.sizes:
            name = names[number] if number < len(names) else f"#{number}"
            number += 1
            if leads_out(name):
                message = f"Member {shortened(name)!r} of the archive would be unpacked outside."
                yield scope.issue("archive-path-traversal", 0, message)
            if opened is not None and size:
                yield from _member(Slice(opened, at, size), name, scope)
            at += size
    start = source.read_at(0, _START)
    end = _START + sum(int.from_bytes(start[at : at + 8], "little") for at in (12, 20))
    yield from after(source, end, scope, unexplained="low")


def _member(member: ByteSource, name: str, scope: Scope) -> Iterator[ArtifactIssue]:
    inner = scope.child(name)
    if is_program(member, member.read_at(0, 64)):
        message = f"Member {shortened(name)!r} of the archive is a program or shared library."
        yield inner.issue("archive-native-code", 0, message)
    yield from inner.descend(member)
