"""Chat templates that change what the model is told where the user writes a certain word.

A template formats a conversation. One that looks for a word in what was said and then adds
sentences of its own can carry hidden instructions, or switch a back door on, without any code.
"""

from __future__ import annotations

import re
from typing import Any, Final

_WORD: Final = re.compile(r"[A-Za-z][A-Za-z' -]{2,}\Z")  # no tag, slash command or special token
_SENTENCE: Final = re.compile(r"(?:\w+[ ,]+){4}\w+|https?://\w")
_ERROR: Final = "raise_exception"
_SAID: Final = {"content", "text", "user_message", "last_message"}
_ENDLESS: Final = 100_000
LOOPS: Final = "loops more than"


def reason(node: object) -> str | None:
    """What about this node is a trap, as the end of a sentence."""
    from jinja2 import nodes

    if isinstance(node, nodes.If | nodes.CondExpr):
        branch = node.body if isinstance(node, nodes.If) else [node.expr1]
        if (word := _asked(node.test)) and _adds(branch):
            return f"adds sentences of its own where {word!r} is said, at line {node.lineno}"
    return endless(node)


def endless(node: object) -> str | None:
    """A loop over more numbers than any conversation has, as the end of a sentence."""
    from jinja2 import nodes

    if (
        isinstance(node, nodes.Call)
        and getattr(node.node, "name", None) == "range"
        and any(_big(_number(one)) for one in node.args)
    ):
        return f"{LOOPS} {_ENDLESS} times at line {node.lineno}"
    return None


def _number(node: object) -> int | None:
    """The number that an expression of constants gives, or one that is surely as large.

    Not computed: a power of constants could fill the memory.
    """
    from jinja2 import nodes

    if isinstance(node, nodes.Const):
        return node.value if isinstance(node.value, int) else None
    if isinstance(node, nodes.Neg):
        return _number(node.node)
    if isinstance(node, nodes.Pow | nodes.Mul):
        left, right = _number(node.left), _number(node.right)
        if left is None or right is None or min(left, right) < 0:
            return None
        if isinstance(node, nodes.Mul):
            return min(left, _ENDLESS + 1) * min(right, _ENDLESS + 1)
        return int(min(left, _ENDLESS + 1) ** min(right, 20))
    return None


def _big(value: Any) -> bool:
    return isinstance(value, int) and abs(value) > _ENDLESS


def _asked(test: Any) -> str | None:
    """A plain word that the condition looks for in what was said."""
    from jinja2 import nodes

    for one in (test, *test.find_all(nodes.Compare)):
        if not isinstance(one, nodes.Compare) or not isinstance(one.expr, nodes.Const):
            continue
        word = one.expr.value
        if isinstance(word, str) and _WORD.match(word.strip()):
            for operand in one.ops:
                if operand.op == "in" and _said(operand.expr):
                    return word[:40]
    return None


def _said(expression: Any) -> bool:
    from jinja2 import nodes

    names = {one.attr for one in expression.find_all(nodes.Getattr)}
    names |= {expression.attr} if isinstance(expression, nodes.Getattr) else set()
    names |= {expression.name} if isinstance(expression, nodes.Name) else set()
    items = [*expression.find_all(nodes.Getitem)]
    items += [expression] if isinstance(expression, nodes.Getitem) else []
    for one in items:
        if isinstance(one.arg, nodes.Const) and isinstance(one.arg.value, str):
            names.add(one.arg.value)
    return bool(names & _SAID)


def _adds(body: list[Any]) -> bool:
    """Whether a branch writes or sets a sentence or an address that stands in the template."""
    from jinja2 import nodes

    for one in body:
        parts = [one, *one.find_all((nodes.Const, nodes.TemplateData, nodes.Call))]
        errors = {
            id(inner)
            for call in parts
            if isinstance(call, nodes.Call) and getattr(call.node, "name", None) == _ERROR
            for inner in call.find_all(nodes.Const)
        }
        for part in parts:
            text = getattr(part, "data", None) or getattr(part, "value", None)
            if isinstance(text, str) and id(part) not in errors and _SENTENCE.search(text):
                return True
    return False
