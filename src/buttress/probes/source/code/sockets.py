"""Sockets of ZeroMQ and others: whether the text of a module shows that strangers reach them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_FAR: Final = re.compile(
    r"""\btcp://(?!localhost\b|127\.0\.0\.1|\[::1\]|\{[\w.]*local_?host\w*\})""", re.IGNORECASE
)
_NEAR: Final = re.compile(
    r"(?:\btcp://|\})(?:localhost\b|127\.0\.0\.1|\[::1\])|\b(?:ipc|inproc)://"
)
_KIND: Final = r"\b{name}\s*=[^\n]{{0,200}}\(\s*(?:zmq\.)?(?:SocketType\.)?(?:X?PUB|PUSH)\b"
_MADE: Final = r"\b{name}\s*(?::[^=\n]{{1,60}})?=[^\n=][^\n]{{0,200}}"
_BOUND: Final = r"\b{name}\s*\.\s*bind\w*\(\s*([^\n]{{0,200}})"
_RECEIVER: Final = re.compile(r"(\w+)(?:\[[^\]]{0,60}\])?\s*\.\s*(?:recv\w*|accept|makefile)\b")
_VARIABLE: Final = re.compile(r"(?:\w+\.)*([A-Za-z_]\w*)\s*[,)]")
_MAX: Final = 20  # places that are looked at


def receiver(line: str) -> str:
    """The name of the socket that receives in this line; empty where none is seen."""
    found = _RECEIVER.search(line)
    return found[1] if found else ""


@lru_cache(maxsize=32)
def listens(text: str, name: str) -> bool:
    """Whether a ZeroMQ socket of this name is bound to an address that other machines reach.

    Of a socket that the module does not bind, and of one that only sends, this is not shown. An
    address in a variable is looked up where it was last set; where it is not found, any address of
    another machine in the module counts.
    """
    for bound in list(re.finditer(_BOUND.format(name=re.escape(name or "")), text))[:_MAX]:
        before = text[: bound.start()]
        kinds = list(re.finditer(_MADE.format(name=re.escape(name)), before))
        if kinds and re.match(_KIND.format(name=re.escape(name)), kinds[-1].group()):
            continue
        address = _address(bound[1], before)
        if _FAR.search(address) and not _NEAR.search(address):
            return True
        if "://" not in address and not _NEAR.search(address) and _FAR.search(text):
            return True
    return False


def connects(text: str, name: str) -> bool:
    """Whether the module only connects a socket of this name: it hears whom it chose itself."""
    own = re.escape(name)
    return bool(name and re.search(rf"\b{own}\s*\.\s*connect\w*\(", text)) and not re.search(
        rf"\b{own}\s*\.\s*(?:bind|listen|accept)\w*\(", text
    )


def _address(argument: str, before: str) -> str:
    """What is bound: a text, or what the variable that stands there was last set to."""
    if "://" in argument:
        return argument
    variable = _VARIABLE.match(argument)
    if variable is None:
        return argument
    found = re.findall(_MADE.format(name=re.escape(variable[1])), before)
    return str(found[-1]) if found else argument
