"""Two members of PyTorch's tar format (before 0.1.10), where pickles and raw numbers alternate."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from buttress.files.byte_source import ByteSource
from buttress.probes.artifacts.formats import pickled
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.pickles.machine import follow
from buttress.probes.artifacts.pickles.state import Notes
from buttress.probes.artifacts.scope import Scope

_STORAGE: Final = re.compile(r"(Float|Double|Half|BFloat16|Long|Int|Short|Char|Byte|Bool)Storage")
_WIDTH: Final = {
    "Float": 4, "Double": 8, "Half": 2, "BFloat16": 2, "Long": 8,
    "Int": 4, "Short": 2, "Char": 1, "Byte": 1, "Bool": 1,
}  # fmt: skip
_MAX_PARTS: Final = 100_000


def storages(source: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
    """A pickled count, then for each storage a pickle that names its type, its length and data."""
    yield from _alternate(source, scope, _after_storage)


def tensors(source: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
    """A pickled count, then for each tensor a pickle, its dimensions, sizes, strides and offset."""
    yield from _alternate(source, scope, _after_tensor)


def _after_storage(source: ByteSource, at: int, types: set[str]) -> int:
    width = next((_WIDTH[found[1]] for one in types if (found := _STORAGE.match(one))), 0)
    return at + 8 + width * int.from_bytes(source.read_at(at, 8), "little")


def _after_tensor(source: ByteSource, at: int, _types: set[str]) -> int:
    return at + 8 + 16 * int.from_bytes(source.read_at(at, 4), "little") + 8


def _alternate(
    source: ByteSource, scope: Scope, after: Callable[[ByteSource, int, set[str]], int]
) -> Iterator[ArtifactIssue]:
    everything = Notes(scope.names)
    scope.tally.recognised += 1
    done = follow(source, 0, everything)
    at = done.end
    parts = 0
    while at is not None and source.read_at(at, 1):
        parts += 1
        if parts > _MAX_PARTS:
            message = f"More than {_MAX_PARTS:,} tensors follow; the rest was not searched."
            yield scope.not_searched(at, message)
            break
        notes = Notes(scope.names)
        done = follow(source, at, notes, piece=4096)
        everything.add(notes)
        if done.end is None:
            break
        at = after(source, done.end, {one.name for one in notes.imports.values()})
    yield from pickled.told(everything, scope)
    yield from pickled.breakage(done, everything, scope, 2)
    yield from pickled.constants(everything, source, scope)
