from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from buttress.files.visible import one_line, printable_name, shortened, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("exe\u202egpj.txt", "exe\\u202egpj.txt"),
        ("a\u200bb", "a\\u200bb"),
        ("a\u2028b", "a\\u2028b"),
        ("\ud800", "\\ud800"),
        ("中文", "中文"),
    ],
)
def test_what_is_hidden_is_spelt_out_everywhere(text: str, shown: str) -> None:
    assert visible(text) == one_line(text) == shortened(text) == shown
    assert shown.isprintable()


def test_prose_is_put_on_one_line_and_keeps_its_spaces() -> None:
    assert one_line("第一行\n　第二行\tend\r") == "第一行 　第二行 end "


def test_in_names_every_space_but_the_common_one_is_spelt_out() -> None:
    assert visible("a\u00a0b\n") == "a\\xa0b\\n"
    assert visible("a\n\tb\r", keep="\n\t") == "a\n\tb\\r"


@given(st.binary(min_size=1), st.binary(min_size=1))
@example(b"n\xff.py", b"n\\xff.py")
@example(b"a\nb", b"a\\nb")
def test_different_names_are_shown_differently(one: bytes, other: bytes) -> None:
    shown = [printable_name(name.decode("utf-8", "surrogateescape")) for name in (one, other)]
    assert (shown[0] == shown[1]) == (one == other)
    assert all(name.isprintable() for name in shown)
