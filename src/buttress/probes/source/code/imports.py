"""Imports, and the names that they bind."""

from __future__ import annotations

import ast
from collections.abc import Callable

from buttress.probes.source.code.project import View
from buttress.probes.source.code.scopes import NameScope
from buttress.probes.source.code.values import Value


def bind_import(node: ast.Import, scope: NameScope) -> list[str]:
    """Bind ``import a.b`` and ``import a.b as c``; the modules that are imported."""
    for one in node.names:
        if one.asname:
            scope.bind(one.asname, Value(one.name))
        else:
            first = one.name.partition(".")[0]
            scope.bind(first, Value(first))
    return [one.name for one in node.names]


def bind_import_from(
    node: ast.ImportFrom, scope: NameScope, view: View, known: Callable[[str], Value | None]
) -> list[str]:
    """Bind ``from a import b as c``; the paths of what is imported.

    ``known`` gives values that other modules of the project have made.
    """
    # A relative import leads to this project, whatever the name says.
    module = view.relative(node.level, node.module or "") if node.level else node.module or ""
    paths = []
    for one in node.names:
        if one.name == "*":
            scope.stars.append(module)
            paths.append(module)
            continue
        path = f"{module}{one.name}" if module[-1:] in (".", ":") else f"{module}.{one.name}"
        scope.bind(one.asname or one.name, known(path) or Value(path))
        paths.append(path)
    return paths
