"""Zip archives: PyTorch since 1.6, TorchScript, NumPy's npz, Keras v3 and any other.

Every member is examined by content. What scanners and loaders could disagree on is reported.
"""

from __future__ import annotations

import re
import stat
import zlib
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Final

from buttress.evidence.findings import Severity
from buttress.files import zip_reader
from buttress.files.byte_source import ByteSource
from buttress.files.visible import shortened
from buttress.files.zip_reader import Directory, Local, Member
from buttress.probes.artifacts.containers.names import leads_out
from buttress.probes.artifacts.containers.zip_member import open_member
from buttress.probes.artifacts.encodings.text import is_text
from buttress.probes.artifacts.formats import torchscript
from buttress.probes.artifacts.formats.appended import after
from buttress.probes.artifacts.formats.archive_python import ENDING, Sources
from buttress.probes.artifacts.formats.native import is_program
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.scope import Scope

_WHEEL: Final = ".dist-info/WHEEL"  # of a Python package, which may bring native code
_MANIFESTS: Final = ("AndroidManifest.xml", "base/manifest/AndroidManifest.xml")
_PROPERTY_LIST: Final = re.compile(r"Payload/[^/]+\.app/Info\.plist")
_STATE: Final = "data.pkl"  # of PyTorch; beside it, data/0 and so on are raw numbers
_CHECKED: Final = 1 << 20  # members up to this size have their checksum verified
_MAX_NOTED: Final = 5  # inconsistencies told for one archive
_COMMENT: Final = 512  # bytes of a comment that tell whether it is a text
_BOMB_SIZE: Final = 1 << 30
_BOMB_RATIO: Final = 200


def matches(source: ByteSource, head: bytes) -> bool:
    """A local header at the start or, in a file, an end record at the end."""
    if head.startswith(zip_reader.LOCAL) and len(head) >= zip_reader.LOCAL_LENGTH:
        return True
    return source.whole and source.size > 22 and bool(zip_reader.directories(source))


def inspect(source: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
    """Check the directory against the local headers, and examine all members."""
    listed: dict[int, Member] = {}
    directories = zip_reader.directories(source)
    if scope.raw and not directories:
        return  # numbers of a tensor that happen to begin like one
    for directory in directories:
        members = list(zip_reader.members(source, directory))
        if len(members) != directory.count:
            message = f"A directory announces {directory.count} members and lists {len(members)}."
            yield scope.issue("archive-inconsistent", directory.start, message)
        distinct = {member.header: member for member in members}
        if len(distinct) < len(members):
            shared = len(members) - len(distinct)
            message = f"{shared} entries of the directory point to members that others point to."
            yield scope.issue("archive-inconsistent", directory.start, message)
        yield from _announced(members, source, scope)
        listed |= distinct
    if len(directories) > 1:
        message = f"The archive has {len(directories)} directories; readers use one or the other."
        yield scope.issue("archive-inconsistent", directories[0].end, message)
    if not listed and source.read_at(0, 4) == zip_reader.LOCAL:
        message = "The archive has members but no directory that lists them."
        yield scope.issue("archive-inconsistent", 0, message)
        listed = {member.header: member for member in zip_reader.walk_local(source)}
    found = list(listed.values())
    yield from _before(source, found, scope)
    yield from _declared(found, scope)
    spans: list[tuple[int, int]] = []
    sources = Sources(member.name for member in found)
    wheel = any(one.name.endswith(_WHEEL) for one in found) and not sources.of_model
    native: Severity | None = "low" if wheel else None
    if native is None and not sources.of_model and scope.name.endswith(".zip"):
        native = "medium"  # as programs are handed out, not weights
    application = _is_application(found) and not sources.of_model
    storages = {one.name.removesuffix(_STATE) for one in found if one.name.endswith(_STATE)}
    noted = 0
    for member in found:
        local = zip_reader.read_local(source, member.header)
        if local is not None:
            spans.append((member.header, local.data + member.packed))
        for message in _contradictions(member, local):
            noted += 1
            if noted <= _MAX_NOTED:
                yield scope.issue("archive-inconsistent", member.header, message)
        if local is not None:
            folder, _, number = member.name.rpartition("data/")
            raw = number.isdecimal() and folder in storages
            inner = scope.child(member.name, raw=raw)
            for issue in _member(source, member, local, inner):
                if application and issue.rule == "archive-native-code":
                    continue  # code is what such a package is for
                less = native is not None and issue.rule == "archive-native-code"
                yield replace(issue, severity=native) if less else issue
            if member.name.lower().endswith(ENDING) and (
                opened := open_member(source, member, local, scope)
            ):
                yield from sources.issues(opened, scope.child(member.name))
    yield from _hidden(source, sorted(spans), scope)
    if directories:
        yield from _behind(source, directories[0], scope)
    yield from torchscript.inspect(source, found, scope)


def _is_application(found: list[Member]) -> bool:
    """Whether the archive is an application for Android or iOS, by what such a one must have."""
    names = {one.name for one in found}
    if names & set(_MANIFESTS):
        return True
    return any(_PROPERTY_LIST.fullmatch(name) for name in names)


def _before(source: ByteSource, found: list[Member], scope: Scope) -> Iterator[ArtifactIssue]:
    """A program in front of the archive: the file is both."""
    first = min((member.header for member in found), default=0)
    if first > 0 and is_program(source, source.read_at(0, 64)):
        message = f"A program of {first} bytes lies in front of the archive."
        yield scope.issue("archive-native-code", 0, message)


def _behind(source: ByteSource, directory: Directory, scope: Scope) -> Iterator[ArtifactIssue]:
    """What follows the end record: bytes that no reader takes, or a comment that is no text."""
    comment = source.read_at(directory.finish - directory.comment, directory.comment)
    told = is_text(comment[:_COMMENT]) and not comment.startswith(b"#!")
    at = directory.finish - (0 if told else directory.comment)
    yield from after(source, at, scope, unexplained="low", blank=b"\0 \t\r\n")


def _declared(found: list[Member], scope: Scope) -> Iterator[ArtifactIssue]:
    """What names and modes in the directory say."""
    names: set[str] = set()
    told: set[str] = set()
    for member in found:
        shown = shortened(member.name)
        if leads_out(member.name) and "slip" not in told:
            told.add("slip")
            message = f"Member {shown!r} of the archive would be unpacked outside the folder."
            yield scope.issue("archive-path-traversal", member.header, message)
        if stat.S_ISLNK(member.mode) and "link" not in told:
            told.add("link")
            message = f"Member {shown!r} of the archive is a symbolic link."
            yield scope.issue("archive-link", member.header, message)
        if member.name in names and "twice" not in told:
            told.add("twice")
            message = f"Member {shown!r} is in the archive more than once."
            yield scope.issue("archive-duplicate-member", member.header, message)
        names.add(member.name)


def _announced(members: list[Member], source: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
    """Whether far more would come out than lies in the file."""
    total = sum(member.expanded for member in members)
    size = source.size
    if total > _BOMB_SIZE and total > _BOMB_RATIO * size:
        message = f"The archive of {size} bytes announces {total} bytes when unpacked."
        yield scope.issue("archive-bomb", 0, message)


def _contradictions(member: Member, local: Local | None) -> Iterator[str]:
    shown = shortened(member.name)
    if local is None:
        yield f"The directory points to byte {member.header} for {shown!r}, where no member begins."
        return
    if local.name != member.name:
        yield f"Member {shown!r} is called {shortened(local.name)!r} in its own header."
    if local.method != member.method:
        yield (
            f"Member {shown!r} has compression method {member.method} in the directory, "
            f"{local.method} in its header."
        )
    if (member.flags ^ local.flags) & 1:
        yield f"Member {shown!r} is marked as encrypted in only one of its two headers."
    if (
        member.method == zip_reader.STORED
        and member.packed != member.expanded
        and not member.encrypted
    ):
        yield f"Member {shown!r} is stored, but its two sizes differ."


def _member(
    source: ByteSource, member: Member, local: Local, inner: Scope
) -> Iterator[ArtifactIssue]:
    opened = open_member(source, member, local, inner)
    if opened is None:
        inner.record_skip(f"compression method {member.method}")
        return
    head = opened.read_at(0, 64)
    if not head:
        return
    if is_program(opened, head):
        message = (
            f"Member {shortened(member.name)!r} of the archive is a program or shared library."
        )
        yield inner.issue("archive-native-code", 0, message)
    before = inner.tally.recognised
    yield from inner.descend(opened)
    if inner.tally.recognised == before:
        if member.encrypted:
            inner.record_skip("it is encrypted")
        return
    if member.encrypted:
        message = "The member claims to be encrypted, which stops scanners, but is not."
        yield inner.issue("archive-inconsistent", 0, message)
    if member.expanded <= _CHECKED:
        data = opened.read_at(0, _CHECKED + 1)
        if len(data) != member.expanded:
            message = f"The member expands to other than the {member.expanded} bytes announced."
            yield inner.issue("archive-inconsistent", 0, message)
        elif zlib.crc32(data) != member.crc:
            message = (
                "The member's checksum is wrong: strict readers refuse it, PyTorch's loads it."
            )
            yield inner.issue("archive-inconsistent", 0, message)


def _hidden(
    source: ByteSource, spans: list[tuple[int, int]], scope: Scope
) -> Iterator[ArtifactIssue]:
    """Members that no directory entry points to, and members that share bytes."""
    for (start, end), (following, _) in pairwise([(0, 0), *spans]):
        if following < end:
            if following != start:
                message = f"Members of the archive overlap at byte {following}."
                yield scope.issue("archive-inconsistent", following, message)
                return
            continue
        gap = source.read_at(end, 28) if following - end >= 30 else b""
        at = gap.find(zip_reader.LOCAL)
        local = zip_reader.read_local(source, end + at) if at >= 0 else None
        if local is not None:
            message = (
                f"Member {shortened(local.name)!r} is in the archive but not in its directory."
            )
            yield scope.issue("archive-hidden-member", end + at, message)
            member = Member(
                local.name, local.flags, local.method, local.crc,
                local.packed or following - local.data, local.expanded, end + at, 0,
            )  # fmt: skip
            yield from _member(source, member, local, scope.child(member.name))
