"""Addresses in the text of a module: whether any of them is of another machine, over TLS."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

# Where a text begins with an address; in prose and comments an address is no place that is called.
_ADDRESS: Final = re.compile(r"""["'](\w+|\{\w+\})://([^\s/"'?#:]*|\[[\da-f:]*\])""")
_HOST: Final = r"localhost|127\.\d+\.\d+\.\d+|\[::1\]|0\.0\.0\.0|host\.docker\.internal"
_HERE: Final = re.compile(
    rf"://(?:{_HOST})\b|\bUnixConnector\b|\bAF_UNIX\b|\buds=|\bhttp\+unix\b", re.IGNORECASE
)
_OF_HERE: Final = re.compile(_HOST, re.IGNORECASE)
_SECURE: Final = ("https", "wss", "ldaps", "grpcs", "{")
_PLAIN: Final = ("http", "ws", "grpc", "ldap")
_NAMES_ONLY: Final = re.compile(r"w3\.org$|xmlsoap|openxmlformats|schemas|purl\.org$")
_DEFINES: Final = re.compile(r"([ \t]*)(?:async[ \t]+def|def|class)\b")


def only_nearby(text: str, line: int) -> bool:
    """Whether every address that the function around a line calls is this machine's, or no TLS.

    Where the function names none, those of the module count. Where none is named at all, nothing
    is known: false.
    """
    for part in (around(text, line), text):
        told = _judged(part)
        if told is not None:
            return told
    return False


@lru_cache(maxsize=4)
def _judged(text: str) -> bool | None:
    found = None
    for scheme, host in _ADDRESS.findall(text):
        if _NAMES_ONLY.search(host):  # of a namespace of XML
            continue
        if _OF_HERE.fullmatch(host) or scheme in _PLAIN:
            found = True
        elif scheme.startswith(_SECURE):
            return False
    return found or (True if _HERE.search(text) else None)


@lru_cache(maxsize=4)
def lines_of(text: str) -> tuple[str, ...]:
    """The lines of a module, which many calls in it ask for."""
    return tuple(text.split("\n"))


def around(text: str, line: int) -> str:
    """The lines of the function in which a line stands."""
    lines = lines_of(text)
    first, deep = line - 1, _indent(lines[line - 1] if line <= len(lines) else "")
    while first > 0:
        first -= 1
        found = _DEFINES.match(lines[first])
        if found and len(found[1]) < deep:
            break
    else:
        return ""
    last = line
    while last < len(lines) and (not lines[last].strip() or _indent(lines[last]) > len(found[1])):
        last += 1
    return "\n".join(lines[first:last])


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
