"""Calls: what is called, with what, and what comes back."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from buttress.probes.source.code.events import Event
from buttress.probes.source.code.scopes import Scope
from buttress.probes.source.code.texts import formatted, united
from buttress.probes.source.code.values import ALL, NOTHING, Value, mixed, taints_of

if TYPE_CHECKING:
    from buttress.probes.source.code.evaluate import Evaluator

_CHANGES: Final = {
    "append", "extend", "insert", "add", "update", "appendleft", "setdefault", "write",
}  # fmt: skip
_KEEPS_TEXT: Final = {
    "strip", "lstrip", "rstrip", "lower", "upper", "encode", "decode", "removesuffix",
}  # fmt: skip
_WRAPS: Final = {
    "builtins.str", "builtins.dict", "builtins.list", "builtins.tuple", "builtins.set",
    "copy.copy", "copy.deepcopy", "textwrap.dedent", "pathlib.Path", "os.path.expanduser",
    "os.path.abspath", "os.fspath", "typing.cast",
}  # fmt: skip
_LOOK_UPS: Final = {"os.getenv", "os.environ.get"}


@dataclass(slots=True)
class _Given:
    """What a call is made on, and its arguments."""

    receiver: Value
    positions: list[Value]
    named: dict[str, Value]
    open_positions: bool = False
    open_names: bool = False

    @property
    def all(self) -> list[Value]:
        return [*self.positions, *self.named.values()]


def call(evaluator: Evaluator, node: ast.Call, scope: Scope) -> Value:
    """The value of a call; tells the call."""
    receiver = NOTHING
    if isinstance(node.func, ast.Attribute):
        receiver = evaluator.value(node.func.value, scope)
        callee = evaluator.member(receiver, node.func.attr, node.lineno, scope)
    else:
        callee = evaluator.value(node.func, scope)
    given = _given(evaluator, node, receiver, scope)
    reached = _reached(callee, given.positions)
    if reached:
        return evaluator.marked(Value(reached), node.lineno)
    path, positions = callee.path, given.positions
    if path == "functools.partial" and positions and positions[0].path:
        path, positions = positions[0].path, positions[1:]
    if path:
        event = Event(
            "call", node.lineno, evaluator.context, path, receiver, tuple(positions), given.named,
            given.open_positions, given.open_names, node,
        )  # fmt: skip
        evaluator.tell(event)
        evaluator.called(event)
    return _result(evaluator, node, callee, given, scope)


def _given(evaluator: Evaluator, node: ast.Call, receiver: Value, scope: Scope) -> _Given:
    given = _Given(receiver, [], {})
    for argument in node.args:
        if isinstance(argument, ast.Starred):
            spread = evaluator.value(argument.value, scope)
            given.open_positions |= spread.elements is None
            given.positions += spread.elements if spread.elements is not None else (mixed(spread),)
        else:
            given.positions.append(evaluator.value(argument, scope))
    for keyword in node.keywords:
        value = evaluator.value(keyword.value, scope)
        if keyword.arg is not None:
            given.named[keyword.arg] = value
        elif value.entries is not None:
            given.named |= value.entries
            given.open_names |= not value.keyed
        else:
            given.open_names = True
    return given


def _reached(callee: Value, arguments: Sequence[Value]) -> str:
    """What a call by which a module or an attribute is only reached leads to, else nothing."""
    first = arguments[0] if arguments else NOTHING
    if callee.path in ("builtins.__import__", "importlib.import_module"):
        return first.const if isinstance(first.const, str) else ""
    if callee.path == "builtins.getattr" and len(arguments) > 1 and first.path:
        name = arguments[1].const
        return f"{first.path}.{name}" if isinstance(name, str) and name.isidentifier() else ""
    return ""


def _result(
    evaluator: Evaluator, node: ast.Call, callee: Value, given: _Given, scope: Scope
) -> Value:
    path, receiver = callee.path, given.receiver
    if isinstance(node.func, ast.Attribute):
        name, inner = node.func.attr, node.func.value
        if name in _CHANGES and isinstance(inner, ast.Name):
            absorb(inner.id, receiver, given.all, scope)
        if receiver.known_text is not None:
            if name == "format":
                return formatted(receiver, given.all)
            if name == "join" and given.positions:
                return united(receiver.known_text, given.positions[0])
            if name in _KEEPS_TEXT:
                return receiver
    if path == "builtins.dict" and not given.positions:
        taints, cleaned = taints_of(*given.all)
        return Value(
            entries=given.named, taints=taints, cleaned=cleaned, keyed=not given.open_names
        )
    if path in _WRAPS and given.positions:
        return given.positions[-1] if path == "typing.cast" else given.positions[0]
    if path.startswith("."):
        known = evaluator.returned(path)
        if known is not None:
            return known
    taints, cleaned = taints_of(callee, *given.all)
    if taints and not path.startswith("builtins."):
        own = {one.label for one in callee.taints}
        kept = evaluator.flows.kept
        taints = tuple(one for one in taints if one.label in own or one.label not in kept)
    result = callee.step(f"({_key(path, given)})")
    uses = evaluator.flows.cleaned(path) if taints and path else frozenset()
    if ALL in uses:
        return Value(result.path)
    return evaluator.marked(Value(result.path, taints=taints, cleaned=cleaned | uses), node.lineno)


def _key(path: str, given: _Given) -> str:
    """The name that a look-up by name is for: part of the path, since rules may ask for it."""
    if path not in _LOOK_UPS or not given.positions:
        return ""
    name = given.positions[0].const
    return name if isinstance(name, str) and name.isidentifier() else ""


def absorb(name: str, receiver: Value, given: Sequence[Value], scope: Scope) -> None:
    """Let the list or mapping ``name``, into which something tainted is put, be tainted."""
    taints, cleaned = taints_of(receiver, *given)
    if taints != receiver.taints or (receiver.elements, receiver.entries) != (None, None):
        scope.bind(name, Value(receiver.path, taints=taints, cleaned=cleaned))
