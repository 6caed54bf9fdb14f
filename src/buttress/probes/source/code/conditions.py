"""Conditions of a rule on a value: constants, texts, paths, contents and taint."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Final

import re2

from buttress.files.encodable import encodable
from buttress.probes.source.code.paths import GlobUnion
from buttress.probes.source.code.values import (
    ALL,
    HOLE,
    PARAMETER,
    SEGMENT,
    Taint,
    Value,
    taints_of,
)

GAP: Final = "{}"  # what patterns see where a text is not known


class RegularExpression:
    """A regular expression of RE2, which takes linear time.

    Raises:
        re2.error: it is none.
    """

    def __init__(self, text: str) -> None:
        options = re2.Options()
        options.log_errors = False
        self._compiled = re2.compile(text, options)

    def search(self, text: str) -> Any:
        """The first match; half a surrogate pair counts as U+FFFD."""
        return self._compiled.search(encodable(text))


@cache
def pattern(text: str) -> RegularExpression:
    """The expression, compiled once."""
    return RegularExpression(text)


_ONE_PART: Final = "it is one part of a path, in which no slash stands: of a route, say"
_RUNS: Final = re.compile(
    r"(?i)^(?:.*[/\\])?(?:(?:ba|z|da|k)?sh|python[\d.]*|pypy3?|node|deno|bun|perl|ruby|php|java|pwsh|"
    r"powershell|cmd|wine|sudo|su|env|nohup|setsid|timeout|xargs|dpkg|rpm|apt(?:-get)?|yum|dnf|apk|"
    r"pip3?|uv|npm|npx|installer|msiexec|open|start|rundll32|ssh|docker|podman)(?:\.exe)?$"
)
_INTERPRETS: Final = re.compile(
    r"(?i)^(?:.*[/\\])?(?:python[\d.]*|pypy3?|node|deno|bun|perl|ruby|php)(?:\.exe)?$"
)
_PLAIN_OPTIONS: Final = ("-u", "-B", "-I", "-s", "-S", "-E", "-O", "-OO", "-q", "-v", "-b", "-w")


@dataclass(frozen=True)
class Condition:
    """All that is given must hold. Of what is not known, nothing holds but ``given``.

    ``equal`` are constants; ``matches`` is looked for in what is known of a text; ``path`` are
    globs; ``contains`` are constants or globs of which a list or mapping holds one; ``taint`` are
    labels, of which one must be there and not be cleaned for ``use``. With ``program``, of a
    command given as a list only what it runs counts: its first word, or all of one that runs its
    arguments. With ``first``, of a list whose items are known only the first is meant.
    """

    missing: bool = False
    given: bool = False
    constant: bool = False
    equal: tuple[Any, ...] | None = None
    matches: str | None = None
    differs: str | None = None  # a known text in which this is not found
    path: tuple[str, ...] | None = None
    contains: tuple[Any, ...] | None = None
    taint: tuple[str, ...] | None = None
    use: str = ALL
    dynamic: bool | None = None
    program: bool = False
    first: bool = False

    @cached_property
    def paths(self) -> GlobUnion:
        """``path`` as one."""
        return GlobUnion(self.path or ())

    @cached_property
    def _contents(self) -> GlobUnion:
        return GlobUnion(one for one in self.contains or () if isinstance(one, str) and "." in one)

    @cached_property
    def _pattern(self) -> RegularExpression:
        return pattern(self.matches or "")

    @cached_property
    def _excluded(self) -> RegularExpression:
        return pattern(self.differs or "")

    def holds(self, value: Value | None, *, known: bool) -> bool:
        """Whether it holds of a value; None where there is none, surely so if ``known``."""
        if self.missing:
            return value is None and known
        if value is None:
            return False
        value = self._meant(value)
        text = value.known_text
        shown = text.replace(HOLE, GAP) if text is not None else None
        if self.equal is not None and not any(_same(value.const, one) for one in self.equal):
            return False
        if self.constant and not isinstance(value.const, (str, bytes)):
            return False
        if self.matches is not None and (shown is None or not self._pattern.search(shown)):
            return False
        if self.differs is not None and (shown is None or self._excluded.search(shown)):
            return False
        if self.path is not None and not self.paths.match(value.path):
            return False
        if self.dynamic is not None and value.dynamic is not self.dynamic:
            return False
        if self.contains is not None and not any(map(self._wanted, _contents(value))):
            return False
        return self.taint is None or bool(self.carried(value))

    def carried(self, value: Value) -> tuple[Taint, ...]:
        """The taints for which it holds, or would if the callers of a function gave them."""
        if self.taint is None:
            return ()
        value = self._meant(value)
        taints = value.taints
        if self.program and value.elements:
            taints = taints_of(*_run_by(value.elements))
        return tuple(
            one
            for one in taints
            if (one.label == PARAMETER or one.label in self.taint) and not self.safe(one.cleaned)
        )

    def safe(self, cleaned: frozenset[str]) -> bool:
        """Whether what was cleaned for these uses does no harm here."""
        return ALL in cleaned or self.use in cleaned

    def doubt(self, cleaned: frozenset[str]) -> str:
        """Why what was cleaned so may do no harm here, in words; empty if nothing."""
        return _ONE_PART if self.use == "path" and SEGMENT in cleaned else ""

    def _meant(self, value: Value) -> Value:
        return value.elements[0] if self.first and value.elements else value

    def _wanted(self, value: Value) -> bool:
        return any(_same(value.const, one) for one in self.contains or ()) or self._contents.match(
            value.path
        )


def _run_by(command: tuple[Value, ...]) -> tuple[Value, ...]:
    """Of a command given as a list, the words that name what runs.

    That is its first word, or all where the program runs or installs what its arguments name. An
    interpreter runs a script, and what follows are the script's arguments; ``python -m NAME`` runs
    a module: pip installs what they name, but only where it is told to install.
    """
    program, words = command[0], [one.known_text for one in command]
    if words[1:2] == ["-m"] and len(words) > 2 and words[2] is not None and HOLE not in words[2]:
        return command if "install" in words else command[:1]
    name = program.known_text or ""
    if program.path == "sys.executable" or _INTERPRETS.match(name):
        return command[: _script(words) + 1]
    return command if _RUNS.match(name) else command[:1]


def _script(words: list[str | None]) -> int:
    """Where the script of an interpreter stands; at the end where an option may give code."""
    for place, word in enumerate(words[1:], 1):
        if word is None or not word.startswith("-"):
            return place
        if word not in _PLAIN_OPTIONS:
            break
    return len(words)


def _contents(value: Value) -> Iterator[Value]:
    yield from value.elements or ()
    for name, entry in (value.entries or {}).items():
        yield Value(const=name)
        yield entry
    if value.elements is None and value.entries is None:
        yield value


def _same(const: Any, wanted: Any) -> bool:
    return type(const) is type(wanted) and bool(const == wanted)


SCHEMA: Final[Mapping[str, Any]] = {
    "description": "missing, given, or a mapping of conditions",
    "anyOf": [
        {"enum": ["missing", "given", "constant"]},
        {
            "type": "object",
            "additionalProperties": False,
            "minProperties": 1,
            "properties": {
                "is": {"description": "a constant or a list of constants"},
                "matches": {"type": "string", "minLength": 1},
                "differs": {"type": "string", "minLength": 1},
                "path": {"type": "array", "items": {"type": "string"}, "minItems": 1},
                "contains": {"type": "array", "minItems": 1},
                "taint": {"type": "array", "items": {"type": "string"}, "minItems": 1},
                "use": {"type": "string"},
                "dynamic": {"type": "boolean"},
                "program": {"type": "boolean"},
                "first": {"type": "boolean"},
            },
        },
    ],
}


def condition(data: str | Mapping[str, Any]) -> Condition:
    """Make a condition from data that fits ``SCHEMA``."""
    if isinstance(data, str):
        return Condition(
            missing=data == "missing", given=data == "given", constant=data == "constant"
        )
    fields: dict[str, Any] = dict(data)
    if "is" in fields:
        given = fields.pop("is")
        fields["equal"] = tuple(given) if isinstance(given, list) else (given,)
    for name in ("path", "contains", "taint"):
        if name in fields:
            fields[name] = tuple(fields[name])
    return Condition(**fields)
