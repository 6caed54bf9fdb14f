"""Is it text, and what does it say."""

from __future__ import annotations

import codecs
from typing import Final

from buttress.files.utf8 import UTF16_MARKS

_CONTROL: Final = bytes(set(range(32)) - {9, 10, 12, 13, 27})


def is_text(head: bytes) -> bool:
    """Whether a file that begins so may be text: UTF-16 with its mark, or no control bytes."""
    return head[:2] in UTF16_MARKS or head.translate(None, _CONTROL) == head


def decoded(data: bytes) -> str:
    """The text, with what is not decodable replaced."""
    for mark, name in UTF16_MARKS.items():
        if data.startswith(mark):
            return data[2:].decode(name, "replace")
    return data.removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace")
