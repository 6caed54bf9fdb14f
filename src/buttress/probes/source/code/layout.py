"""What can be told of a project without following it: its packages, and what a file imports."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Final

from buttress.files.notebook_code import notebook
from buttress.files.python_modules import Module, decoded, parsed
from buttress.files.tree import Tree

_IMPORT: Final = re.compile(
    rb"^[ \t]*(?:from[ \t]+(\.*[\w.]*)[ \t]+import[ \t]+(\([^)]{0,500}|[^#;\n]{1,300})"
    rb"|import[ \t]+([^#;\n]{1,300}))",
    re.M,
)
_NAME: Final = re.compile(rb"\w+(?:\.\w+)*")


def module_of(location: str, data: bytes) -> Module | None:
    """The module of a file; None for what is no notebook in Python."""
    if location.lower().endswith(".ipynb"):
        book = notebook(data)
        return book.module if book is not None else None
    return parsed(decoded(data))


def packages(tree: Tree) -> frozenset[bytes]:
    """Names of the packages at the top of a project: itself, below it, or below ``src``."""
    found: set[str] = set()
    root = str(tree.root)
    for folder in (root, os.path.join(root, "src")):
        names = tree.names(folder)
        found.update(one for one in names if "__init__.py" in tree.names(os.path.join(folder, one)))
        if folder == root and "__init__.py" in names:
            found.add(tree.root.name)
    return frozenset(one.encode("utf-8", "replace") for one in found)


def imports(data: bytes) -> Iterator[str]:
    """Paths that are imported, relative ones with their dots."""
    for match in _IMPORT.finditer(data):
        module, names, plain = match.groups()
        if plain is not None:
            for one in plain.split(b","):
                name = _NAME.match(one.strip())
                if name:
                    yield name[0].decode("utf-8", "replace")
        elif module:
            base = module.decode("utf-8", "replace")
            yield base
            for one in names.strip(b"(").split(b",")[:60]:
                name = _NAME.match(one.strip())
                if name:
                    dot = "" if base.endswith(".") else "."
                    yield f"{base}{dot}{name[0].decode('utf-8', 'replace')}"
