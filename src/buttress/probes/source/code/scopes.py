"""Names and what they are bound to, with branches that are joined where they meet."""

from __future__ import annotations

import builtins
from collections.abc import Collection
from typing import Final

from buttress.probes.source.code.values import Value, joined

_BUILTINS: Final = frozenset(dir(builtins)) | {"unicode", "raw_input", "execfile"}


class Attributes(dict[str, Value]):
    """What is known of the attributes of ``self``, and which methods have looked at them.

    A method that looked before something was known is followed again.
    """

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path  # of the class
        self._readers: dict[str, set[tuple[str, ...]]] = {}
        self.stale: dict[tuple[str, ...], None] = {}

    def read(self, name: str, reader: tuple[str, ...]) -> Value | None:
        """An attribute, looked at by a method."""
        self._readers.setdefault(name, set()).add(reader)
        return self.get(name)

    def settle(self) -> None:
        """Keep only what others can use, once the module was followed.

        Methods are kept with the functions of the module already.
        """
        self._readers.clear()
        self.stale.clear()
        for name, value in list(self.items()):
            if not value.taints and value.path in ("", f"{self.path}.{name}"):
                del self[name]

    def put(self, name: str, value: Value) -> None:
        """Let an attribute be this value too."""
        known = self.get(name)
        self[name] = value if known is None else joined(known, value)
        news = value.taints if known is None else self[name].taints[len(known.taints) :]
        if news or (value.path and (known is None or not known.path)):
            self.stale.update(dict.fromkeys(sorted(self._readers.get(name, ()))))


class NameScope:
    """The names of a module, a class or a function, and of those around it."""

    def __init__(self, parent: NameScope | None = None, *, is_class: bool = False) -> None:
        self._layers: list[dict[str, Value]] = [{}]
        self._wholes: dict[str, str] = {}
        self._tested: dict[str, frozenset[str]] = {}
        self._who: set[str] = set()
        self.is_class = is_class
        self.is_module = parent is None
        self.stars: list[str] = parent.stars if parent else []  # modules imported with *
        # Attributes of self: shared by the methods of a class and what is inside them.
        self.attributes: Attributes | None = parent.attributes if parent else None
        # Names in the body of a class are not seen by its methods.
        self._parent: NameScope | None = parent
        while self._parent is not None and self._parent.is_class:
            self._parent = self._parent._parent

    def bind(self, name: str, value: Value) -> None:
        """Let ``name`` stand for ``value`` from here on."""
        self._layers[-1][name] = value

    def note_part(self, name: str, whole: str) -> None:
        """Let ``name`` be a part of the address ``whole``, or of none where that is empty."""
        if whole and whole != name:
            self._wholes[name] = whole
        else:
            self._wholes.pop(name, None)

    def whole_of(self, name: str) -> str:
        """The name of the address that ``name`` is a part of; empty where it is none."""
        return self._wholes.get(name, "")

    def note_test(self, name: str, tested: Collection[str]) -> None:
        """Let ``name`` hold what a call told of the names ``tested``; of none, nothing."""
        if tested:
            self._tested[name] = frozenset(tested)
        else:
            self._tested.pop(name, None)

    def note_who(self, name: str, *, tells: bool) -> None:
        """Let ``name`` hold the address from which a request comes, or no longer."""
        (self._who.add if tells else self._who.discard)(name)

    def tells_who(self, name: str) -> bool:
        """Whether ``name`` holds the address from which a request comes."""
        return name in self._who

    def names(self) -> list[str]:
        """All names that are bound in this very scope."""
        return list({name: None for layer in self._layers for name in layer})

    def tested_by(self, name: str) -> frozenset[str]:
        """The names of which ``name`` tells something."""
        return self._tested.get(name, frozenset())

    def bind_global(self, name: str, value: Value) -> None:
        """Let ``name`` stand for ``value`` in the outermost scope."""
        scope = self
        while scope._parent is not None:
            scope = scope._parent
        scope.bind(name, value)

    def own(self, name: str) -> Value | None:
        """What the name is bound to in this very scope."""
        for layer in reversed(self._layers):
            if name in layer:
                return layer[name]
        return None

    def find(self, name: str) -> Value | None:
        """What the name is bound to, here or further out."""
        scope: NameScope | None = self
        while scope is not None:
            found = scope.own(name)
            if found is not None:
                return found
            scope = scope._parent
        return None

    def look_up(self, name: str) -> Value:
        """As ``find``; builtins and names that are bound nowhere have a path too."""
        found = self.find(name)
        if found is not None:
            return found
        if name == "__builtins__":
            return Value("builtins")
        if name in _BUILTINS:
            return Value(f"builtins.{name}")
        if self.stars:
            return Value(f"{self.stars[-1]}.{name}")
        return Value(f"?{name}")

    def attribute(self, name: str, reader: tuple[str, ...]) -> Value | None:
        """What is known of an attribute of ``self``, for the method ``reader``."""
        return self.attributes.read(name, reader) if self.attributes is not None else None

    def bind_attribute(self, name: str, value: Value) -> None:
        """Let an attribute of ``self`` be this value too."""
        if self.attributes is not None:
            self.attributes.put(name, value)

    def branch(self) -> None:
        """From here on, bindings belong to a branch."""
        self._layers.append({})

    def leave(self) -> dict[str, Value]:
        """End a branch; its bindings are no longer seen."""
        return self._layers.pop()

    def join(self, branches: list[dict[str, Value]], *, exhaustive: bool) -> None:
        """Bind what branches have bound. ``exhaustive``: one of them is surely taken."""
        by_name: dict[str, list[Value]] = {}
        for branch in branches:
            for name, value in branch.items():
                by_name.setdefault(name, []).append(value)
        for name, bound in by_name.items():
            if not exhaustive or len(bound) < len(branches):
                before = self.find(name)
                if before is not None:
                    bound.append(before)
            value = bound[0]
            for other in bound[1:]:
                value = joined(value, other)
            self.bind(name, value)
