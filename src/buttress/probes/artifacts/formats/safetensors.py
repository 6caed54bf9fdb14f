"""safetensors: an 8-byte length, a JSON header, then the tensors' bytes without gaps.

Rules of the format as its reference implementation (version 0.8) states and enforces them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Final

from buttress.files.bounded_json import MAX_BYTES, JsonError, parse
from buttress.files.byte_source import ByteSource, FileSource
from buttress.files.visible import shortened
from buttress.probes.artifacts.code_text import code_in
from buttress.probes.artifacts.formats.appended import after
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.scope import Scope

_LIBRARY_LIMIT: Final = 100_000_000  # bytes of header that the reference implementation takes
_MAX_TOLD: Final = 10
_CODE: Final = re.compile(
    r"\bimport (?:os|sys|subprocess|socket|pickle)\b|\b(?:os|subprocess|pickle|builtins)\.[a-z]+\("
    r"|__(?:import|builtins|globals|class|reduce)__|\b(?:eval|exec)\s*\(|<script\b|javascript:"
)
_BITS: Final = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8,
    "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32,
    "C64": 64, "F64": 64, "I64": 64, "U64": 64, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "C128": 128,
}  # fmt: skip


def matches(source: ByteSource, head: bytes) -> bool:
    """A header that begins like a JSON object with a key, whatever length is announced."""
    if len(head) < 10 or head[8] != 0x7B:
        return False
    rest = head[9:].lstrip(b" \t\r\n")
    if rest[:1] not in (b'"', b"}"):
        return False
    named = isinstance(source, FileSource) and source.name.endswith(".safetensors")
    return named or head[7] == 0 or rest.find(b'"dtype"') >= 0


def inspect(source: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
    """Check the header against itself and against the file's length. Reads the header only."""
    length = int.from_bytes(source.read_at(0, 8), "little")
    room = source.size - 8
    if length > room:
        message = f"The header is announced as {length} bytes, but only {room} follow."
        yield scope.issue("safetensors-malformed", 0, message)
        return
    if length > MAX_BYTES:
        which = "the library refuses" if length > _LIBRARY_LIMIT else "are not read here"
        message = f"The header has {length} bytes, which {which}."
        yield scope.issue("safetensors-malformed", 0, message)
        return
    try:
        header, twice = parse(source.read_at(8, length))
    except JsonError as error:
        yield scope.issue("safetensors-malformed", 8, f"The header can't be used: {error}.")
        return
    if not isinstance(header, dict):
        yield scope.issue("safetensors-malformed", 8, "The header is no JSON object.")
        return
    for key in sorted(twice):
        message = (
            f"The key {shortened(key)!r} is in the header twice; readers differ in which they use."
        )
        yield scope.issue("safetensors-malformed", 8, message)
    yield from _metadata(header.pop("__metadata__", None), scope)
    yield from _tensors(header, room - length, source, scope)


def _metadata(metadata: Any, scope: Scope) -> Iterator[ArtifactIssue]:
    if metadata is None:
        return
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        message = "The header's __metadata__ is not a map from text to text."
        yield scope.issue("safetensors-malformed", 8, message)
        return
    for key, text in metadata.items():
        found = _CODE.search(text)
        if part := found[0] if found else code_in(text, prose=True):
            message = f"The header's metadata {shortened(key)!r} holds code: {part!r}."
            yield scope.issue("metadata-code", 8, message, proof=text)
            return


def _tensors(
    header: dict[str, Any], room: int, source: ByteSource, scope: Scope
) -> Iterator[ArtifactIssue]:
    spans: list[tuple[int, int, str]] = []
    told = 0
    for name, entry in header.items():
        wrong = problem(entry, room)
        if wrong is not None:
            told += 1
            if told <= _MAX_TOLD:
                message = f"Tensor {shortened(name)!r} {wrong}."
                yield scope.issue("safetensors-malformed", 8, message)
        else:
            begin, end = entry["data_offsets"]
            spans.append((begin, end, name))
    if told > _MAX_TOLD:
        message = f"{told - _MAX_TOLD} more tensors are described wrongly."
        yield scope.issue("safetensors-malformed", 8, message)
    if told == 0:
        yield from _layout(sorted(spans), room, scope)
        end = max((end for _, end, _ in spans), default=0)
        if end < room:
            yield from after(source, source.size - room + end, scope, told=True)


def problem(entry: Any, room: int) -> str | None:
    """What is wrong with one tensor's description, as the end of a sentence."""
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        return "is not described by dtype, shape and data_offsets alone"
    shape, offsets = entry["shape"], entry["data_offsets"]
    if not isinstance(shape, list) or not all(type(n) is int and n >= 0 for n in shape):
        return "has a shape that is no list of sizes"
    if len(shape) > 64:
        return f"has {len(shape)} dimensions"
    if (
        not isinstance(offsets, list)
        or len(offsets) != 2
        or not all(type(n) is int for n in offsets)
    ):
        return "has data_offsets that are no pair of numbers"
    begin, end = offsets
    if not 0 <= begin <= end:
        return f"ends at {end} before it begins at {begin}"
    if end > room:
        return f"ends at {end}, beyond the {room} bytes of data"
    bits = _BITS.get(entry["dtype"]) if isinstance(entry["dtype"], str) else None
    if bits is None:
        return f"has the unknown dtype {shortened(str(entry['dtype']))!r}"
    count = 1
    for size in shape:
        count *= size
        if count >= 1 << 64:
            return "has a shape whose product overflows"
    if Fraction(count * bits, 8) != end - begin:
        return f"needs {Fraction(count * bits, 8)} bytes by dtype and shape, but has {end - begin}"
    return None


def _layout(spans: list[tuple[int, int, str]], room: int, scope: Scope) -> Iterator[ArtifactIssue]:
    position = 0
    for begin, end, name in spans:
        if begin < position:
            message = f"Tensor {shortened(name)!r} shares bytes with another one, from {begin} on."
            yield scope.issue("safetensors-layout", 8, message)
            return
        if begin > position:
            message = f"No tensor owns the {begin - position} bytes of data from {position} on."
            yield scope.issue("safetensors-layout", 8, message)
            return
        position = end
    if position < room:
        message = f"{room - position} bytes follow the last tensor."
        yield scope.issue("safetensors-layout", 8, message)
