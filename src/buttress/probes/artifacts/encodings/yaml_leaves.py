"""YAML as a flat list of leaves: nothing is constructed, aliases are not expanded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

MAX_BYTES: Final = 1 << 20
_MAX_EVENTS: Final = 200_000
_MAX_DEPTH: Final = 60


class YamlError(ValueError):
    """It is not YAML, or more than is read."""


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
    try:
        for count, event in enumerate(yaml.parse(text, Loader=loader)):
            offset = event.start_mark.index if event.start_mark else 0
            if count > _MAX_EVENTS or len(stack) > _MAX_DEPTH:
                raise YamlError("it has too many nodes or is nested too deep")
            if isinstance(event, yaml.CollectionEndEvent):
                stack.pop()
                _done(stack)
            elif isinstance(event, yaml.CollectionStartEvent):
                if event.tag:
                    yield Leaf(_path(stack), None, event.tag, offset)
                stack.append(_Level(isinstance(event, yaml.MappingStartEvent)))
            elif isinstance(event, yaml.ScalarEvent | yaml.AliasEvent):
                value = event.value if isinstance(event, yaml.ScalarEvent) else f"*{event.anchor}"
                tag = getattr(event, "tag", None) or ""
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


def _path(stack: list[_Level]) -> tuple[str, ...]:
    return tuple((level.key or "") if level.mapping else "-" for level in stack)


def _done(stack: list[_Level]) -> None:
    """A value is complete: the next scalar of a mapping is a key again.

    A collection used as a key leaves "?" as its name, so that keys and values stay apart.
    """
    if stack and stack[-1].mapping:
        stack[-1].key = "?" if stack[-1].key is None else None
