"""Texts that are put together: sums, formats and joins."""

from __future__ import annotations

from buttress.probes.source.code.values import (
    HOLE,
    MAX_ITEMS,
    MAX_TEXT,
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
        elements = tuple(item for one in pieces for item in one.elements or ())
        taints = taints_of(*pieces)
        return Value(elements=elements[:MAX_ITEMS], taints=taints)
    return mixed(*pieces)


def formatted(template: Value, given: list[Value]) -> Value:
    """A template that is filled in; what it becomes after its own beginning is not known."""
    text = (template.known_text or "")[:MAX_TEXT]
    taints = taints_of(template, *given)
    return Value(text=f"{text}{HOLE}", taints=taints)


def united(separator: str, items: Value) -> Value:
    """Texts joined by a separator."""
    if items.elements is None:
        return Value(text=HOLE, taints=items.taints)
    parts: list[Value] = []
    for item in items.elements:
        parts += [Value(const=separator), item] if parts else [item]
    return concatenated(*parts) if parts else Value(const="")
