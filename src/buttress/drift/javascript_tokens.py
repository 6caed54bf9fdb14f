"""Reads JavaScript as a row of tokens, as far as facts need it: strings, names, numbers, marks.

Not a parser: what a slash begins is decided by the token before it, as ECMA-262 leaves it to the
grammar. A wrong guess costs facts of one line, for a regular expression ends with its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

TokenKind = Literal["string", "name", "number", "mark", "regex"]
_SPACE: Final = re.compile(
    r"(?:\s+|//[^\n\r\u2028\u2029]*|/\*.*?\*/|<!--[^\n]*|#![^\n]*)+", re.DOTALL
)
_NAME: Final = re.compile(r"[\w$\u200c\u200d]+")
_NUMBER: Final = re.compile(r"0[xXoObB][0-9a-fA-F_]+n?|(?:\d[\d_]*)?\.?\d[\d_]*(?:[eE][+-]?\d+)?n?")
_REGEX: Final = re.compile(r"/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*")
_STRING: Final = {
    quote: re.compile(rf"(?:[^{quote}\\\n]|\\(?:\r\n|.))*", re.DOTALL) for quote in "'\""
}
_TEMPLATE: Final = re.compile(r"(?:[^`\\$]|\\.|\$(?!\{))*", re.DOTALL)
_ESCAPE: Final = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}|(\r\n|.))", re.DOTALL
)
_PLAIN: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}
# After these words and after a mark that ends no value, a slash begins a regular expression.
_BEFORE_REGEX: Final = frozenset(
    ("return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "instanceof", "do",
     "else", "yield", "await")
)  # fmt: skip
_ENDS_VALUE: Final = (")", "]", "}")


@dataclass(frozen=True, slots=True)
class JavaScriptToken:
    """A token; ``text`` of a string is its value, of a template that of one of its parts."""

    kind: TokenKind
    text: str


def tokens(source: str) -> Iterator[JavaScriptToken]:
    """The tokens of a script, without comments. A template gives its parts, with ``+`` between."""
    at, end = 0, len(source)
    before = JavaScriptToken("mark", "")
    braces: list[bool] = []  # whether each open brace is that of a template's expression
    while at < end:
        if space := _SPACE.match(source, at):
            at = space.end()
            continue
        sign = source[at]
        if sign in _STRING:
            found = _STRING[sign].match(source, at + 1)
            assert found is not None
            at = found.end() + 1
            before = JavaScriptToken("string", _value(found[0]))
        elif sign == "`" or (sign == "}" and braces and braces[-1]):
            if sign == "}":
                braces.pop()
                yield JavaScriptToken("mark", "+")
            found = _TEMPLATE.match(source, at + 1)
            assert found is not None
            at = found.end()
            before = JavaScriptToken("string", _value(found[0]))
            if source.startswith("${", at):
                braces.append(True)
                at += 2
                yield before
                before = JavaScriptToken("mark", "+")
            else:
                at += 1
        elif sign.isdigit() or (sign == "." and source[at + 1 : at + 2].isdigit()):
            found = _NUMBER.match(source, at)
            assert found is not None
            at = found.end()
            before = JavaScriptToken("number", found[0])
        elif name := _NAME.match(source, at):
            at = name.end()
            before = JavaScriptToken("name", name[0])
        elif sign == "/" and not _ended_value(before) and (found := _REGEX.match(source, at)):
            at = found.end()
            before = JavaScriptToken("regex", found[0])
        else:
            if sign == "{":
                braces.append(False)
            elif sign == "}" and braces:
                braces.pop()
            at += 1
            before = JavaScriptToken("mark", sign)
        yield before


def _ended_value(token: JavaScriptToken) -> bool:
    if token.kind == "mark":
        return token.text in _ENDS_VALUE
    return token.kind != "name" or token.text not in _BEFORE_REGEX


def _value(text: str) -> str:
    if "\\" not in text:
        return text

    def plain(found: re.Match[str]) -> str:
        number = found[1] or found[2] or found[3]
        if number:
            code = int(number, 16)
            return chr(code) if code <= 0x10FFFF and not 0xD800 <= code < 0xE000 else "\ufffd"
        sign = found[4]
        return "" if sign in ("\n", "\r\n", "\r") else _PLAIN.get(sign, sign)

    return _ESCAPE.sub(plain, text)


def joined_strings(source: str) -> Iterator[JavaScriptToken]:
    """The tokens with strings that are added to each other as one, as minifiers fold them."""
    waiting: JavaScriptToken | None = None
    plus = False
    for token in tokens(source):
        if waiting is None:
            if token.kind == "string":
                waiting = token
            else:
                yield token
        elif plus:
            if token.kind == "string":
                waiting = JavaScriptToken("string", waiting.text + token.text)
            else:
                yield waiting
                yield JavaScriptToken("mark", "+")
                yield token
                waiting = None
            plus = False
        elif token == _PLUS:
            plus = True
        else:
            yield waiting
            waiting = token if token.kind == "string" else None
            if waiting is None:
                yield token
    if waiting is not None:
        yield waiting


_PLUS: Final = JavaScriptToken("mark", "+")
