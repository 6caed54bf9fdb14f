"""Bodies are read in the encoding that they name or show."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buttress.files.charset import decoded_text

TEXT = '{"name": "Straße 中"}'


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (TEXT.encode(), "application/json"),
        (codecs.BOM_UTF8 + TEXT.encode(), ""),
        (TEXT.encode("utf-16"), "text/html"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "text/html; charset=utf-8"),
        (TEXT.encode("utf-16-le"), 'application/json; charset="UTF-16LE"'),
        (TEXT.encode("utf-16-be"), "application/json"),
        (TEXT.encode("gb18030"), "text/html;charset=GBK"),
        (TEXT.encode(), "text/html; charset=rot13"),
        (TEXT.encode(), "text/html; charset=unicode_escape"),
    ],
)
def test_what_a_body_names_or_shows(data: bytes, content_type: str) -> None:
    assert decoded_text(data, content_type) == TEXT


def test_a_page_names_its_encoding_itself() -> None:
    page = '<html><meta http-equiv="Content-Type" content="text/html; charset=gb2312"><p>中'
    assert decoded_text(page.encode("gbk"), "text/html") == page
    assert decoded_text('<meta charset="utf-16"><p>é'.encode()) == '<meta charset="utf-16"><p>é'
    assert decoded_text(b"\x80 \xe9", "text/plain; charset=iso-8859-1") == "€ é"


@given(st.binary(max_size=60), st.text(max_size=20))
def test_any_bytes_are_a_text(data: bytes, charset: str) -> None:
    assert isinstance(decoded_text(data, f"text/html; charset={charset}"), str)
