"""Formats of files that name dependencies, each by the names of its files.

A format's module is imported when the first file of it is met.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from typing import Final

from buttress.provenance.dependencies.dependency import Parser

MAX_BYTES: Final = 8 << 20
_NAMES: Final = {
    "pyproject.toml": "tools.in_pyproject", "setup.cfg": "projects.setup_cfg",
    "setup.py": "setup_script.parse", "noxfile.py": "setup_script.nox",
    "Pipfile": "projects.pipfile",
    "poetry.lock": "locks.toml_lock", "uv.lock": "locks.toml_lock", "pdm.lock": "locks.toml_lock",
    "pylock.toml": "locks.toml_lock", "Pipfile.lock": "locks.pipfile_lock",
    "pixi.lock": "conda_locks.parse", "pixi.toml": "tools.pixi", "package.json": "npm.manifest",
    "package-lock.json": "npm.parse", "npm-shrinkwrap.json": "npm.parse",
    "yarn.lock": "yarn.parse", "pnpm-lock.yaml": "pnpm.parse",
    ".gitlab-ci.yml": "commands.parse", "tox.ini": "tools.tox",
    "tox.toml": "tools.tox_toml", "bun.lock": "npm.bun",
    ".pre-commit-config.yaml": "tools.pre_commit", ".pre-commit-config.yml": "tools.pre_commit",
    "justfile": "commands.parse", "Justfile": "commands.parse", ".travis.yml": "commands.parse",
    "Taskfile.yml": "commands.parse", "azure-pipelines.yml": "commands.parse",
    "Makefile": "commands.parse", "makefile": "commands.parse", "GNUmakefile": "commands.parse",
}  # fmt: skip
# By the last letters of a name, since a tree has many files that are none.
_PATTERNS: Final[dict[str, tuple[tuple[re.Pattern[str], str], ...]]] = {
    "txt": ((re.compile(r"(?i)(?:.*[-_.])?(?:req(?:uirement)?s|constraints)(?:[-_.].*)?"),
             "requirements.parse"),
            (re.compile(r"(?:.*[-_.])?(?:conda|explicit|spec-(?:list|file))(?:[-_.].*)?"),
             "conda_locks.parse")),
    "in": ((re.compile(r"(?:.*[-_.])?(?:requirements|constraints)(?:[-_.].*)?"),
            "requirements.parse"),),
    "toml": ((re.compile(r"pylock\..+"), "locks.toml_lock"),),
    "lock": ((re.compile(r"(?:.*[-_.])?conda(?:[-_.].*)?"), "conda_locks.parse"),),
    "py": ((re.compile(r".*"), "tools.script"),),
    "mk": ((re.compile(r".*"), "commands.parse"),),
    "bash": ((re.compile(r".*"), "commands.parse"),),
    "ipynb": ((re.compile(r".*"), "commands.notebook"),),
    "sh": ((re.compile(r".*"), "commands.parse"),),
    "dockerfile": ((re.compile(r".*"), "commands.parse"),),
}  # fmt: skip
_YAML: Final = (
    (re.compile(r"(?:.*[-_.])?conda-lock(?:[-_.].*)?"), "conda_locks.parse"),
    (re.compile(r"(?:.*[-_.])?(?:environment|conda)(?:[-_.].*)?"), "conda.parse"),
)
_IMAGES: Final = re.compile(r"^(?:Dockerfile|Containerfile)(?:[-_.].*)?$")
_IN_FOLDER: Final = re.compile(r"^[\w.-]+\.(?:txt|in)$")


def parser(folder: str, name: str) -> Parser | None:
    """The parser of a file by its name and that of its folder; None where it is of no format."""
    found = _NAMES.get(name) or _by_pattern(folder, name)
    return _loaded(found) if found else None


def script_parser() -> Parser:
    """The parser of a Python file with a block of metadata, whatever its name."""
    return _loaded("tools.script")


def _by_pattern(folder: str, name: str) -> str:
    stem, _, last = name.rpartition(".")
    patterns = _YAML if last in ("yml", "yaml") else _PATTERNS.get(last, ())
    for pattern, found in patterns:
        if pattern.fullmatch(stem):
            return found
    if _IMAGES.match(name) or (folder == "workflows" and last in ("yml", "yaml")):
        return "commands.parse"
    return "requirements.parse" if folder == "requirements" and _IN_FOLDER.match(name) else ""


@cache
def _loaded(which: str) -> Parser:
    module, _, function = which.partition(".")
    found: Parser = getattr(import_module(f"{__name__}.{module}"), function)
    return found
