"""Pickle files: one stream or several, with what follows them and what is wrapped inside.

Covers plain pickles, joblib's uncompressed files (arrays lie between opcodes), PyTorch's format
before 1.6 (five streams, then raw storages) and what cloudpickle and dill write.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from typing import Final

from buttress.evidence.findings import Severity
from buttress.files.byte_source import MAX_READ, ByteSource, BytesSource, Slice
from buttress.files.visible import shortened
from buttress.probes.artifacts.formats.appended import after
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.pickles.calls import describe
from buttress.probes.artifacts.pickles.machine import Followed, follow
from buttress.probes.artifacts.pickles.opcodes import HIGHEST_PROTOCOL, KNOWN, PERSID
from buttress.probes.artifacts.pickles.state import Notes
from buttress.probes.artifacts.pickles.values import Import
from buttress.probes.artifacts.scope import Scope

# torch.serialization.MAGIC_NUMBER as a pickled long, after any protocol header.
_TORCH_MAGIC: Final = bytes.fromhex("8a0a6cfc9c46f9206aa85019")
_TORCH_STREAMS: Final = 5  # magic number, protocol, system, object, storage keys
_PROBE: Final = 1 << 16
_MAX_STREAMS: Final = 2_000
_MAX_ISSUES: Final = 25
_BLANK: Final = b"\0 \t\r\n"
_EARLY: Final = 16  # a stream that breaks before this byte was hardly a pickle
_NO_HEX: Final = re.compile(rb"[^0-9a-fA-F]")
_NO_BASE64: Final = re.compile(rb"[^A-Za-z0-9+/]")
# Functions, not classes: "_run_entry_point", "Model.load_from_url".
_RUNS: Final = re.compile(
    r"(?:^|[._])(?:run|exec|execute|eval|evaluate|system|shell|sh|spawn\w*|popen|cmd|command|subprocess|"
    r"call|invoke|download|fetch|urlopen|urlretrieve|load_(?:model|from)|from_(?:pretrained|url|file))"
    r"(?:_[a-z_]*)?$"
)
_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")


def matches(source: ByteSource, head: bytes) -> bool:
    """A protocol header with an opcode after it, or a stream of protocol 0 or 1 that goes on."""
    return _begins(source, 0, head)


def _begins(source: ByteSource, at: int, head: bytes) -> bool:
    if head[0] == 0x80:
        return len(head) > 2 and head[1] <= HIGHEST_PROTOCOL and head[2] in KNOWN
    if head[0] not in KNOWN:
        return False
    notes = Notes()
    part = Slice(source, at, _PROBE)
    done = follow(part, 0, notes, fussy=True, piece=4096)
    if done.end is not None and not notes.imports:
        return len(source.read_at(at + done.end, 1)) == 0 and done.end > 2
    if done.end is None and done.broken and done.broken[0] >= _PROBE - 1:
        return len(source.read_at(at + done.broken[0], 1)) == 1
    named = [one for one in notes.imports.values() if _named(one)]
    if head[0] == PERSID:  # an unpickler stops here; zip archives begin so, with arrays of objects
        named = [one for one in named if one.judgement.kind in ("dangerous", "code")]
    if done.end is not None:
        return bool(named)
    until = done.broken[0] if done.broken else 0
    return any(one.called_at is not None and one.called_at < until for one in named)


def _named(one: Import) -> bool:
    """Whether Python could import it: names need not be ASCII (reference, "Identifiers")."""
    return all(part.isidentifier() for part in (*one.module.split("."), *one.name.split(".")))


def inspect(source: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
    """Follow all streams from the start on."""
    notes = Notes(scope.names)
    position, streams, behind = 0, 0, -1
    torch = _TORCH_MAGIC in source.read_at(0, 16)
    while True:
        done = follow(source, position, notes, piece=None if streams == 0 else 4096)
        streams += 1
        if done.end is None:
            break
        position = done.end
        head = source.read_at(position, 64)
        if not head or (torch and streams == _TORCH_STREAMS):
            break
        if streams == _MAX_STREAMS:
            notes.remark("pickle-too-complex", position, f"more than {streams} streams follow")
            break
        if not _begins(source, position, head):
            behind = position
            break
    if notes.imports or notes.remarks:
        yield from told(notes, scope)
    if done.broken is not None:
        yield from breakage(done, notes, scope, streams)
    if notes.blobs:
        yield from constants(notes, source, scope)
    if behind >= 0:
        yield from after(
            source, behind, scope, rule="pickle-trailing-data", unexplained="low", blank=_BLANK
        )


def constants(notes: Notes, source: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
    """Issues of bytes constants that are files of their own."""
    for blob in dict.fromkeys(notes.blobs):
        inner = scope.child(f"constant@{blob.offset}")
        part: ByteSource = Slice(source, blob.offset, blob.length)
        if blob.spelling:
            if blob.length > MAX_READ:
                inner.record_skip(f"a constant of {blob.length} bytes written as text")
                continue
            part = BytesSource(_plain(part.read_at(0, blob.length), blob.spelling))
        yield from inner.descend(part)


def _plain(spelled: bytes, spelling: str) -> bytes:
    """The bytes that a text spells."""
    if spelling == "hex":
        digits = _NO_HEX.split(spelled, maxsplit=1)[0]
        return binascii.a2b_hex(digits[: len(digits) & ~1])
    if spelling == "base64":
        digits = _NO_BASE64.split(spelled.translate(_URL_SAFE, b"\r\n"), maxsplit=1)[0]
        return binascii.a2b_base64(digits + b"A" * (-len(digits) % 4))
    return spelled.decode(spelling, "replace").encode("latin-1", "replace")


def breakage(done: Followed, notes: Notes, scope: Scope, streams: int) -> Iterator[ArtifactIssue]:
    """The issue of a stream that does not reach its STOP, the ``streams``-th of its file."""
    if done.broken is None:
        return
    offset, why = done.broken
    if streams == 1 and not notes.imports and (offset < _EARLY or not done.protocol):
        return  # bytes that begin like a pickle by chance
    message = f"The pickle is broken at byte {offset}: {why}; what comes before it still runs."
    yield scope.issue("pickle-broken", offset, message)


def told(notes: Notes, scope: Scope) -> Iterator[ArtifactIssue]:
    """Issues of imports, gravest first, and of what else was remarked."""
    issues = [
        issue for one in notes.imports.values() if (issue := _imported(one, scope)) is not None
    ]
    order = (
        "pickle-dangerous-import", "pickle-bytecode", "pickle-constructor-call",
        "pickle-unknown-import", "pickle-argument-text", "pickle-allowed-by-pack",
    )  # fmt: skip
    issues.sort(key=lambda issue: order.index(issue.rule))
    yield from issues[:_MAX_ISSUES]
    if len(issues) > _MAX_ISSUES:
        message = f"The pickle has {len(issues) - _MAX_ISSUES} more such imports."
        yield scope.issue(issues[_MAX_ISSUES].rule, 0, message)
    for rule, offset, sentence in notes.remarks:
        yield scope.issue(rule, offset, f"In the pickle, at byte {offset}: {sentence}.")


def _imported(one: Import, scope: Scope) -> ArtifactIssue | None:
    kind = one.judgement.kind
    if kind == "allowed" and one.misuse is not None:
        rule = "pickle-constructor-call"
        if one.judgement.calls == "any" and not one.judgement.pack:
            rule = "pickle-argument-text"
        message = f"The pickle imports {one.full} at byte {one.offset} {one.misuse.sentence}."
        severity: Severity | None = one.misuse.severity
        return scope.issue(
            rule, one.misuse.offset, message, severity=severity, proof=one.misuse.proof
        )
    if kind == "allowed" and one.judgement.pack:
        why = f"{one.judgement.reason}, as pack {one.judgement.pack} says"
        message = f"The pickle imports {one.full} at byte {one.offset}, which is allowed: {why}."
        return scope.issue("pickle-allowed-by-pack", one.offset, message, proof=one.full)
    if kind == "allowed" or (kind == "conditional" and one.pushes <= one.harmless):
        return None
    message = f"The pickle imports {one.full} at byte {one.offset}"
    arguments = describe(one.arguments)
    if one.called_at is not None:
        message += f" and calls it at byte {one.called_at}"
    message += f": {one.judgement.reason}."
    severity = None
    if kind == "unknown":
        from buttress.probes.artifacts.pickles.texts import suspicious  # compiles much

        rule = "pickle-unknown-import"
        if (odd := suspicious(one.texts)) is not None:
            severity = "high"
            message = (
                f"{message[:-1]}. A text among its arguments looks like {odd[0]}: "
                f"{shortened(odd[1])!r}."
            )
        elif one.code:
            severity = "high"
            message = (
                f"{message[:-1]}. A text in the state that it gets looks like code: "
                f"{shortened(one.code)!r}."
            )
        elif one.called_at is not None and one.arguments != () and _RUNS.search(one.name):
            severity = "high"
            message = f"{message[:-1]}. By its name it runs, fetches or loads what it is given."
    else:
        rule = "pickle-bytecode" if kind == "code" else "pickle-dangerous-import"
    proof = f"{one.full}({arguments})" if one.called_at is not None else one.full
    return scope.issue(rule, one.offset, message, severity=severity, proof=proof)
