"""Dockerfiles as instructions, by the reference of the Dockerfile format."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from buttress.rules.subject import CONTINUED

_NAME: Final = re.compile(r"\s*([A-Za-z]{2,20})(?:\s+|$)")
_FLAG: Final = re.compile(r"\s*--([a-z][a-z-]{0,30})(?:=(\S{0,2000}))?(?=\s|$)\s*")
_HEREDOC: Final = re.compile(r"<<-?\s?[\"']?([A-Za-z_][A-Za-z0-9_]{0,60})[\"']?")
_PAIR: Final = re.compile(
    r"([A-Za-z_][A-Za-z0-9_.-]{0,200})=(\"(?:\\.|[^\"\\])*\"?|'[^']*'?|(?:\\.|[^\s\\])*)", re.DOTALL
)
MAX_VALUE: Final = 4_096  # characters of a variable that is followed
MAX_GROWTH: Final = 1 << 20  # characters that variables may add to a text
_VARIABLE: Final = re.compile(r"\$(?:\{([A-Za-z0-9_]+)(?::?-([^}]*))?\}|([A-Za-z0-9_]+))")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction. In ``text`` a line's end that is escaped stands as a form feed."""

    name: str
    flags: Mapping[str, str]
    text: str
    line: int
    documents: tuple[str, ...] = ()  # here-documents

    def words(self) -> list[str]:
        """Its arguments: of the JSON form, or split at white space."""
        stripped = self.text.replace(CONTINUED, " ").strip()
        if stripped.startswith("["):
            try:
                given = json.loads(stripped)
            except (ValueError, RecursionError):
                given = None
            if isinstance(given, list):
                return [one for one in given if isinstance(one, str)]
        return stripped.split()

    def pairs(self) -> list[tuple[str, str, int]]:
        """Names, values and lines of ENV, ARG or LABEL; the old form ``ENV name value`` too."""
        found, line, counted = [], self.line, 0
        for match in _PAIR.finditer(self.text):
            line += self.text.count(CONTINUED, counted, match.start())
            counted = match.start()
            found.append((match[1], _unquoted(match[2]), line))
        if not found and self.name != "ARG":
            name, _, value = self.text.strip().partition(" ")
            return [(name, _unquoted(value.strip()), self.line)] if value else []
        return found


@dataclass(slots=True)
class Stage:
    """A stage of a build: its base image, with variables filled in, and its name."""

    image: str
    name: str
    line: int
    user: str = ""
    user_line: int = 0
    instructions: list[Instruction] = field(default_factory=list)


def instructions(text: str) -> Iterator[Instruction]:
    """All instructions in order; lines that are none are left out."""
    lines = text.replace("\r\n", "\n").split("\n")
    escape = _escape(lines)
    index = 0
    while index < len(lines):
        first = index
        whole, index = _logical(lines, index, escape)
        match = _NAME.match(whole)
        if not match or whole.lstrip().startswith("#"):
            continue
        name, rest = match[1].upper(), whole[match.end() :]
        bodies: list[str] = []
        if name in ("RUN", "COPY", "ADD"):
            for delimiter in _HEREDOC.findall(rest):
                body, index = _heredoc(lines, index, delimiter)
                bodies.append(body)
        if name == "ONBUILD" and (inner := _NAME.match(rest)):
            name, rest = inner[1].upper(), rest[inner.end() :]
        flags: dict[str, str] = {}
        while flag := _FLAG.match(rest):
            flags[flag[1]] = f"{flags[flag[1]]},{flag[2]}" if flag[1] in flags else flag[2] or ""
            rest = rest[flag.end() :]
        yield Instruction(name, flags, rest, first + 1, tuple(bodies))


def values_at(found: Iterable[Instruction]) -> Iterator[tuple[Instruction, Mapping[str, str]]]:
    """Each instruction with the values of ARG (its defaults) and ENV that hold where it stands."""
    arguments: dict[str, str] = {}  # before the first stage
    known: dict[str, str] = {}  # in the current stage
    staged = False
    for one in found:
        yield one, known if staged and one.name != "FROM" else arguments
        if one.name == "FROM":
            staged, known = True, {}
        elif not staged and one.name == "ARG":
            arguments = arguments | {name: value for name, value, _ in one.pairs()}
        elif one.name in ("ARG", "ENV"):
            given = {key: filled(value, known) for key, value, _ in one.pairs()}
            given = {key: value for key, value in given.items() if len(value) <= MAX_VALUE}
            bare = [] if given or one.name == "ENV" else one.text.split()
            known = known | {key: arguments[key] for key in bare if key in arguments} | given


def stages(found: list[Instruction]) -> list[Stage]:
    """The stages of a build; a stage on another takes over its user."""
    result: list[Stage] = []
    for one, known in values_at(found):
        if one.name == "FROM":
            words = one.words()
            image = filled(words[0], known) if words else ""
            name = words[2] if len(words) >= 3 and words[1].lower() == "as" else ""
            base = next((stage for stage in result if stage.name and stage.name == image), None)
            user, line = (base.user, base.user_line) if base else ("", 0)
            result.append(Stage(image, name, one.line, user, line))
        elif result:
            result[-1].instructions.append(one)
            if one.name == "USER":
                result[-1].user = filled(one.text.strip(), known)
                result[-1].user_line = one.line
    return result


def filled(text: str, values: Mapping[str, str]) -> str:
    """``text`` with variables replaced by their values or defaults; unknown ones stay.

    So do those with which the text would become ``MAX_GROWTH`` characters longer.
    """
    left = MAX_GROWTH

    def one(match: re.Match[str]) -> str:
        nonlocal left
        name = match[1] or match[3]
        given = values.get(name, "").replace(CONTINUED, " ")  # its lines are those of elsewhere
        value = given or match[2] or match[0]
        left -= max(len(value) - len(match[0]), 0)
        return value if left >= 0 else match[0]

    return _VARIABLE.sub(one, text)


def too_long(found: Iterable[Instruction]) -> int:
    """Line of the first variable whose value is not followed, since it is too long; else 0."""
    for one, known in values_at(found):
        if one.name in ("ARG", "ENV"):
            for _, value, line in one.pairs():
                if len(filled(value, known)) > MAX_VALUE:
                    return line
    return 0


def _escape(lines: list[str]) -> str:
    for line in lines[:5]:
        match = re.match(r"#\s*escape\s*=\s*([\\`])\s*$", line)
        if match:
            return match[1]
        if not line.startswith("#"):
            break
    return "\\"


def _logical(lines: list[str], index: int, escape: str) -> tuple[str, int]:
    """The instruction that begins at a line, and the index after it."""
    parts: list[str] = []
    while index < len(lines):
        line = lines[index]
        index += 1
        if parts and (line.lstrip().startswith("#") or not line.strip()):
            parts.append(CONTINUED)  # comments and empty lines don't end it
            continue
        stripped = line.rstrip()
        more = stripped.endswith(escape) and not line.lstrip().startswith("#")
        parts.append(stripped[:-1] if more else line)
        if not more:
            break
        parts.append(CONTINUED)
    return "".join(parts), index


def _heredoc(lines: list[str], index: int, delimiter: str) -> tuple[str, int]:
    """The lines up to the delimiter, and the index after it; none where it never comes."""
    for end in range(index, len(lines)):
        if lines[end].strip("\t") == delimiter:
            return "\n".join(lines[index:end]), end + 1
    return "", index


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] in "\"'" and value[-1] == value[0]:
        return value[1:-1]
    return value
