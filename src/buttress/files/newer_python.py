"""Python that is newer than the interpreter, parsed by it all the same.

What the syntax of 3.12 to 3.15 adds is written in older words, line by line as it stands:

- f-strings that hold quotes, backslashes, comments or line breaks in their fields (PEP 701): each
  field becomes a name, and what it holds is parsed by itself and put back into the tree;
- template strings (PEP 750), as f-strings;
- parameters of types after ``def``, ``class`` and ``type`` (PEP 695, 696), which are left out;
- ``type X = Y``, as an assignment;
- ``except A, B:`` (PEP 758), in parentheses;
- ``lazy import`` (PEP 810), as an import.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import Final

MAX_LEVELS: Final = 20  # of f-strings within each other
_TOGETHER: Final = 50  # fields of one f-string: Python 3.11 takes quadratic time for more
_CUT: Final = "\x00"  # where an f-string is cut in two, that stand side by side
_HOLE: Final = "hole_of_a_newer_text_"
_STRING: Final = r"""(?:(?<!\w)(?P<prefix>[A-Za-z]{1,2}))?(?P<quote>\"{3}|'{3}|"|')"""
_OPENING: Final = frozenset("([{")
_CLOSING: Final = frozenset(")]}")
_TOKEN: Final = re.compile(rf"""\#[^\n]*|{_STRING}|[()\[\]{{}}\n:;]""")
_IN_FIELD: Final = re.compile(rf"""\#[^\n]*|{_STRING}|[()\[\]{{}}:!=]""")
_STATEMENT: Final = re.compile(
    r"[ \t\f]*(?:(?P<alias>type[ \t]+)(?=[^\W\d]\w*[ \t]*(?:\[|=(?!=)))|"
    r"(?P<lazy>lazy[ \t]+)(?=(?:import|from)\b)|"
    r"(?P<except>except\b[ \t]*\*?)|"
    r"(?P<named>(?:async[ \t]+def|def|class)[ \t]+[^\W\d]\w*[ \t]*)(?=\[))"
)
_ALIAS: Final = re.compile(r"[^\W\d]\w*[ \t]*(?=\[)")
_ENDS: Final = {
    '"': re.compile(r'[^"\\\n]*(?:\\.[^"\\\n]*)*"', re.DOTALL),
    "'": re.compile(r"[^'\\\n]*(?:\\.[^'\\\n]*)*'", re.DOTALL),
    '"""': re.compile(r'[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*"""', re.DOTALL),
    "'''": re.compile(r"[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*'''", re.DOTALL),
}
_PART: Final = re.compile(r"""[\\{}"'\n]""")
_CONVERSION: Final = re.compile(r"![ \t]*\w[ \t]*")
_PLAIN: Final = re.compile(r"[ \t]*[^\W\d]\w*(?:\.[^\W\d]\w*)*[ \t]*")
_SPACE: Final = re.compile(r"\s*")


class _UnreadableError(Exception):
    """It is no Python of any version that is known here."""


def newer_tree(text: str, level: int = 0) -> ast.Module | None:
    """The syntax tree of newer Python, with the lines of ``text``; None where it is none.

    Raises:
        RecursionError, MemoryError, ValueError: as ``ast.parse``.
    """
    if level > MAX_LEVELS or _CUT in text or (_HOLE in text and not level):
        return None
    rewriter = _Rewriter(text, level)
    try:
        tree = ast.parse(rewriter.rewritten())
    except (_UnreadableError, SyntaxError):
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.FormattedValue) and isinstance(node.value, ast.Name):
            hole = rewriter.holes.get(node.value.id)
            if hole is not None:
                expression = _expression(*hole, level)
                if expression is None:
                    return None
                node.value = expression
    return tree


def _expression(text: str, line: int, level: int) -> ast.expr | None:
    """What a field holds, with its line."""
    whole = f"(\n{text}\n)"
    try:
        tree: ast.Module | None = ast.parse(whole)
    except SyntaxError:
        tree = newer_tree(whole, level + 1)
    if tree is None or len(tree.body) != 1 or not isinstance(tree.body[0], ast.Expr):
        return None
    value = tree.body[0].value
    ast.increment_lineno(value, line - 2)
    return value


class _Rewriter:
    """Writes a text in older words; ``holes`` are what stood in the fields, and their lines."""

    def __init__(self, text: str, level: int) -> None:
        self._text = text
        self._mark = f"{_HOLE}{level}_"
        self._breaks = [one.start() for one in re.finditer("\n", text)]
        self.holes: dict[str, tuple[str, int]] = {}

    def rewritten(self) -> str:
        """The text in older words, each line where it was."""
        text = self._text
        out: list[str] = []
        copied = pos = depth = 0
        starts = True

        def put(upto: int, instead: str, after: int) -> None:
            nonlocal copied
            out.extend((text[copied:upto], instead))
            copied = after

        while True:
            if starts:
                starts = False
                pos = self._statement(pos, put)
            token = _TOKEN.search(text, pos)
            if token is None:
                return "".join((*out, text[copied:]))
            pos, sign = token.end(), token[0]
            if token["quote"]:
                pos = self._string_end(token)
                if _has_fields(token):
                    put(token.start(), self._formatted(token)[1], pos)
            elif sign in "([{":
                depth += 1
            elif sign in ")]}":
                depth = max(depth - 1, 0)
            elif sign == "\n":
                starts = not depth and text[token.start() - 1 : token.start()] != "\\"
            elif sign in ":;":
                starts = not depth

    def _statement(self, pos: int, put: Callable[[int, str, int], None]) -> int:
        """Rewrite the beginning of a statement; where to go on."""
        found = _STATEMENT.match(self._text, pos)
        if found is None:
            return pos
        end = found.end()
        if found["alias"] or found["lazy"]:
            put(found.start("alias" if found["alias"] else "lazy"), "", end)
            named = _ALIAS.match(self._text, end) if found["alias"] else None
            if named is None:
                return end
            end = named.end()
        elif found["except"]:
            return self._except(end, put)
        after = self._group_end(end)
        put(end, "\\\n" * self._text.count("\n", end, after), after)
        return after

    def _except(self, pos: int, put: Callable[[int, str, int], None]) -> int:
        """Put classes that are separated by commas in parentheses."""
        end = self._colon(pos)
        given = self._text[pos:end]
        several = "," in given and " as " not in given and _is_tuple(given)
        if several:
            put(pos, f" ({given})", end)
        return end

    def _colon(self, pos: int) -> int:
        """Where the colon stands that ends the head of a block."""
        for token, depth in self._signs(pos):
            if not depth and token[0] == ":":
                return token.start()
            if not depth and token[0] == "\n":
                break
        raise _UnreadableError

    def _group_end(self, pos: int) -> int:
        """After the bracket that closes the one at ``pos``."""
        for token, depth in self._signs(pos):
            if not depth and token[0] in _CLOSING:
                return token.end()
        raise _UnreadableError

    def _signs(self, pos: int) -> Iterator[tuple[re.Match[str], int]]:
        """What stands outside strings, and how many brackets are open behind it."""
        depth = 0
        while (token := _TOKEN.search(self._text, pos)) is not None:
            pos = token.end()
            if token["quote"]:
                pos = self._string_end(token)
                continue
            depth += (token[0] in _OPENING) - (token[0] in _CLOSING)
            yield token, depth

    def _string_end(self, token: re.Match[str]) -> int:
        if _has_fields(token):
            return self._formatted(token, keep=False)[0]
        found = _ENDS[token["quote"]].match(self._text, token.end())
        if found is None:
            raise _UnreadableError
        return found.end()

    def _formatted(self, token: re.Match[str], *, keep: bool = True) -> tuple[int, str]:
        """The end of an f-string or template string, and what it is in older words."""
        prefix, quote = token["prefix"], token["quote"]
        raw = "r" in prefix.lower()
        end, body = self._parts(token.end(), quote, raw=raw, keep=keep)
        broken = len(quote) == 1 and "\n" in body.replace("\\\n", "")
        quotes = quote * 3 if broken else quote
        opening = f"{'rf' if raw else 'f'}{quotes}"
        body = body.replace(_CUT, f"{quotes} {opening}")
        return end + len(quote), f"{opening}{body}{quotes}"

    def _parts(
        self, pos: int, quote: str, *, raw: bool, keep: bool, spec: bool = False
    ) -> tuple[int, str]:
        """Text and fields up to the end, where it is, in older words.

        Of how a field is shown (``spec``) the end is a brace.
        """
        text, out, fields = self._text, [], 0
        while (found := _PART.search(text, pos)) is not None:
            out.append(text[pos : found.start()])
            pos, sign = found.start(), found[0]
            following = text[pos + 1 : pos + 2]
            if text.startswith(quote, pos):
                if spec:
                    break
                return pos, "".join(out)
            if sign == "}" and spec:
                return pos, "".join(out)
            if sign == "{" and (following != "{" or spec):
                pos, field = self._field(pos, quote, raw=raw, keep=keep)
                fields += 1
                out.append(field if spec or fields % _TOGETHER else field + _CUT)
                continue
            if sign == "\n" and len(quote) == 1:
                break
            after = pos + 1
            if sign in "{}":
                if following != sign:
                    break
                after = pos + 2
            elif sign == "\\" and not raw and text.startswith("N{", pos + 1):
                after = text.find("}", pos) + 1 or len(text)
            elif sign == "\\" and following not in ("{", "}"):
                after = pos + 2
            out.append(text[pos:after])
            pos = after
        raise _UnreadableError

    def _field(self, pos: int, quote: str, *, raw: bool, keep: bool) -> tuple[int, str]:
        """After the field that begins at ``pos``, and what it is in older words."""
        text, start = self._text, pos + 1
        end = self._expression_end(start)
        inside = text[start:end]
        if not inside.strip():
            raise _UnreadableError
        if text[end] == "=":  # {x=}
            space = _SPACE.match(text, end + 1)
            end = space.end() if space else end + 1
        shown = ""
        conversion = _CONVERSION.match(text, end)
        if conversion is not None:
            end, shown = conversion.end(), conversion[0].strip()
        if text[end : end + 1] == ":":
            end, how = self._parts(end + 1, quote, raw=raw, keep=keep, spec=True)
            shown = f"{shown}:{how}"
        if text[end : end + 1] != "}":
            raise _UnreadableError
        lines = "\n" * text.count("\n", start, end)
        if keep and not _PLAIN.fullmatch(inside):
            name = f"{self._mark}{len(self.holes)}"
            self.holes[name] = (inside, bisect_left(self._breaks, start) + 1)
            inside = f"{name}{lines}"
        return end + 1, f"{{{inside}{shown}}}"

    def _expression_end(self, pos: int) -> int:
        """Where the expression ends that a field holds."""
        text, depth = self._text, 0
        while (token := _IN_FIELD.search(text, pos)) is not None:
            pos, sign, start = token.end(), token[0], token.start()
            if token["quote"]:
                pos = self._string_end(token)
            elif sign in "([{":
                depth += 1
            elif depth and sign in ")]}":
                depth -= 1
            elif depth or sign[0] == "#":
                continue
            elif sign in "}:" or (sign == "!" and text[pos : pos + 1] != "="):
                return start
            elif sign == "=" and text[start - 1] not in "=!<>":
                space = _SPACE.match(text, pos)
                if space is not None and text[space.end() : space.end() + 1] in ("}", "!", ":"):
                    return start
        raise _UnreadableError


def _has_fields(token: re.Match[str]) -> bool:
    return token["prefix"] is not None and not set("fFtT").isdisjoint(token["prefix"])


def _is_tuple(given: str) -> bool:
    """Whether names are separated by commas, and not only inside brackets."""
    try:
        return isinstance(ast.parse(f"({given})", mode="eval").body, ast.Tuple)
    except (SyntaxError, ValueError):
        return False
