"""The layers of the design: a package knows only packages on lines below its own.

Imports inside functions and under ``TYPE_CHECKING`` count. What stands side by side on a line does
not know its neighbours.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import buttress

ROOT = Path(buttress.__file__).parent
LINES: tuple[tuple[str, ...], ...] = (
    ("cli", "console", "guard", "watch", "inspect"),
    ("workflows",),
    ("report",),
    ("documents",),
    ("trials", "inspection", "live", "training", "data", "triage", "oversight", "drift"),
    (
        *("probes.behaviour", "probes.privacy"),
        *("probes.artifacts", "probes.source", "probes.dependencies"),
        *("probes.deployment", "probes.agents"),
        *("probes.infrastructure", "probes.link", "probes.service", "probes.client"),
    ),
    ("attacks", "white_box", "explain", "judges", "provenance", "interchange"),
    ("protocols",),
    ("targets", "risk", "system", "prompts", "labelling", "packs", "rules"),
    ("evidence", "statistics", "standards", "answers"),
    ("files",),
    ("extension", "processes", "json_process", "ray_cluster"),
    ("errors",),
)
LEVEL = {name: len(LINES) - number for number, line in enumerate(LINES) for name in line}
FREE = ("", "__main__", "ext")  # the public face may import what it shows
# Imports that break the contract today. The list only ever gets shorter: an entry that is no longer
# needed fails the test.
KNOWN: frozenset[tuple[str, str]] = frozenset()


def package(module: str) -> str:
    """The package of the contract that a module below ``buttress`` belongs to."""
    parts = module.split(".")[1:]
    two = ".".join(parts[:2])
    return two if two in LEVEL else (parts[0] if parts else "")


def imports() -> dict[tuple[str, str], set[str]]:
    """Pairs of packages of which the first imports the second, each with the modules that do."""
    modules = {
        ".".join(("buttress", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(
            ".__init__"
        ): path
        for path in ROOT.rglob("*.py")
    }
    pairs: dict[tuple[str, str], set[str]] = defaultdict(set)
    for module, path in modules.items():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert not node.level, f"{module}: relative import"
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            for name in names:
                if name.split(".")[0] != "buttress":
                    continue
                first, second = package(module), package(_module(name, modules))
                if first != second and second:
                    pairs[first, second].add(module)
    return pairs


def _module(name: str, modules: Mapping[str, Path]) -> str:
    while name not in modules:
        name = name.rpartition(".")[0]
    return name


def test_every_package_has_a_line() -> None:
    names = {path.relative_to(ROOT).with_suffix("").as_posix() for path in ROOT.rglob("*.py")}
    packages = {package(f"buttress.{name.replace('/', '.')}") for name in names}
    assert packages - set(LEVEL) - set(FREE) - {"__init__", "probes"} == set()


def test_a_line_knows_only_lines_below_it() -> None:
    broken = {
        pair: modules
        for pair, modules in imports().items()
        if pair[0] not in FREE and LEVEL[pair[0]] <= LEVEL[pair[1]]
    }
    new = {pair: sorted(modules) for pair, modules in broken.items() if pair not in KNOWN}
    assert not new, f"imports against the layers: {new}"
    gone = KNOWN - set(broken)
    assert not gone, f"no longer broken, remove from KNOWN: {sorted(gone)}"
