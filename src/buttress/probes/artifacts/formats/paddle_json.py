"""PaddlePaddle's program as JSON (PIR, the default since version 3): operators and attributes.

Keys are shortened: "#" is the name of an operator, with the number of its dialect before the dot.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from buttress.files.bounded_json import MAX_BYTES, JsonError, parse
from buttress.files.byte_source import ByteSource
from buttress.probes.artifacts.formats.paddle import OPERATORS
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.scope import Scope

_LOOKED_AT: Final = 64 << 10
_MAGIC: Final = re.compile(rb'"magic"\s*:\s*"pir"')
_NAME: Final = re.compile(rb'"#"\s*:\s*"(?:[\w ]+\.)?(\w+)"')


def matches(source: ByteSource, head: bytes) -> bool:
    """A JSON object that says so near its beginning."""
    if head.lstrip()[:1] != b"{":
        return False
    text = source.read_at(0, _LOOKED_AT)
    return b'"pir"' in text and _MAGIC.search(text) is not None


def inspect(source: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
    """Every operator of every block, once each; a program that is no JSON is only searched."""
    text = source.read_at(0, MAX_BYTES)
    try:
        names = set(_names(parse(text)[0]))
    except JsonError as error:
        if source.size > MAX_BYTES:
            scope.record_skip(f"the first {MAX_BYTES >> 20} MB of the program were only searched")
        else:
            message = f"The program was only searched: {error}."
            yield scope.issue("config-malformed", 0, message)
        names = {found.decode() for found in _NAME.findall(text)}
    for name in sorted(names & OPERATORS.keys()):
        severity, what = OPERATORS[name]
        message = f"The operator {name} of the program {what}."
        at = max(text.find(f'.{name}"'.encode("utf-8", "replace")), 0)
        yield scope.issue("paddle-operator", at, message, severity=severity)


def _names(value: Any) -> Iterator[str]:
    """Names of operators; nesting was bounded by the parser."""
    ahead = [value]
    while ahead:
        one = ahead.pop()
        if isinstance(one, dict):
            if isinstance(name := one.get("#"), str):
                yield name.rpartition(".")[2]
            ahead += one.values()
        elif isinstance(one, list):
            ahead += one
