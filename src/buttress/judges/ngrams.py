"""Words and pairs of neighbouring words of an answer, as places in a table of fixed size.

Feature hashing (Weinberger et al. 2009, arXiv:0902.2206) with CRC-32, without signs. Words of the
answer's opening count a second time as such. Only the first ``WORDS`` words and the last ``TAIL``
are used, so that the time for an answer is bounded.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise
from typing import Final
from zlib import crc32

import numpy as np
import numpy.typing as npt

SIZE: Final = 1 << 15
WORDS: Final = 220
TAIL: Final = 60
OPENING: Final = 25  # words
SCALE: Final = 3.0
# CRC-32 goes on from what came before, so that each kind of feature begins with its own name.
_ONE: Final = crc32(b"u ")
_TWO: Final = crc32(b"b ")
_FIRST_ONE: Final = crc32(b"o ")
_FIRST_TWO: Final = crc32(b"p ")


@lru_cache(maxsize=64)  # systems repeat their answers
def places(words: tuple[str, ...]) -> npt.NDArray[np.int64]:
    """Distinct places in the table, sorted, shape (k,), not writable."""
    found: set[int] = set()
    parts = [words] if len(words) <= WORDS + TAIL else [words[:WORDS], words[-TAIL:]]
    for number, part in enumerate(parts):
        encoded = [word.encode() for word in part]
        found.update([crc32(word, _ONE) for word in encoded])
        found.update([crc32(b" %b" % b, crc32(a, _TWO)) for a, b in pairwise(encoded)])
        if not number:
            opening = encoded[:OPENING]
            found.update([crc32(word, _FIRST_ONE) for word in opening])
            found.update([crc32(b" %b" % b, crc32(a, _FIRST_TWO)) for a, b in pairwise(opening)])
    made = np.array(sorted({code % SIZE for code in found}), dtype=np.int64)
    made.flags.writeable = False
    return made


def value(count: int) -> float:
    """What each of ``count`` places counts."""
    return SCALE / math.sqrt(max(count, 1))
