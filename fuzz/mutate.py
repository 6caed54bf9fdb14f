"""Mutations from a seed, for runs without a coverage-guided fuzzer: the same ones everywhere."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Final

MAX_LENGTH: Final = 1 << 14
TOKENS: Final = (
    b"\x00", b"\xff", b"\x7f", b"\x80", b"\xff\xff", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f",
    b"\x00\x00\x00\x80", b"\xff" * 8, b"\xff" * 7 + b"\x7f", b"\x00" * 8, b"\x01" + b"\x00" * 7,
    b"-1", b"0", b"1e999", b"NaN", b"9" * 40, "²".encode(), "é".encode(), b"\xed\xa0\x80",
    b"\xf3\xa0\x81\xa1", b"\xe2\x80\xa8", b"\xc2\x85", b"\xef\xbb\xbf", b"\xff\xfe", b"\x1b[31m",
    b"null", b"true", b"[]", b"{}", b'""', b"{", b"[", b'"', b"'", b"\\", b"\\u0000", b"\\ud800",
    b"\n", b"\r\n", b"\r", b"\t", b" ", b":", b"- ", b"&a ", b"*a", b"!!", b"<<: ", b"%", b"#",
    b"${", b"{{", b"{%", b"<!--", b"../", b"://", b"=",
)  # fmt: skip


def mutations(corpus: Sequence[bytes], count: int, seed: int) -> Iterator[bytes]:
    """``count`` inputs, each made of one of the corpus by one to six changes."""
    source = random.Random(seed)
    seeds = list(corpus) or [b""]
    for _ in range(count):
        data = bytearray(source.choice(seeds))
        for _ in range(source.randint(1, 6)):
            _change(data, seeds, source)
        yield bytes(data[:MAX_LENGTH])


def _change(data: bytearray, seeds: Sequence[bytes], source: random.Random) -> None:
    place = source.randrange(len(data) + 1)
    match source.randrange(9):
        case 0 if data:
            data[place % len(data)] ^= 1 << source.randrange(8)
        case 1 if data:
            data[place % len(data)] = source.randrange(256)
        case 2:
            del data[place : place + source.choice((1, 1, 2, 8, 64))]
        case 3:
            del data[place:]
        case 4:
            data[place:place] = source.choice(TOKENS)
        case 5:
            value = source.choice(TOKENS)
            data[place : place + len(value)] = value
        case 6:  # a part again
            start = source.randrange(len(data) + 1)
            data[place:place] = data[start : start + source.choice((1, 4, 16, 64))]
        case 7:  # a part of another input
            other = source.choice(seeds)
            start = source.randrange(len(other) + 1)
            data[place:place] = other[start : start + source.choice((1, 8, 32, 256))]
        case _ if data:  # two parts change places
            start, size = source.randrange(len(data)), source.choice((1, 4, 16))
            first, second = data[place : place + size], data[start : start + size]
            data[start : start + size], data[place : place + size] = first, second
        case _:
            data[place:place] = source.randbytes(4)
