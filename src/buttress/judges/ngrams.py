"""Words and pairs of neighbouring words of an answer, as places in a table of fixed size.

Feature hashing (Weinberger et al. 2009, arXiv:0902.2206) with CRC-32, without signs. Words of the
answer's opening count a second time as such. Only the first ``WORDS`` words and the last ``TAIL``
are used, so that the time for an answer is bounded.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final
from zlib import crc32

import numpy as np
import numpy.typing as npt

SIZE: Final = 1 << 15
WORDS: Final = 220
TAIL: Final = 60
OPENING: Final = 25  # words
SCALE: Final = 3.0


def places(words: Sequence[str]) -> npt.NDArray[np.int64]:
    """Distinct places in the table, sorted, shape (k,)."""
    found: set[int] = set()
    parts = [words] if len(words) <= WORDS + TAIL else [words[:WORDS], words[-TAIL:]]
    for number, part in enumerate(parts):
        before = ""
        for index, word in enumerate(part):
            found.add(crc32(f"u {word}".encode()) % SIZE)
            pair = f"{before} {word}"
            if before:
                found.add(crc32(f"b {pair}".encode()) % SIZE)
            if not number and index < OPENING:
                found.add(crc32(f"o {word}".encode()) % SIZE)
                if before:
                    found.add(crc32(f"p {pair}".encode()) % SIZE)
            before = word
    return np.array(sorted(found), dtype=np.int64)


def value(count: int) -> float:
    """What each of ``count`` places counts."""
    return SCALE / math.sqrt(max(count, 1))
