"""Messages of protocol buffers written as text (protobuf.dev, "Text Format") or as JSON.

Both are read by the same few rules: a name, then a value or a message in braces. Nothing is built
but the scalars of the messages that are open.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from buttress.files.encodable import encodable

_TOKEN: Final = re.compile(
    r"""\#[^\n]*|\s+
    |"(?P<double>(?:[^"\\\n]|\\.)*)"
    |'(?P<single>(?:[^'\\\n]|\\.)*)'
    |(?P<mark>[{}<>:;,\[\]])
    |(?P<word>[^\s{}<>:;,\[\]"'#]+)""",
    re.VERBOSE,
)
_ESCAPE: Final = re.compile(
    r"\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))"
)
_PLAIN: Final = {"n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_MAX_DEPTH: Final = 200
_MAX_VALUES: Final = 64  # of one name in one message
_MAX_TEXT: Final = 4096


class ProtoTextMessage(NamedTuple):
    """A message that has ended. ``values``: its scalars by name, as texts."""

    name: str
    offset: int  # in characters, where it began
    depth: int
    values: dict[str, list[str]]


def messages(text: str) -> Iterator[ProtoTextMessage]:
    """The messages, inner ones before those around them; what makes no sense is passed over."""
    open_: list[ProtoTextMessage] = [ProtoTextMessage("", 0, 0, {})]
    lists = [0]  # lists that are open in each message
    name, expects, joined = "", False, False
    for token in _TOKEN.finditer(text):
        mark, quoted = token["mark"], token["double"]
        if quoted is None:
            quoted = token["single"]
        if mark is not None:
            if mark in "{<":
                if len(open_) > _MAX_DEPTH:
                    break
                open_.append(ProtoTextMessage(name, token.start(), len(open_), {}))
                lists.append(0)
            elif mark in "}>" and len(open_) > 1:
                lists.pop()
                ended = open_.pop()
                name = ended.name  # the next item of a list has the same name
                yield ended
            elif mark == "[":
                lists[-1] += expects
            elif mark == "]":
                lists[-1] = max(lists[-1] - 1, 0)
            expects, joined = mark == ":", False
        elif quoted is not None or token["word"]:
            value = _unescaped(quoted) if quoted is not None else token["word"]
            kept = open_[-1].values.setdefault(name, []) if name else []
            if joined and quoted is not None and kept:  # "a" "b" is one text
                kept[-1] = (kept[-1] + value)[:_MAX_TEXT]
            elif expects or lists[-1]:
                if len(kept) < _MAX_VALUES:
                    kept.append(value)
                expects, joined = False, quoted is not None
            else:
                name, joined = value, False
    yield from reversed(open_)


def _unescaped(text: str) -> str:
    def one(found: re.Match[str]) -> str:
        octal, short, wide, long, plain = found.groups()
        if octal:
            return chr(int(octal, 8) & 255)
        if short or wide or long:
            code = int(short or wide or long, 16)
            return chr(code) if code < 0x110000 else "?"
        return _PLAIN.get(plain, plain)

    plain = _ESCAPE.sub(one, text[:_MAX_TEXT])
    return encodable(plain)
