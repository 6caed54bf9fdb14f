"""Texts that are put together: sums, formats and joins."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from buttress.probes.source.code.values import (
    HOLE,
    MAX_ITEMS,
    MIXED,
    SEGMENT,
    UNKNOWN,
    Value,
    concatenated,
    mixed,
    taints_of,
)


def summed(pieces: list[Value]) -> Value:
    """``a + b + …`` of texts, or of lists."""
    if len(pieces) == 1:
        return pieces[0]
    if any(one.known_text is not None for one in pieces):
        return concatenated(*pieces)
    if all(one.elements is not None for one in pieces):
        return listed([item for one in pieces for item in one.elements or ()])
    if any(one.elements for one in pieces):  # a list of which not all is known
        return mixed(*pieces).doubted(MIXED)
    return mixed(*pieces)


def formatted(template: Value, given: list[Value]) -> Value:
    """A template that is filled in; what it becomes after its own beginning is not known."""
    text = template.known_text or ""
    taints = taints_of(template, *given)
    return Value(text=f"{text}{HOLE}", taints=taints)


def stored(holder: Value, key: str, value: Value) -> Value:
    """What a parameter has under ``name`` or ``files``: where a framework has stored an upload."""
    uploaded = key in ("name", "files") and holder.path.startswith("?") and holder.path != "?self"
    return value.clean(_STORED) if uploaded else value


def last_part(whole: Value, index: object, part: Value) -> Value:
    """One of the parts into which the path ``whole`` was split: the last holds no slash."""
    if index == 1 and whole.path in ("os.path.splitext()", "os.path.split()"):
        return part.clean(_STORED)
    return part


def replaced(text: Value, given: Sequence[Value]) -> Value:
    """A text in which something was replaced: without slashes it leads nowhere else."""
    old = given[0].const if given else UNKNOWN
    if not isinstance(old, str):
        return text
    if old in ("/", "\\"):
        return text.clean(_STORED)
    return text.doubted(_REPLACED) if old in ("..", "../", "..\\") else text


def united(separator: str, items: Value) -> Value:
    """Texts joined by a separator."""
    if items.has_known_keys:
        return Value(text=HOLE)
    if items.elements is None:
        return Value(text=HOLE, taints=items.taints)
    parts: list[Value] = []
    for item in items.elements:
        parts += [Value(const=separator), item] if parts else [item]
    return concatenated(*parts) if parts else Value(const="")


_KEPT: Final = re.compile(r"\[\^((?:[^\]\\]|\\.)+)\][+*]?")  # all but these signs
_LETTERS: Final = re.compile(r"\\[wWDS]|[A-Za-z_]")
_SLASHES: Final = re.compile(r"/|\\\\|\\[SWD]")
_HARMFUL: Final = {
    "shell": re.compile(r"[;&|$`<>()\\\n*?\[\]{}!#~'\"]|\\[sSWDn]"),
    "path": re.compile(r"[/.]|\\\\|\\[SWD]"),
    "html": re.compile(r"[<>&'\"]|\\[SWD]"),
    "sql": re.compile(r"['\";\\-]|\\[SWD]"),
}


def narrowed(given: list[Value]) -> Value:
    """``re.sub`` that drops all signs but some: clean for the uses in which those do no harm."""
    expression, new, text = given[0].const, given[1].const, given[2]
    match = _KEPT.fullmatch(expression) if isinstance(expression, str) else None
    if match is None or not isinstance(new, str) or new.strip(" _-"):
        return mixed(*given)
    return Value(taints=text.clean(harmless_uses(match[1])).taints)


def harmless_uses(kept: str) -> frozenset[str]:
    """Uses in which a text does no harm that holds no signs but these: a class of an expression."""
    uses = {use for use, harmful in _HARMFUL.items() if not harmful.search(kept)}
    if not _SLASHES.search(kept):
        uses.add(SEGMENT)
    if not _LETTERS.search(kept) or "(" not in kept:
        uses.add("code")  # no name, or nothing to call with it
    return frozenset(uses)


_STORED: Final = frozenset({"path"})
_REPLACED: Final = "dots are taken out of it"
_ARGUMENT: Final = frozenset({"shell"})
_FOUND: Final = re.compile(r"shutil\.which\((\w+)\)")  # where a program lies
# Programs that run what they are given.
_RUNNERS: Final = re.compile(
    r"(?i)^(?:.*[/\\\\])?(?:\w*sh|cmd|powershell|pwsh|python[\d.]*|node|deno|bun|perl|ruby|php|ssh|env|"
    r"xargs|sudo|nohup|docker|podman|kubectl|awk|find|eval|nsenter|chroot|watch|timeout|time|su|runuser|script|tmux|screen|parallel|flock|strace|"
    r"gdb|unshare|setsid|stdbuf|nice|ionice|doas|systemd-run)(?:\.exe)?$"
)


def listed(elements: Sequence[Value], path: str = "") -> Value:
    """A list of known elements; as a whole no command of its own where its program is plain."""
    kept = tuple(elements) if len(elements) <= MAX_ITEMS else None
    taints = taints_of(*elements)
    made = Value(path, elements=kept, taints=taints)
    if not taints or not is_plain_command(elements):
        return made
    return replace(made, taints=made.clean(_ARGUMENT).taints)


def is_plain_command(words: Sequence[Value]) -> bool:
    """Whether words are a command whose program is fixed, and runs none of its arguments."""
    program = words[0].const if words else None
    found = _FOUND.fullmatch(words[0].path) if program is UNKNOWN and words else None
    if found and not words[0].taints:
        program = found[1]
    if not isinstance(program, str) or _RUNNERS.match(program) or " " in program:
        return False
    if program.startswith("-"):  # options that are added to a command
        return False
    for option, value in zip(words[1:], (*words[2:], None), strict=False):
        # An option that other programs take for code does no harm where its own value is fixed.
        fixed = value is not None and isinstance(value.const, (str, int, float))
        if option.const in ("-c", "/c", "-e", "--eval", "exec") and not fixed:
            return False
    return True
