"""Binding what is assigned to."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from buttress.probes.source.code.calls import absorb
from buttress.probes.source.code.events import Event
from buttress.probes.source.code.scopes import NameScope
from buttress.probes.source.code.texts import last_part
from buttress.probes.source.code.values import MAX_ITEMS, PAIRS, Value, taints_of

if TYPE_CHECKING:
    from buttress.probes.source.code.evaluate import Evaluator


def bind(evaluator: Evaluator, target: ast.expr, value: Value, scope: NameScope) -> None:
    """Bind ``target`` to ``value``, and tell of it; ``(a, b)`` takes elements apart."""
    if isinstance(target, ast.Name):
        scope.bind(target.id, value)
        _tell(evaluator, target, f".{target.id}" if scope.is_module else "", value)
    elif isinstance(target, (ast.Tuple, ast.List)):
        elements = value.elements or ()
        known = elements if len(elements) == len(target.elts) else None
        # Of an entry with a known key the key, and of what is counted the number.
        counted = value.path in ("builtins.enumerate()[]", f"{PAIRS}[]")
        for index, one in enumerate(target.elts):
            inner = one.value if isinstance(one, ast.Starred) else one
            if counted and index == 0:
                bind(evaluator, inner, Value(), scope)
                continue
            if known:
                part = known[index]
            else:
                part = last_part(value, index, evaluator.stepped(value, "[]", target.lineno))
            bind(evaluator, inner, part, scope)
    elif isinstance(target, ast.Attribute):
        base = evaluator.value(target.value, scope)
        if base.path == "?self":
            scope.bind_attribute(target.attr, value)
        _tell(evaluator, target, f"{base.path}.{target.attr}" if base.path else "", value)
    elif isinstance(target, ast.Subscript):
        base, key = evaluator.value(target.value, scope), evaluator.value(target.slice, scope)
        if isinstance(target.value, ast.Name):
            _put(target.value.id, base, key, value, scope)
        named = key.const if isinstance(key.const, str) and key.const.isidentifier() else ""
        _tell(evaluator, target, f"{base.path}[{named}]" if base.path else "", value)


def _put(name: str, base: Value, key: Value, value: Value, scope: NameScope) -> None:
    """Put an entry into a mapping whose entries are known, or into anything else."""
    if base.entries is not None and isinstance(key.const, str) and len(base.entries) < MAX_ITEMS:
        entries = {**base.entries, key.const: value}
        scope.bind(name, Value(entries=entries, taints=taints_of(base, value), keyed=base.keyed))
    elif isinstance(key.const, str) and not base.taints and base.elements is None:
        entries = {key.const: value}
        scope.bind(name, replace(base, entries=entries, taints=value.taints, keyed=False))
    else:
        absorb(name, base, [value], scope)


def _tell(evaluator: Evaluator, target: ast.expr, path: str, value: Value) -> None:
    if path:
        evaluator.tell(Event("assign", target.lineno, evaluator.context, path, value, node=target))
