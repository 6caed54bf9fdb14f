"""Public classes have distinct names, so that a name alone says which class is meant."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import buttress

ROOT = Path(buttress.__file__).parent
# One name with several classes on purpose: none today.
SHARED: frozenset[str] = frozenset()


def public_classes() -> dict[str, list[str]]:
    """The modules that define a public class, by its name."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(path.relative_to(ROOT).as_posix())
    return found


def test_every_public_class_has_a_name_of_its_own() -> None:
    classes = public_classes()
    assert len(classes) > 500
    twice = {name: where for name, where in classes.items() if len(where) > 1}
    assert twice.keys() == SHARED, twice
