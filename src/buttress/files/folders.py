"""Folders, by name, that hold no part of what somebody ships: each walk leaves out some of them."""

from __future__ import annotations

from typing import Final

VERSION_CONTROL: Final = frozenset({".git", ".hg", ".svn"})
INSTALLED: Final = frozenset(  # packages that a tool put there
    {".venv", "venv", "node_modules", "bower_components", "site-packages"}
)
VENDORED: Final = frozenset({"vendor", "third_party"})  # copies of other people's source
CACHES: Final = frozenset(
    {"__pycache__", ".tox", ".nox", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis",
     ".terraform", ".gradle"}
)  # fmt: skip
