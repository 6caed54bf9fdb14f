"""Strings of Dalvik executables, and the constant texts that reach a method."""

from __future__ import annotations

import re
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buttress.files.dex import Dex, DexCall, DexError
from tests.probes.client.build import dex

ADDRESS = re.compile(rb"^http://")
URL = "http://api.shop.io/"
OPEN = ("java.net.URL", "<init>")
BUILDER = ("java.lang.StringBuilder", "append")
TEXT = st.text(
    st.characters(min_codepoint=1, max_codepoint=0xFFFF, categories=["L", "N", "P", "Z"])
)


def load(number: int, register: int = 0) -> bytes:
    return struct.pack("<BBH", 0x1A, register, number)


def invoke(method: int, *registers: int) -> bytes:
    packed = sum(one << 4 * at for at, one in enumerate(registers))
    return struct.pack("<BBHH", 0x6E, len(registers) << 4, method, packed)


def methods(data: bytes) -> list[str]:
    return [one.method for one in Dex(data).calls(ADDRESS)]


@given(st.lists(TEXT.filter(lambda one: len(one) < 4_000), unique=True))
def test_strings_come_back(texts: list[str]) -> None:
    data = dex(texts)
    found = list(Dex(data).strings())
    assert [text.decode() for _, _, text in found] == texts
    assert all(data[offset : offset + len(text)] == text for _, offset, text in found)


def test_a_call_with_a_constant() -> None:
    (call,) = Dex(dex([URL], [(URL, *OPEN)])).calls(ADDRESS)
    assert call == DexCall(call.offset, "java.net.URL.<init>", URL)


@pytest.mark.parametrize(
    ("code", "reaches"),
    [
        (load(0) + b"\x07\x02" + invoke(0, 3, 2), True),  # move-object v2, v0
        (load(0) + b"\x08\x12\x00\x00" + b"\x12\x00" + invoke(0, 3, 2), False),  # to v18; v0 = 0
        (load(0) + b"\x12\x00" + invoke(0, 1, 0), False),  # const/4 v0, 0
        (load(0) + load(1) + invoke(0, 1, 0), False),  # another text in its place
        (load(0) + invoke(1, 1, 0) + b"\x0c\x02" + invoke(0, 3, 2), True),  # joined with others
        (load(0) + invoke(0, 1, 2), False),
        (load(0) + b"\x0e\x00" + invoke(0, 1, 0), False),  # after return-void
        (load(0) + b"\x69\x00\x07\x00\x0e\x00" + b"\x62\x01\x07\x00" + invoke(0, 2, 1), True),
        (load(0) + b"\x69\x00\x07\x00\x0e\x00" + b"\x62\x01\x08\x00" + invoke(0, 2, 1), False),
        (load(0, 20) + struct.pack("<BBHH", 0x74, 2, 0, 19), True),  # invoke-virtual/range v19…v20
    ],
)
def test_a_text_is_followed(code: bytes, reaches: bool) -> None:
    names = [("x", *OPEN), ("x", *BUILDER)]
    assert methods(dex([URL, "x"], names, code)) == (["java.net.URL.<init>"] if reaches else [])


def test_strings_that_overlap_are_an_error() -> None:
    data = bytearray(dex(["a" * 200, *(f"b{number}" for number in range(40))]))
    first = data[112:116]
    for at in range(112, 112 + 4 * 41, 4):
        data[at : at + 4] = first
    with pytest.raises(DexError, match="overlap"):
        list(Dex(bytes(data)).strings())


@given(st.binary(max_size=300), st.integers(0, 300))
def test_any_bytes(noise: bytes, at: int) -> None:
    whole = dex([URL], [(URL, *OPEN)])
    data = (whole[:at] + noise + whole[at:]).ljust(112, b"\0")
    data = b"dex\n" + data[4:]
    try:
        program = Dex(data)
        list(program.strings())
        program.calls(ADDRESS)
    except DexError:
        pass
