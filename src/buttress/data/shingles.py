"""Sets of word 5-grams as 64-bit hashes, and their MinHash signatures.

A word is a run of letters, digits, marks and underscores, in lower case; a Chinese character or
Japanese kana is a word of its own. A text of fewer than five words is one shingle.

MinHash: Broder 1997, "On the resemblance and containment of documents". Shingle hashes are well
mixed, so multiplying by random odd numbers (Dietzfelbinger et al. 1997) gives the permutations.
All hashes are fixed: the same text has the same shingles on every machine.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
WORDS: Final = 5  # of a shingle
_WEIGHTS: Final = 256  # words of a run after which multipliers repeat
_GROUP: Final = 1 << 17  # characters that are hashed at once
_BLOCK: Final = 64  # texts whose signatures are made at once
_OWN_WORD: Final = (
    *((0x3400, 0x4DC0), (0x4E00, 0xA000), (0xF900, 0xFB00), (0x20000, 0x32000)),
    *((0x3041, 0x3097), (0x30A1, 0x30FB), (0x3005, 0x3008)),
)


def shingle_sets(texts: Sequence[str]) -> tuple[Hashes, npt.NDArray[np.int64]]:
    """The shingles of each text, sorted, each once.

    Returns:
        All sets one after the other, and where each begins: set ``i`` is
        ``hashes[offsets[i] : offsets[i + 1]]``. A text without a word has an empty set.
    """
    parts: list[Hashes] = []
    for some in _groups([text.lower() for text in texts]):
        starts, words = _words("\n".join(some))
        ends = np.cumsum([len(text) + 1 for text in some])
        bounds = [0, *np.searchsorted(starts, ends).tolist()]
        grams = _runs(words, WORDS)
        parts += [
            _sorted_set(
                grams[start : end - WORDS + 1]
                if end - start >= WORDS
                else _runs(words[start:end], max(1, end - start))
            )
            for start, end in pairwise(bounds)
        ]
    offsets = np.zeros(len(texts) + 1, dtype=np.int64)
    np.cumsum([len(part) for part in parts], out=offsets[1:])
    return (np.concatenate(parts) if parts else np.zeros(0, np.uint64)), offsets


def signatures(
    hashes: Hashes, offsets: npt.NDArray[np.int64], permutations: int
) -> npt.NDArray[np.uint32]:
    """MinHash signatures, shape (texts, permutations); all ones for an empty set."""
    count = len(offsets) - 1
    result = np.full((count, permutations), 0xFFFFFFFF, dtype=np.uint32)
    filled = np.flatnonzero(offsets[1:] > offsets[:-1])
    multipliers = (_random(permutations, 2) >> np.uint64(32)).astype(np.uint32) | np.uint32(1)
    for start in range(0, len(filled), _BLOCK):
        rows = filled[start : start + _BLOCK]
        low, high = offsets[rows[0]], offsets[rows[-1] + 1]
        block = (hashes[low:high] >> np.uint64(32)).astype(np.uint32)
        begins = offsets[rows] - low
        product = np.empty_like(block)
        for place, multiplier in enumerate(multipliers):
            np.multiply(block, multiplier, out=product)
            result[rows, place] = np.minimum.reduceat(product, begins)
    return result


def jaccard(first: Hashes, second: Hashes) -> float:
    """Shared shingles over all shingles of two sorted sets without repetitions; 0 if both empty."""
    if not len(first) or not len(second):
        return 0.0
    short, long = (first, second) if len(first) <= len(second) else (second, first)
    places = np.minimum(np.searchsorted(long, short), len(long) - 1)
    shared = int(np.count_nonzero(long[places] == short))
    return shared / (len(first) + len(second) - shared)


def _groups(texts: Sequence[str]) -> Iterator[list[str]]:
    """Texts in order, as many at a time as the processor's cache holds with what comes of them."""
    group: list[str] = []
    size = 0
    for text in texts:
        if group and size + len(text) > _GROUP:
            yield group
            group, size = [], 0
        group.append(text)
        size += len(text)
    if group:
        yield group


def _sorted_set(hashes: Hashes) -> Hashes:
    ordered = np.sort(hashes)
    new = np.ones(len(ordered), dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    return ordered[new]


def _codes(text: str) -> tuple[npt.NDArray[Any], npt.NDArray[np.uint8]]:
    """Code points, and the kind of each: 0 between words, 1 part of a word, 2 a word itself."""
    if text.isascii():
        codes = np.frombuffer(text.encode("ascii"), dtype=np.uint8)
        return codes, np.take(_kinds(0x100), codes)
    wide = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    return wide, np.take(_kinds(0x10000 if wide.max() < 0x10000 else 0x110000), wide)


def _bounds(kinds: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Start and end of each word, in order."""
    inside = np.zeros(len(kinds) + 2, dtype=bool)
    np.equal(kinds, 1, out=inside[1:-1])
    edges = inside[1:] != inside[:-1]
    own = kinds == 2
    if not own.any():
        places = np.flatnonzero(edges)
        return places[::2], places[1::2]
    within = inside[1:-1]
    begins, ends = own | (within & edges[:-1]), own | (within & edges[1:])
    return np.flatnonzero(begins), np.flatnonzero(ends) + 1


def _words(text: str) -> tuple[npt.NDArray[np.int64], Hashes]:
    """Where each word begins, and its hash: a polynomial of its code points, mixed.

    The polynomials of all beginnings of a piece of text are summed up once; that of a word is a
    difference of two, moved to the first place by the inverse of the base.
    """
    codes, kinds = _codes(text)
    starts, ends = _bounds(kinds)
    hashes = np.empty(len(starts), dtype=np.uint64)
    first = 0
    while first < len(starts):  # a piece at a time: what comes of it fits the processor's cache
        begin = int(starts[first])
        last = max(first + 1, int(np.searchsorted(ends, begin + _GROUP, side="right")))
        size = int(ends[last - 1]) - begin
        powers, inverse = _powers(size)
        sums = np.zeros(size + 1, dtype=np.uint64)
        np.multiply(codes[begin : begin + size], powers[:size], out=sums[1:], dtype=np.uint64)
        np.cumsum(sums, out=sums)
        low, high = starts[first:last] - begin, ends[first:last] - begin
        hashes[first:last] = (np.take(sums, high) - np.take(sums, low)) * np.take(inverse, low)
        first = last
    return starts, _mixed(hashes)


def _runs(words: Hashes, size: int) -> Hashes:
    """Hashes of all runs of ``size`` words, in order."""
    count = max(0, len(words) - size + 1)
    weights = _random(_WEIGHTS, 1) | np.uint64(1)
    whole = words[:count] * weights[0]
    for place in range(1, size):
        whole += words[place : place + count] * weights[place % _WEIGHTS]
    return _mixed(whole)


def _powers(count: int) -> tuple[Hashes, Hashes]:
    """Powers of the base of words' hashes and of its inverse modulo 2**64, from the 0th on."""
    return _powers_up_to(max(_GROUP, 1 << (count - 1).bit_length()))


@lru_cache(maxsize=1)
def _powers_up_to(count: int) -> tuple[Hashes, Hashes]:
    base = int(_random(1, 0)[0]) | 1
    powers, inverse = (
        np.full(count, one, dtype=np.uint64) for one in (base, pow(base, -1, 1 << 64))
    )
    for table in (powers, inverse):
        table[0] = 1
        np.multiply.accumulate(table, out=table)
    return powers, inverse


def _mixed(values: Hashes) -> Hashes:
    """The finaliser of SplitMix64 (Steele et al. 2014): every bit depends on every bit."""
    values = values ^ (values >> np.uint64(30))
    values = values * np.uint64(0xBF58476D1CE4E5B9)
    values = values ^ (values >> np.uint64(27))
    values = values * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


@cache
def _random(count: int, use: int) -> Hashes:
    """Fixed random numbers; ``use`` tells independent tables apart."""
    numbers: Hashes = np.random.Generator(np.random.PCG64([1997, use])).integers(
        0, 2**64 - 1, count, dtype=np.uint64, endpoint=True
    )
    return numbers


@cache
def _kinds(count: int) -> npt.NDArray[np.uint8]:
    """The kind of each of the first code points."""
    signs = np.arange(count, dtype="<u4").tobytes().decode("utf-32-le", "surrogatepass")
    kinds = np.frombuffer(bytes(map(str.isalnum, signs)), np.uint8).copy()
    categories = "".join(map(unicodedata.category, signs)).encode("ascii")  # two letters each
    kinds[np.frombuffer(categories, np.uint8)[::2] == ord("M")] = 1
    kinds[ord("_")] = 1
    for low, high in _OWN_WORD:
        kinds[low:high] *= 2
    return kinds


def word_runs(text: str, words: int) -> Hashes:
    """Hashes of all runs of that many words, in order; empty for a text of fewer."""
    return _runs(_words(text.lower())[1], words)


def word_spans(text: str) -> list[tuple[int, int]]:
    """Start and end of each word, as ``word_runs`` counts them."""
    starts, ends = _bounds(_codes(text.lower())[1])
    return list(zip(starts.tolist(), ends.tolist(), strict=True))
