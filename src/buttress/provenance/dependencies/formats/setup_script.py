"""setup.py and noxfile.py, read and never run: requirements that stand in them as literals."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Final

from buttress.files.python_modules import parsed as parsed_module
from buttress.provenance.dependencies.dependency import Parsed, requirement

_LISTS: Final = ("install_requires", "setup_requires", "tests_require")
_TABLES: Final = ("extras_require",)
_MAX_DEPTH: Final = 20
_MAX_PARTS: Final = 50_000  # of lists: names that stand for one another can expand without end


def parse(text: str) -> Parsed:
    """Requirements that stand in the file, also in lists that are named first and put together."""
    module, parsed = parsed_module(text), Parsed()
    parsed.notes += module.broken
    names: dict[str, ast.expr] = {}
    for node in _walk(module.body):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target = node.targets[0]
            if isinstance(target, ast.Name):
                names[target.id] = node.value
        if not isinstance(node, ast.Call) or _called(node) != "setup":
            continue
        for keyword in node.keywords:
            wanted = keyword.arg in (*_LISTS, *_TABLES)
            if wanted and not _take(keyword.value, names, parsed, [_MAX_PARTS], 0):
                parsed.notes.append(f"{keyword.arg} is computed, in part or whole")
    return parsed


def nox(text: str) -> Parsed:
    """Requirements that the sessions of nox install, where they stand as literals."""
    module, parsed = parsed_module(text), Parsed()
    parsed.notes += module.broken
    for node in _walk(module.body):
        if not isinstance(node, ast.Call) or _called(node) != "install":
            continue
        for given in node.args:
            if not (isinstance(given, ast.Constant) and isinstance(given.value, str)):
                continue
            if given.value.startswith(("-", ".", "/")):
                continue
            if (found := requirement(given.value, given.lineno)) is not None:
                parsed.add(found)
    return parsed


def _walk(body: Sequence[ast.stmt]) -> Iterator[ast.AST]:
    for statement in body:
        yield from ast.walk(statement)


def _called(call: ast.Call) -> str:
    called = call.func
    if isinstance(called, ast.Attribute):
        return called.attr
    return called.id if isinstance(called, ast.Name) else ""


def _take(
    value: ast.expr, names: dict[str, ast.expr], parsed: Parsed, left: list[int], depth: int
) -> bool:
    """Add the requirements in an expression; whether all of it could be read."""
    left[0] -= 1
    if left[0] < 0 or depth > _MAX_DEPTH or parsed.full:
        return False
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        good = True
        for offset, line in enumerate(value.value.split("\n")):
            if line.strip():
                one = requirement(line.strip(), value.lineno + offset)
                good = good and one is not None
                if one:
                    parsed.add(one)
        return good
    parts: list[ast.expr] = []
    if isinstance(value, (ast.List, ast.Tuple, ast.Set)):
        parts = value.elts
    elif isinstance(value, ast.Dict):
        parts = value.values
    elif isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
        parts = [value.left, value.right]
    elif isinstance(value, ast.Starred):
        parts = [value.value]
    elif isinstance(value, ast.Name) and value.id in names:
        parts = [names[value.id]]
    else:
        return False
    read = [_take(one, names, parsed, left, depth + 1) for one in parts]
    return all(read)
