"""What is known of a value without running anything: its path, its constant, its taint."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from buttress.probes.source.code.paths import MAX_LENGTH

HOLE: Final = "\x00"  # stands in a text for what is not known of it
MAX_TEXT: Final = 64_000  # characters of a text that is put together; literals are kept whole
MAX_ITEMS: Final = 500  # items of a list or mapping that are kept
ALL: Final = "*"  # cleaned for every use
PARAMETER: Final = "parameter"  # label of what the callers of a function decide
MAX_TAINTS: Final = 16  # of one value
MIXED: Final = "it is kept together with other things"  # of a value of which a part is used
MAX_STEPS: Final = 8  # calls between a source and where it does harm


_BASE: Final = re.compile(r"(?:(?:https?|wss?)://[^/?#]+|\x00[^/?#\x00]*)[/?#]")
_BELOW: Final = frozenset({"url", "hub"})
_PATH: Final = frozenset({"path"})
SEGMENT: Final = "segment"  # cleaned, so to say, of slashes: one part of the path of an address
KEYS: Final = "keys"  # cleaned, so to say, of other names of entries than a few: a mapping
PATH_OBJECT: Final = "path-object"  # of pathlib, so that its name is known to have no slash
_EVERY: Final = frozenset({ALL})
_SHAPES: Final = frozenset({SEGMENT, KEYS})
_NO_SLASH: Final = frozenset({"path", ALL})
# The entries of a mapping of which only the keys are known.
PAIRS: Final = "builtins.dict().items()"
_MAX_BASE: Final = 2_000  # characters in which a base is looked for
_MAX_NAME: Final = 100
_NAME: Final = re.compile(r"[^/\\\x00]*?[^/\\\x00.]")  # what begins with a part of a name
_ENDS_IN_NAME: Final = re.compile(r"[^/\\\x00.][^/\\\x00]*$")


class _Unknown:
    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = _Unknown()


@dataclass(frozen=True, slots=True)
class CallStep:
    """A call that a value goes through on its way: the name of what is called, and where.

    ``guessed``: it is not certain that this is what is called, or which parameter is given it.
    """

    what: str
    file: str
    line: int
    guessed: bool = False


@dataclass(frozen=True, slots=True)
class Taint:
    """That a value comes from outside: the label of its source, its path and place.

    Of ``PARAMETER``, ``path`` is the function, a colon and the name of the parameter. ``cleaned``
    are the uses that it was made safe for on its way, ``steps`` the calls that it went through.
    ``check`` is, in words, why it may do no harm all the same, though that is not proved: only
    administrators give it, something tests it, a call is not followed; empty if nothing.
    """

    label: str
    path: str
    line: int
    file: str = ""
    cleaned: frozenset[str] = frozenset()
    steps: tuple[CallStep, ...] = ()
    check: str = ""

    def clean(self, uses: frozenset[str]) -> Taint:
        """The same, made safe for ``uses``."""
        if uses <= self.cleaned:
            return self
        return Taint(
            self.label, self.path, self.line, self.file, self.cleaned | uses, self.steps, self.check
        )

    def after(
        self, *steps: CallStep, cleaned: frozenset[str] = frozenset(), check: str = ""
    ) -> Taint:
        """The same, further on its way."""
        return Taint(
            self.label, self.path, self.line, self.file, self.cleaned - {KEYS} | cleaned,
            (*self.steps, *steps)[:MAX_STEPS], self.check or check,
        )  # fmt: skip

    def decoded(self, *, wholly: bool = False) -> Taint:
        """The same in another form: it may hold signs that it did not hold before.

        ``wholly``: any signs, so that what made it safe for one use does so no longer.
        """
        return replace(self, cleaned=self.cleaned & _EVERY if wholly else self.cleaned - _SHAPES)

    def doubted(self, check: str) -> Taint:
        """The same, with a reason why it may do no harm, unless it has one."""
        return self if self.check or not check else replace(self, check=check)


@dataclass(frozen=True, slots=True)
class Value:
    """An abstract value.

    ``const`` is the constant that it is, else ``UNKNOWN``; ``text`` what is known of a text that is
    put together, with ``HOLE`` for the rest. ``elements`` and ``entries`` are those of a literal
    list or mapping. ``taints`` are what it carries. ``targets`` are paths of functions of which it
    is one: an entry of a table whose key is not known, or an instance of one of several classes.
    """

    path: str = ""
    const: Any = UNKNOWN
    text: str | None = None
    elements: tuple[Value, ...] | None = None
    entries: Mapping[str, Value] | None = None
    taints: tuple[Taint, ...] = ()
    targets: tuple[str, ...] = ()
    keyed: bool = field(default=True, compare=False)  # all keys of ``entries`` are known
    # Of an instance: what it was made with, by what PARAMETER taints call it, or by field.
    made: Mapping[str, tuple[Taint, ...]] | None = field(default=None, compare=False)

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
        taints = self.taints
        if self.has_known_keys:
            taints = tuple(replace(one, cleaned=one.cleaned - {KEYS}) for one in taints)
        return Value(path if len(path) <= MAX_LENGTH else "", taints=taints)

    @property
    def has_known_keys(self) -> bool:
        """Whether it is a mapping of which only what stands under the keys is a stranger's."""
        return bool(self.taints) and all(KEYS in one.cleaned for one in self.taints)

    def clean(self, uses: frozenset[str]) -> Value:
        """The same value, made safe for ``uses``."""
        if not self.taints:
            return self
        return replace(self, taints=tuple(one.clean(uses) for one in self.taints))

    def doubted(self, check: str) -> Value:
        """The same value, with a reason why it may do no harm."""
        if not check or all(one.check for one in self.taints):
            return self
        return replace(self, taints=tuple(one.doubted(check) for one in self.taints))


NOTHING: Final = Value()


def taints_of(*values: Value) -> tuple[Taint, ...]:
    """The taints of several values: one for each source's label, and one for each parameter.

    What is clean in one value and not in another is not clean.
    """
    tainted = [value.taints for value in values if value.taints]
    if len(tainted) < 2:
        return tainted[0] if tainted else ()
    return merged(one for taints in tainted for one in taints)


def merged(taints: Iterable[Taint]) -> tuple[Taint, ...]:
    """As ``taints_of``, of taints."""
    found: dict[str, Taint] = {}
    for one in taints:
        key = one.path if one.label == PARAMETER else one.label
        known = found.get(key)
        if known is None:
            if len(found) < MAX_TAINTS or one.label != PARAMETER:
                found[key] = one
        elif known.cleaned and not known.cleaned <= one.cleaned:
            check = known.check if one.check else ""
            cleaned = _shapes(known.cleaned) & _shapes(one.cleaned)
            found[key] = replace(one, cleaned=cleaned, check=check)
        elif known.check and not one.check:
            found[key] = replace(known, check="")
    return tuple(found.values())


def _shapes(cleaned: frozenset[str]) -> frozenset[str]:
    """What is safe as a path holds no more than one part of one."""
    return cleaned if cleaned.isdisjoint(_NO_SLASH) else cleaned | {SEGMENT}


def mixed(*values: Value) -> Value:
    """A value that is made from others in a way that is not followed."""
    taints = taints_of(*values)
    return Value(taints=taints) if taints else NOTHING


def joined(first: Value, second: Value) -> Value:
    """What is known of a value that is one or the other."""
    if first is second:  # not equality: values can share parts so that to compare never ends
        return first
    same = type(first.const) is type(second.const) and first.const == second.const
    targets = (*_functions(first), *_functions(second))
    if first.const is None:
        elements = second.elements
    elif second.const is None:
        elements = first.elements
    else:
        elements = _longer(first.elements, second.elements)
    taints = taints_of(first, second)
    if elements is None and any(len(one.elements or ()) > 1 for one in (first, second)):
        taints = tuple(one.doubted(MIXED) for one in taints)
    return Value(
        first.path or second.path,
        first.const if same else UNKNOWN,
        first.text if first.text == second.text else None,
        elements,
        _united(first.entries, second.entries),
        taints=taints,
        targets=tuple(dict.fromkeys(targets))[:MAX_TAINTS],
        keyed=first.keyed and second.keyed,
    )


def _shown(value: Value) -> str:
    """What is known of a value as a piece of a text."""
    known = value.known_text
    if known is not None:
        return known
    return str(value.const) if isinstance(value.const, (int, float, bool)) else HOLE


def _united(
    first: Mapping[str, Value] | None, second: Mapping[str, Value] | None
) -> Mapping[str, Value] | None:
    """The entries that one of two mappings has."""
    if first is None or second is None:
        return None
    both = {
        name: one if (other := second.get(name, one)) is one else mixed(one, other)
        for name, one in first.items()
    }
    return {**second, **both}


def _longer(
    first: tuple[Value, ...] | None, second: tuple[Value, ...] | None
) -> tuple[Value, ...] | None:
    """The longer of two lists if it begins with the other: items were added on one way only.

    Of two of one length, e.g. what a function returns in two places, the items are joined.
    """
    if first is None or second is None:
        return None
    if len(first) == len(second):
        pairs = zip(first, second, strict=True)
        return tuple(one if one is other else mixed(one, other) for one, other in pairs)
    shorter, longer = (first, second) if len(first) <= len(second) else (second, first)
    same = all(one is other for one, other in zip(shorter, longer, strict=False))
    return longer if same else None


def _functions(value: Value) -> tuple[str, ...]:
    own = value.path.startswith(".") or value.path.endswith("()")
    return value.targets or ((value.path,) if own else ())


def concatenated(*values: Value) -> Value:
    """Texts put together.

    What comes after a base and a slash chooses neither the host of an address nor a repository. One
    part of the path of an address, with a fixed beginning or end, names nothing but a file.
    """
    parts = [_shown(value) for value in values]
    taints: list[Taint] = []
    prefix, last, below = "", "", False
    for place, value in enumerate(values):
        if value.taints:
            below = below or _BASE.match(prefix) is not None
            uses = _BELOW if below else frozenset()
            after = parts[place + 1] if place + 1 < len(parts) else ""
            named = uses | _PATH if _ENDS_IN_NAME.search(last) or _NAME.match(after) else uses
            taints += (one.clean(named if SEGMENT in one.cleaned else uses) for one in value.taints)
        if not below:
            prefix = (prefix + parts[place])[:_MAX_BASE]
        last = parts[place][-_MAX_NAME:] or last
    text = "".join(parts)
    if len(text) > MAX_TEXT:  # the beginning and the end: a command may stand in either
        text = f"{text[: MAX_TEXT // 2]}{HOLE}{text[-MAX_TEXT // 2 :]}"
    if HOLE not in text:
        return Value(const=text, taints=merged(taints))
    return Value(text=text, taints=merged(taints))
