"""Tests of which signs a text is made of: ``set(text) <= ALLOWED`` in its many spellings."""

from __future__ import annotations

import ast
import re
import string
from typing import TYPE_CHECKING, Final

from buttress.probes.source.code.scopes import NameScope
from buttress.probes.source.code.texts import harmless_uses
from buttress.probes.source.code.values import ALL, Value

if TYPE_CHECKING:
    from buttress.probes.source.code.evaluate import Evaluator

_ANY: Final = string.printable  # where it is not known which signs are let through
_MAX_DEPTH: Final = 8
_MAX_SIGNS: Final = 2_000
_MAX_ITEMS: Final = 300  # of a collection of signs
_LEAST_STRIPPED: Final = 8  # signs; who strips fewer only trims the text
_SETS: Final = frozenset({"builtins.set", "builtins.frozenset"})
_COLLECTIONS: Final = _SETS | {"builtins.list", "builtins.tuple", "builtins.sorted"}
_PLAIN: Final = re.compile(r"\w*", re.ASCII)  # as of what isalnum and isidentifier let through
_NEGATED: Final = re.compile(r"\(?\[\^((?:[^\]\\]|\\.)+)\][+*]?\)?")  # any sign but these
_KINDS: Final = {
    "isdigit": string.digits, "isdecimal": string.digits, "isnumeric": string.digits,
    "isspace": string.whitespace, "isalpha": string.ascii_letters,
    "isalnum": string.ascii_letters + string.digits,
}  # fmt: skip
_SAME: Final = frozenset({"lower", "upper", "strip", "casefold"})

Let = tuple[ast.expr, frozenset[str]]


def let_through(
    evaluator: Evaluator, test: ast.expr, scope: NameScope, *, holds: bool
) -> Let | None:
    """The text of which a test that holds, or does not, says the signs; uses they do no harm in.

    None where it says nothing of the kind.
    """
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        return _of_comparison(evaluator, test, scope, holds=holds)
    if isinstance(test, (ast.ListComp, ast.SetComp)) and not holds:
        return _of_items(evaluator, test, None, scope, holds=holds)
    if isinstance(test, ast.BinOp) and isinstance(test.op, ast.Sub) and not holds:
        return _let(evaluator, _set(evaluator, test.left, scope), test.right, scope)
    if not isinstance(test, ast.Call) or not test.args:
        return None
    path, first = evaluator.path_of(test.func, scope), test.args[0]
    if path in ("builtins.all", "builtins.any"):
        if holds is (path == "builtins.all") and isinstance(
            first, (ast.GeneratorExp, ast.ListComp)
        ):
            return _of_items(evaluator, first, first.elt, scope, holds=holds)
        return None
    if path == "re.search" and len(test.args) > 1 and not holds:
        known = evaluator.constant(first, scope)
        negated = _NEGATED.fullmatch(known) if known is not None else None
        return (test.args[1], harmless_uses(negated[1])) if negated else None
    if not isinstance(test.func, ast.Attribute):
        return None
    owner = test.func.value
    match test.func.attr, holds:
        case "issubset", True:
            return _let(evaluator, _set(evaluator, owner, scope), first, scope)
        case "issuperset", True:
            return _let(evaluator, _set(evaluator, first, scope) or first, owner, scope)
        case "difference", False:
            return _let(evaluator, _set(evaluator, owner, scope), first, scope)
        case "strip", False:
            signs = _signs(evaluator, first, scope)
            return (owner, _uses(signs)) if len(signs) >= _LEAST_STRIPPED else None
        case "translate", False:
            dropped = first.args[2] if isinstance(first, ast.Call) and len(first.args) > 2 else None
            return (owner, _uses(_signs(evaluator, dropped, scope) if dropped else _ANY))
    return None


def let_through_by(evaluator: Evaluator, loop: ast.For, scope: NameScope) -> frozenset[str] | None:
    """Uses in which a text does no harm after a loop over its signs that is left at others."""
    if not isinstance(loop.target, ast.Name):
        return None
    for place, one in enumerate(loop.body):
        if not isinstance(one, ast.If):
            continue
        after = loop.body[place + 1 : place + 2]
        skips = isinstance(one.body[-1], ast.Continue) and _leaves(after)
        for holds in (False, True):
            if _leaves(one.orelse) or skips if holds else _leaves(one.body):
                signs = _of_each(evaluator, one.test, loop.target.id, scope, holds=holds)
                if signs is not None:
                    return _uses(signs + _taken_out(loop.iter))
    return None


def flags_of(evaluator: Evaluator, loop: ast.For, scope: NameScope) -> list[str]:
    """Variables that a loop over the signs of a text sets where it meets some of them."""
    if not isinstance(loop.target, ast.Name):
        return []
    return [
        target.id
        for one in loop.body
        if isinstance(one, ast.If)
        and any(
            _of_each(evaluator, one.test, loop.target.id, scope, holds=holds) is not None
            for holds in (True, False)
        )
        for inner in one.body
        if isinstance(inner, ast.Assign) and isinstance(inner.value, ast.Constant)
        for target in inner.targets
        if isinstance(target, ast.Name)
    ]


def _leaves(body: list[ast.stmt]) -> bool:
    return bool(body) and isinstance(body[-1], (ast.Raise, ast.Return))


def _of_comparison(
    evaluator: Evaluator, test: ast.Compare, scope: NameScope, *, holds: bool
) -> Let | None:
    left, operator, right = test.left, test.ops[0], test.comparators[0]
    if holds and isinstance(operator, (ast.LtE, ast.Lt)):
        return _let(evaluator, _set(evaluator, left, scope), right, scope)
    if holds and isinstance(operator, (ast.GtE, ast.Gt)):
        return _let(evaluator, _set(evaluator, right, scope), left, scope)
    empty = (isinstance(right, ast.Constant) and right.value in ("", 0)) or (
        isinstance(right, ast.Call) and not right.args and _makes_set(evaluator, right, scope)
    )
    if not empty or not isinstance(operator, ast.Eq if holds else (ast.NotEq, ast.Gt)):
        return None
    if isinstance(left, ast.Call) and evaluator.path_of(left.func, scope) == "builtins.len":
        left = left.args[0] if left.args else left
    return (
        None if isinstance(left, ast.Compare) else let_through(evaluator, left, scope, holds=False)
    )


def _of_items(
    evaluator: Evaluator,
    made: ast.GeneratorExp | ast.ListComp | ast.SetComp,
    test: ast.expr | None,
    scope: NameScope,
    *,
    holds: bool,
) -> Let | None:
    """What holds of each item, or of none; without ``test`` no item is left that fits the ifs."""
    loop = made.generators[0]
    if len(made.generators) > 1 or not isinstance(loop.target, ast.Name):
        return None
    if test is None:
        if len(loop.ifs) != 1:
            return None
        test = loop.ifs[0]
        signs = _of_each(evaluator, test, loop.target.id, scope, holds=holds)
    else:
        signs = _of_each(evaluator, test, loop.target.id, scope, holds=holds)
        if signs is not None and loop.ifs:
            signs = _ANY
    return None if signs is None else (loop.iter, _uses(signs + _taken_out(loop.iter)))


def _of_each(
    evaluator: Evaluator,
    test: ast.expr,
    name: str,
    scope: NameScope,
    *,
    holds: bool,
    depth: int = 0,
) -> str | None:
    """The signs that the variable ``name`` may be; None where the test says nothing of it."""
    if depth > _MAX_DEPTH:
        return None
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = test.operand
        return _of_each(evaluator, inner, name, scope, holds=not holds, depth=depth + 1)
    if isinstance(test, ast.BoolOp):
        found = [
            _of_each(evaluator, one, name, scope, holds=holds, depth=depth + 1)
            for one in test.values[:_MAX_ITEMS]
        ]
        if isinstance(test.op, ast.And if holds else ast.Or):
            return next((one for one in found if one is not None), None)
        known = [one for one in found if one is not None]
        if not known:
            return None
        return "".join(known) if len(known) == len(test.values) else _ANY
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and _is(test.left, name):
        operator, right = test.ops[0], test.comparators[0]
        if isinstance(operator, ast.In if holds else ast.NotIn):
            return _signs(evaluator, right, scope)
        if isinstance(operator, ast.Eq if holds else ast.NotEq):
            return _signs(evaluator, right, scope)
    if isinstance(test, ast.Call) and isinstance(test.func, ast.Attribute) and holds:
        return _KINDS.get(test.func.attr) if _is(test.func.value, name) else None
    return None


def _is(node: ast.expr, name: str) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        node = node.func.value if node.func.attr in _SAME else node
    return isinstance(node, ast.Name) and node.id == name


def _taken_out(node: ast.expr) -> str:
    """Signs that a text may hold besides, since they are taken out before it is looked at."""
    found = ""
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr in ("replace", "split"):
            first = node.args[0] if node.args else None
            known = first.value if isinstance(first, ast.Constant) else _ANY
            found += string.whitespace if first is None else str(known)
        node = node.func.value
    return found


def _makes_set(evaluator: Evaluator, node: ast.Call, scope: NameScope) -> bool:
    return evaluator.path_of(node.func, scope) in _SETS


def _set(evaluator: Evaluator, node: ast.expr, scope: NameScope) -> ast.expr | None:
    """``x`` in ``set(x)``."""
    if isinstance(node, ast.Call) and len(node.args) == 1 and _makes_set(evaluator, node, scope):
        return node.args[0]
    return None


def _let(
    evaluator: Evaluator, text: ast.expr | None, allowed: ast.expr, scope: NameScope
) -> Let | None:
    return (text, _uses(_signs(evaluator, allowed, scope))) if text is not None else None


def _uses(signs: str) -> frozenset[str]:
    if _PLAIN.fullmatch(signs):
        return frozenset({ALL})
    return harmless_uses(signs.replace("\\", "\\\\"))


def _signs(evaluator: Evaluator, node: ast.expr, scope: NameScope, depth: int = 0) -> str:
    """The signs that a text or a collection holds; all where that is not known."""
    if depth > _MAX_DEPTH:
        return _ANY
    if isinstance(node, ast.Constant):
        known = isinstance(node.value, str) and len(node.value) <= _MAX_SIGNS
        return str(node.value) if known else _ANY
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)) and len(node.elts) <= _MAX_ITEMS:
        return "".join(_signs(evaluator, one, scope, depth + 1) for one in node.elts)
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.BitOr)):
        sides = (node.left, node.right)
        return "".join(_signs(evaluator, one, scope, depth + 1) for one in sides)
    if isinstance(node, ast.Call) and len(node.args) == 1:
        if evaluator.path_of(node.func, scope) in _COLLECTIONS:
            return _signs(evaluator, node.args[0], scope, depth + 1)
        return _ANY
    if isinstance(node, ast.Name):
        return _held(scope.find(node.id))
    if isinstance(node, ast.Attribute):
        module, _, name = evaluator.path_of(node, scope).rpartition(".")
        if module == "string" and isinstance(getattr(string, name, None), str):
            return str(getattr(string, name))
        if module == "?self":
            return _held(scope.attribute(name, evaluator.context.functions))
    return _ANY


def _held(value: Value | None) -> str:
    """The signs of a text that is known, or of a list of such."""
    items = (value,) if value is None or value.elements is None else value.elements
    found = ""
    for one in items[:_MAX_ITEMS]:
        if one is None or not isinstance(one.const, str) or one.taints:
            return _ANY
        if len(found) + len(one.const) > _MAX_SIGNS:
            return _ANY
        found += one.const
    return found if len(items) <= _MAX_ITEMS else _ANY
