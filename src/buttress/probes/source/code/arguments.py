"""What a rule looks at in an event: its arguments, its text, its command line."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from buttress.probes.source.code.conditions import Condition
from buttress.probes.source.code.events import Event
from buttress.probes.source.code.values import HOLE, Taint, Value


def held(
    event: Event,
    name: str,
    conditions: Sequence[Condition],
    carried: list[tuple[Condition, tuple[Taint, ...]]],
) -> bool:
    """Whether one of the conditions holds of an argument; the taints for which it does."""
    found: list[Taint] = []
    kept: Condition | None = None
    for value, known in _arguments(event, name):
        for one in conditions:
            if one.holds(value, known=known):
                if one.taint is None:
                    return True
                kept = kept or one
                found += one.carried(value) if value is not None else ()
    if kept is not None:
        carried.append((kept, tuple(found)))
    return kept is not None


def _arguments(event: Event, name: str) -> list[tuple[Value | None, bool]]:
    """The values that a name in ``where`` stands for, and whether nothing else can be meant."""
    if name in ("self", "value"):
        return [(event.value, True)]
    if name == "any":
        return [(one, True) for one in (*event.arguments, *event.named.values())]
    name, _, position = name.partition("@")
    if name in event.named:
        return [(event.named[name], True)]
    if position and int(position) < len(event.arguments):
        return [(event.arguments[int(position)], True)]
    return [(None, not event.open_names and not (position and event.open_positions))]


def text_of(event: Event) -> str | None:
    """The text that the expression of a rule is looked for in."""
    if event.kind == "assert":
        try:
            return ast.unparse(event.node.test)[:2_000]
        except (RecursionError, ValueError):
            return None
    text = event.value.known_text
    return text.replace(HOLE, "{}") if text is not None else None


def command_of(value: Value) -> Value | None:
    """A command line, also where it is given as a list."""
    if value.known_text is not None:
        return value
    if value.elements:
        words = [one.known_text if one.known_text is not None else HOLE for one in value.elements]
        return Value(text=" ".join(words))
    return None
