"""What expressions stand for, by their syntax alone, and the events in them."""

from __future__ import annotations

import ast
import re
import string
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from buttress.probes.source.code.binding import bind
from buttress.probes.source.code.calls import Given, call, targets
from buttress.probes.source.code.events import Context, Event
from buttress.probes.source.code.flows import Flows
from buttress.probes.source.code.guards import checked, clean, doubt, examined
from buttress.probes.source.code.scopes import NameScope
from buttress.probes.source.code.texts import formatted, last_part, listed, stored, summed
from buttress.probes.source.code.values import (
    ALL,
    KEYS,
    MAX_ITEMS,
    NOTHING,
    PAIRS,
    PATH_OBJECT,
    UNKNOWN,
    Taint,
    Value,
    concatenated,
    joined,
    mixed,
    taints_of,
)

MAX_DEPTH: Final = 100  # expressions within expressions that are followed
_BELOW_FOLDER: Final = frozenset({"hub", PATH_OBJECT})
_KEYED: Final = frozenset({KEYS})
_NAMESPACES: Final = ("builtins.globals()", "builtins.locals()", "builtins.vars()")

_SHOWN: Final = frozenset({"shown"})
_OTHER_KEY: Final = "it stands under another key than what is known"
_ONE_OF_SEVERAL: Final = "it was kept with others that are safe"
# What is uploaded, as a file that is open: no name of one.
_OPENED: Final = re.compile(r"(?:fastapi|starlette)\.(?:\w+\.)*UploadFile\(\)\.file")
_OPENED_USES: Final = frozenset({"path", "url", "hub"})
_TEMPORARY: Final = "tempfile.NamedTemporaryFile()"
_FILE_NAME: Final = frozenset({"path"})
_SEPARATORS: Final = ("/", "\\", "os.sep", "os.path.sep")
_ENDING: Final = "only its end after a dot is used"
_NAMED: Final = frozenset({"name", "stem", "suffix"})  # of a path: nothing with a slash in it
_HINT: Final = 16  # characters of a secret that are shown to tell which it is


def _is_hint(node: ast.expr) -> bool:
    """Whether a slice takes no more than the beginning or the end of a text."""
    if not isinstance(node, ast.Slice) or node.step is not None:
        return False
    first, last = node.lower, node.upper
    if first is None and isinstance(last, ast.Constant):
        return isinstance(last.value, int) and 0 < last.value <= _HINT
    end = first.operand if isinstance(first, ast.UnaryOp) and last is None else None
    return isinstance(end, ast.Constant) and isinstance(end.value, int) and end.value <= _HINT


def _split_at(node: ast.Subscript) -> str:
    """The sign at which a text is split of which only the last part is taken; else nothing."""
    call, index = node.value, node.slice
    last = isinstance(index, ast.UnaryOp) and isinstance(index.op, ast.USub)
    if not last or not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return ""
    if call.func.attr not in ("split", "rsplit", "rpartition", "partition") or not call.args:
        return ""
    sign = (
        call.args[0].value if isinstance(call.args[0], ast.Constant) else ast.unparse(call.args[0])
    )
    return str(sign) if sign == "." or sign in _SEPARATORS else ""


class Evaluator(ABC):
    """Evaluates the expressions of one module; ``tell`` is given the events."""

    def __init__(self, flows: Flows, tell: Callable[[Event], None], file: str = "") -> None:
        self.flows = flows
        self.file = file
        self.tell = tell
        self.context = Context()
        self.too_deep = False
        self.statement: ast.expr | None = None  # that stands alone, so that nothing uses its value
        self.text = ""  # of the module
        self.downloads: dict[str, Taint] = {}  # files that were written with what was downloaded
        self._depth = 0

    @abstractmethod
    def invoked(self, callee: Value, given: Given, event: Event) -> Value | None:
        """A call was told: what it gives to functions of the project, and what they return.

        None where nothing is known of that.
        """

    @abstractmethod
    def refused(self, callee: Value, node: ast.Call, scope: NameScope) -> None:
        """A call was told that may raise: doubt what the function tests before it goes on."""

    @abstractmethod
    def attribute(self, value: Value, name: str) -> Value | None:
        """An attribute of an instance or a module of the project, None where it is not known."""

    @abstractmethod
    def inherited(self, path: str, name: str) -> Value | None:
        """An attribute that the class of this path has from a base of the project."""

    @abstractmethod
    def is_enum(self, path: str) -> bool:
        """Whether a path leads to a class of a few choices."""

    @abstractmethod
    def function(self, node: ast.Lambda, scope: NameScope) -> Value:
        """A function without a name."""

    def value(self, node: ast.expr | None, scope: NameScope) -> Value:
        """The value of an expression; the events in it are told on the way."""
        if node is None:
            return NOTHING
        if self._depth >= MAX_DEPTH:
            self.too_deep = True
            return NOTHING
        method = _METHODS.get(type(node))
        self._depth += 1
        try:
            return self._other(node, scope) if method is None else method(self, node, scope)
        finally:
            self._depth -= 1

    def stepped(self, value: Value, suffix: str, line: int) -> Value:
        """What an attribute, index or call leads to, with the taint of a source if it is one."""
        return self.marked(value.step(suffix), line)

    def item(self, value: Value, line: int) -> Value:
        """What a loop over a value takes out of it: of a mapping its keys."""
        if value.has_known_keys and value.path != PAIRS:
            return NOTHING
        return self.stepped(value, "[]", line)

    def marked(self, value: Value, line: int) -> Value:
        """The value with the taint that its own path gives it."""
        label = self.flows.label(value.path) if value.path else None
        if label is None or any(one.label == label for one in value.taints):
            return value
        check = self.context.check or self.flows.doubt(value.path, self.text, line)
        cleaned = _OPENED_USES if _OPENED.fullmatch(value.path) else frozenset[str]()
        own = Taint(label, value.path, line, self.file, cleaned, check=check)
        taints = (own, *value.taints)
        return Value(value.path, value.const, value.text, taints=taints)

    def member(self, value: Value, name: str, line: int, scope: NameScope) -> Value:
        """An attribute of a value."""
        if name == "__class__":
            return NOTHING
        if name == "name" and value.path == _TEMPORARY:  # chosen by the library, whatever it holds
            return Value(f"{_TEMPORARY}.name")
        if value.path == "string" and isinstance(getattr(string, name, None), str):
            return Value(f"string.{name}", const=getattr(string, name))  # an alphabet
        if name in _NAMED and value.taints:
            plain = all(PATH_OBJECT in one.cleaned for one in value.taints)
            if plain or value.path.startswith("pathlib.Path()"):
                return self.stepped(value, f".{name}", line).clean(_FILE_NAME)
        if value.path == "?self":
            known = scope.attribute(name, self.context.functions)
            if known is None and scope.attributes is not None:
                known = self.inherited(scope.attributes.path, name)
            label = self.flows.field(name, self.context.bases) if known is None else None
            if label is not None:
                own = Taint(label, f"self.{name}", line, self.file, check=self.context.check)
                return Value(f"?self.{name}", taints=(own,))
        else:
            known = self.attribute(value, name) if value.path else None
        if known is None:
            return stored(value, name, self.stepped(value, f".{name}", line))
        if len(value.targets) > 1:
            known = self._of_several(value, name, known)
        return self.marked(known, line)

    def _of_several(self, value: Value, name: str, known: Value) -> Value:
        """What is known of an attribute of an instance that is of one of several classes."""
        others = (self.attribute(Value(one), name) for one in value.targets if one)
        paths = (one.path for one in (known, *others) if one is not None and one.path)
        return replace(known, targets=tuple(dict.fromkeys(paths)))

    def path_of(self, node: ast.expr, scope: NameScope) -> str:
        """The path of a name with attributes, without telling anything."""
        names: list[str] = []
        while isinstance(node, ast.Attribute):
            names.append(node.attr)
            node = node.value
        base = scope.look_up(node.id).path if isinstance(node, ast.Name) else "?"
        return ".".join((base, *reversed(names)))

    def constant(self, node: ast.expr, scope: NameScope) -> str | None:
        """The text that a constant or the name of one is, without telling anything."""
        if isinstance(node, ast.Name):
            known = scope.find(node.id)
            const = known.const if known is not None else None
        else:
            const = node.value if isinstance(node, ast.Constant) else None
        return const if isinstance(const, str) else None

    def _constant(self, node: ast.Constant, _: NameScope) -> Value:
        if isinstance(node.value, str) and len(node.value) > 5:
            value = Value(const=node.value)
            self.tell(Event("text", node.lineno, self.context, value=value, node=node))
            return value
        return Value(const=node.value)

    def _name(self, node: ast.Name, scope: NameScope) -> Value:
        return self.marked(scope.look_up(node.id), node.lineno)

    def _attribute(self, node: ast.Attribute, scope: NameScope) -> Value:
        # A chain of attributes is followed without recursion: chains can be long.
        names: list[ast.Attribute] = []
        inner: ast.expr = node
        while isinstance(inner, ast.Attribute):
            names.append(inner)
            inner = inner.value
        value = self.value(inner, scope)
        for one in reversed(names):
            value = self.member(value, one.attr, one.lineno, scope)
        return value

    def _subscript(self, node: ast.Subscript, scope: NameScope) -> Value:
        base = self.value(node.value, scope)
        split = _split_at(node)
        if split:
            part = self.stepped(base, "[]", node.lineno)
            return part.doubted(_ENDING) if split == "." else part.clean(_FILE_NAME)
        if _is_hint(node.slice):
            self.value(node.slice, scope)
            return self.stepped(base, "[]", node.lineno).clean(_SHOWN)
        key = self.value(node.slice, scope)
        if isinstance(key.const, str):
            if base.entries is not None and key.const in base.entries:
                return base.entries[key.const]
            if base.path in _NAMESPACES and key.const == "__builtins__":
                return Value("builtins")
            as_dict = base.path.endswith(".__dict__") or base.path == "builtins"
            if as_dict and key.const.isidentifier():
                owner = Value(base.path.removesuffix(".__dict__"), taints=base.taints)
                return self.member(owner, key.const, node.lineno, scope)
            stepped = self.stepped(
                base, f"[{key.const}]" if key.const.isidentifier() else "[]", node.lineno
            )
            if base.entries is not None:  # something else stands under it
                stepped = stepped.doubted(_OTHER_KEY)
            return stored(base, key.const, stepped)
        if isinstance(key.const, int) and base.elements and 0 <= key.const < len(base.elements):
            return base.elements[key.const]
        if base.entries is not None and key.const is UNKNOWN:
            return replace(base.step("[]"), targets=targets(base.entries))
        value = last_part(base, key.const, self.stepped(base, "[]", node.lineno))
        # Who chooses the key of globals() chooses what is called.
        return replace(value, taints=key.taints) if base.path in _NAMESPACES else value

    def _text(self, node: ast.JoinedStr, scope: NameScope) -> Value:
        parts = []
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                value = self.value(part.value, scope)
                self.value(part.format_spec, scope)
                parts.append(value if value.known_text is not None else mixed(value))
            elif isinstance(part, ast.Constant):
                parts.append(Value(const=part.value))
        value = concatenated(*parts)
        text = Event("text", node.lineno, self.context, value=value, node=node)
        self.tell(text)
        return value

    def _binary(self, node: ast.BinOp, scope: NameScope) -> Value:
        # Long sums lean to the left: they are taken apart without recursion.
        operands: list[tuple[ast.operator, ast.expr]] = []
        left: ast.expr = node
        while isinstance(left, ast.BinOp):
            operands.append((left.op, left.right))
            left = left.left
        value = self.value(left, scope)
        pieces: list[Value] = [value]  # of a sum, put together at once
        for operator, right in reversed(operands):
            other = self.value(right, scope)
            if isinstance(operator, ast.Add):
                pieces.append(other)
                continue
            value = summed(pieces)
            if isinstance(operator, ast.Mod) and value.known_text is not None:
                value = formatted(value, list(other.elements or (other,)))
            elif isinstance(operator, ast.BitOr) and other.path:
                # LangChain: what a chain gives is what its last link gives.
                value = Value(other.path, taints=taints_of(value, other))
            elif isinstance(operator, ast.Div):  # of paths: below a folder
                made = mixed(value, other).clean(_BELOW_FOLDER)
                value = replace(made, path="pathlib.Path()") if made.taints else made
            else:
                value = mixed(value, other)
            pieces = [value]
        return summed(pieces)

    def _sequence(self, node: ast.List | ast.Tuple | ast.Set, scope: NameScope) -> Value:
        elements = [self.value(one, scope) for one in node.elts]
        plain = not any(isinstance(one, ast.Starred) for one in node.elts)
        kept = tuple(elements) if plain and len(elements) <= MAX_ITEMS else None
        if plain and isinstance(node, ast.List):
            return listed(elements)
        taints = taints_of(*elements)
        uses = {one.cleaned for element in elements for one in element.taints}
        safe = any(not one.taints and one.const is UNKNOWN for one in elements)
        # Taken apart again, each is itself; else it is not seen which is meant.
        if len(uses) > 1 or (uses and safe):
            taints = tuple(one.doubted(_ONE_OF_SEVERAL) for one in taints)
        return Value(elements=kept, taints=taints)

    def _mapping(self, node: ast.Dict, scope: NameScope) -> Value:
        entries: dict[str, Value] = {}
        keyed = True
        values = []
        for key, given in zip(node.keys, node.values, strict=True):
            name = self.value(key, scope).const if key is not None else UNKNOWN
            value = self.value(given, scope)
            values.append(value)
            if isinstance(name, str) and len(entries) < MAX_ITEMS:
                entries[name] = value
            elif key is None and value.entries is not None and value.keyed:
                entries |= value.entries
            else:
                keyed = False
        if entries:
            event = Event(
                "mapping", node.lineno, self.context, named=entries, node=node, open_names=not keyed
            )
            self.tell(event)
        return Value(entries=entries, taints=taints_of(*values), keyed=keyed)

    def _awaited(self, node: ast.Await | ast.Starred | ast.YieldFrom, scope: NameScope) -> Value:
        return self.value(node.value, scope)

    def _choice(self, node: ast.IfExp, scope: NameScope) -> Value:
        self.value(node.test, scope)
        body, other = self.value(node.body, scope), self.value(node.orelse, scope)
        cut, whole = node.body, ast.dump(node.orelse)
        if isinstance(cut, ast.Subscript) and _is_hint(cut.slice) and ast.dump(cut.value) == whole:
            return body  # key[:4] if len(key) > 4 else key
        return joined(body, other)

    def _either(self, node: ast.BoolOp, scope: NameScope) -> Value:
        values = [self.value(one, scope) for one in node.values]
        value = values[0]
        for other in values[1:]:
            value = joined(value, other)
        return value

    def _named(self, node: ast.NamedExpr, scope: NameScope) -> Value:
        value = self.value(node.value, scope)
        scope.bind(node.target.id, value)
        return value

    def _comparison(self, node: ast.Compare, scope: NameScope) -> Value:
        self.value(node.left, scope)
        for one in node.comparators:
            self.value(one, scope)
        return NOTHING

    def _lambda(self, node: ast.Lambda, scope: NameScope) -> Value:
        return self.function(node, scope)

    def _comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, scope: NameScope
    ) -> Value:
        inner = NameScope(scope)
        inner.bind("", NOTHING)
        for one in node.generators:
            source = self.value(one.iter, inner)
            bind(self, one.target, self.item(source, node.lineno), inner)
            for test in one.ifs:
                self.value(test, inner)
                clean(checked(self, test, inner, holds=True), inner)
                doubt(examined(self, test, inner), inner)
        if isinstance(node, ast.DictComp):
            key, value = self.value(node.key, inner), self.value(node.value, inner)
            if all(ALL in one.cleaned for one in key.taints):
                return mixed(value).clean(_KEYED)
            return mixed(key, value)
        return mixed(self.value(node.elt, inner))

    def _other(self, node: ast.AST, scope: NameScope) -> Value:
        values = [
            self.value(child, scope)
            for child in ast.iter_child_nodes(node)
            if isinstance(child, ast.expr)
        ]
        return mixed(*values)


_METHODS: Final[dict[type, Callable[[Evaluator, Any, NameScope], Value]]] = {
    ast.Constant: Evaluator._constant,
    ast.Name: Evaluator._name,
    ast.Attribute: Evaluator._attribute,
    ast.Subscript: Evaluator._subscript,
    ast.Call: call,
    ast.JoinedStr: Evaluator._text,
    ast.BinOp: Evaluator._binary,
    ast.List: Evaluator._sequence,
    ast.Tuple: Evaluator._sequence,
    ast.Set: Evaluator._sequence,
    ast.Dict: Evaluator._mapping,
    ast.Await: Evaluator._awaited,
    ast.Starred: Evaluator._awaited,
    ast.YieldFrom: Evaluator._awaited,
    ast.IfExp: Evaluator._choice,
    ast.BoolOp: Evaluator._either,
    ast.NamedExpr: Evaluator._named,
    ast.Compare: Evaluator._comparison,
    ast.Lambda: Evaluator._lambda,
    ast.ListComp: Evaluator._comprehension,
    ast.SetComp: Evaluator._comprehension,
    ast.GeneratorExp: Evaluator._comprehension,
    ast.DictComp: Evaluator._comprehension,
}
