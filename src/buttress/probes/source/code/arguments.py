"""What a rule looks at in an event: its arguments, its text, its command line."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from buttress.probes.source.code.addresses import lines_of
from buttress.probes.source.code.conditions import Condition
from buttress.probes.source.code.events import Context, Event
from buttress.probes.source.code.values import HOLE, Taint, Value

_OF_TEXTS: Final = frozenset({"sql", "path", "url", "hub", "shell"})  # uses of nothing but texts
_MAX_TEST: Final = 200  # characters of a test that are shown
_MAX_LINES: Final = 80  # before a call in which its options are looked for
_MAX_BETWEEN: Final = 12  # between a test and what it sets
_SET_OFF: Final = re.compile(
    r"""\[["']\w*(?:(?:verify|ssl)\w*["']\]\s*=\s*False|trust_remote_code["']\]\s*=\s*True)\b"""
)
_MAX_SHOWN: Final = 600  # characters of an argument, or of what sets a variable
_MAX_BEFORE: Final = 400  # lines before a call in which its variables are looked for
_MAX_NAMES: Final = 6
_NAME: Final = re.compile(r"(?<![\w.\"'])[A-Za-z_]\w*\b(?!\s*[(\"'])")
_MAX_NODES: Final = 100  # parts of a test that are looked at
_ASKS_WHETHER: Final = ("hasattr", "isinstance", "issubclass", "callable", "len")
# A function or class of such a name is called where it is asked for.
_DESCRIBES: Final = re.compile(
    r"(?i)insecure|unverified|unsafe|untrusted|ignor|skip|disabl|without|allow|(?:^|_)no_?(?=ssl|tls|"
    r"verif|cert)|trust_?(?:all|any|remote)|remote_?code"
)


def held(
    event: Event,
    name: str,
    conditions: Sequence[Condition],
    carried: list[tuple[Condition, tuple[Taint, ...]]],
    is_object: Callable[[str], bool],
) -> bool:
    """Whether one of the conditions holds of an argument; the taints for which it does.

    ``is_object``: whether a path leads to an instance of a class of the project, which is no text.
    """
    found: list[Taint] = []
    kept: Condition | None = None
    for value, known in _arguments(event, name):
        for one in conditions:
            if one.holds(value, known=known):
                if one.taint is None:
                    return True
                if one.use in _OF_TEXTS and value is not None and is_object(value.path):
                    continue
                kept = kept or one
                found += one.carried(value) if value is not None else ()
    if kept is not None:
        carried.append((kept, tuple(found)))
    return kept is not None


def _arguments(event: Event, name: str) -> list[tuple[Value | None, bool]]:
    """The values that a name in ``where`` stands for, and whether nothing else can be meant."""
    if name in ("self", "value"):
        return [(event.value, True)]
    if name == "any":
        return [(one, True) for one in (*event.arguments, *event.named.values())]
    names, _, position = name.partition("@")
    for one in names.split("|"):
        if one in event.named:
            return [(event.named[one], True)]
    if position and int(position) < len(event.arguments):
        return [(event.arguments[int(position)], True)]
    return [(None, not event.open_names and not (position and event.open_positions))]


def text_of(event: Event) -> str | None:
    """The text that the expression of a rule is looked for in."""
    if event.kind == "assert":
        try:
            return ast.unparse(event.node.test)[:2_000]
        except (RecursionError, ValueError):
            return None
    text = event.value.known_text
    return text.replace(HOLE, "{}") if text is not None else None


def switch_of(context: Context, names: Any) -> str:
    """What shows that whoever runs the program asks for it, in words; nothing where none does.

    That is a test around it of a setting of such a name which nothing from outside decides, or a
    function or class that is called so.
    """
    for branch in reversed(context.branches):
        if branch.own and any(map(names.search, _settings(branch.test))):
            test = ast.unparse(branch.test)[:_MAX_TEST]
            where = f"only where {test} holds" if branch.holds else f"only where not ({test})"
            return f"{where}: whoever runs the program decides"
    described = next((one for one in context.functions if _DESCRIBES.search(one)), "")
    return f"in {described}: who uses it is not followed" if names.search(described) else ""


def set_before(node: Any, names: Any, text: str) -> str:
    """Whether a call takes options that a test of a setting of such a name filled, in words."""
    if not any(one.arg is None for one in getattr(node, "keywords", ())):
        return ""
    lines = lines_of(text)[max(0, node.lineno - 1 - _MAX_LINES) : node.lineno - 1]
    for number, line in enumerate(lines):
        if not _SET_OFF.search(line):
            continue
        indent = len(line) - len(line.lstrip())
        for above in reversed(lines[max(0, number - _MAX_BETWEEN) : number]):
            if above.strip() and len(above) - len(above.lstrip()) < indent:
                if above.lstrip().startswith(("if ", "elif ")) and names.search(above):
                    return f"only where {above.strip()[3:_MAX_TEST].rstrip(':').strip()} holds"
                break
    return ""


def option_of(node: Any, names: Any) -> str:
    """Whether verification is given a setting of such a name, off by default only, in words.

    That is a parameter or an attribute; a constant of the module, in capitals, is none.
    """
    for one in getattr(node, "keywords", ()):
        value = one.value
        name = value.attr if isinstance(value, ast.Attribute) else getattr(value, "id", "")
        if one.arg and "verify" in one.arg and name and not name.isupper() and names.search(name):
            return f"unless {name} is given: whoever uses it decides"
    return ""


def _settings(test: ast.expr) -> Iterator[str]:
    """Names of the settings that a test looks at: variables, attributes, keys that are asked for.

    Whether something exists or has a type is no setting.
    """
    pending: list[tuple[ast.expr, bool]] = [(test, False)]
    for _ in range(_MAX_NODES):
        if not pending:
            return
        node, key = pending.pop()
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Constant) and key and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.UnaryOp):
            pending.append((node.operand, False))
        elif isinstance(node, ast.BoolOp):
            pending += [(one, False) for one in node.values]
        elif isinstance(node, ast.Compare):
            if not any(isinstance(one, ast.Constant) and one.value is None
                       for one in node.comparators):  # fmt: skip
                pending.append((node.left, False))
        elif isinstance(node, ast.Subscript):
            pending.append((node.slice, True))
        elif isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute):  # x.lower() == "no"
                pending.append((node.func.value, False))
            if getattr(node.func, "id", "") not in _ASKS_WHETHER:
                pending += [(node.func, False), *((one, True) for one in node.args)]


def command_of(value: Value) -> Value | None:
    """A command line, also where it is given as a list."""
    if value.known_text is not None:
        return value
    if value.elements:
        words = [one.known_text if one.known_text is not None else HOLE for one in value.elements]
        return Value(text=" ".join(words))
    return None


def named(node: Any, text: str) -> str:
    """What the first argument of a call is made of, in names and texts.

    For variables in it what they were last set to before the call, in the module's text. So too for
    what they are made of, once.
    """
    given = node.args[:1] or [one.value for one in node.keywords[:1]]
    if not given:
        return ""
    first = max(node.lineno - 1 - _MAX_BEFORE, 0)
    before = "\n".join(lines_of(text)[first : node.lineno - 1])
    shown = ast.unparse(given[0])[:_MAX_SHOWN]
    found, pending = [shown], _NAME.findall(shown)
    for _ in range(2):
        made = [_made(name, before) for name in dict.fromkeys(pending[:_MAX_NAMES])]
        found += made
        pending = [name for one in made for name in _NAME.findall(one)]
    return "\n".join(found)


def _made(name: str, before: str) -> str:
    """The last statement that sets a variable, without its name; or the ``with`` that does."""
    own = re.escape(name)
    places = [
        *re.finditer(rf"^[ \t]*{own}[ \t]*(?::[^=\n]{{1,60}})?=(?!=)", before, re.MULTILINE),
        *re.finditer(rf"^[ \t]*(?:async )?with (?=[^\n]{{1,200}} as {own}:)", before, re.MULTILINE),
        *re.finditer(rf"^[ \t]*(?:async )?for {own} in ", before, re.MULTILINE),
    ]
    if not places:
        return ""
    rest = before[max(one.end() for one in places) :][:_MAX_SHOWN]
    lines: list[str] = []
    for line in rest.split("\n"):
        lines.append(line)
        whole = "\n".join(lines)
        if whole.count("(") <= whole.count(")") and whole.count("[") <= whole.count("]"):
            break
    return "\n".join(lines)
