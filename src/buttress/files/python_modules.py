"""Python source as a module that can be followed: from a file, or from the cells of a notebook."""

from __future__ import annotations

import ast
import re
import sys
import unicodedata
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from buttress.files.newer_python import newer_tree
from buttress.files.visible import shortened

MAX_BYTES: Final = 1 << 20
MAX_WORDS: Final = 120_000  # of one module: each takes up to 1.2 KB in the syntax tree
_COOKIE: Final = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_ENCODINGS: Final = {
    "latin-1": "latin-1", "iso-8859-1": "latin-1", "iso-8859-15": "iso-8859-15",
    "cp1252": "cp1252", "windows-1252": "cp1252", "gbk": "gbk", "gb2312": "gbk",
    "gb18030": "gb18030", "big5": "big5", "euc-jp": "euc-jp", "shift_jis": "shift_jis",
    "euc-kr": "euc-kr", "koi8-r": "koi8-r", "cp1251": "cp1251",
}  # fmt: skip
# Escapes of these spell any letter in ASCII.
_HIDING: Final = ("utf-7", "unicode-escape", "raw-unicode-escape")
_VERSION: Final = f"{sys.version_info.major}.{sys.version_info.minor}"
_SPACED: Final = bytes(
    byte if chr(byte).isascii() and (chr(byte).isalnum() or byte == 95) else 32
    for byte in range(256)
)  # all but words becomes space: four times as fast as to look for words


def words(data: bytes) -> list[bytes]:
    """Names, keywords and numbers, also those in texts and comments.

    Python reads names in their compatibility form: a mathematical or wide letter is the plain one
    (reference, "Identifiers and keywords").
    """
    if not data.isascii():
        data = unicodedata.normalize("NFKC", data.decode("utf-8", "replace")).encode()
    return data.translate(_SPACED).split()


def readable(data: bytes) -> bytes:
    """Source in UTF-8; from encodings that hide letters behind others, as UTF-7 does."""
    for line in data.split(b"\n", 2)[:2]:
        match = _COOKIE.match(line)
        name = match[1].decode("ascii", "replace").lower().replace("_", "-") if match else ""
        if name in _HIDING:
            return data.decode(name, "replace").encode("utf-8", "replace")
    return data


def beyond_limits(data: bytes) -> str:
    """Which limit of what is parsed source is over, in words; empty where it is within them."""
    if len(data) > MAX_BYTES:
        return f"larger than {MAX_BYTES >> 20} MiB"
    if len(data) > 2 * MAX_WORDS and len(words(data)) > MAX_WORDS:
        return f"more than {MAX_WORDS:,} words"
    return ""


@dataclass(frozen=True, slots=True)
class Module:
    """A module: its statements, its commands for a shell with their lines, and its text."""

    body: Sequence[ast.stmt]
    text: str
    commands: Sequence[tuple[int, str]] = ()
    broken: Sequence[str] = ()  # what does not parse, in words


def decoded(data: bytes) -> str:
    """Source as text. Encodings other than UTF-8 only where the file names a known one."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        for line in data.split(b"\n", 2)[:2]:
            match = _COOKIE.match(line)
            if match:
                encoding = _ENCODINGS.get(match[1].decode("ascii", "replace").lower(), "latin-1")
                return data.decode(encoding, "replace")
        return data.decode("latin-1")


def parsed(text: str) -> Module:
    """A module from the text of a file; empty where it does not parse."""
    if len(words(text.encode("utf-8", "replace"))) > MAX_WORDS:
        return Module((), text, broken=(f"more than {MAX_WORDS:,} words",))
    tree, problem = parse(text)
    return Module(tree, text, broken=(problem,) if problem else ())


def parse(text: str) -> tuple[list[ast.stmt], str]:
    """The statements of ``text``, and in words why there are none."""
    try:
        return syntax_tree(text).body, ""
    except SyntaxError as error:
        where = f"line {error.lineno}: " if error.lineno else ""
        return [], f"no Python {_VERSION}, by which it is read: {where}{shortened(error.msg or '')}"
    except RecursionError:
        return [], "nested too deeply"
    except MemoryError:
        return [], "too complex for Python's parser"
    except ValueError as error:  # zero bytes, lone surrogates, huge numbers
        return [], f"no Python {_VERSION}, by which it is read: {str(error)[:80]}"


def syntax_tree(text: str) -> ast.Module:
    """The syntax tree of ``text``, also where its Python is newer than the interpreter.

    Raises:
        SyntaxError, RecursionError, MemoryError, ValueError: as ``ast.parse``.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on escapes in texts and the like
        try:
            return ast.parse(text)
        except SyntaxError:
            tree = newer_tree(text)
            if tree is None:
                raise
            return tree
