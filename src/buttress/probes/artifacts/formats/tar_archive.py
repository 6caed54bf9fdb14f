"""Tar archives: NeMo, PyTorch before 0.1.10, and any other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from buttress.files.byte_source import ByteSource, Slice
from buttress.files.visible import shortened
from buttress.probes.artifacts.containers import tar_reader
from buttress.probes.artifacts.containers.names import leads_out
from buttress.probes.artifacts.formats import torch_tar
from buttress.probes.artifacts.formats.appended import after
from buttress.probes.artifacts.formats.native import is_program
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.scope import Scope

_TORCH: Final = {"storages": torch_tar.storages, "tensors": torch_tar.tensors}


def matches(_source: ByteSource, head: bytes) -> bool:
    """A first block with a header's checksum."""
    return tar_reader.is_header(head)


def inspect(source: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
    """Check names and links, and examine all members."""
    told: set[str] = set()
    end = 0
    for member in tar_reader.members(source):
        shown, at = shortened(member.name), member.data - tar_reader.BLOCK
        blocks = 0 if member.special else -(-member.size // tar_reader.BLOCK)
        end = member.data + blocks * tar_reader.BLOCK
        if leads_out(member.name) and "slip" not in told:
            told.add("slip")
            message = f"Member {shown!r} of the archive would be unpacked outside the folder."
            yield scope.issue("archive-path-traversal", at, message)
        if member.special:
            if "link" not in told and (leads_out(member.target) or not member.target):
                told.add("link")
                message = f"Member {shown!r} of the archive is a link that leads out, or a device."
                yield scope.issue("archive-link", at, message, proof=member.target)
            continue
        inner = scope.child(member.name)
        opened = Slice(source, member.data, member.size)
        head = opened.read_at(0, 64)
        if not head:
            continue
        if is_program(opened, head):
            message = f"Member {shown!r} of the archive is a program or shared library."
            yield inner.issue("archive-native-code", 0, message)
        part = _TORCH.get(member.name.removeprefix("./"))
        if part is not None and head[0] == 0x80:
            yield from part(opened, inner)
        else:
            yield from inner.descend(opened)
    yield from after(source, end, scope, unexplained="low")
