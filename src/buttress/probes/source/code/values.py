"""What is known of a value without running anything: its path, its constant, its taint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from buttress.probes.source.code.paths import MAX_LENGTH

HOLE: Final = "\x00"  # stands in a text for what is not known of it
MAX_TEXT: Final = 4_000  # characters of a text that are kept
MAX_ITEMS: Final = 64  # items of a list or mapping that are kept
ALL: Final = "*"  # cleaned for every use


class _Unknown:
    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = _Unknown()


@dataclass(frozen=True, slots=True)
class Taint:
    """That a value comes from outside: the label of its source, its path and line."""

    label: str
    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Value:
    """An abstract value.

    ``const`` is the constant that it is, else ``UNKNOWN``; ``text`` what is known of a text that is
    put together, with ``HOLE`` for the rest. ``elements`` and ``entries`` are those of a literal
    list or mapping. ``taints`` are what it carries, and ``cleaned`` the uses it was made safe for.
    """

    path: str = ""
    const: Any = UNKNOWN
    text: str | None = None
    elements: tuple[Value, ...] | None = None
    entries: Mapping[str, Value] | None = None
    taints: tuple[Taint, ...] = ()
    cleaned: frozenset[str] = frozenset()
    keyed: bool = field(default=True, compare=False)  # all keys of ``entries`` are known

    @property
    def known_text(self) -> str | None:
        """The text, wholly or in part; None where the value is no text or nothing is known."""
        return self.const if isinstance(self.const, str) else self.text

    @property
    def dynamic(self) -> bool:
        """Whether it is a text with parts that are not constant."""
        return self.text is not None and HOLE in self.text

    def step(self, suffix: str) -> Value:
        """What an attribute, index or call leads to: taint stays, constants do not."""
        path = self.path + suffix if self.path else ""
        return Value(
            path if len(path) <= MAX_LENGTH else "", taints=self.taints, cleaned=self.cleaned
        )

    def clean(self, uses: frozenset[str]) -> Value:
        """The same value, made safe for ``uses``."""
        return replace(self, cleaned=self.cleaned | uses) if self.taints else self


NOTHING: Final = Value()


def taints_of(*values: Value) -> tuple[tuple[Taint, ...], frozenset[str]]:
    """The taints of several values, one for each label, and what all tainted ones are clean for."""
    tainted = [value for value in values if value.taints]
    if not tainted:
        return (), frozenset()
    if len(tainted) == 1:
        return tainted[0].taints, tainted[0].cleaned
    by_label: dict[str, Taint] = {}
    for value in tainted:
        for taint in value.taints:
            by_label.setdefault(taint.label, taint)
    cleaned = frozenset.intersection(*(value.cleaned for value in tainted))
    return tuple(by_label.values()), cleaned


def mixed(*values: Value) -> Value:
    """A value that is made from others in a way that is not followed."""
    taints, cleaned = taints_of(*values)
    return Value(taints=taints, cleaned=cleaned) if taints else NOTHING


def joined(first: Value, second: Value) -> Value:
    """What is known of a value that is one or the other."""
    if first is second:  # not equality: values can share parts so that to compare never ends
        return first
    taints, cleaned = taints_of(first, second)
    same = type(first.const) is type(second.const) and first.const == second.const
    return Value(
        first.path or second.path,
        first.const if same else UNKNOWN,
        first.text if first.text == second.text else None,
        taints=taints,
        cleaned=cleaned,
    )


def concatenated(*values: Value) -> Value:
    """Texts put together."""
    taints, cleaned = taints_of(*values)
    parts = []
    for value in values:
        known = value.known_text
        if known is None:
            whole = value.const
            known = str(whole) if isinstance(whole, (int, float, bool)) else HOLE
        parts.append(known)
    text = "".join(parts)[:MAX_TEXT]
    if HOLE not in text:
        return Value(const=text, taints=taints, cleaned=cleaned)
    return Value(text=text, taints=taints, cleaned=cleaned)
