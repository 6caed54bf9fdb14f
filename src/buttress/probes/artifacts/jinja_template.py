"""Chat templates: what in a Jinja template reaches beyond formatting a conversation.

The template is parsed, not rendered. Constants are folded first, since ``"__cl" ~ "ass__"`` is a
common way to hide a name.
"""

from __future__ import annotations

import re
from typing import Final

from buttress.probes.artifacts import template_trap

MAX_TEMPLATE: Final = 200_000  # characters
_DUNDER: Final = re.compile(r"__\w+__")
_HARMLESS_DUNDER: Final = {"__metadata__", "__main__", "__name__"}
_NAMES: Final = {
    "cycler",
    "joiner",
    "lipsum",
    "self",
    "request",
    "config",
    "url_for",
    "get_flashed_messages",
}
_ATTRIBUTES: Final = {
    "popen", "mro", "subclasses", "func_globals", "gi_frame", "f_globals", "cr_frame",
    "tb_frame", "f_builtins", "check_output",
}  # fmt: skip
# As a variable: a name of Python's own; authors give others such names too.
_OF_PYTHON: Final = _ATTRIBUTES | {
    "__builtins__", "__import__", "__loader__", "__spec__", "__globals__", "__class__",
    "__dict__", "__init__", "__self__", "__func__",
}  # fmt: skip
_KEYS: Final = {"system", "modules"}  # also roles and lists of a conversation: reached by a call
_BUILTINS: Final = {"getattr", "setattr", "eval", "exec", "compile", "open", "globals", "vars"}
_WAYS: Final = re.compile(
    r"__\w+__|\|\s*attr\b|\bpopen\b|\\x5f\\x5f|\\u005f|_[\"']\s*[~*+]|\[[^\]]*[\"']_[\"']"
)
_LOOP: Final = re.compile(r"\brange\s*\([^)]*(?:[0-9]{6}|\*)")
_OPENING: Final = re.compile(r"\{[{%]")
_WORDS: Final = re.compile(
    r"__\w+__|\|\s*attr\b|\bpopen\b|\bos\s*\.|\bimport\b|\bsubprocess\b|\beval\s*\("
)


def reaching(text: str) -> str | None:
    """As ``suspicious``, for a text that is not known to be a chat template.

    Templates of other programs include files and have variables such as ``config``; nothing but
    the way to the interpreter counts.
    """
    if not _OPENING.search(text):
        return None
    if _WAYS.search(text):
        return suspicious(text, others=True)
    found = suspicious(text, others=True) if _LOOP.search(text) else None
    return found if found and found.startswith(template_trap.LOOPS) else None


def suspicious(template: str, *, others: bool = False) -> str | None:
    """What is suspicious in the template, as the end of a sentence, or None.

    ``others``: it may be a template of any program.
    """
    import jinja2
    from jinja2 import nodes

    if len(template) > MAX_TEMPLATE:
        return f"has {len(template)} characters"
    environment = jinja2.Environment(extensions=["jinja2.ext.loopcontrols", "jinja2.ext.do"])
    source = re.sub(r"\{%(-?)\s*(end)?generation\s*(-?)%\}", "", template)  # transformers' own tag
    try:
        tree = environment.parse(source)
    except (jinja2.TemplateError, RecursionError, MemoryError, ValueError):
        found = _in_markup(template, others=others)
        return f"can't be parsed and holds {found!r}" if found else None
    try:
        for node in tree.find_all(nodes.Node):
            trap = template_trap.endless if others else template_trap.reason
            if reason := _reason(node, others) or trap(node):
                return reason
    except RecursionError:
        return "is nested too deep to be read"
    return None


def _in_markup(template: str, *, others: bool) -> str | None:
    """A suspicious word between ``{{`` and ``}}`` or ``{%`` and ``%}``, in one pass.

    Two braces mean something else in many a text: of ``others``, only what is closed counts, and
    within one line.
    """
    at = 0
    while (start := _OPENING.search(template, at)) is not None:
        close = template.find("}}" if start[0] == "{{" else "%}", start.end())
        at = close if close >= 0 else len(template)
        if others and (close < 0 or "\n" in template[start.end() : close]):
            at = start.end()
            continue
        if found := _WORDS.search(template, start.end(), at):
            return found[0]
    return None


def _reason(node: object, others: bool) -> str | None:
    from jinja2 import nodes

    if isinstance(node, nodes.Import | nodes.FromImport | nodes.Include | nodes.Extends):
        return None if others else f"pulls in another template at line {node.lineno}"
    if isinstance(node, nodes.Getattr):
        return _name(node.attr, node.lineno)
    if isinstance(node, nodes.Getitem):
        return _name(_folded(node.arg), node.lineno)
    if isinstance(node, nodes.Filter) and node.name in ("attr", "map") and node.args:
        spelled = _folded(node.args[0])
        if node.name == "attr" and spelled is None and not others:
            return f"fetches an attribute by a computed name at line {node.lineno}"
        return _name(spelled, node.lineno)
    if isinstance(node, nodes.Filter):  # map(attribute=...), sort(attribute=...) and the like
        for given in node.kwargs:
            if reason := _name(_folded(given.value), node.lineno):
                return reason
    if isinstance(node, nodes.Name) and node.ctx == "load":
        if node.name in _NAMES and not others:
            return f"uses {node.name}, which gives access to the interpreter, at line {node.lineno}"
        return _name(node.name, node.lineno) if node.name in _OF_PYTHON else None
    if isinstance(node, nodes.Call):
        if isinstance(node.node, nodes.Getattr | nodes.Getitem):
            reached = node.node
            name = reached.attr if isinstance(reached, nodes.Getattr) else _folded(reached.arg)
            if name in _KEYS:
                return f"reaches for {name} at line {node.lineno}"
        called = getattr(node.node, "name", None)
        if called in _BUILTINS and not others:
            return f"calls Python's {called} at line {node.lineno}"
    if isinstance(node, nodes.Add | nodes.Concat):
        folded = _folded(node)
        if folded and _DUNDER.search(folded):
            return f"puts together the name {folded[:40]!r} at line {node.lineno}"
    return None


def _name(name: str | None, line: int) -> str | None:
    if name and (found := _DUNDER.search(name)) and found[0] not in _HARMLESS_DUNDER:
        return f"reaches for {found[0]} at line {line}"
    if name in _ATTRIBUTES:
        return f"reaches for {name} at line {line}"
    return None


def _folded(node: object) -> str | None:
    """The text that an expression of constants gives."""
    from jinja2 import nodes

    if isinstance(node, nodes.Const):
        return node.value if isinstance(node.value, str) else None
    parts: list[str | None] = []
    if isinstance(node, nodes.Add):
        parts = [_folded(node.left), _folded(node.right)]
    elif isinstance(node, nodes.Concat):
        parts = [_folded(one) for one in node.nodes]
    if not parts or any(part is None for part in parts):
        return None
    return "".join(part for part in parts if part is not None)
