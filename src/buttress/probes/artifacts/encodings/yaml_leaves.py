"""YAML as a flat list of leaves: nothing is constructed, aliases of scalars only are followed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

MAX_BYTES: Final = 1 << 20
_MAX_EVENTS: Final = 200_000
_MAX_DEPTH: Final = 60
_MAX_EXPANDED: Final = 5_000_000


class YamlError(ValueError):
    """It is not YAML, or more than is read."""


class AliasBombError(YamlError):
    """Its aliases stand for more values than any reader should make."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A scalar, or the tag of a collection (``value`` is then None).

    ``path``: the keys that lead to it, "-" for a list. ``offset``: characters from the start.
    """

    path: tuple[str, ...]
    value: str | None
    tag: str
    offset: int


@dataclass(slots=True)
class _Level:
    mapping: bool
    key: str | None = None
    anchor: str | None = None
    weight: int = 0  # values below it with all aliases expanded


def leaves(text: str) -> Iterator[Leaf]:
    """Leaves of all documents.

    Raises:
        YamlError: it is not YAML, is nested too deep, or has too many nodes.
    """
    import yaml

    if len(text) > MAX_BYTES:
        raise YamlError("it is larger than is read")
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    stack: list[_Level] = []
    named: dict[str, tuple[str, str]] = {}  # scalars that have an anchor, and their tags
    weights: dict[str, int] = {}
    try:
        for count, event in enumerate(yaml.parse(text, Loader=loader)):
            offset = event.start_mark.index if event.start_mark else 0
            if count > _MAX_EVENTS or len(stack) > _MAX_DEPTH:
                raise YamlError("it has too many nodes or is nested too deep")
            if isinstance(event, yaml.CollectionEndEvent):
                level = stack.pop()
                if level.anchor:
                    weights[level.anchor] = level.weight
                _grow(stack, level.weight)
                _done(stack)
            elif isinstance(event, yaml.CollectionStartEvent):
                if event.tag:
                    yield Leaf(_path(stack), None, event.tag, offset)
                stack.append(_Level(isinstance(event, yaml.MappingStartEvent), anchor=event.anchor))
            elif isinstance(event, yaml.ScalarEvent | yaml.AliasEvent):
                if isinstance(event, yaml.ScalarEvent):
                    value, tag = event.value, event.tag or ""
                    if event.anchor:
                        named[event.anchor] = value, tag
                    _grow(stack, 1)
                else:
                    anchor = event.anchor or ""
                    value, tag = named.get(anchor, (f"*{anchor}", ""))
                    _grow(stack, weights.get(anchor, 1))
                if stack and stack[-1].mapping and stack[-1].key is None:
                    stack[-1].key = value
                    if tag:
                        yield Leaf(_path(stack), None, tag, offset)
                else:
                    yield Leaf(_path(stack), value, tag, offset)
                    _done(stack)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        if isinstance(error, YamlError):
            raise
        raise YamlError(f"it is not YAML ({type(error).__name__})") from None


def _grow(stack: list[_Level], weight: int) -> None:
    if stack:
        stack[-1].weight += weight
        if stack[-1].weight > _MAX_EXPANDED:
            raise AliasBombError(f"its aliases stand for more than {_MAX_EXPANDED} values")


def _path(stack: list[_Level]) -> tuple[str, ...]:
    return tuple((level.key or "") if level.mapping else "-" for level in stack)


def _done(stack: list[_Level]) -> None:
    """A value is complete: the next scalar of a mapping is a key again.

    A collection used as a key leaves "?" as its name, so that keys and values stay apart.
    """
    if stack and stack[-1].mapping:
        stack[-1].key = "?" if stack[-1].key is None else None
