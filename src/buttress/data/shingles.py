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
from functools import cache
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
WORDS: Final = 5  # of a shingle
_LONGEST: Final = 256  # characters of a word after which multipliers repeat: a power of two
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
        hashes, owners = _shingles(some)
        bounds = np.searchsorted(owners, np.arange(len(some) + 1)).tolist()
        parts += [_sorted_set(hashes[start:end]) for start, end in pairwise(bounds)]
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
    multipliers = _random(permutations, 2) | np.uint64(1)
    for start in range(0, len(filled), _BLOCK):
        rows = filled[start : start + _BLOCK]
        low, high = offsets[rows[0]], offsets[rows[-1] + 1]
        block, begins = hashes[low:high], offsets[rows] - low
        product = np.empty_like(block)
        for place, multiplier in enumerate(multipliers):
            np.multiply(block, multiplier, out=product)
            least = np.minimum.reduceat(product, begins)
            result[rows, place] = (least >> np.uint64(32)).astype(np.uint32)
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


def _shingles(texts: Sequence[str]) -> tuple[Hashes, npt.NDArray[np.int64]]:
    """Hashes of all shingles in order, and the number of the text of each."""
    joined = "\n".join(texts)
    codes, kinds = _codes(joined)
    lengths = np.array([len(text) + 1 for text in texts], dtype=np.int64)
    begins = _begins(kinds)
    starts = np.flatnonzero(begins)
    if not len(starts):
        return np.zeros(0, np.uint64), np.zeros(0, np.int64)
    owners = np.searchsorted(np.cumsum(lengths), starts, side="right")
    return _grams(_words_of(codes, kinds), owners)


def _codes(text: str) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint8]]:
    """Code points, and the kind of each: 0 between words, 1 part of a word, 2 a word itself."""
    if text.isascii():
        codes = np.frombuffer(text.encode("ascii"), dtype=np.uint8)
        return codes.astype(np.uint32), _ascii_kinds()[codes]
    wide = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    return wide, _kinds()[wide]


def _begins(kinds: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Where a word begins."""
    begins: npt.NDArray[np.bool_] = kinds == 2
    before = np.zeros(len(kinds), dtype=np.uint8)
    before[1:] = kinds[:-1]
    begins |= (kinds == 1) & (before != 1)
    return begins


def _words_of(codes: npt.NDArray[np.uint32], kinds: npt.NDArray[np.uint8]) -> Hashes:
    """A hash of each word."""
    inside = kinds > 0
    if not inside.any():
        return np.zeros(0, dtype=np.uint64)
    return _words(codes[inside], _begins(kinds)[inside])


def _words(codes: npt.NDArray[np.uint32], begins: npt.NDArray[np.bool_]) -> Hashes:
    """A hash of each word, from the code points of all words and where words begin."""
    starts = np.flatnonzero(begins)
    lengths = np.diff(np.append(starts, len(codes)))
    place = np.arange(len(codes)) - np.repeat(starts, lengths)
    place &= _LONGEST - 1
    terms = np.take(_random(_LONGEST, 0), place)
    terms *= codes + np.uint64(1)
    return _mixed(np.add.reduceat(terms, starts))


def _grams(words: Hashes, owners: npt.NDArray[np.int64]) -> tuple[Hashes, npt.NDArray[np.int64]]:
    weights = _random(WORDS, 1) | np.uint64(1)
    count = max(0, len(words) - WORDS + 1)
    whole = np.zeros(count, dtype=np.uint64)
    for place in range(WORDS):
        whole += words[place : place + count] * weights[place]
    same = owners[:count] == owners[WORDS - 1 :] if count else np.zeros(0, bool)
    hashes, texts = _mixed(whole[same]), owners[:count][same]
    # Texts of fewer words than a shingle has.
    numbers, firsts, counts = np.unique(owners, return_index=True, return_counts=True)
    short = np.flatnonzero(counts < WORDS)
    if not len(short):
        return hashes, texts
    own = [
        np.sum(words[start : start + size] * weights[:size], dtype=np.uint64)
        for start, size in zip(firsts[short], counts[short], strict=True)
    ]
    hashes = np.concatenate([hashes, _mixed(np.array(own, dtype=np.uint64))])
    texts = np.concatenate([texts, numbers[short]])
    order = np.argsort(texts, kind="stable")
    return hashes[order], texts[order]


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
def _ascii_kinds() -> npt.NDArray[np.uint8]:
    signs = (chr(code) for code in range(256))
    return np.array(
        [sign.isascii() and (sign.isalnum() or sign == "_") for sign in signs], np.uint8
    )


@cache
def _kinds() -> npt.NDArray[np.uint8]:
    """The kind of every code point."""
    kinds = np.fromiter(
        (
            (sign := chr(code)).isalnum() or sign == "_" or unicodedata.category(sign)[0] == "M"
            for code in range(0x110000)
        ),
        dtype=np.uint8,
        count=0x110000,
    )
    for low, high in _OWN_WORD:
        kinds[low:high] *= 2
    return kinds


def word_runs(text: str, words: int) -> Hashes:
    """Hashes of all runs of that many words, in order; empty for a text of fewer."""
    codes, kinds = _codes(text.lower())
    hashes = _words_of(codes, kinds)
    count = len(hashes) - words + 1
    if count < 1:
        return np.zeros(0, dtype=np.uint64)
    weights = _random(_LONGEST, 3) | np.uint64(1)
    whole = np.zeros(count, dtype=np.uint64)
    for place in range(words):
        whole += hashes[place : place + count] * weights[place % _LONGEST]
    return _mixed(whole)


def word_spans(text: str) -> list[tuple[int, int]]:
    """Start and end of each word, as ``word_runs`` counts them."""
    _, kinds = _codes(text.lower())
    starts = np.flatnonzero(_begins(kinds))
    ends = np.append(np.flatnonzero(kinds == 0), len(kinds))
    after = ends[np.searchsorted(ends, starts)]
    ends = np.minimum(after, np.append(starts[1:], len(kinds)))
    return list(zip(starts.tolist(), ends.tolist(), strict=True))
