"""Cuts a text into stretches whose windows share a minimizer, so that equal windows meet.

The minimizer of a window is the least hash of the runs of ``run_length`` bytes in it (Roberts et
al. 2004). It depends on the window's bytes alone. Hashes are fixed: the same on every machine.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

_LONGEST_RUN: Final = 32
STRETCH: Final = np.dtype(
    [("minimizer", "<u8"), ("row", "<i4"), ("start", "<i4"), ("size", "<i4")]
)  # ``start`` and ``size`` in bytes of the text


def run_length(length: int) -> int:
    """Bytes of a hashed run in windows of ``length`` bytes: a power of two, at most half."""
    return min(_LONGEST_RUN, 1 << ((length // 2).bit_length() - 1))


def stretches(data: bytes, length: int) -> npt.NDArray[Any]:
    """Stretches of ``data`` that together hold each window of ``length`` bytes exactly once.

    Returns:
        An array of ``STRETCH``, in order; ``row`` is left at 0. Windows of a stretch have the same
        minimizer. Empty where ``data`` is shorter than a window.
    """
    if len(data) < length:
        return np.zeros(0, STRETCH)
    run = run_length(length)
    hashes = _table()[np.frombuffer(data, np.uint8)]
    reach = 1
    while reach < run:  # the hash of 2n bytes from those of its halves
        hashes = (hashes[:-reach] * np.uint64(0x9E3779B97F4A7C15)) ^ hashes[reach:]
        hashes ^= hashes >> np.uint64(29)
        hashes *= np.uint64(0xBF58476D1CE4E5B9)
        reach *= 2
    hashes ^= hashes >> np.uint64(32)
    least = _sliding_minimum(hashes, length - run + 1)
    starts = np.concatenate([[0], np.flatnonzero(least[1:] != least[:-1]) + 1])
    result = np.zeros(len(starts), STRETCH)
    result["minimizer"] = least[starts]
    result["start"] = starts
    result["size"] = np.diff(np.append(starts, len(least))) + length - 1
    return result


def _sliding_minimum(values: npt.NDArray[np.uint64], window: int) -> npt.NDArray[np.uint64]:
    """The least of each ``window`` values, by doubling."""
    reach = 1
    while reach * 2 <= window:
        values = np.minimum(values[:-reach], values[reach:])
        reach *= 2
    rest = window - reach
    return np.minimum(values[: len(values) - rest], values[rest:]) if rest else values


@cache
def _table() -> npt.NDArray[np.uint64]:
    numbers: npt.NDArray[np.uint64] = np.random.Generator(np.random.PCG64([2004])).integers(
        0, 2**64 - 1, 256, dtype=np.uint64, endpoint=True
    )
    return numbers
