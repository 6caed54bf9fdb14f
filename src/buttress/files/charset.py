"""Bytes that came over HTTP as text, in the encoding that they name or show."""

from __future__ import annotations

import codecs
import re
from typing import Final

from buttress.files.utf8 import UTF16_MARKS

_MARKS: Final = {codecs.BOM_UTF8: "utf-8", **UTF16_MARKS}
_JSON: Final = {b"{\0": "utf-16-le", b"[\0": "utf-16-le", b"\0{": "utf-16-be", b"\0[": "utf-16-be"}
_NAMED: Final = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.I)
_META: Final = re.compile(rb"<meta\b[^>]{0,400}?charset\s*=\s*[\"']?([\w.:-]{1,40})", re.I)
_PRESCAN: Final = 1024  # bytes in which a page may name its encoding
# Encodings of texts; Python knows others, such as that of escapes.
_TEXT: Final = re.compile(
    r"(?:us-)?ascii|utf-?(?:8|16|32)(?:-?[lb]e)?|iso-?8859-?\d+|latin-?\d|(?:windows-|cp)\d{3,4}"
    r"|koi8-[ru]|gb_?(?:2312(?:-80)?|k|18030)|big5(?:-hkscs)?|shift[_-]jis|sjis|euc-(?:jp|kr)"
    r"|iso-2022-jp|tis-620",
    re.I,
)
_WIDER: Final = {"iso8859-1": "cp1252", "ascii": "cp1252", "gb2312": "gb18030", "gbk": "gb18030"}


def decoded_text(data: bytes, content_type: str = "") -> str:
    """The text of a body; what is none in its encoding becomes U+FFFD.

    As in the Encoding and HTML standards of the WHATWG: a byte order mark decides, then the charset
    of the header, then that of a page's ``<meta>``, else it is UTF-8. JSON shows UTF-16 by itself.

    Args:
        data: the body, without compression.
        content_type: the header ``Content-Type``.
    """
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    if encoding := _JSON.get(data[:2], ""):
        return data.decode(encoding, "replace")
    named = _NAMED.search(content_type)
    if encoding := _known(named[1]) if named else "":
        return data.decode(encoding, "replace")
    if not data.isascii() and (meta := _META.search(data[:_PRESCAN])):
        encoding = _known(meta[1].decode("ascii", "replace"))
        if not encoding.startswith("utf-"):  # a page whose meta could be read is no UTF-16
            return data.decode(encoding or "utf-8", "replace")
    return data.decode("utf-8", "replace")


def _known(label: str) -> str:
    """Python's name of an encoding of texts; empty for what is none."""
    if not _TEXT.fullmatch(label):
        return ""
    try:
        name = codecs.lookup(label).name
    except LookupError:
        return ""
    return _WIDER.get(name, name)
