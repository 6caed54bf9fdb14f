"""What pyproject.toml declares is what the code needs: no more, and no less."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import buttress
from buttress import extension

PACKAGE = Path(buttress.__file__).parent
ROOT = Path(__file__).resolve().parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
# Distributions whose modules have another name.
MODULES = {
    "google-re2": "re2", "packageurl-python": "packageurl", "pillow": "PIL", "pyyaml": "yaml",
}  # fmt: skip
# Used by another package, not imported here, each with its user.
INDIRECT = {
    "confusable-homoglyphs": "rules.skeleton, which reads its data file",
    "accelerate": "transformers, to load weights in parts",
    "openai": "Inspect's provider of OpenAI-compatible servers",
    "pyopenssl": "model-signing, to verify certificates",
}
INSTALLED = re.compile(r"pip3? install (-\S+ )*['\"]?buttress\b")
NOT_SHIPPED = {"dev", "docs", "build", "fuzz", "all"}  # for work on Buttress, or all of the others


def requirements(names: list[str]) -> dict[str, str]:
    """Module by distribution."""
    found = {canonicalize_name(Requirement(name).name) for name in names}
    return {one: MODULES.get(one, one.replace("-", "_")) for one in found - {"buttress"}}


@cache
def imported() -> frozenset[str]:
    """Modules of other projects that are imported anywhere, in functions too."""
    found: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {one.name.split(".")[0] for one in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.split(".")[0])
    return frozenset(found - set(sys.stdlib_module_names) - {"buttress", "__future__"})


SHIPPED = requirements(PROJECT["dependencies"])
EXTRAS = {
    name: requirements(given)
    for name, given in PROJECT["optional-dependencies"].items()
    if name not in NOT_SHIPPED
}


def test_whatever_is_imported_is_declared() -> None:
    declared = {*SHIPPED.values(), *(one for extra in EXTRAS.values() for one in extra.values())}
    assert imported() <= declared


@pytest.mark.parametrize("extra", ["", *EXTRAS])
def test_whatever_is_declared_is_used(extra: str) -> None:
    given = EXTRAS[extra] if extra else SHIPPED
    assert given or extra
    unused = {name for name, module in given.items() if module not in imported()}
    assert unused - set(INDIRECT) == set()


def test_all_stands_for_every_extra() -> None:
    (whole,) = PROJECT["optional-dependencies"]["all"]
    assert Requirement(whole).extras == set(EXTRAS)


def test_no_page_or_message_installs_from_an_index_where_nothing_is_published() -> None:
    """Whoever takes the name there first would be installed instead."""
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for folder in ("src", "docs", "examples", "fuzz", ".")
        for path in (ROOT / folder).glob("*.md" if folder == "." else "**/*.*")
        if path.suffix in {".md", ".py", ".yaml", ".html"}
        for line in path.read_text("utf-8").splitlines()
        if INSTALLED.search(line)
    ]
    assert found == []
    assert INSTALLED.search("$ pip install 'buttress[browser]'")
    assert not INSTALLED.search("pip install '.[browser]' in the clone of Buttress")


@pytest.mark.parametrize("group", PROJECT["entry-points"])
def test_every_entry_point_leads_to_something(group: str) -> None:
    if not group.startswith("buttress."):
        pytest.skip("a group of another project")
    kind = group.removeprefix("buttress.")
    for name in PROJECT["entry-points"][group]:
        assert name in extension.names(kind)
        assert extension.load(kind, name) is not None
