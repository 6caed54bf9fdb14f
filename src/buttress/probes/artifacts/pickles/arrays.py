"""Arrays as NumPy and joblib pickle them, which make up most of the opcodes of scientific models.

What both write for each array after the first is the same but for numbers, so it is recognised as a
whole. A shortcut gives the offset after what it recognised, with stack and memo as the opcodes one
by one would leave them, or 0 where anything is unusual; then the opcodes are followed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from buttress.probes.artifacts.pickles.opcodes import BLOB_FIRST, KNOWN, SHORT_BINBYTES
from buttress.probes.artifacts.pickles.state import BrokenError, MachineState, Notes
from buttress.probes.artifacts.pickles.values import PLAIN, Dtype, Import, ValueSequence

MAX_DEPTH: Final = 9  # streams within streams
_SIZE: Final = rb"(?:K.|M..|J...[\0-\x7f])"
_SHAPE: Final = rb"((?:%b\x85|%b{2}\x86|%b{3}\x87))\x94" % (_SIZE, _SIZE, _SIZE)
# _reconstruct(ndarray, (0,), b"b"), then a state: 1, shape, dtype, whether in Fortran's order, data
_NUMPY: Final = rb"(?s)h.h.K\0\x85\x94h.\x87\x94R\x94\(K\x01" + _SHAPE + rb"h.[\x88\x89](?=[BC])"
# NumpyArrayWrapper() with the attributes that its __init__ sets, in that order
_JOBLIB: Final = (
    rb"(?s)h.\)\x81\x94\}\x94\(h(.)h(.)h(.)" + _SHAPE + rb"h(.)h(.)h(.)h(.)h(.)[\x88\x89]h(.)K.ub"
)
_KEYS: Final = (
    b"subclass", b"shape", b"order", b"dtype", b"allow_mmap", b"numpy_array_alignment_bytes",
)  # fmt: skip


@cache
def _matcher(expression: bytes) -> Callable[[bytes, int], re.Match[bytes] | None]:
    """Compiled for the first array, since most files hold none."""
    return re.compile(expression).match


def numpy_array(state: MachineState, at: int) -> int:
    """Pass over NumPy's call and state, ``at`` being a BINGET of ``_reconstruct``.

    Up to the data only where these don't lie in the buffer or may be a file of their own.
    """
    buffer, memo, dense, begin = state.buffer, state.memo, state.dense, at - state.base
    found = _matcher(_NUMPY)(buffer, begin)
    if found is None:
        return 0
    end = found.end()
    array, code, dtype = buffer[begin + 3], buffer[begin + 9], buffer[end - 2]
    if array >= dense or code >= dense or dtype >= dense:
        return 0
    kind = memo.get(array, PLAIN)
    if type(kind) is not Import or kind.judgement.kind != "allowed":
        return 0
    if type(memo.get(code, PLAIN)) is Import or type(memo.get(dtype, PLAIN)) is Import:
        return 0
    kind.pushes += 1
    state.stack.append(PLAIN)
    if after := _after_data(buffer, end):
        state.dense = dense + 6
        return state.base + after
    state.dense = dense + 4
    state.marks.append(len(state.stack))
    state.stack.append(ValueSequence(b"", 4))
    return state.base + end


def _after_data(buffer: bytes, at: int) -> int:
    """Where the rest of the state and its BUILD end, 0 where that can't be seen."""
    width = 1 if buffer[at] == SHORT_BINBYTES else 4
    begin = at + 1 + width
    end = begin + int.from_bytes(buffer[at + 1 : begin], "little")
    if buffer[begin : begin + 1] in BLOB_FIRST or buffer[end : end + 4] != b"\x94t\x94b":
        return 0
    return end + 4


def joblib_array(state: MachineState, at: int) -> int:
    """Pass over joblib's wrapper and its data, ``at`` being a BINGET of ``NumpyArrayWrapper``."""
    found = _matcher(_JOBLIB)(state.buffer, at - state.base)
    if found is None:
        return 0
    memo, dense = state.memo, state.dense
    indices = [found[group][0] for group in (1, 2, 3, 5, 6, 7, 8, 9, 10)]
    if max(indices) >= dense:
        return 0
    subclass, array, shape, order, _, dtype, items, mapped, alignment = (
        memo.get(index, PLAIN) for index in indices
    )
    if (subclass, shape, order, dtype, mapped, alignment) != _KEYS:
        return 0
    if type(items) is not Dtype or items.objects or type(array) is not Import:
        return 0
    array.pushes += 1
    state.dense = dense + 3
    state.stack.append(PLAIN)
    return _passed_over(state, state.base + found.end(), _sizes(found[4]), items, aligned=True)


def _sizes(spelled: bytes) -> list[int]:
    """The numbers of a shape, from their opcodes."""
    sizes, at = [], 0
    while at < len(spelled) - 1:
        width = {0x4B: 1, 0x4D: 2, 0x4A: 4}[spelled[at]]
        sizes.append(int.from_bytes(spelled[at + 1 : at + 1 + width], "little"))
        at += 1 + width
    return sizes


def wrapped_array(state: MachineState, given: Any, following: int, at: int) -> int:
    """Pass over the raw array after a joblib wrapper with that state, as joblib reads it."""
    shape = given.get(b"shape") if type(given) is dict else None
    dtype = given.get(b"dtype") if type(given) is dict else None
    if (
        type(shape) is not tuple
        or type(dtype) is not Dtype
        or not all(type(n) is int and n >= 0 for n in shape)
    ):
        sentence = "joblib reads an array here whose type and shape are not constants"
        state.notes.remark("pickle-too-complex", at, sentence)
        return following
    if state.depth >= MAX_DEPTH:
        raise BrokenError("streams are nested too deep to follow")
    if dtype.objects:
        from buttress.probes.artifacts.pickles.machine import follow

        inner = follow(state.source, following, state.notes, depth=state.depth + 1, piece=4096)
        if inner.end is None:
            raise BrokenError(inner.broken[1] if inner.broken else "it ends before STOP")
        return inner.end
    aligned = type(given.get(b"numpy_array_alignment_bytes")) is int
    return _passed_over(state, following, list(shape), dtype, aligned=aligned)


def _passed_over(
    state: MachineState, following: int, sizes: list[int], dtype: Dtype, *, aligned: bool
) -> int:
    """The offset after the raw array, which begins with its padding's length where ``aligned``.

    Plain ``pickle.load`` would go on with these bytes as opcodes, so they are followed as such
    too: what an unpickler would import from them before it breaks counts.
    """
    if state.take(following, 1)[0] in KNOWN:
        from buttress.probes.artifacts.pickles.machine import follow

        otherwise = Notes(state.notes.names)
        follow(state.source, following, otherwise, depth=MAX_DEPTH, piece=512)
        for name, one in otherwise.imports.items():
            if all(part.isidentifier() for part in one.full.split(".")):
                state.notes.imports.setdefault(name, one)
    if aligned:
        following += 1 + state.number(following, 1)
    return following + math.prod(sizes) * dtype.itemsize
