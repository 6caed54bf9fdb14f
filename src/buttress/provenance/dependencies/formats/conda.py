"""Environments of conda."""

from __future__ import annotations

import re
from typing import Any, Final

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from buttress.files.yaml_documents import MAX_BYTES, YamlDocument, documents
from buttress.provenance.dependencies.dependency import Dependency, FormatError, Parsed, exact
from buttress.provenance.dependencies.formats import requirements

# Packages whose name on conda's channels is not the one on PyPI.
PYPI_NAMES: Final = {
    "pytorch": "torch", "pytorch-lightning": "pytorch-lightning", "opencv": "opencv-python",
    "py-opencv": "opencv-python", "py-xgboost": "xgboost", "tensorflow-base": "tensorflow",
    "matplotlib-base": "matplotlib", "huggingface_hub": "huggingface-hub", "ray-core": "ray",
    "ray-default": "ray", "dask-core": "dask", "msgpack-python": "msgpack", "jupyter_server":
    "jupyter-server",
}  # fmt: skip
_ITEM: Final = re.compile(
    r"^(?:[A-Za-z0-9_./-]+::)?([A-Za-z0-9][A-Za-z0-9._-]*)\s*([=<>!~][^\s#]*|\s[0-9][^\s#]*)?(?:\s+\S+)?$"
)


def parse(text: str) -> Parsed:
    """Packages of conda and of pip in an environment file.

    Raises:
        FormatError: it is not YAML, or larger than is read.
    """
    if len(text) > MAX_BYTES:
        raise FormatError("it is larger than is read")
    problems: list[str] = []
    parsed = Parsed()
    for document in documents(text, problems):
        if isinstance(document.data, dict):
            _environment(document, parsed)
    if problems:
        raise FormatError(f"it is not YAML ({problems[0][:80]})")
    return parsed


def _environment(document: YamlDocument, parsed: Parsed) -> None:
    channels = document.data.get("channels")
    for index, one in enumerate(channels if isinstance(channels, list) else ()):
        if isinstance(one, str):
            parsed.issues += requirements.plain_http(one, document.line(("channels", index)))
    given = document.data.get("dependencies")
    for index, one in enumerate(given if isinstance(given, list) else ()):
        path: tuple[str | int, ...] = ("dependencies", index)
        if isinstance(one, str):
            package(one, document.line(path), parsed)
        elif isinstance(one, dict) and isinstance(one.get("pip"), list):
            for place, item in enumerate(one["pip"]):
                if isinstance(item, str):
                    _pip(item, document.line((*path, "pip", place)), parsed)


def package(text: str, line: int, parsed: Parsed) -> None:
    """Add a package by conda's specification, such as ``channel::name=1.2``."""
    match = _ITEM.match(text.strip()[:500])
    if not match:
        parsed.notes.append("a package of no known form")
        return
    name, version = match[1].lower(), (match[2] or "").strip()
    if name in ("python", "pip", "setuptools", "wheel", "conda"):
        return
    specifier = _specifier(version)
    parsed.add(
        Dependency(
            PYPI_NAMES.get(name, name),
            "PyPI",
            line,
            version=exact(SpecifierSet(specifier)),
            specifier=specifier,
            conda=True,
        )
    )


def _specifier(version: str) -> str:
    """A version of conda by PEP 440: ``=1.2`` is 1.2 and what begins with it."""
    fuzzy = re.fullmatch(r"=?\s*([0-9][A-Za-z0-9.!+]*)(?:=[A-Za-z0-9_*.]+)?", version)
    fixed = re.fullmatch(r"==\s*([0-9][A-Za-z0-9.!+]*)(?:=[A-Za-z0-9_*.]+)?", version)
    if fixed:
        version = f"=={fixed[1]}"
    elif fuzzy:
        number = fuzzy[1]
        whole = "=" in version[1:] or number.count(".") >= 2
        version = f"=={number}" if whole else f"=={number}.*"
    try:
        return str(SpecifierSet(version))
    except InvalidSpecifier:
        return ""


def _pip(text: str, line: int, parsed: Parsed) -> None:
    below: Any = requirements.parse(text)
    for one in below.dependencies:
        parsed.add(
            Dependency(one.name, "PyPI", line, one.version, one.specifier, one.address, one.hashed)
        )
    for issue in below.issues:
        parsed.issues.append(type(issue)(issue.rule, line, issue.it))
    parsed.includes += below.includes
