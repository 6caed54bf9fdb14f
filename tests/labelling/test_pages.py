"""Answers are shown as they are, and can do nothing to the terminal."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from buttress.labelling.pages import escaped, pages


@given(st.text(st.characters(), max_size=300))
def test_nothing_unsafe_is_left_and_nothing_safe_is_lost(text: str) -> None:
    shown = escaped(text)
    assert all(c == "\n" or unicodedata.category(c)[0] not in "C" for c in shown)
    shown.encode()
    plain = "".join(c for c in text if unicodedata.category(c)[0] in "LNPS")
    assert plain.replace("\\", "") in shown.replace("\\", "") or plain != text


def test_escapes_and_reversed_text_are_visible() -> None:
    assert escaped("\x1b[2J\u202eabc\ud800\tx\r\n") == "\\x1b[2J\\u202eabc\\ud800    x\n"


@given(st.text(st.characters(), max_size=400), st.integers(2, 30), st.integers(1, 6))
def test_pages_fit_and_keep_every_character(text: str, width: int, height: int) -> None:
    shown = escaped(text)
    found = pages(shown, width, height)
    assert all(len(page) <= height for page in found)
    assert all(cell_len(line) <= width for page in found for line in page)
    joined = "".join(line for page in found for line in page)
    assert joined.replace(" ", "") == shown.replace("\n", "").replace(" ", "")
