"""Packages of a JavaScript workspace: they come from the project itself, whatever their names."""

from __future__ import annotations

import os
from typing import Any, Final

from buttress.files.bounded_json import JsonError, parse
from buttress.files.tree import Tree

_MANIFEST: Final = "package.json"
_MARKS: Final = ("pnpm-workspace.yaml", "lerna.json", "rush.json", "nx.json")
_MAX_MANIFESTS: Final = 5_000


def members(tree: Tree) -> frozenset[str]:
    """Names of the packages whose manifests lie in the tree, where one of them is a workspace."""
    names: set[str] = set()
    is_workspace = False
    manifests = 0
    for file in tree.own:
        name = os.path.basename(file.path)
        is_workspace = is_workspace or name in _MARKS
        if name != _MANIFEST or manifests >= _MAX_MANIFESTS:
            continue
        manifests += 1
        data = _manifest(tree, file.path)
        is_workspace = is_workspace or "workspaces" in data
        if isinstance(data.get("name"), str):
            names.add(data["name"])
    return frozenset(names) if is_workspace and manifests > 1 else frozenset()


def _manifest(tree: Tree, path: str) -> dict[str, Any]:
    try:
        data, _ = parse(tree.content(path).text())
    except JsonError:
        return {}
    return data if isinstance(data, dict) else {}
