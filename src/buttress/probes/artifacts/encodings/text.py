"""Is it text, and what does it say."""

from __future__ import annotations

import codecs
from typing import Final

_CONTROL: Final = bytes(set(range(32)) - {9, 10, 12, 13, 27})
_WIDE: Final = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def is_text(head: bytes) -> bool:
    """Whether a file that begins so may be text: UTF-16 with its mark, or no control bytes."""
    return head[:2] in _WIDE or head.translate(None, _CONTROL) == head


def decoded(data: bytes) -> str:
    """The text, with what is not decodable replaced."""
    for mark, name in _WIDE.items():
        if data.startswith(mark):
            return data[2:].decode(name, "replace")
    return data.removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace")
