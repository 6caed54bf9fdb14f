"""Comments of scripts and pages, blanked so that what is left keeps its places."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

# A line comment longer than people write them in a minified script is rather code that was not
# understood: it stays.
_MAX_LINE_COMMENT: Final = 1_000
# Each token is found or given up within a bound, or else nested openings would be searched through
# again and again: a text that is not closed ends with its line.
_STRING: Final = r""""(?:[^"\\\n]|\\[\s\S])*"?|'(?:[^'\\\n]|\\[\s\S])*'?"""
# A slash begins a regular expression where no value stands before it (ECMA-262, section 12.10).
_EXPRESSION: Final = (
    r"(?:(?<=[=(,:;!&|?{}\[+~^%<>*\n-])|(?<=return)|(?<=typeof)|(?<=case))[ \t]*"
    r"/(?![*/])(?:[^/\\\[\n]|\\[^\n]|\[(?:[^\]\\\n]|\\[^\n]){0,300}\]){1,2000}/"
)
_TOKENS: Final = re.compile(
    rf"(?P<line>//[^\n]*)|(?P<block>/\*)|{_STRING}|{_EXPRESSION}|(?P<mark>[`{{}}])"
)
_TEMPLATE: Final = re.compile(r"\\[\s\S]|(?P<end>`)|(?P<code>\$\{)")
_OPENING: Final = re.compile(r"(?i)<script\b|(?P<comment><!--)")
_SCRIPT_END: Final = re.compile(r"(?i)</script\s*>")
_KEPT: Final = re.compile(r"[^\n]+")


def without_comments(script: str) -> str:
    """A script (ECMAScript, or what compiles to it) with spaces in place of its comments.

    Line ends stay. Strings, regular expressions and templates are told from code by the shape of
    tokens alone; where that fails, a comment may stay.
    """
    if "//" not in script and "/*" not in script:
        return script
    return _blanked(script, _comments(script, 0, len(script)))


def page_without_comments(page: str) -> str:
    """A page of HTML without its comments, and without those of its scripts."""
    spans: list[tuple[int, int]] = []
    at, comments = 0, True
    while match := _OPENING.search(page, at):
        at = match.end()
        if match["comment"]:
            end = page.find("-->", at) if comments else -1
            comments = end >= 0  # what is not closed here is not closed further on either
            if comments:
                at = end + len("-->")
                spans.append((match.start(), at))
            continue
        start = page.find(">", at) + 1
        closing = _SCRIPT_END.search(page, start) if start else None
        if closing is None:
            break
        spans.extend(_comments(page, start, closing.start()))
        at = closing.end()
    return _blanked(page, spans)


def _blanked(text: str, spans: Iterator[tuple[int, int]] | list[tuple[int, int]]) -> str:
    parts, last = [], 0
    for start, end in spans:
        blank = _KEPT.sub(lambda one: " " * len(one[0]), text[start:end])
        parts += [text[last:start], blank]
        last = end
    return "".join([*parts, text[last:]])


def _comments(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Begin and end of each comment of a script."""
    depths: list[int] = []  # open braces in each template's code that encloses this place
    at, blocks = start, True
    while match := _TOKENS.search(text, at, end):
        at = match.end()
        mark = match["mark"]
        if match["block"]:
            closing = text.find("*/", at, end) if blocks else -1
            blocks = closing >= 0
            if blocks:
                at = closing + len("*/")
                yield match.start(), at
        elif match["line"] and at - match.start() <= _MAX_LINE_COMMENT:
            yield match.span()
        elif match["line"]:
            at = match.start() + 2
        elif mark == "`":
            at = _template(text, at, end, depths)
        elif mark == "{" and depths:
            depths[-1] += 1
        elif mark == "}" and depths:
            depths[-1] -= 1
            if depths[-1] < 0:
                depths.pop()
                at = _template(text, at, end, depths)


def _template(text: str, at: int, end: int, depths: list[int]) -> int:
    """Where a template, or its text up to the next code in it, ends."""
    while match := _TEMPLATE.search(text, at, end):
        at = match.end()
        if match["code"]:
            depths.append(0)
            return at
        if match["end"]:
            return at
    return end
